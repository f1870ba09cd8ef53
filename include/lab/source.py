"""The default source: where no address is set, the simulated utility delivers. Everything in it is synthetic."""

from __future__ import annotations

import fcntl
import json
from datetime import date
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

from include.errors import UsageError
from include.profiles import profile
from include.settings import SOURCE_NAMES, Settings, settings

DEFAULTS = {"accounts": 200, "days": 45, "seed": 1, "rich": False}
STATE = "simulation.json"
FUNCTION = "python:include.lab.source:deliver"  # the address of a simulated source: landing calls it


def default_addresses(given: Settings) -> dict[str, str]:
    """The variables of the sources that have no address, with the simulated utility as theirs (forms come with marketing).

    A utility with a profile is no simulated one: its sources are where the profile says.
    """
    if given.profile:
        stated = {name: profile().addresses.get(name) for name in SOURCE_NAMES if given.source(name) is None}
        return {f"KAW_SOURCE_{name.upper()}": address for name, address in stated.items() if address}
    names = [name for name in SOURCE_NAMES if is_simulated(name)]
    names += ["forms"] if "marketing" in names and given.source("forms") is None else []
    return {f"KAW_SOURCE_{name.upper()}": FUNCTION for name in names}


def address_of(source: str, simulation: str) -> str:
    """Where the simulated source lies: folders of this home, or a database; `simulation` is the address of that up to `sim_<source>`."""
    if source in ("metering", "forms"):
        return str(folder(settings()) / source)
    return f"{simulation}{quote(f'sim_{source}')}"


def folder(given: Settings) -> Path:
    return given.home / "sources"


def is_simulated(source: str) -> bool:
    return settings().profile is None and settings().source(source) in (None, FUNCTION)


def choose(
    accounts: int | None,
    days: int | None,
    seed: int | None,
    rich: bool | None,
    defects: int | None,
    blocking: bool,
    fresh: bool,
) -> dict:
    """Notes what is simulated in this home. Another size, seed or kind on a used home is a usage error: its past would change."""
    given = settings()
    path = given.home / STATE
    noted = json.loads(path.read_text()) if path.exists() and not fresh else None
    chosen = {"accounts": accounts, "days": days, "seed": seed, "rich": rich}
    if noted:
        noted = DEFAULTS | noted
        for name, value in chosen.items():
            if value is not None and value != noted[name]:
                is_now = "a utility without stories" if name == "rich" else f"--{name} {noted[name]}"
                asked = f"--{name}" if name == "rich" else f"--{name} {value}"
                raise UsageError(
                    f"This home already simulates {is_now}; {asked} would change its past.",
                    where=str(given.home),
                    next_step="leave the option out, add --fresh to start this home anew, or set KAW_HOME to another folder.",
                )
        chosen = {name: noted[name] for name in DEFAULTS}
    chosen = {name: DEFAULTS[name] if value is None else value for name, value in chosen.items()}
    chosen |= {"defects": defects, "blocking": blocking}
    given.home.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".new")
    unfinished.write_text(json.dumps(chosen))
    unfinished.replace(path)
    return chosen


def chosen() -> dict:
    path = settings().home / STATE
    if path.exists():
        return DEFAULTS | json.loads(path.read_text())
    return DEFAULTS | {"defects": None, "blocking": False}


def deliver(source: str, business_date: date) -> str:
    """Makes the simulated source deliver the state of the business date, and returns its address."""
    from include.lab.simulator.deliver import write_deliveries, write_forms
    from include.lab.simulator.load import load_databases

    given = settings()
    home = folder(given)
    address = address_of(source, given.simulation or "")
    (home / "forms").mkdir(parents=True, exist_ok=True)
    with (home / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if source == "metering":
            write_deliveries(simulate(business_date), home, sources=("metering",))
        elif source != "forms":
            load_databases(simulate(business_date), {source: address})
            if source == "marketing" and is_simulated("forms"):
                write_forms(simulate(business_date), home / "forms")
    return address


def arguments() -> str:
    """The arguments of ./kaw run that simulate the same again."""
    told = chosen()
    names = [f"--{name} {told[name]}" for name in ("accounts", "days", "seed")] + ["--rich"] * told["rich"]
    if told["defects"] is not None:
        names.append(f"--defects {told['defects']}")
    return " ".join(names + ["--defects-blocking"] * told["blocking"])


deliver.arguments = arguments


def simulate(business_date: date):
    """The simulation of a business date, as this home has chosen it."""
    return _simulated(business_date, **chosen())


@lru_cache(maxsize=1)  # three sources of one process share it
def _simulated(
    business_date: date, accounts: int, days: int, seed: int, rich: bool, defects: int | None, blocking: bool
):
    from include.lab.utility import generate

    return generate(business_date, accounts, days, seed, defects, blocking, is_rich=rich)
