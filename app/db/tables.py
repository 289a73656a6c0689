"""The tables that hold the truth: revisions, reference data, keys.

The rest is in register.py, projections.py and names.py.

The revisions of events and of reference data, and the links of the audit chain, take no change and
no removal, by anybody: a trigger refuses both. Vocabularies are text with a named CHECK, so that a
later release can add a word without rewriting a table. Texts that are keys or sort orders collate
by code point ("C"), so that every server sorts them alike.
"""

from datetime import datetime
from enum import EnumType
from typing import Any

from sqlalchemy import (
    DDL,
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    Text,
    UniqueConstraint,
    event,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from app.domain.vocabulary import PartyKind

Key = Text(collation="C")
ACTIONS = ("record", "correct", "retract", "restore", "merge")
REFERENCE_TYPES = ("party", "regime", "measure")
"""What has revisions in the journal beside events."""


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
    """Somebody who acts or is acted upon: the latest state, a projection of its revisions."""

    __tablename__ = "party"
    __table_args__ = (one_of("kind", PartyKind),)

    id: Mapped[str] = mapped_column(Key, primary_key=True)
    revision: Mapped[int] = mapped_column(server_default=text("1"))
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    country: Mapped[str | None] = mapped_column(Key)
    aliases: Mapped[list[str]] = mapped_column(ARRAY(Text))
    recorded_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=text("clock_timestamp()")
    )


class Regime(Table):
    """A list or legal instrument: the latest state, a projection of its revisions."""

    __tablename__ = "regime"
    __table_args__ = (
        Index("ix_regime_code_lower", text("lower(code)")),
        Index("ix_regime_code_reversed", text("reverse(lower(code))")),
    )

    code: Mapped[str] = mapped_column(Key, primary_key=True)
    revision: Mapped[int] = mapped_column(server_default=text("1"))
    issuer: Mapped[str] = mapped_column(Key, ForeignKey("party.id"))
    name: Mapped[str] = mapped_column(Text)
    aliases: Mapped[list[str]] = mapped_column(ARRAY(Text))
    legal_basis: Mapped[str | None] = mapped_column(Text)
    removal: Mapped[str | None] = mapped_column(Text)
    recorded_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=text("clock_timestamp()")
    )


class ReferenceRevision(Table):
    """One recorded state of a party or regime: the truth, as `event_revision` is for events.

    `seq` is its place in the journal that it shares with events. `facts` are what the editor
    stated, without the id.
    """

    __tablename__ = "reference_revision"
    __table_args__ = (
        UniqueConstraint("seq"),
        one_of("type", REFERENCE_TYPES),
        one_of("action", ACTIONS),
        CheckConstraint("revision >= 1", name="revision_positive"),
        CheckConstraint("seq >= 1", name="seq_positive"),
        CheckConstraint(
            "(action = 'merge') = (merged_into IS NOT NULL)", name="merged_into_a_survivor"
        ),
        # Documents show parties as of an instant.
        Index(None, "recorded_at"),
    )

    type: Mapped[str] = mapped_column(Text, primary_key=True)
    id: Mapped[str] = mapped_column(Key, primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BigInteger)
    recorded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    action: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    merged_into: Mapped[str | None] = mapped_column(Key)


class EventRevision(Table):
    """One recorded state of an event: the truth. `seq` is its place in the journal.

    `reason` is why it was retracted; older retractions have only a note, which is the reason.
    """

    __tablename__ = "event_revision"
    __table_args__ = (
        UniqueConstraint("seq"),
        one_of("action", ACTIONS),
        CheckConstraint("revision >= 1", name="revision_positive"),
        CheckConstraint("seq >= 1", name="seq_positive"),
        CheckConstraint(
            "(action = 'merge') = (merged_into IS NOT NULL)", name="merged_into_a_survivor"
        ),
    )

    event: Mapped[str] = mapped_column(Key, primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BigInteger)
    recorded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    action: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    merged_into: Mapped[str | None] = mapped_column(Key)


class JournalLink(Table):
    """A link of the audit chain: it ends with the revision of its number, and is append-only too.

    No key refers to that revision, so that making the table keeps nobody from writing.
    """

    __tablename__ = "journal_link"
    __table_args__ = (
        CheckConstraint("seq >= 1", name="seq_positive"),
        CheckConstraint("octet_length(digest) = 32", name="digest_is_sha256"),
        CheckConstraint("octet_length(head) = 32", name="head_is_sha256"),
    )

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    head: Mapped[bytes] = mapped_column(LargeBinary)
    # What the digest is made of, so that the revision can be named that differs; null in links of
    # earlier releases.
    leaves: Mapped[bytes | None] = mapped_column(LargeBinary)


class ApiKey(Table):
    """An editor's key: its hash alone, never the key.

    `writes` counts what it has written in the minute that ends at `minute_ends`.
    """

    __tablename__ = "api_key"
    __table_args__ = (
        CheckConstraint("scopes <@ ARRAY['edit', 'admin'] AND scopes <> '{}'", name="scopes_known"),
        CheckConstraint("octet_length(digest) = 32", name="digest_is_sha256"),
    )

    id: Mapped[str] = mapped_column(Key, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=text("clock_timestamp()")
    )
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    last_used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    writes: Mapped[int] = mapped_column(server_default=text("0"))
    minute_ends: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class IdempotentAnswer(Table):
    """The first answer to a request with an Idempotency-Key, given again to the same request."""

    __tablename__ = "idempotent_answer"
    __table_args__ = (Index(None, "given_at"),)

    api_key: Mapped[str] = mapped_column(Key, ForeignKey("api_key.id"), primary_key=True)
    route: Mapped[str] = mapped_column(Key, primary_key=True)
    key: Mapped[str] = mapped_column(Key, primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    event: Mapped[str] = mapped_column(Key)
    document: Mapped[str] = mapped_column(Text)
    given_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


REFUSE_CHANGE = """
    CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
            USING ERRCODE = 'restrict_violation';
    END $$
"""
# Row triggers don't fire on TRUNCATE, so there are two.
GUARD = (
    """
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}
        FOR EACH ROW EXECUTE FUNCTION refuse_change()
    """,
    """
    CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """,
)


def after(target: Any, statement: str) -> None:
    """Let `create_all` run what SQLAlchemy can't declare, as the migrations do."""
    ddl = DDL(statement.replace("%", "%%"))  # type: ignore[no-untyped-call]
    event.listen(target, "before_create" if target is Table.metadata else "after_create", ddl)


# A number of the journal stands for a revision of an event or for one of reference data.
CHECK_NUMBER = (
    """
    CREATE FUNCTION check_number() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (SELECT FROM reference_revision WHERE seq >= NEW.seq) THEN
            RAISE EXCEPTION 'number % of the journal is taken', NEW.seq
                USING ERRCODE = 'unique_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER one_journal BEFORE INSERT ON event_revision
        FOR EACH ROW EXECUTE FUNCTION check_number()
    """,
)


after(Table.metadata, REFUSE_CHANGE)
for _table in (EventRevision, ReferenceRevision, JournalLink):
    for _trigger in GUARD:
        after(_table.__table__, _trigger.format(table=_table.__tablename__))
for _statement in CHECK_NUMBER:
    after(EventRevision.__table__, _statement)
