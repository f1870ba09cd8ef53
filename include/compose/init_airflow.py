"""First start of Airflow in the containers: the schema and the logins of the warehouse, Airflow's tables, pools and user.

Run by the service `airflow-init` (`python -m include.compose.init_airflow`); safe to repeat. User and password come from
KAW_AIRFLOW_USER and KAW_AIRFLOW_PASSWORD, so that neither stands on a command line.
"""

from __future__ import annotations

import os
import subprocess
import sys

import psycopg

from include.landing.moving_in import move_in
from include.records import identities, ledger
from include.records.logins import address_for
from include.records.migrations import migrate
from include.records.warehouse import Warehouse
from include.settings import settings


def main() -> int:
    owner = os.environ["KAW_WAREHOUSE"]
    migrate(Warehouse(owner))
    move_in(owner)
    ledger.write_head(owner)  # who migrates announces the key; no role of a night may
    make_logins(owner)
    migrated = subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=False)
    if migrated.returncode:
        return 3
    ensure_pools()
    ensure_user(os.environ["KAW_AIRFLOW_USER"], os.environ["KAW_AIRFLOW_PASSWORD"])
    return 0


def make_logins(owner: str) -> None:
    """The logins that the environment names and this server lacks, with the passwords given there, and their databases."""
    given = settings()
    metadata = os.environ.get("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "")
    told = dict(
        identities.user_of(address) for address in (*given.logins.values(), given.simulation or "", metadata) if address
    )
    owned = {"airflow": ["airflow"], "simulation": ["sim_marketing", "sim_contract"]}
    with psycopg.connect(owner, autocommit=True) as connection:
        lacking = [each for each in identities.missing(connection, owner) if each.name in told]
        if lacking:
            identities.make(connection, lacking, told)
        handed_over = [
            (database, each.name)
            for each in identities.identities(owner)
            if each.group is None and each.name in told
            for database in owned[each.role]
            if identities.hand_over(connection, database, each.name)
        ]
    for database, login in handed_over:
        with psycopg.connect(address_for(owner, *identities.user_of(owner), database=database)) as connection:
            identities.hand_over_relations(connection, login)


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
