"""The shape of the dbt project, read from its manifest: layers, grains, descriptions and the meta that publishing needs."""
from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from include.publish.marts import read_marts
from include.server import Server
from include.transform import PROJECT, manifest_path, run_dbt

# What a model of each kind may read. Raw logs are read by staging, and by the one model that derives validity from them.
MAY_READ = {
    "stg": {"raw", "quality"},
    "int": {"stg", "int", "seed", "quality"},
    "dim": {"stg", "int", "dim", "fct", "bridge", "seed", "quality"},
    "fct": {"stg", "int", "dim", "fct", "bridge", "seed", "quality"},
    "bridge": {"stg", "int", "dim", "fct", "bridge", "seed", "quality"},
    "mart": {"dim", "fct", "bridge", "seed", "quality"},
}
READS_RAW = {"int_account_versions", "int_manager_versions"}
PARAMETER_COLUMNS = {"valid_from", "valid_to", "source_doc", "clause", "confidence"}
OTHERS_SEEDS = "quality_"


@pytest.fixture(scope="module")
def manifest(server: Server, template: str) -> dict:
    run_dbt(["parse"], server.url(template))
    return json.loads(manifest_path().read_text())


@pytest.fixture(scope="module")
def models(manifest) -> dict[str, dict]:
    found = {n["name"]: n for n in manifest["nodes"].values() if n["resource_type"] == "model"}
    assert set(found) == {path.stem for path in (PROJECT / "models").rglob("*.sql")}
    return found


def kind_of(unique_id: str) -> str:
    resource, *_, name = unique_id.split(".")
    if resource == "seed":
        return "seed"
    if resource == "source":
        return "raw" if ".raw_" in unique_id else "quality"
    return name.split("_")[0]


def test_a_model_reads_only_its_own_layer_or_the_one_before(models):
    breaches = [
        f"{name} reads {read}"
        for name, node in models.items()
        for read in node["depends_on"]["nodes"]
        if kind_of(read) not in MAY_READ[name.split("_")[0]] and not (name in READS_RAW and kind_of(read) == "raw")
    ]
    assert breaches == []


def test_a_layer_has_one_schema(models):
    schemas = {"stg": "staging", "int": "staging", "dim": "warehouse", "bridge": "warehouse", "fct": "warehouse", "mart": "candidate"}
    assert {n: node["schema"] for n, node in models.items()} == {n: schemas[n.split("_")[0]] for n in models}


def test_every_model_states_its_grain_and_is_tested_for_it(manifest, models):
    tested = {
        node["attached_node"].split(".")[-1]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test" and (node.get("test_metadata") or {}).get("name") == "unique_grain"
    }
    own = {name for name in models if not name.startswith("stg_")}
    assert own - tested == set()
    assert [name for name in own if not re.search(r"One row per [^.]+\.", models[name]["description"])] == []


def test_every_mart_has_a_contract_described_columns_and_a_unit_test(manifest, models):
    marts = {name: node for name, node in models.items() if name.startswith("mart_")}
    assert len(marts) == 6
    for name, node in marts.items():
        assert node["config"]["contract"]["enforced"], name
        assert node["config"]["persist_docs"] == {"relation": True, "columns": True}, name
        assert [c for c, column in node["columns"].items() if not column["description"] or not column["data_type"]] == [], name
    assert {u["model"] for u in manifest["unit_tests"].values()} >= set(marts)
    assert {mart.name for mart in read_marts(manifest_path())} == set(marts)
    assert {node["config"]["meta"]["reach"] for node in marts.values()} <= {"account-month", "month", "all"}


def test_every_number_of_a_seed_names_its_source(manifest):
    seeds = {n["name"]: n for n in manifest["nodes"].values() if n["resource_type"] == "seed"}
    own = {name for name in seeds if not name.startswith(OTHERS_SEEDS)}
    for name in own - {"working_days"}:
        header = (PROJECT / seeds[name]["original_file_path"]).read_text().splitlines()[0].split(",")
        assert set(header) >= PARAMETER_COLUMNS, name
        assert set(seeds[name]["config"]["column_types"]) == set(header), name


def test_models_are_short_lowercase_and_never_ask_the_clock():
    paths = [p for p in (PROJECT / "models").rglob("*.sql") if "staging" not in p.parts]
    assert paths
    for path in paths:
        text = path.read_text()
        assert text.count("\n") < 200, path.name
        assert text.rstrip().endswith("select * from final"), path.name
        assert not re.search(r"\b(now\(\)|current_date|current_timestamp|clock_timestamp)", text), path.name
        assert not re.search(r"\b(SELECT|FROM|WHERE|JOIN|GROUP BY)\b", text), path.name


def test_the_working_days_reach_the_end_of_the_package_that_made_them():
    rows = (PROJECT / "seeds" / "common" / "working_days.csv").read_text().splitlines()[1:]
    assert (rows[0][:10], rows[-1][:10], len(rows)) == ("2004-01-01", "2026-12-31", 8401)
    days = {row[:10]: row.split(",")[1:] for row in rows}
    assert days["2025-09-28"] == ["true", "", "true"]
    assert days["2025-10-01"][0] == "false"
