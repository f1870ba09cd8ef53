"""The overview: what it says is what the published marts hold, and it opens in a browser without a network."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import psycopg
import pytest

from include.local import cli
from include.records.warehouse import Warehouse
from include.report import overview, overview_data, overview_text
from include.report.overview import read_overview, render, write_overview
from tests.browser import Browser, browser
from tests.integration.test_report_browser import _UNREADABLE, READABLE, TELEPHONE
from tests.synthetic_run import Page

# the columns that the overview reads, of synthetic marts; rows are by hand
MARTS = """
create table marts.mart_key_account_ranking (
    account_no text, ranking_month date, revenue_rank integer, revenue_12m_cny numeric, cum_share numeric, is_pareto boolean,
    is_key_account boolean, entered_date date, left_date date, is_partial boolean
);
create table marts.mart_churn_risk (
    account_no text, month_start_date date, churn_score numeric, churn_driver_1 text, days_to_end integer, is_partial boolean
);
create table marts.mart_two_rates (
    entity_kind_code text, entity_no text, month_start_date date, side_code text, org_no text, rs_pct numeric,
    voltage_ok_pct numeric, is_partial boolean
);
create table marts.mart_two_rates_gap (
    month_start_date date, outages_only_meter integer, outages_only_supply integer, matched_outages integer
);
create table marts.mart_connection_funnel (
    application_no text, account_no text, status_code text, last_stage_code text, total_working_days integer,
    utility_working_days numeric, customer_working_days numeric, suspended_working_days numeric, handover_working_days numeric,
    sla_target_working_days numeric, sla_met boolean, is_partial boolean
);
create table marts.mart_energy_structure (
    org_no text, month_start_date date, expected_slots integer, estimated_slots integer, missing_slots integer,
    outage_slots integer, valid_slots integer, is_partial boolean
);
create table marts.fct_rule_results (
    rule_id text, sentence text, owner_name text, open_findings integer, waived_findings integer, age_days integer
);
create table marts.mart_load_cluster (
    account_no text, month_start_date date, cluster_no integer, cluster_accounts integer, anomaly_score numeric,
    is_anomalous boolean, is_partial boolean, load_profile_24h text, typical_profile_24h text
);
create table marts.mart_saving_advice (
    account_no text, month_start_date date, advice_code text, saving_cny numeric, advice_rank integer
);
create table marts.dim_codes (column_name text, code text, name_en text, name_zh text);
"""
ROWS = """
insert into publish.pointer (published_month, version, business_date, run_id, published_at, withheld_rows, withheld_share,
    withheld_kwh, withheld_cny)
values ('2026-06-01', 1, '2026-06-30', 1, now(), 9, 0, 0, 0), ('2026-07-01', 1, '2026-07-10', 1, now(), 2, 0, 0, 0);
insert into marts.mart_key_account_ranking values
    ('A1', '2026-07-01', 1, 8000000, 0.8, true, true, '2025-01-01', null, false),
    ('A2', '2026-07-01', 2, 1500000, 0.95, false, true, '2026-07-01', null, true),
    ('A3', '2026-07-01', 3, 500000, 1, false, false, null, '2026-07-01', false),
    ('A4', '2026-07-01', null, 0, null, false, false, null, null, false),
    ('A3', '2026-06-01', 1, 99000000, 1, true, true, null, null, false);
insert into marts.mart_churn_risk values
    ('A1', '2026-07-01', 20, 'PRICE_SPREAD', null, false),
    ('A2', '2026-07-01', 31, 'DAYS_TO_END', 12, false),
    ('A3', '2026-07-01', 90, 'OUTAGES', null, false),
    ('A1', '2026-06-01', 99, 'OUTAGES', null, false);
