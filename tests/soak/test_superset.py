"""Superset for real: set up, imported twice, exported and compared, every page in a browser, as viewer and as manager, and stopped."""

from __future__ import annotations

import json
import re
import shutil
import stat
import subprocess
from pathlib import Path

import psutil
import psycopg
import pytest
import yaml

from include.bi.declared import dashboards
from include.bi.queries import slug
from include.local import cli, door, superset
from include.settings import settings
from tests import dashboards as pages
from tests.browser import browser

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3600)]
EXPORT = Path(pages.__file__).parent / "superset_export.py"


def assets(given) -> dict[str, dict]:
    """Uuid -> asset, as Superset exports it."""
    done = subprocess.run(
        [str(superset._environment()), "-P", str(EXPORT)],
        capture_output=True,
        text=True,
        check=True,
        env=superset._process_environment(given),
    )
    exported = json.loads(done.stdout.rsplit("\n", 2)[-2])
    found = [yaml.load(text, yaml.CSafeLoader) for text in exported.values()]
    for asset in found:
        for part in ("columns", "metrics"):  # which have no order
            if part in asset:
                asset[part].sort(key=lambda item: item.get("column_name") or item.get("metric_name"))
    return {asset["uuid"]: asset for asset in found if "uuid" in asset}


def drift(folder: Path, exported: dict[str, dict]) -> dict[str, str]:
    """What an asset has otherwise than the bundle, first difference by name of its file; what is in Superset alone too."""
    found, known = {}, set()
    for path in sorted(folder.rglob("*.yaml")):
        wanted = yaml.safe_load(path.read_text("utf-8"))
        if "uuid" not in wanted:
            continue
        known.add(wanted["uuid"])
        if wanted["uuid"] not in exported:
            found[path.name] = "missing"
        elif difference := first_difference(wanted, exported[wanted["uuid"]]):
            found[path.name] = difference
    return found | {asset.get("uuid"): "not in the bundle" for uuid, asset in exported.items() if uuid not in known}


def first_difference(wanted, there, where: str = "") -> str | None:
    """Superset adds keys and gives numbers of its own to charts: what the bundle says must be there as it says it."""
    if isinstance(wanted, dict):
        if not isinstance(there, dict):
            return f"{where}: {there!r}"
        for name, value in wanted.items():
            if name in ("chartId", "chartsInScope", "excluded", "version"):
                continue
            if difference := first_difference(value, there.get(name), f"{where}/{name}"):
                return difference
        return None
    if isinstance(wanted, list):
        if isinstance(there, list) and len(wanted) == len(there):
            keyed = [item.get("column_name") or item.get("metric_name") for item in wanted if isinstance(item, dict)]
            if keyed and all(keyed):  # columns and metrics have no order
                by = {item.get("column_name") or item.get("metric_name"): item for item in there}
                there = [by.get(name) for name in keyed]
            for number, (one, other) in enumerate(zip(wanted, there, strict=True)):
                if difference := first_difference(one, other, f"{where}/{number}"):
                    return difference
            return None
        return f"{where}: {there!r}"
    same = wanted == there or (not wanted and not there)
    return None if same else f"{where}: {wanted!r} is {there!r}"


@pytest.fixture
def opened(clean_night, tmp_path, capsys):
    """The home after `./kaw bi`, with the user of one manager; nothing of it is left running."""
    if not shutil.which("chromium"):
        pytest.skip("chromium")
    clean_night.enter()
    given = settings()
    ((manager,),) = clean_night.rows(
        "select manager_no from publish.manager_accounts group by 1 order by count(*) desc limit 1"
    )
    try:
        assert cli.main(["bi", "manager", manager]) == 0
        assert cli.main(["bi"]) == 0
        told = capsys.readouterr().out
        yield given, told, manager, clean_night
    finally:
        superset.down(given)
        door.close(given)


