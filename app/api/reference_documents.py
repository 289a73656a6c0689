"""What is sent of parties and regimes: the documents, and the JSON text of each."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field

from app.domain.territories import territories


class PartyDocument(BaseModel):
    """Somebody who acts or is acted upon."""

    id: str = Field(examples=["taliban"])
    name: str = Field(examples=["Taliban"])
    kind: str = Field(
        description="`state` is any party named by its territory's code, whatever its status.",
        examples=["organisation"],
    )
    country: str | None = Field(description="The territory or bloc it belongs to.", examples=["AF"])
    aliases: list[str] = Field(examples=[["Талибан", "طالبان", "Taleban"]])
    revision: int = Field(description="How often it was recorded; the first is 1.")


class RegimeDocument(BaseModel):
    """A list or legal instrument."""

    code: str = Field(examples=["RU-UFL"])
    name: str = Field(examples=["Unified federal list of terrorist organisations (Russia)"])
    aliases: list[str]
    issuer: str = Field(description="The party that keeps it.", examples=["RU"])
    legal_basis: str | None
    removal: str | None = Field(description="How an entry leaves the list.")
    revision: int = Field(description="How often it was recorded; the first is 1.")


def party_json(party: str, revision: int, facts: Mapping[str, Any]) -> str:
    """Return the JSON text of a party's document, from its recorded facts."""
    territory = territories().get(party)
    return PartyDocument(
        id=party,
        name=facts["name"],
        kind=facts["kind"],
        country=facts.get("country"),
        aliases=[*facts["aliases"], *(territory.aliases if territory else ())],
        revision=revision,
    ).model_dump_json()


def regime_json(code: str, revision: int, facts: Mapping[str, Any]) -> str:
    """Return the JSON text of a regime's document, from its recorded facts."""
    return RegimeDocument(
        code=code,
        name=facts["name"],
        aliases=facts["aliases"],
        issuer=facts["issuer"],
        legal_basis=facts.get("legal_basis"),
        removal=facts.get("removal"),
        revision=revision,
    ).model_dump_json()


REFERENCE_JSON = {"party": party_json, "regime": regime_json}
"""What makes the document of each type of reference data."""
