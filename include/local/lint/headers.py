"""The rule files: name, header, markers."""

from __future__ import annotations

import re
from pathlib import Path

from include.local.documents.sources import unfollowed
from include.local.lint.problem import Problem, one_line
from include.quality.rules import Rule, RuleError, read_rule

_LEADS_TO_WHAT_IS_ALLOWED = re.compile(r"; (?:it is one of|known are|it is) ")


def read_rules(root: Path) -> tuple[list[Rule], list[Problem]]:
    """The rules that can be read, and a problem for each file that cannot."""
    folder = root / "expectations"
    rules: dict[str, Rule] = {}
    problems = []
    for path in sorted(folder.rglob("*.sql")):
        try:
            rule = read_rule(path, folder)
        except RuleError as error:
            problems.append(_problem(root, path, str(error)))
            continue
        if rule.id in rules:
            problems.append(Problem(rule.path, 1, f"the id {rule.id} is already used by {rules[rule.id].path}"))
            continue
        rules[rule.id] = rule
        if why := unfollowed(rule.source):
            problems.append(Problem(rule.path, _line(path, "source"), f"the source {why}"))
    return list(rules.values()), problems


def _problem(root: Path, path: Path, message: str) -> Problem:
    text = one_line(message.partition(": ")[2] or message)
    what, *allowed = _LEADS_TO_WHAT_IS_ALLOWED.split(text, maxsplit=1)
    return Problem(str(path.relative_to(root)), _line(path, what), what, *allowed)


def _line(path: Path, what: str) -> int:
    """The line with the placeholder that the message names, else that of the first header key that it names."""
    lines = path.read_text(encoding="utf-8").splitlines()
    placeholder = re.search(r"(?<![:\w]):\w+", what)
    if placeholder:
        return next((n for n, line in enumerate(lines, 1) if placeholder[0] in line), 1)
    words = set(re.findall(r"\w+", what))
    for number, line in enumerate(lines, 1):
        key = re.match(r"(\w+):", line)
        if key and key[1] in words:
            return number
        if line.startswith("*/"):
            break
    return 1
