"""The one place that edits the environment of this process, for programs that take their settings from nowhere else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


def set_variables(values: dict[str, str]) -> None:
    """For the rest of the process: Airflow reads its settings when it is imported, and again in whatever it starts."""
    os.environ.update(values)


@contextmanager
def variables(values: dict[str, str]) -> Iterator[None]:
    """For the time of a block; afterwards each is again what it was, or not there."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
