"""Rules that every published model implies: one row for its grain with a filled key, and no model that lost all its rows.

They are made from the models' own description (`include.transform.models`), so a new mart has them without a word more. Their ids are
MART-GRAIN-<model> and MART-FILLED-<model>.
"""

from __future__ import annotations

from include.quality.rules import Rule
from include.transform.models import Model, published_models


def load_mart_rules() -> list[Rule]:
    """A rule on the grain of every published model, and one on its rows where it should have some."""
    models = published_models().values()
    return [*map(_grain_rule, models), *(_filled_rule(model) for model in models if not model.meta.get("may_be_empty"))]


def _rule(model: Model, kind: str, **given) -> Rule:
    defaults = {
        "id": f"MART-{kind}-{model.name}",
        "path": model.path,
        "area": "marts",
        "severity": "block",
        "owner": "data warehouse",
        "gate": 2,
    }
    return Rule(**(defaults | given))


def _grain_rule(model: Model) -> Rule:
    key = ", ".join(f"rows.{column}" for column in model.meta["grain"])
    pairs = ", ".join(f"'{column}', rows.{column}" for column in model.meta["grain"])
    return _rule(
        model,
        "GRAIN",
        sentence=f"{model.name} has one row for each {', '.join(model.meta['grain'])}.",
        axis="mismatch",
        dimension="uniqueness",
        reason="A row twice is counted twice by every reader.",
        source=f"project rule; the grain that {model.path} declares",
        subject="row of a mart",
        population=f"keys of {model.name}",
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
        sentence=f"{model.name} holds rows where what it reads holds rows, and does not lose them all.",
        axis="missing",
        dimension="completeness",
        reason="An empty mart looks like a utility without the matter that it is about.",
        source=f"project rule; filled_from in {model.path}",
        subject="published table",
        population=f"the table {model.name}",
        reads=(model.relation, *facts, "publish.pointer", "publish.versions"),
        tested_sql=f"""select
    jsonb_build_object('mart', '{model.name}') as record_key,
    (select count(*) from {model.relation}) as rows,
    ({has_input}) as has_input,
    exists (
        select 1
        from publish.versions as versions
        inner join publish.pointer as pointer using (published_month, version)
        where versions.mart = '{model.name}' and versions.rows > 0
    ) as is_published""",
        violations_sql="""select
    record_key,
    'no row' as observed,
    case when is_published then 'rows, as published before' else 'rows, as in what it reads' end as expected,
    case when is_published then 'block' else 'warn' end as severity
from tested
where rows = 0 and (is_published or has_input)""",
    )
