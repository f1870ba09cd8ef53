"""The marts that stand in where the rules of gate 2 are tried: `marts_<theme>.py` has statements (GOOD) that make them, as
they should be, and the rules that judge them (RULES)."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

THEMES: dict[str, ModuleType] = {
    path.stem: importlib.import_module(f"tests.rules.{path.stem}")
    for path in sorted(Path(__file__).parent.glob("marts_*.py"))
}


def theme_of(rule_id: str) -> str:
    """The theme of a rule on marts, whose stand-ins it needs; '' for any other rule."""
    return next((theme for theme, module in THEMES.items() if rule_id in module.RULES), "")


def good_marts(theme: str) -> list[str]:
    """The statements that make the stand-ins of a theme; none without a theme."""
    return THEMES[theme].GOOD if theme else []
