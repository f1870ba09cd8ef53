"""What dbt's models are made of, noted in the warehouse before dbt builds: there `transform.due` decides what of them is built.

A model's code is its text, its configuration and columns, every macro it uses, and what all models rest on: the project's
variables and the functions of the warehouse. Where any of it changes the model is built anew, and then whoever reads it is built.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

from include.profiles import left_out, parameter_variables
from include.records.migrations import SQL_FOLDER
from include.records.warehouse import Warehouse
from include.transform.models import MODELS, published_models

PACKAGE = "key_accounts"
PROJECT_FILE = MODELS.parent / "dbt_project.yml"
UNITS = ("metering_point_no", "account_no", "meter_asset_no")  # of which transform.changes tells
TOUCHED_BY = ("unit", "day", "reach_days", "reaches_month", "whole_by", "follows_days")  # keys of meta.touched_by
# tables that Python makes between two layers: the file that makes them, and what it reads
MADE_HERE = {"load_cluster_labels": ("clusters.py", ["int_load_profiles", "load_cluster_parameters"])}
NO_MORE = {"sources": [], "whole_by": [], "reach_days": 0, "reaches_month": False, "follows_days": False}
FUNCTIONS = ("40_functions.sql",)


def note_models(warehouse: Warehouse, manifest) -> None:
    """Notes the models and seeds of a manifest (dbt's object), and forgets changes of rows that nobody needs to hear of any more.

    Raises nothing of its own; a fence that was overtaken is refused by the server.
    """
    noted = models_of(manifest)
    with warehouse.connect() as connection:
        connection.execute("select quality.assert_fence()")
        connection.execute(
            """
            insert into transform.models
            select * from jsonb_populate_recordset(null::transform.models, %(noted)s::jsonb)
            on conflict (model) do update set
                kind = excluded.kind, code = excluded.code, parents = excluded.parents, sources = excluded.sources,
                stages = excluded.stages, unit_column = excluded.unit_column, day_column = excluded.day_column,
                reach_days = excluded.reach_days,
                reaches_month = excluded.reaches_month, whole_by = excluded.whole_by,
                follows_days = excluded.follows_days, changed_days = excluded.changed_days
            where (models.*) is distinct from (excluded.*)
            """,
            {"noted": json.dumps(noted)},
        )
        names = [model["model"] for model in noted]
        connection.execute("delete from transform.models where model <> all (%s)", (names,))
        connection.execute("delete from transform.builds where model <> all (%s)", (names,))
        # a model that was never built hears nothing: it will be built anew
        connection.execute(
            """
            delete from transform.changes
            using (
                select changed.model, min(builds.stamp) as stamp
                from (select distinct model from transform.changes) as changed
                left join transform.models on changed.model = any (models.parents)
                left join transform.builds on models.model = builds.model
                group by changed.model
            ) as heard
            where changes.model = heard.model and (heard.stamp is null or changes.stamp <= heard.stamp)
            """
        )


def seeds_due(warehouse: Warehouse) -> list[str]:
    """Seeds that are not in the warehouse as the project has them, by name; all of them in a new warehouse."""
    with warehouse.connect() as connection:
        return [
            name
            for (name,) in connection.execute(
                "select models.model from transform.models left join transform.builds using (model)"
                " where models.kind = 'seed' and builds.code is distinct from models.code order by 1"
            )
        ]


def models_of(manifest) -> list[dict]:
    """One row of transform.models for each model and seed of a manifest, and for what Python makes."""
    nodes = [node for node in manifest.nodes.values() if node.resource_type.value in ("model", "seed")]
    made_here = [
        {"model": name, "kind": "model", "code": _sha256(Path(__file__).with_name(file)), "parents": parents} | NO_MORE
        for name, (file, parents) in MADE_HERE.items()
    ]
    return [_row(manifest, node) for node in nodes] + made_here


def _row(manifest, node) -> dict:
    meta = node.config.meta or {}
    touched_by = meta.get("touched_by") or {}
    read = {
        f"{manifest.sources[name].schema}.{manifest.sources[name].identifier}"
        for name in node.depends_on_nodes
        if name in manifest.sources
    }
    made_here = [name for name in MADE_HERE if f"warehouse.{name}" in read]
    return {
        "model": node.name,
        "kind": node.resource_type.value,
        "code": _code(manifest, node),
        "parents": [
            *made_here,
            *(manifest.nodes[name].name for name in node.depends_on_nodes if name in manifest.nodes),
        ],
        "sources": sorted(read - {f"warehouse.{name}" for name in made_here}),
        "stages": meta.get("stages"),
        "unit_column": touched_by.get("unit"),
        "day_column": touched_by.get("day"),
        "reach_days": touched_by.get("reach_days", 0),
        "reaches_month": bool(touched_by.get("reaches_month")),
        "whole_by": touched_by.get("whole_by", []),
        "follows_days": bool(touched_by.get("follows_days")),
        "changed_days": meta.get("changed_days"),
    }


def _code(manifest, node) -> str:
    """Checksum of all that a node's rows depend on besides data."""
    stated = node.config.to_dict()
    config = json.dumps(stated, default=str, sort_keys=True)
    if node.resource_type.value == "seed":
        parts = [node.checksum.checksum, config]
        if "company_code" in stated.get("column_types", {}):  # which rows hold follows from the project's variables
            parts += [PROJECT_FILE.read_text(encoding="utf-8"), *parameter_variables().values()]
    else:
        columns = json.dumps({name: str(column.data_type) for name, column in node.columns.items()}, sort_keys=True)
        parts = [
            _common(),
            *left_out(),
            node.raw_code,
            config,
            columns,
            *_texts(manifest.macros, node.depends_on.macros),
        ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@cache
def _common() -> str:
    """What every model rests on: the project's variables, and the functions of the warehouse that models call."""
    functions = [(SQL_FOLDER / "repeatable" / name).read_text(encoding="utf-8") for name in FUNCTIONS]
    return "\0".join([PROJECT_FILE.read_text(encoding="utf-8"), *functions, *published_models()])


def _texts(macros: dict, names: list[str]) -> list[str]:
    """The project's macros of these names and all that they call, each with its text; dbt's own are those of a locked version."""
    found: set[str] = set()
    asked = list(names)
    while asked:
        name = asked.pop()
        if name not in found and name in macros and macros[name].package_name == PACKAGE:
            found.add(name)
            asked += macros[name].depends_on.macros
    return [macros[name].macro_sql for name in sorted(found)]
