"""What rules declare of themselves is what PostgreSQL says of their queries: relations, thresholds, what touches them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import date

import psycopg
import pytest

from include.contracts import Table, all_tables, load_contracts
from include.quality.base_rules import load_base_rules
from include.quality.evaluate import bind
from include.quality.rules import Rule, load_rules
from include.report.trace_sources import _numbers
from include.transform.models import published_models, staging_relation
from tests.rules.staged import Staged
from tests.rules.stand_ins import THEMES, theme_of
from tests.rules.test_mart_rules import stand_in

WRITTEN = load_rules()
RULES = [*load_base_rules(), *WRITTEN]
THE_RUN = {
    "quality.current_run",
    "quality.touched_curves",
    "quality.curves_tested_again",
}  # of which run a rule speaks; no rule reads data there
LATER = date(2046, 11, 5)  # no span of days before it reaches the data
NEWEST = 1_000_000  # a load after all loads


@pytest.fixture
def built(staged: Staged) -> Iterator[tuple[Staged, Rule]]:
    """Each rule in turn, on the relations that it reads; candidates stand in for the marts."""

    def each() -> Iterator[tuple[Staged, Rule]]:
        models = published_models()
        for rule in RULES:
            with staged.connection.transaction(force_rollback=True):
                made = re.sub("^MART-(GRAIN|FILLED|PARTIAL)-", "", rule.id)
                if rule.id.startswith("MART-METRIC-"):
                    for relation in rule.reads:
                        stand_in(staged, models[relation.split(".")[1]], with_facts=False)
                elif made in models:
                    stand_in(staged, models[made])
                elif theme := theme_of(rule.id):
                    for statement in THEMES[theme].GOOD:
                        staged.connection.execute(statement)
                yield staged, rule

    return each()


def query_of(rule: Rule) -> str:
    return f"with tested as materialized ({rule.tested_sql}\n) select found.* from ({rule.violations_sql}\n) as found"


def run(staged: Staged, query: str, day: date | None = None) -> list[tuple]:
    with psycopg.ClientCursor(staged.connection) as cursor:
        cursor.execute(bind(query), {"run_id": staged.run_id, "business_date": day or staged.business_date})
        return cursor.fetchall() if cursor.description else []


def test_a_rule_reads_the_relations_that_it_declares_and_asks_what_is_touched_where_it_says_so(
    built: Iterator[tuple[Staged, Rule]],
):
    wrong, seen = {}, 0
    for staged, rule in built:
        run(staged, f"create temporary view reading as {query_of(rule)}")
        needed = run(
            staged,
            """select distinct relation.relnamespace::regnamespace || '.' || relation.relname, attribute.attname
            from pg_depend as needs
            inner join pg_rewrite as rule on needs.classid = 'pg_rewrite'::regclass and needs.objid = rule.oid
            inner join pg_class as relation on needs.refclassid = 'pg_class'::regclass and needs.refobjid = relation.oid
            left join pg_attribute as attribute
                on relation.oid = attribute.attrelid and needs.refobjsubid = attribute.attnum and attribute.attnum > 0
            where rule.ev_class = 'pg_temp.reading'::regclass and relation.oid <> rule.ev_class""",
        )
        found = {name.removeprefix("staging.") for name, _ in needed}
        touches = "quality.last_passed_load_id()" in query_of(rule)
        seen += 1
        if found - THE_RUN != set(rule.reads) or touches != rule.tests_changes:
            wrong[rule.id] = f"reads: [{', '.join(sorted(found - THE_RUN))}]", touches
    assert (wrong, seen) == ({}, len(RULES))


def test_a_rule_looks_up_the_thresholds_that_it_declares(built: Iterator[tuple[Staged, Rule]]):
    """With a function of no side effect the planner looks every threshold up, whether the data need it or not."""
    wrong = {}
    told: set[tuple[str, str]] = set()
    for staged, rule in built:
        told.clear()
        staged.connection.execute(
            """create or replace function quality.parameter(of_rule text, of_name text, as_of date) returns numeric
            language plpgsql immutable as $$ begin raise notice '%.%', of_rule, of_name; return 1; end $$"""
        )

        def hear(notice: psycopg.errors.Diagnostic) -> None:
            of_rule, _, name = (notice.message_primary or "").rpartition(".")
            told.add((of_rule, name))

        staged.connection.add_notice_handler(hear)
        run(staged, f"explain {query_of(rule)}")
        staged.connection.remove_notice_handler(hear)
        declared = {tuple(n.rsplit(".", 1)) if "." in n else (rule.id, n) for n in rule.parameters}
        if told != declared:
            wrong[rule.id] = sorted(told ^ declared)
    assert wrong == {}


def test_every_threshold_of_a_rule_is_used():
    """The seed holds no threshold of a rule of the book that no rule declares; those of models begin with another id."""
    from include.quality.parameters import parameters

    declared = {n if "." in n else f"{rule.id}.{n}" for rule in WRITTEN for n in rule.parameters}
    book = {rule.id for rule in WRITTEN}
    assert {f"{p.rule_id}.{p.name}" for p in parameters() if p.rule_id in book} - declared == set()


def records(staged: Staged, rule: Rule, day: date | None = None) -> set[str]:
    key = (
        "table_name || ' ' || raw_id"
        if len(rule.subjects) > 1
        else "raw_id::text"
        if rule.subjects
        else "record_key::text"
    )
    return {record for (record,) in run(staged, f"select {key} from ({rule.tested_sql}\n) as tested", day)}


def test_a_rule_of_a_window_tests_none_of_its_records_in_twenty_years_and_any_other_some(staged: Staged):
    wrong, windows = {}, 0
    staged.connection.execute("update quality.runs set last_load_id = (select max(load_id) from quality.receipts)")
    for rule in RULES:
        if rule.gate == 2 or rule.tests_changes:
            continue
        today = records(staged, rule)
        is_window = bool(today) and not today & records(staged, rule, LATER)
        windows += rule.tests == "window"
        if today and is_window != (rule.tests == "window"):
            wrong[rule.id] = rule.tests
    assert (wrong, windows > 3) == ({}, True)


def population(staged: Staged, rule: Rule) -> list[str]:
    return sorted(row for (row,) in run(staged, f"select tested::text from ({rule.tested_sql}\n) as tested"))


# Without a fault some rules have no record, or say the same of it: a slot without energy, a 3P3W meter with three voltages.
FAULTS = (
    "update staging.int_curves_latest set values_by_slot[40] = 0 where quantity_code = 'E+'",
    "update staging.int_metering_points_current set wiring_code = '3P3W' where metering_point_no in"
    " (select min(metering_point_no) from staging.int_metering_points_current where wiring_code = '3P4W')",
)


def test_what_touches_a_rule_is_what_it_declares(staged: Staged):
    """In a night in which nothing landed such a rule tests nothing, or all as known; rows that came of its tables change that."""
    rules = [rule for rule in RULES if rule.tests_changes]
    connection = staged.connection
    for fault in FAULTS:
        assert connection.execute(fault).rowcount > 0
    connection.execute("update quality.current_run set last_passed_load_id = %s", (NEWEST,))
    quiet = {rule.id: population(staged, rule) for rule in rules}
    touched_by = defaultdict(set)
    for name, table in all_tables().items():
        with connection.transaction(force_rollback=True):
            newest = ["staging.int_curves_latest"] if table.curve_slots else []
            for relation in (table.raw_name, staging_relation(table), *newest):
                connection.execute(f"update {relation} set _load_id = %s", (NEWEST + 1,))
            for rule in rules:
                if reads(rule, table) and population(staged, rule) != quiet[rule.id]:
                    touched_by[rule.id].add(name)
    assert {rule.id: touched_by[rule.id] for rule in rules} == {rule.id: {*rule.touched_by} for rule in rules}
    rows = {rule.id for rule in rules if rule.tests == "touched rows" and set(rule.touched_by) == set(rule.subjects)}
    assert {rule_id for rule_id in rows if quiet[rule_id]} == set()
    assert len(rows) > 20


def reads(rule: Rule, table: Table) -> bool:
    """Whether a rule reads a contract table, itself or as it is staged; curves also as the newest of each day."""
    own = {table.raw_name, staging_relation(table).removeprefix("staging.")}
    return bool(own & {*rule.reads}) or (table.name == "met_interval_96" and "int_curves_latest" in rule.reads)


def test_the_sides_that_a_rule_compares_come_from_what_it_reads(staged: Staged):
    """A side's table is behind a relation that the rule reads, as dbt knows the way; a reconciliation has two or more."""
    sources = staged.sources()
    wrong = {}
    for rule in WRITTEN:
        behind = set().union(*(sources.get(name, set()) for name in rule.reads))
        if stray := {side.split(".")[1] for side in rule.compares} - behind:
            wrong[rule.id] = stray
    assert wrong == {}
    assert {r.id for r in WRITTEN if r.area == "reconciliation" and len(r.compares) < 2} == {"XSR-27"}  # of receipts
    assert {r.id for r in WRITTEN if r.area == "reconciliation" and len(r.sides) < 2} == {"XSR-23", "XSR-27", "XSR-30"}
    assert {side for r in WRITTEN for side in r.sides} == set(load_contracts())


def test_staging_calls_each_number_by_its_name(staged: Staged):
    """The columns by which `./kaw trace` follows a row hold in staging what the source delivered, under the name stated."""
    compared = 0
    for table_name, numbers in _numbers().items():
        table = all_tables()[table_name]
        for staged_name, column in numbers.items():
            ((rows, differing),) = run(
                staged,
                f"""select count(*), count(*) filter (where btrim(raw.{column}) is distinct from staged.{staged_name})
                from {table.raw_name} as raw inner join {staging_relation(table)} as staged on raw._raw_id = staged._raw_id""",
            )
            assert differing == 0, (table_name, column)
            compared += rows > 0
    assert compared > 90
