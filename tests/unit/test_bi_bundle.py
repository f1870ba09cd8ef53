"""The bundle of dashboards: what the declarations make, whole, the same each time, and without a secret."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path

import pytest
import yaml

from include.bi import bundle, queries
from include.bi.declared import dashboards, datasets, labels
from include.bi.queries import measures
from include.settings import LANGUAGES
from include.transform.models import MODELS, published_models

ADDRESS = "postgresql://kaw_bi_reader:the-password@db.example:5432/warehouse"
BI = Path(bundle.__file__).parent
CHARTS = [(board.name, chart) for board in dashboards().values() for chart in board.charts]


@pytest.fixture(scope="module", params=LANGUAGES)
def files(request) -> dict[str, dict]:
    return bundle.made(request.param, ADDRESS)


def test_the_dashboards_are_there_and_each_begins_with_what_is_known():
    assert list(dashboards()) == [
        "start",
        "portfolio",
        "account",
        "supply_quality",
        "connections",
        "managers",
        "data_quality",
    ]
    for board in dashboards().values():
        first = board.charts[0]
        assert (first.dataset, first.columns[:2]) == ("publication", ["month", "business_date"])
        assert "month" in board.filters
        has_rows = any(chart.kind == "list" for chart in board.charts[1:])
        assert not has_rows or any("quality" in chart.columns for chart in board.charts), board.name


def test_each_question_of_the_first_page_leads_to_a_chart(files):
    asked = dashboards()["start"].questions
    assert len(asked) == 12
    there = {chart.name: board for board, chart in CHARTS}
    assert [q.chart for q in asked if q.dashboard and there.get(q.chart) != q.dashboard] == []
    parts = files["dashboards/start.yaml"]["position"].values()
    texts = [part["meta"]["code"] for part in parts if isinstance(part, dict) and part["type"] == "MARKDOWN"]
    links = re.findall(r"\]\(/superset/dashboard/kaw-([\w-]+)/#CHART-(\w+)\)", "\n".join(texts))
    assert [(q.dashboard.replace("_", "-"), q.chart) for q in asked if q.dashboard] == links
    for board, chart in links:  # the place that is named is there
        position = files[f"dashboards/{board.replace('-', '_')}.yaml"]["position"]
        assert position[f"CHART-{chart}"]["parents"][:2] == ["ROOT_ID", "GRID_ID"]


def test_the_same_declarations_make_the_same_files(files, tmp_path):
    language = next(name for name in LANGUAGES if bundle.made(name, ADDRESS) == files)
    bundle.write(tmp_path / "bundle", language, ADDRESS)
    written = {str(path.relative_to(tmp_path / "bundle")): path for path in (tmp_path / "bundle").rglob("*.yaml")}
    assert {name: yaml.load(path.read_text("utf-8"), yaml.CSafeLoader) for name, path in written.items()} == files


def test_a_thing_keeps_its_uuid_in_both_languages_and_no_other_has_it():
    uuids = [{name: content.get("uuid") for name, content in bundle.made(lang, ADDRESS).items()} for lang in LANGUAGES]
    assert uuids[0] == uuids[1]
    known = [uuid for uuid in uuids[0].values() if uuid]
    assert len(known) == len(set(known)) == len(uuids[0]) - 1  # all but metadata.yaml


def test_what_files_refer_to_is_in_the_bundle(files):
    of_kind = {
        kind: {content["uuid"]: content for name, content in files.items() if name.startswith(f"{kind}/")}
        for kind in ("databases", "datasets", "charts", "dashboards")
    }
    assert {data["database_uuid"] for data in of_kind["datasets"].values()} == set(of_kind["databases"])
    assert {chart["dataset_uuid"] for chart in of_kind["charts"].values()} <= set(of_kind["datasets"])
    placed = []
    for board in of_kind["dashboards"].values():
        parts = board["position"].values()
        placed += [part["meta"]["uuid"] for part in parts if isinstance(part, dict) and part.get("type") == "CHART"]
        for native in board["metadata"]["native_filter_configuration"]:
            (target,) = native["targets"]
            columns = {column["column_name"] for column in of_kind["datasets"][target["datasetUuid"]]["columns"]}
            assert target["column"]["name"] in columns
    assert sorted(placed) == sorted(of_kind["charts"])


def test_a_row_of_a_dashboard_is_twelve_columns_wide_at_most():
    assert [
        row for board in dashboards().values() for row in board.rows if sum(chart.width for chart in row) > 12
    ] == []


@pytest.mark.parametrize(("board", "chart"), CHARTS, ids=[chart.name for _, chart in CHARTS])
def test_every_column_that_a_chart_names_exists_and_has_a_name(board, chart):
    dataset = datasets()[chart.dataset]
    types = queries.column_types(dataset)
    assert {*chart.dims, *chart.columns, *(condition.column for condition in chart.filters)} <= set(types)
    assert set(chart.measures) <= set(measures(dataset))
    assert {name.lstrip("-") for name in chart.order} <= {*types, *chart.measures}
    for column in (*chart.dims, *chart.columns):
        label = queries.label_of(dataset, column)
        assert label.en, column
        assert label.zh, column


def test_no_name_is_stated_that_no_chart_needs():
    needed = {name for board in dashboards().values() for name in board.filters}
    for _, chart in CHARTS:
        needed |= {name for name in (*chart.dims, *chart.columns) if name not in measures(datasets()[chart.dataset])}
    assert set(labels()) - needed == set()
    assert set(datasets()) == {data.name for data in queries.used_datasets()}


def test_a_measure_adds_up_over_what_its_metric_says_and_no_further():
    ranking, energy, risk = (measures(datasets()[name]) for name in ("ranking", "energy", "risk"))
    # over accounts, not over months: twelve months of one and of the next are not twenty-four
    assert ranking["revenue_12m_cny"][0] == "case when count(distinct month) <= 1 then sum(revenue_12m_cny) end"
    assert energy["energy_kwh"][0] == "sum(energy_kwh)"  # over both
    assert risk["churn_score"][0] == "case when count(*) = 1 then max(churn_score) end"  # over nothing
    assert measures(datasets()["applications"])["utility_working_days"][0] == "avg(utility_working_days)"


def test_words_are_in_the_language_of_the_bundle():
    assert queries.in_language("case when x then '[[yes|是]]' end", "zh") == "case when x then '是' end"
    both = [json.dumps(bundle.made(language, ADDRESS), ensure_ascii=False) for language in LANGUAGES]
    assert [re.findall(r"\[\[", text) for text in both] == [[], []]
    assert not re.search("[一-鿿]", both[0])


def test_no_password_is_in_the_bundle(files):
    assert "the-password" not in json.dumps(files)
    assert files["databases/marts.yaml"]["sqlalchemy_uri"] == (
        "postgresql+psycopg2://kaw_bi_reader:XXXXXXXXXX@db.example:5432/warehouse"
    )
    assert not any(files["databases/marts.yaml"][may] for may in ("allow_dml", "allow_ctas", "allow_cvas"))


def test_a_manager_sees_by_the_scope_of_the_relation_and_of_none_nothing():
    scopes = {rule["name"]: set(rule["datasets"]) for rule in bundle.row_rules(["M1"])}
    assert set(scopes) == {"kaw account", "kaw manager", "kaw organisation", "kaw none"}
    assert [rule["clause"] for rule in bundle.row_rules([]) if rule["name"] == "kaw none"] == ["1 = 0"]
    everybody = set(bundle.shared_datasets())
    of = {name: bundle.uuid_of("dataset", name) for name in datasets()}
    assert of["ranking"] in scopes["kaw account"]
    assert of["managers"] in scopes["kaw manager"]
    assert of["units"] in scopes["kaw organisation"]
    assert of["rules"] in everybody
    assert scopes["kaw none"] == {of["fills"], of["balance"], of["owners"]}
    assert everybody.union(*scopes.values()) == set(of.values())


def test_every_package_of_superset_is_pinned_with_its_hash_and_no_index_is_named():
    lock = (BI / "superset.lock").read_text()
    packages = [line for line in lock.splitlines() if re.match(r"[a-z0-9]", line)]
    assert len(packages) > 150
    assert [line for line in packages if not re.match(r"[a-z0-9._-]+(\[\w+\])?==\S+( ; .+)? \\$", line)] == []
    assert "apache-superset==6.1.0 \\" in packages
    assert not re.search(r"https?:|file:|--index|--find", lock)


def test_the_page_may_ask_nobody_but_its_own_server(tmp_path, monkeypatch):
    kept = {"secret_key": "k", "metadata_url": "postgresql://", "port": 8088, "language": "zh"}
    (tmp_path / "secrets.json").write_text(json.dumps(kept))
    monkeypatch.setenv("KAW_SUPERSET_SECRETS", str(tmp_path / "secrets.json"))
    stated = runpy.run_path(str(BI / "superset_config.py"))
    assert stated["TALISMAN_ENABLED"]
    policy = stated["TALISMAN_CONFIG"]["content_security_policy"]
    named = {source for sources in policy.values() for source in ([sources] if isinstance(sources, str) else sources)}
    assert named == {"'self'", "'none'", "'unsafe-inline'", "'strict-dynamic'", "blob:", "data:"}
    assert "'unsafe-inline'" not in policy["script-src"]
    assert stated["BABEL_DEFAULT_LOCALE"] == "zh"


def test_what_dbt_says_of_dashboards_is_what_they_read_and_where_they_are():
    stated = yaml.load((MODELS / "_exposures.yml").read_text("utf-8"), yaml.CSafeLoader)["exposures"]
    assert [exposure["name"] for exposure in stated if not exposure.get("url")] == []
    models = {model.published_name: name for name, model in published_models().items()}
    expected = {}
    for name, board in dashboards().items():
        texts = " ".join(queries.dataset_sql(datasets()[chart.dataset], "en") for chart in board.charts)
        read = set(re.findall(r"marts\.(\w+)", texts)) - {"publication"}
        expected[name] = (
            f"http://127.0.0.1:8088/superset/dashboard/{queries.slug(name)}/",
            {models[mart] for mart in read},
        )
    assert expected == {
        exposure["name"]: (exposure["url"], set(re.findall(r"ref\('(\w+)'\)", " ".join(exposure["depends_on"]))))
        for exposure in stated
        if exposure["type"] == "dashboard"
    }
