"""The log of a task that runs in this process, where Airflow's page looks for it: dag.test() keeps none."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path

from include.settings import mask_secrets


def kept(work: Callable) -> Callable:
    """A task's work, with what it logs written to the file of its try as well."""

    @wraps(work)
    def keeping(*arguments, **options):
        from airflow.sdk import get_current_context

        with _written_to(_path(get_current_context()["ti"])):
            return work(*arguments, **options)

    return keeping


def _path(ti) -> Path:
    """As Airflow's own template of log files names it."""
    from airflow.sdk.configuration import conf

    folder = Path(conf.get("logging", "base_log_folder"))
    return folder / f"dag_id={ti.dag_id}/run_id={ti.run_id}/task_id={ti.task_id}/attempt={ti.try_number}.log"


@contextmanager
def _written_to(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:

        def write(level: str, event: str, name: str = "task") -> None:
            line = {
                "timestamp": datetime.now(UTC).isoformat(),
                "level": level,
                "event": mask_secrets(event),
                "logger": name,
            }
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            file.flush()

        class Lines(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                try:
                    write(record.levelname.lower(), self.format(record), record.name)
                except Exception:
                    self.handleError(record)

        lines = Lines(logging.INFO)
        logging.getLogger().addHandler(lines)
        try:
            yield
        except SystemExit:  # a gate that has told its verdict
            raise
        except BaseException:
            write("error", traceback.format_exc())
            raise
        finally:
            logging.getLogger().removeHandler(lines)
