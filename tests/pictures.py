"""The pictures of the documentation, made of the product itself: `python -m tests.pictures [overview report airflow dashboards]`.

They are taken in the home of KAW_HOME after `./kaw run`, each of what is there: overview and report of the last night, Airflow's
pages where it is up (`./kaw up`), dashboards where Superset is (`./kaw bi`; with KAW_LANG=zh the Chinese ones). Needs Chromium.
"""

from __future__ import annotations

import json
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from include.bi.declared import dashboards
from include.bi.queries import slug
from include.local import scheduler, superset
from include.settings import ROOT, settings
from tests import dashboards as pages
from tests.browser import browser

PICTURES = ROOT / "docs" / "pictures"
WAREHOUSE_PAGES = {"findings": "/warehouse/findings", "expected": "/warehouse/expected"}
TALL = 5200  # a dashboard draws only the charts that are in the window
_BOTTOM = """Math.ceil(Math.max(...[...document.querySelectorAll('[data-test-chart-name]')]
  .map((chart) => chart.getBoundingClientRect().bottom)))"""


def overview(profile: Path) -> Iterator[Path]:
    yield from _of_file(profile, settings().home / "reports" / "overview.html", "overview.webp", whole=True)


def report(profile: Path) -> Iterator[Path]:
    newest = max((settings().home / "reports").glob("*_run_*/report.html"), key=lambda path: path.stat().st_mtime)
    yield from _of_file(profile, newest, "report.webp", whole=False)


def airflow(profile: Path) -> Iterator[Path]:
    """As the administrator sees them, logged in by a token."""
    login = scheduler.up()  # which only tells where it is up already
    asked = json.dumps({"username": login["user"], "password": login["password"]}).encode()
    request = urllib.request.Request(
        f"{login['address']}/auth/token", data=asked, headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        token = json.load(answer)["access_token"]
    with browser(profile, login["address"]) as page:
        page.show("light", width=1280, height=900)
        page.visit("/api/v2/monitor/health", "true")
        page.evaluate(f"document.cookie = '_token=' + {json.dumps(token)} + '; path=/'")
        for name, path in WAREHOUSE_PAGES.items():
            page.visit(path, "document.querySelector('table')")
            page.screenshot(PICTURES / f"airflow_{name}.webp", whole=False)
            yield PICTURES / f"airflow_{name}.webp"


def dashboards_of_superset(profile: Path) -> Iterator[Path]:
    kept = json.loads((superset.home(settings()) / "secrets.json").read_text())
    password = next(user["password"] for user in kept["users"] if user["name"] == "viewer")
    with browser(profile, superset.address(settings())) as page:
        pages.log_in(page, "viewer", password)
        paths = {name: f"/superset/dashboard/{slug(name)}/" for name in dashboards()}
        for name in sorted(paths, key=lambda name: name == "account"):
            page.show("light", width=1440, height=TALL)
            pages.open_dashboard(page, paths[name], len(dashboards()[name].charts))
            if name == "supply_quality":  # an account that has something to show
                paths["account"], _ = page.evaluate(pages.FIRST_LINK)
            page.show("light", width=1440, height=page.evaluate(_BOTTOM) + 24)
            made = PICTURES / "dashboards" / f"{name}_{settings().language}.webp"
            page.screenshot(made, whole=False)
            yield made


def _of_file(profile: Path, shown: Path, name: str, whole: bool) -> Iterator[Path]:
    with browser(profile) as page:
        page.show("light", width=1280, height=900)
        page.open(shown)
        page.screenshot(PICTURES / name, whole=whole)
        yield PICTURES / name


KINDS: dict[str, Callable[[Path], Iterator[Path]]] = {
    "overview": overview,
    "report": report,
    "airflow": airflow,
    "dashboards": dashboards_of_superset,
}


def main(*kinds: str) -> None:
    for kind in kinds or KINDS:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
            for made in KINDS[kind](Path(profile)):
                print(f"{made.relative_to(ROOT)}  {made.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main(*sys.argv[1:])
