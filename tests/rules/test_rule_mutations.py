"""Weakening a rule makes a test fail: mutants of each rule are judged in the worlds for which a test says what it must say.

In the clean world and in the typed cases that is what is typed (how severe, how many tested, which findings), in the random
and the targeted data sets the recorded answer. A mutant that the database refuses or that does not end is none.
`./kaw test --soak` judges the whole book, family by family, and prints the scores and the survivors, `./kaw test` a sample.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial

import psycopg
import pytest
from psycopg import sql

from include.contracts import all_tables
from include.quality.base_rules import load_base_rules
from include.quality.rules import Rule, load_rules
from tests.rules import test_mart_rules as marts
from tests.rules.base_faults import ARRIVALS, faults, missing, new_child, nights, one_is_new
from tests.rules.cases import Case, cases_of_the_book
from tests.rules.declared_faults import CROWDS, FAULTS, Fault, crowd
from tests.rules.declared_mutants import ENGINES, declaration_mutants
from tests.rules.mutations import (
    EQUIVALENT,
    EQUIVALENT_MADE,
    Mutant,
    excluded,
    mutants,
    of_change,
    reason_equivalent,
    without_first_look,
)
from tests.rules.random_sets import SEEDS, randomize
from tests.rules.staged import Staged
from tests.rules.stand_ins import THEMES, theme_of
from tests.rules.targeted import Target
from tests.rules.test_contract_rules import CASES, statement
from tests.rules.test_rule_answers import CATALOGUE as OF_THE_RECORD
from tests.rules.test_rule_answers import OF_WHOLE_CURVES, TARGETED, make_marts, recorded

CATALOGUE = {rule.id: rule for rule in OF_THE_RECORD}
EXPECTED = {rule.id: rule for rule in load_rules() if rule.id.startswith("EXP")}
PIPELINES = {rule.id: rule for rule in load_rules() if rule.id.startswith("PIP")}
MADE = {rule.id: rule for rule in load_base_rules()}
MECHANISMS = {  # family of rules made of declarations -> its engine and the kinds of faults made of its declarations
    "references": ("REF", ("references", "totals", "identities")),
    "equations": ("EQU", ("equations", "edges")),
    "orders of times": ("TIM", ("orders",)),
    "meanings": ("SEM", ("seeds", "texts", "ranges", "days")),
    "conditions": ("IFF", ("conditions",)),
    "periods": ("PER", ("periods",)),
    "copies": ("DUP", ("copies",)),
    "shared values": ("SHA", ("sharings",)),
    "repeats": ("REP", ("repeats",)),
    "crowds": ("CRD", ("crowds",)),
}
FAMILIES = {
    "catalogue": CATALOGUE,
    "expected": EXPECTED,
    "whole curves": {rule.id: rule for rule in load_rules() if rule.id in OF_WHOLE_CURVES},
    "marts": marts.WRITTEN,
    "pipeline": PIPELINES,
    "published models": {rule_id: rule for rule_id, rule in MADE.items() if rule.gate == 2},
    "contracts, rows": {rule_id: rule for rule_id, rule in MADE.items() if rule_id.startswith(("BASE-", "MKT-13"))},
    "contracts, arrivals": {rule_id: rule for rule_id, rule in MADE.items() if rule_id.startswith("ARR-")},
    **{
        family: {
            rule_id: without_first_look(rule) for rule_id, rule in MADE.items() if rule_id.startswith(f"{engine}-")
        }
        for family, (engine, _) in MECHANISMS.items()
    },
}
SAMPLE = (
    "MET-05",
    "MET-28",
    "MKT-06",
    "MKT-10",
    "MKT-11",
    "MKT-14",
    "MKT-15",
    "MKT-33",
    "MKT-35",
    "MKT-36",
    "CON-01",
    "CON-02",
    "CON-03",
    "CON-08",
    "CON-10",
    "XSR-06",
    "XSR-11",
    "XSR-22",
    "XSR-27",
    "XSR-30",
)
SAMPLE_MADE = (
    "REF-mkt_account",
    "EQU-mkt_penalty",
    "TIM-mkt_manager",
    "SEM-met_supply_voltage",
    "IFF-mkt_customer",
    "PER-mkt_tariff_assign",
    "DUP-mkt_application",
    "SHA-mkt_contact",
    "REP-mkt_manager_assessment",
)
LEAST_KILLED = {
    "catalogue": 0.99,
    "expected": 0.99,
    "whole curves": 0.9,
    "marts": 0.99,
    "pipeline": 0.99,
    "published models": 0.98,
    "contracts, rows": 0.99,
    "contracts, arrivals": 0.95,
    **dict.fromkeys(MECHANISMS, 0.98),
}
LEAST_TYPED = 0.85  # of the catalogue's killed mutants, by a typed verdict
LEAST_TYPED_OF_AN_AREA = 0.7  # MET, MKT, CON and XSR
PARTS = ("header", "violations", "tested", "declaration")
MADE_OF_COLUMNS = {
    "contracts, rows": ("header", "violations")
}  # whose population has a condition for each column, each of which a test breaks
BY_TYPED, BY_DECLARED = "a typed verdict", "a fault made of the declaration"
LONGEST_S = 8  # a mutant that takes longer has lost a join


@dataclass(frozen=True)
class World:
    """What to do to the staged utility, the rules of which a test says what they then say, how it asks, and a record of that."""

    prepare: Callable[[Staged], None]
    rule_ids: frozenset[str]
    by: str
    ask: Callable[[Staged, Rule], object]
    right: dict[str, object] = field(default_factory=dict)


@dataclass
class Judged:
    """Mutants of each rule that could be run, and those of them that nothing killed."""

    made: dict[str, int]
    alive: dict[str, list[Mutant]]
    killed: Counter = field(default_factory=Counter)  # by rule, and by what said so
    of_declarations: int = 0  # of the made, those of changed declarations

    @property
    def survivors(self) -> int:
        return sum(map(len, self.alive.values()))

    @property
    def score(self) -> float:
        return 1 - self.survivors / sum(self.made.values())

    def typed_share(self, prefix: str = "") -> float:
        """Share of the killed that a typed verdict kills, of the rules whose id begins so."""
        killed = Counter()
        for (rule_id, by), count in self.killed.items():
            killed[by] += count if rule_id.startswith(prefix) else 0
        return killed[BY_TYPED] / killed.total()


def judge(staged: Staged, rules: dict[str, Rule], worlds: Iterable[World], parts: tuple[str, ...] = PARTS) -> Judged:
    alive = {
        rule_id: [mutant for mutant in mutants_of(rule) if mutant.part in parts] for rule_id, rule in rules.items()
    }
    judged = Judged({rule_id: len(found) for rule_id, found in alive.items()}, alive)
    judged.of_declarations = sum(m.part == "declaration" for found in alive.values() for m in found)
    for world in worlds:
        concerned = sorted(rule_id for rule_id in world.rule_ids if alive.get(rule_id))
        if not concerned:
            continue
        with staged.connection.transaction(force_rollback=True):
            world.prepare(staged)
            for rule_id in concerned:
                _compare(judged, world, staged, rules[rule_id])
    return judged


def mutants_of(rule: Rule) -> Iterator[Mutant]:
    """Weakened variants of a rule; of one that an engine makes of declarations also the rules made of changed declarations."""
    yield from mutants(rule, is_everywhere=is_declared(rule))
    if is_declared(rule):
        yield from (m for m in declaration_mutants(rule) if not reason_equivalent(rule, m.change))


def is_declared(rule: Rule) -> bool:
    return rule.id.split("-")[0] in ENGINES


def _compare(judged: Judged, world: World, staged: Staged, rule: Rule) -> None:
    """Takes away the mutants that say another thing than the rule, or fail where it does not, and those that are none."""
    staged.stage(rule)  # no mutant that fails may take it back
    right = world.right.get(rule.id) or world.ask(staged, rule)
    staged.connection.execute(f"set local statement_timeout = '{LONGEST_S}s'")
    for mutant in list(judged.alive[rule.id]):
        try:
            with staged.connection.transaction():
                is_killed = world.ask(staged, mutant.rule) != right
        except psycopg.errors.DataError:  # a value that the rule had kept out
            is_killed = True
        except psycopg.Error:
            judged.alive[rule.id].remove(mutant)
            judged.made[rule.id] -= 1
            judged.of_declarations -= mutant.part == "declaration"
            continue
        if is_killed:
            judged.alive[rule.id].remove(mutant)
            judged.killed[rule.id, world.by] += 1
    staged.connection.execute("set local statement_timeout = default")


# -- worlds


def worlds_of_cases(rules: dict[str, Rule]) -> Iterator[World]:
    """What is typed beside each rule; a planted fault says of the rules that it does not break too that they hold."""
    for rule_id, cases in cases_of_the_book().items():
        for case in cases if rule_id in rules else ():
            prepare = partial(_prepare, case=case, rule=rules[rule_id])
            if case.breaks is not None:
                theme = theme_of(rule_id)
                asked = THEMES[theme].RULES if theme else case.breaks | {rule_id}
                yield World(prepare, frozenset(asked), BY_TYPED, Staged.verdict)
            if case.says:
                yield World(prepare, frozenset({rule_id}), BY_TYPED, case.ask)


def _prepare(staged: Staged, case: Case, rule: Rule) -> None:
    case.prepare(staged, rule)


def unstaged(
    statements: list[str], rule_ids: Iterable[str], ask: Callable[[Staged, Rule], object] = Staged.verdict
) -> World:
    """A typed world of which nothing has to be staged anew."""
    return World(partial(_execute, statements=statements), frozenset(rule_ids), BY_TYPED, ask)


def _execute(staged: Staged, statements: list[str | sql.Composed]) -> None:
    for one in statements:
        staged.connection.execute(one)


def worlds_of_the_catalogue(staged: Staged) -> Iterator[World]:
    yield World(lambda staged: None, frozenset(CATALOGUE), BY_TYPED, Staged.verdict)
    yield from worlds_of_cases(CATALOGUE)
    answers = recorded()
    for seed in SEEDS:
        right = {rule_id: answer for (of_seed, rule_id), answer in answers.items() if of_seed == seed}
        yield World(
            lambda staged, seed=seed: randomize(staged.connection, OF_THE_RECORD, staged.business_date, seed),
            frozenset(CATALOGUE),
            "a recorded answer",
            Staged.answer,
            right,
        )
    yield from targeted_sets(staged, CATALOGUE)


def targeted_sets(staged: Staged, rules: dict[str, Rule]) -> Iterator[World]:
    targets: dict[str, Target] = {}
    for (seed, rule_id), answer in recorded(TARGETED).items():
        if rule_id in rules:
            theme = theme_of(rule_id)
            target = targets.setdefault(theme, Target(staged.connection, staged.business_date))

            def prepare(staged: Staged, theme=theme, target=target, rule=rules[rule_id], seed=seed) -> None:
                make_marts(staged, theme)
                target.randomize(rule, seed)

            yield World(prepare, frozenset({rule_id}), "a recorded answer", Staged.whole_answer, {rule_id: answer})


def worlds_of_the_marts(staged: Staged) -> Iterator[World]:
    for module in THEMES.values():
        yield unstaged(module.GOOD, module.RULES)
    yield from worlds_of_cases(marts.WRITTEN)
    yield from targeted_sets(staged, marts.WRITTEN)


def worlds_of_the_published_models() -> Iterator[World]:
    for name, model in marts.MODELS.items():
        for rows in ([None], [None, None], [model.meta["grain"][-1]]):
            yield World(
                partial(_with_rows, model=model, without=rows),
                frozenset({f"MART-GRAIN-{name}"}),
                BY_TYPED,
                Staged.answer,
            )
        nights = [
            {},
            {"but": None},
            *({"but": fact} for fact in marts.facts_of(model)),
            {"seen": (model.published_name, 7)},
            {"seen": (model.published_name, 0)},
            {"seen": ("another", 7)},
        ]
        for night in (*nights, {"but": None, "seen": (model.published_name, 7), "is_empty": False}):
            yield World(
                partial(_with_facts, model=model, **night), frozenset({f"MART-FILLED-{name}"}), BY_TYPED, Staged.answer
            )

    for name in marts.PARTIAL:
        rule_id = f"MART-PARTIAL-{name}"
        for lack, named, told in marts.nights_of_partial_measures(name):
            prepare = partial(marts.with_a_lack, model=marts.PARTIAL[name], lack=lack, named=named)
            right = {rule_id: marts.of_account_a(told)}
            yield World(prepare, frozenset(right), BY_TYPED, marts.lacking, right)

    for name, (pair,) in marts.COMPARED.items():
        for given, _ in marts.TWO_MARTS:
            prepare = partial(marts.with_two_marts, pair=pair, **given)
            yield World(prepare, frozenset({f"MART-METRIC-{name}"}), BY_TYPED, Staged.answer)


def _with_rows(staged: Staged, model: marts.Model, without: list[str | None]) -> None:
    """A model with some rows, each without a column of its key or with all."""
    relation = marts.stand_in(staged, model)
    for column in without:
        marts.insert(staged, model, relation, column)


def _with_facts(
    staged: Staged,
    model: marts.Model,
    but: str | None = "all",
    seen: tuple[str, int] | None = None,
    is_empty: bool = True,
) -> None:
    """A model whose facts have rows, all but one or none of them, and of which readers saw some rows."""
    relation = marts.stand_in(staged, model)
    if not is_empty:
        marts.insert(staged, model, relation)
    if but != "all":
        marts.fill_facts(staged, model, but)
    if seen:
        marts.publish(staged, *seen)


def worlds_of_the_contracts() -> Iterator[World]:
    for rule_id, rule in FAMILIES["contracts, rows"].items():
        for _, statements, _ in faults(rule):
            yield unstaged(statements, {rule_id}, Staged.answer)
    for _, statements, _ in ARRIVALS:
        yield unstaged(statements, FAMILIES["contracts, arrivals"], Staged.answer)
    for name, table in all_tables().items():
        yield unstaged(missing(table), {f"ARR-{name}"}, Staged.answer)


def worlds_of_declarations(staged: Staged, family: str) -> Iterator[World]:
    """The clean world, the typed cases, the faults made of each declaration, and nights in which their rows are old."""
    rules = FAMILIES[family]
    yield World(lambda staged: None, frozenset(rules), BY_TYPED, how_often)
    for case in CASES:
        right = {case["rule"]: ({*case["finds"]}, case.get("severity"))}
        planted = partial(_execute, statements=[statement(step) for step in case["given"]])
        yield World(planted, frozenset(right), BY_TYPED, columns_and_verdict, right)
    for rule_id, values, _ in CROWDS:
        yield unstaged(crowd(rule_id, values), {rule_id}, units)
    seen_at_night = set()
    for kind in MECHANISMS[family][1]:
        for fault in FAULTS[kind](staged):
            ask = Staged.told if fault.words or family == "references" else how_often
            yield declared(fault.rule.id, fault.statements, ask)
            if fault.columns and fault.rule.id not in seen_at_night:
                seen_at_night.add(fault.rule.id)
                yield from nights_of(fault)


def nights_of(fault: Fault) -> Iterator[World]:
    rule = MADE[fault.rule.id]
    table = all_tables()[rule.table_name]
    if table.name in rule.touched_by and not table.curve_slots:
        for _, statements, _ in nights(table, "", [*fault.statements], set()):
            yield declared(rule.id, statements, how_often)
        for which in ("min", "max"):
            yield declared(rule.id, one_is_new(table, [*fault.statements], which), how_often)
        for child in {*rule.touched_by} - {table.name}:
            yield declared(rule.id, new_child(table, all_tables()[child], [*fault.statements]), how_often)


def declared(rule_id: str, statements: Iterable[str], ask: Callable[[Staged, Rule], object]) -> World:
    return World(partial(_execute, statements=statements), frozenset({rule_id}), BY_DECLARED, ask)


def columns_and_verdict(staged: Staged, rule: Rule) -> tuple[set[str], str | None]:
    return staged.columns(rule), staged.verdict(rule)


def how_often(staged: Staged, rule: Rule) -> Counter:
    """How many records a rule finds at each column, and how severe: not in which words."""
    found = Counter()
    for column, _, severity, count in staged.told(rule):
        found[column, severity] += count
    return found


def units(staged: Staged, rule: Rule) -> Counter:
    """At which units a rule on crowds finds each column."""
    found = Counter()
    for told in map(json.loads, staged.words(rule)):
        found[str(told["record_key"]), told["column_name"]] += 1
    return found


def worlds(staged: Staged, family: str) -> Iterator[World]:
    if family in MECHANISMS:
        yield from worlds_of_declarations(staged, family)
    elif family == "catalogue":
        yield from worlds_of_the_catalogue(staged)
    elif family == "marts":
        yield from worlds_of_the_marts(staged)
    elif family in ("expected", "pipeline", "whole curves"):
        yield from worlds_of_cases(FAMILIES[family])
    elif family == "published models":
        yield from worlds_of_the_published_models()
    else:
        yield from worlds_of_the_contracts()


def told(family: str, judged: Judged) -> str:
    made = sum(judged.made.values())
    kinds = Counter((m.part, m.kind) for found in judged.alive.values() for m in found)
    killed = Counter()
    for (_, name), count in judged.killed.items():
        killed[name] += count
    by = ", ".join(f"{count} by {name}" for name, count in killed.items())
    lines = [f"{family}: mutants killed: {made - judged.survivors} of {made}, {100 * judged.score:.1f} % ({by})"]
    if family in MECHANISMS:
        parts = [("declarations", judged.of_declarations), ("rules", made - judged.of_declarations)]
        alive = sum(m.part == "declaration" for found in judged.alive.values() for m in found)
        lives = {"declarations": alive, "rules": judged.survivors - alive}
        lines += [f"of {part}: {count - lives[part]} of {count}" for part, count in parts]
    areas = sorted({rule_id[:3] for rule_id in judged.made}) if family == "catalogue" else []
    lines += [f"{area}: {100 * judged.typed_share(area):.1f} % of the killed by a typed verdict" for area in areas]
    lines += [f"unnoticed: {count} x {kind} in {part}" for (part, kind), count in kinds.most_common()]
    return "\n".join(
        lines + [f"{rule_id} {m.part}: {m.change}" for rule_id, found in judged.alive.items() for m in found]
    )


def unheeded(judged: Judged) -> list[tuple[str, str]]:
    """Rules that can be emptied or made milder without notice."""
    return [
        (rule_id, m.change)
        for rule_id, found in judged.alive.items()
        for m in found
        if m.kind in ("emptied", "severity", "severity lowered")
    ]


def test_no_condition_of_the_violations_can_be_weakened(staged: Staged):
    sample = {rule_id: CATALOGUE[rule_id] for rule_id in SAMPLE}
    judged = judge(staged, sample, worlds_of_the_catalogue(staged))
    assert min(judged.made.values()) > 1
    assert [(rule_id, m.change) for rule_id, found in judged.alive.items() for m in found if m.part != "tested"] == []
    assert judged.score >= 0.97, told("sample", judged)


@pytest.mark.parametrize("family", ["pipeline", "marts"])
def test_no_rule_can_be_emptied_or_made_milder(staged: Staged, family: str):
    judged = judge(staged, FAMILIES[family], worlds(staged, family))
    assert unheeded(judged) == []
    assert judged.score >= LEAST_KILLED[family], told(family, judged)


def test_no_declaration_can_be_weakened(staged: Staged):
    for family, (engine, _) in MECHANISMS.items():
        sample = {rule_id: rule for rule_id, rule in FAMILIES[family].items() if rule_id in SAMPLE_MADE}
        assert len(sample) == (engine != "CRD"), engine  # of crowds all: they are few, and dear
        if sample:
            judged = judge(staged, sample, worlds(staged, family))
            assert unheeded(judged) == []
            assert judged.score >= LEAST_KILLED[family], told(family, judged)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("family", FAMILIES)
def test_the_rule_book_is_mutated_as_a_whole(staged: Staged, capsys: pytest.CaptureFixture, family: str):
    judged = judge(staged, FAMILIES[family], worlds(staged, family), MADE_OF_COLUMNS.get(family, PARTS))
    with capsys.disabled():
        print("\n" + told(family, judged))
    assert all(judged.made.values())
    assert unheeded(judged) == []
    assert judged.score >= LEAST_KILLED[family]
    if family == "catalogue":
        assert judged.typed_share() >= LEAST_TYPED
        assert min(judged.typed_share(rule_id[:3]) for rule_id in CATALOGUE) >= LEAST_TYPED_OF_AN_AREA


def test_every_change_that_is_left_out_is_one_that_a_rule_has():
    rules = [rule for family in FAMILIES.values() for rule in family.values()]
    found = {entry for rule in rules for entry in excluded(rule, is_everywhere=is_declared(rule))}
    declared = [(rule, mutant.change) for rule in rules if is_declared(rule) for mutant in declaration_mutants(rule)]
    found |= {entry for rule, change in declared for entry in of_change(rule, change)}
    assert found == {*EQUIVALENT, *EQUIVALENT_MADE}
