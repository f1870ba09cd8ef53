"""`logins`: who may do what in the warehouse, and by which login."""

from __future__ import annotations

import argparse

from include.local.cli.access import require_warehouse
from include.local.cli.options import command
from include.settings import settings


def add_to(commands) -> None:
    logins = command(
        commands, "logins", _logins, "list the logins of the roles and what each does; make what is missing"
    )
    logins.add_argument(
        "--new-passwords", action="store_true", help="give every login another password; other homes are locked out"
    )


def _logins(arguments: argparse.Namespace) -> int:
    from include.local import identities
    from include.local.in_use import server_in_use
    from include.records.grants import roles
    from include.records.identities import user_of

    require_warehouse()
    with server_in_use():
        if arguments.new_passwords:
            print(f"{len(identities.renew(settings()))} logins have other passwords: KAW_HOME/{identities.FILE}.")
            print("Next: whatever of Airflow runs elsewhere needs them; ./kaw down and ./kaw up here.")
            return 0
        warehouse = identities.opened()
    for name, role in roles().items():
        login = user_of(warehouse.logins[name])[0] if name in warehouse.logins else "./kaw bi"
        print(f"{login:<32} {name:<22} {role.does}")
    return 0
