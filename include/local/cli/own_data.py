"""`init-source`: how the files of a utility become the contract's tables, proposed for a person to review."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path

import yaml

from include.errors import UsageError
from include.landing.databases import is_database
from include.local.cli.options import command
from include.settings import SOURCE_NAMES, settings


def add_to(commands) -> None:
    init = command(
        commands,
        "init-source",
        _init_source,
        "read sample files of a source and propose how they become the contract's tables; lands nothing",
    )
    init.add_argument("source", choices=SOURCE_NAMES, help="which of the three systems it stands for")
    init.add_argument("place", metavar="PLACE", help="a file, a folder with files, or a postgresql:// address")
    init.add_argument("--schema", default="public", help="of a database, the schema with its tables (default public)")
    init.add_argument("--profile", type=Path, metavar="DIR", help="where the mapping is written (default: KAW_PROFILE)")
    init.add_argument("--force", action="store_true", help="propose anew over a mapping that is there")


def _init_source(arguments: argparse.Namespace) -> int:
    from include.onboarding.source import propose_source, write

    folder = arguments.profile or settings().profile
    if folder is None:
        raise UsageError(
            "There is no folder for the profile.",
            where="KAW_PROFILE",
            next_step="give --profile DIR, or set KAW_PROFILE.",
        )
    if is_database(arguments.place):
        return _init_database(arguments, folder)
    place = Path(arguments.place).expanduser().absolute()
    if not place.exists():
        raise UsageError("The samples are not there.", where=str(place), next_step="give a file or a folder.")
    today = date.today()
    found = propose_source(arguments.source, place, today)
    for table, proposed in found.tables.items():
        shown = (
            proposed.intervals.get("quantities", proposed.intervals.get("channel"))
            if proposed.intervals
            else proposed.columns
        )
        print(f"{found.patterns[table]} is {table}: {len(shown)} columns mapped, {len(proposed.doubts)} doubtful")
        for setting, (_, why) in proposed.doubts.items():
            print(f"  doubtful  {setting}: {why}")
        if missing := [name for name in proposed.missing if name not in proposed.columns]:
            print(f"  missing   {', '.join(missing[:12])}{' ...' if len(missing) > 12 else ''}")
        if proposed.unused:
            print(f"  unused    {', '.join(proposed.unused[:12])}{' ...' if len(proposed.unused) > 12 else ''}")
    for said in found.overlaps:
        print(said)
    for name, problem in found.problems:
        print(f"{name} is not mapped: {problem}")
    if not found.tables:
        print(
            "Nothing was written. Next: see what the tables hold in docs/reference/contracts.md, or give another SOURCE"
        )
        return 1
    address = place.parent if place.is_file() else place
    written = write(found, folder, address, today, force=arguments.force)
    print(f"Written: {', '.join(map(str, written))}")
    if len(written) == 1 and (new := [name for name in found.tables if name not in _delivered(folder)]):
        print(f"Add to {folder}/profile.yaml: addresses {arguments.source}: {address}; delivered {', '.join(new)}")
    print(
        f"Next: review {written[0].name}" + (f" and confirm {found.doubts} settings" if found.doubts else "")
        + f", then KAW_PROFILE={folder} ./kaw check-sources"
    )  # fmt: skip
    return 0


def _delivered(folder: Path) -> set[str]:
    """Tables that the profile says are delivered; none where it cannot be read, which the next command tells."""
    try:
        return set(
            (yaml.safe_load((folder / "profile.yaml").read_text(encoding="utf-8-sig")) or {}).get("delivered") or ()
        )
    except (OSError, yaml.YAMLError, AttributeError):
        return set()


def _init_database(arguments: argparse.Namespace, folder: Path) -> int:
    from include.onboarding.database import propose_database, views_of

    path, today = folder / "sources" / f"{arguments.source}.sql", date.today()
    if path.exists() and not arguments.force:
        raise UsageError(
            "This source has views already, which a person may have reviewed.",
            where=str(path),
            next_step="add --force to propose them anew, or give another --profile.",
        )
    found = propose_database(arguments.source, arguments.place, arguments.schema, today)
    for proposed in found.proposals:
        print(
            f"{proposed.file} is {proposed.table}: {len(proposed.columns)} columns mapped, {len(proposed.doubts)} doubtful"
        )
        for setting, (_, why) in proposed.doubts.items():
            print(f"  doubtful  {setting}: {why}")
    if found.others:
        print(f"Not mapped: {', '.join(found.others)}")
    if not found.proposals:
        print("Nothing was written. Next: give another --schema or SOURCE")
        return 1
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(views_of(arguments.source, arguments.schema, found, today), encoding="utf-8")
    print(f"Written: {path}")
    print("Next: review it, run it in the source's database, and set the address as its first lines say")
    return 0
