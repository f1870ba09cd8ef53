"""`./kaw new rule|mart|source-table`: the files of a new one, right as far as they go, and what is left to fill in.

What is written passes `./kaw lint`. Where a person has to decide, the file says FILL IN; the command lists these lines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from include.contracts import all_tables, load_contracts
from include.errors import UsageError
from include.settings import ROOT
from include.transform.metrics import declared_metrics
from include.transform.models import declared_models, measure_families, staging_relation

MARK = "FILL IN"
AREAS = {
    "MET": "metering",
    "MKT": "marketing",
    "CON": "contract",
    "XSR": "reconciliation",
    "PIP": "pipeline",
    "EXP": "expected",
    "MART": "marts",
}
THEMES = ("accounts", "energy", "quality", "reliability", "service")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass
class Made:
    """Files that were written or grew, and what is left that no file says."""

    root: Path
    files: list[Path] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def write(self, path: str, text: str) -> None:
        target = self.root / path
        if target.exists():
            raise UsageError(f"{path} is there already.", where=path, next_step="give another name, or edit that file.")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        self.files.append(target)

    def append(self, path: str, text: str) -> None:
        target = self.root / path
        before = target.read_text(encoding="utf-8")
        target.write_text(before.rstrip("\n") + "\n" + text, encoding="utf-8")
        self.files.append(target)

    def to_fill_in(self) -> list[str]:
        """`file:line: what`, of every line that says FILL IN."""
        return [
            f"{path.relative_to(self.root)}:{number}: {line.strip()}"
            for path in dict.fromkeys(self.files)
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
            if MARK in line
        ]


def new_rule(rule_id: str, holds: str, table: str, root: Path = ROOT) -> Made:
    """A rule over the staged rows of a contract table, and its cases. Raises UsageError for an id or a table that will not do."""
    area = AREAS.get(rule_id.partition("-")[0])
    if not area or not re.fullmatch(r"[A-Z]+-\d{2,}", rule_id):
        raise UsageError(
            f"{rule_id} is no id of a rule.", where="ID", next_step=f"give one like CON-18, of {', '.join(AREAS)}."
        )
    _check_name(holds, "HOLDS")
    used = {path.name.partition("_")[0] for path in (root / "expectations").glob("*/*.sql")}
    if rule_id in used:
        numbers = [int(each.rpartition("-")[2]) for each in used if each.startswith(rule_id.partition("-")[0] + "-")]
        free = f"{rule_id.partition('-')[0]}-{max(numbers) + 1:02}"
        raise UsageError(
            f"The rule {rule_id} is there already.", where="ID", next_step=f"take the next number, {free}."
        )
    contract = _table(table)
    relation = staging_relation(contract)
    model = (
        root / "dbt_project/models/staging" / contract.source / f"{relation.removeprefix('staging.')}.sql"
    ).read_text()
    has_account = bool(re.search(r"\baccount_no\b", model))
    row = "{{ row_of('records') }}" if has_account else "records._raw_id as raw_id"
    where = "{{ finding('COLUMN') }}" if has_account else "{{ finding('COLUMN', account=false) }}"
    path = f"expectations/{area}/{rule_id}_{holds}"
    made = Made(root)
    made.write(
        f"{path}.sql",
        f"""/*
sentence: {MARK} what holds, in the present tense, of each {contract.name_en.lower().removesuffix("s")}.
axis: mismatch
dimension: validity
severity: warn
owner: {MARK} the office that answers
reason: {MARK} what goes wrong where it does not hold.
source: project rule
subject: {table}
not_tested: Nothing of {table} was delivered.
population: {MARK} the records that it tests, good ones too
reads: [{relation.removeprefix("staging.")}]
*/
-- tested
select
    {row},
    records._load_id as observed_value -- {MARK} the columns that it looks at
from {relation} as records
-- violations
select
    {where.replace("COLUMN", contract.key[0])},
    observed_value::text as observed,
    '{MARK} what is right' as expected
from tested
where observed_value is null -- {MARK} what is wrong
""",
    )
    made.write(
        f"{path}.cases.yaml",
        f"""# {MARK} what is given and what the rule must say of it, from the requirement and never from what it prints.
# tests/rules/cases.py tells what a case may hold.
- case: a planted fault
  given:
  - change: {table}
    set:
      {contract.key[0]}: {MARK}
