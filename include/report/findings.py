"""The findings of a run: the complete list as CSV, JSON and workbook, and the first of each rule for the page."""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg.rows import dict_row

from include.report import workbook
from include.report.search import SearchIndex
from include.report.tally import Tallies
from include.report.text import safe_cell

FIRST = 100  # findings of a rule on the page
# Bounds that keep a page of 3,000 failing rules below 5 MB: findings shown in all, and rules whose findings are shown.
ON_PAGE = {"usual": 10_000, "huge": 2_500}
DETAILED_RULES = 600
HUGE_BOOK = 1_000  # rules
COLUMNS = (  # of the lists
    "rule_id",
    "axis",
    "severity",
    "source_name",
    "table_name",
    "record_key",
    "column_name",
    "account_no",
    "business_date",
    "observed",
    "expected",
    "suspect_side",
    "error_kwh",
    "error_cny",
    "state",
    "office",
    "age_days",
    "first_seen_at",
    "last_seen_at",
    "source_reference",
    "error_cny_year",
    "exposure_kwh",
    "exposure_cny",
    "finding_id",
    "root_finding_id",
    "dependants",
)
RANKED = 1_500  # findings on the page of the second edition, the most yuan first
UNDER_A_ROOT = 20  # dependants of a finding on the page

# As of the run: a finding's last event in it or before. Fixed ones are listed where they were found fixed after `fixed_after`.
_QUERY = """
    with latest as (
        select distinct on (finding_id) *
        from quality.finding_events
        where run_id <= %(run)s
        order by finding_id, event_id desc
    ),

    earlier as (
        select distinct on (finding_id) finding_id, event
        from quality.finding_events
        where run_id <= %(before)s
        order by finding_id, event_id desc
    ),

    sightings as (
        select
            finding_id,
            min(at) as first_seen_at,
            max(at) filter (where event <> 'fixed') as last_seen_at,
            min(run_id) as first_run_id
        from quality.finding_events
        where run_id <= %(run)s
        group by finding_id
    ),

    dependants as (
        select root_finding_id, string_agg(records || ' ' || table_name, ', ' order by records desc, table_name) as dependants
        from (
            select root_finding_id, table_name, count(distinct record_key) as records
            from latest
            where event = 'dependant'
            group by root_finding_id, table_name
        ) as tables
        group by root_finding_id
    )

    select
        latest.*,
        latest.energy_at_stake_kwh as error_kwh,
        latest.amount_at_stake_cny as error_cny,
        dependants.dependants,
        latest.record_key::text as key_text,
        case when latest.event in ('fixed', 'waived', 'dependant') then latest.event else 'open' end as state,
        case
            when coalesce(earlier.event, 'fixed') not in ('fixed', 'dependant')
                then case when latest.event = 'fixed' then 'gone' else 'repeated' end
            when latest.event <> 'fixed' then 'new'
        end as since,
        sightings.first_seen_at,
        sightings.last_seen_at,
        greatest(%(day)s::date - first_run.business_date, 0) as age_days
    from latest
    inner join sightings on latest.finding_id = sightings.finding_id
    left join earlier on latest.finding_id = earlier.finding_id
    left join dependants on latest.finding_id = dependants.root_finding_id
    left join quality.runs as first_run on sightings.first_run_id = first_run.run_id
    where latest.event <> 'fixed' or latest.run_id > %(fixed_after)s
    order by
        latest.rule_id collate "C", latest.source_name collate "C", latest.table_name collate "C",
        latest.record_key::text collate "C", latest.column_name collate "C" nulls first, latest.finding_id
"""


@dataclass
class Listed:
    """`by_rule` holds the first open or waived findings of each rule, `totals` how many there are in all.

    A dependant is none of its own: `under` holds the first ones of each root, by the number of its finding.
    """

    sha256: dict[str, str] = field(default_factory=dict)  # file -> digest
    states: dict[str, int] = field(default_factory=lambda: {"open": 0, "waived": 0, "fixed": 0, "dependant": 0})
    by_rule: dict[str, list[dict]] = field(default_factory=dict)
    totals: dict[str, int] = field(default_factory=dict)
    under: dict[int, list[dict]] = field(default_factory=dict)
    shown_per_rule: int = FIRST
    tallies: Tallies = field(default_factory=lambda: Tallies(RANKED))
    index: SearchIndex = field(default_factory=SearchIndex)  # of every finding of the lists

    @property
    def total(self) -> int:
        return sum(self.states.values())

    def total_of(self, rule_id: str) -> int:
        return self.totals.get(rule_id, 0)


