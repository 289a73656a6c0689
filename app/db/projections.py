"""The tables that are read: projections of the truth, made anew by `chancery rebuild`.

`event` holds the live events as they stand; `past_event` holds what they were before and from when
to when, so that a question about the past is answered as it was then. What is here can't be lost:
it follows from the revisions of events and parties.

An open end of an event's own date is stored as an infinite day in `earliest` or `latest`, because
the columns of a keyset must not be null.
"""

from datetime import date, datetime

from sqlalchemy import (
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, DATERANGE, TSVECTOR, Range
from sqlalchemy.orm import Mapped, mapped_column

from app.db.tables import Key, Table, one_of
from app.domain.vocabulary import (
    FAMILIES,
    Dimension,
    Direction,
    Kind,
    Role,
    State,
    Status,
    Verification,
)


class _CountedColumns:
    """What events are filtered and counted by.

    `countries` are those of everybody who takes part, sorted, with a space between.
    """

    kind: Mapped[str] = mapped_column(Text)
    family: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    verification: Mapped[str] = mapped_column(Text)
    direction: Mapped[str] = mapped_column(Text)
    regime: Mapped[str | None] = mapped_column(Key)
    measure: Mapped[str | None] = mapped_column(Key)
    countries: Mapped[str] = mapped_column(Text)


class _EventColumns(_CountedColumns):
    """What is filtered, sorted and served of an event, as it stands or as it once stood."""

    id: Mapped[str] = mapped_column(Key, primary_key=True)
    revision: Mapped[int]
    earliest: Mapped[date] = mapped_column(Date)
    latest: Mapped[date] = mapped_column(Date)
    occurred: Mapped[Range[date] | None] = mapped_column(DATERANGE)
    announced: Mapped[Range[date] | None] = mapped_column(DATERANGE)
    adopted: Mapped[Range[date] | None] = mapped_column(DATERANGE)
    signed: Mapped[Range[date] | None] = mapped_column(DATERANGE)
    effective: Mapped[Range[date] | None] = mapped_column(DATERANGE)
    effective_until: Mapped[Range[date] | None] = mapped_column(DATERANGE)
    countries: Mapped[str] = mapped_column(Text, server_default=text("''"))
    # The events that it bears on, so that each of them can say what bears on it.
    related: Mapped[list[str]] = mapped_column(ARRAY(Key), server_default=text("'{}'"))
    recorded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    document: Mapped[str] = mapped_column(Text)
    known_from: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    # What is searched; empty until `chancery rebuild` has run after the migration that added it.
    words: Mapped[str] = mapped_column(TSVECTOR, server_default=text("''"))


_BY_DAY = ("latest", "earliest", "id")
# It lies beside the order in indexes, so that neither has to look at the rows, which are wide with
# their documents.
COUNTED = (
    "kind",
    "family",
    "status",
    "verification",
    "direction",
    "regime",
    "measure",
    "countries",
)


class Event(_EventColumns, Table):
    """The latest state of an event: a projection.

    `document` is what is sent, but for the names, kinds and countries of parties, which are put in
    when it is read. `known_from` is since when the row is what it is: since its revision was
    recorded, or since a party in it came to belong to another country.
    """

    __tablename__ = "event"
    __table_args__ = (
        ForeignKeyConstraint(
            ["id", "revision"], ["event_revision.event", "event_revision.revision"]
        ),
        ForeignKeyConstraint(["regime"], ["regime.code"]),
        one_of("kind", Kind),
        one_of("family", FAMILIES),
        one_of("status", Status),
        one_of("verification", Verification),
        one_of("direction", Direction),
        CheckConstraint("earliest <= latest", name="earliest_not_after_latest"),
        Index("ix_event_newest", *_BY_DAY, postgresql_include=[*COUNTED, "known_from"]),
        Index("ix_event_updated", "updated_at", "id"),
        Index(None, "words", postgresql_using="gin"),
        Index(None, "related", postgresql_using="gin"),
        Index("ix_event_regime", "regime", *_BY_DAY),
        Index(
            "ix_event_measure",
            "measure",
            *_BY_DAY,
            # What says whether it is under way, and since when that was known.
            postgresql_include=["status", "verification", "announced", "known_from"],
        ),
    )


class PastEvent(_EventColumns, Table):
    """An event as it was from `known_from` until before `known_to`: a projection."""

    __tablename__ = "past_event"
    __table_args__ = (
        CheckConstraint("known_from < known_to", name="known_for_a_while"),
        Index(
            "ix_past_event_newest",
            *_BY_DAY,
            postgresql_include=[*COUNTED, "known_from", "known_to"],
        ),
        Index("ix_past_event_known", "known_to", "known_from"),
        Index(None, "measure"),
        Index(None, "words", postgresql_using="gin"),
        Index(None, "related", postgresql_using="gin"),
    )

    # Sorted behind the inherited columns, so that the primary key begins with the id.
    known_from: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), primary_key=True, sort_order=1
    )
    known_to: Mapped[datetime] = mapped_column(DateTime(timezone=True), sort_order=2)


