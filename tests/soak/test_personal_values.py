"""500 planted values of persons and a canary secret a connection: after a night with defects, a night that the gate stops, and sources
that do not answer, they are in the vault (the values) and nowhere else."""

from __future__ import annotations

import contextlib
import os
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest

from include import night
from include.errors import KawError
from include.lab.simulator.editing import Editor
from include.local import cli
from include.settings import SOURCE_NAMES
from tests import landing
from tests.nights import DAY, Utility
from tests.planted import IDENTIFYING, clear_text_outside

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]
SIGNS = (" @ ", "/", ":", "%", "'", '"', "\\", ",", ";", "=", "&", "<b>", "${x}", "{{ 1 }}", "\t", "％", "，")
MANY = 500


def planted(number: int, column: str) -> str:
    """Made to be told from any other text, with a sign that some program treats as its own."""
    sign, name = SIGNS[number % len(SIGNS)], f"Kanari{number:03d}"
    if column in ("mobile", "phone", "bank_acct"):
        return f"19{number:03d}7{number:03d}31" if number % 3 else f"{name}{sign}19{number:03d}7"
    return f"{name}{sign}欧阳{number:03d}"


def test_planted_values_and_secrets_are_nowhere_but_in_the_vault(
    utility: Utility, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    values: list[str] = []

    def plant(editor: Editor) -> None:
        places = [
            (table, column, row)
            for table, columns in IDENTIFYING.items()
            for column in columns
            for row in range(editor.table(table).num_rows)
        ]
        assert len(places) >= MANY
        for number, (table, column, row) in enumerate(places[:: len(places) // MANY][:MANY]):
            values.append(planted(number, column))
            editor.set(table, row, **{column: values[-1]})

    utility.deliver(defects=7, edit=plant)
    spoil(utility.deliveries / "marketing" / "mkt_contact", values)
    utility.run()
    home = Path(os.environ["KAW_HOME"])
    for command in (["worklists", str(home / "lists")], ["findings"], ["status"], ["report"]):
        with contextlib.suppress(SystemExit):
            cli.main(command)
    nowhere(utility, values, home, capsys)

    utility.deliver(DAY + timedelta(days=1), blocking=True, edit=lambda editor: plant(editor))
    with pytest.raises(KawError):
        utility.run(DAY + timedelta(days=1))
    nowhere(utility, values, home, capsys)

    canaries = [f"canary {source}@/:%#1'\"" for source in SOURCE_NAMES]
    monkeypatch.setenv("KAW_SOURCE_TRIES", "1")
    for source, canary in zip(SOURCE_NAMES, canaries, strict=True):
        monkeypatch.setenv(
            f"KAW_SOURCE_{source.upper()}", f"postgresql://kaw:{quote(canary, safe='')}@127.0.0.1:9/none"
        )
    for source, canary in zip(SOURCE_NAMES, canaries, strict=True):
        with pytest.raises(KawError) as refused:
            landing.land_source(utility.warehouse, source, DAY + timedelta(days=2))
        assert canary not in str(refused.value)
        assert quote(canary, safe="") not in str(refused.value)
    passwords = [address.split(":")[2].split("@")[0] for address in utility.warehouse.logins.values()]
    nowhere(utility, [*canaries, *(quote(each, safe="") for each in canaries), *passwords], home, capsys)
    assert night.STEPS


def spoil(folder: Path, values: list[str]) -> None:
    """Two rows more that cannot land: a value in another column, and a line with a field too many."""
    (path,) = folder.glob("*.csv")
    lines = path.read_text().splitlines()
    fields = lines[1].split(",")
    values += ["Kanari900 @ shifted", "Kanari901/torn"]
    shifted = [fields[0], "BUSINESS", *(["x"] * (len(fields) - 3)), values[-2]]
    path.write_text("\n".join([*lines, ",".join(shifted), ",".join([*fields, values[-1]])]) + "\n")
    (folder / "_manifest.json").unlink()


def nowhere(utility: Utility, values: list[str], home: Path, capsys: pytest.CaptureFixture) -> None:
    said = "".join(capsys.readouterr())
    assert [value for value in values if value in said] == []
    assert clear_text_outside(utility.url, values, home) == []
