"""One journal: parties and regimes are numbered, linked and told of as events are.

What was recorded of them before is appended to the journal in the order of its instants; numbers
that were given stay. Documents no longer hold the names of parties, so what is read is rebuilt by
`chancery migrate`. The release before can't write to this schema: stop it first.

Who goes back drops the audit chain, as numbers of the journal are taken away and given to others:
whoever follows /v1/changes must begin anew. The roles' rights to `party_revision` and
`regime_revision` are not given back.
"""

from alembic import op

revision = "0013"
down_revision = "0012"

JOURNAL = 0x6A6F75726E616C
# What a number stands for is either an event or reference data.
CHECK_NUMBER = """
    CREATE FUNCTION check_number() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (SELECT FROM reference_revision WHERE seq >= NEW.seq) THEN
            RAISE EXCEPTION 'number % of the journal is taken', NEW.seq
                USING ERRCODE = 'unique_violation';
        END IF;
        RETURN NEW;
    END $$
"""
UPGRADE = (
    # Nobody may draw a number meanwhile.
    f"SELECT pg_advisory_xact_lock({JOURNAL})",
    """
    CREATE TABLE reference_revision (
        type TEXT NOT NULL,
        id TEXT COLLATE "C" NOT NULL,
        revision INTEGER NOT NULL,
        seq BIGINT NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        action TEXT NOT NULL,
        by TEXT NOT NULL,
        note TEXT,
        facts JSONB NOT NULL,
        merged_into TEXT COLLATE "C",
        CONSTRAINT pk_reference_revision PRIMARY KEY (type, id, revision),
        CONSTRAINT uq_reference_revision_seq UNIQUE (seq),
        CONSTRAINT ck_reference_revision_type_known
            CHECK (type IN ('party', 'regime', 'measure')),
        CONSTRAINT ck_reference_revision_action_known CHECK (action IN (
            'record', 'correct', 'retract', 'restore', 'merge'
        )),
        CONSTRAINT ck_reference_revision_revision_positive CHECK (revision >= 1),
        CONSTRAINT ck_reference_revision_seq_positive CHECK (seq >= 1),
        CONSTRAINT ck_reference_revision_merged_into_a_survivor
            CHECK ((action = 'merge') = (merged_into IS NOT NULL))
    )
    """,
    """
    INSERT INTO reference_revision
        (type, id, revision, seq, recorded_at, action, by, note, facts)
    SELECT type, id, revision,
        coalesce((SELECT max(seq) FROM event_revision), 0)
            + row_number() OVER (ORDER BY recorded_at, type, id, revision),
        recorded_at, CASE WHEN revision = 1 THEN 'record' ELSE 'correct' END, by, note,
        jsonb_strip_nulls(facts)
    FROM (
        SELECT 'party' AS type, party AS id, revision, recorded_at, by, note,
            jsonb_build_object(
                'kind', kind, 'name', name, 'country', country, 'aliases', aliases
            ) AS facts
        FROM party_revision
        UNION ALL
        SELECT 'regime', code, revision, recorded_at, by, note,
            jsonb_build_object(
                'issuer', issuer, 'name', name, 'aliases', aliases,
                'legal_basis', legal_basis, 'removal', removal
            )
        FROM regime_revision
    ) recorded
    """,
    "CREATE INDEX ix_reference_revision_recorded_at ON reference_revision (recorded_at)",
    """
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON reference_revision
        FOR EACH ROW EXECUTE FUNCTION refuse_change()
    """,
    """
    CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON reference_revision
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """,
    CHECK_NUMBER,
    """
    CREATE TRIGGER one_journal BEFORE INSERT ON event_revision
        FOR EACH ROW EXECUTE FUNCTION check_number()
    """,
    "ALTER TABLE party ADD COLUMN revision INTEGER DEFAULT 1 NOT NULL",
    "ALTER TABLE regime ADD COLUMN revision INTEGER DEFAULT 1 NOT NULL",
    """
    UPDATE party SET revision = latest.revision
    FROM (SELECT party, max(revision) AS revision FROM party_revision GROUP BY party) latest
    WHERE latest.party = id AND latest.revision > 1
    """,
    """
    UPDATE regime SET revision = latest.revision
    FROM (SELECT code, max(revision) AS revision FROM regime_revision GROUP BY code) latest
    WHERE latest.code = regime.code AND latest.revision > 1
    """,
    "-- squawk-ignore ban-drop-table\nDROP TABLE party_revision, regime_revision",
    "ALTER TABLE journal_link ADD COLUMN leaves BYTEA",
    # The release before the last one is not in use any more.
    "DROP TRIGGER filled ON event_party",
    "-- squawk-ignore ban-drop-function\nDROP FUNCTION fill_event_party",
    "UPDATE projection_state SET stale = EXISTS (SELECT FROM reference_revision)",
)
DOWNGRADE = (
    f"SELECT pg_advisory_xact_lock({JOURNAL})",
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
    INSERT INTO party_revision
    SELECT id, revision, recorded_at, by, note, facts->>'name', facts->>'kind',
        facts->>'country', ARRAY(SELECT jsonb_array_elements_text(facts->'aliases'))
    FROM reference_revision WHERE type = 'party'
    """,
    """
    INSERT INTO regime_revision
    SELECT id, revision, recorded_at, by, note, facts->>'issuer', facts->>'name',
        ARRAY(SELECT jsonb_array_elements_text(facts->'aliases')),
        facts->>'legal_basis', facts->>'removal'
    FROM reference_revision WHERE type = 'regime'
    """,
    *(
        statement
        for table in ("party_revision", "regime_revision")
        for statement in (
            f"""
            CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}
                FOR EACH ROW EXECUTE FUNCTION refuse_change()
            """,
            f"""
            CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON {table}
                FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
            """,
        )
    ),
    "DROP TRIGGER one_journal ON event_revision",
    "DROP FUNCTION check_number",
    "DROP TABLE reference_revision",
    "ALTER TABLE party DROP COLUMN revision",
    "ALTER TABLE regime DROP COLUMN revision",
    "ALTER TABLE journal_link DROP COLUMN leaves",
    "ALTER TABLE journal_link DISABLE TRIGGER append_only",
    "DELETE FROM journal_link",
    "ALTER TABLE journal_link ENABLE TRIGGER append_only",
    """
    CREATE FUNCTION fill_event_party() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        SELECT kind, family, status, verification, direction, regime, measure, countries
        INTO NEW.kind, NEW.family, NEW.status, NEW.verification, NEW.direction, NEW.regime,
            NEW.measure, NEW.countries
        FROM event WHERE id = NEW.event;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER filled BEFORE INSERT ON event_party
        FOR EACH ROW WHEN (NEW.kind IS NULL) EXECUTE FUNCTION fill_event_party()
    """,
    "ALTER TABLE event_party ENABLE ALWAYS TRIGGER filled",
    "UPDATE projection_state SET stale = EXISTS (SELECT FROM event_revision)",
)


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWNGRADE:
        op.execute(statement)
