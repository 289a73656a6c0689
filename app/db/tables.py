"""The tables. Revisions are the truth; the others are reference data or projections of it.

`event_revision` takes no change and no removal, by anybody: a trigger refuses both. `event`,
`event_party` and `party_name` hold nothing that can't be made anew from the rest, which is what
`chancery rebuild` does. Vocabularies are text with a named CHECK, so that a later release can add
a word without rewriting a table. Texts that are keys or sort orders collate by code point ("C"),
so that every server sorts them alike.

An open end of an event's own date is stored as an infinite day in `earliest` or `latest`, because
the columns of a keyset must not be null.
"""

from datetime import date, datetime
from enum import EnumType
from typing import Any

from sqlalchemy import (
    DDL,
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    MetaData,
    Text,
    UniqueConstraint,
    event,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, DATERANGE, JSONB, Range
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from app.domain.vocabulary import FAMILIES, Direction, Kind, PartyKind, Role, Status, Verification

Key = Text(collation="C")
ACTIONS = ("record", "correct", "retract", "restore", "merge")


def one_of(column: str, words: EnumType | tuple[str, ...]) -> CheckConstraint:
    """Return the named CHECK that a column holds a word of a closed vocabulary."""
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


class Table(DeclarativeBase):
    """Base of the tables; every constraint has a name that error reports can go by."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Party(Table):
    """Somebody who acts or is acted upon: reference data."""

    __tablename__ = "party"
    __table_args__ = (one_of("kind", PartyKind),)

    id: Mapped[str] = mapped_column(Key, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    country: Mapped[str | None] = mapped_column(Key)
    aliases: Mapped[list[str]] = mapped_column(ARRAY(Text))
    recorded_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=text("clock_timestamp()")
    )


class PartyName(Table):
    """Every way to write a party's name, folded for exact matching: a projection of `party`."""

    __tablename__ = "party_name"
    __table_args__ = (Index(None, "party"),)

    folded: Mapped[str] = mapped_column(Key, primary_key=True)
    party: Mapped[str] = mapped_column(
        Key, ForeignKey("party.id", ondelete="CASCADE"), primary_key=True
    )


class Regime(Table):
    """A list or legal instrument: reference data."""

    __tablename__ = "regime"

    code: Mapped[str] = mapped_column(Key, primary_key=True)
    issuer: Mapped[str] = mapped_column(Key, ForeignKey("party.id"))
    name: Mapped[str] = mapped_column(Text)
    aliases: Mapped[list[str]] = mapped_column(ARRAY(Text))
    legal_basis: Mapped[str | None] = mapped_column(Text)
    removal: Mapped[str | None] = mapped_column(Text)
    recorded_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=text("clock_timestamp()")
    )


class EventRevision(Table):
    """One recorded state of an event: the truth. `seq` is its place in the journal."""

    __tablename__ = "event_revision"
    __table_args__ = (
        UniqueConstraint("seq"),
        one_of("action", ACTIONS),
        CheckConstraint("revision >= 1", name="revision_positive"),
        CheckConstraint("seq >= 1", name="seq_positive"),
    )

    event: Mapped[str] = mapped_column(Key, primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BigInteger)
    recorded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    action: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)


class Event(Table):
    """The latest state of an event with its document ready to send: a projection."""

    __tablename__ = "event"
    __table_args__ = (
        ForeignKeyConstraint(
            ["id", "revision"], ["event_revision.event", "event_revision.revision"]
        ),
        one_of("kind", Kind),
        one_of("family", FAMILIES),
        one_of("status", Status),
        one_of("verification", Verification),
        one_of("direction", Direction),
        CheckConstraint("earliest <= latest", name="earliest_not_after_latest"),
        Index("ix_event_newest", "latest", "earliest", "id"),
        Index("ix_event_updated", "updated_at", "id"),
        Index("ix_event_regime", "regime", "latest", "earliest", "id"),
        Index("ix_event_measure", "measure", "latest", "earliest", "id"),
    )

    id: Mapped[str] = mapped_column(Key, primary_key=True)
    revision: Mapped[int]
    kind: Mapped[str] = mapped_column(Text)
    family: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    verification: Mapped[str] = mapped_column(Text)
    direction: Mapped[str] = mapped_column(Text)
    regime: Mapped[str | None] = mapped_column(Key, ForeignKey("regime.code"))
    measure: Mapped[str | None] = mapped_column(Key)
    earliest: Mapped[date] = mapped_column(Date)
    latest: Mapped[date] = mapped_column(Date)
    occurred: Mapped[Range[date] | None] = mapped_column(DATERANGE)
    announced: Mapped[Range[date] | None] = mapped_column(DATERANGE)
    adopted: Mapped[Range[date] | None] = mapped_column(DATERANGE)
    signed: Mapped[Range[date] | None] = mapped_column(DATERANGE)
    effective: Mapped[Range[date] | None] = mapped_column(DATERANGE)
    effective_until: Mapped[Range[date] | None] = mapped_column(DATERANGE)
    recorded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    document: Mapped[str] = mapped_column(Text)


class EventParty(Table):
    """Who takes part in an event, with the event's sort columns beside it: a projection.

    "Everything about KZ, newest first" is one range of an index here.
    """

    __tablename__ = "event_party"
    __table_args__ = (
        one_of("role", Role),
        Index("ix_event_party_country", "country", "latest", "earliest", "event"),
        Index("ix_event_party_party", "party", "role", "latest", "earliest", "event"),
    )

    event: Mapped[str] = mapped_column(
        Key, ForeignKey("event.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    party: Mapped[str] = mapped_column(Key, ForeignKey("party.id"))
    role: Mapped[str] = mapped_column(Text)
    country: Mapped[str | None] = mapped_column(Key)
    earliest: Mapped[date] = mapped_column(Date)
    latest: Mapped[date] = mapped_column(Date)


APPEND_ONLY_GUARD = (
    """
    CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
            USING ERRCODE = 'restrict_violation';
    END $$
    """,
    """
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON event_revision
        FOR EACH ROW EXECUTE FUNCTION refuse_change()
    """,
    # Row triggers don't fire on TRUNCATE.
    """
    CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON event_revision
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """,
)
for _statement in APPEND_ONLY_GUARD:
    event.listen(
        Table.metadata.tables["event_revision"],
        "after_create",
        DDL(_statement.replace("%", "%%")),  # type: ignore[no-untyped-call]
    )
