"""Bodies of writes: what is no JSON, what is no event, what the register can't keep."""

import gzip
import json
from typing import Any

from tests.support.corpus.addresses import ACTIVE, SOME
from tests.support.corpus.cases import (
    ADMIN,
    AS_ADMIN,
    AS_EDITOR,
    JSON,
    LINES,
    PATCH,
    TAG,
    Case,
    chunked,
    request,
    sending,
)
from tests.support.factories import SOURCE, facts

MIB = 1_048_576
KNOWN = "/v1/events/kz-taliban-delisting-2023"
REFUSED = "/v1/events/corpus-refused"
GOOD = json.dumps(facts()).encode()


def body(name: str, sent: bytes | str, expected: int, field: str = "", code: str = "") -> Case:
    """Return a case of a body that is the same whatever it is sent to."""
    return Case(f"body {name}", sending("PUT", REFUSED, sent), (expected,), field, code)


# RFC 8259, and RFC 7493 for what two readers could read differently.
NO_JSON = [
    body(repr(sent[:40]), sent, 400, code="malformed-body")
    for sent in (
        b"", b" ", b"{", b"}", b"{}}", b"{}{}", b"{} x", b"{'a': 1}", b'{"a": 1,}', b'{"a" 1}',
        b'{"a": 01}', b'{"a": +1}', b'{"a": .5}', b'{"a": 1.}', b'{"a": 0x10}', b'{"a": 1_000}',
        b"{a: 1}", b'{"a": "\t"}', b'{"a": "\n"}', b'{"a": "\\x41"}', b'{"a": "\\u00"}',
        b'{"a": "\\u{41}"}', b'{"a": "', b'{"a": tru}', b'{"a": True}', b'{"a": None}',
        b"undefined", b"/* no */ {}", b"// no\n{}", b"# no\n{}", b"a=1&b=2", b"<event/>",
        b"---\na: 1", b"%PDF-1.7", b'{"a": NaN}', b'{"a": Infinity}', b'{"a": -Infinity}',
        b'{"a": 1e999}', b'{"a": -1e999}', b'{"a": ' + b"9" * 5_000 + b"}", b'{"a": nan}',
        b'{"a": 1e}', b'{"a": --1}', b'{"title": 1, "title": 2}', b'{"a": {"b": 1, "b": 1}}',
        b'{"\\u0061": 1, "a": 2}', b'{"a": "\xff"}', b'{"\xc3": 1}', b'{"a": "\xed\xa0\x80"}',
        b'{"a": "\xc0\x80"}', b'{"a": "\xf4\x90\x80\x80"}', b"\xff\xfe{\0}\0",
        '{"a": "é"}'.encode("latin-1"), '{"a": 1}'.encode("utf-16"), '{"a": 1}'.encode("utf-16-le"),
        '{"a": 1}'.encode("utf-32"), b"\xef\xbb\xbf\xef\xbb\xbf{}", b"\0{}", b"{}\0", b"{\0}",
        b"\x1f\x8b\x08\0", gzip.compress(b"{}"), b'{"a":' + b"[" * 20 + b"]" * 20 + b"}",
        b'{"a":' * 500 + b"1" + b"}" * 500, b"[" * 100_000, b"[" * 50_000 + b"]" * 50_000,
        b'{"a":' * 30_000, b'[{"a":' * 9_000,
    )
]  # fmt: skip
NO_OBJECT = [
    body(repr(sent), sent, 422, code="invalid-request")
    for sent in (b"[]", b"[{}]", b'"{}"', b"null", b"true", b"false", b"0", b"-0", b"1.5", b'""',
    GOOD.join([b"[", b"]"]))
]  # fmt: skip
# JSON can say what can't be stored; it is named where it stands.
UNSTORABLE = [
    body(f"of {label} in {place}", json.dumps(made), 422, field=place)
    for label, text in {
        "NUL": "\0", "lone surrogate": "\ud800", "low before high": "\udc00\ud800",
        "noncharacter": "\uffff", "escape": "\x1b[31m", "delete": "\x7f", "backspace": "\b",
        "vertical tab": "\v", "form feed": "\f",
    }.items()
    for place, made in (
        ("title", facts(title=f"A{text}B")),
        ("summary", facts(summary=text)),
        ("participants.0.organ", facts(participants=[
            {"party": "KZ", "role": "actor", "organ": f"{text} ministry"}])),
        ("sources.0.quote", facts(sources=[SOURCE | {"quote": f"It{text}"}])),
        ("note", facts(note=f"Why{text}")),
    )
]  # fmt: skip
UNSTORABLE_NAMES = [
    body(f"with a member {label}", json.dumps(facts(**{name: 1})), 422)
    for label, name in {
        "NUL": "a\0", "surrogate": "\ud800", "nothing": "", "long": "n" * 100_000, "blank": " ",
        "script": "<script>", "prototype": "__proto__", "override": "\u202ea", "line": "a\r\nb",
    }.items()
]  # fmt: skip

