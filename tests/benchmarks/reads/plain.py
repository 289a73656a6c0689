"""The plain way to serve the same events from the same tables, for comparison.

As tutorials have it: ORM entities, related rows by `selectinload`, a response model. It does no
less work for each event than is needed for the same answer, and leaves out what it can't ask: names
for parties and countries, cursors bound to a question, problems, tags, compression.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Query
from pydantic import BaseModel
from sqlalchemy import ForeignKey, ForeignKeyConstraint, and_, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, selectinload

from app.db.url import driver_url
from app.domain.document import EventDocument, SourceDocument
from app.domain.vocabulary import DIRECTION_OF_KIND


class Base(DeclarativeBase):
    """Base of the entities."""


class Party(Base):
    """A party."""

    __tablename__ = "party"
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    kind: Mapped[str]
    country: Mapped[str | None]


class Participant(Base):
    """A party in its role."""

    __tablename__ = "event_party"
    event: Mapped[str] = mapped_column(ForeignKey("event.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    party: Mapped[str] = mapped_column(ForeignKey("party.id"))
    country: Mapped[str | None]
    known: Mapped[Party] = relationship()


class Revision(Base):
    """What was stated of an event."""

    __tablename__ = "event_revision"
    event: Mapped[str] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)


class Event(Base):
    """An event as it stands."""

    __tablename__ = "event"
    __table_args__ = (
        ForeignKeyConstraint(
            ["id", "revision"], ["event_revision.event", "event_revision.revision"]
        ),
    )
    id: Mapped[str] = mapped_column(primary_key=True)
    revision: Mapped[int]
    status: Mapped[str]
    regime: Mapped[str | None]
    earliest: Mapped[date]
    latest: Mapped[date]
    recorded_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    stated: Mapped[Revision] = relationship()
    participants: Mapped[list[Participant]] = relationship(order_by=Participant.position)


RELATED = (
    selectinload(Event.stated),
    selectinload(Event.participants).selectinload(Participant.known),
)


class Page(BaseModel):
    """A page of events."""

    items: list[EventDocument]


engine = create_async_engine(driver_url(os.environ["CHANCERY_DATABASE_URL"]), pool_size=8)
sessions = async_sessionmaker(engine, expire_on_commit=False)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Close the pool at the end."""
    yield
    await engine.dispose()


async def session() -> AsyncIterator[AsyncSession]:
    """Lend a session."""
    async with sessions() as opened:
        yield opened


app = FastAPI(lifespan=lifespan)
Session = Annotated[AsyncSession, Depends(session)]


@app.get("/v1/events", response_model=Page, response_model_exclude_unset=True)
async def list_events(  # noqa: PLR0913, PLR0917 - One argument for each parameter, as tutorials have it.
    database: Session,
    country: Annotated[list[str], Query()] = [],  # noqa: B006
    status: Annotated[list[str], Query()] = [],  # noqa: B006
    regime: Annotated[list[str], Query()] = [],  # noqa: B006
    date_from: date | None = None,
    date_to: date | None = None,
    limit: int = 50,
) -> dict[str, Any]:
    """Return the newest events that match."""
    found = select(Event).options(*RELATED)
    if country:
        found = found.where(Event.participants.any(Participant.country.in_(country)))
    if status:
        found = found.where(Event.status.in_(status))
    if regime:
        found = found.where(Event.regime.in_(regime))
    if date_from:
        found = found.where(Event.latest >= date_from)
    if date_to:
        found = found.where(Event.earliest <= date_to)
    order = Event.latest.desc(), Event.earliest.desc(), Event.id.desc()
    events = await database.scalars(found.order_by(*order).limit(limit))
    return {"items": [document(event) for event in events]}


@app.get("/v1/events/{event}", response_model=EventDocument, response_model_exclude_unset=True)
async def read_event(event: str, database: Session) -> dict[str, Any]:
    """Return one event."""
    found = await database.scalar(select(Event).options(*RELATED).where(and_(Event.id == event)))
    if found is None:
        raise HTTPException(404)
    return document(found)


NO_SOURCE = dict.fromkeys(SourceDocument.model_fields)
NOWHERE = {"regime": None, "measure": None, "place": None, "organ": None, "person": None}


def document(event: Event) -> dict[str, Any]:
    """Return what the response model is made of."""
    facts = event.stated.facts
    dates = {name: day for name, day in facts["dates"].items() if day is not None}
    order = ("effective", "occurred", "adopted", "signed", "announced")
    basis = next(name for name in order if name in dates)
    return {
        **NOWHERE,
        **facts,
        "id": event.id,
        "direction": DIRECTION_OF_KIND[facts["kind"]],
        "dates": dates,
        "date": dates[basis],
        "date_basis": basis,
        "earliest": None if event.earliest == date.min else event.earliest,
        "latest": None if event.latest == date.max else event.latest,
        "participants": [
            {
                **NOWHERE,
                **stated,
                "name": each.known.name,
                "kind": each.known.kind,
                "country": each.country,
            }
            for stated, each in zip(facts["participants"], event.participants, strict=True)
        ],
        "sources": [NO_SOURCE | source for source in facts["sources"]],
        "revision": event.revision,
        "recorded_at": event.recorded_at,
        "updated_at": event.updated_at,
    }
