"""What all tests share: a home of their own, one embedded server a session, and a database a test.

The session that was started (under pytest-xdist: the one that hands out the tests) owns the home and deletes it at the
end; whoever first needs the server starts it.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from include.local import server as embedded
from include.local.server import Server
from include.settings import Settings, settings
from tests import databases

ROOT = Path(__file__).resolve().parent.parent
HOMES = Path(tempfile.gettempdir())
TEMPLATE = "kaw_template"
OWN_HOME = pytest.StashKey[Path]()
LONG_FILES = (  # those of half a minute and more, the longest first; each of the first three begins with what no other waits for
    "test_scheduler.py",
    "test_night.py",
    "test_bench_quality.py",
    "test_kills.py",
    "test_equal_builds.py",
    "test_partial_nights.py",
    "test_marts_simulated.py",
    "test_estimation.py",
    "test_real_input.py",
    "test_reading.py",
    "test_late_nights.py",
    "test_replay.py",
    "test_rich_nights.py",
    "test_report_night.py",
    "test_who_writes.py",
    "test_trace.py",
    "test_rule_mutations.py",
    "test_formula_mutations.py",
    "test_server.py",
)
KNOWN_SKIPS = ROOT / ".ci" / "known_skips"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="also run the long trials (marker soak)")


def pytest_configure(config: pytest.Config) -> None:
    """Tests see no address, home or credential of the machine they run on."""
    # dbt's parsed project is very many objects: as Python comes, a night spends a fourteenth of its time on looking through them
    gc.set_threshold(50_000, 20, 20)
    for variable in list(os.environ):
        if variable.startswith(
            ("KAW_SOURCE_", "KAW_ALERT_", "KAW_LOGIN_", "AIRFLOW", "OPENLINEAGE", "PG")
        ) or variable in ("KAW_WAREHOUSE", "KAW_SIMULATION", "KAW_LANG", "KAW_LINEAGE_FILE"):
            del os.environ[variable]
    if not hasattr(config, "workerinput"):
        _delete_homes_of_dead_sessions()
        home = Path(tempfile.mkdtemp(prefix=f"kaw-tests-{os.getpid()}-", dir=HOMES))
        config.stash[OWN_HOME] = home
        os.environ["KAW_HOME"] = str(home)  # workers inherit it
    os.environ["AIRFLOW_HOME"] = str(Path(os.environ["KAW_HOME"]) / "airflow")


def pytest_unconfigure(config: pytest.Config) -> None:
    home = config.stash.get(OWN_HOME, None)
    if home is not None:
        _delete_home(home)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--soak"):
        long = [item for item in items if item.get_closest_marker("soak")]
        items[:] = [item for item in items if not item.get_closest_marker("soak")]
        config.hook.pytest_deselected(items=long)
    order = {name: place for place, name in enumerate(LONG_FILES)}
    first = sorted((item for item in items if item.path.name in order), key=lambda item: order[item.path.name])
    others = [item for item in items if item.path.name not in order]
    items[:] = _dealt(first, others, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))


def _dealt(first: list[pytest.Item], others: list[pytest.Item], workers: int) -> list[pytest.Item]:
    """As many stretches as workers, of equal length: `first`, dealt file by file, at their heads, the others behind.

    pytest-xdist gives each worker one stretch, and one without work steals from the tail of another's: what is long is begun
    first, and what is left for the end is short.
    """
    hands: list[list[pytest.Item]] = [[] for _ in range(workers)]
    for number, (_, of_file) in enumerate(itertools.groupby(first, key=lambda item: item.path)):
        hands[number % workers] += of_file
    size = -(-(len(first) + len(others)) // workers)
    dealt = []
    for hand in hands:
        taken = max(size - len(hand), 0)
        dealt += hand + others[:taken]
        others = others[taken:]
    return dealt + others


def _delete_homes_of_dead_sessions() -> None:
    """A session that was killed leaves a running server; the next one ends it."""
    for home in HOMES.glob("kaw-tests-*"):
        process_id = home.name.split("-")[2]
        with contextlib.suppress(Exception):  # another session may delete it at the same moment
            is_mine = home.stat().st_uid == os.geteuid()
            if is_mine and process_id.isdigit() and not psutil.pid_exists(int(process_id)):
                _delete_home(home)


def _delete_home(home: Path) -> None:
    """Purges a home of tests, in which tests have put files of their own."""
    for entry in home.iterdir() if home.exists() else ():
        if entry.name not in embedded.OWN_ENTRIES:
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    embedded.purge(Settings(home=home))
    shutil.rmtree(databases.in_memory(home), ignore_errors=True)


# -- reasons to skip

_skips: Counter[str] = Counter()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail") and isinstance(report.longrepr, tuple):
        _skips[report.longrepr[2].removeprefix("Skipped: ")] += 1


def known_skips() -> set[str]:
    lines = KNOWN_SKIPS.read_text().splitlines()
    return {line.strip() for line in lines if line.strip() and not line.startswith("#")}


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    if exitstatus == 0 and os.environ.get("CI") == "true" and set(_skips) - known_skips():
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for reason, count in sorted(_skips.items()):
        known = "" if reason in known_skips() else "  <- not in .ci/known_skips"
        terminalreporter.write_line(f"skipped: {reason} ({count}){known}")


# -- homes, server and databases


@pytest.fixture
def fresh_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Settings]:
    """An empty KAW_HOME of this test alone; whatever server it starts is gone afterwards."""
    monkeypatch.setenv("KAW_HOME", str(tmp_path / "home"))
    given = settings()
    yield given
    _delete_home(given.home)


@pytest.fixture(scope="session", autouse=True)
def parsed_once() -> Iterator[None]:
    """dbt reads the project once a session, not once a database."""
    from include.transform import dbt
    from tests.parsed import ParsedOnce

    with pytest.MonkeyPatch.context() as process:
        process.setattr(dbt, "_parsed", ParsedOnce(settings().home))
        yield


@pytest.fixture(scope="session")
def server() -> Server:
    """The embedded server of the session, shared by all its workers. It need not survive a power cut."""
    running = embedded.ensure()
    with contextlib.closing(psycopg.connect(running.admin_url(), autocommit=True)) as connection:
        connection.execute("alter system set fsync = off")
        connection.execute("alter system set autovacuum = off")  # its workers sit in databases that are to be copied
        connection.execute("select pg_reload_conf()")
    databases.keep_in_memory(running, settings().home)
    return running


@pytest.fixture(scope="session")
def session_home(server: Server) -> Path:
    """The home of the session's server, whatever home a test moves into."""
    return settings().home


