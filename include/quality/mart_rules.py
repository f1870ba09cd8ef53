"""Rules that every published model implies: one row for its grain with a filled key, and no model that lost all its rows.

They are made from the models' own description (`config.meta` and the references in their SQL), read from dbt's files, so a
new mart has them without a word more. Their ids are MART-GRAIN-<model> and MART-FILLED-<model>.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from include.quality.rules import Rule

MODELS = Path(__file__).parents[2] / "dbt_project" / "models"
_FACTS = re.compile(r"ref\('((?:fct|bridge)_\w+)'\)")


@dataclass(frozen=True)
class PublishedModel:
    """A mart, or a dimension or fact that is published beside the marts (`meta.published`)."""

    name: str
    schema: str
    path: str
    grain: tuple[str, ...]
    facts: tuple[str, ...]  # facts and bridges that it reads
    columns: dict[str, str]
    may_be_empty: bool  # what it lists is kept back or broken: none of it is good news

    @property
    def relation(self) -> str:
        return f"{self.schema}.{self.name}"


@cache
def published_models() -> dict[str, PublishedModel]:
    """All marts, and the warehouse models with `meta.published`, by name."""
    files = {path.stem: path for path in MODELS.rglob("*.sql")}
    found = {}
    for path in sorted(MODELS.glob("*/*/_*__models.yml")):
        layer = path.relative_to(MODELS).parts[0]
        for model in (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("models") or []:
            meta = (model.get("config") or {}).get("meta") or {}
            if layer != "marts" and not meta.get("published"):
                continue
            text = files[model["name"]].read_text(encoding="utf-8")
            found[model["name"]] = PublishedModel(
                name=model["name"],
                schema="candidate" if layer == "marts" else "warehouse",
                path=f"dbt_project/models/{path.relative_to(MODELS)}",
                grain=tuple(meta["grain"]),
                facts=tuple(sorted(set(_FACTS.findall(text)))),
                columns={column["name"]: column.get("data_type", "text") for column in model["columns"]},
                may_be_empty=bool(meta.get("may_be_empty")),
            )
    return found


def load_mart_rules() -> list[Rule]:
    """A rule on the grain of every published model, and one on its rows where it should have some."""
    models = [model for _, model in sorted(published_models().items())]
    return [*map(_grain_rule, models), *(_filled_rule(model) for model in models if not model.may_be_empty)]


def _rule(model: PublishedModel, kind: str, **given) -> Rule:
    defaults = {
        "id": f"MART-{kind}-{model.name}",
        "path": model.path,
        "area": "marts",
        "severity": "block",
        "owner": "data warehouse",
        "gate": 2,
    }
    return Rule(**(defaults | given))


def _grain_rule(model: PublishedModel) -> Rule:
    key = ", ".join(f"rows.{column}" for column in model.grain)
    pairs = ", ".join(f"'{column}', rows.{column}" for column in model.grain)
    return _rule(
        model,
        "GRAIN",
        sentence=f"{model.name} has one row for each {', '.join(model.grain)}.",
        axis="mismatch",
        dimension="uniqueness",
        reason="A row twice is counted twice by every reader.",
        source="catalogue, mart-level rules: row grain unique",
        subject="row of a mart",
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


def _filled_rule(model: PublishedModel) -> Rule:
    """Blocks where readers see rows now and would see none; warns where the facts have rows and the mart never had any."""
    facts = " and ".join(f"exists (select 1 from warehouse.{fact})" for fact in model.facts) or "false"
    return _rule(
        model,
        "FILLED",
        sentence=f"{model.name} holds rows where what it reads holds rows, and does not lose them all.",
        axis="missing",
        dimension="completeness",
        reason="An empty mart looks like a utility without the matter that it is about.",
        source="catalogue, mart-level rules: no mart is empty",
        subject="published table",
        tested_sql=f"""select
    jsonb_build_object('mart', '{model.name}') as record_key,
    (select count(*) from {model.relation}) as rows,
    ({facts}) as has_input,
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
