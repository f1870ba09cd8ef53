"""A home that stays usable: room on the disk before a night, and nothing kept longer than its retention."""

from __future__ import annotations

import errno
import logging
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from include.errors import InfrastructureError
from include.settings import Settings, settings

DAY_S = 24 * 3600
TEXTS_OF_A_FULL_DISK = ("no space left on device", "disk quota exceeded", "could not extend file", "disk full")
FREE_SPACE = (
    "free space (./kaw clean, ./kaw doctor lists what is large), and repeat the command; it goes on from where it was."
)
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Removed:
    """What retention took away, by kind: files and bytes; `paths` are the entries, folders of reports whole."""

    kind: str
    days: int
    paths: list[Path]
    size_bytes: int

    def __str__(self) -> str:
        return f"{self.kind} older than {self.days} days: {len(self.paths)} removed, {self.size_bytes / 1e6:,.1f} MB"


def require_space(*places: Path) -> None:
    """Raises InfrastructureError where a disk has less free than KAW_FREE_SPACE_MB; a night that ends half-way costs more."""
    given = settings()
    for place in places or (given.home,):
        at = next(path for path in (place, *place.parents) if path.exists())
        free = shutil.disk_usage(at).free
        if free < given.free_space_bytes:
            raise InfrastructureError(
                f"There is too little free space for a night: {free / 1e6:,.0f} MB, and KAW_FREE_SPACE_MB asks for"
                f" {given.free_space_bytes / 1e6:,.0f} MB.",
                where=str(at),
                next_step="free space (./kaw clean, ./kaw doctor lists what is large), and repeat the command. Nothing was started.",
            )


def is_disk_full(error: BaseException | None) -> bool:
    """Whether a full disk is behind the error, here or at the server: by its kind, or by what a program said."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        if getattr(error, "sqlstate", None) == "53100" or any(t in str(error).lower() for t in TEXTS_OF_A_FULL_DISK):
            return True
        error = error.__cause__ or error.__context__
    return False


def clean(*, is_dry_run: bool = False) -> list[Removed]:
    """Removes reports, evidence and logs that are older than KAW_KEEP_REPORTS, KAW_KEEP_EVIDENCE and KAW_KEEP_LOGS (days).

    The newest report and its evidence stay. What the ledger has of them stays too; a report whose evidence is gone can be read
    but not rebuilt to the same bytes.
    """
    given = settings()
    done = []
    for kind, days, candidates in _kinds(given):
        before = time.time() - days * DAY_S
        old = [path for path in candidates if _changed_at(path) < before]
        size = sum(_size(path) for path in old)
        if not is_dry_run:
            for path in old:
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
        done.append(Removed(kind, days, old, size))
    return done


def clean_quietly() -> None:
    """After a night: what was removed is logged, and a night never fails because something could not be."""
    try:
        for removed in clean():
            if removed.paths:
                log.info("retention: %s", removed)
    except Exception:
        log.exception("what is older than its retention could not be removed")


def _kinds(given: Settings) -> Iterator[tuple[str, int, list[Path]]]:
    home = given.home
    reports = sorted((path.parent for path in (home / "reports").glob("*/report.html")), key=_changed_at)
    evidence = sorted((home / "evidence").glob("*"), key=_changed_at)
    runs = {path.name.split("_run_")[-1] for path in reports[-1:]}
    of_newest = [path for path in evidence if any(f"_run_{run}_" in path.name for run in runs)]
    yield "reports", given.keep_reports_days, reports[:-1]
    yield "evidence", given.keep_evidence_days, [path for path in evidence if path not in of_newest]
    logs = [*(home / "logs").glob("*"), *(home / "dbt" / "logs").glob("*"), *(home / "airflow" / "logs").rglob("*.log")]
    yield "logs", given.keep_logs_days, [path for path in logs if path.is_file()]


def _changed_at(path: Path) -> float:
    """Of a folder, that of its newest file; a path that went away meanwhile is as new as can be."""
    try:
        return max((each.stat().st_mtime for each in path.rglob("*")), default=path.stat().st_mtime)
    except OSError:
        return time.time()


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(each.stat().st_size for each in files if each.is_file())
