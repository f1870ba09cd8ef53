"""Faults of the rules that the contracts imply, made from the contracts as the rules are: (what, statements, columns found).

They change the raw row behind a staged one and stage nothing: a base rule reads the row as delivered. A row for each column
that can be wrong, so that no column can be left out of a rule unseen.
"""

from __future__ import annotations

from collections.abc import Iterator

from include.contracts import Column, Table, all_tables
from include.quality.rules import Rule
from include.transform.models import staging_relation

Fault = tuple[str, list[str], set[str]]

FORGOTTEN = "with told as (delete from quality.delivered_rows)"  # of deliveries that are taken away
NEWEST = 1_000_000  # a load after all loads, the last that a gate has passed
QUIET = f"update quality.current_run set last_passed_load_id = {NEWEST}"  # a night in which nothing was delivered
NO_CODE = "no such code"


def faults(rule: Rule) -> Iterator[Fault]:
    """The faults of a base rule on rows; the last ones are of a night that tests only what has an open finding."""
    for name in rule.subjects:
        table = all_tables()[name]
        kind = "ALLOWED" if rule.id == "MKT-13" else rule.id.rsplit("-", 1)[1]
        made = list({"KEY": _keys, "REQUIRED": _required, "ALLOWED": _allowed, "REFERENCE": _references}[kind](table))
        yield from made
        if not table.is_full_compared:
            yield from nights(table, *made[0])


def nights(table: Table, what: str, statements: list[str], found: set[str]) -> Iterator[Fault]:
    def finding(of_table: str) -> str:
        return (
            "insert into quality.finding_events (finding_id, run_id, event, at, rule_id, axis, severity, source_name, table_name,"
            " record_key, raw_id) select 1000000 + staged._raw_id, 1, 'opened', '2026-11-05', 'T-1', 'mismatch', 'warn', 'test',"
            f" '{of_table}', '{{}}', staged._raw_id from {staging_relation(table)} as staged"
        )

    """A fault in a night that tests only what landed since the last passed gate, or has an open finding."""
    passed = [*statements, f"update {staging_relation(table)} set _load_id = {NEWEST}", QUIET]
    yield f"{what}, passed before", passed, set()
    yield f"{what}, passed before, with an open finding", [*passed, finding(table.name)], found
    yield f"{what}, passed before, another table's finding", [*passed, finding("another_table")], set()


def one_is_new(table: Table, statements: list[str], which: str) -> list[str]:
    """A fault in a night in which one row of its table landed, the one with the `min` or the `max` number."""
    relation = staging_relation(table)
    loads = f"{NEWEST} + (_raw_id = (select {which}(_raw_id) from {relation}))::integer"
    return [*statements, f"update {relation} set _load_id = {loads}", QUIET]


def new_child(table: Table, child: Table, statements: list[str]) -> list[str]:
    """A fault in a night in which only rows of another table landed."""
    passed = f"update {staging_relation(table)} set _load_id = {NEWEST}"
    return [*statements, passed, QUIET, f"update {staging_relation(child)} set _load_id = {NEWEST + 1}"]


def _keys(table: Table) -> Iterator[Fault]:
    first = table.key[0]
    yield (
        "two rows of one key",
        [again(table.raw_name, _row(table)), again(staging_relation(table), _row(table))],
        {first},
    )
    for column in table.key:
        yield f"no {column}", [_set(table, column, _nothing(table.column(column)))], {first}


def _required(table: Table) -> Iterator[Fault]:
    columns = [c for c in table.scalar_columns if c.is_required and c.name not in table.key]
    for column in columns:
        yield f"no {column.name}", [_set(table, column.name, _nothing(column))], {column.name}


def _allowed(table: Table) -> Iterator[Fault]:
    for column in (c for c in table.scalar_columns if c.allowed):
        wrong = f"'{NO_CODE}'" if column.physical_type == "text" else "-7"
        yield f"{column.name} of no code", [_set(table, column.name, wrong)], {column.name}


def _references(table: Table) -> Iterator[Fault]:
    references = [r for r in table.references if not r.is_cross_system]
    for column in sorted({column for reference in references for column in reference.columns}):
        touched = [reference for reference in references if column in reference.columns]
        filled = " and ".join(f"raw.{name} is not null" for reference in touched for name in reference.columns)
        nowhere = "'no such row'" if table.column(column).physical_type == "text" else "-7"
        row = (
            f"(select min(raw._raw_id) from {table.raw_name} as raw inner join {staging_relation(table)} as staged"
            f" on raw._raw_id = staged._raw_id where {filled})"
        )
        yield (
            f"{column} of no {', '.join(reference.target_table for reference in touched)}",
            [f"update {table.raw_name} set {column} = {nowhere} where _raw_id = {row}"],
            {reference.columns[0] for reference in touched},
        )


def _set(table: Table, column: str, value: str) -> str:
    return f"update {table.raw_name} set {column} = {value} where _raw_id = {_row(table)}"


def _row(table: Table) -> str:
    return f"(select min(_raw_id) from {staging_relation(table)} where _raw_id > 0)"


def again(relation: str, row: str) -> str:
    """A row once more, under another row number."""
    return (
        f"insert into {relation} overriding system value select again.* from {relation} as rows cross join lateral"
        f" jsonb_populate_record(rows, '{{\"_raw_id\": -1}}') as again where rows._raw_id = {row}"
    )


def _nothing(column: Column) -> str:
    return "' '" if column.physical_type == "text" else "null"


# -- arrivals


