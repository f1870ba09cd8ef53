"""Weakened variants of a rule, made from its text: what a careless edit of the rule file would leave behind.

The text is read token by token: strings and comments are no operators. A condition ends where its `and` / `or` chain ends on
its level of parentheses. `between x and y` is one condition.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from include.contracts import all_tables
from include.quality.rules import SEVERITIES, Rule
from include.transform.models import published_models

_TOKEN = re.compile(r"--[^\n]*|'(?:[^']|'')*'|\w+|<=|>=|<>|::|[^\w\s]")
_ENDS = {
    "where",
    "on",
    "having",
    "when",
    "then",
    "else",
    "end",
    "case",
    "select",
    "from",
    "group",
    "order",
    "limit",
    "union",
    "inner",
    "left",
    "cross",
    "join",
    "as",
    ",",
    "window",
    "by",
}
_FLIPPED = {">": ">=", ">=": ">", "<": "<=", "<=": "<"}


# Changes that no row can feel: (rule or every rule, words of the change, why).
EQUIVALENT: tuple[tuple[str, str, str], ...] = (
    (
        "",
        "\"touched.table_name = 'met_interval_96' and\" -> ''",
        "`quality.touched_curves` holds curves alone, which its `table_name` only says",
    ),
    (
        "MET-03",
        "'<' -> '<=' in 'siness_date)::integer) < (curves.reading_date + 1)",
        "the last slot of a day ends with it",
    ),
    (
        "MET-12",
        "'and registers.reading_date = any (array(select dates.reading_date from dates))' -> ''",
        "days before these are in no run that ends tonight; they are spared",
    ),
    (
        "MET-12",
        "'curves.reading_date = any (array(select dates.reading_date from dates)) and' -> ''",
        "other days are compared with none that changed; they are spared",
    ),
    (
        "MET-12",
        "'<=' -> '<' in 'mallest_share * whole.register_kwh <= whole.last",
        "three per cent of what a register counts are never its last digit, a power of ten",
    ),
    (
        "MET-14",
        "and curves.reading_date = any (array( select distinct changed.reading_date - shifts.days",
        "other days are in no run that ends tonight; they are spared",
    ),
    (
        "MET-16",
        "curves_touched.values_by_slot)) is false",
        "a first look that spares curves from being unfolded; each slot is looked at after it",
    ),
    ("MET-16", "'<=' -> '<' in 'rves_touched.low::double precision <= all", "the same first look, a little wider"),
    ("MET-16", "'>=' -> '>' in 'ves_touched.high::double precision >= all", "the same first look, a little wider"),
    (
        "MET-18",
        "'<=' -> '<' in 'ount(*) filter (where ratios.ratio <= most.ratio",
        "no ratio of floating numbers is the limit to its last digit",
    ),
    (
        "MET-31",
        "'curves.values_by_slot && curves.codes and' -> ''",
        "a first look that spares curves from being unfolded",
    ),
    (
        "MET-50",
        "'>' -> '>=' in \"e when clock_lag_slots > 0",
        "a curve that comes late by no slot has no such explanation",
    ),
    (
        "MET-51",
        "'>' -> '>=' in \"case when lag_slots > 0",
        "a curve that comes late by no slot has no such explanation",
    ),
    (
        "MET-53",
        "strpos(curves.slot_flags, '0') > 0 and",
        "a first look that spares curves from being unfolded; each slot is looked at after it",
    ),
    ("MET-53", "'>' -> '>=' in \"strpos(curves.slot_flags", "the same first look, a little wider"),
    (
        "MET-54",
        "'>' -> '>=' in 'unfolded. case when 0 > any",
        "a first look, a little wider; a lowest of 0 is no violation",
    ),
    ("MET-54", "'<' -> '<=' in 'ted from tested where lowest_value", "a lowest is there only where it is below 0"),
    ("MKT-30", "'<' -> '<=' in '__bills where total_charge_cny < 0", "a reversal of nothing settles nothing"),
    (
        "PIP-06",
        "'>' -> '>=' in 'as expected from tested where rows > 0'",
        "a table of which rows are missing misses one at least; of any other their number is empty",
    ),
    ("XSR-57", "'is_on_record and' -> ''", "where nothing is on record, it is unknown whether the start is apart"),
    ("XSR-31", "'assignments.valid_to is null or' -> ''", "a tariff that ended has a day on which it did"),
    (
        "XSR-33",
        "'and points.feeder_no is not null' -> ''",
        "a point without a feeder is not counted as one of a feeder",
    ),
    ("XSR-21", "'downs.dark_until is null or' -> ''", "the outages of an account are then numbered from 0, not from 1"),
    ("XSR-27", "'<' -> '<=' in 'or receipts.business_date < :business_date", "what is dated today is looked at anyway"),
    (
        "XSR-27",
        "'>' -> '>=' in 'and later.load_id > receipts.load_id",
        "a refused delivery has not landed, so it does not answer itself",
    ),
)

DAILY = "|".join(name for name, table in all_tables().items() if table.is_daily)
MAY_BE_EMPTY = "|".join(name for name, table in all_tables().items() if not table.is_full_compared)
OF_NO_FACT = "|".join(name for name, model in published_models().items() if not model.meta.get("filled_from"))

# The same of rules that are made of declarations: (beginning of their ids, pattern in the words of the change, why).
EQUIVALENT_MADE: tuple[tuple[str, str, str], ...] = (
    ("(REF|SHA)-", r"'and true' -> ''", "a table without validity is in force"),
    (
        "REF-",
        r"'and in_force_\d+\.days is not null' -> ''",
        "no target, no days: whether they hold a day is then unknown",
    ),
    (
        "REF-",
        r": 'btrim\((raw|of_\w+)\.\w+\) <> btrim\(of_\w+\.\w+\) and' -> ''",
        "a first look: what differs without spelling differs",
    ),
    (
        "REF-",
        r"'and upper\(quality\.plain_text\(btrim\([\w.]*\.(cons|acct|bill|feeder|tran|org|parent_mp)_no\)\)\) <> .* -> ''",
        "two numbers that both lead to rows are two numbers",
    ),
    (
        "REF-(met_measuring_point|met_supply_outage|met_supply_voltage)",
        r"'raw\.feeder_no is not null and' -> ''",
        "an empty number leads to no target, whose days are unknown",
    ),
    (
        "REF-(mkt_mp|mkt_meter_install|mkt_tariff_assign|met_event_alarm)",
        r"raw\.(parent_mp_no|tran_no|mp_no) is not null( and)?' -> ''",
        "an empty number leads to no target, whose days are unknown",
    ),
    (
        "REF-(mkt_supply_security|con_contract)",
        r"('count\(|'>' -> '>=' in '.*)distinct btrim\(raw\.cons_no\)::text\) > 1 and",
        "two payers pay for two accounts",
    ),
    (
        "REF-(mkt_mp|con_metering_annex)",
        r"nullif\(btrim\(raw\.(mp_no|meter_asset_no)\), ''\) is not null and",
        "an empty number is told as one that nobody names, or that leads nowhere",
    ),
    (
        "TIM-",
        r"""(, 0\) > 0 and["'] -> ''|'>' -> '>=' in .*integer, 0\) > 0 and)""",
        "a column that disagrees with more of the others than one after it disagrees with some; of the last it is typed",
    ),
    (
        "TIM-(?!mkt_ticket)",
        r"""["']and \(.*\) >= \(.*\)["'] -> ''""",
        "of three times in a row one that disagrees with more than those after it disagrees with as many as those before",
    ),
    (
        "SEM-",
        r"'and not coalesce\(lower\(plain\.(?!(?:email|cons_name|signer|property_boundary)\))\w+\) = any .* -> ''",
        "of two things at a column the placeholder is told, which is first",
    ),
    (
        f"ARR-({DAILY})$",
        r"'is_due and' -> ''|(or bool_or\(receipts\.channel = 'form' and receipts\.state = 'refused'\)|"
        r": \"and receipts\.state = 'refused'|: \"receipts\.channel = 'form' and)\" -> ''",
        "a table that comes each night is due and tested each night",
    ),
    (
        f"ARR-({MAY_BE_EMPTY})$",
        r"^line 5: .*(channel = 'auto'|state = 'landed' and|business_date = :business_date).* -> ''",
        "of a table that may come without a row no delivery counts as empty",
    ),
    (f"MART-FILLED-({OF_NO_FACT})$", r"'or has_input' -> ''", "a model that reads no fact has no input"),
    (
        "MART-PARTIAL-mart_(connection_cycle_time|connection_funnel|payment_behaviour|safety_inspection|ticket_sla)$",
        r"""('>=' -> '>' in "\) or |: ")lacking\.fact_date >= date_trunc""",
        "its measures look at all months before: a hundred years of them",
    ),
    (
        "",
        r"(: [\"']and \(+ (raw|staged)\._load_id > quality\.last_passed_load_id\(\) or .*[\"'] -> ''"
        r"|'>' -> '>=' in '[^']* and \(+ (raw|staged)\._load_id > quality\.last_passed)",
        "a raw row and its staged row are one, and asked the same: neither table is read whole",
    ),
    ("CRD-", r"'<=' -> '<' in .*quality\.parameter\('CRD', 'lev", "no chance is the level to its last digit"),
    ("CRD-mkt_ticket", r"btrim\(raw\.ticket_type\), ''\) is null\) and", "a fault has a kind"),
    ("SEM-", r"'and not false' -> ''", "a meaning without placeholders"),
    ("TIM-", r"line 4: \"'quarantine'\" -> \"'warn'\"", "of two that disagree the later is told, never the first"),
    ("SHA-", r"sharing: holder: dropped", "payers are counted; their holders are named in words alone"),
    (
        "SHA-(mkt_customer|mkt_contact|mkt_manager_visit|mkt_survey|mkt_inspection|con_contract)",
        r"is not null and\" -> ''",
        "an empty text has no spelling, or fewer signs than count",
    ),
)


