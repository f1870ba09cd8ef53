"""What `./kaw` prints: steps with counts and times on the terminal, everything else in the log of the run."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from include.progress import Trouble
from include.quality.evaluate import Result
from include.records.receipts import Receipt
from include.transform.dbt import Built
from include.transform.quicker import UNCHANGED


class Progress:
    """Hears what the steps say and turns it into one line a step, with a live line while it runs on a terminal."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.errors: list[BaseException] = []
        self._status = None
        self._started = 0.0
        self.shown_s = 0.0  # seconds of all steps that were shown
        self._reset()

    def _reset(self) -> None:
        self.loads = self.rows = self.new = self.refused = self.rejected = 0
        self.models = self.unchanged = self.rules = self.tested = self.failed = 0
        self.note = ""
        self.warnings: list[str] = []

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        self._reset()
        self._started = time.monotonic()
        self.title = title
        with self.console.status(title) as self._status:
            yield
        self._status = None
        self._show(title, time.monotonic() - self._started)
        for warning in self.warnings[:10]:
            self._warn(warning)

    @contextmanager
    def around(self, title: str) -> Iterator[None]:
        """What is spent around the steps inside, as one line after them."""
        started, shown_s = time.monotonic(), self.shown_s
        yield
        self._reset()
        self._show(title, time.monotonic() - started - (self.shown_s - shown_s))

    def _show(self, title: str, seconds: float) -> None:
        """One line a step in a log."""
        self.shown_s += seconds
        line = f"  {title:<34} {self.summary():<72} {seconds:6.1f} s"
        self.console.print(line, highlight=False, markup=False, soft_wrap=True)

    def _warn(self, text: str) -> None:
        """Names stay as a source wrote them."""
        self.console.print(f"    {text}", style="yellow", highlight=False, markup=False, soft_wrap=True)

    def summary(self) -> str:
        parts = []
        if self.loads:
            parts.append(f"{self.loads} loads, {self.rows:,} rows delivered, {self.new:,} new")
            parts += [f"{self.rejected} rejected"] if self.rejected else []
            parts += [f"{self.refused} refused"] if self.refused else []
        if self.models:
            parts.append(f"{self.models} models and seeds")
            parts += [f"{self.unchanged} unchanged"] if self.unchanged else []
        if self.rules:
            parts.append(f"{self.rules} rules, {self.tested:,} rows tested, {self.failed:,} rows failed")
        return ", ".join(parts + ([self.note] if self.note else []))

    def __call__(self, what: object) -> None:
        """Hears one thing that happened."""
        if isinstance(what, Receipt):
            self.loads += 1
            self.rows += what.delivered_rows
            self.new += what.inserted_rows
            self.rejected += what.rejected_rows
            self.refused += what.state == "refused"
            name = what.file_name or what.table_name
            if what.state == "refused":
                self.warnings.append(f"refused {name}: {what.problem}")
            if what.state == "ignored":
                self.warnings.append(f"not read {name}: {what.problem}")
            self.warnings += [f"{name}: {notice}" for notice in what.notices]
            if what.rejected_rows:
                self.warnings.append(f"{name}: {what.rejected_rows} rows rejected, kept in quality.rejected_rows")
            for column in what.unknown_columns:
                self.warnings.append(f"{name}: unknown column {column} is not in the contract and was kept out")
        elif isinstance(what, Built):
            self.models += 1
            self.unchanged += what.status == UNCHANGED
        elif isinstance(what, Result):
            self.rules += 1
            self.tested += what.tested_rows
            self.failed += what.failed_rows
        elif isinstance(what, Trouble):
            if self._status is None:  # between two steps
                self._warn(what)
            else:
                self.warnings.append(what)
        elif isinstance(what, BaseException):
            self.errors.append(what)
        else:
            self.note = str(what)
        if self._status is not None:
            self._status.update(escape(f"{self.title}  {self.summary()}  {time.monotonic() - self._started:.0f} s"))


@contextmanager
def output_to(log: Path, *, on_stderr: bool = False) -> Iterator[Console]:
    """Sends everything that libraries print into `log` and yields a console on the real output, or the error output."""
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    terminal, errors = os.dup(1), os.dup(2)
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    stream = os.fdopen(os.dup(errors if on_stderr else terminal), "w", encoding="utf-8", errors="replace")
    try:
        yield Console(file=stream, width=None if stream.isatty() else 130)
    finally:
        stream.flush()
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(terminal, 1)
        os.dup2(errors, 2)
        for descriptor in (terminal, errors):
            os.close(descriptor)
        stream.close()
