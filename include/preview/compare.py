"""Which figures of a mart differ between the warehouse and what was built beside it: by column rows, and sum before and after."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import date
from decimal import Decimal

import psycopg
from psycopg import sql

from include.publish.marts import Mart, column_types, is_published
from include.transform.metrics import declared_metrics
from include.transform.models import declared_models
from include.transform.schemas import BESIDE

EXAMPLES = 5
_SUMMED = ("_kwh", "_kvarh", "_cny")
_NUMBERS = ("numeric", "integer", "bigint", "smallint", "double", "real")


@dataclass(frozen=True)
class Column:
    """`rows` that are in both and differ. Of a number, `before` and `after` of all rows: their sum, or the mean where a sum says nothing."""

    name: str
    rows: int
    agg: str | None = None
    before: Decimal | None = None
    after: Decimal | None = None


@dataclass(frozen=True)
class MartChange:
    """Rows of a mart before and after; `changed` ones are in both, by their key, with other values. `examples` are some of these."""

    mart: str
    rows_before: int
    rows_after: int
    changed: int
    new: int
    gone: int
    columns: list[Column] = field(default_factory=list)
    examples: list[dict] = field(default_factory=list)

    def as_dict(self) -> dict:
        return asdict(self)


def compare(connection: psycopg.Connection, mart: Mart, day: date) -> MartChange | None:
    """None where every published row is what it was. Columns that only one side has are told with all rows of that side."""
    schema, name = mart.relation
    own, beside = column_types(connection, schema, name), column_types(connection, BESIDE + schema, name)
    told = [c for c in mart.columns if c not in mart.technical]
    both = [c for c in told if c in own and c in beside]
    if not own or any(c not in both for c in mart.grain):
        (rows,) = connection.execute(
            sql.SQL("select count(*) from {}").format(sql.Identifier(BESIDE + schema, name))
        ).fetchone()
        return MartChange(mart.name, 0, rows, 0, rows, 0, [Column(c, rows) for c in told])
    values = [c for c in both if c not in mart.grain]
    _pair(connection, mart, values, day)
    before, after, changed, new, gone, *numbers = connection.execute(
        sql.SQL(
            "select count(before_row), count(after_row), count(*) filter (where is_other),"
            " count(*) filter (where before_row is null), count(*) filter (where after_row is null) {} from pg_temp.paired"
        ).format(sql.SQL("").join(_counted(i, _agg(mart, c, own[c])) for i, c in enumerate(values))),
        prepare=False,  # paired is another table for each mart
    ).fetchone()
    columns = []
    for i, name in enumerate(values):
        rows, *sums = numbers[3 * i : 3 * i + 3]
        if rows or sums[0] != sums[1]:
            agg = _agg(mart, name, own[name])
            columns.append(Column(name, rows, agg, *(sums if agg else ())))
    columns += [Column(c, after if c in beside else before) for c in told if c not in both]
    if not (changed or new or gone or columns):
        return None
    return MartChange(mart.name, before, after, changed, new, gone, columns, _examples(connection, values))


def _agg(mart: Mart, column: str, type_: str) -> str | None:
    """`sum` or `mean` of a number: what its metric says may be made of several rows; without one, sums of energy and money."""
    if not type_.startswith(_NUMBERS):
        return None
    model = declared_models().get(mart.relation[1])
    metric = (model.column_meta.get(column) or {}).get("metric") if model else None
    is_sum = declared_metrics()[metric].agg == "sum" if metric else column.endswith(_SUMMED)
    return "sum" if is_sum else "mean"


def _counted(place: int, agg: str | None) -> sql.Composable:
    """SQL of three columns: rows that differ, and the number before and after."""
    before, after = sql.Identifier(f"before_{place}"), sql.Identifier(f"after_{place}")
    made = {"sum": "sum({}::numeric)", "mean": "round(avg({}::numeric), 6)", None: "null::numeric"}[agg]
    return sql.SQL(
        ", count(*) filter (where before_row and after_row and {b} is distinct from {a})," + f" {made}, {made}"
    ).format(before, after, b=before, a=after)


def _pair(connection: psycopg.Connection, mart: Mart, values: list[str], day: date) -> None:
    """Makes pg_temp.paired: each row of before and of after beside the one with its key."""
    connection.execute("drop table if exists pg_temp.paired")
    schema, name = mart.relation
    key = sql.SQL("jsonb_build_object({})::text").format(
        sql.SQL(", ").join(sql.SQL("{}, {}").format(sql.Literal(c), sql.Identifier(c)) for c in mart.grain)
    )

    def side(of_schema: str, prefix: str) -> sql.Composable:
        picked = [sql.SQL("{} as key, true as {}").format(key, sql.Identifier(f"{prefix}_row"))]
        picked += [
            sql.SQL("{} as {}").format(sql.Identifier(c), sql.Identifier(f"{prefix}_{i}")) for i, c in enumerate(values)
        ]
        return sql.SQL("select {} from {} where {}").format(
            sql.SQL(", ").join(picked), sql.Identifier(of_schema, name), is_published(mart, day)
        )

    differ = [
        sql.SQL("{} is distinct from {}").format(sql.Identifier(f"before_{i}"), sql.Identifier(f"after_{i}"))
        for i in range(len(values))
    ]
    connection.execute(
        sql.SQL(
            "create temporary table paired as"
            " select *, before_row and after_row and ({differ}) as is_other"
            " from ({before}) as before full join ({after}) as after using (key)"
        ).format(
            differ=sql.SQL(" or ").join([sql.SQL("false"), *differ]),
            before=side(schema, "before"),
            after=side(BESIDE + schema, "after"),
        )
    )


def _examples(connection: psycopg.Connection, values: list[str]) -> list[dict]:
    """Some of the rows that differ, by key: what each column that differs was and is; of a row of one side its key alone."""
    cursor = connection.execute(
        "select * from pg_temp.paired where is_other or before_row is null or after_row is null"
        " order by is_other desc nulls last, key limit %s",
        (EXAMPLES,),
        prepare=False,
    )
    names = [column.name for column in cursor.description]
    found = []
    for row in cursor:
        told = dict(zip(names, row, strict=True))
        pairs = {c: [told[f"before_{i}"], told[f"after_{i}"]] for i, c in enumerate(values)}
        kind = "changed" if told["is_other"] else "gone" if told["after_row"] is None else "new"
        shown = {c: pair for c, pair in pairs.items() if pair[0] != pair[1]} if kind == "changed" else {}
        found.append({"key": told["key"], "is": kind, "columns": shown})
    return found
