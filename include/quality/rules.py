"""The rule book: one file a rule, read alike by a reviewer, a linter and an auditor.

A rule file is `expectations/<area>/<ID>_<what_holds>.sql`: a YAML header in the leading comment, then two queries under
the marker lines `-- tested` and `-- violations`. `tested` lists the population, `violations` selects from `tested` alone.
Both may call the macros of the dbt project (`include.quality.rule_macros`).
Rules that follow from the contracts are made by `include.quality.base_rules` and have the same shape.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import yaml

from include.contracts import Table, all_tables
from include.quality import declared
from include.quality.rule_macros import render

EXPECTATIONS = Path(__file__).parents[2] / "expectations"
AREAS = ("expected", "metering", "marketing", "contract", "reconciliation", "pipeline", "marts")
AXES = ("missing", "mismatch", "arbitrary", "late")
DIMENSIONS = ("completeness", "uniqueness", "validity", "consistency", "timeliness", "plausibility", "referential")
RECURS = {"monthly": 12}  # times a year
SEVERITIES = ("warn", "quarantine", "block")  # from mild to severe

REQUIRED_KEYS = (
    "sentence",
    "axis",
    "dimension",
    "severity",
    "owner",
    "reason",
    "source",
    "subject",
    "population",
    "reads",
)
OPTIONAL_KEYS = (
    "id",
    "quarantines",
    "withholds",
    "implies",
    "not_tested",
    "about",
    "gate",
    "at_stake",
    "recurs",
    "likely_wrong",
    "tests",
    "touched_by",
    "compares",
    "parameters",
)

_FILE_NAME = re.compile(r"(?P<id>[A-Z]+-\d{2,})_[a-z0-9_]+")
_HEADER = re.compile(r"\s*/\*(?P<header>.*?)\*/(?P<body>.*)", re.DOTALL)
_MARKER = re.compile(r"^-- (tested|violations)[ \t]*$", re.MULTILINE)
_DEFAULT_NOT_TESTED = "Nothing in its population was delivered."


class RuleError(ValueError):
    """A rule file that cannot be used; the message names the file, what is wrong, and what is expected."""


@dataclass(frozen=True)
class Rule:
    """One check. `subjects` are contract tables, or empty where the rule has a stated grain.

    `source_name` and `table_name` are those of its findings; a rule with several subjects says `table_name` row by row.
    """

    id: str
    path: str
    area: str
    sentence: str
    axis: str
    dimension: str
    severity: str
    owner: str
    reason: str
    source: str
    subject: str
    tested_sql: str
    violations_sql: str
    subjects: tuple[str, ...] = ()
    quarantines: bool = False
    withholds: tuple[
        str, ...
    ] = ()  # columns whose wrong value is withheld while its row goes on; others quarantine the row
    implies: tuple[str, ...] = ()
    not_tested: str = _DEFAULT_NOT_TESTED
    source_name: str = ""
    table_name: str = ""
    gate: int = 1  # 1 before the warehouse is built, 2 over the candidate marts
    at_stake: str = ""  # how a finding's error in kWh and yuan is computed, or why there is none
    recurs: str = ""  # how often the error recurs until it is fixed, one of RECURS; '' for once
    likely_wrong: str = ""  # by what the suspect side is told, or why it is not
    population: str = ""  # the records that it tests
    tests: str = "everything"  # how many of them a run tests, see `declared.TESTS`
    touched_by: tuple[str, ...] = ()  # contract tables whose rows make a run test, where it tests what is touched
    reads: tuple[
        str, ...
    ] = ()  # relations of its queries but the run's own records: those of staging bare, others with schema
    compares: tuple[str, ...] = ()  # the sides that should agree, each system.table.column of a contract
    parameters: tuple[str, ...] = ()  # its thresholds in the seed quality_parameters; of another rule as MET-02.slots

    @property
    def code(self) -> str:
        """Checksum of all that it says and asks; thresholds are data and count apart."""
        return hashlib.sha256(repr(self).encode()).hexdigest()

    @property
    def is_row_grain(self) -> bool:
        """True where a finding names one row of a contract table, so that the row can be quarantined."""
        return bool(self.subjects)

    @property
    def tests_changes(self) -> bool:
        """True where a run tests only what changed since the last passed gate; what passed before then still stands."""
        return self.tests.startswith("touched")

    @property
    def sides(self) -> tuple[str, ...]:
        """The systems that it compares."""
        return declared.systems(self.compares)

    def sentence_on(self, day: date) -> str:
        """Its sentence with the thresholds as they are on a day. Raises LookupError where the seed has none for that day."""
        return declared.filled(self.sentence, self.id, day)


def load_rules(folder: Path = EXPECTATIONS) -> list[Rule]:
    """All rules of the files under `folder`, in order of their id.

    Raises `RuleError` for the first file that breaks the format or repeats an id.
    """
    rules: dict[str, Rule] = {}
    for path in sorted(folder.glob("*/**/*.sql")):
        rule = read_rule(path, folder)
        if rule.id in rules:
            raise RuleError(f"{rule.path}: the id {rule.id} is already used by {rules[rule.id].path}.")
        rules[rule.id] = rule
    stray = [str(p.relative_to(folder)) for p in folder.glob("*.sql")]
    if stray:
        raise RuleError(f"{stray[0]}: a rule file lies in one of the folders {', '.join(AREAS)}.")
    return [rules[rule_id] for rule_id in sorted(rules)]


def read_rule(path: Path, folder: Path = EXPECTATIONS) -> Rule:
    """The rule of one file. Raises `RuleError`."""
    return _rule(path.relative_to(folder), path.read_text(encoding="utf-8"))


@cache  # a night asks for the book several times, and a test of the rules a thousand times
def _rule(path: Path, text: str) -> Rule:
    name, area = str(path), path.parts[0]
    if area not in AREAS:
        raise RuleError(f"{name}: the folder {area} is none of {', '.join(AREAS)}.")
    file_name = _FILE_NAME.fullmatch(path.stem)
    if not file_name:
        raise RuleError(f"{name}: a rule file is named <ID>_<what_holds>.sql, like MET-05_register_is_in_range.sql.")

    header, body = _split(name, text)
    if header.get("id", file_name["id"]) != file_name["id"]:
        raise RuleError(f"{name}: the header says id {header['id']}, the file name {file_name['id']}.")
    subjects = _subjects(name, area, header["subject"])
    about = header.get("about") or (subjects[0] if subjects else "")
    if about and about not in all_tables():
        raise RuleError(f"{name}: about names {about}, which is no table of the contracts.")
    quarantines = _quarantines(name, header, subjects)
    withholds = _withholds(name, header, subjects)
    tested_sql, violations_sql = _queries(name, _rendered(name, body))
    try:
        declarations = declared.declared(header, file_name["id"], subjects)
        tested_sql, violations_sql = (
            declared.with_thresholds(query, file_name["id"], declarations["parameters"])
            for query in (tested_sql, violations_sql)
        )
    except ValueError as error:
        raise RuleError(f"{name}: {error}") from None
    return Rule(
        id=file_name["id"],
        path=f"expectations/{name}",
        area=area,
        sentence=header["sentence"],
        axis=_one_of(name, header, "axis", AXES),
        dimension=_one_of(name, header, "dimension", DIMENSIONS),
        severity=_one_of(name, header, "severity", SEVERITIES),
        owner=header["owner"],
        reason=header["reason"],
        source=header["source"],
        subject=", ".join(subjects) if subjects else header["subject"],
        tested_sql=tested_sql,
        violations_sql=violations_sql,
        subjects=subjects,
        quarantines=quarantines,
        withholds=withholds,
        implies=_implies(name, header),
        not_tested=header.get("not_tested") or _DEFAULT_NOT_TESTED,
        source_name=all_tables()[about].source if about else area,
        table_name=about or header["subject"],
        gate=_gate(name, area, header),
        at_stake=header.get("at_stake", ""),
        recurs=_one_of(name, header, "recurs", tuple(RECURS)) if "recurs" in header else "",
        likely_wrong=header.get("likely_wrong", ""),
        **declarations,
    )


def subject_table(rule: Rule, table_name: str | None = None) -> Table:
    """The contract table of a row-grain rule's finding."""
    return all_tables()[table_name or rule.subjects[0]]