# Each member of the document with everything that it isn't. Absent and null are the same for what
# may be absent.
WRONG: dict[str, Any] = {
    "a number": 1, "zero": 0, "minus zero": -0.0, "a fraction": 1.5, "a huge number": 10**30,
    "true": True, "a list": [], "a list of text": ["x"], "an object": {},
    "an object in a list": [{}],
}  # fmt: skip
NO_TEXT = {**WRONG, "empty": "", "blank": " \t\n"}
SHORT = {label: NO_TEXT[label] for label in ("a number", "true", "a list", "an object", "blank")}
REQUIRED = ("kind", "status", "verification", "title", "dates", "participants", "sources")
ACTOR = {"party": "KZ", "role": "actor"}


def member(field: str, label: str, made: dict[str, Any]) -> Case:
    """Return a case of a document with one faulty member, which the problem names."""
    return Case(f"{field} is {label}", sending("PUT", REFUSED, made), (422,), field)


def source(**members: Any) -> dict[str, Any]:
    """Return an event with one source, which has these members."""
    return facts(sources=[SOURCE | members])


def participant(**members: Any) -> dict[str, Any]:
    """Return an event with an actor, who has these members."""
    return facts(participants=[ACTOR | members])


WRONG_MEMBERS = [
    *(member(name, "null", facts(**{name: None})) for name in REQUIRED),
    *(
        member(name, "missing", {n: v for n, v in facts().items() if n != name})
        for name in REQUIRED
    ),
    *(
        member(name, label, facts(**{name: value}))
        for name in ("kind", "status", "verification", "title", "regime", "measure", "place")
        for label, value in (NO_TEXT if name in {"title", "kind"} else SHORT).items()
    ),
    *(member("summary", label, facts(summary=value)) for label, value in WRONG.items()),
    *(member("note", label, facts(note=value)) for label, value in WRONG.items()),
    *(
        member(name, label, facts(**{name: value}))
        for name in ("participants", "sources", "relations")
        for label, value in {**NO_TEXT, "text": "KZ"}.items()
        if not isinstance(value, list)
    ),
    *(member(name, "an empty list", facts(**{name: []})) for name in ("participants", "sources")),
    *(
        member(f"{name}.0", label, facts(**{name: [value]}))
        for name in ("participants", "sources", "relations")
        for label, value in {**SHORT, "text": "KZ", "null": None}.items()
        if value != {}
    ),
    *(
        member("dates", label, facts(dates=value))
        for label, value in {**NO_TEXT, "text": "2024"}.items()
    ),
    member("dates.decided", "an unknown date", facts(dates={"effective": "2024",
    "decided": "2024"})),
    *(
        member(f"dates.{name}", label, facts(dates={"effective": "2024", name: value}))
        for name in ("occurred", "effective_until")
        for label, value in SHORT.items()
    ),
    *(
        member(f"participants.0.{name}", label, participant(**{name: value}))
        for name in ("party", "role", "organ", "person")
        for label, value in SHORT.items()
    ),
    *(
        member(f"sources.0.{name}", label, source(**{name: value}))
        for name in ("url", "title", "publisher", "published", "quote", "language", "accessed",
                     "archived")
        for label, value in (NO_TEXT if name == "url" else SHORT).items()
    ),
    *(
        member(f"relations.0.{name}", label, facts(relations=[
            {"type": "cites", "event": "kz-taliban-delisting-2023", name: value}]))
        for name in ("type", "event")
        for label, value in SHORT.items()
    ),
    *(
        member(name, f"unknown: {name}", facts(**{name: "x"}))
        for name in ("tittle", "Title", "titles", "actor", "url", "_id", "created_by", "scopes",
                     "by", "action", "seq", "merged_into", "reason", "$schema", "@type")
    ),
    *(
        member(f"participants.0.{name}", f"unknown: {name}", participant(**{name: "x"}))
        for name in ("partei", "id", "url")
    ),
    *(member(f"sources.0.{name}", f"unknown: {name}", source(**{name: "x"}))
      for name in ("uri", "date", "link")),
    *(
        member(name, value, facts(**{name: value}))
        for name, values in {
            "kind": ("designation", "designation.delisted", "Designation.Delist", "delist", "*"),
            "status": ("done", "In_Effect", "in effect", "proposed,adopted"),
            "verification": ("true", "certain", "CONFIRMED"),
            "regime": ("kz-nlto", "KZ NLTO", "KZ-NOTHING", "'; DROP TABLE regime; --", "KZ-"),
            "measure": ("A Measure", "a--b", "-a", "a_b", "UPPER", "a" * 101, "é", "a\nb"),
        }.items()
        for value in values
    ),
    *(
        member("participants.0.party", value, participant(party=value))
        for value in ("nobody", "kz", "KAZ", "Kazakhstan", "EU", "K Z", "K--Z", "-", "A" * 101, "é")
    ),
    member("participants.0.role", "no role", participant(role="author")),
    Case("an event that nobody did", sending(
        "PUT", REFUSED, facts(participants=[{"party": "KZ", "role": "subject"}])), (422,)),
    *(
        member("relations.0.event", label, facts(relations=[{"type": "cites", "event": value}]))
        for label, value in {
            "unknown": "no-such-event", "itself": "corpus-refused", "no slug": "Kz Taliban",
            "an address": "https://a.example/x",
        }.items()
    ),
    member("relations.0.type", "no relation", facts(
        relations=[{"type": "see_also", "event": "kz-taliban-delisting-2023"}])),
]  # fmt: skip

