"""Whole nights for the tests: the same steps as the DAGs, without the scheduler, on folders of deliveries."""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from include import night
from include.lab.simulator.deliver import write_deliveries
from include.lab.simulator.editing import Editor
from include.lab.utility import generate
from include.local.server import Server
from include.publish import status
from include.records.database import connect
from include.records.warehouse import Warehouse
from include.settings import LOGINS, SOURCE_NAMES
from tests import databases
from tests.landing import land_source

DAY = date(2026, 11, 22)
SESSION_HOME = Path(os.environ.get("KAW_HOME", ""))  # a session of tests gives it to all its processes
FOLDERS = (*SOURCE_NAMES, "forms")


class Utility:
    """A home with a warehouse of its own, three folders that deliver, and one of forms."""

    def __init__(self, url: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.url = url
        self.deliveries = folder / "deliveries"
        self._environment = {"KAW_HOME": str(folder / "home"), "KAW_WAREHOUSE": url} | {
            f"KAW_SOURCE_{source.upper()}": str(self.deliveries / source) for source in FOLDERS
        }
        for source in FOLDERS:
            (self.deliveries / source).mkdir(parents=True, exist_ok=True)
        databases.give_ledger(SESSION_HOME, folder / "home")
        self._monkeypatch = monkeypatch

    @functools.cached_property
    def warehouse(self) -> Warehouse:
        """By the logins of its roles, as a night has them; `url` is the owner's."""
        return databases.with_logins(self.url)

    @property
    def environment(self) -> dict[str, str]:
        """With the owner's address, which commands migrate with, and the logins of the roles."""
        logins = {f"KAW_LOGIN_{role.upper()}": self.warehouse.logins[f"kaw_{role}"] for role in LOGINS}
        return self._environment | logins

    def deliver(
        self,
        day: date = DAY,
        *,
        accounts: int = 20,
        days: int = 6,
        defects: int | None = None,
        blocking: bool = False,
        rich: bool = False,
        edit: Callable[[Editor], None] | None = None,
    ):
        """Writes the deliveries of a night, in place of the last ones; returns the simulation. `edit` spoils values of it."""
        simulation = generate(
            day, accounts=accounts, days=days, seed=1, defects_seed=defects, blocking=blocking, is_rich=rich
        )
        if edit:
            editor = Editor(simulation.tables)
            edit(editor)
            editor.apply()
        for source in FOLDERS:
            shutil.rmtree(self.deliveries / source)
        write_deliveries(simulation, self.deliveries, full=True, by_form=True)
        return simulation

    def enter(self) -> None:
        for name, value in self.environment.items():
            self._monkeypatch.setenv(name, value)

    def land(self, day: date = DAY) -> list:
        self.enter()
        return [receipt for source in SOURCE_NAMES for receipt in land_source(self.warehouse, source, day)]

    def run(self, day: date = DAY, steps: tuple[str, ...] = night.STEPS) -> dict:
        """Lands and builds the night; returns the run. Raises what the steps raise."""
        self.land(day)
        run = night.begin_run(self.warehouse, day)
        for step in steps:
            getattr(night, step)(self.warehouse, run)
        return run

    def hashes(self) -> dict[str, str]:
        return {name: mart["hash"] for name, mart in status(self.url)["marts"].items()}

    def rows(self, query: str, *values) -> list[tuple]:
        with connect(self.url) as connection:
            return connection.execute(query, values).fetchall()


def after_a_night(
    server: Server, home: Path, template: str, defects: int | None, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    """A copy of a home and its warehouse. The night itself is run once a session, by the first test that asks for it."""
    ran = "faulty_night" if defects else "clean_night"
    with databases.made_once(server, home, ran, template) as unfinished:
        if unfinished:
            shutil.rmtree(home / ran, ignore_errors=True)
            with pytest.MonkeyPatch.context() as environment:
                night = Utility(server.url(unfinished), home / ran, environment)
                if defects:
                    environment.setenv("KAW_LINEAGE_FILE", str(home / ran / "lineage.jsonl"))  # of test_lineage.py
                night.deliver(defects=defects)
                night.run()
    shutil.copytree(home / ran, folder / ran)
    with databases.copied(server, ran) as name:
        utility = Utility(server.url(name), folder / ran, monkeypatch)
        utility.enter()
        yield utility
