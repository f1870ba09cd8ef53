"""Rules that every published model implies: one row for its grain with a filled key, and no model that lost all its rows.

They are made from the models' own description (`include.transform.models`), so a new mart has them without a word more. Their ids are
MART-GRAIN-<model>, MART-FILLED-<model> and MART-PARTIAL-<model>. A metric that two marts show for the same things and month has
one more, MART-METRIC-<metric>.
"""

from __future__ import annotations

from include.quality.rules import Rule
from include.transform.metrics import Shown, compared_metrics, declared_metrics
from include.transform.models import Model, measure_families, published_models


def load_mart_rules() -> list[Rule]:
    """A rule on the grain of every published model, one on its rows where it should have some, one on what is partial of it."""
    models = published_models().values()
    return [
        *map(_grain_rule, models),
        *(_filled_rule(model) for model in models if not model.meta.get("may_be_empty")),
        *(_partial_rule(model) for model in models if model.meta.get("partial", {}).get("account")),
        *(_metric_rule(name, pairs) for name, pairs in compared_metrics().items()),
    ]


def _rule(model: Model, kind: str, **given) -> Rule:
    return _made_rule(f"MART-{kind}-{model.name}", model.path, **given)


def _made_rule(rule_id: str, path: str, **given) -> Rule:
    defaults = {"id": rule_id, "path": path, "area": "marts", "severity": "block", "owner": "data warehouse", "gate": 2}
    return Rule(**(defaults | given))


def _grain_rule(model: Model) -> Rule:
    key = ", ".join(f"rows.{column}" for column in model.meta["grain"])
    pairs = ", ".join(f"'{column}', rows.{column}" for column in model.meta["grain"])
    return _rule(
        model,
        "GRAIN",
        sentence=f"{model.published_name} has one row for each {', '.join(model.meta['grain'])}.",
        axis="mismatch",
        dimension="uniqueness",
        reason="A row twice is counted twice by every reader.",
        source=f"project rule; the grain that {model.path} declares",
        subject="row of a mart",
        population=f"keys of {model.published_name}",
        reads=(model.relation,),
        tested_sql=f"""select
    jsonb_build_object('mart', '{model.name}', {pairs}) as record_key,
    num_nulls({key}) as empty_keys,
    count(*) as copies
from {model.relation} as rows
group by {key}""",
        violations_sql="""select
    record_key,
    copies || ' rows' || case when empty_keys > 0 then ', key not filled' else '' end as observed,
    'one row with a filled key' as expected
from tested
where copies > 1 or empty_keys > 0""",
    )


def _filled_rule(model: Model) -> Rule:
    """Blocks where readers see rows now and would see none; warns where the facts have rows and the mart never had any."""
    facts = [f"warehouse.{fact}" for fact in model.meta.get("filled_from", ())]
    has_input = " and ".join(f"exists (select 1 from {fact})" for fact in facts) or "false"
    return _rule(
        model,
        "FILLED",
        sentence=f"{model.published_name} holds rows where what it reads holds rows, and does not lose them all.",
        axis="missing",
        dimension="completeness",
        reason="An empty mart looks like a utility without the matter that it is about.",
        source=f"project rule; filled_from in {model.path}",
        subject="published table",
        population=f"the table {model.published_name}",
        reads=(model.relation, *facts, "publish.pointer", "publish.versions"),
        tested_sql=f"""select
    jsonb_build_object('mart', '{model.name}') as record_key,
    (select count(*) from {model.relation}) as rows,
    ({has_input}) as has_input,
    exists (
        select 1
        from publish.versions as versions
        inner join publish.pointer as pointer using (published_month, version)
        where versions.mart = '{model.published_name}' and versions.rows > 0
    ) as is_published""",
        violations_sql="""select
    record_key,
    'no row' as observed,
    case when is_published then 'rows, as published before' else 'rows, as in what it reads' end as expected,
    case when is_published then 'block' else 'warn' end as severity
from tested
where rows = 0 and (is_published or has_input)""",
    )


