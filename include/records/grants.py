"""Grants, made from one file: include/sql/grants.yml says who may do what, and nothing else gives or takes a right.

Everything in the project's schemas is taken from the roles and given anew, in the caller's transaction. Row-level security
belongs to the relations and lies in include/sql/repeatable.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import psycopg
import yaml
from psycopg import sql

from include.records.database import SCHEMAS

FILE = Path(__file__).parent.parent / "sql" / "grants.yml"
VERBS = ("select", "insert", "update", "delete", "truncate", "references", "trigger")
BUILT = ("staging", "warehouse", "candidate")  # the transformer owns what is in them
TRANSFORMER = "kaw_transformer"
OF_READERS = (
    "kaw_bi_reader",
    "kaw_account_manager",
)  # their logins are made by ./kaw bi, with the schemas of their own
MART = "<mart>"
SCOPED = "select by scope"


@dataclass(frozen=True)
class On:
    """Verbs on a relation, on columns of it, on `*` of a schema, or on the stored table of every published model (`<mart>`)."""

    verbs: tuple[str, ...]
    schema: str
    relation: str
    columns: tuple[str, ...] = ()
    but: frozenset[str] = frozenset()

    def covers(self, schema: str, relation: str, is_mart: bool) -> bool:
        if schema != self.schema or relation in self.but:
            return False
        return self.relation in ("*", relation) or (self.relation == MART and is_mart)


@dataclass(frozen=True)
class Role:
    """What a group role may do: schemas to use and to create in, verbs on relations, sequences to draw from, functions to call."""

    name: str
    does: str
    use: tuple[str, ...] = ()
    create: tuple[str, ...] = ()
    is_temporary: bool = False
    on: tuple[On, ...] = ()
    usage: tuple[str, ...] = ()
    execute: tuple[str, ...] = ()
    by_scope: frozenset[str] = field(default=frozenset())  # schemas in which publish.protect grants

    def verbs(self, schema: str, relation: str, is_mart: bool) -> set[str]:
        """What it may do on all of a relation."""
        return {v for on in self.on if not on.columns and on.covers(schema, relation, is_mart) for v in on.verbs}

    def columns(self, schema: str, relation: str) -> dict[str, set[str]]:
        """Verb -> columns of a relation that it may do this on, where it is not all of them."""
        found: dict[str, set[str]] = {}
        for on in self.on:
            if on.columns and (on.schema, on.relation) == (schema, relation):
                for verb in on.verbs:
                    found.setdefault(verb, set()).update(on.columns)
        return found


@cache
def roles() -> dict[str, Role]:
    """Role -> what the file says of it."""
    told = yaml.safe_load(FILE.read_text())
    found = {}
    for name, lines in told.items():
        on = [each for verbs, objects in lines.items() if _is_verbs(verbs) for each in _on(verbs, objects)]
        found[name] = Role(
            name,
            lines["does"],
            tuple(lines.get("use", [])) + tuple(lines.get("create", [])),
            tuple(lines.get("create", [])),
            "temporary" in lines,
            tuple(on),
            tuple(lines.get("usage", [])),
            tuple(lines.get("execute", [])),
            frozenset(each.partition(".")[0] for each in lines.get(SCOPED, [])),
        )
    return found


def _verbs(line: str) -> tuple[str, ...]:
    return tuple(verb.strip() for verb in line.split(","))


def _is_verbs(line: str) -> bool:
    return set(_verbs(line)) <= set(VERBS)


def _on(verbs: str, objects: list[str]) -> list[On]:
    out = {name[1:] for name in objects if name.startswith("!")}
    found = []
    for text in objects:
        if text.startswith("!"):
            continue
        place, _, columns = text.partition(" (")
        schema, _, relation = place.partition(".")
        listed = tuple(re.findall(r"\w+", columns))
        but = frozenset(name.partition(".")[2] for name in out if name.startswith(f"{schema}."))
        found.append(On(_verbs(verbs), schema, relation, listed, but if relation == "*" else frozenset()))
    return found


def text() -> str:
    """What a change of the grants shows in, for the record of migrations."""
    return FILE.read_text() + Path(__file__).read_text()


def apply(conn: psycopg.Connection) -> None:
    """The rights of every role as the file has them, those of before taken away. A role that the server lacks is passed over.

    Raises psycopg.errors.InsufficientPrivilege where this login owns less than the schemas of the warehouse.
    """
    present = {name for (name,) in conn.execute("select rolname from pg_roles where rolname like 'kaw\\_%'")}
    marts = {name for (name,) in conn.execute("select relation from publish.scopes")}
    relations = conn.execute(
        "select nspname, relname from pg_class inner join pg_namespace on relnamespace = pg_namespace.oid"
        " where nspname = any(%s) and relkind in ('r', 'p', 'v', 'm', 'f')",
        [list(SCHEMAS)],
    ).fetchall()
    _functions(conn, present)
    for role in roles().values():
        if role.name in present:
            _schemas(conn, role)
            _relations(conn, role, relations, marts)
            _later(conn, role, present)


def _functions(conn: psycopg.Connection, present: set[str]) -> None:
    """Who may call a function that runs with the owner's rights; by default everybody could."""
    for (function,) in conn.execute(
        "select pg_proc.oid::regprocedure::text from pg_proc inner join pg_namespace on pronamespace = pg_namespace.oid"
        " where prosecdef and nspname = any(%s)",
        [list(SCHEMAS)],
    ).fetchall():
        everybody = ", ".join(["public", *sorted(present & roles().keys())])
        conn.execute(f"revoke all on function {function} from {everybody}")
    for role in roles().values():
        for function in role.execute if role.name in present else ():
            conn.execute(f"grant execute on function {function} to {role.name}")