BAD_URLS = (
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\nscript:alert(1)", "data:text/html,x",
    "vbscript:x", "file:///etc/passwd", "ftp://a.example/x", "ws://a.example", "mailto:a@b.example",
    "tel:1", "about:blank", "blob:https://a.example/x", "//a.example/x", "/x", "a.example", "x",
    "http://", "http:", "https:///x", "http:/a.example", "http//a.example", "http:\\\\a.example",
    "http://a b.example/", "http://a.example/a b", "http://a.example/\n", "http://a.example/\tb",
    " http://a.example/", "http://a.example/ ", "http://a.example:99999/", "http://a.example:x/",
    "http://[::1", "http://a.example\x00/", "http://user:secret@a.example/",
    "http://user@a.example/", "http://:secret@a.example/", "https://\u202ea.example/",
    "http://a.example/\u202ex", "http://%zz/", "http://a.example:-1/", "<script>",
    "https://a.example/" + "x" * 2_031,
)  # fmt: skip
URLS = [
    *(
        member(f"sources.0.{name}", repr(url[:40]), source(**{name: url}))
        for name in ("url", "archived")
        for url in BAD_URLS
    ),
    Case("a source without an address, a title or a quotation", sending(
        "PUT", REFUSED, facts(sources=[{"publisher": "x"}])), (422,), "sources.0"),
    *(
        Case(f"a source with nothing but its {name}", sending(
            "PUT", REFUSED, facts(sources=[{name: "x"}])), (422,), "sources.0")
        for name in ("title", "quote")
    ),
    *(
        member("sources.0.language", value, source(language=value))
        for value in ("english", "e", "en_US", "en-", "12", "en-x" * 200, "é")
    ),
]  # fmt: skip

# What EDTF has and the register's profile hasn't, and what neither has.
BAD_DATES = (
    "2024-13", "2024-00", "2024-02-30", "2023-02-29", "2024-1", "24", "202", "20240", "0999",
    "3000", "0000", "-2024", "Y17000", "y-17000", "2024-21", "2024-W52", "2024-366", "20241222",
    "2024/12/22", "22.12.2024", "2024-12-22T10:00:00", "2024-12-22T10:00:00Z", "2024-12-22Z",
    "2024X", "202X", "2024-XX", "20XX-12", "[2023,2024]", "{2023,2024}", "2023..2024", "2024~?",
    "~2024", "2024-~12", "?2024-12", "2024%%", "..", "../..", "/", "//", "../", "/..", "2024/2023",
    "2024-12/2024-11", "2024//2025", "2023/2024/2025", "2024/x", "x/2024", "2024 ", " 2024",
    "2024\n", "2024\0", "٢٠٢٤", "２０２４", "2024−12", "1e3", "2024.0", "+2024", "now", "today",
    "infinity", "-infinity", "NaN", "null", "2023-12 / 2024-06", "2024-12-22/P1D", "P1Y", "S1",
    "1734825600", "-62135596801", "2" * 1_000, "2024-12-22/2024-12-21",
)  # fmt: skip
DATES = [
    *(member("dates.effective", repr(value[:30]), facts(dates={"effective": value}))
      for value in BAD_DATES),
    *(
        member("sources.0.published", repr(value), source(published=value))
        for value in ("2023/2024", "../2024", "2024-13", "x", "2024-12-22T10:00:00Z", "0")
    ),
    Case("only an end", sending("PUT", REFUSED, facts(dates={"effective_until": "2024"})), (422,),
         "dates"),
    Case("an end before the beginning", sending("PUT", REFUSED, facts(
        dates={"effective": "2024", "effective_until": "2023"})), (422,), "dates"),
]  # fmt: skip

