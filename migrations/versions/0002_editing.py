"""Editing: keys, the past as it was known, names as they were."""

from alembic import op

revision = "0002"
down_revision = "0001"

STATEMENTS = (
    """
    ALTER TABLE event_revision ADD COLUMN merged_into TEXT COLLATE "C"
    """,
    """
    ALTER TABLE event_revision ADD CONSTRAINT ck_event_revision_merged_into_a_survivor
        CHECK ((action = 'merge') = (merged_into IS NOT NULL))
    """,
    "ALTER TABLE event ADD COLUMN known_from TIMESTAMP WITH TIME ZONE",
    "UPDATE event SET known_from = updated_at",
    "ALTER TABLE event ALTER COLUMN known_from SET NOT NULL",
    """
    CREATE TABLE party_revision (
        party TEXT COLLATE "C" NOT NULL,
        revision INTEGER NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        by TEXT NOT NULL,
        note TEXT,
        name TEXT NOT NULL,
        kind TEXT NOT NULL,
        country TEXT COLLATE "C",
        aliases TEXT[] NOT NULL,
        CONSTRAINT pk_party_revision PRIMARY KEY (party, revision),
        CONSTRAINT ck_party_revision_revision_positive CHECK (revision >= 1),
        CONSTRAINT fk_party_revision_party FOREIGN KEY(party) REFERENCES party (id)
    )
    """,
    """
    INSERT INTO party_revision (party, revision, recorded_at, by, name, kind, country, aliases)
        SELECT id, 1, recorded_at, 'chancery', name, kind, country, aliases FROM party
    """,
    """
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON party_revision
        FOR EACH ROW EXECUTE FUNCTION refuse_change()
    """,
    """
    CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON party_revision
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """,
    """
    CREATE TABLE past_event (
        id TEXT COLLATE "C" NOT NULL,
        revision INTEGER NOT NULL,
        kind TEXT NOT NULL,
        family TEXT NOT NULL,
        status TEXT NOT NULL,
        verification TEXT NOT NULL,
        direction TEXT NOT NULL,
        regime TEXT COLLATE "C",
        measure TEXT COLLATE "C",
        earliest DATE NOT NULL,
        latest DATE NOT NULL,
        occurred DATERANGE,
        announced DATERANGE,
        adopted DATERANGE,
        signed DATERANGE,
        effective DATERANGE,
        effective_until DATERANGE,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
        document TEXT NOT NULL,
        known_from TIMESTAMP WITH TIME ZONE NOT NULL,
        known_to TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_past_event PRIMARY KEY (id, known_from),
        CONSTRAINT ck_past_event_known_for_a_while CHECK (known_from < known_to)
    )
    """,
    "CREATE INDEX ix_past_event_known ON past_event (known_to, known_from)",
    "CREATE INDEX ix_past_event_newest ON past_event (latest, earliest, id)",
    """
    CREATE TABLE past_event_party (
        event TEXT COLLATE "C" NOT NULL,
        known_from TIMESTAMP WITH TIME ZONE NOT NULL,
        position INTEGER NOT NULL,
        party TEXT COLLATE "C" NOT NULL,
        role TEXT NOT NULL,
        country TEXT COLLATE "C",
        earliest DATE NOT NULL,
        latest DATE NOT NULL,
        CONSTRAINT pk_past_event_party PRIMARY KEY (event, known_from, position),
        CONSTRAINT fk_past_event_party_event_known_from FOREIGN KEY(event, known_from)
            REFERENCES past_event (id, known_from) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX ix_past_event_party_country ON past_event_party (country)",
    "CREATE INDEX ix_past_event_party_party ON past_event_party (party, role)",
    """
    CREATE TABLE api_key (
        id TEXT COLLATE "C" NOT NULL,
        name TEXT NOT NULL,
        scopes TEXT[] NOT NULL,
        digest BYTEA NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
        expires_at TIMESTAMP WITH TIME ZONE,
        revoked_at TIMESTAMP WITH TIME ZONE,
        last_used_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_api_key PRIMARY KEY (id),
        CONSTRAINT ck_api_key_scopes_known
            CHECK (scopes <@ ARRAY['edit', 'admin'] AND scopes <> '{}'),
        CONSTRAINT ck_api_key_digest_is_sha256 CHECK (octet_length(digest) = 32)
    )
    """,
    """
    CREATE TABLE idempotent_answer (
        api_key TEXT COLLATE "C" NOT NULL,
        route TEXT COLLATE "C" NOT NULL,
        key TEXT COLLATE "C" NOT NULL,
        fingerprint BYTEA NOT NULL,
        event TEXT COLLATE "C" NOT NULL,
        document TEXT NOT NULL,
        given_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_idempotent_answer PRIMARY KEY (api_key, route, key),
        CONSTRAINT fk_idempotent_answer_api_key FOREIGN KEY(api_key) REFERENCES api_key (id)
    )
    """,
    "CREATE INDEX ix_idempotent_answer_given_at ON idempotent_answer (given_at)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute(
        "DROP TABLE idempotent_answer, api_key, past_event_party, past_event, party_revision"
    )
    op.execute("ALTER TABLE event DROP COLUMN known_from")
    op.execute("ALTER TABLE event_revision DROP COLUMN merged_into")
