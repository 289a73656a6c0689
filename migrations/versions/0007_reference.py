"""The past of reference data: the revisions of regimes, and which names were in use when.

A retraction may have a note beside its reason.

A regime that is there already is taken to have been recorded as it is, and the names are made from
the parties' revisions, so `chancery migrate` rebuilds them where there is anything to rebuild.
"""

from alembic import op

revision = "0007"
down_revision = "0006"

STATEMENTS = (
    """
    CREATE TABLE regime_revision (
        code TEXT COLLATE "C" NOT NULL,
        revision INTEGER NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        by TEXT NOT NULL,
        note TEXT,
        issuer TEXT COLLATE "C" NOT NULL,
        name TEXT NOT NULL,
        aliases TEXT[] NOT NULL,
        legal_basis TEXT,
        removal TEXT,
        CONSTRAINT pk_regime_revision PRIMARY KEY (code, revision),
        CONSTRAINT ck_regime_revision_revision_positive CHECK (revision >= 1),
        CONSTRAINT fk_regime_revision_code FOREIGN KEY(code) REFERENCES regime (code)
    )
    """,
    """
    INSERT INTO regime_revision
        (code, revision, recorded_at, by, issuer, name, aliases, legal_basis, removal)
        SELECT code, 1, recorded_at, 'chancery', issuer, name, aliases, legal_basis, removal
        FROM regime
    """,
    """
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON regime_revision
        FOR EACH ROW EXECUTE FUNCTION refuse_change()
    """,
    """
    CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON regime_revision
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """,
    "ALTER TABLE party_name ADD COLUMN known_from TIMESTAMP WITH TIME ZONE",
    "ALTER TABLE party_name ADD COLUMN known_to TIMESTAMP WITH TIME ZONE",
    "UPDATE party_name SET known_from = '0001-01-01T00:00:00Z'",
    "ALTER TABLE party_name ALTER COLUMN known_from SET NOT NULL",
    "ALTER TABLE party_name DROP CONSTRAINT pk_party_name",
    """
    ALTER TABLE party_name
        ADD CONSTRAINT pk_party_name PRIMARY KEY (folded, party, known_from)
    """,
    "ALTER TABLE event_revision ADD COLUMN reason TEXT",
    "CREATE INDEX ix_past_event_measure ON past_event (measure)",
    "UPDATE projection_state SET stale = EXISTS (SELECT FROM party_revision)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP INDEX ix_past_event_measure")
    op.execute("ALTER TABLE event_revision DROP COLUMN reason")
    op.execute("DELETE FROM party_name WHERE known_to IS NOT NULL")
    op.execute("ALTER TABLE party_name DROP CONSTRAINT pk_party_name")
    op.execute("ALTER TABLE party_name DROP COLUMN known_to, DROP COLUMN known_from")
    op.execute("ALTER TABLE party_name ADD CONSTRAINT pk_party_name PRIMARY KEY (folded, party)")
    op.execute("DROP TABLE regime_revision")
