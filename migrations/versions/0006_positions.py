"""Positions: what each event says of each two of its parties, and whether projections are stale.

What was recorded before has no pairs yet, nor words to search for, so `chancery migrate` rebuilds
the projections where there is anything to rebuild.
"""

from alembic import op

revision = "0006"
down_revision = "0005"

COLUMNS = """
        actor TEXT COLLATE "C" NOT NULL,
        subject TEXT COLLATE "C" NOT NULL,
        dimension TEXT,
        regime TEXT COLLATE "C",
        measure TEXT COLLATE "C",
        state TEXT,
        verification TEXT NOT NULL,
        first DATE NOT NULL,
        last DATE NOT NULL,
        until_first DATE,
        until_last DATE,
        told DATE,
        written TEXT NOT NULL,
"""
STATEMENTS = (
    f"""
    CREATE TABLE event_pair (
        event TEXT COLLATE "C" NOT NULL,
        {COLUMNS}
        CONSTRAINT pk_event_pair PRIMARY KEY (event, actor, subject),
        CONSTRAINT ck_event_pair_dimension_known CHECK (dimension IN (
            'designation', 'recognition', 'relations', 'mission', 'accreditation'
        )),
        CONSTRAINT ck_event_pair_state_known CHECK (state IN (
            'listed', 'suspended', 'delisted', 'expired', 'recognised', 'refused', 'withdrawn',
            'established', 'severed', 'operating', 'consular_only', 'staff_withdrawn', 'closed',
            'copy_received', 'accredited', 'charge', 'recalled', 'none'
        )),
        CONSTRAINT fk_event_pair_event FOREIGN KEY(event) REFERENCES event (id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX ix_event_pair_subject_actor ON event_pair (subject, actor)",
    "CREATE INDEX ix_event_pair_actor_subject ON event_pair (actor, subject)",
    f"""
    CREATE TABLE past_event_pair (
        event TEXT COLLATE "C" NOT NULL,
        known_from TIMESTAMP WITH TIME ZONE NOT NULL,
        {COLUMNS}
        CONSTRAINT pk_past_event_pair PRIMARY KEY (event, known_from, actor, subject),
        CONSTRAINT fk_past_event_pair_event_known_from FOREIGN KEY(event, known_from)
            REFERENCES past_event (id, known_from) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX ix_past_event_pair_subject_actor ON past_event_pair (subject, actor)",
    "CREATE INDEX ix_past_event_pair_actor_subject ON past_event_pair (actor, subject)",
    """
    CREATE TABLE projection_state (
        stale BOOLEAN NOT NULL,
        CONSTRAINT pk_projection_state PRIMARY KEY (stale)
    )
    """,
    "INSERT INTO projection_state SELECT EXISTS (SELECT FROM party_revision)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE projection_state, past_event_pair, event_pair")
