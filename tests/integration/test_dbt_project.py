"""The shape of the dbt project, read from its manifest: layers, grains, descriptions and the meta that publishing needs."""

from __future__ import annotations

import contextlib
import json
import re
from datetime import date
from pathlib import Path

import pytest

from include.contracts import all_tables
from include.local.server import Server
from include.publish.marts import SCOPES, read_marts
from include.records.warehouse import Warehouse
from include.transform.dbt import PROJECT, manifest_path, run_dbt, write_docs
from include.transform.models import measure_families, published_models, staging_relations

WAREHOUSE = {"stg", "int", "step", "dim", "fct", "bridge", "seed", "quality"}
# What a model of each kind may read; a step is an int_ model of the warehouse, built after gate 1. Raw logs are read by
# staging, and by the models that derive validity from them.
MAY_READ = {
    "stg": {"raw", "quality"},
    "int": {"stg", "int", "seed", "quality"},
    "step": WAREHOUSE,
    "dim": WAREHOUSE,
    "fct": WAREHOUSE,
    "bridge": WAREHOUSE,
    "mart": {"dim", "fct", "bridge", "step", "seed", "quality"},
    "star": {"dim", "fct", "bridge", "step", "seed", "quality", "star", "mart"},  # sums of marts by owner, too
}
STEPS = {path.stem for path in (PROJECT / "models" / "warehouse").rglob("int_*.sql")}
READS_RAW = {
    "int_account_offices",
    "int_account_owners_delivered",
    "int_account_versions",
    "int_expected_point_days",
    "int_manager_versions",
    "int_penalty_waivers",
    "int_ratios_by_system",
    "int_trade_agreement_versions",
    "int_unit_rows_landed",
}
READS_MARTS = {"mart_catalog"}  # it counts what is published, so it is built last and reads it
MARTS = {path.stem for path in (PROJECT / "models" / "marts").rglob("mart_*.sql")}
DIMENSIONS = {  # what every mart joins, by the names that readers find
    "dim_accounts",
    "dim_codes",
    "dim_customers",
    "dim_dates",
    "dim_departments",
    "dim_industries",
    "dim_managers",
    "dim_metering_points",
    "dim_months",
    "dim_organisations",
    "dim_processes",
    "dim_tariffs",
}
PUBLISHED_BESIDE = {  # dimensions and facts that the requirements name: S05, S11, S12, S14, S20, S22, S24, S30, S32
    "dim_managers",
    "bridge_account_managers",
    "fct_rule_results",
    "fct_quarantined_rows",
    "dim_service_tiers",
    "fct_manager_touches",
    "dim_policy_documents",
    "dim_fee_items",
    "fct_notifications",
    "fct_customer_outages",
    "fct_power_quality_daily",
    "dim_source_units",
    "fct_arbitrary_fill_scores",
}
QUESTIONS = {f"S{number:02}" for number in range(1, 36)}
PARAMETER_COLUMNS = {"valid_from", "valid_to", "source_doc", "clause", "confidence"}
DOCS = Path(__file__).parents[2] / "docs" / "reference"
SCENARIOS = Path(__file__).parents[1] / "scenarios"
# What a description names as the unit of a number that is no count, or that it has none but a range or a relation.
UNITS = (
    r"\b(yuan|kWh|kvarh?|kW|kVA|MWh|percent|percentage points|min|minutes|h|hours?|days?|fraction|ratio|points|interruptions|events|"
    r"0 to 1(00)?|0 worst|-?1 to 1|mean power|per customer|for each 1000|in (the unit beside it|\w*(unit|unit_code)))\b"
)
RATHER_THAN_COUNTS = re.compile(r"numeric|double|real")


@pytest.fixture(scope="module")
def manifest(server: Server, template: str, own_target: None) -> dict:
    run_dbt(["parse"], Warehouse(server.url(template)))
    return json.loads(manifest_path().read_text())


