"""First start of Airflow in the containers: its tables, its pools, the user of its page, and the schema of the warehouse.

Run by the service `airflow-init` (`python -m include.compose.init_airflow`); safe to repeat. User and password come from
KAW_AIRFLOW_USER and KAW_AIRFLOW_PASSWORD, so that neither stands on a command line.
"""

from __future__ import annotations

import os
import subprocess
import sys

from include.records import ledger
from include.records.migrations import migrate
from include.records.warehouse import Warehouse


def main() -> int:
    migrated = subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=False)
    if migrated.returncode:
        return 3
    ensure_pools()
    ensure_user(os.environ["KAW_AIRFLOW_USER"], os.environ["KAW_AIRFLOW_PASSWORD"])
    migrate(Warehouse(os.environ["KAW_WAREHOUSE"]))
    ledger.write_head(os.environ["KAW_WAREHOUSE"])  # who migrates announces the key; no role of a night may
    return 0


def ensure_pools() -> None:
    """Create the pools that the DAGs' tasks run in; one that exists keeps the slots that somebody gave it."""
    from airflow.models.pool import Pool
    from airflow.utils.session import create_session

    from include.orchestration import POOLS

    with create_session() as session:
        for name, (slots, description) in POOLS.items():
            if Pool.get_pool(name, session=session) is None:
                session.add(Pool(pool=name, slots=slots, description=description, include_deferred=False))


def ensure_user(name: str, password: str) -> None:
    """Create the administrator of the Airflow page, or give an existing one this password."""
    from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder

    with get_application_builder() as builder:
        manager = builder.sm
        user = manager.find_user(name)
        if user:
            manager.reset_password(user.id, password)
            return
        role = manager.find_role("Admin")
        if not manager.add_user(name, "Warehouse", "Administrator", f"{name}@localhost", role, password):
            raise SystemExit(f"The Airflow user {name} could not be created.")


if __name__ == "__main__":
    sys.exit(main())
