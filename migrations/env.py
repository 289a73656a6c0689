"""Runs the migrations on the connection that `app.db.schema.migrate` hands over.

That function holds the advisory lock and sets the timeouts, so that several starting processes
don't collide and no migration makes readers wait long for a lock. Run it through
`chancery migrate`; Alembic's own command line has no connection to offer.
"""

from alembic import context

from app.db import names, projections, register  # noqa: F401 - Their tables belong to the metadata.
from app.db.rights import grant_rights
from app.db.tables import Table

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Table.metadata,
    transaction_per_migration=True,
    on_version_apply=lambda **_: grant_rights(connection),
)
with context.begin_transaction():
    context.run_migrations()
