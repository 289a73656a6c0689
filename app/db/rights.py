"""What the service may do to the register, whoever it logs in as: two roles, and their rights.

The reader may look; the writer may add revisions and never change or remove one. Neither owns
anything, so neither can drop the guard. Nobody logs in as one of them: the service's pools take
them on after logging in, where they may; otherwise they go on with the rights of the login.

Roles belong to the whole server. The first register there has `chancery_reader` and
`chancery_writer`; one whose owner has nothing to do with those has roles named after its database,
so that no register's owner can read or write another's.
"""

from typing import Any, NamedTuple

from asyncpg.exceptions import InsufficientPrivilegeError
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db.connections import ReadConnection
from app.db.failures import cause_of

ADD = ("INSERT",)
KEEP = ("INSERT", "UPDATE")
PROJECT = ("INSERT", "UPDATE", "DELETE")

WRITER_RIGHTS: dict[str, tuple[str, ...]] = {
    "alembic_version": (),
    "event_revision": ADD,
    "reference_revision": ADD,
    "journal_link": ADD,
    "party": PROJECT,
    "regime": PROJECT,
    "api_key": KEEP,
    "change_number": ("UPDATE",),
    "projection_state": ("UPDATE",),
    "sealing_key": (),
    "party_name": PROJECT,
    "party_words": PROJECT,
    "event": PROJECT,
    "event_party": PROJECT,
    "event_pair": PROJECT,
    "event_count": PROJECT,
    "past_event": PROJECT,
    "past_event_party": PROJECT,
    "past_event_pair": PROJECT,
    "idempotent_answer": PROJECT,
}
"""What the writer may do to each table besides reading it; the reader may read all of them."""


class Roles(NamedTuple):
    """The names of the two roles of a register."""

    reader: str
    writer: str


SHARED = Roles("chancery_reader", "chancery_writer")

# Since PostgreSQL 16 who has made a role is its member, but may not take it on.
_MAY_TAKE_ON = """
    pg_has_role(oid, CASE
        WHEN CAST(current_setting('server_version_num') AS integer) >= 160000 THEN 'SET'
        ELSE 'MEMBER'
    END)
"""

TAKE_ON = f"""
    SELECT set_config('role', CAST((
        SELECT rolname FROM pg_roles
        WHERE rolname IN ($1, CAST(current_database() || $2 AS name)) AND {_MAY_TAKE_ON}
            AND has_table_privilege(oid, to_regclass('event_revision'), 'SELECT')
        ORDER BY rolname = $1 DESC LIMIT 1
    ) AS text), false)
"""  # noqa: S608 - Put together from constants of ours.
"""Takes on a register's role, where there is one that may be: of a pair's names, the shared one,
and what the other one has behind the database's name. On an unmigrated database there is none."""

READER = (SHARED.reader, "_reader")
WRITER = (SHARED.writer, "_writer")

_EXISTING = text("""
    SELECT count(*) AS made, bool_and(
        pg_has_role(oid, 'MEMBER')
        OR coalesce(has_table_privilege(oid, to_regclass('event_revision'), 'SELECT'), false)
    ) AS ours
    FROM pg_roles WHERE rolname IN (CAST(:reader AS name), CAST(:writer AS name))
""")
_MAY_CREATE = text("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user")
# Another database of the server may just be making it, too.
_CREATE = """
    DO $$ BEGIN
        CREATE ROLE {role} NOLOGIN;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
    END $$
"""
_NOT_TAKEN_ON = text(
    f"SELECT rolname FROM pg_roles WHERE rolname = CAST(:role AS name) AND NOT {_MAY_TAKE_ON}"  # noqa: S608
)
_MISSING = text("""
    SELECT needed.relation, needed.privilege
    FROM unnest(CAST(:tables AS text[]), CAST(:privileges AS text[]))
        AS needed (relation, privilege)
    WHERE NOT has_table_privilege(
        CAST(:role AS name), to_regclass(needed.relation), needed.privilege
    )
""")
_MAY_ENTER = text("SELECT has_schema_privilege(CAST(:role AS name), 'public', 'USAGE')")


def grant_rights(connection: Connection) -> None:
    """Give a register's roles the rights that they lack; make the roles if there are none.

    Where they can't be made nothing happens, and the service does without them. This is to run in
    the transaction of each migration, so that a service that is running can use what that made.
    """
    for roles in (SHARED, _roles_of_database(connection)):
        made, ours = connection.execute(_EXISTING, roles._asdict()).one()
        if made == 0 and connection.scalar(_MAY_CREATE):
            for role in roles:
                connection.execute(text(_CREATE.format(role=_quoted(connection, role))))
        elif made < len(roles) or not ours:
            continue
        for role in roles:
            _join(connection, role)
            _grant_tables(connection, role, writes=role == roles.writer)
        return


def take_on(role: tuple[str, str], *pools: AsyncEngine) -> None:
    """Let every connection of pools take on a role that may do no more than they need."""

    def set_role(connection: Any, _: Any) -> None:
        # Within a transaction the role would be lost when that is rolled back.
        before, connection.autocommit = connection.autocommit, True
        cursor = connection.cursor()
        cursor.execute(TAKE_ON, role)
        cursor.close()
        connection.autocommit = before

    for pool in pools:
        event.listen(pool.sync_engine, "connect", set_role)


async def has_roles(connection: ReadConnection) -> bool:
    """Tell whether a pooled connection has taken on a role, or has all rights of its login."""
    role: str = await connection.scalar(text("SELECT current_setting('role')"))
    return role != "none"


def _roles_of_database(connection: Connection) -> Roles:
    database = connection.scalar(text("SELECT current_database()"))
    return Roles(database + READER[1], database + WRITER[1])


def _join(connection: Connection, role: str) -> None:
    """Let who migrates take a role on, if that is in their power; else it is for others."""
    if connection.scalar(_NOT_TAKEN_ON, {"role": role}) is None:
        return
    try:
        with connection.begin_nested():
            connection.execute(text(f"GRANT {_quoted(connection, role)} TO CURRENT_USER"))
    except DBAPIError as error:
        if not isinstance(cause_of(error), InsufficientPrivilegeError):
            raise


def _grant_tables(connection: Connection, role: str, *, writes: bool) -> None:
    name = _quoted(connection, role)
    if not connection.scalar(_MAY_ENTER, {"role": role}):
        connection.execute(text(f"GRANT USAGE ON SCHEMA public TO {name}"))
    needed = [
        (table, privilege)
        for table, rights in WRITER_RIGHTS.items()
        for privilege in ("SELECT", *(rights if writes else ()))
    ]
    tables, privileges = zip(*needed, strict=True)
    given = {"role": role, "tables": list(tables), "privileges": list(privileges)}
    for table, privilege in connection.execute(_MISSING, given).all():
        connection.execute(text(f"GRANT {privilege} ON {table} TO {name}"))


def _quoted(connection: Connection, role: str) -> str:
    return connection.dialect.identifier_preparer.quote(role)
