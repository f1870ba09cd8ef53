"""OpenLineage's events of a night with planted defects: by the official schemas, from landing to mart, with what rules said."""

from __future__ import annotations

import copy
import functools
import http.server
import json
import os
import re
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest
from referencing import Registry, Resource

from include import lineage
from include.lineage.columns import Kept
from include.local.server import Server
from include.progress import Trouble, listen
from include.records.warehouse import Warehouse
from tests.nights import DAY, Utility, after_a_night

SCHEMAS = Path(__file__).parents[1] / "data" / "openlineage"
SPEC = "https://openlineage.io/spec/2-0-2/OpenLineage.json"


@pytest.fixture(scope="module")
def night(
    server: Server, session_home: Path, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Utility]:
    with pytest.MonkeyPatch.context() as environment:
        yield from after_a_night(server, session_home, template, 7, tmp_path_factory.mktemp("lineage"), environment)


@pytest.fixture(scope="module")
def events(night: Utility) -> list[dict]:
    file = Path(night.environment["KAW_HOME"]).parent / "lineage.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()]


@functools.cache
def schema(url: str) -> jsonschema.Draft202012Validator:
    found = [json.loads(path.read_text()) for path in sorted(SCHEMAS.glob("*.json"))]
    registry = Registry().with_resources((each["$id"], Resource.from_contents(each)) for each in found)
    return jsonschema.Draft202012Validator({"$ref": url}, registry=registry)


def problems(event: dict) -> list[str]:
    """What the standard has against an event, and against each facet by the schema that it names itself."""
    holders = [event["run"], event["job"], *event["inputs"], *event["outputs"]]
    kinds = ("facets", "inputFacets", "outputFacets")
    facets = [facet for holder in holders for kind in kinds for facet in (holder.get(kind) or {}).values()]
    checked = [(SPEC, event), *((facet["_schemaURL"], facet) for facet in facets)]
    return [error.message for url, what in checked for error in schema(url).iter_errors(what)]


def ended(events: list[dict], job: str) -> dict:
    """The last end of a job: dbt builds some models twice a night, as delivered and as admitted."""
    return [e for e in events if e["job"]["name"] == job and e["eventType"] in ("COMPLETE", "FAIL")][-1]


def relations(datasets: list[dict]) -> set[str]:
    return {dataset["name"].partition(".")[2] for dataset in datasets}


def assertions(dataset: dict) -> dict[str, bool]:
    facet = dataset.get("inputFacets", {}).get("dataQualityAssertions", {"assertions": []})
    return {a["assertion"]: a["success"] for a in facet["assertions"]}


def test_every_event_is_valid_by_the_official_schemas(events: list[dict]) -> None:
    assert len(events) > 500
    assert [found for event in events for found in problems(event)] == []
    assert all(datetime.fromisoformat(event["eventTime"]).tzinfo for event in events)
    facets = {name for e in events for name in e["run"]["facets"]}
    assert facets == {"nominalTime", "parent", "test", "tags"}


def test_the_schemas_refuse_what_is_wrong(events: list[dict]) -> None:
    gate = ended(events, "build_warehouse.check_staged")
    for spoil in (
        lambda e: e.pop("producer"),
        lambda e: e["run"].pop("runId"),
        lambda e: e["run"]["facets"]["parent"]["run"].pop("runId"),
        lambda e: e["inputs"][0]["inputFacets"]["dataQualityAssertions"]["assertions"][0].pop("success"),
        lambda e: e["run"]["facets"]["test"]["tests"][0].pop("status"),
    ):
        spoilt = copy.deepcopy(gate)
        spoil(spoilt)
        assert problems(spoilt)
    model = copy.deepcopy(ended(events, "build_warehouse.dbt.stg_metering__meters"))
    model["outputs"][0]["facets"]["columnLineage"]["fields"]["maker"]["inputFields"][0].pop("field")
    assert problems(model)


def test_every_run_starts_and_ends_once_and_belongs_to_its_night(events: list[dict]) -> None:
    of_run = Counter((e["run"]["runId"], e["eventType"]) for e in events)
    runs = {run for run, _ in of_run}
    assert all(of_run[run, "START"] == 1 and of_run[run, "COMPLETE"] == 1 for run in runs)
    parents = {e["job"]["name"]: e["run"]["runId"] for e in events if "parent" not in e["run"]["facets"]}
    assert set(parents) == {"extract_metering", "extract_marketing", "extract_contract", "build_warehouse"}
    for event in events:
        if parent := event["run"]["facets"].get("parent"):
            assert parents[parent["job"]["name"]] == parent["run"]["runId"]
            assert event["job"]["name"].startswith(parent["job"]["name"] + ".")