insert into marts.mart_two_rates values
    ('ORGANISATION', '11', '2026-07-01', 'CUSTOMER', '11', 99.9, 99.5, false),
    ('ORGANISATION', '11', '2026-07-01', 'SUPPLY', '11', 99.95, null, false),
    ('ORGANISATION', '12', '2026-07-01', 'CUSTOMER', '12', 99.7, 99.4, false),
    ('ORGANISATION', '12', '2026-07-01', 'SUPPLY', '12', 99.99, null, false),
    ('ORGANISATION', '11', '2026-06-01', 'CUSTOMER', '11', 98, 97.5, false),
    ('ORGANISATION', '11', '2026-06-01', 'SUPPLY', '11', 99, 99.25, false),
    ('ACCOUNT', 'A1', '2026-07-01', 'CUSTOMER', '11', 50, 50, false);
insert into marts.mart_two_rates_gap values
    ('2026-07-01', 2, 1, 4), ('2026-07-01', 1, 0, 3), ('2026-06-01', 50, 50, 50);
insert into marts.mart_connection_funnel values
    ('P1', 'A1', 'OPEN', 'BUILD', 30, 10, 15, 0, 5, 22, null, false),
    ('P2', null, 'OPEN', 'NEW_STAGE', 26, 24, 0, 0, 2, 22, false, false),
    ('P3', 'A3', 'DONE', 'ARCHIVE', 80, 70, 10, 0, 0, 22, false, false);
insert into marts.mart_energy_structure values
    ('11', '2026-07-01', 6000, 30, 10, 0, 5960, false), ('12', '2026-07-01', 4000, 0, 0, 8, 3992, true),
    ('11', '2026-06-01', 100, 100, 0, 0, 0, false);
insert into marts.fct_rule_results values
    ('MET-02', 'A curve has 96 values.', 'metering office', 5, 2, 4), ('MKT-01', 'An account has a name.', 'billing office', 1, 0, 0),
    ('CON-01', 'A contract is signed.', 'contract office', 4, 4, 9);
insert into marts.mart_load_cluster values
    ('A1', '2026-07-01', 1, 3, 1.2, false, false, '[1, 1, 1, 1]', '[1, 1, 1, 1]'),
    ('A2', '2026-07-01', 1, 3, 4.5, true, false, '[0.4, 2.2, 0.8, 0.6]', '[1, 1.1, 1, 0.9]'),
    ('A3', '2026-07-01', 1, 3, 9.9, true, false, '[1, 1, 1, 9]', '[1, 1, 1, 1]');
insert into marts.mart_saving_advice values
    ('A2', '2026-07-01', 'PF_UP', 1234.4, 1), ('A2', '2026-07-01', 'MD_REDUCE', 1000, 2);
insert into marts.dim_codes values
    ('last_stage_code', 'BUILD', 'construction', '施工'), ('stage_code', 'BUILD', 'another list', '另一列表'),
    ('churn_driver_1', 'PRICE_SPREAD', 'cheaper in the market', '市场价更低'), ('advice_code', 'PF_UP', 'raise the power factor', '提高功率因数');
