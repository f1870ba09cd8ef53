"""An Airflow that `./kaw up` started in a home of its own, as a test talks to it: by its API, its metadata and its logs."""

from __future__ import annotations

import http.client
import http.server
import json
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest

from tests.airflow_trial import ROOT


@dataclass
class Airflow:
    """A home whose sources are empty folders, with Airflow up in it, and what its webhook was told."""

    home: Path
    environment: dict[str, str]
    metadata_url: str
    alerts: list[dict] = field(default_factory=list)
    address: str = ""
    password: str = ""
    sessions: set[int] = field(default_factory=set)

    def kaw(self, *arguments: str) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "include.local.cli", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=os.environ | self.environment, capture_output=True, text=True, check=False
        )

    def call(self, path: str, body: dict | None = None, token: str = "", method: str | None = None) -> tuple[int, dict]:
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, {"refused": error.read().decode()}

    def page(self, path: str, token: str) -> tuple[int, str]:
        """A page of the warehouse under Airflow's address, redirects followed."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        request = urllib.request.Request(f"{self.address}/warehouse{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def status(self, method: str, path: str) -> int:
        """What an anonymous request is answered, redirects not followed."""
        to = urlsplit(self.address)
        connection = http.client.HTTPConnection(to.hostname, to.port, timeout=30)
        try:
            body = {} if method == "GET" else {"body": b"{}", "headers": {"Content-Type": "application/json"}}
            connection.request(method, path, **body)
            return connection.getresponse().status
        finally:
            connection.close()

    def token(self) -> str:
        return self.call("/auth/token", {"username": "admin", "password": self.password})[1]["access_token"]

    def build(self, path: str, body: dict, method: str = "POST") -> dict:
        """Asks for a change of `build_warehouse` as the page does, and wants it done.

        Where the scheduler writes the same run at that moment, Airflow answers that its database refused; a person clicks again.
        """
        for _ in range(3):
            status, answer = self.call(f"/api/v2/dags/build_warehouse/{path}", body, self.token(), method)
            if status != 500 or "Database error" not in answer["refused"]:
                break
            time.sleep(1)
        assert status == 200, f"{path} {body}: {status} {answer}"
        return answer

    def select(self, query: str, values: tuple = ()) -> list[tuple]:
        with psycopg.connect(self.metadata_url) as connection:
            return connection.execute(query, values).fetchall()

    def state(self, run_id: str) -> str:
        return self.select("select state from dag_run where run_id = %s", (run_id,))[0][0]

    def ended(self, run_id: str, patience_s: float = 120) -> str:
        """The state in which a run ends."""
        return until(lambda: (state := self.state(run_id)) in ("success", "failed") and state, patience_s)

    def stop_builds(self, but: str = "") -> None:
        """Marks every run of `build_warehouse` failed that is at work or waits, but one: they run one at a time."""
        query = "select run_id from dag_run where dag_id = 'build_warehouse' and state in ('queued', 'running')"
        for (run_id,) in self.select(query):
            if run_id != but:
                self.build(f"dagRuns/{run_id}", {"state": "failed"}, "PATCH")

    def tasks(self, run_id: str) -> dict[str, tuple[str | None, int]]:
        """State and number of tries of each task of a run."""
        found = self.select("select task_id, state, try_number from task_instance where run_id = %s", (run_id,))
        return {task: (state, tries) for task, state, tries in found}

    def deadline(self, run_id: str) -> tuple[int, bool]:
        """Seconds from the moment when a run was queued last to its deadline; whether Airflow saw that it was missed."""
        query = """
            select extract(epoch from deadline.deadline_time - dag_run.queued_at)::integer, deadline.missed
            from deadline inner join dag_run on dag_run.id = deadline.dagrun_id
            where dag_run.run_id = %s
        """
        (found,) = self.select(query, (run_id,))
        return found

    def miss_deadline(self, run_id: str) -> None:
        """Puts the deadline of a run to a moment that is over, and waits until its callback was called."""
        where = "where dagrun_id = (select id from dag_run where run_id = %s)"
        with psycopg.connect(self.metadata_url) as connection:
            connection.execute(f"update deadline set deadline_time = now() {where}", (run_id,))
        called = f"select state from callback where id = (select callback_id from deadline {where})"
        assert until(lambda: (s := self.select(called, (run_id,))[0][0]) in ("success", "failed") and s) == "success"

    def bring_deadline(self, run_id: str, deadline: str) -> None:
        """The deadline of a run as `deadline` says: `pending`, as it was born, or `past`."""
        after_s, is_missed = self.deadline(run_id)
        if deadline == "past" and not is_missed:
            self.miss_deadline(run_id)
        elif deadline == "pending":
            assert (after_s, is_missed) == (3 * 60 * 60, False)

    def warehouse_answers(self, is_open: bool) -> None:
        """Lets nobody into the warehouse any more, or everybody again."""
        name = psycopg.conninfo.conninfo_to_dict(self.environment["KAW_WAREHOUSE"])["dbname"]
        with psycopg.connect(self.metadata_url, autocommit=True) as connection:
            connection.execute(f"alter database {name} with allow_connections {is_open}")

    def missed(self, run_id: str) -> list[dict]:
        """The alerts that the webhook got for the deadline of a run."""
        return [a for a in self.alerts if a["kind"] == "deadline_missed" and a["detail"]["run_id"] == run_id]

    def log(self, dag_id: str) -> str:
        """What the tasks of a DAG wrote, the last of it."""
        files = sorted((self.home / "airflow" / "logs").glob(f"dag_id={dag_id}/**/*.log"))
        return "\n".join(f"{file.parent.name}\n{file.read_text()[-3000:]}" for file in files)

    def processes(self) -> list[psutil.Process]:
        """Every process that was started for this home: some overwrite their environment, so their session is read too."""
        found = []
        for process in psutil.process_iter():
            try:
                is_ours = os.getsid(process.pid) in self.sessions or process.environ().get("KAW_HOME") == str(self.home)
                if is_ours and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except (psutil.Error, ProcessLookupError):
                continue
        return found


def webhook_into(alerts: list[dict]) -> http.server.HTTPServer:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            alerts.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_) -> None:
            pass

    webhook = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=webhook.serve_forever, daemon=True).start()
    return webhook


def until(condition, patience_s: float = 120):
    """The first true answer of the condition."""
    patient_until = time.monotonic() + patience_s
    while time.monotonic() < patient_until:
        if answer := condition():
            return answer
        time.sleep(0.5)
    return pytest.fail(f"not in {patience_s} s")
