"""500 planted values of persons and a canary secret a connection, by who did not write the vault: they are in the schema `vault`
and nowhere else. Looked through: what commands say, all files of a home, the server's logs, and every database of the server.

Each value has a core of letters and digits that no program writes otherwise, whatever it makes of the signs around it; whoever
writes the sign as `\\u6b27` or `&lt;` still has the core.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg
import pytest
from psycopg import sql

from include.lab.simulator.deliver import write_deliveries
from include.lab.simulator.editing import Editor
from include.lab.utility import generate
from include.local import server as embedded
from include.local.postgres import Cluster
from include.settings import ROOT, SOURCE_NAMES, Settings
from tests.nights import DAY, FOLDERS
from tests.planted import IDENTIFYING, file_contents

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]
SIGNS = (" @ ", "/", ":", "%", "'", '"', "\\", ",", ";", "=", "&", "<b>", "${x}", "{{ 1 }}", "\t", "％", "，")
MANY = 500
KEPT = ("vault", "marts_personal")  # schemas that may hold clear text


@dataclass
class Home:
    """A home of `./kaw` with folders that deliver; `cores` are the parts of planted values that are looked for."""

    folder: Path
    environment: dict[str, str]
    cores: set[str] = field(default_factory=set)
    said: str = ""

    @property
    def deliveries(self) -> Path:
        return self.folder / "deliveries"

    @property
    def made(self) -> Path:
        """What commands wrote outside the home."""
        return self.folder / "made"

    def kaw(self, *arguments: str, code: int = 0, **more: str) -> str:
        done = subprocess.run(
            [str(ROOT / "kaw"), *arguments], env=self.environment | more, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, (arguments, done.returncode, done.stdout[-2000:], done.stderr[-2000:])
        self.said += done.stdout + done.stderr
        return done.stdout

    def deliver(self, day, **planted) -> None:
        simulation = generate(day, accounts=60, days=6, seed=1, is_rich=True, **planted)
        editor = Editor(simulation.tables)
        self.plant(editor)
        editor.apply()
        for source in FOLDERS:
            shutil.rmtree(self.deliveries / source, ignore_errors=True)
        write_deliveries(simulation, self.deliveries, full=True, by_form=True)

    def plant(self, editor: Editor) -> None:
        places = [
            (table, column, row)
            for table, columns in IDENTIFYING.items()
            for column in columns
            for row in range(editor.table(table).num_rows)
        ]
        assert len(places) >= MANY
        for number, (table, column, row) in enumerate(places[:: len(places) // MANY][:MANY]):
            if column in ("mobile", "phone", "bank_acct") and number % 3:
                value = core = f"19{number:03d}7{number:03d}31"
            else:
                core = f"Kanari{number:03d}x"
                value = f"{core}{SIGNS[number % len(SIGNS)]}欧阳"
            self.cores.add(core)
            editor.set(table, row, **{column: value})

    def spoil(self) -> None:
        """Lines that cannot land as they are: a value shifted into another column, a field too many, a value of 5,000 signs."""
        (path,) = (self.deliveries / "marketing" / "mkt_contact").glob("*.csv")
        lines = path.read_text(encoding="utf-8").splitlines()
        fields = lines[1].split(",")
        torn = [fields[0], "BUSINESS", *(["x"] * (len(fields) - 3)), "Kanari900x"], [*fields, "Kanari901x"]
        long = [
            name if at != '"contact_name"' else "Kanari902x" * 500
            for at, name in zip(lines[0].split(","), fields, strict=True)
        ]
        path.write_text("\n".join([*lines, *(",".join(line) for line in (*torn, long))]) + "\n", encoding="utf-8")
        (path.parent / "_manifest.json").unlink()
        self.cores |= {"Kanari900x", "Kanari901x", "Kanari902x"}

    def found(self, wanted: set[str]) -> list[str]:
        """Where any of them is: what was said, files by their path, relations by database, schema and name."""
        needles = [core.encode() for core in wanted]
        at = ["what commands said"] if any(core in self.said for core in wanted) else []
        home = Path(self.environment["KAW_HOME"])
        for place in (home, self.made, Cluster(home).base / "log"):
            assert any(place.rglob("*"))
            for path in place.rglob("*"):
                if path.is_file() and any(n in content for content in file_contents(path) for n in needles):
                    at.append(str(path.relative_to(place)))
        return at + list(self.relations(needles))

    def relations(self, needles: list[bytes]) -> Iterator[str]:
        server = embedded.ensure(Settings(home=Path(self.environment["KAW_HOME"])))
        with contextlib.closing(psycopg.connect(server.admin_url())) as connection:
            names = [n for (n,) in connection.execute("select datname from pg_database where datallowconn")]
        assert len(names) > 3  # Airflow's metadata among them
        for database in names:
            with contextlib.closing(psycopg.connect(server.admin_url(), dbname=database)) as connection:
                told = connection.execute(
                    "select nspname, relname from pg_class inner join pg_namespace on relnamespace = pg_namespace.oid"
                    " where relkind in ('r', 'm', 't') and nspname <> all (%s) and relpersistence <> 't'",
                    [list(KEPT)],
                ).fetchall()
                for schema, name in told:
                    if schema == "pg_toast":
                        continue
                    query = sql.SQL("copy (select r::text from {} as r) to stdout").format(sql.Identifier(schema, name))
                    with connection.cursor().copy(query) as copy:
                        content = b"".join(copy)
                    if any(needle in content for needle in needles):
                        yield f"{database}: {schema}.{name}"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KAW_")}
    sources = {f"KAW_SOURCE_{source.upper()}": str(tmp_path / "deliveries" / source) for source in FOLDERS}
    environment |= {"KAW_HOME": str(tmp_path / "home"), "KAW_VENV": sys.prefix, **sources}
    made = Home(tmp_path, environment)
    made.deliveries.mkdir()
    made.made.mkdir()
    yield made
    made.kaw("down", "--purge")
    assert not [p for p in psutil.process_iter(["cmdline"]) if str(tmp_path) in " ".join(p.info["cmdline"] or [])]


def test_planted_values_and_secrets_are_nowhere_but_in_the_vault(home: Home):
    home.deliver(DAY, defects_seed=7)
    home.spoil()
    home.kaw("run", "--date", f"{DAY}")
    for command in (["findings"], ["status"], ["report"], ["doctor"], ["worklists", str(home.made / "lists")]):
        home.kaw(*command)
    home.kaw("backup", str(home.made / "copy"))
    assert home.found(home.cores) == []
    said = home.said
    assert "Kanari" in home.kaw("sql", "--personal", "select manager_name from marts_personal.mkt_manager")
    home.said = said  # who asks as that role is told

    after = DAY + timedelta(days=1)
    home.deliver(after, blocking=True)
    home.kaw("run", "--date", f"{after}", code=1)
    assert home.found(home.cores) == []

    canaries = {source: f"Canary{source}q" for source in SOURCE_NAMES}
    broken = {
        f"KAW_SOURCE_{source.upper()}": f"postgresql://kaw:{quote(f'{core} @/:%#1', safe='')}@127.0.0.1:9/none"
        for source, core in canaries.items()
    }
    home.kaw("run", "--date", f"{after + timedelta(days=1)}", code=3, KAW_SOURCE_TRIES="1", **broken)
    assert home.found({*home.cores, *canaries.values()}) == []

    # the search finds what is there: one value in a column that nobody calls personal
    simulated = generate(after, accounts=60, days=6, seed=1, is_rich=True)
    editor = Editor(simulated.tables)
    editor.set("mkt_org", 0, org_name="Kanari000x")
    editor.apply()
    for source in FOLDERS:
        shutil.rmtree(home.deliveries / source)
    write_deliveries(simulated, home.deliveries, full=True, by_form=True)
    home.kaw("run", "--date", f"{after}", code=0)
    assert "warehouse: raw_marketing.mkt_org" in home.found({"Kanari000x"})
