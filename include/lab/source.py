"""The default source: where no address is set, the simulated utility delivers. Everything in it is synthetic."""

from __future__ import annotations

import fcntl
import json
from datetime import date
from pathlib import Path

from include.errors import UsageError
from include.local import server
from include.settings import Settings, settings

DEFAULTS = {"accounts": 200, "days": 45, "seed": 1}
STATE = "simulation.json"


def address_of(source: str) -> str | None:
    """Address of a source: as set, else that of the simulated utility (`forms` is simulated only with the others)."""
    given = settings()
    if address := given.source(source):
        return address
    if source == "metering":
        return str(folder(given) / "metering")
    if source == "forms":
        return None if given.source("marketing") else str(folder(given) / "forms")
    return server.simulation_url(source)


def folder(given: Settings) -> Path:
    return given.home / "sources"


def is_simulated(source: str) -> bool:
    return settings().source(source) is None


def choose(
    accounts: int | None, days: int | None, seed: int | None, defects: int | None, blocking: bool, fresh: bool
) -> dict:
    """Notes what is simulated in this home. Another size or seed on a used home is a usage error: its past would change."""
    given = settings()
    path = given.home / STATE
    noted = json.loads(path.read_text()) if path.exists() and not fresh else None
    chosen = {"accounts": accounts, "days": days, "seed": seed}
    if noted:
        for name, value in chosen.items():
            if value is not None and value != noted[name]:
                raise UsageError(
                    f"This home already simulates --{name} {noted[name]}; --{name} {value} would change its past.",
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
        return json.loads(path.read_text())
    return DEFAULTS | {"defects": None, "blocking": False}


def deliver(source: str, business_date: date) -> None:
    """Makes the simulated source deliver the state of the business date; nothing where the source has an address."""
    if not is_simulated(source):
        return
    from include.lab.simulator.deliver import write_deliveries, write_forms
    from include.lab.simulator.load import load_databases

    home = folder(settings())
    home.mkdir(parents=True, exist_ok=True)
    with (home / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        simulation = simulate(business_date)
        if source == "metering":
            write_deliveries(simulation, home, sources=("metering",))
        else:
            load_databases(simulation, {source: server.simulation_url(source)})
            if source == "marketing" and address_of("forms"):
                write_forms(simulation, home / "forms")


_last: tuple = ()


def simulate(business_date: date):
    """The simulation of a business date; the last one is kept, so that three sources of one process share it."""
    global _last
    from include.lab.utility import generate

    options = chosen()
    asked = (business_date, json.dumps(options))
    if not _last or _last[0] != asked:
        _last = (
            asked,
            generate(
                business_date,
                accounts=options["accounts"],
                days=options["days"],
                seed=options["seed"],
                defects_seed=options["defects"],
                blocking=options["blocking"],
            ),
        )
    return _last[1]
