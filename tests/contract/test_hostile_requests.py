"""A corpus of hostile, broken and odd requests, each as bytes on a socket of a running attacked.

Whatever is sent: no fault of ours, the right class of status, a problem that says what is wrong and
nothing of the inside, nothing active of the request in the answer, nothing written by what was
refused, and a connection that goes on or says that it ends.
"""

import json
import re
from urllib.parse import unquote, urlsplit

import pytest

from tests.support.attacked import Attacked
from tests.support.corpus.accepted import IN_ORDER
from tests.support.corpus.addresses import ADDRESSES
from tests.support.corpus.bodies import BODIES
from tests.support.corpus.cases import Case
from tests.support.corpus.framing import FRAMING
from tests.support.corpus.headers import HEADERS_SAID
from tests.support.exchange import Answer
from tests.support.problems import NEVER_SHOWN

CORPUS = FRAMING | ADDRESSES | HEADERS_SAID | BODIES | IN_ORDER
PROBLEM = "application/problem+json"
PAGES = ("/timeline", "/positions", "/events/", "/measures/")
# An import tells of a thousand faults; everything else tells of fewer.
LONGEST_PROBLEM = 131_072
# Control characters, and what turns the direction of the text around it.
CONFUSING = re.compile("[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
ECHOED = re.compile(r"([a-zA-Z0-9])\1{150}")
ACTIVE = ("<script>alert", "<img src=x", "<svg/onload", "' onmouseover=", "root:x:0")


@pytest.mark.parametrize("table", CORPUS)
def test_every_request_is_answered_rightly(table: str, attacked: Attacked) -> None:
    wrong = {}
    for case in CORPUS[table]:
        try:
            check(case, attacked)
        except (AssertionError, OSError) as error:
            wrong[case.name] = str(error).partition("\n")[0]
            attacked.hang_up()
    assert not wrong, f"{len(wrong)} of {len(CORPUS[table])}"


def check(case: Case, attacked: Attacked) -> None:
    """Send a request, and make sure of everything that must hold for its answer."""
    answer = attacked.answer(case)
    if answer is not None:
        check_answer(case, answer)
    if not case.is_read:
        assert attacked.has_changed() <= (min(case.expected) < 400), "a refusal has written"


def check_answer(case: Case, answer: Answer) -> None:
    body = answer.body.decode("utf-8", "replace")
    own = unquote(case.sent.decode("latin-1"))
    assert answer.status in case.expected, f"{answer.status}: {body[:200]}"
    assert not [each for each in NEVER_SHOWN if each in body and each not in own], body
    assert not answer.header("x-injected")
    assert answer.header("x-content-type-options") == "nosniff"
    assert answer.header("referrer-policy") == "no-referrer"
    assert answer.header("content-security-policy").startswith("default-src 'none'; ")
    assert not answer.header("server")
    if answer.header("content-type").startswith("text/html"):
        assert not [each for each in ACTIVE if each in body], "something active"
    if answer.status >= 400 and not is_page(case, answer):
        check_problem(case, answer, body)


def is_page(case: Case, answer: Answer) -> bool:
    """Tell whether the answer is a page, which tells people what is wrong beside their form."""
    is_html = answer.header("content-type").startswith("text/html")
    return is_html and urlsplit(case.target).path.startswith(PAGES)


def check_problem(case: Case, answer: Answer, body: str) -> None:
    """Make sure that a refusal says what is wrong, in few words that can be shown."""
    assert answer.header("content-type") == PROBLEM, answer.header("content-type")
    if case.method == "HEAD":
        return
    assert len(body) <= LONGEST_PROBLEM, f"{len(body)} bytes"
    assert not ECHOED.search(body), "an echo"
    problem = json.loads(body)
    assert problem["status"] == answer.status
    assert problem["type"] == f"urn:chancery:problem:{problem['code']}"
    assert problem["detail"]
    assert case.code in ("", problem["code"]), problem["code"]
    assert not CONFUSING.search(f"{problem['detail']}{problem['errors']}"), "an echo as it came"
    if case.field:
        assert case.field in {fault["field"] for fault in problem["errors"]}, problem["errors"]
    if answer.status == 405:
        allowed = answer.header("allow").split(", ")
        assert "OPTIONS" in allowed
        assert case.method not in allowed


def test_the_service_had_no_fault_of_its_own(attacked: Attacked) -> None:
    assert not [line for line in attacked.said if "Traceback" in line or "fault" in line]
