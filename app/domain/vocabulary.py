"""The closed vocabularies of the register: kinds with their direction, statuses, roles, relations.

The kinds follow the Vienna Convention on Diplomatic Relations (1961) where it has a word for the
act (articles 2, 4, 9, 10, 13, 43 and 45), and the usage of sanctions and parliamentary practice
elsewhere. A suspended designation is not a removed one, so `suspend` and `delist` stay apart.
"""

from enum import StrEnum


class Direction(StrEnum):
    """Whether a change makes relations easier or harder; it follows from the kind alone."""

    EASING = "easing"
    TIGHTENING = "tightening"
    NEUTRAL = "neutral"


class Status(StrEnum):
    """How far the change has got at this event."""

    SIGNALLED = "signalled"
    PROPOSED = "proposed"
    ADOPTED = "adopted"
    IN_EFFECT = "in_effect"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    COMMENTARY = "commentary"


class Verification(StrEnum):
    """How well the event is attested; `disputed` stands beside the scale."""

    CLAIMED = "claimed"
    REPORTED = "reported"
    CONFIRMED = "confirmed"
    DISPUTED = "disputed"


class Role(StrEnum):
    """What a party does in an event."""

    ACTOR = "actor"
    SUBJECT = "subject"
    PROPOSER = "proposer"
    MENTIONED = "mentioned"


class RelationType(StrEnum):
    """How one event bears on another."""

    ADVANCES = "advances"
    ENABLES = "enables"
    IMPLEMENTS = "implements"
    ANNOUNCES = "announces"
    RESPONDS_TO = "responds_to"
    REVERSES = "reverses"
    CORRECTS = "corrects"
    CITES = "cites"
    PART_OF = "part_of"
    SAME_AS = "same_as"


class PartyKind(StrEnum):
    """What sort of party it is. `state` is any party named by its territory's code.

    The word takes no position on anybody's statehood.
    """

    STATE = "state"
    GOVERNMENT = "government"
    ORGANISATION = "organisation"
    INTERGOVERNMENTAL = "intergovernmental"
    PERSON = "person"
    GROUP = "group"


class Dimension(StrEnum):
    """What one party can formally hold towards another; each is the family of the events it has."""

    DESIGNATION = "designation"
    RECOGNITION = "recognition"
    RELATIONS = "relations"
    MISSION = "mission"
    ACCREDITATION = "accreditation"


class State(StrEnum):
    """What a position can be; which of them occur depends on its dimension."""

    LISTED = "listed"
    SUSPENDED = "suspended"
    DELISTED = "delisted"
    EXPIRED = "expired"
    RECOGNISED = "recognised"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    ESTABLISHED = "established"
    SEVERED = "severed"
    OPERATING = "operating"
    CONSULAR_ONLY = "consular_only"
    STAFF_WITHDRAWN = "staff_withdrawn"
    CLOSED = "closed"
    COPY_RECEIVED = "copy_received"
    ACCREDITED = "accredited"
    CHARGE = "charge"
    RECALLED = "recalled"
    NONE = "none"


class Certainty(StrEnum):
    """How sure a position is."""

    DEFINITE = "definite"
    POSSIBLE = "possible"
    UNKNOWN = "unknown"


class DateName(StrEnum):
    """The named dates of an event."""

    OCCURRED = "occurred"
    ANNOUNCED = "announced"
    ADOPTED = "adopted"
    SIGNED = "signed"
    EFFECTIVE = "effective"
    EFFECTIVE_UNTIL = "effective_until"


DATE_PRECEDENCE = (
    DateName.EFFECTIVE,
    DateName.OCCURRED,
    DateName.ADOPTED,
    DateName.SIGNED,
    DateName.ANNOUNCED,
)
"""An event's own date is the first of these that it has."""

_EASING = {
    "designation": ("suspend", "delist", "expire", "exempt"),
    "recognition": ("grant",),
    "relations": ("establish", "resume", "upgrade"),
    "mission": ("open", "resume_consular", "resume_operations", "upgrade"),
    "accreditation": (
        "nominate",
        "grant_agrement",
        "arrive",
        "receive_credentials_copy",
        "accept_credentials",
        "name_charge",
    ),
    "statement": ("endorse", "welcome"),
}
_TIGHTENING = {
    "designation": ("list", "reinstate"),
    "recognition": ("refuse", "withdraw"),
    "relations": ("suspend", "sever", "downgrade"),
    "mission": ("withdraw_staff", "suspend_operations", "close", "downgrade"),
    "accreditation": ("refuse_agrement", "recall", "declare_persona_non_grata", "end"),
    "statement": ("condemn",),
}
_NEUTRAL = {
    "designation": ("amend", "maintain"),
    "mission": ("relocate", "handover"),
    "legislation": (
        "introduce",
        "pass_reading",
        "adopt",
        "sign",
        "enter_into_force",
        "reject",
        "withdraw",
    ),
    "judicial": ("petition", "rule", "appeal"),
    "executive": ("decide", "order", "recommend"),
    "statement": ("announce", "intend", "deny"),
    "consult": ("visit", "meet"),
    "control": ("change_of_government", "territorial_control"),
}

FAMILIES = (
    "designation",
    "recognition",
    "relations",
    "mission",
    "accreditation",
    "legislation",
    "judicial",
    "executive",
    "statement",
    "consult",
    "control",
)


def _directions() -> dict[str, Direction]:
    tables = (
        (_EASING, Direction.EASING),
        (_TIGHTENING, Direction.TIGHTENING),
        (_NEUTRAL, Direction.NEUTRAL),
    )
    return {
        f"{family}.{verb}": direction
        for family in FAMILIES
        for verbs, direction in tables
        for verb in verbs.get(family, ())
    }


DIRECTION_OF_KIND = _directions()
"""Every kind, `family.verb`, with the direction that follows from it."""

# A functional StrEnum, so that the table above stays the only list of kinds.
Kind = StrEnum("Kind", {kind: kind for kind in DIRECTION_OF_KIND})  # type: ignore[misc]
KindOrFamily = StrEnum(  # type: ignore[misc]
    "KindOrFamily", {name: name for name in sorted({*FAMILIES, *DIRECTION_OF_KIND})}
)


def family_of(kind: str) -> str:
    """Return the family of a kind: `designation` for `designation.delist`."""
    return kind.partition(".")[0]
