"""Atom feeds (RFC 4287): what was recorded or changed last."""

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode
from xml.etree.ElementTree import Element, SubElement, tostring

from app.api.formats.asked import Asked
from app.api.formats.registry import ATOM
from app.api.formats.words import paragraphs, standing
from app.api.imprint import REGISTER

MAX_ENTRIES = 200
_NAMESPACE = "http://www.w3.org/2005/Atom"


def feed(documents: Sequence[str], asked: Asked) -> bytes:
    """Return the feed of these events, which come newest first.

    Nothing in it changes unless an event does, so that a reader can be told that it has it
    already. Ids don't depend on the address under which the register is asked.
    """
    events = [json.loads(document) for document in documents]
    root = Element("feed", xmlns=_NAMESPACE)
    query = urlencode(asked.filter, doseq=True)
    _add(root, "id", f"urn:chancery:feed:{asked.of}{'?' if query else ''}{query}")
    _add(root, "title", asked.title)
    # A feed must say when it was updated, also if nothing is in it.
    _add(root, "updated", events[0]["updated_at"] if events else f"{asked.at:%Y-%m-%d}T00:00:00Z")
    _add(SubElement(root, "author"), "name", "chancery")
    _add(root, "rights", REGISTER)
    _link(root, "self", asked.address(ATOM.extension), ATOM.content_type)
    _link(root, "alternate", asked.address(), "application/json")
    for event in events:
        _entry(SubElement(root, "entry"), event, asked)
    text: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return text


def _entry(entry: Element, event: dict[str, Any], asked: Asked) -> None:
    _add(entry, "id", f"urn:chancery:event:{event['id']}")
    _add(entry, "title", event["title"])
    _add(entry, "updated", event["updated_at"])
    _add(entry, "published", event["recorded_at"])
    _link(entry, "alternate", asked.permalink(event["id"]), "text/html")
    for source in event["sources"]:
        if source["url"]:
            _link(entry, "via", source["url"])
    SubElement(entry, "category", term=event["kind"])
    _add(entry, "summary", standing(event))
    _add(entry, "content", "\n\n".join(paragraphs(event)))


def _add(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = text


def _link(parent: Element, relation: str, address: str, media_type: str | None = None) -> None:
    link = SubElement(parent, "link", rel=relation, href=address)
    if media_type is not None:
        link.set("type", media_type)