def _split(name: str, text: str) -> tuple[dict, str]:
    parts = _HEADER.fullmatch(text)
    if not parts:
        raise RuleError(f"{name}: no header; the file begins with a comment /* ... */ that holds the keys as YAML.")
    try:
        header = yaml.load(parts["header"], yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise RuleError(f"{name}: the header is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(header, dict):
        raise RuleError(f"{name}: the header holds no `key: value` lines.")
    missing = [k for k in REQUIRED_KEYS if header.get(k) in (None, "")]
    if missing:
        raise RuleError(f"{name}: the header lacks {', '.join(missing)}.")
    unknown = [str(k) for k in header if k not in REQUIRED_KEYS + OPTIONAL_KEYS]
    if unknown:
        known = ", ".join(REQUIRED_KEYS + OPTIONAL_KEYS)
        raise RuleError(f"{name}: the header has the unknown key {', '.join(unknown)}; known are {known}.")
    not_text = [k for k in REQUIRED_KEYS if k not in ("subject", "reads") and not isinstance(header[k], str)]
    if not_text:
        raise RuleError(f"{name}: the header's {', '.join(not_text)} is not text; put it in quotes.")
    return header, parts["body"]


def _one_of(name: str, header: dict, key: str, known: tuple[str, ...]) -> str:
    if header[key] not in known:
        raise RuleError(f"{name}: {key} is {header[key]!r}; it is one of {', '.join(known)}.")
    return header[key]


def _subjects(name: str, area: str, subject: str | list) -> tuple[str, ...]:
    """The contract tables a rule is about; empty for a stated grain, whose text has spaces or is no table's name."""
    listed = subject if isinstance(subject, list) else [subject]
    known = [s for s in listed if s in all_tables()]
    looks_like_table = [s for s in listed if s not in all_tables() and re.fullmatch(r"(met|mkt|con)_\w+", str(s))]
    if looks_like_table or (len(listed) > 1 and len(known) < len(listed)):
        wrong = looks_like_table or [s for s in listed if s not in known]
        raise RuleError(f"{name}: subject names {', '.join(map(str, wrong))}, which is no table of the contracts.")
    if known and area == "marts":
        raise RuleError(f"{name}: a rule on marts has a stated grain, not the contract table {known[0]}.")
    return tuple(known)


def _quarantines(name: str, header: dict, subjects: tuple[str, ...]) -> bool:
    """Whether its findings quarantine rows: severity quarantine at row grain. Where the header says so, it must agree."""
    does = bool(subjects) and header["severity"] == "quarantine"
    stated = header.get("quarantines")
    if stated is None:
        return does
    stated = stated if isinstance(stated, list) else [stated]
    if not does:
        raise RuleError(
            f"{name}: only a rule of severity quarantine whose subject is a contract table quarantines rows."
        )
    if tuple(stated) != subjects:
        raise RuleError(
            f"{name}: quarantines is {', '.join(map(str, stated))}, but the subject is {', '.join(subjects)}."
        )
    return True


def _withholds(name: str, header: dict, subjects: tuple[str, ...]) -> tuple[str, ...]:
    """Columns whose wrong value is withheld. What makes a row, or is summed, cannot be: without it the row does not go on."""
    listed = header.get("withholds", [])
    if not isinstance(listed, list) or not all(isinstance(column, str) for column in listed):
        raise RuleError(f"{name}: withholds is a list of columns, like [acct_no].")
    if listed and (not subjects or header["severity"] != "quarantine"):
        raise RuleError(
            f"{name}: only a rule of severity quarantine whose subject is a contract table withholds values."
        )
    for table in (all_tables()[subject] for subject in subjects if listed):
        may_go = [c.name for c in table.columns if c.is_withholdable]
        if wrong := [column for column in listed if column not in may_go]:
            raise RuleError(
                f"{name}: withholds names {', '.join(wrong)}; of {table.name} can be withheld {', '.join(may_go)}."
            )
    return tuple(listed)


def _gate(name: str, area: str, header: dict) -> int:
    gate = header.get("gate", 2 if area == "marts" else 1)
    if gate not in (1, 2) or (area == "marts" and gate == 1):
        raise RuleError(
            f"{name}: gate is {gate!r}; it is 1 (staged rows) or 2 (candidate marts), and 2 for a rule on marts."
        )
    return gate


def _implies(name: str, header: dict) -> tuple[str, ...]:
    implied = header.get("implies") or []
    if not isinstance(implied, list) or not all(isinstance(i, str) for i in implied):
        raise RuleError(f"{name}: implies is a list of rule ids, like [XSR-05, XSR-17].")
    return tuple(implied)


def _rendered(name: str, body: str) -> str:
    try:
        return render(body)
    except ValueError as error:
        raise RuleError(
            f"{name}: {error}; a rule may call the macros of dbt_project/macros that need no dbt."
        ) from None


def _queries(name: str, body: str) -> tuple[str, str]:
    marks = list(_MARKER.finditer(body))
    if [m[1] for m in marks] != ["tested", "violations"]:
        raise RuleError(f"{name}: the lines `-- tested` and `-- violations` stand once each, in this order.")
    if body[: marks[0].start()].strip():
        raise RuleError(f"{name}: between the header and `-- tested` stands nothing.")
    tested = body[marks[0].end() : marks[1].start()].strip().rstrip(";").strip()
    violations = body[marks[1].end() :].strip().rstrip(";").strip()
    for marker, query in (("tested", tested), ("violations", violations)):
        if not query:
            raise RuleError(f"{name}: there is no query under `-- {marker}`.")
    if not re.search(r"\b(from|join)\s+tested\b", violations):
        raise RuleError(f"{name}: the violations are not selected from `tested`.")
    return tested, violations
