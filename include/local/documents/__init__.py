"""The documents in `docs/` that are made from the code: `./kaw docs --code` writes them, a unit test holds them to it."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

from include.local.documents.commands import commands_page
from include.local.documents.identities import identities_page
from include.local.documents.metrics import metrics_page
from include.local.documents.rooms import rooms_picture
from include.local.documents.rules import rules_page
from include.local.documents.settings import exit_codes_page, settings_page
from include.local.documents.tables import table_pages

FOLDER = Path(__file__).parents[3] / "docs"


def documents(parser: ArgumentParser) -> dict[str, str]:
    """Path below `docs/` of each file that is made from the code, and its text; `parser` is that of `./kaw`."""
    return {
        "explanation/identities.md": identities_page(),
        "pictures/rooms.svg": rooms_picture(),
        "reference/commands.md": commands_page(parser),
        "reference/exit-codes.md": exit_codes_page(),
        "reference/metrics.md": metrics_page(),
        "reference/rules.md": rules_page(),
        "reference/settings.md": settings_page(),
        **table_pages(),
    }


def write_documents(parser: ArgumentParser, folder: Path = FOLDER) -> list[Path]:
    """Writes them; the paths written."""
    made = []
    for name, text in documents(parser).items():
        (folder / name).write_text(text, encoding="utf-8")
        made.append(folder / name)
    return made
