"""Thirteen months of the rules' results: per run and axis on a line, per month and axis in a table."""

from __future__ import annotations

from datetime import date

import psycopg
from psycopg.rows import dict_row

WIDTH, HEIGHT, MARGIN = 400, 110, 8  # of a chart, in its own units
POINTS = 400  # of a line: thirteen months of nights
BARS = 62  # nights that are drawn one by one; more are a line


def trend(conn: psycopg.Connection, run: dict, rules: list[dict]) -> dict:
    """`{runs, months, axes: [{axis, line, dots, highest, last, months: [{month, runs, tested, failed, not_tested}]}]}`.

    Of each business date the last run that judged counts; the database adds up, so 3,000 rules of 400 runs are a few thousand sums here.
    A rule that has left the book has no axis any more and is not in the trend.
    """
    axes = {rule["id"]: rule["axis"] for rule in rules if rule["axis"]}
    rows = (
        conn.cursor(row_factory=dict_row)
        .execute(
            """
        with nights as (
            select distinct on (business_date) run_id, business_date
            from quality.runs
            where
                run_id <= %(run)s and business_date <= %(day)s
                and business_date >= date_trunc('month', %(day)s::date) - interval '12 months'
                and exists (select 1 from quality.rule_results as results where results.run_id = runs.run_id)
            order by business_date, run_id desc
        ),

        axes as (select * from unnest(%(rules)s::text[], %(axes)s::text[]) as axes (rule_id, axis))

        select
            axes.axis, nights.business_date, sum(results.tested_rows)::bigint as tested,
            sum(results.failed_rows)::bigint as failed,
            count(*) filter (where results.tested_rows = 0) as not_tested
        from nights
        inner join quality.rule_results as results on nights.run_id = results.run_id
        inner join axes on results.rule_id = axes.rule_id
        group by axes.axis, nights.business_date
        order by axes.axis collate "C", nights.business_date
        """,
            {"run": run["run_id"], "day": run["business_date"], "rules": list(axes), "axes": list(axes.values())},
        )
        .fetchall()
    )
    days = sorted({row["business_date"] for row in rows})
    months = sorted({f"{day:%Y-%m}" for day in days})
    by_axis: dict[str, list[dict]] = {}
    for row in rows:
        by_axis.setdefault(row["axis"], []).append(row)
    return {
        "runs": len(days),
        "months": months,
        "axes": [_axis(axis, own, days) for axis, own in sorted(by_axis.items())],
    }


def _axis(axis: str, rows: list[dict], days: list[date]) -> dict:
    """The line of failures per 10,000 tested, and the months under it."""
    shares = [(row["business_date"], _per_10_000(row["failed"], row["tested"])) for row in rows]
    highest = max(share for _, share in shares)
    span = max((days[-1] - days[0]).days, 1)
    points = [
        (
            round(MARGIN + (day - days[0]).days / span * (WIDTH - 2 * MARGIN), 1),
            round(HEIGHT - MARGIN - (share / highest if highest else 0) * (HEIGHT - 2 * MARGIN), 1),
        )
        for day, share in shares[-POINTS:]
    ]
    wide = (WIDTH - 2 * MARGIN) / len(shares)
    bars = [
        {
            "day": day,
            "share": share,
            "x": round(MARGIN + n * wide, 1),
            "width": round(min(wide * 0.8, 40), 1),
            "height": round((share / highest if highest else 0) * (HEIGHT - 2 * MARGIN), 1),
        }
        for n, (day, share) in enumerate(shares)
    ]
    months: dict[str, dict] = {}
    for row in rows:
        month = months.setdefault(
            f"{row['business_date']:%Y-%m}", {"runs": 0, "tested": 0, "failed": 0, "not_tested": 0}
        )
        month["runs"] += 1
        for name in ("tested", "failed", "not_tested"):
            month[name] += row[name]
    return {
        "axis": axis,
        "bars": bars if len(bars) <= BARS else [],
        "line": " ".join(f"{x},{y}" for x, y in points),
        "last_point": points[-1],
        "highest": highest,
        "last": shares[-1][1],
        "months": [
            {"month": name, **month, "share": _per_10_000(month["failed"], month["tested"])}
            for name, month in months.items()
        ],
    }


def _per_10_000(failed: int, tested: int) -> float:
    return 10_000 * failed / tested if tested else 0.0
