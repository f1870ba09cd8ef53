"""The pages of the warehouse at an address, for a browser: plugins/warehouse.py as Airflow mounts it, everybody logged in as an
auditor. `python -m tests.pages_served PORT` with KAW_HOME and the logins of the roles set; it ends when it is told to."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import IO
from urllib.error import HTTPError

from include.local.background import ask, free_port
from include.settings import ROOT


@contextlib.contextmanager
def served(**environment: str) -> Iterator[str]:
    """The address of the pages, in a process of its own, because importing Airflow changes what comes after."""
    port = free_port(28080)
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.pages_served", str(port)],
            cwd=ROOT,
            env=os.environ | environment,
            stdout=said,
            stderr=said,
        )
        try:
            _wait_for(f"http://127.0.0.1:{port}/warehouse/", process, said)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=20)


def _wait_for(address: str, process: subprocess.Popen, said: IO[str], patience_s: float = 90) -> None:
    """Until the page is there. What it says instead, and what its process said, is the reason of the failure."""
    until, answer = time.monotonic() + patience_s, "no answer"
    while process.poll() is None and time.monotonic() < until:
        try:
            with ask(address, 20):
                return
        except HTTPError as refused:
            answer = re.sub(r"(?s)<style.*?</style>|<[^>]*>", "", refused.read().decode())
            break
        except OSError:
            time.sleep(0.3)
    said.seek(0)
    raise AssertionError(f"the pages are not served: {' '.join(answer.split())}\n{said.read()}")


def main(port: int) -> None:
    import uvicorn
    from airflow.api_fastapi.core_api.security import get_user
    from fastapi import FastAPI

    from include.pages import access, questions
    from include.pages.app import app
    from tests.pages_trial import USER, _plugin

    (mounted,) = _plugin().WarehousePlugin.fastapi_apps
    airflow = FastAPI()
    airflow.mount(mounted["url_prefix"], mounted["app"])
    app.dependency_overrides[get_user] = lambda: USER
    access.get_auth_manager = lambda: SimpleNamespace(is_authorized_dag=lambda **_: True)
    questions.waiting = lambda user: []
    uvicorn.run(airflow, host="127.0.0.1", port=port, log_level="error")


if __name__ == "__main__":
    main(int(sys.argv[1]))