def test_a_manifest_that_dbt_is_just_writing_is_read_by_nobody(
    manifest, server: Server, template: str, monkeypatch: pytest.MonkeyPatch
):
    """Seen in 200 reading commands beside two nights: a report found half of it."""
    from dbt.artifacts.schemas import base

    write, read = base.write_json, []

    def write_slowly(path: str, content: dict) -> None:
        if path.endswith("manifest.json") and "semantic" not in path:
            Path(path).write_text('{"nodes": {')
            read.append(len(json.loads(manifest_path().read_text())["nodes"]))
        write(path, content)

    monkeypatch.setattr(base, "write_json", write_slowly)
    run_dbt(["compile", "--select", "dim_managers"], Warehouse(server.url(template)))
    assert read
    assert set(read) == {len(manifest["nodes"])}


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
    return "step" if name in STEPS else name.split("_")[0]


def test_a_model_reads_only_its_own_layer_or_the_one_before(models):
    breaches = [
        f"{name} reads {read}"
        for name, node in models.items()
        for read in node["depends_on"]["nodes"]
        if kind_of(read) not in MAY_READ[kind_of(f"model.{name}")]
        and not (name in READS_RAW and kind_of(read) == "raw")
        and not (name in READS_MARTS and kind_of(read) in ("mart", "star"))
    ]
    assert breaches == []


def test_a_night_calls_dbt_once_for_each_layer(monkeypatch):
    """Each call costs seconds before its first model; the clusters, which no SQL makes, stand between warehouse and marts."""
    from include import night

    called = []
    monkeypatch.setattr(
        night,
        "run_dbt",
        lambda arguments, *_, **__: called.append({a for a in arguments if a.startswith("tag:")}) or [],
    )
    monkeypatch.setattr(night, "cluster_loads", lambda *_: called.append("clusters"))
    monkeypatch.setattr(night, "staging_with_withheld_rows", lambda *_: [])
    monkeypatch.setattr(night, "load_seeds", lambda *_, **__: called.append("seeds") or [])
    monkeypatch.setattr(night.runs, "alone", lambda _: contextlib.nullcontext())
    nowhere = Warehouse("postgresql://nowhere")
    run = night.Run(run_id=1, business_date=date(2026, 11, 23), fence="").as_dict()
    night.build_staging(nowhere, run)
    night.build_warehouse_and_marts(nowhere, run)
    assert called == [
        "seeds",
        {"tag:staging"},
        {"tag:warehouse", "tag:after_clusters", "tag:as_delivered"},
        "clusters",
        {"tag:after_clusters", "tag:marts"},
    ]


def test_a_layer_has_one_schema(models):
    schemas = {
        "stg": "staging",
        "int": "staging",
        "step": "warehouse",
        "dim": "warehouse",
        "bridge": "warehouse",
        "fct": "warehouse",
        "mart": "candidate",
        "star": "candidate",
    }
    assert {n: node["schema"] for n, node in models.items()} == {n: schemas[kind_of(f"model.{n}")] for n in models}


def test_every_model_states_its_grain_and_is_tested_for_it(manifest, models):
    tested = {
        node["attached_node"].split(".")[-1]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test" and (node.get("test_metadata") or {}).get("name") == "unique_grain"
    }
    own = {name for name in models if not name.startswith("stg_")}
    assert own - tested == set()
    assert [name for name in own if not re.search(r"One row per [^.]+\.", models[name]["description"])] == []


@pytest.fixture(scope="module")
def published(manifest, models) -> dict[str, dict]:
    """The models that readers see in the schema marts."""
    return {mart.name: models[mart.relation[1]] for mart in read_marts(manifest_path())}


def test_the_marts_are_those_that_the_paper_asks_for(models, published):
    assert {name for name in models if name.startswith("mart_")} == MARTS
    assert {name for name in published if name.startswith("mart_")} == MARTS
    assert set(published) - MARTS >= PUBLISHED_BESIDE


