"""`./kaw bench speed`: landing, the gate and publishing as ratios to the limit and beside peers, all in one run.

The limit of a part is the least that the database can do for it: a binary COPY pipe, one pass over the rows, a copy of the
tables. A peer does the same work with another tool that a data engineer might have taken. Seconds are this machine's;
ratios can be compared between machines. Peers that land or check must come to the same counts, or the bench fails.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date

import sqlalchemy
from psycopg import sql

from include import night
from include.contracts import Table, all_tables
from include.errors import InfrastructureError, UsageError
from include.lab.bench.sandbox import Sandbox, sandbox
from include.lab.simulator.load import load_databases
from include.lab.utility import generate
from include.landing.databases import Source
from include.landing.land import land
from include.publish import publish
from include.publish.content import built_content, candidate_digests, candidate_types
from include.publish.marts import Mart, read_marts
from include.quality.base_rules import load_base_rules
from include.quality.evaluate import evaluate
from include.quality.gate import GateResult, record_verdict
from include.records.database import connect
from include.records.runs import Run
from include.records.warehouse import Warehouse
from include.transform.dbt import manifest_path

BUSINESS_DATE = date(2026, 11, 3)
TABLE = "mkt_bill_line"  # the longest table of the two systems that deliver from databases
RULES = (f"BASE-{TABLE}-KEY", f"BASE-{TABLE}-REQUIRED")
SPOILED, SPOILED_COLUMN = 100, "rate"  # rows of the source whose required column is emptied before it lands
SLOW_PEER_ROWS = 20_000  # a peer that moves row by row gets no more than these


@dataclass(frozen=True)
class Measure:
    """Median wall-clock seconds of one way to do a part's work on `rows` rows; `kind` is limit, ours or peer."""

    part: str
    what: str
    kind: str
    rows: int
    seconds: float

    @property
    def rows_per_second(self) -> float:
        return self.rows / self.seconds


@dataclass(frozen=True)
class Outcome:
    """All measures of one run, each part's limit first."""

    accounts: int
    repeats: int
    measures: list[Measure]

    def ratio(self, measure: Measure) -> float:
        """Time for one row against the limit's of the same part: 1 is as fast as the database can."""
        limit = next(m for m in self.measures if m.part == measure.part and m.kind == "limit")
        return limit.rows_per_second / measure.rows_per_second

    def as_dict(self) -> dict:
        return {
            "accounts": self.accounts,
            "repeats": self.repeats,
            "measures": [
                asdict(m) | {"rows_per_second": round(m.rows_per_second), "ratio": round(self.ratio(m), 2)}
                for m in self.measures
            ],
        }


def measure(accounts: int, days: int, repeats: int, beside: Warehouse, hear) -> Outcome:
    """Makes a synthetic utility of that size and measures the three parts on it."""
    with hear.step("simulate"):
        try:
            simulation = generate(BUSINESS_DATE, accounts, days, seed=1)
        except ValueError as error:
            raise UsageError(f"{error}.", next_step="give more with --accounts.") from error
    with sandbox("speed", beside) as place:
        load_databases(simulation, {"marketing": place.url})
        with connect(place.url) as connection:
            connection.execute(
                f"update public.{TABLE} set {SPOILED_COLUMN} = null"
                f" where ctid in (select ctid from public.{TABLE} order by bill_no, line_no limit {SPOILED})"
            )
        bench = Bench(place, all_tables()[TABLE], repeats)
        for part in (bench.land, lambda: bench.check(simulation, hear), lambda: bench.publish(hear)):
            with hear.step(f"measure part {len({m.part for m in bench.measures}) + 1} of 3"):
                part()
        return Outcome(accounts, repeats, bench.measures)


