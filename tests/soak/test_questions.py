"""Twelve questions in at most three clicks each, in Superset and in the pages of Airflow, against a second hand's SQL; a filter and
a drill-down; what axe-core and the key Tab find on the pages. On two nights of a small utility with planted defects."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest

from include.environment import variables
from include.local import identities
from include.settings import LANGUAGES, ROOT
from tests import accessible, questions
from tests.browser import browser
from tests.dashboards import FIRST_LINK, card, open_dashboard
from tests.pages_served import served

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3600)]
PAGES = (
    "/",
    "/runs/2",
    "/expected",
    "/findings",
    "/worklists",
    "/approvals",
    "/runs/99",
    "/overview",
    "/runs/2/report",
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """After two nights and `./kaw bi`: site and viewer's password of Superset, a reader's connection and the owner's address."""
    if not shutil.which("chromium"):
        pytest.skip("chromium")
    folder = tmp_path_factory.mktemp("questions")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KAW_")}
    environment |= {"KAW_HOME": str(folder), "KAW_VENV": sys.prefix}

    def kaw(*arguments: str) -> None:
        subprocess.run([str(ROOT / "kaw"), *arguments], env=environment, check=True, stdout=subprocess.DEVNULL)

    try:
        nights = ("--from", "2026-07-09", "--to", "2026-07-10")
        kaw("run", "--accounts", "60", "--rich", "--defects", "7", *nights)
        kaw("bi")
        kept = json.loads((folder / "superset" / "secrets.json").read_text())
        server = json.loads((folder / "server.json").read_text())
        (logins,) = (door["logins"] for door in json.loads((folder / "bi.json").read_text()).values())
        place = f"127.0.0.1:{server['port']}/warehouse"
        with psycopg.connect(
            f"postgresql://warehouse_bi_reader:{logins['warehouse_bi_reader']}@{place}", autocommit=True
        ) as reader:
            yield SimpleNamespace(
                folder=folder,
                site=f"http://127.0.0.1:{kept['port']}",
                password=next(user["password"] for user in kept["users"] if user["name"] == "viewer"),
                reader=reader,
                owner=f"postgresql://kaw:{server['password']}@{place}",
                pages={"KAW_HOME": str(folder)} | logins_of(folder),
            )
    finally:
        kaw("down")


def logins_of(folder: Path) -> dict[str, str]:
    """What `./kaw up` gives the processes of Airflow: the logins of the roles."""
    with variables({"KAW_HOME": str(folder)}):
        return identities.environment_of(identities.looked_at())


def test_eleven_questions_are_answered_by_superset(home, tmp_path):
    with browser(tmp_path / "profile", home.site) as page:
        questions.begin(page, "viewer", home.password)
        assert page.evaluate("location.pathname") == "/superset/dashboard/kaw-start/"
        clicks = {each.link: questions.ask(page, each, home.reader) for each in questions.QUESTIONS}
        assert len(clicks) == 11
        assert max(clicks.values()) <= questions.CLICKS
        with_rows = [each for each in questions.QUESTIONS if home.reader.execute(each.sql).fetchall()]
        assert len(with_rows) >= 8  # a month without an outage or a late notice is a good one
        assert page.problems == []


