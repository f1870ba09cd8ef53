"""What rules and marts take from the raw log follows from the date of each file, then its load, not from the order of landing."""

from __future__ import annotations

import pytest

from include.contracts import all_tables
from include.records.database import raw_columns
from tests.rules.cases import record
from tests.rules.staged import Staged

ANNEX = f"mp_no = {record('three_wire_point')}"
ACCOUNT = f"cons_no = {record('account')}"


def said(table: str, where: str, date: str, load: str, content: str | None = None, **changes: str) -> str:
    """One more row like those of `where`, of another date and load, and of other content where that is named."""
    names = [name for name, _ in raw_columns(all_tables()[table])]
    values = [changes.get(name, name) for name in names]
    digest = f"md5('{content}')::uuid" if content else "_hash"
    return (
        f"insert into {{{{{table}}}}} (_load_id, _business_date, _channel, _is_tombstone, _key, _hash, {', '.join(names)})"
        f" select {load}, {date}, _channel, _is_tombstone, _key, {digest}, {', '.join(values)} from {{{{{table}}}}} where {where}"
    )


# The ratio was another two days ago, and neither then nor now does the source's time of change tell of it.
BEFORE = said("con_metering_annex", ANNEX, "_business_date - 2", "1", "before", ct_ratio="ct_ratio + 5")
THIS_MORNING = f"{ANNEX} and _business_date = (select max(_business_date) from {{{{con_metering_annex}}}})"
YESTERDAY = said("con_metering_annex", THIS_MORNING, "_business_date - 1", "_load_id + 1000")


@pytest.mark.parametrize("late", [[], [YESTERDAY]], ids=["in order", "yesterday's file came last"])
def test_a_bulk_edit_is_one_whichever_file_told_it_first(staged: Staged, late: list[str]):
    for statement in (BEFORE, *late):
        staged.plant(statement)
    staged.stage()
    assert staged.connection.execute(
        "select is_bulk_edit from staging.int_ratios_by_system where system_name = 'contract' and ratio_code = 'CT'"
        f" and metering_point_no = {record('three_wire_point')}".replace(
            "{{met_measuring_point}}", "raw_metering.met_measuring_point"
        )
    ).fetchall() == [(True,)]


def test_rows_count_for_the_load_of_the_first_date_that_said_so(staged: Staged):
    """Today's file of customers came before yesterday's, which says the same of one: nothing of it is new today."""
    account = record("account").replace("{{mkt_customer}}", "raw_marketing.mkt_customer")
    (load,) = staged.connection.execute(
        f"select _load_id from raw_marketing.mkt_customer where cons_no = {account}"
    ).fetchone()
    staged.plant(said("mkt_customer", ACCOUNT, "_business_date - 1", "_load_id + 1000"))
    staged.stage()
    found = staged.connection.execute(
        f"select _load_id, landed_rows from staging.int_unit_rows_landed where account_no = {account} and source_name = 'marketing'"
    ).fetchall()
    loads = dict(found)
    assert loads[load + 1000] == 1
    assert load not in loads
