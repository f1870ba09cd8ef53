"""What the YAML files of dbt's models declare of them, read without dbt: rules and publishing know models by it alone.

`meta.stages` of a staging model is the contract table that it stages. `meta.published` is the one statement that a model is
published; `meta.grain` is its key, and it has rows where all models in `meta.filled_from` have rows: those of the warehouse
that it reads, without dimensions. Tests hold these declarations to what dbt says of the models' SQL in its manifest.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import yaml

from include.contracts import Table

MODELS = Path(__file__).parents[2] / "dbt_project" / "models"
_SCHEMAS = {"staging": "staging", "intermediate": "staging", "warehouse": "warehouse", "marts": "candidate"}


@dataclass(frozen=True)
class Model:
    """A model as declared. `columns` are names with their types, `column_meta` what some say of themselves; `path` is that of
    its YAML file in the repository."""

    name: str
    layer: str
    path: str
    meta: dict
    columns: dict[str, str]
    column_meta: dict[str, dict] = field(default_factory=dict)

    @property
    def relation(self) -> str:
        return f"{_SCHEMAS[self.layer]}.{self.name}"

    @property
    def published_name(self) -> str:
        """What readers find it as in the schema marts: a dimension of the star has the plain name, whatever its model's is."""
        return self.meta.get("published_as") or self.name


@cache
def declared_models() -> dict[str, Model]:
    """Every model with an entry, by name."""
    found = {}
    for path in sorted(MODELS.rglob("_*__models.yml")):
        for model in (yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader) or {}).get("models") or []:
            found[model["name"]] = Model(
                name=model["name"],
                layer=path.relative_to(MODELS).parts[0],
                path=f"dbt_project/models/{path.relative_to(MODELS)}",
                meta=(model.get("config") or {}).get("meta") or {},
                columns={c["name"]: c.get("data_type", "text") for c in model.get("columns") or []},
                column_meta={
                    c["name"]: meta for c in model.get("columns") or [] if (meta := (c.get("config") or {}).get("meta"))
                },
            )
    return found


@cache
def published_models() -> dict[str, Model]:
    """The models that are published (`meta.published`), by name and in its order."""
    return {name: model for name, model in sorted(declared_models().items()) if model.meta.get("published")}


@cache
def measure_families() -> dict[str, list[str]]:
    """Family of measures -> what it is made of: tables, whose rows it needs, and `table.column`, whose values it needs."""
    return yaml.safe_load((MODELS.parent / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]["measure_families"]


@cache
def essential_tables() -> dict[str, str]:
    """Family of measures -> the table without which they say nothing."""
    return yaml.safe_load((MODELS.parent / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]["essential_tables"]


@cache
def required_tables() -> dict[str, list[str]]:
    """Mart -> the tables without any of which it has no rows."""
    return yaml.safe_load((MODELS.parent / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]["required_tables"]


@cache
def staging_relations() -> dict[str, str]:
    """Contract table -> the staging relation of the model that stages it, in the order of the relations."""
    staged = {model.relation: model.meta["stages"] for model in declared_models().values() if "stages" in model.meta}
    return {table_name: relation for relation, table_name in sorted(staged.items())}


def staging_relation(table: Table | str) -> str:
    """The staging relation of a contract table, like `staging.stg_marketing__bills`. Raises LookupError."""
    name = table if isinstance(table, str) else table.name
    try:
        return staging_relations()[name]
    except KeyError:
        raise LookupError(f"No model declares that it stages the table {name} (meta.stages).") from None
