"""`python -m include.local.lint.dag_errors FOLDER`: what Airflow cannot import there, as one line of JSON, the last.

A process of its own: importing Airflow changes logging and settings for everything after.
"""

from __future__ import annotations

import json
import sys


def main(folder: str) -> None:
    from airflow.dag_processing.dagbag import DagBag

    print(json.dumps({str(file): str(trace) for file, trace in DagBag(folder).import_errors.items()}))


if __name__ == "__main__":
    main(sys.argv[1])
