"""Manifests of a second night that say what nobody can know. Their records are tables, whose files say nothing that can be trusted."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

from include.contracts import all_tables


def _slots_labelled_by_their_middle(manifest: dict, entry: dict, folder: Path, day: date) -> None:
    """A second meter system exports a point slot by slot, and says that its stamps name the middle of a slot."""
    export = folder / f"substation_{day:%Y%m%d}.csv"
    export.write_text(f"at,kwh\n{day} 00:07,0.25\n{day} 00:22,0.25\n", encoding="utf-8")
    manifest["intervals"] = {
        "files": "substation_*.csv",
        "metering_point_no": "031000000101",
        "stamp": {"column": "at", "format": "%Y-%m-%d %H:%M", "labels": "middle"},
        "quantities": {"kwh": {"data_type": "E+"}},
    }


def _in_universal_time(manifest: dict, entry: dict, folder: Path, day: date) -> None:
    """A zone for all times of a table: no key says that, so nobody would read it, and times would be 8 hours late."""
    manifest["zone"] = "UTC"


def _named(old: str, new: str) -> Callable[[dict, dict, Path, date], None]:
    """A key of the entry of the night's file in another spelling."""

    def spoil(manifest: dict, entry: dict, folder: Path, day: date) -> None:
        entry[new] = entry.pop(old)

    return spoil


SPOILT: dict[str, Callable[[dict, dict, Path, date], None]] = {
    "met_interval_96": _slots_labelled_by_their_middle,
    "met_pq_sample": _in_universal_time,
    "met_collect_task": _named("complete_from", "complete_form"),
    "mkt_survey": _named("rows", "row_count"),
    "con_trade_curve": _named("sha256", "sha-256"),
}


def spoil_manifests(deliveries: Path, business_date: date) -> None:
    """Change the manifests of five tables in a folder of deliveries that is written and not landed yet."""
    for table, spoil in SPOILT.items():
        folder = deliveries / all_tables()[table].source / table
        path = folder / "_manifest.json"
        manifest = json.loads(path.read_text(encoding="utf-8"))
        (entry,) = [e for e in manifest["files"] if e["business_date"] == business_date.isoformat()]
        spoil(manifest, entry, folder, business_date)
        path.write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