def test_the_dimensions_of_the_star_are_published_with_one_row_a_key(published):
    star = {name for name in published if published[name]["name"].startswith("star_")}
    assert star == DIMENSIONS | {"fct_churn_backtest", "fct_customer_credit", "fct_manager_tasks"}
    for name in DIMENSIONS:
        meta = published[name]["config"]["meta"]
        assert (meta["shows"], meta["scope"]) in {("newest", s) for s in ("shared", "account", "manager", "none")}, name
        assert not any(re.search("legal_rep|signer|mobile|phone|person", c) for c in published[name]["columns"]), name


def test_everything_published_has_a_contract_and_described_columns(published):
    for name, node in published.items():
        assert node["config"]["contract"]["enforced"], name
        assert [
            c for c, column in node["columns"].items() if not column["description"] or not column["data_type"]
        ] == [], name


def test_everything_published_says_what_an_account_manager_sees_of_it(published):
    """A row that is about an account is cut by it: whoever shares such a relation, or hides it, is named here with the reason."""
    scopes = {name: node["config"]["meta"].get("scope") for name, node in published.items()}
    assert [name for name, scope in scopes.items() if scope not in SCOPES] == []
    without = [n for n, s in scopes.items() if SCOPES[s] and SCOPES[s] not in published[n]["columns"]]
    assert without == []
    assert {n for n, s in scopes.items() if "account_no" in published[n]["columns"] and s != "account"} == set()
    assert {n for n, s in scopes.items() if s == "none"} == {
        "mart_process_conformance",  # cases without their account
        "mart_team_load",  # how other teams are loaded
        "mart_service_resource_balance",  # a tier of few accounts tells their revenue
        "fct_arbitrary_fill_scores",  # scores of clerks
        "dim_customers",  # companies, of which the accounts that are not the manager's are a part
        "fct_customer_credit",  # so are their debts
    }


def test_a_number_that_is_no_count_tells_its_unit(published):
    numbers = {
        f"{name}.{column}": told["description"]
        for name, node in published.items()
        if name in MARTS
        for column, told in node["columns"].items()
        if RATHER_THAN_COUNTS.search(told["data_type"])
    }
    assert len(numbers) > 200
    assert {column: told for column, told in numbers.items() if not re.search(UNITS, told, re.IGNORECASE)} == {}


def test_the_ranges_tell_of_every_column_of_the_marts(published):
    """Each number has a row with what was seen and expected, each other column stands among flags, codes and days."""
    sections = {
        part.split(",")[0]: part for part in (DOCS / "ranges.md").read_text(encoding="utf-8").split("\n## ")[1:]
    }
    assert {name for name in sections if name.startswith("mart_")} == MARTS
    for name in MARTS:
        numbers = set(re.findall(r"^\| (\w+) \|", sections[name], re.MULTILINE)) - {"column"}
        others = set(re.findall(r"`(\w+)`", sections[name]))
        columns = {
            c: column["data_type"]
            for c, column in published[name]["columns"].items()
            if c not in ("account_no", "org_no")
        }
        assert numbers | others == set(columns), name
        assert {c for c, type_ in columns.items() if RATHER_THAN_COUNTS.search(type_)} <= numbers, name


