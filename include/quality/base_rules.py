"""Rules that the contracts imply, per table: key, required, allowed values, references inside a source, and arrival. Order of
times, equations, references across systems and values by their meaning are modules of their own; they are listed with them,
and so are those that the published models imply (`include.quality.mart_rules`). All are made, not written.

They have the shape of the rules in `expectations/`. Where the rule book has an id for such a check, the check carries that
id: `MKT-13` is the allowed-value check of all marketing tables, and the keys of `met_interval_96`, `mkt_customer` and
`con_contract` are the files MET-01, MKT-01 and CON-01.

A row is judged as delivered: the rules read the raw row behind each staged row, under the contract's column names.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from include.contracts import Column, Reference, Table, load_contracts
from include.profiles import profile
from include.quality.condition_rules import condition_rule
from include.quality.copy_rules import copy_rule
from include.quality.crowding_rules import crowding_rule
from include.quality.equation_rules import equation_rule
from include.quality.made_rules import (
    BROKEN_COLUMNS,
    columns_tested,
    declarations_of,
    is_absent,
    made_rule,
    staged_rows,
    text,
    trimmed,
)
from include.quality.mart_rules import load_mart_rules
from include.quality.meaning_rules import meaning_rule
from include.quality.period_rules import period_rule
from include.quality.reference_rules import reference_rule
from include.quality.repeat_rules import repeat_rule
from include.quality.rules import Rule
from include.quality.sharing_rules import sharing_rule
from include.quality.time_rules import time_rule
from include.transform.models import staging_relation

KEYS_WITH_A_RULE_FILE = {"met_interval_96": "MET-01", "mkt_customer": "MKT-01", "con_contract": "CON-01"}


def load_base_rules(left_out: Collection[str] = ()) -> list[Rule]:
    """The rules of all contracts in order of source and table, and those of the published models.

    A reference to a table that is left out is not followed; a rule of which nothing else is left is as without that, for who
    judges it to say so.
    """
    rules = []
    for tables in load_contracts().values():
        for table in tables.values():
            rules += [_following(table, rule, left_out) for rule in _rules_of(table)]
    rules.append(_marketing_allowed_rule())
    return rules + load_mart_rules()


def _following(table: Table, rule: Rule, left_out: Collection[str]) -> Rule:
    """The rule without the references to tables that are left out, where that leaves something of it."""
    makers = {f"BASE-{table.name}-REFERENCE": _inner_references_rule, f"REF-{table.name}": reference_rule}
    if not left_out or rule.id not in makers:
        return rule
    try:
        return makers[rule.id](_without(table, left_out)) or rule
    except (LookupError, StopIteration):  # the day of its rows is that of a row that is left out
        return rule


def _inner_references_rule(table: Table) -> Rule | None:
    return _reference_rule(table) if any(not r.is_cross_system for r in table.references) else None


def _without(table: Table, left_out: Collection[str]) -> Table:
    return replace(
        table,
        references=tuple(r for r in table.references if r.target_table not in left_out),
        references_by_kind=tuple(r for r in table.references_by_kind if r.target_table not in left_out),
    )


def _rules_of(table: Table) -> list[Rule]:
    rules = [_arrival_rule(table)]
    if table.name not in KEYS_WITH_A_RULE_FILE:
        rules.append(_key_rule(table))
    if any(c.is_required for c in table.scalar_columns if c.name not in table.key):
        rules.append(_required_rule(table))
    if table.source != "marketing" and any(c.allowed for c in table.scalar_columns):
        rules.append(_allowed_rule(table))
    if rule := _inner_references_rule(table):
        rules.append(rule)
    families = (
        time_rule,
        equation_rule,
        condition_rule,
        period_rule,
        reference_rule,
        meaning_rule,
        copy_rule,
        sharing_rule,
        repeat_rule,
        crowding_rule,
    )
    return rules + [rule for make in families if (rule := make(table))]


def _key_rule(table: Table) -> Rule:
    key = ", ".join(table.key)
    columns = ", ".join(f"raw.{c}" for c in table.key)
    lacking = " or ".join(is_absent(table.column(c)) for c in table.key)
    return made_rule(
        table,
        "KEY",
        sentence=f"The key of {table.name} ({key}) is filled and unique.",
        dimension="uniqueness",
        reason="Two rows of one key cannot both be right, and a row without a key cannot be corrected.",
        tested_sql=f"""select
    raw._raw_id as raw_id,
    ({lacking}) as lacks_key,
    count(*) over (partition by {columns}) as copies