# One over each cap of the contract.
OVER = [
    member("title", "too long", facts(title="x" * 501)),
    member("summary", "too long", facts(summary="x" * 20_001)),
    member("note", "too long", facts(note="x" * 20_001)),
    member("place", "too long", facts(place="x" * 501)),
    member("sources.0.quote", "too long", source(quote="x" * 2_001)),
    member("sources.0.title", "too long", source(title="x" * 501)),
    member("sources.0.publisher", "too long", source(publisher="x" * 501)),
    member("participants.0.organ", "too long", participant(organ="x" * 501)),
    member("participants.0.person", "too long", participant(person="x" * 501)),
    member("participants", "too many", facts(participants=[ACTOR] * 51)),
    member("sources", "too many", facts(sources=[SOURCE] * 51)),
    member("relations", "too many", facts(
        relations=[{"type": "cites", "event": "kz-taliban-delisting-2023"}] * 51)),
    member("participants", "far too many", facts(participants=[ACTOR] * 20_000)),
    body("with 70,000 members", json.dumps(facts(**{f"a{n}": 1 for n in range(70_000)})), 422),
    body("with 200,000 faulty participants", json.dumps(facts(participants=[1] * 200_000)), 422),
    body("with unstorable text again and again", json.dumps({"a": ["\0"] * 100_000}), 422),
    body("of MiB + 1", GOOD.ljust(MIB + 1), 413, code="body-too-large"),
    body("of 3 MiB", b" " * (3 * MIB), 413, code="body-too-large"),
    Case("chunks of more than a MiB", chunked("PUT", REFUSED, [b" " * 65_536] * 17), (413,),
         code="body-too-large"),
    Case("many chunks, more than a MiB", chunked(
        "PUT", REFUSED, [b" " * 100] * 10_486), (413,), code="body-too-large"),
    Case("a name of a party too many", sending("PUT", "/v1/parties/corpus", {
        "kind": "group", "name": "x", "aliases": [f"a{n}" for n in range(201)]}), (422,),
        "aliases"),
]  # fmt: skip

MEDIA_TYPES = [
    *(
        Case(f"Content-Type: {kind[:40]!r}", sending("PUT", REFUSED, GOOD, kind), (415,),
             code="unsupported-media-type")
        for kind in (
            "text/plain", "text/json", "application/jsonx", "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x", "application/xml", "application/octet-stream", "*/*",
            "application/*", "application", "json", ";", "image/png", PATCH, LINES, "text/csv",
            "application/json-patch+json", "application/vnd.api+json",
            "application/json, text/plain", "application/json,application/json", "\xe9",
            "x" * 5_000, "application/ json", "application /json", "application/json/x", "<script>",
        )
    ),
    Case("no Content-Type", sending("PUT", REFUSED, GOOD, ""), (415,)),
    Case("an empty Content-Type", sending("PUT", REFUSED, GOOD, " "), (415,)),
    Case("two Content-Types", request("PUT", REFUSED, [
        *AS_EDITOR.items(), ("Content-Type", JSON), ("Content-Type", "text/plain")
    ], GOOD), (400, 415)),
    *(
        Case(f"Content-Encoding: {coding}", sending(
            "PUT", REFUSED, packed, Content_Encoding=coding), (415,), code="unsupported-media-type")
        for coding, packed in (
            ("gzip", gzip.compress(GOOD)), ("GZIP", gzip.compress(GOOD)), ("br", GOOD),
            ("deflate", GOOD), ("gzip, gzip", GOOD), ("x", GOOD), ("\xe9", GOOD),
            ("identity, gzip", GOOD), ("gzip", gzip.compress(b" " * 5_000_000)),
        )
    ),
    *(
        Case(f"PATCH as {kind}", sending("PATCH", KNOWN, b"{}", kind, If_Match="*"), (415,),
             code="unsupported-media-type")
        for kind in ("application/json-patch+json", "text/plain", "application/merge-patch", "")
    ),
    # The media type before the body is read, the key before the media type.
    Case("another media type, and no JSON", sending("PUT", REFUSED, b"{", "text/plain"), (415,)),
    Case("another media type, and too large", sending(
        "PUT", REFUSED, b" " * (MIB + 1), "text/plain"), (415,)),
]  # fmt: skip

