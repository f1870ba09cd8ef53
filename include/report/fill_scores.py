"""Whose entries look filled in: the scores of offices and clerks as readers saw them when the run had ended."""

from __future__ import annotations

import psycopg
from psycopg.rows import dict_row

MART = "fct_arbitrary_fill_scores"
SHOWN = 20  # the complete list is marts.fct_arbitrary_fill_scores


def scores(conn: psycopg.Connection, published: dict) -> dict | None:
    """The newest published month: units by verdict, and those named first, then the lowest scores; None without any."""
    month = published["months"][0] if published["months"] else None
    if month is None or not month["marts"].get(MART, {}).get("rows"):
        return None
    rows = (
        conn.cursor(row_factory=dict_row)
        .execute(
            "select * from publish.fct_arbitrary_fill_scores where published_month = %(published_month)s"
            " and publish.has_row(%(version)s, version, until_version)"
            " order by verdict_code = 'LOOKS_FABRICATED' desc, score nulls last, corrected_p_value, test_code, org_no, clerk_no",
            {name: month[name] for name in ("published_month", "version")},
        )
        .fetchall()
    )
    tested = [row for row in rows if row["score"] is not None]
    return {
        "as_of": rows[0]["as_of_date"],
        "level": rows[0]["level_of_the_night"],
        "tested": len(tested),
        "named": sum(row["verdict_code"] == "LOOKS_FABRICATED" for row in tested),
        "few": sum(row["verdict_code"] == "NOT_ENOUGH_ROWS" for row in rows),
        "alone": sum(row["verdict_code"] == "NO_OTHERS" for row in rows),
        "rows": tested[:SHOWN],
    }
