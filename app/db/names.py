"""What parties were called and when: projections of their revisions, for matching and searching."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, DateTime, ForeignKey, Index, func, text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from app.db.tables import Key, Table

# An entry of an index has no room for every name twice, and nothing longer is compared.
_REVERSED_LETTERS = 80


def reversed_name(folded: Any) -> ColumnElement[str]:
    """Return what orders names by their letters from the end."""
    return func.left(func.reverse(folded), text(str(_REVERSED_LETTERS)))


class PartyName(Table):
    """Every way to write a party's name, folded for exact matching.

    It was in use from `known_from` until before `known_to`, null until now; a projection of
    the parties' revisions in which, as in `party_words`, the first rows begin before all time.
    """

    __tablename__ = "party_name"
    __table_args__ = (
        Index(None, "party"),
        Index("ix_party_name_now", "folded", postgresql_where=text("known_to IS NULL")),
        Index(
            "ix_party_name_now_reversed",
            text(f'"left"(reverse(folded), {_REVERSED_LETTERS})'),
            postgresql_where=text("known_to IS NULL"),
        ),
    )

    folded: Mapped[str] = mapped_column(Key, primary_key=True)
    party: Mapped[str] = mapped_column(
        Key, ForeignKey("party.id", ondelete="CASCADE"), primary_key=True
    )
    known_from: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
    known_to: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class PartyWords(Table):
    """What a party was called from `known_from` until before `known_to`, null until now, as words.

    A projection of the parties' revisions. The first row begins before all time: what is older than
    the party goes by its first names.
    """

    __tablename__ = "party_words"
    __table_args__ = (Index(None, "words", postgresql_using="gin"),)

    party: Mapped[str] = mapped_column(
        Key, ForeignKey("party.id", ondelete="CASCADE"), primary_key=True
    )
    known_from: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
    known_to: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    words: Mapped[str] = mapped_column(TSVECTOR)
