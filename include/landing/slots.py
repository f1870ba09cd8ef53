"""Slots of an interval file join those of their day that landed before: a file that restates 40 slots says nothing of the others.

Raw keeps the merged day as a new version, with the slots that the delivery brought and the minutes of its slots beside it.
"""

from __future__ import annotations

from datetime import date

import psycopg
from psycopg import sql

from include.contracts import Table
from include.landing.delivery import Delivery, FileProblem
from include.landing.manifests import SLOT_MINUTES
from include.records.database import raw_columns

# Columns of a curve's raw table beside the contract's: minutes of its slots, and which slots came (null: a whole row).
TECHNICAL = ("_slot_minutes", "_delivered_slots")


def technical_columns(table: Table, delivery: Delivery | None = None) -> list[str]:
    """Of a raw table; of a delivery, those that it fills."""
    return list(TECHNICAL) if table.curve_slots and (delivery is None or delivery.slot_minutes) else []


def merge_slots(connection: psycopg.Connection, delivery: Delivery, business_date: date) -> None:
    """Completes the days in `arrived` by what is in force of them; a day that this leaves as it was becomes what is in force.

    An empty slot is one that the delivery says nothing of. Raises FileProblem where part of a day came in other slots, or in
    values of the other side of the transformers, than the rest of it that landed before.
    """
    if delivery.slot_minutes is None:
        return
    table = delivery.table
    names = [name for name, _ in raw_columns(table)]
    parts = {
        "raw": sql.SQL(table.raw_name),
        "key": sql.SQL(", ").join(map(sql.Identifier, table.key)),
        "day": business_date,
        "minutes": delivery.slot_minutes,
        "whole": 24 * 60 // delivery.slot_minutes,
        "kept": sql.SQL(", ").join(sql.SQL("{0} = base.{0}").format(sql.Identifier(name)) for name in names),
    }
    connection.execute(
        sql.SQL("""
        alter table arrived add column _slot_minutes smallint, add column _delivered_slots bit(96);
        update arrived set _slot_minutes = {minutes}, _delivered_slots = point_flag::bit(96);

        create temp table base on commit drop as
        with keyed as (
            select ctid as place, _file_line as line, md5(record_send(row({key})))::uuid as _key, _delivered_slots as bits
            from arrived
        )
        select distinct on (keyed._key)
            keyed.place, keyed.line, keyed._key as arrived_key, bit_count(keyed.bits) = {whole} as is_whole, raw.*
        from keyed inner join {raw} as raw on keyed._key = raw._key
        where raw._business_date <= {day}
        order by keyed._key, quality.version_order(raw._business_date, raw._load_id) desc, raw._raw_id desc;
        delete from base where _is_tombstone
        """).format(**parts)
    )
    _refuse_other_slots(connection, delivery)
    connection.execute(
        sql.SQL("""
        update arrived set
            v = (
                select array_agg(coalesce(arrived.v[slot], base.v[slot]) order by slot) from generate_series(1, 96) as slot
            ),
            point_flag = (
                select string_agg(
                    case
                        when arrived.v[slot] is not null then '1'
                        when base.v[slot] is null then '0'
                        else coalesce(nullif(substr(base.point_flag, slot, 1), ''), '1')
                    end,
                    '' order by slot
                )
                from generate_series(1, 96) as slot
            )
        from base
        where base.place = arrived.ctid and not base.is_whole
        """).format(**parts)
    )
    # ctid moved with the update: from here on the key says which row is meant
    connection.execute(
        sql.SQL("""
        update arrived set {kept}
        from base
        where
            base.arrived_key = md5(record_send(row({arrived_key})))::uuid
            and base._slot_minutes = {minutes}
            and base.is_primary = arrived.is_primary
            and base.v = arrived.v
            and (base.point_flag is null or base.point_flag = arrived.point_flag);
        drop table base
        """).format(**parts, arrived_key=sql.SQL(", ").join(sql.Identifier("arrived", name) for name in table.key))
    )


def hashed_resolution(delivery: Delivery) -> str:
    """What the content's hash says more, in SQL: slots that are no quarters are not what the same values in quarters are."""
    return f", {delivery.slot_minutes}" if delivery.slot_minutes not in (None, SLOT_MINUTES) else ""


def _refuse_other_slots(connection: psycopg.Connection, delivery: Delivery) -> None:
    other = connection.execute(
        "select base.line, base.mp_no, base.data_date, base.data_type, base.phase, base._slot_minutes,"
        " base._slot_minutes <> arrived._slot_minutes, base.is_primary"
        " from base inner join arrived on base.place = arrived.ctid"
        " where not base.is_whole"
        " and (base._slot_minutes <> arrived._slot_minutes or base.is_primary is distinct from arrived.is_primary)"
        " order by base.line limit 1"
    ).fetchone()
    if other is None:
        return
    line, point, day, data_type, phase, minutes, has_other_slots, is_primary = other
    sides = ("secondary values", "primary values")
    came = f"slots of {delivery.slot_minutes} minutes" if has_other_slots else sides[not is_primary]
    landed = f"slots of {minutes} minutes" if has_other_slots else sides[bool(is_primary)]
    raise FileProblem(
        f"line {line}: {came} for part of {day} of {point} ({data_type}, phase {phase}), which landed in {landed};"
        f" allowed are {landed}, or a whole day"
    )
