"""Search: the words of every event, and of what each party was called when.

Both are made in Python, from the revisions, so what is there before has none yet: `chancery
migrate` lets a rebuild follow, which fills them while the register is read and written. What the
release before may have written in the meantime gets its words from another `chancery rebuild`.
"""

from alembic import op

revision = "0005"
down_revision = "0004"

STATEMENTS = (
    # The constant default makes this a change of the catalog alone, whatever the table's size, and
    # lets the release before go on writing.
    "ALTER TABLE event ADD COLUMN words TSVECTOR DEFAULT '' NOT NULL",
    "ALTER TABLE past_event ADD COLUMN words TSVECTOR DEFAULT '' NOT NULL",
    "CREATE INDEX ix_event_words ON event USING gin (words)",
    "CREATE INDEX ix_past_event_words ON past_event USING gin (words)",
    """
    CREATE TABLE party_words (
        party TEXT COLLATE "C" NOT NULL,
        known_from TIMESTAMP WITH TIME ZONE NOT NULL,
        known_to TIMESTAMP WITH TIME ZONE,
        words TSVECTOR NOT NULL,
        CONSTRAINT pk_party_words PRIMARY KEY (party, known_from),
        CONSTRAINT fk_party_words_party FOREIGN KEY(party) REFERENCES party (id)
            ON DELETE CASCADE
    )
    """,
    "CREATE INDEX ix_party_words_words ON party_words USING gin (words)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE party_words")
    op.execute("ALTER TABLE past_event DROP COLUMN words")
    op.execute("ALTER TABLE event DROP COLUMN words")