BAD_IDS = (
    "UPPER", "a--b", "-a", "a-", "a_b", "a.b", "a%20b", "%C3%A9", "a%0ab", "a" * 101, "a" * 3_000,
    "%D9%A1", "a%E2%80%8Bb", "%3Cscript%3E", "a%27", "a%5cb", "a%3bb", "a;b", "*", "%2A", "a%09",
    "..", "%2e%2e", "{id}", "a%2bb", "a+b", "%F0%9F%87%B0", "null%20", "a,b", "a@b", "~a", "a:b",
    "$a",
)  # fmt: skip
IDS = [
    *(
        Case(f"id {value[:40]}", sending("PUT", f"/v1/events/{value}", GOOD), (422,), "id")
        for value in BAD_IDS
    ),
    Case("another id in the body", sending("PUT", REFUSED, facts(id="corpus-other")), (422,), "id"),
    Case("an id that is none in the body", sending("PUT", REFUSED, facts(id=5)), (422,), "id"),
    *(
        Case(f"id {value}", sending("PUT", f"/v1/events/{value}", GOOD), (404, 405))
        for value in ("a%2fb", "", "a/b", "%2e%2e%2fx", "a/")
    ),
    Case("another id in a correction", sending(
        "PATCH", KNOWN, {"id": "other"}, PATCH, If_Match="*"), (422,), "id"),
    Case("a parameter of a write", sending("PUT", f"{REFUSED}?x=1", GOOD), (422,), "x"),
    Case("a parameter that is a member", sending("POST", "/v1/events?title=x", GOOD), (422,),
         "title"),
    *(
        Case(f"party id {value[:40]}", sending("PUT", f"/v1/parties/{value}", {
            "name": "x", "kind": "group"}), (422,))
        for value in (*BAD_IDS, "ZZ", "EU", "KZ")
    ),
    *(
        Case(f"regime code {value[:40]}", sending("PUT", f"/v1/regimes/{value}", {
            "name": "x", "issuer": "KZ"}), (422,))
        for value in ("lower", "A--B", "-A", "A-", "A_B", "A%20B", "%C3%89", "A" * 101, "*", "1A")
    ),
]  # fmt: skip

# Of a revision that nothing has reached.
OTHER_TAG = '"999-0a1b2c3d4e5f6071"'
PRECONDITIONS = [
    *(
        Case(f"{method} {path} without If-Match", sending(method, path, made, kind), (428,),
             code="precondition-required")
        for method, path, made, kind in (
            ("PUT", KNOWN, facts(), JSON), ("PATCH", KNOWN, {"place": "x"}, PATCH),
            ("PATCH", KNOWN, {}, JSON), ("POST", f"{KNOWN}/retract", {"reason": "x"}, JSON),
            ("POST", f"{KNOWN}/merge", {"into": "ru-taliban-suspension-2025"}, JSON),
        )
    ),
    # The comparison is the strong one (RFC 9110, section 13.1.1).
    *(
        Case(f"{method} with If-Match: {sent[:40]!r}", sending(
            method, path, made, kind, If_Match=sent), (status,), code=code)
        for method, path, made, kind in (
            ("PUT", KNOWN, facts(), JSON), ("PATCH", KNOWN, {"place": "x"}, PATCH),
            ("POST", f"{KNOWN}/retract", {"reason": "x"}, JSON),
        )
        for status, code, tags in (
            (412, "precondition-failed", (OTHER_TAG, f"W/{TAG}", f'W/{TAG}, "a"')),
            # What can't be a tag of ours was never read here.
            (400, "malformed-header", (
                '"other"', "", " ", '"', ",", "x", "W/*", '"*"', f"x{TAG}", TAG[1:-1], "null",
                "\xe9", '"' + "a" * 5_000 + '"', ", ".join(f'"{n}"' for n in range(500)))),
        )
        for sent in tags
    ),
    Case("PUT that must be new and isn't", sending("PUT", KNOWN, facts(), If_None_Match="*"),
         (412,),
         code="precondition-failed"),
    Case("PUT that must be new, and replaces", sending(
        "PUT", KNOWN, facts(), If_None_Match="*", If_Match="*"), (412,)),
    # What is there already is what the client says that it mustn't be (section 13.1.2).
    Case("PUT unless it is as it is", sending(
        "PUT", KNOWN, facts(), If_None_Match=TAG, If_Match="*"), (412,),
        code="precondition-failed"),
    Case("PUT with If-Match where nothing is", sending("PUT", REFUSED, GOOD, If_Match="*"), (412,)),
    Case("a party with another tag", sending("PUT", "/v1/parties/taliban", {
        "name": "x", "kind": "organisation"}, If_Match=OTHER_TAG), (412,)),
    *(
        Case(f"{method} {path}", sending(method, path, made, kind, If_Match="*"), (404,),
             code="not-found")
        for method, path, made, kind in (
            ("PATCH", "/v1/events/none", {"place": "x"}, PATCH),
            ("PATCH", "/v1/events/UPPER", {"place": "x"}, PATCH),
            ("PATCH", "/v1/events/" + "a" * 3_000, {"place": "x"}, PATCH),
            ("POST", "/v1/events/none/retract", {"reason": "x"}, JSON),
            ("POST", "/v1/events/none/restore", {}, JSON),
            ("POST", "/v1/events/none/merge", {"into": "kz-taliban-delisting-2023"}, JSON),
        )
    ),
    Case("restoring what is live", sending("POST", f"{KNOWN}/restore", {}, If_Match="*"), (409,),
         code="conflict"),
]  # fmt: skip