def test_a_load_reads_what_was_delivered_and_writes_its_raw_table(events: list[dict], night: Utility) -> None:
    ((delivered, inserted),) = night.rows(
        "select delivered_rows, inserted_rows from quality.receipts where table_name = 'met_interval_96'"
    )
    load = ended(events, "extract_metering.met_interval_96")
    (read,), (wrote,) = load["inputs"], load["outputs"]
    assert (read["namespace"], Path(read["name"]).name) == ("file", "met_interval_96")
    assert read["inputFacets"]["inputStatistics"]["rowCount"] == delivered > 0
    assert wrote["name"].endswith(".raw_metering.met_interval_96")
    assert wrote["outputFacets"]["outputStatistics"]["rowCount"] == inserted > 0


def test_a_model_reads_what_its_query_reads(events: list[dict]) -> None:
    staged = ended(events, "build_warehouse.dbt.stg_metering__meters")
    assert relations(staged["inputs"]) >= {"raw_metering.met_meter"}
    assert relations(staged["outputs"]) == {"staging.stg_metering__meters"}


def made_of(event: dict) -> dict[str, set[str]]:
    """Column of what an event wrote -> schema.table.column of what it is made of."""
    (wrote,) = event["outputs"]
    fields = wrote["facets"]["columnLineage"]["fields"]
    return {
        name: {f"{of['name'].partition('.')[2]}.{of['field']}" for of in field["inputFields"]}
        for name, field in fields.items()
    }


def test_each_column_of_a_model_names_the_columns_that_it_is_made_of(events: list[dict], night: Utility) -> None:
    meters = made_of(ended(events, "build_warehouse.dbt.stg_metering__meters"))
    assert meters["meter_type_code"] == {"raw_metering.met_meter.meter_type"}
    models = {e["job"]["name"]: e for e in events if ".dbt." in e["job"]["name"] and e["eventType"] == "COMPLETE"}
    views = {f"build_warehouse.dbt.{name}" for (name,) in night.rows("select viewname from pg_views")}
    silent = {
        name
        for name, event in models.items()
        if event["job"]["facets"]["jobType"]["jobType"] == "MODEL"
        and "columnLineage" not in event["outputs"][0]["facets"]
    }
    assert silent - views == set()
    # a figure leads back to what was delivered: each step named by the event of its own model
    todo, seen = {"candidate.mart_key_account_ranking.revenue_12m_cny"}, set()
    while todo:
        at = todo.pop()
        seen.add(at)
        _, table, column = at.split(".")
        if event := models.get(f"build_warehouse.dbt.{table}"):
            todo |= made_of(event).get(column, set()) - seen
    assert "raw_marketing.mkt_bill.total_amt" in seen or [
        name for name in seen if name.startswith("raw_marketing.mkt_bill")
    ]
    assert not [name for name in seen if name.startswith("raw_metering.")]


def test_a_mart_says_from_which_column_of_its_candidate_each_of_its_own_is(events: list[dict]) -> None:
    mart = made_of(ended(events, "build_warehouse.publish.mart_two_rates_gap"))
    assert mart["rs_gap"] == {"candidate.mart_two_rates_gap.rs_gap"}


def test_a_query_that_cannot_be_read_has_no_columns_and_stops_nothing(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "columns.json")
    schema = {"a": {"t": {"x": "integer", "y": "integer"}, "u": {"x": "integer", "z": "integer"}}}
    query = """
        with s as (select t.*, u.z from a.t inner join a.u on t.x = u.x)
        select x, y + z as w, count(*) as n, 1 as one from s where z > 0 group by 1, 2
    """
    wanted = {"x": [("a.t", "x")], "w": [("a.t", "y"), ("a.u", "z")], "n": [], "one": []}
    assert kept.of(query, schema) == wanted
    assert kept.of("select from where", schema) is None
    kept.write()
    again = Kept(tmp_path / "columns.json").of(query, schema)
    assert {name: [tuple(of) for of in made] for name, made in again.items()} == wanted


def test_a_table_that_python_makes_between_two_models_joins_them(events: list[dict]) -> None:
    labels = ended(events, "build_warehouse.python.load_cluster_labels")
    made = relations(ended(events, "build_warehouse.dbt.int_load_profiles")["outputs"])
    assert relations(labels["inputs"]) >= made
    read = relations(ended(events, "build_warehouse.dbt.int_load_clusters")["inputs"])
    assert read >= relations(labels["outputs"]) == {"warehouse.load_cluster_labels"}


def test_a_gate_tells_what_each_rule_said_of_what_it_read(events: list[dict], night: Utility) -> None:
    gate = ended(events, "build_warehouse.check_staged")
    said = dict(
        night.rows(
            "select rule_id, failed_rows from quality.rule_results inner join quality.rule_book using (rule_id) where gate = 1"
        )
    )
    tests = {t["name"]: t for t in gate["run"]["facets"]["test"]["tests"]}
    assert {name: int(t["actual"]) for name, t in tests.items()} == said
    assert {t["status"] for t in tests.values()} == {"pass", "fail", "skip"}
    of_relation = {next(iter(relations([d]))): assertions(d) for d in gate["inputs"]}
    curves = of_relation["staging.stg_metering__curves"]
    assert curves["MET-02"] is False
    assert {name: said[name] == 0 for name in curves} == curves