def night_before(conn: psycopg.Connection, run: dict) -> dict | None:
    """Number and business date of the last run before that judged an earlier date; None on a first night."""
    return (
        conn.cursor(row_factory=dict_row)
        .execute(
            "select run_id, business_date from quality.runs where run_id < %(run)s and business_date < %(day)s"
            " and exists (select 1 from quality.rule_results as results where results.run_id = runs.run_id)"
            " order by business_date desc, run_id desc limit 1",
            {"run": run["run_id"], "day": run["business_date"]},
        )
        .fetchone()
    )


def write(
    conn: psycopg.Connection,
    run: dict,
    folder: Path,
    rules: list[dict],
    *,
    before: dict | None = None,
    edition: int = 1,
    sheet_rows: int = workbook.SHEET_ROWS,
) -> Listed:
    """Write findings.csv, .json and .xlsx of the run; each is complete, whatever the page shows.

    `before` is the night before. The first edition lists what this run found fixed, later ones what was since that night.
    """
    listed = Listed()
    earlier = before["run_id"] if before else 0
    values = {
        "run": run["run_id"],
        "day": run["business_date"],
        "before": earlier,
        "fixed_after": run["run_id"] - 1 if edition == 1 else earlier,
    }
    offices = {rule["id"]: rule["owner"] for rule in rules}
    files = [folder / f"findings.{kind}" for kind in ("csv", "json", "xlsx")]
    csv_file, json_file, book_file = files
    book = workbook.Writer(dict.fromkeys(COLUMNS, 18), sheet_rows=sheet_rows)
    with (
        csv_file.open("w", encoding="utf-8", newline="") as as_csv,
        json_file.open("w", encoding="utf-8") as as_json,
        conn.cursor(name="findings", row_factory=dict_row) as cursor,
    ):
        cursor.itersize = 5000
        writer = csv.writer(as_csv)
        writer.writerow(COLUMNS)
        as_json.write("[")
        for number, row in enumerate(cursor.execute(_QUERY, values)):
            row["office"] = offices.get(row["rule_id"], "")
            cells = [row["key_text"] if name == "record_key" else row[name] for name in COLUMNS]
            safe = [safe_cell(value) for value in cells]
            writer.writerow(safe)
            book.append(safe)
            line = json.dumps({name: row[name] for name in COLUMNS}, ensure_ascii=False, default=str)
            as_json.write(f"{',' if number else ''}\n{line}")
            listed.index.add(row)
            listed.tallies.add(row)
            listed.states[row["state"]] += 1
            if row["state"] == "dependant":
                under = listed.under.setdefault(row["root_finding_id"], [])
                if len(under) < UNDER_A_ROOT:
                    under.append(row)
            elif row["state"] != "fixed":
                listed.totals[row["rule_id"]] = listed.totals.get(row["rule_id"], 0) + 1
                first = listed.by_rule.setdefault(row["rule_id"], [])
                if len(first) < FIRST:
                    first.append(row)
        as_json.write("\n]\n")
    book.save(book_file)
    listed.sha256 = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
    return listed


def shorten(listed: Listed, rules: list[dict]) -> None:
    """Keep on the page what fits: 100 findings a rule, fewer where very many rules fail; the gravest rules first."""
    is_huge = len(rules) > HUGE_BOOK
    detailed = [rule["id"] for rule in rules if rule["id"] in listed.by_rule][:DETAILED_RULES]
    room = ON_PAGE["huge" if is_huge else "usual"]
    limit = FIRST
    while limit > 1 and sum(min(len(listed.by_rule[rule_id]), limit) for rule_id in detailed) > room:
        limit -= 1
    listed.shown_per_rule = limit
    listed.by_rule = {rule_id: listed.by_rule[rule_id][:limit] for rule_id in detailed}
