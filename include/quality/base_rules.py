"""Rules that the contracts imply: key, required, allowed values, references inside a source, and arrival, per table. Those
that the published models imply (`include.quality.mart_rules`) are listed with them: both are made, not written.

They have the shape of the rules in `expectations/`. Where the rule book has an id for such a check, the check carries that
id: `MKT-13` is the allowed-value check of all marketing tables, and the keys of `met_interval_96`, `mkt_customer` and
`con_contract` are the files MET-01, MKT-01 and CON-01.

A row is judged as delivered: the rules read the raw row behind each staged row, under the contract's column names.
"""

from __future__ import annotations

from include.contracts import Column, Reference, Table, load_contracts
from include.quality.mart_rules import load_mart_rules
from include.quality.rules import Rule
from include.transform.models import staging_relation

KEYS_WITH_A_RULE_FILE = {"met_interval_96": "MET-01", "mkt_customer": "MKT-01", "con_contract": "CON-01"}
OFFICES = {"metering": "metering office", "marketing": "marketing office", "contract": "contract office"}


def load_base_rules() -> list[Rule]:
    """The rules of all contracts in order of source and table, and those of the published models."""
    rules = []
    for tables in load_contracts().values():
        for table in tables.values():
            rules.append(_arrival_rule(table))
            if table.name not in KEYS_WITH_A_RULE_FILE:
                rules.append(_key_rule(table))
            if any(c.is_required for c in table.scalar_columns if c.name not in table.key):
                rules.append(_required_rule(table))
            if table.source != "marketing" and any(c.allowed for c in table.scalar_columns):
                rules.append(_allowed_rule(table))
            if any(not r.is_cross_system for r in table.references):
                rules.append(_reference_rule(table))
    rules.append(_marketing_allowed_rule())
    return rules + load_mart_rules()


def _rule(table: Table, kind: str, **given) -> Rule:
    defaults = {
        "id": f"BASE-{table.name}-{kind}",
        "path": f"include/contracts/{table.source}.odcs.yaml",
        "area": table.source,
        "axis": "mismatch",
        "severity": "quarantine",
        "owner": OFFICES[table.source],
        "source": f"contract of the {table.source} system, table {table.name}",
        "subject": table.name,
        "subjects": (table.name,),
        "quarantines": True,
        "source_name": table.source,
        "table_name": table.name,
        "population": f"rows of {table.name}",
        **_declarations([table]),
    }
    return Rule(**(defaults | given))


def _declarations(tables: list[Table], targets: list[Table] = ()) -> dict:
    """What rules on the staged rows of tables read and test, as a header declares it; `targets` are read alone."""
    events = tuple(t.name for t in tables if not t.is_full_compared)
    reads = {name for t in (*tables, *targets) for name in (t.raw_name, staging_relation(t).removeprefix("staging."))}
    if any(not t.is_full_compared and not t.curve_slots for t in tables):
        reads.add("quality.open_findings")
    return {"reads": tuple(sorted(reads)), "tests": "touched rows" if events else "everything", "touched_by": events}


def _staged_rows(table: Table) -> str:
    """From-clause: `raw`, the raw rows behind the staged ones that are tested tonight.

    A table that is delivered whole is tested whole. Of a table of events the rows count that landed since the last passed
    gate or have an open finding: an old event that passed does not change.
    """
    rows = f"{table.raw_name} as raw inner join {staging_relation(table)} as staged on raw._raw_id = staged._raw_id"
    if table.is_full_compared:
        return rows
    if table.curve_slots:
        return f"{rows} inner join quality.touched_curves as touched on touched.table_name = '{table.name}' and touched.raw_id = raw._raw_id"
    return f"""{rows} and (
    staged._load_id > (select current_run.last_passed_load_id from quality.current_run as current_run)
    or staged._raw_id in (select open_findings.raw_id from quality.open_findings as open_findings where open_findings.table_name = '{table.name}')
)"""


