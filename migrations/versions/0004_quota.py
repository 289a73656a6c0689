"""Quota: how often each key has written in the running minute."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("ALTER TABLE api_key ADD COLUMN writes INTEGER DEFAULT 0 NOT NULL")
    op.execute("ALTER TABLE api_key ADD COLUMN minute_ends TIMESTAMP WITH TIME ZONE")


def downgrade() -> None:
    op.execute("ALTER TABLE api_key DROP COLUMN writes, DROP COLUMN minute_ends")
