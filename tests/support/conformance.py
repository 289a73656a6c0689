"""What answers to invented requests are checked against."""

import os

from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
# To each operation; more than 60 take longer than a test run may.
EXAMPLES = int(os.environ.get("CHANCERY_TEST_EXAMPLES", "60"))
