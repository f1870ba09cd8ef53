"""One login a role: who connects can do what its role may, and become nobody else.

Group roles (`kaw_loader`) belong to the whole server and carry the grants; a login (`<database>_loader`) belongs to one database,
is a member of its group and acts in it, so that what it makes is the group's. `set role none` leads to the login, which may no
more. The owner of the warehouse migrates it and makes these logins, and no night has its address.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg import sql

from include.records import logins
from include.records.logins import SET_OPTION_SINCE, NotAllowed, address_for, database_of, exists
from include.records.migrations import grant_again
from include.records.warehouse import WRITER_SILENCE
from include.settings import LOGINS

ITERATIONS_SINCE = 160000  # from here on a session chooses how dear a guess of a password is
CONNECTIONS = 20
OTHERS = ("airflow", "simulation")  # logins that own a database of their own: Airflow's metadata, the simulated sources


@dataclass(frozen=True)
class Identity:
    """A login of one database; `group` is None for one that owns a database of its own."""

    role: str
    name: str
    group: str | None


def group_of(role: str) -> str:
    return f"kaw_{role}"


def identities(address: str) -> list[Identity]:
    """All logins of a warehouse. Raises ValueError where its name is too long to carry them."""
    database = database_of(address)
    of_roles = [Identity(role, logins.name_of(database, role), group_of(role)) for role in LOGINS]
    return of_roles + [Identity(role, logins.name_of(database, role), None) for role in OTHERS]


def addresses(address: str, passwords: dict[str, str]) -> dict[str, str]:
    """Group role -> address of its login, of those whose password is known."""
    return {
        each.group: address_for(address, each.name, passwords[each.name])
        for each in identities(address)
        if each.group and each.name in passwords
    }


def user_of(address: str) -> tuple[str, str]:
    """Login and password of an address."""
    parts = urlsplit(address)
    return unquote(parts.username or ""), unquote(parts.password or "")


def missing(conn: psycopg.Connection, address: str) -> list[Identity]:
    """The logins that this server lacks, or that are no members of their group."""
    wanted = identities(address)
    found = {
        name
        for (name,) in conn.execute(
            "select wanted.name from unnest(%s::text[], %s::text[]) as wanted (name, group_name)"
            " inner join pg_roles as logins on wanted.name = logins.rolname"
            " left join pg_roles as groups on wanted.group_name = groups.rolname"
            " where logins.rolcanlogin and (wanted.group_name is null or pg_has_role(logins.oid, groups.oid, 'usage'))",
            [[each.name for each in wanted], [each.group for each in wanted]],
        )
    }
    return [each for each in wanted if each.name not in found]


def grant_where_missing(conn: psycopg.Connection) -> None:
    """The grants once more, where a role was made after they were given."""
    if conn.execute(
        "select exists (select 1 from pg_roles where rolname = any(%s) and not has_schema_privilege(oid, 'quality', 'usage'))",
        [[group_of(role) for role in LOGINS]],
    ).fetchone()[0]:
        grant_again(conn)


def make(conn: psycopg.Connection, wanted: list[Identity], passwords: dict[str, str]) -> None:
    """These logins as they should be, in one transaction. Raises NotAllowed, with what somebody who may has to run."""
    statements = statements_for(conn, wanted, passwords)
    try:
        with conn.transaction():
            for statement in statements:
                conn.execute(statement)
            grant_where_missing(conn)
    except psycopg.errors.InsufficientPrivilege as error:
        why = " ".join(filter(None, [error.diag.message_primary, error.diag.message_detail]))
        raise NotAllowed([f"{statement.as_string(conn)};" for statement in statements], why) from error


def statements_for(conn: psycopg.Connection, wanted: list[Identity], passwords: dict[str, str]) -> list[sql.Composed]:
    """What makes them. Passwords go as the verifiers that the server keeps; each is 24 random bytes, so one round of SCRAM does."""
    if conn.info.server_version >= ITERATIONS_SINCE:
        conn.execute("set scram_iterations = 1")
    owner = sql.Identifier(conn.execute("select session_user").fetchone()[0])
    database = sql.Identifier(conn.info.dbname)
    may_become = sql.SQL(" with inherit true, set true" if conn.info.server_version >= SET_OPTION_SINCE else "")
    made = []
    for each in wanted:
        name = sql.Identifier(each.name)
        if each.group:
            group = sql.Identifier(each.group)
            if not exists(conn, each.group):
                made.append(sql.SQL("create role {} nologin").format(group))
            if not _is_member(conn, each.group):
                made.append(sql.SQL("grant {} to {}").format(group, owner))
        verifier = conn.pgconn.encrypt_password(
            passwords[each.name].encode(), each.name.encode(), b"scram-sha-256"
        ).decode()
        made.append(
            sql.SQL("{} role {} login connection limit {} password {}").format(
                sql.SQL("alter" if exists(conn, each.name) else "create"),
                name,
                sql.Literal(CONNECTIONS if each.group else -1),
                sql.Literal(verifier),
            )
        )
        made.append(sql.SQL("grant {} to {}{}").format(name, owner, may_become))  # who may end its sessions
        if each.group:
            made.append(
                sql.SQL("alter role {} in database {} set idle_in_transaction_session_timeout = {}").format(
                    name, database, sql.Literal(WRITER_SILENCE)
                )
            )
            made.append(sql.SQL("grant {} to {}{}").format(sql.Identifier(each.group), name, may_become))
            if not _everybody_connects(conn):
                made.append(sql.SQL("grant connect on database {} to {}").format(database, name))
            made.append(
                sql.SQL("alter role {} in database {} set role = {}").format(name, database, sql.Literal(each.group))
            )
    return made


def _everybody_connects(conn: psycopg.Connection) -> bool:
    return conn.execute("select has_database_privilege('public', current_database(), 'connect')").fetchone()[0]


def _is_member(conn: psycopg.Connection, role: str) -> bool:
    found = conn.execute("select pg_has_role(oid, 'member') from pg_roles where rolname = %s", [role]).fetchone()
    return bool(found and found[0])


def hand_over(conn: psycopg.Connection, database: str, name: str) -> bool:
    """Makes a login the owner of a database, made where it is missing; whether its relations are still another's.

    Raises psycopg.errors.InsufficientPrivilege where databases may not be made here.
    """
    found = conn.execute("select pg_get_userbyid(datdba) from pg_database where datname = %s", [database]).fetchone()
    if found is None:
        conn.execute(sql.SQL("create database {} owner {}").format(sql.Identifier(database), sql.Identifier(name)))
    elif found[0] != name:
        conn.execute(sql.SQL("alter database {} owner to {}").format(sql.Identifier(database), sql.Identifier(name)))
        return True
    return False


def hand_over_relations(conn: psycopg.Connection, name: str) -> None:
    """What another login has made in schema public of this database: tables with their sequences and indexes, views, types."""
    for (statement,) in conn.execute(
        """
        select format('alter %%s public.%%I owner to %%I',
            case relkind when 'v' then 'view' when 'S' then 'sequence' else 'table' end, relname, %(plain)s::text)
        from pg_class
        where
            relnamespace = 'public'::regnamespace
            and relkind in ('r', 'p', 'v', 'S')
            and relowner <> %(name)s::regrole
            and pg_has_role(relowner, 'usage')
            and not (relkind = 'S' and exists (
                select 1 from pg_depend where classid = 'pg_class'::regclass and objid = pg_class.oid and deptype in ('a', 'i')
            ))
        union all
        select format('alter type public.%%I owner to %%I', typname, %(plain)s::text)
        from pg_type
        where
            typnamespace = 'public'::regnamespace
            and typtype in ('e', 'd')
            and typowner <> %(name)s::regrole
            and pg_has_role(typowner, 'usage')
        """,
        {"name": sql.Identifier(name).as_string(conn), "plain": name},
    ).fetchall():
        conn.execute(statement)
