"""Every command of the documentation that is not marked `not-run` is run, in the home of a night with planted defects."""

from __future__ import annotations

import pytest

from include.local import cli
from tests.documented import commands, fences
from tests.nights import Utility

STOPPED_BY_DATA = {"check-sources"}  # the delivery of this home has planted defects, and that is what it says
SHOWN = [fence for fence in fences() if fence.language == "sh" and fence.reason is None]


def test_what_is_run_is_not_little():
    assert len([words for fence in SHOWN for words in commands(fence.text)]) > 12


def test_every_documented_command_runs(
    faulty_night: Utility, tmp_path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    monkeypatch.chdir(tmp_path)
    ended = {}
    for fence in SHOWN:
        for words in commands(fence.text):
            assert words[0] == "./kaw", f"{fence.where}: mark it `sh not-run: REASON`"
            code = cli.main(words[1:])
            if code != (1 if words[1] in STOPPED_BY_DATA else 0):
                ended[f"{fence.where}: {' '.join(words)}"] = (code, capsys.readouterr().err)
    assert ended == {}
    assert (tmp_path / "lists" / "metering_office.xlsx").exists()
    assert (tmp_path / "deliveries" / "metering").is_dir()
