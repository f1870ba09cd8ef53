"""The pages as routes of a FastAPI application. Each one only reads: the warehouse in its reading role, files by their suffix.

The one way in is `access.reader`, a dependency of the application and so of every route that is ever added to it. Nothing is
mounted, for a mount has no dependencies.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import psycopg
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from fastapi import Depends, FastAPI, HTTPException, Query, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException as AnyHTTPException

from include.errors import KawError
from include.orchestration import airflow_page
from include.orchestration import warehouse as configured
from include.pages import queries, questions
from include.pages.access import reader
from include.pages.template import page
from include.records.migrations import require_current
from include.records.warehouse import Warehouse
from include.report.text import Text
from include.settings import mask_secrets, settings

SUFFIXES = {
    ".html": "text/html",
    ".csv": "text/csv",
    ".json": "application/json",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'self'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
# a report holds texts as sources delivered them, and scripts of its own: it is shown as a page of nobody, without the session
OF_FILES = (
    "sandbox allow-scripts allow-popups allow-downloads; default-src 'none'; style-src 'unsafe-inline';"
    " script-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
)
_FOLDER = re.compile(r"\d{4}-\d{2}-\d{2}_run_\d+(_rebuilt)?")
_FILE = re.compile(r"[\w.-]+")

app = FastAPI(dependencies=[Depends(reader)], docs_url=None, redoc_url=None, openapi_url=None)


@app.middleware("http")
async def _headers(request: Request, call_next):
    answer = await call_next(request)
    for name, value in HEADERS.items():
        answer.headers.setdefault(name, value)
    return answer


@app.exception_handler(AnyHTTPException)
async def _refused(request: Request, error: AnyHTTPException) -> HTMLResponse:
    titles = {
        401: Text("Log in first", "请先登录"),
        403: Text("Not with your role", "当前角色无权查看"),
        404: Text("Not here", "此处没有"),
        503: Text("The warehouse does not answer", "数据仓库没有响应"),
    }
    language = _language()
    if error.detail == "Not Found":  # by no route of ours
        error = _absent("There is no such page.", "没有这个页面。")
    shown = page(
        "problem",
        language,
        title=titles.get(error.status_code, Text("Not possible", "无法完成")).of(language),
        said=error.detail,
        status=error.status_code,
        asked=str(request.url),
        airflow=airflow_page(""),
    )
    return HTMLResponse(shown, error.status_code)


def opened() -> Iterator[psycopg.Connection]:
    """A read-only connection in the reading role, one state of the warehouse for the whole page."""
    try:
        own: Warehouse = configured()
        require_current(own)
        with own.reader().connect() as connection:
            connection.execute("set transaction isolation level repeatable read read only")
            yield connection
    except KawError as error:
        raise HTTPException(503, mask_secrets(str(error))) from None
    except psycopg.OperationalError:  # its text may name logins
        raise HTTPException(
            503, "No connection could be made, or a query took too long. ./kaw doctor looks for the reason."
        ) from None


Opened = Annotated[psycopg.Connection, Depends(opened)]
User = Annotated[BaseUser, Depends(reader)]


def _page(request: Request, name: str, **content) -> HTMLResponse:
    shown = page(name, _language(), here=name, root=request.scope["root_path"], airflow=airflow_page(""), **content)
    return HTMLResponse(shown)


def _absent(en: str, zh: str) -> HTTPException:
    return HTTPException(404, Text(en, zh).of(_language()))


def _no_run(run_id: int | None) -> HTTPException:
    if run_id is None:
        return _absent("There is no run yet.", "还没有运行记录。")
    return _absent(f"There is no run {run_id}.", f"没有第 {run_id} 次运行。")


def _language() -> str:
    """That of KAW_LANG; where it is none of ours, the page that says so is in English."""
    try:
        return settings().language
    except KawError:
        return "en"


@app.get("/")
def nights(request: Request, connection: Opened) -> HTMLResponse:
    runs = queries.runs(connection)
    for run in runs:
        run["has_report"] = _report_of(run["run_id"]) is not None
    return _page(request, "nights", runs=runs, published=queries.published(connection), overview=_file("overview.html"))


@app.get("/runs/{run_id}")
def run(request: Request, run_id: int, connection: Opened) -> HTMLResponse:
    found = queries.run(connection, run_id)
    if found is None:
        raise _no_run(run_id)
    return _page(request, "run", run=found, report=_report_of(run_id))


@app.get("/runs/{run_id}/report")
def report(request: Request, run_id: int) -> Response:
    """The report of a run where it is written; before that the page of the run."""
    root = request.scope["root_path"]
    found = _report_of(run_id)
    return RedirectResponse(
        f"{root}/reports/{found.parent.name}/{found.name}" if found else f"{root}/runs/{run_id}", 303
    )


@app.get("/overview")
def overview() -> FileResponse:
    return _sent(_file("overview.html"))


@app.get("/reports/{folder}/{name}")
def report_file(folder: str, name: str) -> FileResponse:
    if not _FOLDER.fullmatch(folder) or not _FILE.fullmatch(name):
        raise _absent("There is no such file of a report.", "报告中没有这个文件。")
    return _sent(_file(folder, name))


@app.get("/expected")
def expected(request: Request, connection: Opened, run_id: Annotated[int | None, Query(ge=1)] = None) -> HTMLResponse:
    found = queries.expected(connection, run_id)
    if found is None:
        raise _no_run(run_id)
    return _page(request, "expected", **found)


@app.get("/findings")
def findings(
    request: Request,
    connection: Opened,
    rule: str = "",
    source: str = "",
    office: str = "",
    account: str = "",
    state: str = "open",
    number: Annotated[int, Query(alias="page", ge=1)] = 1,
) -> HTMLResponse:
    asked = {"rule": rule, "source": source, "office": office, "account": account}
    if state not in queries.STATES:
        raise HTTPException(422, f"{state!r} is no state of a finding.")
    return _page(request, "findings", **queries.findings(connection, asked, state, number))


@app.get("/worklists")
def worklists(request: Request, connection: Opened) -> HTMLResponse:
    return _page(request, "worklists", offices=queries.offices(connection))


@app.get("/worklists/{name}")
def worklist(name: str, _: Opened) -> Response:
    """The list of one office, made anew and no other: `<office>.xlsx`, `<office>.csv` or `<office>_absent.csv`, as ./kaw worklists writes it."""
    from include.report.worklists import write_worklists

    if not _FILE.fullmatch(name) or Path(name).suffix not in (".xlsx", ".csv"):
        raise _absent("There is no such work list.", "没有这份整改清单。")
    with tempfile.TemporaryDirectory() as folder:
        write_worklists(configured().reader(), Path(folder), only=Path(name).stem.removesuffix("_absent"))
        path = Path(folder) / name
        if not path.is_file():
            raise _absent("There is no such work list.", "没有这份整改清单。")
        return Response(path.read_bytes(), media_type=SUFFIXES[path.suffix], headers=_as_download(name))


@app.get("/approvals")
def approvals(request: Request, connection: Opened, user: User) -> HTMLResponse:
    return _page(request, "approvals", asked=questions.waiting(user), **queries.approvals(connection))


def _as_download(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}


def _report_of(run_id: int) -> Path | None:
    """The HTML file of the newest report of a run."""
    found = sorted((settings().home / "reports").glob(f"????-??-??_run_{run_id}/report.html"))
    return found[-1] if found else None


def _file(*parts: str) -> Path | None:
    """A file below the reports that really lies there and has a suffix that is shown; None where there is none."""
    folder = (settings().home / "reports").resolve()
    path = folder.joinpath(*parts).resolve()
    return path if path.suffix in SUFFIXES and path.is_relative_to(folder) and path.is_file() else None


def _sent(path: Path | None) -> FileResponse:
    if path is None:
        raise _absent("There is no such file.", "没有这个文件。")
    headers = {"Content-Security-Policy": OF_FILES}
    if path.suffix != ".html":
        headers |= _as_download(path.name)
    return FileResponse(path, media_type=SUFFIXES[path.suffix], headers=headers)