def _key_rule(table: Table) -> Rule:
    key = ", ".join(table.key)
    columns = ", ".join(f"raw.{c}" for c in table.key)
    lacking = " or ".join(_is_absent(table.column(c)) for c in table.key)
    return _rule(
        table,
        "KEY",
        sentence=f"The key of {table.name} ({key}) is filled and unique.",
        dimension="uniqueness",
        reason="Two rows of one key cannot both be right, and a row without a key cannot be corrected.",
        tested_sql=f"""select
    raw._raw_id as raw_id,
    ({lacking}) as lacks_key,
    count(*) over (partition by {columns}) as copies
from {_staged_rows(table)}""",
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
    return _rule(
        table,
        "REQUIRED",
        sentence=f"Every required column of {table.name} is filled.",
        axis="missing",
        dimension="completeness",
        reason="The source has promised these columns; what is computed from them would be missing in silence.",
        tested_sql=_tested_by_column(table, [(c, _is_absent(c), "'empty'", "a value") for c in required]),
        violations_sql=_BROKEN_COLUMNS,
    )


def _allowed_rule(table: Table) -> Rule:
    return _rule(
        table,
        "ALLOWED",
        sentence=f"Every code of {table.name} is one of the values that the contract lists.",
        dimension="validity",
        reason="A code outside its list falls out of every mapping and of every sum by that code.",
        tested_sql=_tested_by_column(table, _allowed_checks(table)),
        violations_sql=_BROKEN_COLUMNS,
    )


def _marketing_allowed_rule() -> Rule:
    """MKT-13 (voltage, class, status, importance and every other code), one rule over all marketing tables."""
    tables = [t for t in load_contracts()["marketing"].values() if any(c.allowed for c in t.scalar_columns)]
    queries = [_tested_by_column(t, _allowed_checks(t), table_name=t.name) for t in tables]
    return _rule(
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
        **_declarations(tables),
        tested_sql="\nunion all\n".join(queries),
        violations_sql=_BROKEN_COLUMNS.replace("raw_id,", "raw_id,\n    table_name,", 1),
    )


def _reference_rule(table: Table) -> Rule:
    checks, joins, targets = [], [], []
    for number, reference in enumerate((r for r in table.references if not r.is_cross_system), start=1):
        alias = f"target_{number}"
        joins.append(_target_join(table, reference, alias))
        targets.append(load_contracts()[table.source][reference.target_table])
        given = " and ".join(f"raw.{c} is not null" for c in reference.columns)
        value = " || ' / ' || ".join(f"raw.{c}::text" for c in reference.columns)
        expected = f"a row of {reference.target_table} with this {', '.join(reference.target_columns)}"
        checks.append((table.column(reference.columns[0]), f"{given} and {alias}.is_there is null", value, expected))
    return _rule(
        table,
        "REFERENCE",
        sentence=f"Every row that a row of {table.name} refers to inside the {table.source} system is there.",
        axis="missing",
        dimension="referential",
        **_declarations([table], targets),
        reason="A row that refers to nothing belongs to no account, and its energy or money to no sum.",
        tested_sql=_tested_by_column(table, checks, joins=joins),
        violations_sql=_BROKEN_COLUMNS,
    )


def _target_join(table: Table, reference: Reference, alias: str) -> str:
    """Left join to the distinct targets of a reference. One row with the value is enough, also where rows have validity."""
    target = load_contracts()[table.source][reference.target_table]
    columns = ", ".join(f"{_trimmed(target.column(c), 'raw')} as {c}" for c in reference.target_columns)
    pairs = zip(reference.columns, reference.target_columns, strict=True)
    matches = " and ".join(f"{_trimmed(table.column(own), 'raw')} = {alias}.{theirs}" for own, theirs in pairs)
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
    refused = f"receipts.state = 'refused' and {tonight} and receipts.fence is not distinct from newest.fence"
    landed = f"receipts.state = 'landed' and {by_source}"
    is_due = "true" if table.is_daily else f"coalesce(bool_or({landed}), false)"
    empty = "receipts.delivered_rows = 0" if table.is_full_compared else "false"
    return _rule(
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
    count(*) filter (where {landed} and {tonight}) as landed,
    count(*) filter (where {landed} and {tonight} and {empty}) as empty,
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


_BROKEN_COLUMNS = """select
    raw_id,
    broken.key as column_name,
    broken.value ->> 0 as observed,
    broken.value ->> 1 as expected
from tested
cross join lateral jsonb_each(broken_columns) as broken
where broken_columns <> '{}'"""


def _tested_by_column(
    table: Table, checks: list[tuple[Column, str, str, str]], table_name: str | None = None, joins: list[str] = ()
) -> str:
    """One row a record; `broken_columns` maps each column that fails to [observed, expected].

    A check is (column, SQL condition that is true where the column fails, SQL text of what is seen, what was expected).
    """
    conditions = " or ".join(f"({fails})" for _, fails, _, _ in checks)
    pairs = ",\n            ".join(
        f"'{column.name}', case when {fails} then jsonb_build_array({seen}, {_text(expected)}) end"
        for column, fails, seen, expected in checks
    )
    name = f"\n    '{table_name}'::text as table_name," if table_name else ""
    return "\n".join(
        [
            f"""select
    raw._raw_id as raw_id,{name}
    case
        when {conditions} then jsonb_strip_nulls(jsonb_build_object(
            {pairs}
        ))
        else '{{}}'::jsonb
    end as broken_columns
from {_staged_rows(table)}""",
            *joins,
        ]
    )


def _allowed_checks(table: Table) -> list[tuple[Column, str, str, str]]:
    checks = []
    for column in table.scalar_columns:
        if column.allowed:
            allowed = ", ".join(_text(value) for value in column.allowed)
            value = f"raw.{column.name}::text"
            checks.append((column, f"{value} not in ({allowed})", value, f"one of {', '.join(column.allowed)}"))
    return checks


def _is_absent(column: Column) -> str:
    if column.physical_type == "text":
        return f"nullif(btrim(raw.{column.name}), '') is null"
    return f"raw.{column.name} is null"


def _trimmed(column: Column, alias: str) -> str:
    return f"btrim({alias}.{column.name})" if column.physical_type == "text" else f"{alias}.{column.name}"


def _text(value: str) -> str:
    quoted = value.replace("'", "''")
    return f"'{quoted}'"