def test_superset_from_set_up_to_stop(opened, tmp_path, capsys, monkeypatch):
    given, told, manager, night = opened
    kept = json.loads((superset.home(given) / "secrets.json").read_text())
    passwords = {user["name"]: user["password"] for user in kept["users"]}
    assert set(passwords) == {"admin", "viewer", manager}
    for board in dashboards():
        assert f"/superset/dashboard/{slug(board)}/" in told

    # secrets: one file of the owner's; on no command line and in no environment of the processes
    assert stat.S_IMODE((superset.home(given) / "secrets.json").stat().st_mode) == 0o600
    (worker,) = superset._background(given).running()
    for process in (worker, *worker.children(recursive=True)):
        said = " ".join([*process.cmdline(), *process.environ().values()])
        assert not [
            name
            for name in (*passwords.values(), kept["secret_key"], *kept["metadata_passwords"].values())
            if name in said
        ]
    assert [c.laddr.ip for c in worker.net_connections() if c.status == psutil.CONN_LISTEN] == ["127.0.0.1"]

    # what is in it is the bundle; a change by hand is seen, and taken back by the next import, which changes nothing else
    folder = superset.home(given) / "bundle"
    first = assets(given)
    assert drift(folder, first) == {}
    with psycopg.connect(kept["metadata_url"].replace("+psycopg2", ""), autocommit=True) as metadata:
        ids = "select id, uuid::text from slices union all select id, uuid::text from dashboards order by 2"
        before = metadata.execute(ids).fetchall()
        metadata.execute("update slices set slice_name = 'by hand' where slice_name = 'Key accounts'")
        assert set(drift(folder, assets(given))) == {"portfolio_key_accounts.yaml", "start_key_accounts.yaml"}
        assert cli.main(["bi"]) == 0
        second = assets(given)
        assert drift(folder, second) == {}
        assert second == first
        assert metadata.execute(ids).fetchall() == before

    site = superset.address(given)
    for user in ("viewer", manager):
        render_all(tmp_path / user, site, user, passwords[user], night, manager if user == manager else None)

    # the other language: other words, the same things
    monkeypatch.setenv("KAW_LANG", "zh")
    assert cli.main(["bi"]) == 0
    assert set(assets(settings())) == set(first)
    with browser(tmp_path / "zh", site) as page:
        page.show("light", width=1440, height=5200)
        pages.log_in(page, "viewer", passwords["viewer"])
        pages.open_dashboard(page, "/superset/dashboard/kaw-portfolio/", len(dashboards()["portfolio"].charts))
        assert "二八曲线" in page.evaluate("document.body.innerText")
        assert page.problems == []

    # nothing is left
    family = superset._background(given)._family()
    assert superset.down(given)
    assert [process for process in family if process.is_running() and process.status() != psutil.STATUS_ZOMBIE] == []
    assert not superset.is_up(given)


def render_all(profile: Path, site: str, user: str, password: str, night, manager: str | None) -> None:
    month = night.rows("select to_char(max(published_month), 'YYYY-MM') from marts.publication")[0][0]
    with browser(profile, site) as page:
        page.show("light", width=1440, height=5200)
        pages.log_in(page, user, password)
        for name, board in dashboards().items():
            pages.open_dashboard(page, f"/superset/dashboard/{slug(name)}/", len(board.charts))
            assert page.problems == [], (user, name)
            assert "Unexpected error" not in page.evaluate("document.body.innerText"), (user, name)

        # the figures of a card are those of SQL, of the manager's own accounts where a manager asks
        own = f"and account_no in (select account_no from publish.manager_accounts where manager_no = '{manager}')"
        ((accounts,),) = night.rows(
            "select count(*) from marts.mart_key_account_ranking"
            f" where to_char(ranking_month, 'YYYY-MM') = '{month}' {own if manager else ''}"
        )
        pages.open_dashboard(page, "/superset/dashboard/kaw-portfolio/", len(dashboards()["portfolio"].charts))
        assert pages.card(page, "Accounts") == str(accounts)

        # from the portfolio to the account, whose name its file then shows
        link, name = page.evaluate(pages.FIRST_LINK)
        pages.open_dashboard(page, link, len(dashboards()["account"].charts))
        assert name in pages.text_of(page, "File")
        assert page.problems == []

        # no SQL Lab, no list of users
        for path in ("/sqllab/", "/api/v1/security/users/"):
            status = page.evaluate(f"fetch('{path}').then((answer) => answer.redirected ? 302 : answer.status)")
            assert status in (302, 401, 403, 404), path
        # no expression of one's own: the login that all share would answer beside the row rule
        for metric in (
            "max(query_to_xml('select 1', true, true, '')::text)",
            "1 FROM marts.mart_credit_risk UNION ALL SELECT 1",
        ):
            asked = {"metrics": [{"expressionType": "SQL", "sqlExpression": metric, "label": "x"}]}
            body = json.dumps(json.dumps({"datasource": {"id": 1, "type": "table"}, "queries": [asked]}))
            status = page.evaluate(
                "fetch('/api/v1/chart/data', {method: 'POST', headers: {'Content-Type': 'application/json'}, body: "
                f"{body}}}).then((answer) => answer.status)"
            )
            assert status == 403, metric
        page.problems.clear()
        assert not re.search(
            r"\bSQL\b", page.evaluate("document.querySelector('header, nav, #main-menu')?.innerText || ''")
        )