""",
    )
    made.left = [
        f"./kaw test tests/rules/test_rules.py tests/rules/test_declarations.py -n 0 -q -k {rule_id}",
        "./kaw preview: the findings that the next night would open",
        "./kaw docs --code: docs/reference/rules.md gets the rule",
    ]
    return made


def new_mart(question: str, theme: str, fact: str, day: str, needs: str, root: Path = ROOT) -> Made:
    """A mart that counts the records of a fact by month, its description, its measure and a unit test that holds."""
    name = question if question.startswith("mart_") else f"mart_{question}"
    _check_name(name, "QUESTION")
    if theme not in THEMES:
        raise UsageError(f"{theme} is no theme.", where="--theme", next_step=f"give one of {', '.join(THEMES)}.")
    models = declared_models()
    if name in models:
        raise UsageError(f"{name} is there already.", where="QUESTION", next_step="give another name.")
    if fact not in models or models[fact].layer != "warehouse":
        near = [n for n, m in models.items() if m.layer == "warehouse" and n.startswith("fct_")]
        raise UsageError(f"{fact} is no fact of the warehouse.", where="--from", next_step=f"give one, like {near[0]}.")
    if models[fact].columns and day not in models[fact].columns:
        days = [c for c in models[fact].columns if c.endswith(("_date", "_at", "_month"))]
        raise UsageError(
            f"{fact} has no column {day}.", where="--day", next_step=f"give the day of a record: {', '.join(days)}."
        )
    if needs not in measure_families():
        raise UsageError(
            f"{needs} is no family of measures.",
            where="--needs",
            next_step=f"give one of {', '.join(measure_families())}.",
        )
    number = f"{name.removeprefix('mart_')}_count"
    if number in declared_metrics():
        raise UsageError(f"The measure {number} is there already.", where="QUESTION", next_step="give another name.")
    made, folder = Made(root), f"dbt_project/models/marts/{theme}"
    made.write(
        f"{folder}/{name}.sql",
        f"""with months as (
    select * from {{{{ ref('dim_months') }}}}
),

facts as (
    select * from {{{{ ref('{fact}') }}}}
),

-- {MARK} the formula, one step a CTE
measured as (
    select
        months.month_start_date,
        count(facts.{day})::integer as {number}
    from months
    left join facts on months.month_start_date <= facts.{day} and facts.{day} < months.next_month_start_date
    group by months.month_start_date
),

final as ({{{{ partial_rows('measured') }}}})

select * from final
""",
    )
    made.append(f"{folder}/_{theme}__models.yml", _mart_entry(name, fact, number, needs))
    made.append(
        f"dbt_project/metrics/{theme}.yml",
        f"""  - name: {number}
    label_en: {MARK} the label
    label_zh: {MARK} 中文名称
    unit: count
    grain: month
    period: month
    filters: none
    source_model: {name}
    column: {number}
    agg: sum
    additive_over: []
    partial: admitted_sum
""",
    )
    made.append(
        f"{folder}/_{theme}__unit_tests.yml",
        f"""  - name: records_of_{name.removeprefix("mart_")}_are_counted_in_their_month # {MARK} a sentence of its formula, with rows worked by hand
    model: {name}
    given:
      - input: ref('dim_months')
        rows: [{{month_start_date: 2026-10-01, next_month_start_date: 2026-11-01}}]
      - input: ref('{fact}')
        rows: [{{{day}: 2026-10-31}}, {{{day}: 2026-11-01}}]
    expect:
      rows: [{{month_start_date: 2026-10-01, {number}: 1}}]
""",
    )
    made.left = [
        f"tests/scenarios/{name}/<name>/given/*.csv, expected/*.csv: a scenario that a domain expert can read",
        "dbt_project/models/_exposures.yml: the dashboard or report that reads it",
        "docs/reference/requirements.md, docs/reference/ranges.md: the question that it answers, and what an expert should see",
        "./kaw preview: its rows, before any night; ./kaw docs --code: docs/reference/rules.md and docs/reference/metrics.md get it",
        "./kaw test tests/integration/test_dbt_project.py -n 0 -q",
    ]
    return made


def _mart_entry(name: str, fact: str, number: str, needs: str) -> str:
    return f"""  - name: {name}
    description: "{MARK} what it tells, and the statement that it answers. One row per month."
    config:
      meta:
        published: true
        scope: none
        filled_from: [{fact}]
        grain: [month_start_date]
        published_month: month_start_date
        technical: []
        scales:
          withheld_kwh: 4
          withheld_cny: 2
        reach: month
        partial:
          measures:
            - columns: [{number}]
              needs: [{needs}]
              months: [0, 0]
              shows: admitted_sum
          complete: []
    columns:
      - name: month_start_date
        data_type: date
        description: "First day of the month."
      - name: {number}
        config: {{meta: {{metric: {number}}}}}
        data_type: integer
        description: "{MARK} what it counts."
      - name: is_partial
        data_type: boolean
        description: "True where a measure of the row lacks something that is withheld or absent."
      - name: partial_measures
        data_type: text[]
        description: "Those measures, by name: each is empty, the sum of what was admitted, or provisional."
      - name: withheld_rows
        config: {{meta: {{metric: withheld_rows}}}}
        data_type: integer
        description: "Source rows that these measures lack, quarantined or blocked by a parent; a withheld value's row is admitted."
      - name: withheld_kwh
        config: {{meta: {{metric: withheld_kwh}}}}
        data_type: numeric(20,4)
        description: "Energy that rests on these rows, kWh."
      - name: withheld_cny
        config: {{meta: {{metric: withheld_cny}}}}
        data_type: numeric(20,2)
        description: "Amount that rests on these rows, yuan."
    data_tests:
      - unique_grain:
          arguments: {{columns: [month_start_date]}}
