"""`marts_personal`: who is meant, one view a table that names persons, for roles that may read it.

A view shows what of the table counted on the business date that is published now: it follows publish and roll-back, and no version
of a mart holds a name.
"""

from __future__ import annotations

import psycopg

from include.contracts import Table, all_tables


def ddl() -> str:
    """The statements that make the views anew."""
    views = "\n".join(_view(table) for table in all_tables().values() if table.identifying_columns)
    return f"{_DROP}\n{views}"


def follow_contracts(connection: psycopg.Connection) -> None:
    connection.execute(ddl())


_DROP = """
do $$
declare
    former name;
begin
    for former in select relname from pg_class where relnamespace = 'marts_personal'::regnamespace and relkind = 'v'
    loop
        execute format('drop view marts_personal.%I', former);
    end loop;
end
$$;"""


def _view(table: Table) -> str:
    persons = table.identifying_columns
    others = [c.name for c in table.columns if c.name in table.key or c.name in ("cons_no", "manager_no", "org_no")]
    columns = [f"newest.{name}" for name in others if name not in persons]
    columns += [
        f"coalesce((select case when held.erased_at is null then held.clear_text else 'erased' end"
        f" from vault.clear_texts as held where held.pseudonym = newest.{name}), newest.{name}) as {name}"
        for name in persons
    ]
    read = ", ".join(f"raw.{name}" for name in ("_is_tombstone", *dict.fromkeys([*others, *persons])))
    return f"""
create view marts_personal.{table.name} as
select
    {", ".join(columns)}
from (
    select distinct on (raw._key) {read}
    from {table.raw_name} as raw
    where
        raw._business_date <= (
            select pointer.business_date from publish.pointer as pointer
            where pointer.version > 0
            order by pointer.published_month desc
            limit 1
        )
        and not exists (
            select 1 from quality.quarantined_rows as quarantined
            where quarantined.table_name = '{table.name}' and quarantined.raw_id = raw._raw_id
                and quarantined.released_run is null
        )
    order by raw._key, quality.version_order(raw._business_date, raw._load_id) desc, raw._raw_id desc
) as newest
where not newest._is_tombstone;
comment on view marts_personal.{table.name} is 'Persons of {table.name} as of the published business date.';"""
