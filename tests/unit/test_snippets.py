"""Snippets of README and the documentation: commands as the parser takes them, files that are there, text that can be read.

Those that can be run are run by tests/integration/test_documented_commands.py, the queries of questions.md by
tests/scenarios/test_marts_simulated.py.
"""

from __future__ import annotations

import json
import re

import yaml

from include.local.documents.settings import settings_groups
from tests.documented import ROOT, commands, fences, is_harmless, pages, refused, run_by_a_test, unknown

OTHER_PROGRAMS = {".", "cp", "docker", "git", "pre-commit", "python3", "sed", "unset"} | {
    f"/tmp/bom/bin/{name}" for name in ("pip", "cyclonedx-py", "pip-audit")
}
LANGUAGES = {"sh", "text", "sql", "yaml", "json", "{toctree}"}
SETTINGS = {name for _, groups in settings_groups() for names, _ in groups for name in names}


def test_every_fence_says_what_it_holds():
    assert len(fences()) > 40
    assert {fence.where: fence.language for fence in fences() if fence.language not in LANGUAGES} == {}
    assert [fence.where for fence in fences() if fence.reason and fence.language not in ("sh", "sql")] == []
    queries = {fence.where.split(":")[0] for fence in fences() if fence.language == "sql" and fence.reason is None}
    assert queries == {"docs/reference/questions.md"}, "of these tests/scenarios/test_marts_simulated.py runs each"


def test_what_tells_why_a_snippet_is_not_run_names_tests_that_are_there():
    named = {path for fence in fences() for path in re.findall(r"tests/[\w/]+\.py", fence.reason or "")}
    assert len(named) > 5
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


def test_every_command_is_one_that_the_parser_takes():
    held, wrong = 0, {}
    for fence in fences():
        for words in commands(fence.text) if fence.language == "sh" else ():
            if words[0] == "./kaw":
                held += 1
                if said := refused(words[1:]):
                    wrong[f"{fence.where}: {' '.join(words)}"] = said
            elif words[0] == "export":
                wrong |= {
                    f"{fence.where}: {word}": "no setting" for word in words[1:] if word.split("=")[0] not in SETTINGS
                }
            elif words[0] not in OTHER_PROGRAMS and words[:2] != ["set", "-a;"]:
                wrong[f"{fence.where}: {' '.join(words)}"] = "no program that is known here"
            wrong |= {f"{fence.where}: {word}": "not there" for word in words if _is_lost(word)}
    assert held > 40
    assert wrong == {}


def _is_lost(word: str) -> bool:
    return word.startswith("tests/") and not (ROOT / word).exists()


def test_what_a_test_runs_of_the_documentation_is_harmless():
    assert len(run_by_a_test()) > 12
    harmful = [f"{where}: {' '.join(words)}" for where, words in run_by_a_test() if not is_harmless(words)]
    assert harmful == [], "mark their fences `sh not-run: REASON`"


def test_every_command_that_a_text_mentions_is_there():
    wrong, spans = {}, 0
    for page in pages():
        text = re.sub(r"^ *```.*?^ *```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
        for span in re.findall(r"`(\./kaw [^`]+)`", text):
            spans += 1
            if word := unknown(span):
                wrong[f"{page.relative_to(ROOT)}: {span}"] = word
    assert spans > 60
    assert wrong == {}


def test_every_snippet_of_data_can_be_read():
    read = {"json": json.loads, "yaml": yaml.safe_load}
    found = [fence for fence in fences() if fence.language in read]
    assert len(found) > 3
    for fence in found:
        read[fence.language](fence.text.replace("- ...", ""))


def test_a_wrong_command_is_told():
    assert is_harmless(["./kaw", "findings", "--json"])
    assert not is_harmless(["./kaw", "findings", "assign", "1", "--by", "NAME"])
    assert not is_harmless(["./kaw", "sqlx"])
    assert not is_harmless(["./kaw", "down", "--purge"])
    assert refused(["run", "--nosuch"]) == "unrecognized: ['--nosuch']"
    assert "not a date" in refused(["run", "--date", "yesterday"])
    assert (
        refused(["waive", "PIP-03", "--scope", "all", "--approver", "NAME", "--reason", "TEXT", "--until", "DATE"])
        is None
    )
    assert unknown("./kaw bi manager NO --revoke") is None
    assert unknown("./kaw bi --revoke") == "--revoke"
    assert unknown("./kaw hello") == "hello"