def _partial_rule(model: Model) -> Rule:
    """A measure that needs what is withheld of the row's account is named as partial."""
    partial = model.meta["partial"]
    key = ", ".join(f"'{column}', rows.{column}" for column in model.meta["grain"])
    other = " and ".join(
        f"coalesce(lacking.identifiers ->> '{name}' = rows.{column}, true)"
        for column, names in partial.get("same", {}).items()
        for name in ([names] if isinstance(names, str) else names)
    )
    named = "" if partial.get("day") else other.replace(", true)", ", false)").replace(" and ", " or ")
    month = f"date_trunc('month', rows.{partial.get('day') or model.meta['published_month']}::timestamp)"
    needs = ",\n        ".join(_needs(partial))
    day = ""
    if partial.get("day"):
        day = f"\n        and (not needs.is_by_day or lacking.fact_date is null or lacking.fact_date = rows.{partial['day']})"
    return _rule(
        model,
        "PARTIAL",
        sentence=f"No measure of {model.name} reads as complete where it needs what is withheld of its account.",
        axis="missing",
        dimension="completeness",
        reason="A sum that lacks a bill and does not say so is believed.",
        source=f"project rule; meta.partial in {model.path}",
        subject="row of a mart",
        population=f"rows of {model.name} whose account has something withheld",
        not_tested="Nothing that its measures need is withheld.",
        reads=(model.relation, "quality.lacking"),
        tested_sql=f"""select
    jsonb_build_object('mart', '{model.name}', {key}) as record_key,
    rows.{partial["account"]} as account_no,
    rows.partial_measures,
    array_agg(distinct needs.measure) as lacking_measures
from quality.lacking as lacking
inner join (
    values
        {needs}
) as needs (measure, table_name, column_name, from_month, to_month, is_by_day)
    on lacking.table_name = needs.table_name and lacking.column_name in ('', needs.column_name)
inner join {model.relation} as rows
    on
        lacking.account_no = rows.{partial["account"]}{f" and {other}" if other else ""}
        and (
            lacking.fact_date is null{f" or {named}" if named else ""}
            or lacking.fact_date >= {month} + make_interval(months => coalesce(needs.from_month, -1200))
            and lacking.fact_date < {month} + make_interval(months => coalesce(needs.to_month, 1200) + 1)
        ){day}
group by {", ".join(f"rows.{column}" for column in [*model.meta["grain"], "partial_measures"])}, rows.{partial["account"]}""",
        violations_sql="""select
    record_key,
    account_no,
    'complete: ' || array_to_string(array(
        select unnest(lacking_measures) except select unnest(partial_measures) order by 1
    ), ', ') as observed,
    'named in partial_measures' as expected
from tested
where not lacking_measures <@ coalesce(partial_measures, '{}')""",
    )


def _needs(partial: dict) -> list[str]:
    """Lines of VALUES: a measure, a table that it needs, a column of it ('' for its rows alone), the months looked at, or its day."""
    lines = []
    for group in partial["measures"]:
        if group.get("over") == "all":
            continue
        by_day = str(bool(partial.get("day")) and "months" not in group).lower()
        months = ["null::integer" if month is None else str(month) for month in group.get("months") or (0, 0)]
        for part in dict.fromkeys(part for family in group["needs"] for part in measure_families()[family]):
            table, _, column = part.partition(".")
            lines += [f"('{name}', '{table}', '{column}', {', '.join(months)}, {by_day})" for name in group["columns"]]
    return lines


def _metric_rule(name: str, pairs: list[tuple[Shown, Shown]]) -> Rule:
    """Complete rows alone: of a partial one each mart says by itself what it lacks."""
    metric = declared_metrics()[name]
    marts = list(dict.fromkeys(shown.model.published_name for pair in pairs for shown in pair))
    return _made_rule(
        f"MART-METRIC-{name}",
        f"dbt_project/metrics/{metric.theme}.yml",
        sentence=f"{' and '.join(marts)} show the same {name}.",
        axis="mismatch",
        dimension="consistency",
        reason="Two numbers under one name, and nobody believes either.",
        source=f"project rule; the metric {name} in dbt_project/metrics/{metric.theme}.yml",
        subject="row of a mart",
        population=f"rows of {marts[0]} that the others have too, in the same month",
        not_tested="No thing has a row in both in one month.",
        reads=tuple(dict.fromkeys(shown.model.relation for pair in pairs for shown in pair)),
        tested_sql="\nunion all\n".join(_compared(*pair) for pair in pairs),
        violations_sql="""select
    record_key,
    coalesce(other_value::text, 'no value') || ' in ' || other_mart as observed,
    coalesce(one_value::text, 'no value') || ' in ' || one_mart as expected
from tested
where one_value is distinct from other_value""",
    )


def _compared(one: Shown, other: Shown) -> str:
    scale = min(
        s.model.meta.get("scales", {}).get(s.column, 0 if s.model.columns[s.column] == "integer" else 6)
        for s in (one, other)
    )
    key = ", ".join(f"'{column}', one.{column}" for column in one.key)
    same = " and ".join(f"one.{column} = other.{column}" for column in one.key)
    months = [f"date_trunc('month', {alias}.{s.month}::timestamp)" for alias, s in (("one", one), ("other", other))]
    complete = [
        f"not coalesce({alias}.partial_measures, '{{}}') @> array['{s.column}']"
        for alias, s in (("one", one), ("other", other))
    ]
    return f"""select
    jsonb_build_object('mart', '{other.model.name}', {key}, 'month', to_char({months[0]}, 'YYYY-MM')) as record_key,
    '{one.model.published_name}' as one_mart,
    '{other.model.published_name}' as other_mart,
    round(one.{one.column}::numeric, {scale}) as one_value,
    round(other.{other.column}::numeric, {scale}) as other_value
from {one.model.relation} as one
inner join {other.model.relation} as other on {same} and {months[0]} = {months[1]}
where {complete[0]} and {complete[1]}"""
