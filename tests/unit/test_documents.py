"""The documents that are made from the code are as the code makes them, and lead their reader somewhere."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from include.local.cli import parser
from include.local.documents import FOLDER, documents
from include.local.documents.rooms import imports_between_rooms, ranks
from include.local.documents.rules import rules_page
from include.local.documents.sources import linked, unfollowed
from include.quality.base_rules import load_base_rules
from include.quality.parameters import parameters
from include.quality.rules import load_rules

ROOT = FOLDER.parent
RULES = [*load_rules(), *load_base_rules()]
BY_HAND = sorted(path for path in FOLDER.rglob("*.md") if path.name != "rules.md")
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")


def test_every_document_is_as_the_code_makes_it():
    made = documents(parser())
    assert len(made) > 15
    other = [
        name
        for name, text in made.items()
        if not (FOLDER / name).exists() or (FOLDER / name).read_text("utf-8") != text
    ]
    assert other == [], "not what the code says any more; write them anew with ./kaw docs --code"


def test_every_argument_of_every_command_says_what_it_is():
    def silent(at, path: str):
        for action in at._actions:
            if isinstance(action, argparse._SubParsersAction):
                for name, child in action.choices.items():
                    yield from silent(child, f"{path} {name}".strip())
            elif not (action.help or "").strip():
                yield f"{path} {action.option_strings or action.dest}"

    given = argparse.ArgumentParser()
    given.add_subparsers().add_parser("one").add_argument("--mute")
    assert list(silent(given, "")) == ["one ['--mute']"]
    assert list(silent(parser(), "")) == []


def test_the_rule_book_has_every_rule_once():
    assert len(RULES) > 400
    page = rules_page()
    entries = re.findall(r"^(?:### |\| )([A-Z]+-[\w-]+)(?: \||$)", page, re.MULTILINE)
    assert sorted(entries) == sorted(rule.id for rule in RULES)


def test_every_source_of_a_rule_can_be_followed():
    assert {rule.id: why for rule in RULES if (why := unfollowed(rule.source))} == {}


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("catalogue XSR-10", "begins with none of"),
        ("formulas 3.9, churn", "begins with none of"),
        ("requirement S99", "names S99, which docs/reference/requirements.md does not have"),
        ("seed no_such_seed", "names seed no_such_seed, which is not there"),
        ("project rule; include/quality/no_such_file.py", "names include/quality/no_such_file.py, which is not there"),
    ],
)
def test_a_source_that_leads_nowhere_is_told(source: str, why: str):
    assert unfollowed(source).startswith(why)


def test_a_source_becomes_links():
    assert linked("requirement S23; seed notice_checkpoints") == (
        "[requirement S23](requirements.md); [seed notice_checkpoints](../../dbt_project/seeds/reliability/notice_checkpoints.csv)"
    )


def test_no_threshold_comes_from_a_document_outside():
    assert len(parameters()) > 100
    outside = re.compile(r"catalogue|\w+\.md\b|design of")
    assert [p for p in parameters() if outside.search(p.source)] == []


@pytest.mark.parametrize("path", [*BY_HAND, ROOT / "README.md"], ids=lambda path: path.name)
def test_every_link_of_a_document_leads_to_a_file(path: Path):
    text = path.read_text(encoding="utf-8")
    assert [target for target, _ in LINK.findall(text) if target and not (path.parent / target).exists()] == []


def test_every_link_of_the_rule_book_leads_to_a_file():
    targets = {target for target, _ in LINK.findall(rules_page()) if target}
    assert len(targets) > 150
    assert [target for target in sorted(targets) if not (FOLDER / "reference" / target).exists()] == []


def test_the_picture_shows_every_room_and_draws_each_above_what_it_imports():
    drawn = ElementTree.fromstring(documents(parser())["pictures/rooms.svg"])
    texts = {text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")}
    folders = {path.parent.name for path in (ROOT / "include").glob("*/__init__.py")}
    assert folders | {"dags", "night"} <= texts
    imports = imports_between_rooms()
    assert {
        (room, there) for room in imports for there in imports[room] if ranks(imports)[room] <= ranks(imports)[there]
    } == set()


def test_a_circle_of_rooms_is_told():
    with pytest.raises(ValueError, match="in a circle, or are above one: a, b, c"):
        ranks({"a": {"b"}, "b": {"a"}, "c": {"a"}, "d": set()})