"""


def new_source_table(source: str, table: str, english: str, chinese: str, entity: str, root: Path = ROOT) -> Made:
    """A table of a contract with its key and time of change, and the model that stages it. It is not due daily until it is listed so."""
    _check_name(table, "TABLE")
    _check_name(entity, "--entity")
    if source not in load_contracts():
        raise UsageError(f"{source} is no source.", where="SOURCE", next_step=f"give {', '.join(load_contracts())}.")
    if table in all_tables():
        raise UsageError(f"{table} is there already.", where="TABLE", next_step="edit its entry in the contract.")
    key = f"{table.partition('_')[2] or table}_no"
    says = f"{MARK} what a row is."
    model, made = f"stg_{source}__{entity}", Made(root)
    made.append(
        f"include/contracts/{source}.odcs.yaml",
        f"""  - id: {table}
    name: {table}
    logicalType: object
    physicalType: table
    businessName: {english}
    description: {says}
    dataGranularityDescription: {MARK} one row per what.
    customProperties:
      - property: updatePattern
        value: in_place
      - property: cursorColumn
        value: src_updated_at
      - property: keyColumns
        value: [{key}]
      - {{property: businessNameZh, value: {chinese}}}
      - {{property: shrinks, value: false}}
    properties:
      - name: {key}
        businessName: {english} number
        logicalType: string
        physicalType: text
        required: true
        primaryKey: true
        primaryKeyPosition: 1
        customProperties:
          - {{property: businessNameZh, value: {chinese}编号}}
          - {{property: meaning, value: document_no}}
        description: {MARK} the number, and the other columns after it.
      - name: src_updated_at
        businessName: Time of last change
        logicalType: timestamp
        physicalType: timestamptz
        required: true
        customProperties:
          - {{property: businessNameZh, value: 更新时间}}
          - {{property: meaning, value: change_time}}
          - {{property: plausible, value: ["1990-01-01", "business_date + 2 days"]}}
        description: Time of the last change of the row in the source system (更新时间).
""",
    )
    folder = f"dbt_project/models/staging/{source}"
    told = f"{english} ({chinese}). {says}"
    made.append(f"{folder}/_{source}__sources.yml", f'      - name: {table}\n        description: "{told}"\n')
    made.append(
        f"{folder}/_{source}__models.yml",
        f"""  - name: {model}
    config: {{meta: {{stages: {table}}}}}
    description: "{told} Staged from {table}: renamed and cast."
""",
    )
    made.write(
        f"{folder}/{model}.sql",
        f"""with source as (
    {{{{ newest_landed('{source}', '{table}') }}}}
),

renamed as (
    select
        -- ids
        trim({key}) as {key},

        -- {MARK} numerics, codes and dates: renamed and cast, nothing else

        -- timestamps
        src_updated_at as source_updated_at,

        -- where the row comes from
        _raw_id,
        _load_id
    from source
)

select * from renamed
""",
    )
    made.left = [
        f"include/contracts/{source}.odcs.yaml, slaProperties: list {table} where it is due each night",
        "include/lab/simulator: rows of it for the simulated utility, once it is due each night",
        "tests/integration/test_contracts.py: the number of tables, typed by hand",
        "./kaw docs --code: docs/reference/rules.md gets its made rules",
        "./kaw test tests/integration/test_contracts.py tests/rules/test_base_rules.py -n 0 -q",
    ]
    return made


def lines(made: Made) -> list[str]:
    """What the command prints: files, what they leave open, and what no file says."""
    return [
        *(f"{path.relative_to(made.root)}" for path in dict.fromkeys(made.files)),
        "To fill in:",
        *(f"  {line}" for line in made.to_fill_in()),
        "And then:",
        *(f"  {line}" for line in made.left),
        "Next: ./kaw lint, now and after each edit",
    ]


def _check_name(name: str, where: str) -> None:
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is no name.", where=where, next_step="use small letters, digits and _, like open_tickets."
        )


def _table(name: str):
    if name not in all_tables():
        known = ", ".join(sorted(t for t in all_tables() if t[:3] == name[:3])[:5]) or "see include/contracts"
        raise UsageError(f"No contract has a table {name}.", where="--subject", next_step=f"give one of: {known}.")
    return all_tables()[name]
