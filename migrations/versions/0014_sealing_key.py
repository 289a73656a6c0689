"""The register's own sealing key: what it hands out and takes back unchanged is sealed with it.

The key belongs to the database, so that all workers have the same one, and a register restored from
a backup takes the cursors that were handed out before.
"""

from alembic import op

revision = "0014"
down_revision = "0013"

STATEMENTS = (
    """
    CREATE TABLE sealing_key (
        key BYTEA NOT NULL,
        CONSTRAINT pk_sealing_key PRIMARY KEY (key),
        CONSTRAINT ck_sealing_key_has_256_bits CHECK (octet_length(key) = 32)
    )
    """,
    # A random UUID holds 122 random bits: three of them make more than the 256 that are kept.
    """
    INSERT INTO sealing_key
    SELECT sha256(string_agg(uuid_send(gen_random_uuid()), CAST('' AS bytea)))
    FROM generate_series(1, 3)
    """,
    "GRANT SELECT ON sealing_key TO chancery_reader, chancery_writer",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE sealing_key")
