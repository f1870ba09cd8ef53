"""dbt, in this process: importing it costs seconds, so one invocation a layer and never one a model."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from include import seeds
from include.environment import variables
from include.errors import InfrastructureError
from include.profiles import left_out, parameter_variables
from include.records.warehouse import Warehouse
from include.settings import ROOT, settings
from include.transform.builds import note_models, seeds_due
from include.transform.models import published_models
from include.transform.quicker import make_quicker

PROJECT = ROOT / "dbt_project"
TRANSFORMER = "kaw_transformer"
OWN_SEEDS = "own_seeds"  # no folder of the project
BUILDING = ("build", "run", "seed")  # commands of dbt that make tables

# what dbt parsed last in this process; reading it again costs two seconds a command, thrice a night
_parsed: dict[tuple, object] = {}


@dataclass(frozen=True)
class Built:
    """One model, seed or test that dbt finished: name, status and seconds, and as which of how many of its command.

    `node` is its id in dbt's manifest; `started_at` and `finished_at` are instants as dbt writes them.
    """

    name: str
    status: str
    seconds: float
    number: int = 0
    of: int = 0
    node: str = ""
    started_at: str = ""
    finished_at: str = ""

    def __str__(self) -> str:
        return f"{f'{self.number} of {self.of}':>10}  {self.name:<44} {self.status:<14} {self.seconds:6.2f} s"


def manifest_path() -> Path:
    """What dbt knew of the project at its last command, whole at any moment; dbt's own in `target_folder` is not."""
    return settings().home / "dbt" / "manifest.json"


def target_folder() -> Path:
    return settings().home / "dbt" / "target"


def run_dbt(
    arguments: list[str], warehouse: Warehouse, progress: Callable[[Built], None] = lambda _: None
) -> list[Built]:
    """Runs one dbt command in the role of the transformer; returns what it built. Raises InfrastructureError with dbt's words."""
    return _run_dbt(arguments, warehouse.as_role(TRANSFORMER), progress)


def load_seeds(warehouse: Warehouse, progress: Callable[[Built], None] = lambda _: None) -> list[Built]:
    """Loads the seeds that the warehouse does not have as the project has them; loading the calendar alone takes seconds."""
    own = warehouse.as_role(TRANSFORMER)
    with dbt_environment(own):
        parsed = _parse(own)
        if parsed.success:
            note_models(own, parsed.result)
    due = seeds_due(own)
    return _run_dbt(["seed", "--full-refresh", "--select", *due], own, progress) if due else []


def _run_dbt(
    arguments: list[str], warehouse: Warehouse, progress: Callable[[Built], None] = lambda _: None
) -> list[Built]:
    from dbt.cli.main import dbtRunner

    built: list[Built] = []
    hear = _hearing(built, progress)
    with dbt_environment(warehouse):
        outcome = _parse(warehouse)
        if outcome.success:
            writes = []
            if arguments[0] in BUILDING:  # their manifest is what was parsed, and nobody reads their results
                writes = ["--no-write-json"]
                note_models(warehouse, outcome.result)
            outcome = dbtRunner(outcome.result, [hear]).invoke([*_before(), *writes, *arguments, *_after()])
    _raise_where_failed(arguments, outcome)
    return built


def parsed_beside(warehouse: Warehouse, folder: Path):
    """dbt's reading of the project as it is now, read in a folder of its own: what dbt knew of the last night stays as it is."""
    seen, own = target_folder() / "partial_parse.msgpack", folder / "target"
    own.mkdir(parents=True, exist_ok=True)
    if seen.exists():
        shutil.copy(seen, own)
    with dbt_environment(warehouse):
        outcome = _parse(warehouse, folder)
    _raise_where_failed(["parse"], outcome)
    return outcome.result


def run_beside(
    arguments: list[str],
    warehouse: Warehouse,
    manifest,
    folder: Path,
    progress: Callable[[Built], None] = lambda _: None,
) -> list[Built]:
    """One dbt command over a manifest that was put beside the warehouse; nothing is noted of what it builds."""
    from dbt.cli.main import dbtRunner

    make_quicker()
    built: list[Built] = []
    with dbt_environment(warehouse):
        runner = dbtRunner(manifest, [_hearing(built, progress)])
        outcome = runner.invoke([*_before(), "--no-write-json", *arguments, *_after(folder / "target")])
    _raise_where_failed(arguments, outcome)
    return built


def _hearing(built: list[Built], progress: Callable[[Built], None]) -> Callable:
    """Hears dbt's events, and notes and tells what was built."""

    def hear(event) -> None:
        if event.info.name in ("LogModelResult", "LogSeedResult", "LogTestResult"):
            told, node = event.data, event.data.node_info
            seconds, instants = round(told.execution_time, 2), (node.node_started_at, node.node_finished_at)
            of = told.num_models if event.info.name == "LogTestResult" else told.total
            built.append(Built(node.node_name, told.status, seconds, told.index, of, node.unique_id, *instants))
            progress(built[-1])

    return hear


