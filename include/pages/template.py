"""The pages' HTML, in the dress of the auditors' report."""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from include.settings import TIMEZONE

FOLDERS = (Path(__file__).parent, Path(__file__).parents[1] / "report" / "second_edition")  # the second for the style


def page(name: str, **content) -> str:
    """The page of this name; every value is text, whatever brackets a source delivered in it."""
    return _templates().get_template(f"{name}.html.j2").render(content)


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDERS),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {"number": _number, "minute": _minute, "plain": _plain}
    return environment


def _number(value) -> str:
    return "–" if value is None else f"{value:,.0f}"


def _minute(value: datetime | None) -> str:
    return "–" if value is None else value.astimezone(TIMEZONE).strftime("%Y-%m-%d %H:%M")


def _plain(value) -> str:
    if value is None:
        return "–"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(part)}" for name, part in value.items())
    return value.isoformat() if isinstance(value, date) else str(value)