@dataclass(frozen=True)
class Mutant:
    """One weakened rule; `change` says what was done, `part` in which of the two queries, or in the declaration."""

    part: str
    change: str
    rule: Rule

    @property
    def kind(self) -> str:
        """What was done, in a word or two, to count by."""
        if self.part == "declaration":
            return self.change.split(": ")[1]
        if not self.change.startswith("line"):
            return self.change.split()[0]
        if "-> ''" in self.change:
            return "condition dropped"
        return "boundary moved" if "<" in self.change or "'>" in self.change else "severity lowered"


@dataclass(frozen=True)
class _Token:
    text: str
    start: int
    end: int
    depth: int


def mutants(rule: Rule, is_everywhere: bool = False) -> Iterator[Mutant]:
    """Violations emptied; the severity lowered; each condition dropped; each comparison's boundary flipped.

    `is_everywhere` changes all places at once where the same words are: a made rule writes them at each of its checks.
    """
    yield Mutant("violations", "emptied", emptied(rule))
    for severity in SEVERITIES[: SEVERITIES.index(rule.severity)][-1:]:
        lowered = _said_mildly(rule.violations_sql, severity)
        tested = _said_mildly(rule.tested_sql, severity) if is_everywhere else rule.tested_sql
        milder = replace(rule, severity=severity, violations_sql=lowered, tested_sql=tested)
        yield Mutant("header", f"severity {severity}", milder)
    yield from (mutant for mutant in _changes(rule, is_everywhere) if not reason_equivalent(rule, mutant.change))