def test_the_requirements_name_only_what_there_is(manifest, published):
    """Tables, columns, unit tests, scenarios, data tests and rules of the table of statements."""
    rows = re.findall(
        r"^\| (S\d\db?) \| (.*) \| (.*) \| (.*) \| (.*) \|$",
        (DOCS / "requirements.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert {number for number, *_ in rows} == QUESTIONS | {"S32b"}
    tests = {
        "u": {unit["name"] for unit in manifest["unit_tests"].values()},
        "s": {path.name for path in SCENARIOS.glob("*/*")},
        "d": {path.stem for path in (PROJECT / "tests").glob("*.sql")}
        | {path.stem for path in (PROJECT / "macros" / "tests").glob("*.sql")},
    }
    rules = {path.name.split("_")[0] for path in (PROJECT.parent / "expectations").rglob("*.sql")}
    for number, _, tables, columns, told in rows:
        names = re.findall(r"`(\w+)`", tables)
        assert names, number
        assert set(names) <= set(published), number
        assert set(re.findall(r"`(\w+)`", columns)) <= set().union(*(published[name]["columns"] for name in names)), (
            number
        )
        named = re.findall(r"\b([usd]) `(\w+)`", told)
        assert named, number
        assert [name for kind, name in named if name not in tests[kind]] == [], number
        assert set(re.findall(r"\b(?:MART|MKT|XSR|MET|CON)-\d+", told)) <= rules, number


def test_every_mart_tells_its_questions_its_reach_and_its_documentation(published):
    reaches = {"account-month", "month", "following-twelve-months", "all", "all-accounts"}
    for name in MARTS:
        assert published[name]["config"]["persist_docs"] == {"relation": True, "columns": True}, name
        assert published[name]["config"]["meta"]["reach"] in reaches, name
    for name in MARTS | PUBLISHED_BESIDE:
        assert re.search(r"\bS\d\d", published[name]["description"]), name


def test_every_question_is_answered(published):
    answered = set().union(*(re.findall(r"\bS\d\d", node["description"]) for node in published.values()))
    assert answered >= QUESTIONS, f"not answered: {sorted(QUESTIONS - answered)}"


def test_every_mart_has_a_unit_test_of_its_formula_and_a_scenario(manifest, models):
    tested = {u["model"] for u in manifest["unit_tests"].values()}
    own_facts = {name: {r.split(".")[-1] for r in models[name]["depends_on"]["nodes"]} for name in MARTS}
    assert {name for name in MARTS if not tested & ({name} | own_facts[name])} == set()
    expected = {path.name.split(".")[0] for path in SCENARIOS.glob("*/*/expected/*.csv")}
    assert MARTS - expected == set()


def test_everything_published_is_read_by_a_dashboard_or_a_report(manifest, published):
    read = {
        node.split(".")[-1] for exposure in manifest["exposures"].values() for node in exposure["depends_on"]["nodes"]
    }
    assert read == {node["name"] for node in published.values()}


def test_the_catalogue_counts_everything_published_but_itself(models, published):
    read = {node.split(".")[-1] for node in models["mart_catalog"]["depends_on"]["nodes"]}
    counted = {node["name"] for node in published.values()}
    assert read >= counted - {"mart_catalog"}
    assert read & set(models) <= {*counted, "fct_findings", "int_withheld_parts"}


def test_what_is_published_is_stated_by_the_models_alone(models, published):
    stated = {name for name, node in models.items() if node["config"]["meta"].get("published")}
    assert stated == {node["name"] for node in published.values()} == set(published_models())
    assert set(published) == {model.published_name for model in published_models().values()}
    assert {name for name in models if name.startswith("mart_")} <= stated


def test_a_published_model_is_filled_from_the_facts_that_it_reads(models):
    for name, model in published_models().items():
        read = {node.split(".")[-1] for node in models[name]["depends_on"]["nodes"]}
        if name in READS_MARTS:
            read -= set(published_models())
        facts = {n for n in read & set(models) if models[n]["schema"] == "warehouse" and not n.startswith("dim_")}
        # it tells what a mart lacks, and is empty while nothing is withheld
        assert set(model.meta.get("filled_from", [])) == facts - {"int_withheld_parts"}, name


def test_every_number_of_a_mart_says_what_it_needs_or_that_nothing_can_be_withheld_of_it():
    """A number is a measure of `meta.partial`, or named there as complete: counts of findings, limits, the archive's own."""
    families = measure_families()
    parts = {part for needed in families.values() for part in needed}
    columns = {f"{t.name}.{c.name}" for t in all_tables().values() for c in t.columns if c.is_withholdable}
    assert {part for part in parts if "." not in part} <= set(all_tables())
    assert {part for part in parts if "." in part} <= columns
    for name in MARTS:
        model = published_models()[name]
        partial = model.meta["partial"]
        measured = {column for measure in partial["measures"] for column in measure["columns"]}
        complete = set(partial.get("complete", []))
        assert measured | complete <= set(model.columns), name
        assert not measured & (complete | set(model.meta["grain"])), name
        numbers = {
            c for c, type_ in model.columns.items() if type_.startswith(("numeric", "integer", "bigint", "smallint"))
        }
        withheld = {"withheld_rows", "withheld_kwh", "withheld_cny"}
        counted = numbers - set(model.meta["grain"]) - withheld
        assert counted == (measured | complete) & counted, name
        assert {need for measure in partial["measures"] for need in measure["needs"]} <= set(families), name
        assert {m.get("shows") for m in partial["measures"]} <= {None, "admitted_sum", "provisional"}, name


# Read on the way, and no measure is made of it: bills and payments that only say who is a key account or stand beside the
# bill, samples that only tell whether a meter was dark, registers that only scale what is estimated and marked as such, steps
# and cases of other kinds that lie in one model, and what only decides which rows there are.
ON_THE_WAY = {"met_pq_sample", "met_register_freeze", "mkt_bill", "mkt_payment", "mkt_penalty"}
NEEDED_BY_NO_MEASURE = {
    "mart_access_list": {  # rows_last counts rows of every table that names an account
        "met_interval_96",
        "met_power_event",
        "mkt_application",
        "mkt_notification",
        "mkt_ticket",
    },
    "mart_connection_cycle_time": {"mkt_ticket"},
    "mart_credit_risk": {"mkt_application"},  # it only dates a change of owner that the archive shows by itself
    "mart_connection_funnel": {"mkt_manager_visit"},
    "mart_manager_performance": {"met_interval_96", "met_power_event", "met_supply_outage"},
    "mart_safety_inspection": {"mkt_app_stage", "mkt_application", "mkt_ticket"},
}


def test_what_a_mart_is_computed_from_is_needed_by_one_of_its_measures(models):
    """No source with a day of its own is left out: its rows can be withheld, and then something of the mart is partial."""
    staged = {name: table for table, name in ((t, r.split(".")[1]) for t, r in staging_relations().items())}

    def tables(name: str, seen: set[str]) -> set[str]:
        for node in models[name]["depends_on"]["nodes"]:
            read = node.split(".")[-1]
            if read in models and read not in seen:
                seen.add(read)
                tables(read, seen)
        return {staged[read] for read in seen if read in staged}

    families = measure_families()
    for name in MARTS - {"mart_catalog"}:  # it reads everything, and counts rows alone
        partial = published_models()[name].meta["partial"]
        needed = {p.split(".")[0] for m in partial["measures"] for f in m["needs"] for p in families[f]}
        read = {t for t in tables(name, set()) if all_tables()[t].fact_date}
        assert read - needed - ON_THE_WAY == NEEDED_BY_NO_MEASURE.get(name, set()), name


def test_a_staging_model_states_the_contract_table_that_it_stages(models):
    staged = {}
    for name, node in models.items():
        if node["fqn"][1] == "staging":
            (staged[name],) = {
                needed.split(".")[-1]
                for needed in node["depends_on"]["nodes"]
                if needed.split(".")[2].startswith("raw_")
            }
    assert {f"staging.{name}": table for name, table in staged.items()} == {
        v: k for k, v in staging_relations().items()
    }
    assert set(staged.values()) == set(all_tables())


def test_the_documentation_is_one_page_that_loads_nothing(server: Server, template: str, published, tmp_path: Path):
    page = write_docs(Warehouse(server.url(template)), tmp_path / "docs").read_text(encoding="utf-8")
    assert [name for name in published if name not in page] == []
    assert not re.search(r"""<(script|link|img)[^>]*(src|href)=["'](https?:)?//""", page)


def test_every_number_of_a_seed_names_its_source(manifest):
    seeds = {n["name"]: n for n in manifest["nodes"].values() if n["resource_type"] == "seed"}
    for name in seeds.keys() - {"working_days"}:
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
