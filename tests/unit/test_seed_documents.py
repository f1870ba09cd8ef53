"""No parameter is older than the document that it comes from."""

from __future__ import annotations

import csv
import re
from pathlib import Path

SEEDS = Path(__file__).parents[2] / "dbt_project" / "seeds"
YEAR = re.compile(r"〔(\d{4})〕|-(\d{4})\b|\((\d{4})\)")


def older_than_their_document(rows: list[dict]) -> list[tuple[str, str]]:
    """Document and first day of the rows whose validity begins before the year in the document's number."""
    return [
        (row["source_doc"], row["valid_from"])
        for row in rows
        for years in YEAR.findall(row.get("source_doc") or "")
        if row.get("valid_from") and row["valid_from"][:4] < max(years)
    ]


def test_no_parameter_is_valid_before_its_document():
    files = [path for path in sorted(SEEDS.rglob("*.csv")) if "source_doc" in path.read_text("utf-8").split("\n")[0]]
    assert len(files) > 40
    found = {path.stem: older_than_their_document(list(csv.DictReader(path.open(encoding="utf-8")))) for path in files}
    assert {name: rows for name, rows in found.items() if rows} == {}


def test_a_row_before_its_document_is_found():
    rows = [
        {"source_doc": "发改价格〔2023〕526号", "valid_from": "2000-01-01"},
        {"source_doc": "GB/T 15543-2008", "valid_from": "2009-05-01"},
        {"source_doc": "供电营业规则 (2024)", "valid_from": "2023-12-31"},
    ]
    assert [row[0] for row in older_than_their_document(rows)] == ["发改价格〔2023〕526号", "供电营业规则 (2024)"]
