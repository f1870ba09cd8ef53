"""Every chart of the dashboards as plain SQL, asked as the reader of a real published night, against the marts' own figures."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from include.bi import bundle, queries
from include.bi.declared import Chart, dashboards, datasets
from include.bi.queries import chart_sql, dataset_sql, link
from include.local import door
from include.records.warehouse import Warehouse
from include.settings import LANGUAGES, settings
from include.transform.metrics import declared_metrics

CHARTS = [chart for board in dashboards().values() for chart in board.charts]


@pytest.fixture
def reader(clean_night) -> Iterator[psycopg.Connection]:
    """The door's login on the clean night of twenty accounts."""
    clean_night.enter()
    opened = door.open_for_readers(Warehouse(clean_night.url), settings())
    with psycopg.connect(opened.url, autocommit=True) as conn:
        yield conn
    door.close(settings())


def test_charts_show_what_the_marts_hold(reader, clean_night):
    month = reader.execute("select max(to_char(published_month, 'YYYY-MM')) from marts.publication").fetchone()[0]
    assert differences(reader) == {}
    rows, differing, compared = {}, {}, 0
    for chart in CHARTS:
        answers = [reader.execute(chart_sql(chart, language, {"month": month})).fetchall() for language in LANGUAGES]
        assert len(answers[0]) == len(answers[1]), chart.name
        rows[chart.name] = len(answers[0])
        for place, name in enumerate(chart.measures, start=len(chart.dims)):
            if (expected := own_figure(reader, chart, name, month)) is None or len(answers[0]) == chart.limit:
                continue
            compared += 1
            shown = sum(row[place] or 0 for row in answers[0])
            if shown != expected:
                differing[chart.name, name] = (shown, expected)
    assert differing == {}
    assert compared > 20
    # what twenty accounts without a defect have nothing of may be empty, and nothing else
    assert {name for name, count in rows.items() if not count} <= MAY_BE_EMPTY

    # the condition of a chart and the choice in a filter change its figures to what SQL says
    (chart,) = [chart for chart in CHARTS if chart.name == "portfolio_revenue"]
    org = "select org_no, sum(revenue_12m_cny) from marts.mart_key_account_ranking where to_char(ranking_month, 'YYYY-MM') = %s"
    by_org = dict(reader.execute(f"{org} group by 1", [month]).fetchall())
    names = dict(reader.execute("select org_no, org_name from marts.dim_organisations").fetchall())
    for number, revenue in by_org.items():
        chosen = {"month": month, "organisation": names[number]}
        assert reader.execute(chart_sql(chart, "en", chosen)).fetchone() == (revenue,)
    assert len(by_org) > 2

    # the row rule of managers is the door's
    assert managers_by_rule(reader) == managers_by_door(clean_night)


MAY_BE_EMPTY = {
    *("portfolio_moved", "account_advice", "account_notices", "account_savings", "account_profile"),
    *("supply_quality_feeders", "supply_quality_feeder_list", "connections_notices", "connections_tickets_late"),
    *("managers_tasks", "portfolio_backtest", "portfolio_advice", "supply_quality_only_meters"),
    *(
        "supply_quality_below_target",
        "connections_notices_late",
        "data_quality_missing",
        "data_quality_repairs_by_rule",
    ),
    *("data_quality_rules", "data_quality_age", "data_quality_quarantined", "start_left_out"),
}


def differences(reader: psycopg.Connection) -> dict[str, tuple]:
    """Data sets whose rows or sums are not those of their relation: a join that doubles or loses rows shows here."""
    found = {}
    for dataset in datasets().values():
        if dataset.lateral:
            continue
        numbers = [name for name, type_ in dataset.model.columns.items() if type_.startswith(("numeric", "integer"))]
        sums = ", ".join(["count(*)", *(f"sum({name})" for name in numbers)])
        shown = reader.execute(f"select {sums} from ({dataset_sql(dataset, 'en')}) as shown").fetchone()
        own = reader.execute(f"select {sums} from marts.{dataset.model.published_name}").fetchone()
        if shown != own:
            found[dataset.name] = (shown, own)
    return found