def _receipt(
    state: str,
    table: str = "table_name",
    channel: str = "channel",
    day: str = "date '2026-11-05'",
    fence: str = "fence",
    rows: int = 1,
) -> str:
    """One more receipt of each table."""
    return (
        "insert into quality.receipts (source_name, table_name, channel, business_date, state, fence, delivered_rows)"
        f" select distinct source_name, {table}, {channel}, {day}, '{state}', {fence}::bigint, {rows} from quality.receipts where channel = 'auto'"
    )


def _attempts(*sources: str) -> str:
    """Attempts of the three sources, one after the other."""
    return (
        "update quality.receipts set fence = case source_name "
        + " ".join(f"when '{name}' then {place}" for place, name in enumerate(sources))
        + " end"
    )


DAY_BEFORE = "date '2026-11-04'"


ARRIVALS: list[
    tuple[str, list[str], set[str]]
] = [  # (what happened to all tables, statements, which tables' arrival fails)
    ("all arrived", ["update quality.receipts set state = state"], set()),
    ("nothing of tonight", ["update quality.receipts set business_date = business_date - 1"], {"all"}),
    ("one more, refused", [_receipt("refused")], {"all"}),
    ("one more, refused the day before", [_receipt("refused", day=DAY_BEFORE)], set()),
    ("one more, refused in an attempt before", [_receipt("landed", fence="7"), _receipt("refused", fence="6")], set()),
    (
        "one more, refused; another day's attempt after it",
        [_receipt("refused", fence="7"), _receipt("landed", day=DAY_BEFORE, fence="9")],
        {"all"},
    ),
    (
        "one more, refused in each source's own attempt",
        [_attempts("metering", "marketing", "contract"), _receipt("refused")],
        {"all"},
    ),
    (
        "one more, refused in each source's own attempt, in another order",
        [_attempts("contract", "marketing", "metering"), _receipt("refused")],
        {"all"},
    ),
    (
        "refused in an attempt before, in the last one only other tables",
        [
            "update quality.receipts set state = 'refused', fence = 6",
            _receipt("landed", day=DAY_BEFORE),
            _receipt("landed", table="'another_table'", fence="7"),
        ],
        {"all"},
    ),
    (
        "rows, and nothing in a refused one of an attempt before",
        [
            _receipt("landed", fence="7"),
            f"{FORGOTTEN} delete from quality.receipts where fence is distinct from 7",
            _receipt("refused", fence="6", rows=0),
        ],
        set(),
    ),
    ("rows, and nothing in it the day before", [_receipt("landed", day=DAY_BEFORE, rows=0)], set()),
    ("one more by form, refused", [_receipt("refused", channel="'form'")], {"all"}),
    ("one more by form, refused the day before", [_receipt("refused", channel="'form'", day=DAY_BEFORE)], set()),
    (
        "one more by form, refused in an attempt before",
        [_receipt("landed", fence="7"), _receipt("refused", channel="'form'", fence="6")],
        set(),
    ),
    (
        "never anything but a form, refused",
        [_receipt("refused", channel="'form'"), f"{FORGOTTEN} delete from quality.receipts where channel = 'auto'"],
        {"all"},
    ),
    (
        "never anything but a form, refused the day before",
        [
            _receipt("refused", channel="'form'", day=DAY_BEFORE),
            f"{FORGOTTEN} delete from quality.receipts where channel = 'auto'",
        ],
        {"daily"},
    ),
    (
        "never anything but a form",
        [_receipt("landed", channel="'form'"), f"{FORGOTTEN} delete from quality.receipts where channel = 'auto'"],
        {"daily"},
    ),
    ("rows, and nothing in a form beside them", [_receipt("landed", channel="'form'", rows=0)], set()),
    (
        "by the source the day before, tonight by form alone",
        ["update quality.receipts set business_date = business_date - 1", _receipt("landed", channel="'form'")],
        {"all"},
    ),
    (
        "one more by form, refused, and corrected in the attempt after it",
        [
            _receipt("refused", channel="'form'", fence="6"),
            _receipt("landed", fence="7"),
            _receipt("landed", channel="'form'", fence="7"),
        ],
        set(),
    ),
    (
        "one more by form, refused, and again in the attempt after it",
        [
            _receipt("refused", channel="'form'", fence="6"),
            _receipt("landed", fence="7"),
            _receipt("refused", channel="'form'", fence="7"),
        ],
        {"all"},
    ),
    (
        "the day before one form landed and one was refused; never anything else",
        [
            _receipt("landed", channel="'form'", day=DAY_BEFORE),
            _receipt("refused", channel="'form'", day=DAY_BEFORE),
            f"{FORGOTTEN} delete from quality.receipts where channel = 'auto'",
        ],
        {"daily"},
    ),
    (
        "the day before a file and a form were refused; never anything else",
        [
            "update quality.receipts set state = 'refused', business_date = business_date - 1",
            _receipt("refused", channel="'form'", day=DAY_BEFORE),
        ],
        {"daily"},
    ),
    ("only by hand", ["update quality.receipts set channel = 'form'"], {"daily"}),
    ("nothing in it", ["update quality.receipts set delivered_rows = 0"], {"full"}),
    (
        "nothing in the one, rows in the other",
        ["update quality.receipts set delivered_rows = 0", _receipt("landed")],
        set(),
    ),
    ("all refused", ["update quality.receipts set state = 'refused'"], {"daily"}),
    ("never anything", [f"{FORGOTTEN} delete from quality.receipts"], {"daily"}),
]


def missing(table: Table) -> list[str]:
    """Every table but one has arrived."""
    return [f"update quality.receipts set business_date = business_date - 1 where table_name = '{table.name}'"]


def fails(table: Table, kinds: set[str]) -> bool:
    return bool(kinds & {"all", "full" if table.is_full_compared else "", "daily" if table.is_daily else ""})