"""
ENGLISH = {
    "portfolio": "1 of 3 accounts bring 80.0 % of 10.0 million yuan in twelve months; 2 are key accounts,"
    " 1 entered and 1 left with July 2026 (A2, A3).",
    "risk": "The 2 key accounts with the highest churn score bring 9.50 million yuan a year;"
    " first A2: score 31, its agreement ends in 12 days.",
    "supply": "July 2026: 3 interruptions were seen by the meters alone, 1 by the supply side alone, 7 by both;"
    " the meters' lowest reliability is 99.700 %, at 12.",
    "connections": "2 applications are open, 1 past the utility's clock; the longest, P1, takes 30 working days"
    " and is at the stage of construction.",
    "data": "99.60 % of 10,000 readings expected in July 2026 arrived; 4 findings are open, most by MET-02.",
    "load": "A2 differs most from the 3 accounts that work alike: its working day peaks at 01:00 with 2.20 times its mean;"
    " best advice: raise the power factor, 1,234 yuan that month.",
}
CHINESE = {
    "portfolio": "3 户中的 1 户贡献了近十二个月 1,000 万元收入的 80.0 %；大客户共 2 户，2026年7月进入 1 户、退出 1 户 (A2, A3)。",
    "risk": "流失评分最高的 2 户大客户年收入合计 950 万元；首位 A2：评分 31，主因协议 12 天后到期。",
    "supply": "2026年7月：仅电表发现的停电 3 次，仅供电侧记录 1 次，双方一致 7 次；电表侧可靠率最低为 12 的 99.700 %。",
    "connections": "在途申请 2 件，其中 1 件超出供电企业时限；最久的 P1 已历时 30 个工作日，处于施工环节。",
    "data": "2026年7月应采 10,000 点，到达 99.60 %；未关闭问题 4 个，最多的是 MET-02。",
    "load": "A2 与同类 3 户差异最大：工作日 01:00 达到峰值，为其均值的 2.20 倍；最优建议：提高功率因数，当月可节省 1,234 元。",
}
# Five figures of the sentences, each by SQL of its own.
FIGURES = [
    (
        "select trunc(100 * sum(revenue_12m_cny) filter (where is_pareto) / sum(revenue_12m_cny), 1)"
        " from marts.mart_key_account_ranking where revenue_rank is not null"
        " and ranking_month = (select max(ranking_month) from marts.mart_key_account_ranking)",
        "accounts bring {} % of",
    ),
    (
        "select count(*) from marts.mart_connection_funnel where status_code = 'OPEN' and last_stage_code is not null",
        "{} applications are open",
    ),
    ("select count(*) from quality.findings where state = 'open'", "{} findings are open"),
    (
        "select to_char(sum(expected_slots), 'FM999,999,999') from marts.mart_energy_structure"
        " where month_start_date = (select max(month_start_date) from marts.mart_energy_structure)",
        "of {} readings expected in",
    ),
    (
        "select sum(matched_outages)::integer from marts.mart_two_rates_gap"
        " where month_start_date = (select max(month_start_date) from marts.mart_two_rates_gap)",
        "by the supply side alone, {} by both",
    ),
]
_HIDDEN = "[...document.querySelectorAll('main .says span')].filter((s) => s.checkVisibility()).map((s) => s.lang)"
_GROUND = "getComputedStyle(document.body).backgroundColor"
_CUT = """[...document.querySelectorAll('main section *')].filter((e) => e.checkVisibility() && !e.closest('svg') &&
  e.getBoundingClientRect().right > document.documentElement.clientWidth).map((e) => e.outerHTML.slice(0, 80))"""


@pytest.fixture
def published(database: str) -> Warehouse:
    """Synthetic marts, filled by hand."""
    with psycopg.connect(database) as conn:
        conn.execute(MARTS)
        conn.execute(ROWS)
        conn.execute("grant select on all tables in schema marts to kaw_reader")
    return Warehouse(database)


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Browser]:
    if not shutil.which("chromium"):
        pytest.skip("chromium")
    with browser(tmp_path / "chromium") as opened:
        yield opened


def test_each_chart_says_in_two_languages_what_the_marts_hold(published: Warehouse) -> None:
    shown = read_overview(published)
    said = overview_text.sentences(shown)
    assert {name: text.en for name, text in said.items()} == ENGLISH
    assert {name: text.zh for name, text in said.items()} == CHINESE
    assert (shown.business_date, shown.months, shown.withheld_rows) == (date(2026, 7, 10), 2, 2)
    assert (shown.portfolio.partial_rows, shown.data.partial_rows) == (1, 1)
    assert [row["account_no"] for row in shown.risk.rows] == ["A1", "A2"]  # by revenue; A3 is no key account
    rates = [(row["rate"], row["org_no"], float(row["customer"]), float(row["supply"])) for row in shown.supply.rows]
    assert rates == [
        ("reliability", "11", 99.9, 99.95),
        ("reliability", "12", 99.7, 99.99),
        ("voltage", "11", 97.5, 99.25),  # July's is not reported yet
    ]
    assert [row["application_no"] for row in shown.connections.rows] == ["P2", "P1"]


def test_the_page_shows_the_figures_behind_its_sentences(published: Warehouse, tmp_path: Path) -> None:
    load = "insert into quality.receipts (source_name, table_name, business_date, state, delivered_rows, inserted_rows, channel,"
    load += " is_synthetic) values (%s, 'x', '2026-07-10', 'landed', 1, 1, 'auto', %s)"
    with published.connect() as conn:
        conn.execute(load, ("metering", True))
    path = write_overview(read_overview(published), tmp_path, report="2026-07-10_run_1/report.html")
    page = Page(path)
    assert page.open == []
    for sentence in (*ENGLISH.values(), *CHINESE.values()):
        assert sentence in page.text
    for figure in (
        "8.00 million yuan",
        "95.0 %",
        "cheaper in the market",
        "NEW_STAGE",
        "26 late",
        "99.33 %",
        "2026-07-10",
    ):
        assert figure in page.text, figure
    assert "1 row lacks what is withheld" in page.text
    assert "2 source rows are withheld" in page.text
    assert "every row is synthetic" in page.text
    assert "CON-01" not in page.text  # waived
    assert ("a", {"href": "2026-07-10_run_1/report.html"}) in page.tags
    assert not re.search(r"https?:|//|url\(|@import", page.html)
    with published.connect() as conn:
        conn.execute(load, ("marketing", False))
    assert "synthetic rows: metering" in render(read_overview(published))
    with published.connect() as conn:
        conn.execute("update quality.receipts set is_synthetic = null where source_name = 'metering'")
    assert "synthetic" not in render(read_overview(published))


def test_accounts_and_organisations_are_called_by_their_names_where_these_are_published(
    published: Warehouse, tmp_path: Path
) -> None:
    with psycopg.connect(published.address) as conn:
        conn.execute(
            """
            create table marts.dim_accounts (account_no text, account_name text);
            create table marts.dim_organisations (org_no text, org_name text);
            insert into marts.dim_accounts values ('A1', 'Synthetic Steel'), ('A2', 'A2');
            insert into marts.dim_organisations values ('12', 'Synthetic Station');
            grant select on all tables in schema marts to kaw_reader
            """
        )
    shown = read_overview(published)
    assert [row["name"] for row in shown.risk.rows] == ["Synthetic Steel", None]  # the number is no name
    assert "99.700 %, at Synthetic Station (12)" in overview_text.sentences(shown)["supply"].en
    text = Page(write_overview(shown, tmp_path)).text
    assert text.count("Synthetic Steel") >= 2
    assert "Synthetic Station" in text


def test_a_ranked_account_whose_revenue_is_withheld_is_shown_without_it(published: Warehouse, tmp_path: Path) -> None:
    with psycopg.connect(published.address) as conn:
        conn.execute(
            "update marts.mart_key_account_ranking set revenue_12m_cny = null, is_partial = true where account_no = 'A2'"
        )
    shown = read_overview(published)
    assert "80.0 % of 8.50 million yuan" in overview_text.sentences(shown)["portfolio"].en
    assert "A2 – 95.0 %" in Page(write_overview(shown, tmp_path)).text


def test_a_warehouse_without_rows_has_a_page_that_says_so(database: str, tmp_path: Path) -> None:
    with psycopg.connect(database) as conn:
        conn.execute(MARTS)
        conn.execute("grant select on all tables in schema marts to kaw_reader")
    shown = read_overview(Warehouse(database))
    assert {text.en for text in overview_text.sentences(shown).values()} == {"Nothing is published about it yet."}
    assert "Nothing is published yet." in Page(write_overview(shown, tmp_path)).text


def test_it_is_readable_in_both_languages_in_light_in_dark_and_on_a_telephone(
    published: Warehouse, page: Browser, tmp_path: Path
) -> None:
    path = write_overview(read_overview(published), tmp_path, "zh")
    seconds = page.open(path)
    assert seconds < 2
    assert page.evaluate(_HIDDEN) == ["zh"] * 6
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    page.evaluate("document.getElementById('language').click()")
    assert page.evaluate(_HIDDEN) == ["en"] * 6
    grounds = set()
    for scheme in ("light", "dark"):
        page.show(scheme)
        grounds.add(page.evaluate(_GROUND))
        for _ in ("en", "zh"):
            assert page.evaluate(_UNREADABLE % READABLE) == [], scheme
            assert page.evaluate(_CUT) == []
            page.evaluate("document.getElementById('language').click()")
    assert len(grounds) == 2
    page.evaluate("document.getElementById('theme').click()")  # the viewer's choice beats the system's
    page.show("dark")
    assert page.evaluate(_GROUND) == "rgb(244, 245, 247)"
    page.show("light", width=TELEPHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= TELEPHONE
    assert page.evaluate(_CUT) == []
    assert page.problems == []


def test_chinese_falls_back_to_a_font_of_each_system(published: Warehouse, page: Browser, tmp_path: Path) -> None:
    page.open(write_overview(read_overview(published), tmp_path, "zh"))
    families = page.evaluate("getComputedStyle(document.querySelector('.says .zh')).fontFamily")
    for family in ("Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", "WenQuanYi Micro Hei"):
        assert family in families
    assert families.endswith("sans-serif")


def test_it_reads_what_is_published_and_nothing_else() -> None:
    text = Path(overview_data.__file__).read_text(encoding="utf-8")
    read = re.findall(r"\b(?:from|join)\s+([a-z_]+)(\.[a-z0-9_]+)?", re.sub(r'"""[^"]*?\."""', "", text))
    found = {schema + name for schema, name in read if name and schema not in ("include", "psycopg")}
    assert len(found) == 11
    assert {name for name in found if not name.startswith("marts.")} == set()


@pytest.mark.parametrize(
    ("cny", "english", "chinese"),
    [
        (1292247713.78, "1.29 billion yuan", "12.9 亿元"),
        (61478331.94, "61.5 million yuan", "6,148 万元"),
        (999.6, "1,000 yuan", "1,000 元"),
        (0, "0 yuan", "0 元"),
        (-2500000, "-2.50 million yuan", "-250 万元"),
    ],
)
def test_yuan_are_counted_as_each_language_counts(cny: float, english: str, chinese: str) -> None:
    assert overview_text.money(cny) == overview_text.Text(english, chinese)


def test_a_share_that_is_not_whole_is_never_rounded_up_to_it() -> None:
    assert overview_text.percent(0.99999, 2) == "99.99 %"
    assert overview_text.percent(1, 2) == "100.00 %"


def test_a_night_makes_it_beside_the_report_within_five_seconds(clean_night, page: Browser) -> None:
    folder = Path(clean_night.environment["KAW_HOME"]) / "reports"
    text = Page(folder / "overview.html").text
    ((ranked, key_accounts),) = clean_night.rows(
        "select count(revenue_rank), count(*) filter (where is_key_account) from marts.mart_key_account_ranking"
        " where ranking_month = (select max(ranking_month) from marts.mart_key_account_ranking)"
    )
    assert f"of {ranked} accounts bring" in text
    assert f"{key_accounts} are key accounts" in text
    for query, said in FIGURES:
        ((figure,),) = clean_night.rows(query)
        assert said.format(figure) in text, query
    assert text.count("Nothing is published about it yet.") == 1  # one day of curves makes no ordinary day
    started = time.monotonic()
    write_overview(read_overview(clean_night.warehouse), folder)
    assert time.monotonic() - started < 5
    page.open(folder / overview.NAME)
    page.show("light", width=TELEPHONE)
    assert page.evaluate(_CUT) == []
    assert page.problems == []


def test_an_unknown_language_is_wrong_usage(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setenv("KAW_LANG", "de")
    assert cli.main(["status"]) == 2
    assert "set it to en or zh" in capsys.readouterr().err