def correction(label: str, changes: Any, field: str = "") -> Case:
    """Return a case of a correction that is none."""
    sent = sending("PATCH", KNOWN, changes, PATCH, If_Match="*")
    return Case(f"correction: {label}", sent, (422,), field)


# RFC 7396: null takes a member away, and what is left must still be an event.
CORRECTIONS = [
    *(correction(f"{name} is taken away", {name: None}, name) for name in REQUIRED),
    *(correction(f"{name} is empty", {name: []}, name) for name in ("participants", "sources")),
    *(correction(f"{name} is an object", {name: {}}, name) for name in ("participants", "sources")),
    correction("the only dates are taken away", {
        "dates": {"effective": None, "announced": None}}, "dates"),
    correction("a participant by its place", {"participants": {"0": {"role": "actor"}}},
    "participants"),
    correction("an unknown member", {"tittle": "x"}, "tittle"),
    correction("an unknown date", {"dates": {"decided": "2024"}}, "dates.decided"),
    correction("title is a number", {"title": 5}, "title"),
    correction("title is blank", {"title": " "}, "title"),
    correction("kind is none", {"kind": "designation.delisted"}, "kind"),
    correction("regime is unknown", {"regime": "KZ-NOTHING"}, "regime"),
    correction("related to itself", {"relations": [
        {"type": "cites", "event": "kz-taliban-delisting-2023"}]}, "relations.0.event"),
    correction("a JSON Patch", [{"op": "remove", "path": "/title"}]),
    correction("null", None),
    correction("text", '"x"'),
    correction("nothing to be stored", {"place": "\0"}, "place"),
    correction("note is a list", {"note": []}, "note"),
]  # fmt: skip

TAKEN_OUT = [
    *(
        Case(f"a reason that is {label}", sending(
            "POST", f"{KNOWN}/retract", {"reason": value}, If_Match="*"), (422,), "reason")
        for label, value in {**NO_TEXT, "null": None, "long": "x" * 501, "NUL": "\0"}.items()
    ),
    Case("no reason", sending("POST", f"{KNOWN}/retract", {}, If_Match="*"), (422,), "reason"),
    Case("no body for a reason", sending("POST", f"{KNOWN}/retract", b"", If_Match="*"), (400,
    415)),
    Case("a reason and something", sending(
        "POST", f"{KNOWN}/retract", {"reason": "x", "force": True}, If_Match="*"), (422,), "force"),
    *(
        Case(f"merged into {label}", sending(
            "POST", f"{KNOWN}/merge", {"into": value}, If_Match="*"), (422,), "into")
        for label, value in {
            **NO_TEXT, "null": None, "itself": "kz-taliban-delisting-2023",
            "nothing": "no-such-event", "no slug": "Kz Taliban", "an address": "https://a.example",
            "SQL": "' OR 1=1--",
        }.items()
    ),
    Case("restored with something", sending(
        "POST", f"{KNOWN}/restore", {"reason": "x"}, If_Match="*"), (422,), "reason"),
]  # fmt: skip

REPEATS = [
    *(
        Case(f"Idempotency-Key: {key[:40]!r}", sending("POST", "/v1/events", facts(),
        Idempotency_Key=key),
             (422,), "Idempotency-Key")
        for key in ("", " ", "x" * 256, "x" * 6_000, "a\tb", "\x85", "\xa0")
    ),
    Case("two Idempotency-Keys", request("POST", "/v1/events", [
        *AS_EDITOR.items(), ("Content-Type", JSON), ("Idempotency-Key", "corpus-a"),
        ("Idempotency-Key", "corpus-b"),
    ], GOOD), (400, 422), "Idempotency-Key"),
]  # fmt: skip