from {staged_rows(table)}""",
        violations_sql=f"""select
    raw_id,
    '{table.key[0]}' as column_name,
    case when lacks_key then 'empty' else copies || ' rows' end as observed,
    'one row for each {key}' as expected
from tested
where lacks_key or copies > 1""",
    )


def _required_rule(table: Table) -> Rule:
    required = [c for c in table.scalar_columns if c.is_required and c.name not in table.key]
    return made_rule(
        table,
        "REQUIRED",
        sentence=f"Every required column of {table.name} is filled.",
        axis="missing",
        dimension="completeness",
        reason="The source has promised these columns; what is computed from them would be missing in silence.",
        tested_sql=columns_tested(table, [(c, is_absent(c), "'empty'", "a value") for c in required]),
        violations_sql=BROKEN_COLUMNS,
    )


def _allowed_rule(table: Table) -> Rule:
    return made_rule(
        table,
        "ALLOWED",
        sentence=f"Every code of {table.name} is one of the values that the contract lists.",
        dimension="validity",
        reason="A code outside its list falls out of every mapping and of every sum by that code.",
        tested_sql=columns_tested(table, _allowed_checks(table)),
        violations_sql=BROKEN_COLUMNS,
    )


def _marketing_allowed_rule() -> Rule:
    """MKT-13 (voltage, class, status, importance and every other code), one rule over all marketing tables."""
    tables = [t for t in load_contracts()["marketing"].values() if any(c.allowed for c in t.scalar_columns)]
    queries = [columns_tested(t, _allowed_checks(t), table_name=t.name) for t in tables]
    return made_rule(
        tables[0],
        "ALLOWED",
        id="MKT-13",
        sentence="Every code of the marketing system is one of the values that its contract lists.",
        dimension="validity",
        reason="An unmapped code, such as a voltage level written in words, falls out of every mapping and sum.",
        source="contract of the marketing system",
        subject=", ".join(t.name for t in tables),
        subjects=tuple(t.name for t in tables),
        population="rows of the marketing system's tables with codes",
        **declarations_of(tables),
        tested_sql="\nunion all\n".join(queries),
        violations_sql=BROKEN_COLUMNS.replace("raw_id,", "raw_id,\n    table_name,", 1),
    )


def _reference_rule(table: Table) -> Rule:
    checks, joins, targets = [], [], []
    inside = [r for r in table.references if not r.is_cross_system]
    for number, reference in enumerate(inside, start=1):
        alias = f"target_{number}"
        joins.append(_target_join(table, reference, alias))
        targets.append(load_contracts()[table.source][reference.target_table])
        given = " and ".join(f"raw.{c} is not null" for c in reference.columns)
        value = " || ' / ' || ".join(f"raw.{c}::text" for c in reference.columns)
        expected = f"a row of {reference.target_table} with this {', '.join(reference.target_columns)}"
        named = (table.withheld_by(reference) or reference.columns)[0]
        fails = f"{given} and {alias}.is_there is null"
        checks.append((table.column(named), fails, value, expected, _missing_row(table, reference)))
    return made_rule(
        table,
        "REFERENCE",
        sentence=f"Every row that a row of {table.name} refers to inside the {table.source} system is there.",
        axis="missing",
        dimension="referential",
        **declarations_of([table], targets),
        withholds=tuple(c for r in inside for c in table.withheld_by(r)[:1]),
        reason="A row that refers to nothing belongs to no account, and its energy or money to no sum.",
        tested_sql=columns_tested(table, checks, joins=joins, also=" or ".join(map(_was_withdrawn, inside, targets))),
        violations_sql=BROKEN_COLUMNS.replace("as expected", "as expected,\n    broken.value -> 2 as cause"),
    )


def _was_withdrawn(reference: Reference, target: Table) -> str:
    """SQL condition: what the row refers to was withdrawn since the last passed gate, so that an old row is tested again."""
    return f"""({", ".join(f"raw.{c}" for c in reference.columns)}) in (
        select {", ".join(f"gone.{c}" for c in reference.target_columns)}
        from {target.raw_name} as gone
        where
            gone._is_tombstone
            and gone._load_id > quality.last_passed_load_id()
    )"""


def _missing_row(table: Table, reference: Reference) -> str:
    """SQL of the cause of an unresolved reference: the row that is not there."""
    pairs = zip(reference.columns, reference.target_columns, strict=True)
    key = ", ".join(f"'{theirs}', {trimmed(table.column(own), 'raw')}" for own, theirs in pairs)
    return f"jsonb_build_object('table', '{reference.target_table}', 'key', jsonb_build_object({key}))"


def _target_join(table: Table, reference: Reference, alias: str) -> str:
    """Left join to the distinct targets of a reference. One row with the value is enough, also where rows have validity."""
    target = load_contracts()[table.source][reference.target_table]
    columns = ", ".join(f"{trimmed(target.column(c), 'raw')} as {c}" for c in reference.target_columns)
    pairs = zip(reference.columns, reference.target_columns, strict=True)
    matches = " and ".join(f"{trimmed(table.column(own), 'raw')} = {alias}.{theirs}" for own, theirs in pairs)
    return f"""left join (
    select distinct {columns}, true as is_there
    from {target.raw_name} as raw inner join {staging_relation(target)} as staged on raw._raw_id = staged._raw_id
) as {alias} on {matches}"""


def _arrival_rule(table: Table) -> Rule:
    """Arrival of tonight's delivery, by the source itself. A form is no delivery, but where one is refused its rows lack.

    A table without a daily promise is due once it has ever landed. Where it never has, its refused forms are tested all the
    same, and on every night after, so that the finding ends with the correction.
    """
    by_source, tonight = "receipts.channel = 'auto'", "receipts.business_date = :business_date"
    lasts = profile().lasts_days(table)  # a table that comes monthly or once is there while its delivery lasts
    still = {1: tonight, None: "receipts.business_date <= :business_date"}.get(
        lasts, f"receipts.business_date between :business_date - {lasts and lasts - 1} and :business_date"
    )
    refused = f"receipts.state = 'refused' and {tonight} and receipts.fence is not distinct from newest.fence"
    landed = f"receipts.state = 'landed' and {by_source}"
    is_due = "true" if table.is_daily else f"coalesce(bool_or({landed}), false)"
    empty = "receipts.delivered_rows = 0" if table.is_full_compared else "false"
    return made_rule(
        table,
        "ARRIVAL",
        id=f"ARR-{table.name}",
        sentence=f"The delivery of {table.name} for the business date has arrived"
        + (" and holds rows" if table.is_full_compared else "")
        + ", and no file or form of it was refused.",
        axis="late",
        dimension="timeliness",
        severity="block",
        reason="An empty load passes every rule on columns.",
        subject="table",
        subjects=(),
        quarantines=False,
        population=f"the table {table.name}, where it is delivered",
        tests="everything",
        touched_by=(),
        reads=("quality.receipts",),
        not_tested="The table has no daily delivery and has never been delivered.",
        tested_sql=f"""select
    jsonb_build_object('table', '{table.name}') as record_key,
    {is_due} as is_due,
    count(*) filter (where {landed} and {still}) as landed,
    count(*) filter (where {landed} and {still} and {empty}) as empty,
    array_agg(
        concat_ws(': ', case receipts.channel when 'form' then 'form ' else '' end || receipts.file_name, receipts.problem)
        order by receipts.load_id
    ) filter (where {refused}) as refused
from quality.receipts as receipts
cross join (
    select max(tonight.fence) as fence
    from quality.receipts as tonight
    where tonight.source_name = '{table.source}' and tonight.business_date = :business_date
) as newest
where receipts.table_name = '{table.name}'
having {is_due} or bool_or(receipts.channel = 'form' and receipts.state = 'refused')""",
        violations_sql="""select
    record_key,
    case
        when refused is not null
            then cardinality(refused) || ' refused' || coalesce(': ' || nullif(array_to_string(refused, '; '), ''), '')
        when landed > 0 then 'delivered without a row'
        else 'no delivery'
    end as observed,
    'a delivery' as expected
from tested
where is_due and landed = empty or refused is not null""",
    )


def _allowed_checks(table: Table) -> list[tuple[Column, str, str, str]]:
    checks = []
    for column in table.scalar_columns:
        if column.allowed:
            allowed = ", ".join(text(value) for value in column.allowed)
            value = f"raw.{column.name}::text"
            checks.append((column, f"{value} not in ({allowed})", value, f"one of {', '.join(column.allowed)}"))
    return checks
