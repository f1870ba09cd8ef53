"""A night beside much history costs about what it does beside little: blocks and rows, for seconds are the machine's."""

from __future__ import annotations

import json

import pytest

from include.local import cli

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3600)]


def test_a_night_is_measured_beside_two_histories(database, fresh_home, monkeypatch, capsys):
    monkeypatch.setenv("KAW_WAREHOUSE", database)
    assert cli.main(["bench", "history", "--accounts", "40", "--days", "15,60", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    # four times the days
    assert told["ratios"]["all"] < 1.8
