"""What every test may use; the fixtures themselves stand in tests/support."""

pytest_plugins = ["tests.support.database", "tests.support.client", "tests.support.service"]
