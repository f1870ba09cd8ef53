"""The command `./kaw simulate DIR`: writes a simulated utility as a folder of deliveries."""

from __future__ import annotations

import argparse
import csv
import json
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from include.errors import UsageError
from include.lab.simulator.deliver import write_deliveries
from include.lab.simulator.simulation import Truth
from include.lab.utility import generate
from include.settings import SOURCE_NAMES


def main(argv: list[str] | None = None) -> int:
    """Parse the arguments, write the deliveries and `truth.csv`, print what was planted; 0.

    Raises UsageError where the utility cannot be as asked.
    """
    yesterday = datetime.now(ZoneInfo("Asia/Shanghai")).date() - timedelta(days=1)
    parser = argparse.ArgumentParser(
        prog="./kaw simulate", description="Write a simulated (synthetic) utility as deliveries."
    )
    parser.add_argument("directory", type=Path, metavar="DIR", help="folder of the deliveries; made if absent")
    parser.add_argument("--accounts", type=int, default=200, metavar="N", help="number of accounts, at least 20 (200)")
    parser.add_argument("--days", type=int, default=45, metavar="N", help="days of curves (45)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="seed of the utility (1)")
    parser.add_argument("--rich", action="store_true", help="with the stories of docs/reference/simulated-utility.md")
    parser.add_argument("--defects", type=int, metavar="SEED", help="plant defects drawn from this seed")
    parser.add_argument(
        "--business-date", type=date.fromisoformat, default=yesterday, metavar="D", help="last day, YYYY-MM-DD"
    )
    given = parser.parse_args(argv)
    try:
        simulation = generate(
            given.business_date, given.accounts, given.days, given.seed, given.defects, is_rich=given.rich
        )
    except ValueError as problem:
        raise UsageError(
            f"{str(problem)[0].upper()}{str(problem)[1:]}.",
            where="./kaw simulate",
            next_step="see ./kaw simulate --help.",
        ) from problem
    files = write_deliveries(simulation, given.directory, by_form=True)
    write_truth(simulation.truth, given.directory / "truth.csv")
    rows = sum(table.num_rows for table in simulation.tables.values())
    print(
        f"Synthetic utility of {given.accounts} accounts to {given.business_date}: {rows:,} rows in {len(files)} files "
        f"under {given.directory}"
    )
    for source in (*SOURCE_NAMES, "forms"):
        print(f"  KAW_SOURCE_{source.upper()}={given.directory.absolute() / source}")
    for name, count in sorted(Counter(truth.defect_class for truth in simulation.truth).items()):
        print(f"  {name:8s} {count:5d} records")
    return 0


def write_truth(truth: list[Truth], path: Path) -> None:
    """One line per record that a planted defect makes break rules; `rule_ids` are separated by blanks."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(
            ["defect_class", "source_name", "table_name", "record_key", "column_name", "right_value", "rule_ids"]
        )
        for t in truth:
            key = json.dumps(t.record_key, ensure_ascii=False, sort_keys=True)
            writer.writerow(
                [t.defect_class, t.source_name, t.table_name, key, t.column_name, t.right_value, " ".join(t.rule_ids)]
            )