_FIRST_LOOK = re.compile(
    r"case\n        when [^\n]*\n            then (array_remove\(array\[.*?\n        \], null\))\n    end as broken",
    re.DOTALL,
)


def without_first_look(rule: Rule) -> Rule:
    """A rule of checks that asks each check at once, not first whether any fails: the two say the same."""
    return replace(rule, tested_sql=_FIRST_LOOK.sub(r"\1 as broken", rule.tested_sql))


def emptied(rule: Rule) -> Rule:
    return replace(rule, violations_sql=f"select * from ({rule.violations_sql}\n) as found where false")


def excluded(rule: Rule, is_everywhere: bool = False) -> list[tuple[str, str, str]]:
    """The entries of EQUIVALENT that keep a mutant of this rule out."""
    return [entry for mutant in _changes(rule, is_everywhere) for entry in of_change(rule, mutant.change)]


def of_change(rule: Rule, change: str) -> list[tuple[str, str, str]]:
    """The entries of EQUIVALENT that say why no row can feel a change."""
    return [entry for entry in EQUIVALENT + EQUIVALENT_MADE if _is_of(entry, rule, change)]


def _is_of(entry: tuple[str, str, str], rule: Rule, change: str) -> bool:
    if entry in EQUIVALENT_MADE:
        return bool(re.match(entry[0], rule.id) and re.search(entry[1], change))
    return entry[0] in ("", rule.id) and entry[1] in change


