"""The register: parties, regimes, revisions and the projections that are read."""

from alembic import op

revision = "0001"
down_revision = None

STATEMENTS = (
    """
    CREATE TABLE party (
        id TEXT COLLATE "C" NOT NULL,
        name TEXT NOT NULL,
        kind TEXT NOT NULL,
        country TEXT COLLATE "C",
        aliases TEXT[] NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
        CONSTRAINT pk_party PRIMARY KEY (id),
        CONSTRAINT ck_party_kind_known CHECK (kind IN (
            'state', 'government', 'organisation', 'intergovernmental', 'person', 'group'
        ))
    )
    """,
    """
    CREATE TABLE party_name (
        folded TEXT COLLATE "C" NOT NULL,
        party TEXT COLLATE "C" NOT NULL,
        CONSTRAINT pk_party_name PRIMARY KEY (folded, party),
        CONSTRAINT fk_party_name_party FOREIGN KEY(party) REFERENCES party (id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX ix_party_name_party ON party_name (party)",
    """
    CREATE TABLE regime (
        code TEXT COLLATE "C" NOT NULL,
        issuer TEXT COLLATE "C" NOT NULL,
        name TEXT NOT NULL,
        aliases TEXT[] NOT NULL,
        legal_basis TEXT,
        removal TEXT,
        recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
        CONSTRAINT pk_regime PRIMARY KEY (code),
        CONSTRAINT fk_regime_issuer FOREIGN KEY(issuer) REFERENCES party (id)
    )
    """,
    """
    CREATE TABLE event_revision (
        event TEXT COLLATE "C" NOT NULL,
        revision INTEGER NOT NULL,
        seq BIGINT NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        action TEXT NOT NULL,
        by TEXT NOT NULL,
        note TEXT,
        facts JSONB NOT NULL,
        CONSTRAINT pk_event_revision PRIMARY KEY (event, revision),
        CONSTRAINT uq_event_revision_seq UNIQUE (seq),
        CONSTRAINT ck_event_revision_action_known CHECK (action IN (
            'record', 'correct', 'retract', 'restore', 'merge'
        )),
        CONSTRAINT ck_event_revision_revision_positive CHECK (revision >= 1),
        CONSTRAINT ck_event_revision_seq_positive CHECK (seq >= 1)
    )
    """,
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
    """
    CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON event_revision
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """,
    """
    CREATE TABLE event (
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
        CONSTRAINT pk_event PRIMARY KEY (id),
        CONSTRAINT fk_event_id_revision FOREIGN KEY(id, revision)
            REFERENCES event_revision (event, revision),
        CONSTRAINT ck_event_kind_known CHECK (kind IN (
            'designation.suspend', 'designation.delist', 'designation.expire',
            'designation.exempt', 'designation.list', 'designation.reinstate',
            'designation.amend', 'designation.maintain', 'recognition.grant',
            'recognition.refuse', 'recognition.withdraw', 'relations.establish',
            'relations.resume', 'relations.upgrade', 'relations.suspend', 'relations.sever',
            'relations.downgrade', 'mission.open', 'mission.resume_consular',
            'mission.resume_operations', 'mission.upgrade', 'mission.withdraw_staff',
            'mission.suspend_operations', 'mission.close', 'mission.downgrade',
            'mission.relocate', 'mission.handover', 'accreditation.nominate',
            'accreditation.grant_agrement', 'accreditation.arrive',
            'accreditation.receive_credentials_copy', 'accreditation.accept_credentials',
            'accreditation.name_charge', 'accreditation.refuse_agrement',
            'accreditation.recall', 'accreditation.declare_persona_non_grata',
            'accreditation.end', 'legislation.introduce', 'legislation.pass_reading',
            'legislation.adopt', 'legislation.sign', 'legislation.enter_into_force',
            'legislation.reject', 'legislation.withdraw', 'judicial.petition',
            'judicial.rule', 'judicial.appeal', 'executive.decide', 'executive.order',
            'executive.recommend', 'statement.endorse', 'statement.welcome',
            'statement.condemn', 'statement.announce', 'statement.intend', 'statement.deny',
            'consult.visit', 'consult.meet', 'control.change_of_government',
            'control.territorial_control'
        )),
        CONSTRAINT ck_event_family_known CHECK (family IN (
            'designation', 'recognition', 'relations', 'mission', 'accreditation',
            'legislation', 'judicial', 'executive', 'statement', 'consult', 'control'
        )),
        CONSTRAINT ck_event_status_known CHECK (status IN (
            'signalled', 'proposed', 'adopted', 'in_effect', 'rejected', 'withdrawn',
            'commentary'
        )),
        CONSTRAINT ck_event_verification_known CHECK (verification IN (
            'claimed', 'reported', 'confirmed', 'disputed'
        )),
        CONSTRAINT ck_event_direction_known CHECK (direction IN (
            'easing', 'tightening', 'neutral'
        )),
        CONSTRAINT ck_event_earliest_not_after_latest CHECK (earliest <= latest),
        CONSTRAINT fk_event_regime FOREIGN KEY(regime) REFERENCES regime (code)
    )
    """,
    "CREATE INDEX ix_event_measure ON event (measure, latest, earliest, id)",
    "CREATE INDEX ix_event_newest ON event (latest, earliest, id)",
    "CREATE INDEX ix_event_regime ON event (regime, latest, earliest, id)",
    "CREATE INDEX ix_event_updated ON event (updated_at, id)",
    """
    CREATE TABLE event_party (
        event TEXT COLLATE "C" NOT NULL,
        position INTEGER NOT NULL,
        party TEXT COLLATE "C" NOT NULL,
        role TEXT NOT NULL,
        country TEXT COLLATE "C",
        earliest DATE NOT NULL,
        latest DATE NOT NULL,
        CONSTRAINT pk_event_party PRIMARY KEY (event, position),
        CONSTRAINT ck_event_party_role_known CHECK (role IN (
            'actor', 'subject', 'proposer', 'mentioned'
        )),
        CONSTRAINT fk_event_party_event FOREIGN KEY(event) REFERENCES event (id) ON DELETE CASCADE,
        CONSTRAINT fk_event_party_party FOREIGN KEY(party) REFERENCES party (id)
    )
    """,
    "CREATE INDEX ix_event_party_country ON event_party (country, latest, earliest, event)",
    "CREATE INDEX ix_event_party_party ON event_party (party, role, latest, earliest, event)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE event_party, event, event_revision, regime, party_name, party")
    op.execute("DROP FUNCTION refuse_change()")
