"""What readers see, version by version, and whether the ledger is intact."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from psycopg.rows import dict_row

from include import ledger
from include.database import connect
from include.publish import status

LAST_ENTRIES = 20
SIGNED = 200  # decisions of named people on the page


def content(url: str) -> dict:
    """Months by mart with version, rows and hash, and the overall hash of each mart that `./kaw status --json` prints."""
    now = status(url)
    with connect(url) as conn:
        cursor = conn.cursor(row_factory=dict_row)
        months = cursor.execute(
            "select publication.*, pointer.run_id, pointer.pinned_by, pointer.pinned_reason from marts.publication"
            " inner join publish.pointer on publication.published_month = pointer.published_month"
            " order by publication.published_month desc"
        ).fetchall()
        versions = cursor.execute(
            "select versions.* from publish.versions inner join publish.pointer"
            " on versions.published_month = pointer.published_month and versions.version = pointer.version"
        ).fetchall()
    by_month: dict[date, dict[str, dict]] = {}
    for row in versions:
        by_month.setdefault(row["published_month"], {})[row["mart"]] = row
    return {
        "business_date": now["business_date"],
        "run": now["run"],
        "marts": now["marts"],
        "months": [{**month, "marts": by_month.get(month["published_month"], {})} for month in months],
    }


def ledger_state(url: str, head_file: Path | None = None) -> dict:
    """Head, problems and last entries of the ledger, as verified while the report was written."""
    problems = ledger.verify(url, head_file)
    number, digest = ledger.head(url)
    with connect(url) as conn:
        entries = conn.cursor(row_factory=dict_row).execute(
            "select entry_no, at, actor, event, digest from quality.ledger order by entry_no desc limit %s", [LAST_ENTRIES]
        ).fetchall()  # fmt: skip
        signed = conn.cursor(row_factory=dict_row).execute(
            "select entry_no, at, actor, event, detail, digest from quality.ledger"
            " where event in ('waiver', 'roll_back', 'release') order by entry_no desc limit %s",
            [SIGNED],
        ).fetchall()  # fmt: skip
    return {"entry_no": number, "digest": digest, "problems": problems, "entries": entries, "signed": signed}
