"""Roles: what the service may do to the register, whoever it logs in as.

`chancery_reader` may look; `chancery_writer` may add revisions and never change or remove one.
Neither owns anything, so neither can drop the guard. Both are roles to be taken on, not to log in
with: the service's pools take them on after logging in.
"""

from alembic import op

revision = "0003"
down_revision = "0002"

READ = (
    "alembic_version, party, party_name, party_revision, regime, event_revision, event,"
    " event_party, past_event, past_event_party, api_key, idempotent_answer"
)
ADD_ONLY = "event_revision, party_revision"
KEEP = "party, regime, api_key"
PROJECT = "party_name, event, event_party, past_event, past_event_party, idempotent_answer"

# Roles belong to the whole server, where another database may just be making them, too.
MAKE_ROLE = """
    DO $$ BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
            CREATE ROLE {role} NOLOGIN;
        END IF;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
    END $$
"""
# Who migrates can take them on; whoever else logs in is made a member by hand.
TAKE_ON = """
    DO $$ BEGIN
        IF NOT pg_has_role(current_user, 'chancery_writer', 'MEMBER') THEN
            EXECUTE format('GRANT chancery_reader, chancery_writer TO %I', current_user);
        END IF;
    END $$
"""
STATEMENTS = (
    MAKE_ROLE.format(role="chancery_reader"),
    MAKE_ROLE.format(role="chancery_writer"),
    TAKE_ON,
    "GRANT USAGE ON SCHEMA public TO chancery_reader, chancery_writer",
    f"GRANT SELECT ON {READ} TO chancery_reader, chancery_writer",
    f"GRANT INSERT ON {ADD_ONLY} TO chancery_writer",
    f"GRANT INSERT, UPDATE ON {KEEP} TO chancery_writer",
    f"GRANT INSERT, UPDATE, DELETE ON {PROJECT} TO chancery_writer",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    # The roles stay: another database of the server may use them.
    op.execute(f"REVOKE ALL ON {READ} FROM chancery_reader, chancery_writer")
    op.execute("REVOKE USAGE ON SCHEMA public FROM chancery_reader, chancery_writer")
