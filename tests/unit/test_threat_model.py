"""Each threat of the threat model names a test that is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "explanation" / "threat-model.md"


def test_beside_each_threat_is_a_test_that_exists() -> None:
    rows = re.findall(r"(?m)^\| (?!threat \|)(.+?) \| .+? \| (`tests/.+`) \|$", PAGE.read_text())
    assert len(rows) > 20
    named = [test for _, tests in rows for test in re.findall(r"`(tests/[^`]+)`", tests)]
    lacking = [
        name
        for name in named
        if not re.search(rf"(?m)^def {name.partition('::')[2]}\(", (ROOT / name.partition("::")[0]).read_text())
    ]
    assert lacking == []
