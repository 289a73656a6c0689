"""Roles: their rights are granted after every migration, by app/db/rights.py."""

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
