"""What is kept about the register as a whole: its state, change number, sealing key and counts."""

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.tables import Key, Table


class ProjectionState(Table):
    """Whether the projections are older than the release: one row.

    A migration that changes what is projected sets it where there is anything to rebuild, and a
    rebuild takes it back.
    """

    __tablename__ = "projection_state"

    stale: Mapped[bool] = mapped_column(primary_key=True)
    # By whose members blocs were counted: another release may know of others.
    memberships: Mapped[str | None] = mapped_column(Text)


class ChangeNumber(Table):
    """How often anything that is read was changed: one row, counted up by every write.

    What was answered while it stood at a number is the answer as long as it stands there.
    """

    __tablename__ = "change_number"

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)


class SealingKey(Table):
    """The secret with which cursors are sealed: one row of 32 random bytes, made by a migration."""

    __tablename__ = "sealing_key"
    __table_args__ = (CheckConstraint("octet_length(key) = 32", name="has_256_bits"),)

    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)


class EventCount(Table):
    """How many live events have a value in what is counted by: a projection of `event`.

    The value is empty where an event has none that is shown, as the year of what lasted two. What
    stands at 0 was once there.
    """

    __tablename__ = "event_count"
    __table_args__ = (
        Index(
            "ix_event_count_measure_reversed",
            text("reverse(value)"),
            postgresql_where=text("counted_by = 'measure'"),
        ),
    )

    counted_by: Mapped[str] = mapped_column(Key, primary_key=True)
    value: Mapped[str] = mapped_column(Key, primary_key=True)
    events: Mapped[int] = mapped_column(BigInteger)
