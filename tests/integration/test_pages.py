"""The pages in Airflow: who may see them, what they show, and which files they hand out."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from include.local.server import Server
from tests.airflow_trial import ask
from tests.nights import DAY, Utility, after_a_night

FOLDER = f"{DAY}_run_1"
FILES = ("findings.csv", "findings.json", "findings.xlsx", "absent.csv")
LISTS = ("metering_office.xlsx", "metering_office.csv", "metering_office_absent.csv")
REFUSED = (
    f"/reports/{FOLDER}/notes.txt",
    f"/reports/{FOLDER}/elsewhere.html",
    f"/reports/{FOLDER}/..%2f..%2foverview.html",
    "/reports/%2e%2e/overview.html",
    "/worklists/..%2falerts.json",
    "/worklists/nobody.csv",
    "/runs/99",
)
RULE = "MET-02"


@pytest.fixture(scope="module")
def night(
    server: Server, session_home: Path, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Utility]:
    """A night with planted defects; beside its report lie a file of another suffix, and a link that leads out."""
    with pytest.MonkeyPatch.context() as environment:
        for utility in after_a_night(server, session_home, template, 7, tmp_path_factory.mktemp("pages"), environment):
            home = Path(utility.environment["KAW_HOME"])
            (home / "reports" / FOLDER / "notes.txt").write_text("not for readers")
            (home / "secret.html").write_text("not for readers")
            (home / "reports" / FOLDER / "elsewhere.html").symlink_to(home / "secret.html")
            yield utility


@pytest.fixture(scope="module")
def pages(night: Utility) -> dict:
    asked = [f"/reports/{FOLDER}/{name}" for name in FILES]
    asked += [f"/worklists/{name}" for name in LISTS]
    asked += [*REFUSED, f"/findings?rule={RULE}", "/findings?state=nonsense", "/findings?page=0"]
    return ask(FOLDER, *asked, module="tests.pages_trial", **night.environment)


def test_every_route_refuses_who_is_not_logged_in_or_in_the_wrong_role(pages: dict) -> None:
    assert {path for _, path, _ in pages["nobody"]} >= {
        f"{pages['prefix']}{path}" for path in ("/", "/runs/1", "/findings", "/worklists", "/approvals", "/expected")
    }
    assert {status for *_, status in pages["nobody"]} == {401}
    assert {status for *_, status in pages["wrong_role"]} == {403}


def test_no_route_is_of_a_kind_that_the_guard_does_not_see(pages: dict) -> None:
    """What is mounted or added beside the application's dependencies would be open to everybody."""
    assert pages["kinds"] == ["APIRoute"]
    assert pages["kinds_with_one_left_open"] == ["APIRoute", "Route"]


def test_a_role_is_asked_for_a_nights_logs(pages: dict) -> None:
    assert pages["asked_of"] == [["GET", "TASK_LOGS", "build_warehouse"]]


def test_the_pages_read_in_the_reading_role_alone(pages: dict) -> None:
    assert pages["acts_as"] == ["kaw_reader", "on"]


def test_what_the_pages_show_is_what_the_warehouse_has(pages: dict, night: Utility) -> None:
    def text(path: str) -> str:
        status, _, body = pages["pages"][path]
        assert status == 200, (path, body)
        return " ".join(html.unescape(re.sub(r"<style>.*?</style>|<[^>]+>", " ", body, flags=re.DOTALL)).split())

    ((findings,),) = night.rows("select count(*) from quality.findings where state = 'open'")
    ((of_rule,),) = night.rows("select count(*) from quality.findings where state = 'open' and rule_id = %s", RULE)
    assert findings > of_rule > 0
    assert f"{findings:,} findings," in text("/findings")
    assert text(f"/findings?rule={RULE}").count("MET-02 quarantine") == of_rule
    ((withheld,),) = night.rows("select distinct withheld_rows from marts.publication")  # of one publish, in each month
    assert withheld > 0
    assert f"Published as of {DAY}: 13 months, {withheld:,} rows withheld" in text("/")
    assert f"Night of {DAY}: published" in text("/")
    assert "gate 1 passed" in text("/runs/1")
    assert "of 13 tables landed" in text("/expected")
    offices = dict(night.rows("select office, count(*) from quality.findings where state = 'open' group by office"))
    assert all(re.search(rf"{office} {count:,} ", text("/worklists")) for office, count in offices.items())
    assert "Let PIP-03 pass?" in text("/approvals")


def test_a_report_is_found_by_its_run_and_shown_without_the_session(pages: dict) -> None:
    status, headers, _ = pages["pages"]["/runs/1/report"]
    assert (status, headers["location"]) == (303, f"{pages['prefix']}/reports/{FOLDER}/report.html")
    for path in (f"/reports/{FOLDER}/report.html", "/overview"):
        status, headers, body = pages["pages"][path]
        assert (status, body[:15]) == (200, "<!doctype html>")
        assert headers["content-security-policy"].startswith("sandbox allow-scripts")
        assert "allow-same-origin" not in headers["content-security-policy"]


def test_files_of_the_allowed_suffixes_are_handed_out_and_no_others(pages: dict) -> None:
    for path in [f"/reports/{FOLDER}/{name}" for name in FILES] + [f"/worklists/{name}" for name in LISTS]:
        status, headers, size = pages["pages"][path]
        assert (status, headers["content-disposition"].split(";")[0], size > 0) == (200, "attachment", True), path
    assert {path: pages["pages"][path][0] for path in REFUSED} == dict.fromkeys(REFUSED, 404)


def test_what_is_not_there_is_said_in_the_language_of_the_reader(pages: dict) -> None:
    said = {
        path: re.search(r"<main.*?<p>(.*?)</p>", text, re.DOTALL)[1]
        for path, text in pages["absent_in_chinese"].items()
    }
    assert set(REFUSED) <= set(said)
    assert said["/runs/99"] == "没有第 99 次运行。"
    assert [text for text in said.values() if not re.search("[一-鿿]", text)] == []
    assert [pages["pages"][f"/findings?{asked}"][0] for asked in ("state=nonsense", "page=0")] == [422, 422]


def test_every_answer_says_that_nothing_else_is_loaded_and_nothing_kept(pages: dict) -> None:
    for status, headers, _ in pages["pages"].values():
        assert "default-src 'none'" in headers["content-security-policy"], status
        assert (headers["cache-control"], headers["x-content-type-options"]) == ("no-store", "nosniff")


def test_the_menu_of_airflow_leads_to_them(pages: dict) -> None:
    assert pages["views"] == [{"name": "Warehouse", "href": f"{pages['prefix']}/", "destination": "nav"}]