def _raise_where_failed(arguments: list[str], outcome) -> None:
    if not outcome.success:
        raise InfrastructureError(
            f"dbt {arguments[0]} failed: {_reason(outcome)}",
            where=f"log {settings().home / 'dbt' / 'logs' / 'dbt.log'}",
            next_step="repair what it names and repeat the command; nothing was published.",
            public=f"dbt {arguments[0]} failed; its log says where.",
        )


def _parse(warehouse: Warehouse, home: Path | None = None):
    """dbt's reading of the project, the one of before where this process has it."""
    from dbt.cli.main import dbtRunner

    make_quicker()
    home = home or settings().home / "dbt"
    home.mkdir(parents=True, exist_ok=True)
    own = {name: seeds.text(name) for name in seeds.own_files()}
    known = (warehouse.address, PROJECT, home, tuple(own.items()))
    outcome = _parsed.get(known)
    if outcome is None:
        outcome = dbtRunner().invoke([*_before(), "parse", *_after(home / "target")])
        _keep_manifest(home)
        if outcome.success:
            _parsed.clear()
            _parsed[known] = outcome
    if own and outcome.success:
        _take_own_seeds(outcome.result, own, home)
    return outcome


def _take_own_seeds(manifest, own: dict[str, str], folder: Path) -> None:
    """The seeds that the utility's profile has rows of are read, by dbt too, from files that hold both."""
    from dbt.artifacts.resources import FileHash

    for node in manifest.nodes.values():
        if node.resource_type.value == "seed" and node.name in own:
            file = folder / OWN_SEEDS / f"{node.name}.csv"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(own[node.name], encoding="utf-8")
            place_seed(node, folder, file)
            node.checksum = FileHash.from_contents(own[node.name])


def place_seed(node, folder: Path, file: Path) -> None:
    """dbt writes what it ran at a seed's path below its target: the path must be a relative one, or it writes the file itself."""
    node.root_path, node.original_file_path = str(folder), str(file.relative_to(folder))


def _before() -> list[str]:
    """Each statement in the log costs an eighth of the time; what ran lies in the folder target/run/."""
    logs = settings().home / "dbt" / "logs"
    return ["--quiet", "--no-use-colors", "--log-path", str(logs), "--log-level-file", "info"]


def _after(target: Path | None = None) -> list[str]:
    return project_arguments(PROJECT, target or target_folder())


def write_docs(warehouse: Warehouse, folder: Path) -> Path:
    """dbt's documentation of the project and of the tables in the warehouse, as one page that needs no network."""
    _run_dbt(["docs", "generate", "--static"], warehouse)
    folder.mkdir(parents=True, exist_ok=True)
    return (target_folder() / "static_index.html").replace(folder / "index.html")


def _keep_manifest(home: Path) -> None:
    """dbt writes its manifest, for a moment half, as it parses; who reports or traces beside a night reads this copy."""
    written, kept = home / "target" / "manifest.json", home / "manifest.json"
    if written.exists():
        partial = kept.with_suffix(f".{os.getpid()}.partial")
        shutil.copy(written, partial)
        partial.replace(kept)


def _reason(outcome) -> str:
    if outcome.exception is not None:
        return " ".join(str(outcome.exception).split())[:500]
    failed = [r for r in outcome.result or [] if str(r.status) in ("error", "fail")]
    return "; ".join(f"{r.node.name}: {' '.join(str(r.message).split())[:300]}" for r in failed[:3]) or "see the log"


def project_arguments(project: Path, target: Path) -> list[str]:
    """What every dbt command of a project ends with; a reference must be known before dbt knows its models."""
    known = json.dumps({"published": list(published_models()), "left_out": list(left_out()), **parameter_variables()})
    return [
        "--project-dir",
        str(project),
        "--profiles-dir",
        str(project),
        "--target-path",
        str(target),
        "--vars",
        known,
    ]


def dbt_environment(warehouse: Warehouse) -> AbstractContextManager[None]:
    """The profile's values, and how the warehouse's sessions act, for the time of one command."""
    parts = urlsplit(warehouse.address)
    return variables(
        {
            "KAW_DBT_HOST": parts.hostname or "127.0.0.1",
            "KAW_DBT_PORT": str(parts.port or 5432),
            "KAW_DBT_USER": unquote(parts.username or ""),
            "DBT_ENV_SECRET_KAW_PASSWORD": unquote(parts.password or ""),
            "KAW_DBT_DATABASE": parts.path.lstrip("/"),
            "PGOPTIONS": warehouse.session_options,
            "DO_NOT_TRACK": "1",
        }
    )
