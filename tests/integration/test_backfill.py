"""A backfill lands and builds month by month, goes on where it ended, and says in the ledger how far it came.

That it publishes what a night for each day would have published is tried by tests/soak/test_backfill.py.
"""

from __future__ import annotations

import csv
import io
import shutil
from datetime import date

import pytest

from include import night
from include.backfill import backfill, stages
from include.contracts import all_tables
from include.errors import GateBlocked
from include.local import cli
from include.records.database import connect
from tests import databases
from tests.landing import csv_text
from tests.nights import DAY, FOLDERS, Utility

DAILY = [table for table in all_tables().values() if table.is_daily]
NOV, DEC, JAN = date(2025, 11, 30), date(2025, 12, 31), date(2026, 1, 31)


class Fake:
    """Sources and nights of which only receipts and runs are there; `ends` stops the build of a day."""

    def __init__(self, url: str) -> None:
        self.url, self.warehouse = url, databases.with_logins(url)
        self.landed: list[date] = []
        self.built: list[date] = []
        self.ends: dict[date, BaseException] = {}
        self.tables = DAILY

    def land(self, day: date) -> None:
        self.landed.append(day)
        with connect(self.url) as connection, connection.cursor() as cursor:
            cursor.executemany(
                "insert into quality.receipts (source_name, table_name, business_date, channel, state, delivered_rows, inserted_rows, fence)"
                " select %s, %s, %s, 'auto', 'landed', 1, (not exists (select 1 from quality.receipts where business_date = %s"
                " and table_name = %s))::integer, 1",
                [(table.source, table.name, day, day, table.name) for table in self.tables],
            )

    def build(self, day: date) -> None:
        if day in self.ends:
            raise self.ends.pop(day)
        self.built.append(day)
        with connect(self.url) as connection:
            connection.execute(
                "insert into quality.runs (business_date, state, last_load_id)"
                " select %s, 'published', coalesce(max(load_id), 0) from quality.receipts",
                (day,),
            )

    def fill(self, first: date, last: date, **more):
        self.landed, self.built = [], []
        return backfill(self.warehouse, first, last, land=self.land, build=self.build, **more)

    def entries(self) -> list[dict]:
        with connect(self.url) as connection:
            query = "select detail from quality.ledger where event = 'backfill' order by entry_no"
            return [detail for (detail,) in connection.execute(query)]


@pytest.fixture
def fake(database: str) -> Fake:
    return Fake(database)


def test_the_first_day_the_ends_of_months_and_the_last_day_are_built():
    assert stages(date(2025, 12, 15), date(2026, 2, 10)) == [date(2025, 12, 15), DEC, JAN, date(2026, 2, 10)]
    assert stages(date(2024, 2, 29), date(2024, 2, 29)) == [date(2024, 2, 29)]


def test_each_month_is_built_once_and_what_is_left_is_told(fake: Fake):
    told = []
    found = fake.fill(NOV, JAN, tell=told.append)
    assert fake.landed == fake.built == found.built == [NOV, DEC, JAN]
    assert [(left.done, left.of) for left in told] == [(1, 3), (2, 3), (3, 3)]
    assert told[-1].seconds_left == 0
    assert fake.entries() == [
        {
            "first": "2025-11-30",
            "last": "2026-01-31",
            "built": ["2025-11-30", "2025-12-31", "2026-01-31"],
            "published_before": [],
            "not_built": {},
            "new_rows": 3 * len(DAILY),
        }
    ]


@pytest.mark.parametrize(
    ("end", "said"), [(KeyboardInterrupt(), "stopped by hand"), (GateBlocked("3 rules"), "3 rules")]
)
def test_what_ended_in_a_month_goes_on_with_it(fake: Fake, end: BaseException, said: str):
    fake.ends[DEC] = end
    with pytest.raises(type(end)):
        fake.fill(NOV, JAN)
    found = fake.fill(NOV, JAN)
    assert (fake.landed, found.built, found.done_before) == ([DEC, JAN], [DEC, JAN], [NOV])
    assert found.new_rows == len(DAILY)  # December had landed
    first, second = fake.entries()
    assert (first["built"], first["stopped"], second["published_before"]) == (["2025-11-30"], said, ["2025-11-30"])
    assert fake.fill(NOV, JAN).built == []  # nothing came: the last month is not built again


