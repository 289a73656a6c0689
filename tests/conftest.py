"""What every test may use; the fixtures themselves stand in tests/support."""

import os

from hypothesis import settings

pytest_plugins = [
    "tests.support.database",
    "tests.support.client",
    "tests.support.editing",
    "tests.support.hostile",
    "tests.support.service",
    "tests.support.proxy",
    "tests.support.attacked",
]

# Machines are slow at times, which is no fault; and what lands is tried with fixed examples, so
# that a change isn't refused for what it didn't do.
settings.register_profile("chancery", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("chancery")