def own_figure(reader: psycopg.Connection, chart: Chart, measure: str, month: str):
    """The sum of the column in the relation itself; None where the measure is no sum of a column or a filter is of a name."""
    dataset = datasets()[chart.dataset]
    metric = dataset.model.column_meta.get(measure, {}).get("metric")
    if metric is None or declared_metrics()[metric].agg != "sum" or dataset.lateral:
        return None
    if not {condition.column for condition in chart.filters} <= set(dataset.model.columns):
        return None
    conditions, values = ["true"], []
    if not chart.all_months:
        conditions.append("to_char(published_month, 'YYYY-MM') = %s")
        values.append(month)
    for condition in chart.filters:
        if condition.op in ("null", "not null"):
            conditions.append(f"{condition.column} is {condition.op}")
        else:
            conditions.append(f"{condition.column} {condition.op.replace('==', '=')} %s")
            values.append(condition.value)
    query = (
        f"select coalesce(sum({measure}), 0) from marts.{dataset.model.published_name} where {' and '.join(conditions)}"
    )
    return reader.execute(query, values).fetchone()[0]


def managers_by_rule(reader: psycopg.Connection) -> dict[str, set[str]]:
    """Manager -> accounts by the row rule of Superset, asked as the reader."""
    numbers = [number for (number,) in reader.execute("select distinct manager_no from marts.dim_managers").fetchall()]
    (clause,) = [rule["clause"] for rule in bundle.row_rules(numbers) if rule["name"] == "kaw account"]
    (without,) = [rule["clause"] for rule in bundle.row_rules(numbers[1:]) if rule["name"] == "kaw account"]
    rule = without.replace("{{ current_username() }}", numbers[0])
    assert reader.execute(f"select account_no from marts.dim_accounts where {rule}").fetchall() == []
    found = {}
    for number in numbers:
        rule = clause.replace("{{ current_username() }}", number)
        rows = reader.execute(f"select account_no from marts.dim_accounts where {rule}").fetchall()
        if rows:
            found[number] = {account for (account,) in rows}
    return found


def managers_by_door(night) -> dict[str, set[str]]:
    """Manager -> accounts by the policies of the published relations."""
    found: dict[str, set[str]] = {}
    for number, account in night.rows("select manager_no, account_no from publish.manager_accounts"):
        found.setdefault(number, set()).add(account)
    return found


def test_a_join_that_doubles_rows_is_seen(reader, monkeypatch):
    honest = queries._name_joins
    monkeypatch.setattr(
        queries, "_name_joins", lambda dataset: [*honest(dataset), "cross join (values (1), (2)) as twice (n)"]
    )
    assert {"ranking", "energy", "tickets", "rates", "managers", "rules"} <= set(differences(reader))


def test_a_name_with_marks_is_a_link_that_leads_to_it(reader):
    """The value is escaped for the filter's notation and the address, what is shown for HTML."""
    name = """O'Neil & Söhne <"1%"> #!+"""
    (made,) = reader.execute(
        f"select {link('account', {'account': 'name'}, 'name')} from (select %b as name) as t".replace(
            "%b", sql.Literal(name).as_string()
        )
    ).fetchone()
    assert made == (
        '<a href="/superset/dashboard/kaw-account/?native_filters=(NATIVE_FILTER-account:(extraFormData:(filters:!((col:account,'
        "op:IN,val:!('O!'Neil %26 Söhne %3C%221%25%22%3E %23!!%2B')))),filterState:(value:!('O!'Neil %26 Söhne "
        '%3C%221%25%22%3E %23!!%2B\')),id:NATIVE_FILTER-account,ownState:()))">O\'Neil &amp; Söhne &lt;"1%"&gt; #!+</a>'
    )
