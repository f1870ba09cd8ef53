"""Every command of the documentation that is not marked `not-run` is run, in the home of a night with planted defects."""

from __future__ import annotations

import pytest

from include.local import cli
from tests.documented import is_harmless, run_by_a_test
from tests.nights import Utility

STOPPED_BY_DATA = {"check-sources"}  # the delivery of this home has planted defects, and that is what it says


def test_every_documented_command_runs(
    faulty_night: Utility, tmp_path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    monkeypatch.chdir(tmp_path)
    shown, ended = run_by_a_test(), {}
    assert len(shown) > 12
    assert all(is_harmless(words) for _, words in shown)  # tests/unit/test_snippets.py says which is not
    for where, words in shown:
        code = cli.main(words[1:])
        if code != (1 if words[1] in STOPPED_BY_DATA else 0):
            ended[f"{where}: {' '.join(words)}"] = (code, capsys.readouterr().err)
    assert ended == {}
    assert (tmp_path / "lists" / "metering_office.xlsx").exists()
    assert (tmp_path / "deliveries" / "metering").is_dir()