def _changes(rule: Rule, is_everywhere: bool) -> Iterator[Mutant]:
    for part in ("violations", "tested"):
        query = getattr(rule, f"{part}_sql")
        seen = {" ".join(query.split())}
        for change, weakened in _weakened(query, is_everywhere):
            if " ".join(weakened.split()) not in seen:  # the middle of `a and b and c` can be dropped with either `and`
                seen.add(" ".join(weakened.split()))
                yield Mutant(part, change, replace(rule, **{f"{part}_sql": weakened}))


def reason_equivalent(rule: Rule, change: str) -> str | None:
    """Why no row can feel a change; None where one can."""
    return next((why for _, _, why in of_change(rule, change)), None)


def _said_mildly(query: str, severity: str) -> str:
    """The query with no severity above `severity`: the engine refuses one above the header's."""
    for worse in SEVERITIES[SEVERITIES.index(severity) + 1 :]:
        query = query.replace(f"'{worse}'", f"'{severity}'")
    return query


def _weakened(query: str, is_everywhere: bool) -> Iterator[tuple[str, str]]:
    tokens = _tokens(query)
    for at, token in enumerate(tokens):
        if token.text in _FLIPPED and tokens[at - 1].text not in (">", "<", "-", "=", "@"):
            change, weakened = _changed(query, token.start, token.end, _FLIPPED[token.text])
            if is_everywhere:
                before, after = (
                    query[tokens[_start(tokens, at)].start : token.start],
                    query[token.end : tokens[_end(tokens, at)].end],
                )
                weakened = query.replace(f"{before}{token.text}{after}", f"{before}{_FLIPPED[token.text]}{after}")
            yield change, weakened
        if token.text.lower() in ("and", "or") and not _is_of_between(tokens, at):
            first, last = _start(tokens, at), _end(tokens, at)
            for start, end in ((token.start, tokens[last].end), (tokens[first].start, token.end)):
                change, weakened = _changed(query, start, end, "")
                yield change, query.replace(query[start:end], "") if is_everywhere else weakened
    yield from _severities(query)


def _severities(query: str) -> Iterator[tuple[str, str]]:
    for found in re.finditer("'(quarantine|block)'", query):
        milder = SEVERITIES[SEVERITIES.index(found[1]) - 1]
        yield _changed(query, found.start(), found.end(), f"'{milder}'")


def _changed(query: str, start: int, end: int, by: str) -> tuple[str, str]:
    line = query.count("\n", 0, start) + 1
    was = " ".join(query[start:end].split())
    near = " ".join(query[max(0, start - 35) : end + 30].split()) if by else was
    return f"line {line}: {was!r} -> {by!r} in {near!r}", f"{query[:start]}{by}{query[end:]}"


def _tokens(query: str) -> list[_Token]:
    tokens, depth = [], 0
    for found in _TOKEN.finditer(query):
        if found[0].startswith("--"):
            continue
        if found[0] == ")":
            depth -= 1
        tokens.append(_Token(found[0], found.start(), found.end(), depth))
        if found[0] == "(":
            depth += 1
    return tokens


def _is_of_between(tokens: list[_Token], at: int) -> bool:
    for token in reversed(tokens[:at]):
        if token.depth < tokens[at].depth:
            return False
        if token.depth == tokens[at].depth:
            if token.text.lower() == "between":
                return True
            if token.text.lower() in _ENDS | {"and", "or"}:
                return False
    return False


def _bounds(tokens: list[_Token], at: int, places: range) -> int:
    """The last place before the condition's end, going through `places`."""
    reached = at
    for place in places:
        token = tokens[place]
        word = token.text.lower()
        if token.depth < tokens[at].depth:
            break
        is_end = word in _ENDS or (word in ("and", "or") and not _is_of_between(tokens, place))
        if is_end and token.depth == tokens[at].depth:
            break
        reached = place
    return reached


def _start(tokens: list[_Token], at: int) -> int:
    return _bounds(tokens, at, range(at - 1, -1, -1))


def _end(tokens: list[_Token], at: int) -> int:
    return _bounds(tokens, at, range(at + 1, len(tokens)))