def _schemas(conn: psycopg.Connection, role: Role) -> None:
    database = sql.Identifier(conn.info.dbname).as_string(conn)
    conn.execute(f"revoke all on schema {', '.join(SCHEMAS)} from {role.name}")
    # who may connect is each login's own: the groups are shared by all databases of the server
    conn.execute(f"revoke all on database {database} from {role.name}")
    rights = ["connect"] * (role.name in OF_READERS) + ["temporary"] * role.is_temporary
    if rights:
        conn.execute(f"grant {', '.join(rights)} on database {database} to {role.name}")
    for schema in role.use:
        conn.execute(f"grant usage on schema {schema} to {role.name}")
    for schema in role.create:
        conn.execute(f"grant create on schema {schema} to {role.name}")
    conn.execute(f"revoke all on all sequences in schema {', '.join(SCHEMAS)} from {role.name}")
    for sequence in role.usage:
        conn.execute(f"grant usage on sequence {sequence} to {role.name}")


def _relations(conn: psycopg.Connection, role: Role, relations: list[tuple[str, str]], marts: set[str]) -> None:
    """Only what differs is written: a statement for each of a thousand relations would take seconds."""
    present = _granted(conn, role.name)
    for schema, relation in relations:
        if role.name == TRANSFORMER and schema in BUILT:
            continue  # its own
        if schema in role.by_scope and (relation in marts or schema == "marts") and relation != "publication":
            continue
        name = sql.Identifier(schema, relation).as_string(conn)
        wanted = role.verbs(schema, relation, relation in marts)
        columns = role.columns(schema, relation)
        found, found_columns = present.get((schema, relation), (set(), {}))
        if found == wanted and found_columns == columns:
            continue
        conn.execute(f"revoke all on {name} from {role.name}")  # of its columns too
        if wanted:
            conn.execute(f"grant {', '.join(sorted(wanted))} on {name} to {role.name}")
        for verb, listed in columns.items():
            conn.execute(f"grant {verb} ({', '.join(sorted(listed))}) on {name} to {role.name}")


def _granted(conn: psycopg.Connection, role: str) -> dict[tuple[str, str], tuple[set[str], dict[str, set[str]]]]:
    """Relation -> verbs granted on all of it, and verb -> columns; what a role has by ownership or by membership is not among them."""
    found: dict[tuple[str, str], tuple[set[str], dict[str, set[str]]]] = {}
    for schema, relation, column, verb in conn.execute(
        """
        select nspname, relname, null, lower(acl.privilege_type)
        from pg_class
        inner join pg_namespace on relnamespace = pg_namespace.oid
        cross join lateral aclexplode(relacl) as acl
        where nspname = any(%(schemas)s) and acl.grantee = %(role)s::regrole and relkind <> 'S'
        union all
        select nspname, relname, attname, lower(acl.privilege_type)
        from pg_attribute
        inner join pg_class on attrelid = pg_class.oid
        inner join pg_namespace on relnamespace = pg_namespace.oid
        cross join lateral aclexplode(attacl) as acl
        where nspname = any(%(schemas)s) and acl.grantee = %(role)s::regrole
        """,
        {"schemas": list(SCHEMAS), "role": role},
    ):
        verbs, columns = found.setdefault((schema, relation), (set(), {}))
        columns.setdefault(verb, set()).add(column) if column else verbs.add(verb)
    return found


def _later(conn: psycopg.Connection, role: Role, present: set[str]) -> None:
    """The same for relations to come: dbt makes its tables anew, publishing makes a table and two views a model."""
    for schema in (*BUILT, "publish", "marts"):
        verbs = sorted({v for on in role.on if on.schema == schema and on.relation in ("*", MART) for v in on.verbs})
        makers = ["current_user"] + ([TRANSFORMER] if schema in BUILT and TRANSFORMER in present else [])
        for maker in makers:
            if maker == role.name or (maker == TRANSFORMER and not _may_act_as(conn, TRANSFORMER)):
                continue
            told = f"alter default privileges for role {maker} in schema {schema}"
            conn.execute(f"{told} revoke all on tables from {role.name}")
            if verbs:
                conn.execute(f"{told} grant {', '.join(verbs)} on tables to {role.name}")


def _may_act_as(conn: psycopg.Connection, role: str) -> bool:
    return conn.execute("select pg_has_role(%s, 'usage')", [role]).fetchone()[0]
