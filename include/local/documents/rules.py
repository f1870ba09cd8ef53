"""`docs/reference/rules.md`: the rule book as its readers see it, from the headers of the rules and the seed of their thresholds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date

from include.local.documents.sources import STANDARDS, linked
from include.quality.base_rules import load_base_rules
from include.quality.parameters import parameter_on, parameters
from include.quality.rules import AREAS, Rule, load_rules

AREA_TITLES = {
    "expected": "What should be there",
    "metering": "Metering",
    "marketing": "Marketing",
    "contract": "Contract",
    "reconciliation": "Across systems",
    "pipeline": "The pipeline itself",
    "marts": "Candidate marts (gate 2)",
}
FAMILIES = {  # what the ids of a family have in common -> title
    "ARR": "Arrival: the table was delivered for the business date",
    "KEY": "Key: filled and unique",
    "REQUIRED": "Required columns are filled",
    "ALLOWED": "Codes are among the allowed values",
    "REFERENCE": "References inside a system lead to a row",
    "TIM": "Times of a row are in their order",
    "EQU": "What numbers state about each other holds",
    "REF": "References across systems and dates, total relations, repeated columns, identities",
    "SEM": "Values are such as the meaning of their column allows",
    "GRAIN": "A published model has one row for each key of its grain",
    "FILLED": "A published model does not lose all its rows",
    "METRIC": "What two marts show under one name is one number",
}
HEAD = """# The rule book

Made from the headers of `expectations/`, the contracts and the published models by `./kaw docs --code`; a test holds it to them.
Sentences show the thresholds that are in force on {day}, the last day on which one of them changed.

{count} rules: {written} are written, one file each, and {made} are made, {by_contract} from the contracts of the sources and {by_mart} from the published
models. A rule of gate 1 judges staged rows, one of gate 2 the candidate marts. `warn` is reported; `quarantine` keeps the row out of the
warehouse; `block` stops the night.

## Where the rules come from

The source of a rule is a standard, named with its number and clause, or a place in this repository:

| named as | where it leads |
|---|---|
{standards}
| requirement S*nn* | a statement of the paper on the service of key accounts, in [requirements.md](requirements.md) |
| worked example O*n* | an example with a known result, in [requirements.md](requirements.md) |
| seed *name* | a list or a table of numbers in `dbt_project/seeds`, each row with its document, clause, dates and confidence |
| contract of a system | what the source agreed to deliver, in `include/contracts` |
| project rule | no standard prescribes it: it is this project's own, see below |

A **project rule** states in its reason what would go wrong without it. Its thresholds are proposals, each a row of the seed
[quality_parameters](../../dbt_project/seeds/quality/quality_parameters.csv), which the utility confirms or changes there.

XSR-28 is no rule: it is the evidence that tells the likely-right side of a difference, weighed in points of the same seed.

A source may go on after that, with what the rule adds to it or leaves out. A rule of the axis `arbitrary` says how often honest work would be found.
Confidence of a number: V read in a public source, M well known, M? to be confirmed by the utility.

Three decisions on terms of a contract (XSR-06, XSR-09 to XSR-12), where the evidence is thin:

- The last closed month's bill is the third record of a term, but only where it follows the contract. A bill that follows the
  archive was made from it: it is the same witness twice.
- The most recent edit that is no bulk edit speaks for a ratio (1 point), not for a term: a contract version and a tariff
  assignment hold many terms, and the time of the edit does not say which of them was edited.
- A signed amendment speaks for the side that has its value. One whose value neither side of a pair has says nothing of that
  pair, and the amendment before it was replaced: it says nothing either.
"""


def rules_page() -> str:
    """The whole page, Markdown."""
    written, made = load_rules(), load_base_rules()
    day = max(p.valid_from for p in parameters())
    by_mart = sum(rule.area == "marts" for rule in made)
    head = HEAD.format(
        day=day,
        count=len(written) + len(made),
        written=len(written),
        made=len(made),
        by_contract=len(made) - by_mart,
        by_mart=by_mart,
        standards="\n".join(f"| {name} | {title} |" for name, title in STANDARDS.items()),
    )
    parts = [head, *_overview(written, made)]
    for area in AREAS:
        parts.append(f"\n## {AREA_TITLES[area]}\n")
        for rule in written:
            if rule.area == area:
                parts += _entry(rule, day)
    parts.append("\n## Made from contracts and models\n")
    for family, title in FAMILIES.items():
        parts += _family(title, [rule for rule in made if _family_of(rule) == family], day)
    return "\n".join(parts).rstrip() + "\n"


def _family_of(rule: Rule) -> str:
    """ARR of ARR-mkt_bill, KEY of BASE-mkt_bill-KEY, GRAIN of MART-GRAIN-mart_two_rates; MKT-13 is on allowed values."""
    return next((part for part in rule.id.split("-") if part in FAMILIES), "ALLOWED")


def _overview(written: list[Rule], made: list[Rule]) -> Iterator[str]:
    yield "| rules | warn | quarantine | block |"
    yield "|---|---|---|---|"
    groups = [(AREA_TITLES[area], [r for r in written if r.area == area]) for area in AREAS]
    for title, rules in [*groups, ("Made from contracts and models", made)]:
        counts = Counter(rule.severity for rule in rules)
        yield f"| {title} | {counts['warn']} | {counts['quarantine']} | {counts['block']} |"


def _entry(rule: Rule, day: date) -> Iterator[str]:
    yield f"### {rule.id}\n"
    yield f"**{rule.sentence_on(day)}** {rule.reason}\n"
    yield f"- {_kind(rule)}; {rule.owner}"
    yield f"- tests: {_tests(rule)}"
    for name in rule.parameters:
        yield f"- {_threshold(rule, name, day)}"
    if rule.compares:
        yield f"- compares: {', '.join(f'`{side}`' for side in rule.compares)}"
    if rule.at_stake:
        yield f"- error: {rule.at_stake}{' Recurs each month.' if rule.recurs else ''}"
    if rule.likely_wrong:
        yield f"- likely wrong: {rule.likely_wrong}"
    yield f"- source: {linked(rule.source)}"
    yield f"- file: [{rule.path}](../../{rule.path})\n"


def _kind(rule: Rule) -> str:
    return f"axis {rule.axis}, dimension {rule.dimension}, severity {rule.severity}"


def _tests(rule: Rule) -> str:
    by = f", touched by rows of {', '.join(rule.touched_by)}" if rule.touched_by else ""
    return f"{rule.population} ({rule.tests}{by}); each finding names: {rule.subject}"


def _threshold(rule: Rule, name: str, day: date) -> str:
    of_rule, _, own_name = name.rpartition(".")
    found = parameter_on(of_rule or rule.id, own_name, day)
    whose = f" (of {of_rule})" if of_rule else ""
    return (
        f"threshold {own_name}{whose}: {found.value.normalize():f} {found.unit}."
        f" {found.source}, {found.clause} [{found.confidence}]"
    )


def _family(title: str, rules: list[Rule], day: date) -> Iterator[str]:
    yield f"### {title}\n"
    yield f"{rules[0].reason} {len(rules)} rules.\n"
    yield "| id | sentence | axis, dimension, severity | owner | tests | source |"
    yield "|---|---|---|---|---|---|"
    for rule in rules:
        kind = f"{rule.axis}, {rule.dimension}, {rule.severity}"
        tests = f"{rule.population} ({rule.tests})"
        yield f"| {rule.id} | {rule.sentence_on(day)} | {kind} | {rule.owner} | {tests} | {linked(rule.source)} |"
    yield ""