REFERENCE = [
    *(
        Case(f"party: {field} is {label}", sending("PUT", "/v1/parties/corpus-refused", {
            "name": "x", "kind": "group", field: value}), (422,), field)
        for field in ("name", "kind", "country")
        for label, value in SHORT.items()
    ),
    *(
        Case(f"party: {field} is {value!r}", sending("PUT", "/v1/parties/corpus-refused", {
            "name": "x", "kind": "group", field: value}), (422,), field.partition(".")[0])
        for field, value in (
            ("kind", "gang"), ("kind", "state"), ("country", "ZZ"), ("country", "Kazakhstan"),
            ("country", "kz"), ("aliases", "x"), ("aliases", {}), ("members", []), ("name",
            "x" * 501),
        )
    ),
    Case("party: an alias is blank", sending("PUT", "/v1/parties/corpus-refused", {
        "name": "x", "kind": "group", "aliases": ["a", " "]}), (422,), "aliases.1"),
    Case("a state with another country", sending("PUT", "/v1/parties/KZ", {
        "name": "Kazakhstan", "kind": "state", "country": "RU"}), (422,), "country"),
    *(
        Case(f"regime: {field} is {label}", sending("PUT", "/v1/regimes/CORPUS-REFUSED", {
            "name": "x", "issuer": "KZ", field: value}), (422,), field)
        for field in ("name", "issuer", "legal_basis", "removal")
        for label, value in SHORT.items()
    ),
    Case("regime: nobody issues it", sending("PUT", "/v1/regimes/CORPUS-REFUSED", {
        "name": "x", "issuer": "nobody"}), (422,), "issuer"),
    Case("regime: another code in the body", sending("PUT", "/v1/regimes/CORPUS-REFUSED", {
        "name": "x", "issuer": "KZ", "code": "OTHER"}), (422,), "code"),
    Case("a far too long party id", sending("PUT", "/v1/parties/" + "a" * 20_000, {
        "id": "x", "name": "x", "kind": "group"}), (422,)),
]  # fmt: skip

NO_INSTANT: tuple[Any, ...] = (
    0, 1e300, True, [], {}, "", "x", "2000-01-01", "2999", "2024-02-30", "infinity", "now", "\0",
    "2999-01-01T25:00:00Z", "9999-12-31T23:59:59-14:00",
)  # fmt: skip
KEYS = [
    *(
        Case(f"key: {label}", sending("POST", "/v1/keys", made, who=AS_ADMIN), (422,), field)
        for label, field, made in (
            ("nothing", "name", {}), ("no name", "name", {"scopes": ["edit"]}),
            ("a blank name", "name", {"name": " ", "scopes": ["edit"]}),
            ("a long name", "name", {"name": "x" * 501, "scopes": ["edit"]}),
            ("no scopes", "scopes", {"name": "x"}), ("none", "scopes", {"name": "x", "scopes": []}),
            ("another scope", "scopes.0", {"name": "x", "scopes": ["root"]}),
            ("a scope that is a list", "scopes.0", {"name": "x", "scopes": [["edit"]]}),
            ("scopes in a text", "scopes", {"name": "x", "scopes": "edit"}),
            ("a member too many", "id", {"name": "x", "scopes": ["edit"], "id": "abcdefgh"}),
            ("a key of one's own", "key", {"name": "x", "scopes": ["edit"], "key": "x"}),
        )
    ),
    *(
        Case(f"key: expires_at is {value!r}", sending("POST", "/v1/keys", {
            "name": "x", "scopes": ["edit"], "expires_at": value}, who=AS_ADMIN), (422,),
            "expires_at")
        for value in NO_INSTANT
    ),
    *(
        Case(f"{method} key {id_[:30]}", request(method, f"/v1/keys/{id_}", AS_ADMIN), (404,),
             code="not-found")
        for method in ("GET", "DELETE")
        for id_ in ("nothing0", "UPPER", "x" * 3_000, "%27", "%E2%80%AE", "null", "*", "..%2fx",
        "a.b")
    ),
    Case("keys: a cursor of none", request("GET", "/v1/keys?cursor=x", AS_ADMIN), (422,), "cursor"),
    Case("keys: limit=0", request("GET", "/v1/keys?limit=0", AS_ADMIN), (422,), "limit"),
    Case("a key for an editor's wish", sending("POST", "/v1/events", facts(), who={
        "Authorization": f"Bearer {ADMIN}"}), (403,)),
]  # fmt: skip


def lines(label: str, sent: bytes | str, kind: str = LINES) -> Case:
    """Return a case of a file that can't be imported."""
    return Case(f"import: {label}", sending("POST", "/v1/imports", sent, kind), (422,))


