"""The documentation site: it builds without a warning, asks nobody for anything, and its search finds what a reader asks."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from include.errors import UsageError
from include.local.site import write_site
from tests.browser import browser

# What a reader types -> pages that answer it. The questions were written before the search was tried.
QUESTIONS = {
    "getting started": {"tutorial/first-mart"},
    "run it every night": {"how-to/schedule"},
    "what to do when a gate stopped the night": {"how-to/blocked-gate"},
    "waive a rule": {"how-to/waiver"},
    "undo a bad publish": {"how-to/roll-back"},
    "a bill arrives late": {"how-to/late-data"},
    "how do I add a rule": {"how-to/adding-a-rule"},
    "how do I add a mart": {"how-to/adding-a-mart"},
    "new source table": {"how-to/adding-a-source-table"},
    "change a threshold": {"how-to/threshold"},
    "send alerts to DingTalk": {"how-to/alerts"},
    "connect Power BI": {"how-to/readers"},
    "login for an account manager": {"how-to/readers"},
    "dashboards in Chinese": {"how-to/dashboards"},
    "upgrade to a new version": {"how-to/upgrade"},
    "docker compose": {"how-to/more-machines"},
    "what does exit code 3 mean": {"reference/exit-codes"},
    "KAW_HOME": {"reference/settings"},
    "source database timeout": {"reference/settings", "how-to/sources"},
    "options of kaw run": {"reference/commands"},
    "columns of mart_churn_risk": {"reference/marts-accounts"},
    "where are tariff prices": {"reference/seeds", "how-to/threshold"},
    "schemas of the database": {"reference/schemas"},
    "MET-12": {"reference/rules"},
    "what does quarantine mean": {"explanation/quality"},
    "why is a measure empty or partial": {"explanation/quality"},
    "how are marts published": {"explanation/publishing"},
    "file with wrong encoding refused": {"how-to/sources"},
    "rows left out of a delivery": {"how-to/late-data"},
    "work list of an office": {"how-to/findings"},
}
FOUND = "Search._performSearch(...Search._parseQuery({question})).map((result) => result[0])"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_site(tmp_path_factory.mktemp("site") / "html").parent


def test_every_page_is_there_and_asks_no_other_server(site: Path):
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 40
    outside = re.compile(r"""<(?:script|link|img|iframe)\b[^>]*(?:src|href)=["'](?:https?:)?//[^"']*""")
    assert {page.name: found for page in pages if (found := outside.findall(page.read_text("utf-8")))} == {}
    styles = [
        path for path in site.rglob("*.css") if re.search(r"url\(['\"]?(?:https?:)?//|@import", path.read_text("utf-8"))
    ]
    assert styles == []


def test_the_search_finds_the_page_of_each_question_among_the_first_three(site: Path, tmp_path: Path):
    assert len(QUESTIONS) == 30
    if not shutil.which("chromium"):
        pytest.skip("chromium")
    missed = {}
    with browser(tmp_path) as page:
        page.open(site / "search.html")
        page.wait("typeof Search !== 'undefined' && Search.hasIndex()", 30)
        for question, answers in QUESTIONS.items():
            order = page.evaluate(FOUND.format(question=repr(question)))[::-1]  # the page shows the last first
            first = list(dict.fromkeys(order))[:3]
            if not answers & set(first):
                missed[question] = first
        own = (f"request: {site.as_uri()}", "request: data:")
        assert [problem for problem in page.problems if not problem.startswith(own)] == []
    assert missed == {}


def test_a_folder_that_is_no_site_is_left_as_it_is(tmp_path: Path):
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(UsageError, match="is there and is no site of before"):
        write_site(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]