def test_the_twelfth_is_answered_by_the_newest_report(home, tmp_path):
    """Last night against the one before: what is new, what is there again, what is gone."""
    query = """
        select
            count(*) filter (where state = 'open' and first.run_id = 2),
            count(*) filter (where state = 'open' and first.run_id < 2),
            count(*) filter (where state = 'fixed' and first.run_id < 2 and exists (
                select from quality.finding_events as fixed
                where fixed.finding_id = findings.finding_id and fixed.run_id = 2 and fixed.event = 'fixed'))
        from quality.findings
        inner join lateral (
            select min(run_id) as run_id from quality.finding_events where finding_events.finding_id = findings.finding_id
        ) as first on true
    """
    with psycopg.connect(home.owner) as owner:
        (expected,) = owner.execute(query).fetchall()
    assert expected[1] > 0
    with served(**home.pages, AIRFLOW_HOME=str(tmp_path)) as site, browser(tmp_path / "profile", site) as page:
        page.show("light", width=1440, height=900)
        page.visit("/warehouse/", "document.querySelector('main')")
        questions.click(page, "Report")
        page.wait("document.querySelector('#money')")
        questions.click(page, "Money")
        tiles = page.evaluate(
            "[...document.querySelectorAll('#money .tile')].map((t) => [t.querySelector('.label').innerText,"
            " t.querySelector('.value').innerText, t.getBoundingClientRect().top < innerHeight])"
        )
    shown = {label.capitalize(): (value, in_sight) for label, value, in_sight in tiles}
    assert [shown[name] for name in ("New", "Repeated", "Gone")] == [(f"{count:,}", True) for count in expected]


def test_a_filter_and_a_drill_down_change_the_figures_to_what_sql_says(home, tmp_path):
    revenue = f"""
        select organisations.org_name, to_char(sum(ranking.revenue_12m_cny), 'FM999999999990')
        from marts.mart_key_account_ranking as ranking
        inner join marts.dim_accounts as accounts using (account_no)
        inner join marts.dim_organisations as organisations on organisations.org_no = accounts.org_no
        where ranking.ranking_month = {questions.NEWEST} group by 1 order by sum(ranking.revenue_12m_cny) desc
    """
    with browser(tmp_path / "profile", home.site) as page:
        questions.begin(page, "viewer", home.password)
        page.show("light", width=1440, height=4600)
        open_dashboard(page, "/superset/dashboard/kaw-portfolio/", 12)
        ((name, expected), *_) = home.reader.execute(revenue).fetchall()
        before = card(page, "Revenue of twelve months ¥")
        questions.choose(page, "Organisation", name)
        page.wait(
            "document.querySelector('[data-test-chart-name=\"Revenue of twelve months ¥\"] .slice_container')"
            f"?.innerText.replaceAll(',', '').trim() === '{expected}'"
        )
        assert before != expected

        questions.read(page, "Who may leave, and why")
        link, account = page.evaluate(FIRST_LINK)  # of that organisation
        open_dashboard(page, link, 10)
        bills = "select count(*) from marts.mart_payment_behaviour join marts.dim_accounts using (account_no) where account_name = %s"
        ((count,),) = home.reader.execute(bills, [account]).fetchall()
        assert len(questions.read(page, "Bills and payments")["rows"]) == count
        org = "select org_name from marts.dim_accounts join marts.dim_organisations using (org_no) where account_name = %s"
        assert home.reader.execute(org, [account]).fetchone() == (name,)
        assert page.problems == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_serious_keeps_anybody_from_the_pages(home, tmp_path, language):
    script = accessible.axe(tmp_path)
    environment = home.pages | {"KAW_LANG": language, "AIRFLOW_HOME": str(tmp_path)}
    with served(**environment) as site, browser(tmp_path / "profile", site) as page:
        for path in PAGES:
            for scheme in ("light", "dark"):
                page.show(scheme)
                page.visit(f"/warehouse{path}", "document.querySelector('main, #content')")
                assert accessible.violations(page, script) == [], (path, scheme)
            if "report" not in path and path != "/overview":
                stops = accessible.keyboard_stops(page)
                assert stops[0] in ("Skip to the content", "跳到正文"), path
                assert [stop for stop in stops if stop.startswith("!")] == [], path
                text = page.evaluate("document.querySelector('nav, main').innerText")
                assert any("一" <= sign <= "鿿" for sign in text) == (language == "zh"), path
        page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=\"data:,\"><input>')")
        assert {rule for _, rule, _ in accessible.violations(page, script)} >= {"image-alt", "label"}