class Bench:
    """The parts, one after the other in one sandbox: what one leaves, the next starts from."""

    def __init__(self, place: Sandbox, table: Table, repeats: int) -> None:
        self.url = place.url
        self.place = place
        self.table = table
        self.repeats = repeats
        self.measures: list[Measure] = []

    def _take(
        self,
        part: str,
        what: str,
        kind: str,
        work: Callable[[], int],
        before: Callable[[], object] | None = None,
        once: bool = False,
    ) -> int:
        """Does the work, several times unless `once`, and notes the median; `work` returns how many rows it was about."""
        seconds = []
        for _ in range(1 if once else self.repeats):
            if before:
                before()
            started = time.perf_counter()
            rows = work()
            seconds.append(time.perf_counter() - started)
        self.measures.append(Measure(part, what, kind, rows, statistics.median(seconds)))
        return rows

    # -- from a source's database into raw

    def land(self) -> None:
        """One table from a database into another: every row cast, compared by content, kept with a receipt."""
        part = "land"
        rows = self._take(part, "binary COPY pipe", "limit", self._copy_pipe, self._empty_target)
        landed = self._take(part, "a first landing", "ours", self._land, self._empty_raw)
        again = self._take(part, "the same rows again", "ours", self._land)
        relayed = self._take(part, "psycopg, fetched and copied", "peer", self._relay, self._empty_target)
        self._take(part, "pandas read_sql and to_sql", "peer", self._pandas_to_sql, self._empty_target)
        self._require({landed, again, relayed} == {rows}, "one way to land did not bring every row")

    def _empty_target(self) -> None:
        with connect(self.url) as connection:
            connection.execute(f"drop table if exists public.landed; create table public.landed (like public.{TABLE})")

    def _empty_raw(self) -> None:
        with connect(self.url) as connection:
            connection.execute(f"truncate {self.table.raw_name}")

    def _copy_pipe(self) -> int:
        with (
            connect(self.url) as source,
            connect(self.url) as target,
            source.cursor() as reader,
            target.cursor() as writer,
        ):
            with (
                reader.copy(f"copy public.{TABLE} to stdout (format binary)") as out,
                writer.copy("copy public.landed from stdin (format binary)") as into,
            ):
                for block in out:
                    into.write(block)
            return writer.rowcount

    def _land(self) -> int:
        with Source(self.url, "marketing") as source, connect(self.url, autocommit=True) as connection:
            return land(connection, source.read(self.table, BUSINESS_DATE, None), BUSINESS_DATE).delivered_rows

    def _relay(self) -> int:
        with connect(self.url) as source, connect(self.url) as target, source.cursor("rows") as reader:
            reader.itersize = 10_000
            reader.execute(f"select * from public.{TABLE}")
            with target.cursor() as writer:
                with writer.copy("copy public.landed from stdin") as into:
                    for row in reader:
                        into.write_row(row)
                return writer.rowcount

    def _pandas_to_sql(self) -> int:
        import pandas as pd

        engine = sqlalchemy.create_engine(_sqlalchemy_address(self.url))
        frame = pd.read_sql(f"select * from public.{TABLE} limit {SLOW_PEER_ROWS}", engine)
        frame.to_sql("landed", engine, schema="public", if_exists="append", index=False)
        engine.dispose()
        return len(frame)

    # -- rules over staged rows

    def check(self, simulation, hear) -> None:
        """The key and the required columns of one table: which rows break them, by key."""
        part = "check"
        self.place.land(simulation, hear, full=True)  # the other tables, by files
        self._empty_raw()
        self._land()
        self.run = night.begin_run(self.place.warehouse, BUSINESS_DATE)
        night.build_staging(self.place.warehouse, self.run, hear)
        self.found: dict[str, int] = {}
        self._take(part, "one pass that only counts", "limit", self._count_failures)
        self._take(part, "the two rules, with every violation on record", "ours", self._evaluate)
        self._take(part, "Great Expectations' own expectations, with the keys", "peer", self._great_expectations)
        self._take(part, "pandas", "peer", self._pandas_check)
        self._require(set(self.found.values()) == {SPOILED}, f"{SPOILED} rows were spoiled, found were {self.found}")

    def _required(self) -> list[str]:
        return [c.name for c in self.table.scalar_columns if c.is_required and c.name not in self.table.key]

    def _count_failures(self) -> int:
        key, lacking = ", ".join(self.table.key), " or ".join(f"{name} is null" for name in self._required())
        with connect(self.url) as connection:
            rows, empty = connection.execute(
                f"select count(*), count(*) filter (where {lacking}) from {self.table.raw_name}"
            ).fetchone()
            copies = connection.execute(
                f"select count(*) from (select {key} from {self.table.raw_name} group by {key} having count(*) > 1) as copies"
            ).fetchone()[0]
        self.found["one pass"] = empty + copies
        return rows

    def _evaluate(self) -> int:
        rules = [r for r in load_base_rules() if r.id in RULES]
        with self.place.warehouse.fenced(self.run["fence"]).connect() as connection:
            results = [evaluate(connection, rule, self.run["run_id"], BUSINESS_DATE) for rule in rules]
        self.found["ours"] = sum(r.failed_rows for r in results)
        return max(r.tested_rows for r in results)

    def _great_expectations(self) -> int:
        import great_expectations as gx
        import great_expectations.expectations as gxe

        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = {"globally": False, "metric_calculations": False}
        warehouse = context.data_sources.add_postgres("warehouse", connection_string=_sqlalchemy_address(self.url))
        asset = warehouse.add_table_asset(TABLE, table_name=TABLE, schema_name=self.table.raw_name.partition(".")[0])
        suite = context.suites.add(
            gx.ExpectationSuite(
                name=TABLE,
                expectations=[
                    *(gxe.ExpectColumnValuesToNotBeNull(column=name) for name in self._required()),
                    gxe.ExpectCompoundColumnsToBeUnique(column_list=list(self.table.key)),
                ],
            )
        )
        batch = asset.add_batch_definition_whole_table("all")
        definition = context.validation_definitions.add(gx.ValidationDefinition(name=TABLE, data=batch, suite=suite))
        outcome = definition.run(
            result_format={"result_format": "COMPLETE", "unexpected_index_column_names": list(self.table.key)}
        )
        self.found["Great Expectations"] = sum(r.result["unexpected_count"] for r in outcome.results)
        return outcome.results[0].result["element_count"]

    def _pandas_check(self) -> int:
        import pandas as pd

        columns = [*self.table.key, *self._required()]
        engine = sqlalchemy.create_engine(_sqlalchemy_address(self.url))
        frame = pd.read_sql(f"select {', '.join(columns)} from {self.table.raw_name}", engine)
        engine.dispose()
        empty, copies = frame[self._required()].isna().any(axis=1), frame.duplicated(list(self.table.key), keep=False)
        self.found["pandas"] = len(frame[empty | copies])
        return len(frame)

    # -- candidates to readers

    def publish(self, hear) -> None:
        """All months of all marts: rows hashed, copied, shown at once; then again, with nothing changed."""
        part = "publish"
        night.build_warehouse_and_marts(self.place.warehouse, self.run, hear)
        marts = read_marts(manifest_path())
        self._let_pass(marts)
        self._take(part, "a copy of each candidate table", "limit", lambda: self._copy_tables(marts))
        published = self._take(part, "the first publish of every month", "ours", self._publish, once=True)
        self._take(part, "again, nothing changed", "ours", lambda: self._publish() or published)

    def _let_pass(self, marts: list[Mart]) -> None:
        """Verdicts of both gates without a rule: what is measured here is publishing, in a sandbox that nobody reads."""
        run = Run.from_dict(self.run)
        with self.place.warehouse.fenced(run.fence).connect() as connection:
            built = built_content(connection, marts, candidate_types(connection, marts), run.business_date)
            for number, candidates in ((1, None), (2, candidate_digests(built))):
                record_verdict(connection, run, GateResult(number, 0, 0, 0, blocking={}), candidates)

    def _copy_tables(self, marts: list[Mart]) -> int:
        rows = 0
        with connect(self.url) as connection:
            for mart in marts:
                connection.execute("drop table if exists public.copied")
                rows += connection.execute(
                    sql.SQL("create table public.copied as select * from {}").format(mart.candidate)
                ).rowcount
        return rows

    def _publish(self) -> int:
        own = self.place.warehouse.fenced(self.run["fence"])
        return publish(own, self.run["run_id"], BUSINESS_DATE, manifest_path()).rows

    @staticmethod
    def _require(holds: bool, what: str) -> None:
        if not holds:
            raise InfrastructureError(
                f"The bench compares unlike things: {what}.", next_step="fix include/lab/bench/speed.py."
            )


def _sqlalchemy_address(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg2://", 1)


def print_outcome(outcome: Outcome, console) -> None:
    """One line a measure: the limit of its part is 1.0."""
    title = f"Synthetic utility of {outcome.accounts:,} accounts, medians of {outcome.repeats}; the ratio is that of times for one row"
    console.print(f"\n{title}", highlight=False)
    console.print(
        f"  {'part':<9}{'kind':<7}{'what':<56}{'rows':>11}{'seconds':>9}{'rows/s':>12}{'ratio':>8}", highlight=False
    )
    for m in outcome.measures:
        console.print(
            f"  {m.part:<9}{m.kind:<7}{m.what:<56}{m.rows:>11,}{m.seconds:>9.3f}{m.rows_per_second:>12,.0f}{outcome.ratio(m):>8.1f}",
            style="bold" if m.kind == "ours" else None,
            highlight=False,
        )