ROW = json.dumps({"id": "corpus-imported", **facts()})
HEADER = (
    "id,kind,status,verification,title,dates.effective,participants.party,participants.role,"
    "sources.url"
)
CELLS = (
    "corpus-imported,designation.list,in_effect,confirmed,A title,2024,KZ,actor,https://a.example/"
)
NO_LINES: dict[str, bytes | str] = {
    "no JSON": "x", "a list": "[]", "null": "null", "half a line": ROW[:-1],
    "two in a line": ROW + ROW, "no id": json.dumps(facts()), "NaN": '{"a": NaN}',
    "not UTF-8": b"\xff", "NUL": b"\0", "UTF-16": ROW.encode("utf-16"), "twice": f"{ROW}\n{ROW}",
    "a surrogate": json.dumps({"id": "x", **facts(title="\ud800")}), "deep": "[" * 100_000,
    "a huge number": '{"a": ' + "9" * 5_000 + "}", "a long line": '{"a": "' + "x" * MIB + '"}',
    "a member twice": '{"id": "x", "id": "y"}',
    "an unknown party": json.dumps({"id": "x", **participant(party="nobody")}),
    "CSV": f"{HEADER}\n{CELLS}", "lines of CR": f"{ROW}\r{ROW}", "an array of events": f"[{ROW}]",
    "a faulty row among good": f"{ROW}\nx", "packed": gzip.compress(ROW.encode()),
    "a script": "<script>alert(1)</script>", "10,000 faults": "x\n" * 10_000,
}  # fmt: skip
NO_TABLE: dict[str, bytes | str] = {
    "nothing": "", "no id": "kind\nx", "a column twice": "id,id\nx,x",
    "an unknown column": "id,colour\nx,y", "an open quotation": f'{HEADER}\n"corpus',
    "a stray quotation": f'{HEADER}\n"a"b,', "too few cells": f"{HEADER}\ncorpus",
    "too many cells": f"{HEADER}\n{CELLS},x", "NUL": f"{HEADER}\n\0",
    "not UTF-8": HEADER.encode() + b"\n\xff", "UTF-16": f"{HEADER}\n{CELLS}".encode("utf-16"),
    "JSON": ROW, "a long cell": f"{HEADER}\n" + "x" * 200_000,
    "semicolons": HEADER.replace(",", ";"), "tabs": HEADER.replace(",", "\t"),
    "uneven entries": f"{HEADER}\n{CELLS.replace('KZ', 'KZ|RU')}", "an empty header": "\n\n",
    "unknown columns": ",".join(f"c{n}" for n in range(100_000)),
    "a formula for a header": "=cmd|'/C calc'!A0\nx",
}  # fmt: skip
IMPORTS = [
    *(lines(label, sent) for label, sent in NO_LINES.items()),
    *(lines(f"CSV, {label}", sent, "text/csv") for label, sent in NO_TABLE.items()),
    *(
        Case(f"import as {kind!r}", sending("POST", "/v1/imports", ROW, kind), (415,))
        for kind in (
            "", JSON, "text/plain", "application/vnd.ms-excel", "multipart/form-data", "\xe9",
            "text/csv, application/jsonl",
        )
    ),
    Case("import, packed", sending("POST", "/v1/imports", gzip.compress(ROW.encode()), LINES,
                                   Content_Encoding="gzip"), (415,)),
    Case("import, two media types", request("POST", "/v1/imports", [
        *AS_EDITOR.items(), ("Content-Type", LINES), ("Content-Type", "text/csv")], ROW.encode()),
        (400, 415)),
    *(
        Case(f"import: dry_run={value}", sending(
            "POST", f"/v1/imports?dry_run={value}", ROW, LINES), (422,), "dry_run")
        for value in ("maybe", "2", "%00", "null", "[]", "-1", "true&dry_run=true")
    ),
    Case("import: an unknown parameter", sending("POST", "/v1/imports?force=1", ROW, LINES), (422,),
         "force"),
]  # fmt: skip

# What means something elsewhere is only text here, and where no text may stand it is refused.
ACTIVE_MEMBERS = [
    member(field, label, made)
    for label, text in ACTIVE.items()
    if label in SOME or label in {"address", "JNDI", "formula", "file", "entity"}
    for field, made in (
        ("kind", facts(kind=text)), ("measure", facts(measure=f"{text}!")),
        ("regime", facts(regime=text)),
        ("sources.0.url", source(url=text)), ("dates.effective", facts(dates={"effective": text})),
        ("participants.0.party", participant(party=text)),
    )
]  # fmt: skip

BODIES = {
    "no JSON": NO_JSON,
    "no object": NO_OBJECT,
    "unstorable text": UNSTORABLE,
    "unstorable names": UNSTORABLE_NAMES,
    "wrong members": WRONG_MEMBERS,
    "web addresses": URLS,
    "dates": DATES,
    "over the caps": OVER,
    "media types": MEDIA_TYPES,
    "ids": IDS,
    "preconditions": PRECONDITIONS,
    "corrections": CORRECTIONS,
    "taking out": TAKEN_OUT,
    "repeats": REPEATS,
    "reference data": REFERENCE,
    "making keys": KEYS,
    "imports": IMPORTS,
    "active members": ACTIVE_MEMBERS,
}
