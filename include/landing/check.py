"""`./kaw check-sources`: can each source be reached, are its columns the contract's, how many rows has it, and which of its values
would not pass. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path

import pyarrow.compute as pc

from include.contracts import Table, all_tables, load_contracts
from include.errors import KawError
from include.landing.addresses import resolve
from include.landing.check_values import BadValues, Seen
from include.landing.databases import Source, again, is_database
from include.landing.delivery import Ignored, Refusal
from include.landing.folders import Landed, outside_of_tables, read_folder
from include.landing.mapped_folders import outside_of_maps, read_mapped_folder
from include.landing.mapping import table_map
from include.landing.reading import Reader
from include.profiles import is_source_left_out, left_out, profile
from include.settings import SOURCE_NAMES, default_business_date, mask_secrets, settings

SAMPLE_ROWS = 10_000  # of each file, from its beginning; of a table, the newest


@dataclass
class Check:
    """One table of one source: rows it would deliver, columns that are not in the contract, what is wrong with it as a whole,
    files that are not read, what would land otherwise than it is delivered, and values that would not pass."""

    source: str
    table: str
    rows: int = 0
    unknown_columns: list[str] = field(default_factory=list)
    problem: str | None = None
    ignored: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    values: list[BadValues] = field(default_factory=list)
    last_day: str | None = None  # of curves: the last day that they have

    def as_dict(self) -> dict:
        return asdict(self)


def check_sources(
    addresses: Mapping[str, str | None], business_date: date, sample: int | None = SAMPLE_ROWS
) -> list[Check]:
    """Every table of every source, and of the forms; None is a simulated source that has not delivered yet.

    Values are those of `sample` rows of each file or table, None for all. A source that cannot be reached is one entry with its
    problem.
    """
    with Reader(settings()) as reader:
        return _check_all(addresses, business_date, sample, reader)


def _check_all(
    addresses: Mapping[str, str | None], business_date: date, sample: int | None, reader: Reader
) -> list[Check]:
    checks, seen = [], Seen()
    for source in SOURCE_NAMES:
        address = addresses[source]
        if is_source_left_out(source):
            continue
        if address is None and profile().folder is None:
            checks.append(Check(source, "(simulated, not delivered yet)"))
            continue
        try:
            checks += _check(source, resolve(source, address, business_date), business_date, sample, seen, reader)
        except KawError as error:
            seen.forget(source)
            checks.append(Check(source, "*", problem=mask_secrets(" ".join(str(error).split()))))
    if forms := addresses.get("forms"):
        checks += _check_forms(forms, business_date, sample, seen, reader)
    seen.follow_references()
    of_table = {(check.source, check.table): check for check in checks}
    for bad in seen.bad:
        of_table[bad.source, bad.table].values.append(bad)
    return checks


def _check(
    source: str, address: str, business_date: date, sample: int | None, seen: Seen, reader: Reader
) -> list[Check]:
    tables = [table for table in load_contracts()[source].values() if table.name not in left_out()]
    if is_database(address):
        checks = again(source, lambda: _check_database(source, address, business_date, sample, seen))
        return list({check.table: check for check in checks}.values())
    path = Path(address.removeprefix("file://"))
    if not path.is_dir():
        return [Check(source, "*", problem=f"the folder {path} is not there")]
    checks = []
    for table in tables:
        check, files = _check_files(source, path, table, business_date, sample, seen, reader)
        checks.append(check)
        if not files and table.is_daily:
            checks[-1].problem = f"no file in {table.name}/ for {business_date} or earlier"
    return checks + _ignored(source, path)


def _check_database(source: str, address: str, business_date: date, sample: int | None, seen: Seen) -> Iterator[Check]:
    seen.forget(source)  # of a try that failed
    with Source(address, source) as database:
        for table in load_contracts()[source].values():
            if table.name in left_out():
                continue
            problem = database.problem(table)
            rows = 0 if problem else database.count(table)
            if rows:
                seen.look(source, table, database.newest(table, sample), business_date)
                for columns in seen.wanted(table):
                    seen.keep_targets(table, columns, database.distinct(table, columns))
            yield Check(source, table.name, rows, database.unknown_columns(table), problem)


def _ignored(source: str, path: Path) -> list[Check]:
    maps = {
        name: mapped for name, table in load_contracts().get(source, {}).items() if (mapped := table_map(source, table))
    }
    outside = outside_of_maps(path, source, maps) if maps else outside_of_tables(path, source)
    return [Check(source, each.table_name, ignored=[_told(each)]) for each in outside]


def _told(each: Ignored) -> str:
    return f"{each.file_name}: {each.problem}"


def _check_forms(address: str, business_date: date, sample: int | None, seen: Seen, reader: Reader) -> list[Check]:
    path = Path(address.removeprefix("file://"))
    if not path.is_dir():
        return [Check("forms", "*", problem=f"the folder {path} is not there")]
    tables = all_tables().values()
    found = [_check_files("forms", path, table, business_date, sample, seen, reader, "form") for table in tables]
    return [check for check, files in found if files or check.ignored] + _ignored("forms", path)


def _check_files(
    source: str,
    path: Path,
    table: Table,
    business_date: date,
    sample: int | None,
    seen: Seen,
    reader: Reader,
    channel: str = "auto",
) -> tuple[Check, int]:
    """What the files of a table hold, and how many there are."""
    check, files = Check(source, table.name), 0
    mapped = table_map(table.source, table) if channel == "auto" else None
    reading = read_mapped_folder(reader, path, table, business_date, Landed(), mapped) if mapped else None
    for delivery in reading or read_folder(reader, path, table, business_date, Landed(), channel):
        if isinstance(delivery, Ignored):
            check.ignored.append(_told(delivery))
            continue
        files += 1
        problem = None
        if isinstance(delivery, Refusal):
            problem = delivery.problem
        else:
            count = delivery.rows.num_rows + len(delivery.malformed)
            check.rows += count
            check.notices += [f"{delivery.file_name}: {notice}" for notice in delivery.notices]
            check.unknown_columns = sorted({*check.unknown_columns, *delivery.unknown_columns})
            if delivery.announced_rows not in (None, count):
                problem = f"{delivery.announced_rows} rows were announced, {count} came"
            if table.curve_slots and delivery.rows.num_rows:
                check.last_day = max(check.last_day or "", pc.max(delivery.rows.column("data_date")).as_py() or "")
            seen.look(source, table, delivery.rows.slice(0, sample), business_date, delivery.file_name)
            for columns in seen.wanted(table):
                seen.keep_targets(table, columns, delivery.rows)
        if problem:
            check.problem = f"{delivery.file_name}: {problem}"
    return check, files


FIRST_MARTS = (  # what a first mart needs, table by table
    ("energy structure and load", ("met_interval_96",)),
    ("ranking of accounts", ("mkt_customer", "mkt_bill")),
)


def print_checks(checks: list[Check], sample: int | None = SAMPLE_ROWS) -> None:
    """First what the first mart needs, then problems, alike ones together, then values; the last line is the next command."""
    from include.records.tables import print_rows

    given, stated = settings(), profile()
    for source in [*SOURCE_NAMES, *(["forms"] if given.source("forms") else [])]:
        address = given.source(source) or stated.addresses.get(source)
        if source in SOURCE_NAMES and is_source_left_out(source):
            print(f"{source}: left out by the profile")
        else:
            print(
                f"{source}: {mask_secrets(address or ('no address' if stated.folder else 'the simulated utility (synthetic)'))}"
            )
    _print_first(checks)
    shown = [c for c in checks if c.rows or c.unknown_columns]
    print_rows(
        ["source", "table", "rows", "not in the contract", "problem"],
        [[c.source, c.table, c.rows, ", ".join(c.unknown_columns), c.problem] for c in shown],
    )
    for title, told in (
        ("Not read", [text for check in checks for text in check.ignored]),
        ("Would not land as delivered", [text for check in checks for text in check.notices]),
    ):
        if told:
            print(f"\n{title}:", *told, sep="\n  ")
    alike: dict[tuple[str, str], list[str]] = {}
    for check in checks:
        if check.problem and check not in shown:
            alike.setdefault((check.source, check.problem.replace(f"{check.table}/", "TABLE/", 1)), []).append(
                check.table
            )
    if alike:
        print("\nProblems, alike ones together:")
        for (source, problem), tables in alike.items():
            print(f"  {source}: {problem} ({len(tables)}: {', '.join(tables)})")
    if left := left_out():
        print(f"\n{len(left)} tables are left out by the profile: rules and marts that rest on them say so.")
    values = [bad for check in checks for bad in check.values]
    if values:
        print("\nValues that would not pass:")
        print_rows(
            ["source", "table", "column", "rows", "problem", "first", "value"],
            [[b.source, b.table, b.column, b.rows, b.problem, b.place, b.value] for b in values],
        )
    bad = sum(c.problem is not None for c in checks)
    looked_at = "all rows" if sample is None else f"up to {sample:,} rows of each"
    print(f"Values of {looked_at}: {sum(b.rows for b in values):,} would not pass.")
    print(f"{len(checks)} tables checked, {bad} with a problem; nothing was written.")
    print(f"Next: {_next(checks)}")


def _print_first(checks: list[Check]) -> None:
    of_table = {check.table: check for check in checks if check.source != "forms"}
    for mart, tables in FIRST_MARTS:
        told = []
        for name in tables:
            check = of_table.get(name)
            if check is None:
                return  # a source that was not reached says so itself
            told.append(
                f"{name} "
                + (f"({check.problem})" if check.problem else f"{check.rows:,} rows" if check.rows else "without a row")
            )
        print(f"For a first mart, {mart}: {'; '.join(told)}")


def _next(checks: list[Check]) -> str:
    doubtful = [c for c in checks if c.problem and "are doubtful" in c.problem]
    if doubtful:
        return f"confirm what is doubtful of {', '.join(c.table for c in doubtful)} in sources/{doubtful[0].source}.yaml of the profile"
    absent = [c for c in checks if c.problem and c.problem.startswith("no file")]
    if absent and profile().folder is None:
        return "./kaw init-source SOURCE FOLDER --profile DIR reads files of your own and leaves out the tables that you do not have"
    if absent:
        return f"deliver {absent[0].table}, or leave it out in the profile"
    if any(c.problem for c in checks):
        return "correct what has a problem and repeat the command"
    last = max((c.last_day for c in checks if c.last_day), default="")
    is_old = last and last < f"{default_business_date()}"
    return f"./kaw run --date {last}, the last day of the curves" if is_old else "./kaw run"
