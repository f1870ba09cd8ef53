"""Schemas beside the warehouse in which a preview builds, and sessions that read them in place of the warehouse's own.

Whatever is not built there is a view of what the warehouse has, so every relation has its counterpart: `staging.x` is
`preview_staging.x`. The schemas are of one preview; the next one, or the next night, drops what a killed one left.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql

from include.records.warehouse import Warehouse
from include.transform.schemas import ALL, BESIDE, BUILT, DELIVERED, STATE

_RELATION = re.compile(rf"(?<![\w.])({'|'.join(BUILT)})\.(?=\w)")
_OF_BUILT = rf"(^|[^\w.])({'|'.join(BUILT)})\.\w"  # the same as PostgreSQL's pattern
_STATE = f"""
create table {STATE}.asked (model text primary key);
create table {STATE}.changed (model text primary key);

create function {STATE}.is_due(of_model text, read text[]) returns boolean
language sql stable as $$
    select
        exists (select 1 from {STATE}.asked where model = of_model)
        or exists (select 1 from {STATE}.changed where model = any (read))
$$;

-- Notes a relation of which a row differs from the warehouse's, or that the warehouse does not have with these columns.
create function {STATE}.note(of_model text, beside regclass, own_name text) returns void
language plpgsql as $$
declare
    own regclass := to_regclass(own_name);
    columns constant text := 'select array_agg(attname || '' '' || atttypid order by attnum) from pg_attribute'
        ' where attrelid = $1 and attnum > 0 and not attisdropped';
    of_own text[];
    of_beside text[];
    is_other boolean := true;
begin
    execute columns into of_own using own;
    execute columns into of_beside using beside;
    if of_own = of_beside then
        execute format(
            'select exists ('
            ' select 1 from ('
            '  select hash_record_extended(now, 0) as hash_1, hash_record_extended(now, 1) as hash_2, 1 as copies from %s as now'
            '  union all'
            '  select hash_record_extended(before, 0), hash_record_extended(before, 1), -1 from %s as before'
            ' ) as both_states group by hash_1, hash_2 having sum(copies) <> 0)', beside, own
        ) into is_other;
    end if;
    if is_other then
        insert into {STATE}.changed values (of_model) on conflict do nothing;
    end if;
end
$$;
"""


def _beside(query):
    """A query of the product with the counterparts of what it reads."""
    if isinstance(query, sql.Composable):
        query = query.as_string()
    if isinstance(query, bytes):
        query = query.decode()
    return _RELATION.sub(rf"{BESIDE}\1.", query)


class _Reads:
    """A cursor whose queries read what is beside, and call what was made there of functions that read a built relation."""

    def execute(self, query, *arguments, **options):
        return super().execute(self.connection.put_beside(query), *arguments, **options)

    def executemany(self, query, *arguments, **options):
        return super().executemany(self.connection.put_beside(query), *arguments, **options)

    def copy(self, statement, *arguments, **options):
        return super().copy(self.connection.put_beside(statement), *arguments, **options)


class _Cursor(_Reads, psycopg.Cursor):
    pass


class _ClientCursor(_Reads, psycopg.ClientCursor):
    pass


class _Connection(psycopg.Connection):
    client_cursor = _ClientCursor
    functions: re.Pattern | None = None

    def put_beside(self, query):
        text = _beside(query)
        return self.functions.sub(f"{STATE}.\\1", text) if self.functions else text


@dataclass(frozen=True)
class Beside(Warehouse):
    """The warehouse as a preview sees it: its sessions read the relations beside it. Records (`quality`) are the warehouse's."""

    functions: tuple[str, ...] = ()  # of schema quality, whose counterparts are in the schema of the preview's state

    @contextmanager
    def connect(self, *, autocommit: bool = False) -> Iterator[psycopg.Connection]:
        with _Connection.connect(
            self.address, options=self.session_options, autocommit=autocommit, cursor_factory=_Cursor
        ) as connection:
            if self.functions:
                connection.functions = re.compile(rf"quality\.({'|'.join(self.functions)})(?=\()")
            yield connection

    @property
    def own(self) -> Warehouse:
        return Warehouse(self.address)


def make(warehouse: Warehouse, records: list[str]) -> Beside:
    """The schemas, with a view of each relation of the warehouse and of these tables of `quality`; what was there goes first."""
    with warehouse.connect() as connection:
        drop(connection)
        for schema in (name for name in ALL if name != DELIVERED):
            connection.execute(f"create schema {schema}")
        connection.execute(_STATE)
        show_own(connection, BUILT)
        for name in records:
            connection.execute(f"create view {BESIDE}quality.{name} as select * from quality.{name}")
        connection.execute(f"drop view if exists {BESIDE}quality.current_run")
        connection.execute(f"create table {BESIDE}quality.current_run as select * from quality.current_run")
        functions = connection.execute(
            "select proname, pg_get_functiondef(pg_proc.oid) from pg_proc"
            " where pronamespace = 'quality'::regnamespace and prosrc ~ %s",
            (_OF_BUILT,),
        ).fetchall()
        for name, definition in functions:
            connection.execute(_beside(definition.replace(f"quality.{name}", f"{STATE}.{name}", 1)))
    return Beside(warehouse.address, functions=tuple(name for name, _ in functions))


def show_own(connection: psycopg.Connection, schemas: tuple[str, ...], but: set[str] = frozenset()) -> None:
    """Views of all that the warehouse has in these schemas, `but` these relations."""
    relations = connection.execute(
        "select relnamespace::regnamespace::text, relname from pg_class"
        " where relnamespace::regnamespace::text = any (%s) and relkind in ('r', 'p', 'v', 'm')",
        (list(schemas),),
    ).fetchall()
    for schema, name in relations:
        if name not in but:
            connection.execute(f"create view {BESIDE}{schema}.{name} as select * from {schema}.{name}")


def set_delivered_aside(connection: psycopg.Connection, kept: set[str]) -> None:
    """Staging beside as the warehouse has it, but for `kept`, which stay as they were built.

    A gate's transaction that is still open holds what it has read, so the tables stay where they are and their schema gets
    another name.
    """
    connection.execute(f"alter schema {BESIDE}staging rename to {DELIVERED}")
    connection.execute(f"create schema {BESIDE}staging")
    built = connection.execute(
        "select relname from pg_class where relnamespace = %s::regnamespace and relkind in ('r', 'v') and relname = any (%s)",
        (DELIVERED, list(kept)),
    ).fetchall()
    for (name,) in built:
        connection.execute(f"create view {BESIDE}staging.{name} as select * from {DELIVERED}.{name}")
    show_own(connection, ("staging",), but={name for (name,) in built})


def drop(connection: psycopg.Connection) -> None:
    """Nothing of a preview any more."""
    found = connection.execute("select nspname from pg_namespace where nspname = any (%s)", (list(ALL),)).fetchall()
    if found:
        connection.execute(f"drop schema {', '.join(name for (name,) in found)} cascade")


def empty(connection: psycopg.Connection, relation: str) -> None:
    """Makes place beside for a relation, whatever is there: `schema.name` of the warehouse."""
    kind = connection.execute(
        "select relkind = 'v' from pg_class where oid = to_regclass(%s)", (BESIDE + relation,)
    ).fetchone()
    if kind:
        connection.execute(f"drop {'view' if kind[0] else 'table'} {BESIDE}{relation} cascade")