def test_a_source_that_makes_one_day_at_a_time_is_asked_for_every_day_once(fake: Fake):
    fake.ends[DEC] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        fake.fill(date(2025, 11, 29), date(2026, 1, 2), is_by_day=True)
    assert fake.landed == [date(2025, 11, 29), NOV, *[date(2025, 12, n) for n in range(1, 32)]]
    fake.fill(date(2025, 11, 29), date(2026, 1, 2), is_by_day=True)
    assert fake.landed == [date(2026, 1, 1), date(2026, 1, 2)]
    assert fake.built == [DEC, date(2026, 1, 2)]


def test_a_month_before_the_first_delivery_of_a_table_is_built_with_the_next(fake: Fake, monkeypatch, tmp_path):
    fake.tables = DAILY[1:]
    found = fake.fill(NOV, DEC)
    assert (found.not_built, found.built) == ({NOV: [DAILY[0].name]}, [DEC])  # of the last date the gate decides
    (tmp_path / "profile.yaml").write_text(f"left_out: {{{DAILY[0].name}: it has none}}")
    monkeypatch.setenv("KAW_PROFILE", str(tmp_path))
    assert fake.fill(NOV, JAN).built == [JAN]


def test_history_before_what_is_published_is_built_as_of_that(fake: Fake):
    fake.build(JAN)
    fake.ends[JAN] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        fake.fill(NOV, DEC)
    found = fake.fill(NOV, DEC)
    assert (fake.landed, found.built, found.new_rows) == ([DEC], [JAN], 0)  # it had landed
    assert fake.fill(NOV, DEC).built == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--from", "2026-02-01", "--to", "2026-01-31"], "--from 2026-02-01 is later than --to 2026-01-31."),
        (["--from", "2026-02-01", "--to", "2999-01-01"], "2999-01-01 is not complete yet"),
    ],
)
def test_days_that_cannot_be_loaded(fresh_home, capsys, arguments: list[str], said: str):
    assert cli.main(["backfill", *arguments]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.timeout(600)
def test_one_table_that_is_delivered_again_makes_a_complete_night(clean_night: Utility):
    """Its rows are another version, what is not delivered again stays in force, and the gate lets the night pass."""
    in_force = "select table_name, sum(in_force) from quality.receipt_states group by 1 order by 1"
    before = clean_night.rows(in_force)
    (file,) = (clean_night.deliveries / "marketing" / "mkt_manager_visit").glob("*.csv")
    rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"))))
    for source in FOLDERS:
        shutil.rmtree(clean_night.deliveries / source)
        (clean_night.deliveries / source).mkdir()
    rows[0]["work_min"] = str(int(rows[0]["work_min"]) + 1)
    file.parent.mkdir()
    file.with_name("restated_20261122.csv").write_text(csv_text("mkt_manager_visit", rows), encoding="utf-8")
    run = clean_night.run(DAY, night.STEPS[:2])  # of what follows no step tells a night from another
    assert clean_night.rows(
        "select table_name, inserted_rows, tombstone_rows, pending_rows from quality.receipts"
        " where load_id > (select max(last_load_id) from quality.runs where state = 'published') and state = 'landed'"
    ) == [("mkt_manager_visit", 1, 0, 0)]
    assert clean_night.rows(in_force) == before
    assert clean_night.rows(
        "select verdict -> 'gate_1' -> 'blocking' from quality.runs where run_id = %s", run["run_id"]
    ) == [({},)]
    assert clean_night.rows(
        "select count(*) from quality.rule_results where run_id = %s and not_tested_reason is not null and rule_id like 'ARR-%%'",
        run["run_id"],
    ) == [(0,)]