class _PartyColumns:
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    party: Mapped[str] = mapped_column(Key)
    role: Mapped[str] = mapped_column(Text)
    country: Mapped[str | None] = mapped_column(Key)
    earliest: Mapped[date] = mapped_column(Date)
    latest: Mapped[date] = mapped_column(Date)


# What may last for more than a year, or has an open end: few events.
_LONG = text("latest > earliest + 366")
_BY_COUNTRY = ("country", "latest", "earliest", "event")
_BY_PARTY = ("party", "role", "latest", "earliest", "event")


class EventParty(_PartyColumns, _CountedColumns, Table):
    """Who takes part in an event, with what it is sorted, filtered and counted by: a projection.

    "Everything about KZ that is in effect, newest first" is one range of an index here.
    """

    __tablename__ = "event_party"
    __table_args__ = (
        one_of("role", Role),
        ForeignKeyConstraint(["party"], ["party.id"]),
        Index("ix_event_party_country", *_BY_COUNTRY, postgresql_include=COUNTED),
        Index("ix_event_party_party", *_BY_PARTY, postgresql_include=COUNTED),
        Index(
            "ix_event_party_country_long",
            *_BY_COUNTRY,
            postgresql_include=COUNTED,
            postgresql_where=_LONG,
        ),
        Index(
            "ix_event_party_party_long",
            *_BY_PARTY,
            postgresql_include=COUNTED,
            postgresql_where=_LONG,
        ),
    )

    event: Mapped[str] = mapped_column(
        Key, ForeignKey("event.id", ondelete="CASCADE"), primary_key=True
    )


class PastEventParty(_PartyColumns, Table):
    """Who took part in an event as it once stood: a projection."""

    __tablename__ = "past_event_party"
    __table_args__ = (
        ForeignKeyConstraint(
            ["event", "known_from"],
            ["past_event.id", "past_event.known_from"],
            ondelete="CASCADE",
        ),
        Index("ix_past_event_party_country", "country"),
        Index("ix_past_event_party_party", "party", "role"),
    )

    event: Mapped[str] = mapped_column(Key, primary_key=True)
    known_from: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)


class _PairColumns:
    actor: Mapped[str] = mapped_column(Key, primary_key=True)
    subject: Mapped[str] = mapped_column(Key, primary_key=True)
    dimension: Mapped[str | None] = mapped_column(Text)
    regime: Mapped[str | None] = mapped_column(Key)
    measure: Mapped[str | None] = mapped_column(Key)
    state: Mapped[str | None] = mapped_column(Text)
    verification: Mapped[str] = mapped_column(Text)
    first: Mapped[date] = mapped_column(Date)
    last: Mapped[date] = mapped_column(Date)
    until_first: Mapped[date | None] = mapped_column(Date)
    until_last: Mapped[date | None] = mapped_column(Date)
    told: Mapped[date | None] = mapped_column(Date)
    written: Mapped[str] = mapped_column(Text)


class EventPair(_PairColumns, Table):
    """What an event says of one party towards another: a projection that positions rest on.

    Everything about a pair, a subject or an actor is one range of an index here.
    """

    __tablename__ = "event_pair"
    __table_args__ = (
        one_of("dimension", Dimension),
        one_of("state", State),
        Index(None, "subject", "actor"),
        Index(None, "actor", "subject"),
    )

    event: Mapped[str] = mapped_column(
        Key, ForeignKey("event.id", ondelete="CASCADE"), primary_key=True, sort_order=-1
    )


class PastEventPair(_PairColumns, Table):
    """What an event said of one party towards another as it once stood: a projection."""

    __tablename__ = "past_event_pair"
    __table_args__ = (
        ForeignKeyConstraint(
            ["event", "known_from"],
            ["past_event.id", "past_event.known_from"],
            ondelete="CASCADE",
        ),
        Index(None, "subject", "actor"),
        Index(None, "actor", "subject"),
    )

    event: Mapped[str] = mapped_column(Key, primary_key=True, sort_order=-2)
    known_from: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), primary_key=True, sort_order=-1
    )