@pytest.fixture(scope="session")
def template(server: Server, session_home: Path) -> str:
    """Name of a database with every schema and empty table of the warehouse; made once a session, only ever copied."""
    with databases.made_once(server, session_home, TEMPLATE) as unfinished:
        if unfinished:
            from include.records import ledger
            from include.records.migrations import migrate
            from include.records.warehouse import Warehouse

            migrate(Warehouse(server.url(unfinished)))
            ledger.write_head(server.url(unfinished), databases.template_head(session_home))
    return TEMPLATE


@pytest.fixture
def database(
    server: Server, session_home: Path, template: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """Address of a warehouse of this test alone, with every schema and no row but the ledger's entry of its key.

    The home of the session has a head of its ledger for each test.
    """
    from include.records import ledger

    of_home, own = ledger.default_head_file, tmp_path / "ledger.head"
    shutil.copy(databases.template_head(session_home), own)
    monkeypatch.setattr(ledger, "default_head_file", lambda: own if settings().home == session_home else of_home())
    with databases.copied(server, template) as name:
        yield server.url(name)


@pytest.fixture
def empty_database(server: Server) -> Iterator[str]:
    """Address of a database of this test alone, without anything in it."""
    with databases.copied(server, "template1") as name:
        yield server.url(name)


@pytest.fixture
def utility(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A home with a warehouse of its own and folders that deliver; its nights run as the DAGs' steps."""
    from tests.nights import Utility

    return Utility(database, tmp_path / "first", monkeypatch)


@pytest.fixture
def clean_night(server: Server, session_home: Path, template: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A utility of this test alone, after the clean night of `tests.nights.DAY`."""
    from tests.nights import after_a_night

    yield from after_a_night(server, session_home, template, None, tmp_path, monkeypatch)


@pytest.fixture
def faulty_night(server: Server, session_home: Path, template: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A utility of this test alone, after the night of `tests.nights.DAY` with the defects of seed 7."""
    from tests.nights import after_a_night

    yield from after_a_night(server, session_home, template, 7, tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def own_target(server: Server, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """dbt's target folder is this module's alone: workers that run dbt in one home overwrite each other's manifest."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("KAW_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture
def warehouse(database: str, session_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Result tables of one synthetic run, for the tests of the auditors' report."""
    from tests.synthetic_run import SyntheticRun

    databases.give_ledger(session_home, tmp_path / "home")
    monkeypatch.setenv("KAW_HOME", str(tmp_path / "home"))  # the evidence of other tests is none of its runs
    return SyntheticRun(database, tmp_path)


# -- ordinary users


@pytest.fixture
def private_folder() -> Iterator[Path]:
    """A new folder that only root, or the ordinary user it is given to, can enter."""
    folder = Path(tempfile.mkdtemp(prefix="kaw-private-", dir=HOMES))
    folder.chmod(0o700)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
