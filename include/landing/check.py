"""`./kaw check-sources`: can each source be reached, are its columns the contract's, how many rows has it. Writes nothing."""
from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path

from include import server
from include.contracts import SOURCE_NAMES, load_contracts
from include.errors import KawError
from include.landing.databases import Source
from include.landing.delivery import Refusal
from include.landing.folders import read_folder
from include.settings import mask_secrets, settings
from include.simulated import address_of, is_simulated


@dataclass
class Check:
    """One table of one source: rows it would deliver, columns that are not in the contract, and what is wrong."""

    source: str
    table: str
    rows: int = 0
    unknown_columns: list[str] = field(default_factory=list)
    problem: str | None = None

    def as_dict(self) -> dict:
        return asdict(self)


def check_sources(business_date: date) -> list[Check]:
    """Every table of every source. A source that cannot be reached is one entry with its problem."""
    checks = []
    for source in SOURCE_NAMES:
        if is_simulated(source) and not server.exists():
            checks.append(Check(source, "(simulated)", problem=None))
            continue
        try:
            checks += _check(source, address_of(source), business_date)
        except KawError as error:
            checks.append(Check(source, "*", problem=mask_secrets(str(error))))
    return checks


def _check(source: str, address: str, business_date: date) -> list[Check]:
    tables = load_contracts()[source].values()
    if "://" in address and not address.startswith("file://"):
        with Source(address, source) as database:
            return [
                Check(source, t.name, 0 if (problem := database.problem(t)) else database.count(t),
                      database.unknown_columns(t), problem)
                for t in tables
            ]  # fmt: skip
    folder = Path(address.removeprefix("file://"))
    if not folder.is_dir():
        return [Check(source, "*", problem=f"the folder {folder} is not there")]
    checks = []
    for table in tables:
        check = Check(source, table.name)
        delivered = list(read_folder(folder, table, business_date, set()))
        for delivery in delivered:
            if isinstance(delivery, Refusal):
                check.problem = f"{delivery.file_name}: {delivery.problem}"
            else:
                check.rows += delivery.rows.num_rows + len(delivery.malformed)
                check.unknown_columns = sorted({*check.unknown_columns, *delivery.unknown_columns})
        if not delivered and table.is_daily:
            check.problem = f"no file in {table.name}/ for {business_date} or earlier"
        checks.append(check)
    return checks


def print_checks(checks: list[Check]) -> None:
    from include.tables import print_rows

    given = settings()
    for source in SOURCE_NAMES:
        print(f"{source}: {mask_secrets(given.source(source) or 'the simulated utility (synthetic)')}")
    print_rows(
        ["source", "table", "rows", "not in the contract", "problem"],
        [[c.source, c.table, c.rows, ", ".join(c.unknown_columns), c.problem] for c in checks],
    )
    bad = sum(c.problem is not None for c in checks)
    print(f"{len(checks)} tables checked, {bad} with a problem; nothing was written.")
