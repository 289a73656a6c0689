"""The audit chain: links that show whether the journal still is what was recorded.

What is recorded already is linked by `chancery migrate` afterwards, in batches beside those who
write; nothing of theirs is locked here. Who goes back drops the chain, and the heads that were
published lead nowhere from then on.
"""

from alembic import op

revision = "0010"
down_revision = "0009"

STATEMENTS = (
    """
    CREATE TABLE journal_link (
        seq BIGINT NOT NULL,
        digest BYTEA NOT NULL,
        head BYTEA NOT NULL,
        CONSTRAINT pk_journal_link PRIMARY KEY (seq),
        CONSTRAINT ck_journal_link_seq_positive CHECK (seq >= 1),
        CONSTRAINT ck_journal_link_digest_is_sha256 CHECK (octet_length(digest) = 32),
        CONSTRAINT ck_journal_link_head_is_sha256 CHECK (octet_length(head) = 32)
    )
    """,
    """
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON journal_link
        FOR EACH ROW EXECUTE FUNCTION refuse_change()
    """,
    """
    CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON journal_link
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE journal_link")
