"""The pages of the warehouse as Airflow serves them, asked in a process of its own: importing Airflow changes what comes after.

`python -m tests.pages_trial` mounts plugins/warehouse.py as Airflow does and asks every route of the pages' own list: with
nobody logged in, in a role that may read nothing, and in one that may. One line of JSON, the last, has the answers.
"""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from types import SimpleNamespace

from include.environment import variables
from tests.airflow_trial import ROOT

USER = SimpleNamespace(get_id=lambda: "1", get_name=lambda: "auditor")
VALUES = {"run_id": "1", "folder": "{folder}", "name": "report.html"}


def main(folder: str, *asked: str) -> dict:
    """`folder` is that of the report of run 1; `asked` are paths under the prefix that only who may read asks for."""
    from airflow.api_fastapi.core_api.security import get_user
    from fastapi import FastAPI
    from fastapi.testclient import TestClient

    from include.pages import access, questions
    from include.pages.app import app, opened

    plugin = _plugin()
    (served,) = plugin.WarehousePlugin.fastapi_apps
    airflow = FastAPI()
    airflow.mount(served["url_prefix"], served["app"])
    client = TestClient(airflow, follow_redirects=False, raise_server_exceptions=False)
    questions.waiting = lambda user: [questions.Question("approve_waiver", "manual__1", "Let PIP-03 pass?", None)]

    answer = {"prefix": served["url_prefix"], "views": plugin.WarehousePlugin.external_views, "kinds": _kinds(app)}
    calls = [
        (
            method,
            served["url_prefix"] + re.sub(r"{(\w+)}", lambda found: VALUES[found[1]].format(folder=folder), route.path),
        )
        for route in app.routes
        for method in sorted(getattr(route, "methods", None) or {"GET"})
    ]
    answer["nobody"] = [[method, path, client.request(method, path).status_code] for method, path in calls]
    access.get_auth_manager = lambda: SimpleNamespace(is_authorized_dag=lambda **_: False)
    app.dependency_overrides[get_user] = lambda: USER
    answer["wrong_role"] = [[method, path, client.request(method, path).status_code] for method, path in calls]
    asked_of: list[tuple] = []

    def may(**given) -> bool:
        asked_of.append((given["method"], given["access_entity"].value, given["details"].id))
        return True

    access.get_auth_manager = lambda: SimpleNamespace(is_authorized_dag=may)
    pages = [path.removeprefix(served["url_prefix"]) for method, path in calls if method == "GET"]
    answer["pages"] = {}
    for path in dict.fromkeys([*pages, *asked]):
        got = client.get(served["url_prefix"] + path)
        is_text = got.headers.get("content-type", "").startswith("text/html")
        answer["pages"][path] = [got.status_code, dict(got.headers), got.text if is_text else len(got.content)]
    with variables({"KAW_LANG": "zh"}):
        absent = [path for path, (status, *_) in answer["pages"].items() if status == 404]
        answer["absent_in_chinese"] = {path: client.get(served["url_prefix"] + path).text for path in absent}
    answer["asked_of"] = sorted(set(asked_of))
    del app.dependency_overrides[get_user]

    connection = opened()
    query = "select current_user, current_setting('transaction_read_only')"
    answer["acts_as"] = next(connection).execute(query).fetchone()
    connection.close()

    app.add_route(
        "/left_open", lambda request: None
    )  # a route that somebody adds beside the application's dependencies
    answer["kinds_with_one_left_open"] = _kinds(app)
    return answer


def _kinds(app) -> list[str]:
    return sorted({type(route).__name__ for route in app.routes})


def _plugin():
    spec = importlib.util.spec_from_file_location("warehouse_plugin", ROOT / "plugins" / "warehouse.py")
    plugin = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(plugin)
    return plugin


if __name__ == "__main__":
    print("\n" + json.dumps(main(*sys.argv[1:]), ensure_ascii=False, default=str))