def test_a_mart_names_its_inputs_down_to_raw_and_carries_what_rules_said(events: list[dict], night: Utility) -> None:
    mart = ended(events, "build_warehouse.publish.mart_two_rates_gap")
    names = relations(mart["inputs"])
    assert "candidate.mart_two_rates_gap" in names
    assert {name for name in names if name.startswith("raw_")} >= {
        "raw_metering.met_interval_96",
        "raw_metering.met_power_event",
        "raw_metering.met_supply_outage",
        "raw_metering.met_supply_voltage",
        "raw_marketing.mkt_customer",
    }
    organisations = ended(events, "build_warehouse.publish.dim_organisations")
    assert relations(organisations["inputs"]) == {"candidate.star_organisations", "raw_marketing.mkt_org"}
    (own,) = [d for d in mart["inputs"] if d["name"].endswith("candidate.mart_two_rates_gap")]
    assert {name.partition("-")[0] for name in assertions(own)} == {"MART"}
    (curves,) = [d for d in mart["inputs"] if d["name"].endswith("raw_metering.met_interval_96")]
    assert assertions(curves)["MET-02"] is False
    ((rows,),) = night.rows("select count(*) from marts.mart_two_rates_gap")
    (wrote,) = mart["outputs"]
    assert wrote["name"].endswith(".marts.mart_two_rates_gap")
    assert wrote["outputFacets"]["outputStatistics"]["rowCount"] == rows > 0
    published = {e["job"]["name"] for e in events if e["job"]["name"].startswith("build_warehouse.publish.")}
    assert len(published) == night.rows("select count(distinct mart) from publish.versions")[0][0]


def test_an_event_holds_no_login_and_no_value_of_a_row(events: list[dict], night: Utility) -> None:
    text = json.dumps(events, ensure_ascii=False)
    assert re.findall(r"postgresql|password|://[^/\s\"]*@", text) == []
    people = night.rows("select distinct contact_name from raw_marketing.mkt_contact where contact_name is not null")
    assert people
    assert [name for (name,) in people if name in text] == []


class Receiver(http.server.BaseHTTPRequestHandler):
    status = 201

    def do_POST(self) -> None:
        self.server.got.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *_) -> None:
        pass


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[http.server.HTTPServer]:
    """A catalogue behind OPENLINEAGE_URL. OpenLineage's client edits the environment; afterwards it is as before."""
    server = http.server.HTTPServer(("127.0.0.1", 0), type("Own", (Receiver,), {}))
    server.got = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    before = dict(os.environ)
    monkeypatch.setenv("OPENLINEAGE_URL", f"http://127.0.0.1:{server.server_port}")
    yield server
    server.shutdown()
    for name in set(os.environ) - set(before):
        del os.environ[name]


def _tell(night: Utility) -> list[Trouble]:
    """A night begins and a gate has judged; what was said of it."""
    run = {"run_id": 1, "business_date": DAY.isoformat(), "fence": "build_warehouse:1"}
    heard: list = []
    listen(heard.append)
    try:
        lineage.night(Warehouse(night.url), run)
        lineage.judged(Warehouse(night.url), run, 2, "check_marts", datetime.now(UTC), True)
    finally:
        listen(None)
    return heard


def test_a_receiver_gets_each_event_by_http(night: Utility, receiver: http.server.HTTPServer) -> None:
    assert _tell(night) == []
    assert {path for path, _ in receiver.got} == {"/api/v1/lineage"}
    assert [(e["job"]["name"], e["eventType"]) for _, e in receiver.got] == [
        ("build_warehouse", "START"),
        ("build_warehouse.check_marts", "START"),
        ("build_warehouse.check_marts", "COMPLETE"),
    ]


def test_a_receiver_that_fails_is_said_once_and_the_file_goes_on(
    night: Utility, receiver: http.server.HTTPServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    receiver.RequestHandlerClass.status = 400
    monkeypatch.setenv("KAW_LINEAGE_FILE", str(tmp_path / "lineage.jsonl"))
    (said,) = _tell(night)
    assert isinstance(said, Trouble)
    assert said.startswith("lineage: the http transport failed (HTTPError)")
    assert str(receiver.server_port) not in said
    assert len(receiver.got) == 1
    assert len((tmp_path / "lineage.jsonl").read_text().splitlines()) == 3


def test_openlineages_own_switch_turns_all_of_it_off(
    night: Utility, receiver: http.server.HTTPServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KAW_LINEAGE_FILE", str(tmp_path / "lineage.jsonl"))
    monkeypatch.setenv("OPENLINEAGE_DISABLED", "true")
    assert (_tell(night), receiver.got, (tmp_path / "lineage.jsonl").exists()) == ([], [], False)
