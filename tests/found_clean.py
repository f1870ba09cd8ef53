"""The checksums of the models and rules that sqlfluff has found clean, as `tests/data/found_clean.json` records them.

`python -m tests.found_clean` lets sqlfluff read every file anew, whatever is recorded, and records those without a problem. A
checksum is of all that decides: the file, the macros that it calls, the settings and the version of sqlfluff. So a file that has
changed since is in no record, and `./kaw test` reads it.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from include.local.lint.sql_style import check_sql_style, sql_files

ROOT = Path(__file__).resolve().parents[1]
RECORD = ROOT / "tests" / "data" / "found_clean.json"


def memory_of_the_record(folder: Path) -> Path:
    """The record as a memory that may be written."""
    return Path(shutil.copy(RECORD, folder / "clean.json"))


def empty_memory(folder: Path) -> Path:
    """A memory that knows no file, so that all are read."""
    path = folder / "clean.json"
    path.write_text("[]")
    return path


def main() -> int:
    RECORD.write_text("[]")
    problems = check_sql_style(ROOT, sql_files(ROOT), memory=RECORD, processes=os.cpu_count() or 1)
    RECORD.write_text(RECORD.read_text() + "\n")
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
