"""`bi`: Superset with the dashboards, and the door for notebooks and account managers."""

from __future__ import annotations

import argparse
import json
import time

from include.local.cli.access import administering
from include.local.cli.options import command
from include.settings import settings

NEW_PASSWORD = "give the login another password; who has the former one is locked out"


def add_to(commands) -> None:
    bi = command(commands, "bi", _bi, "set up and start Superset with the dashboards, and open the door for readers")
    bi.add_argument(
        "--no-superset",
        action="store_true",
        help="the door alone: a login, its address, and how each tool is connected",
    )
    bi.add_argument("--json", action="store_true", help="the door alone, as JSON")
    bi.add_argument("--new-password", action="store_true", help=NEW_PASSWORD)
    whose = bi.add_subparsers(metavar="manager NO")
    manager = command(
        whose, "manager", _manager, "make or show the login of one account manager, who sees the own accounts"
    )
    manager.add_argument("manager_no", metavar="NO", help="staff number of the manager")
    manager.add_argument("--revoke", action="store_true", help="drop the login instead")
    manager.add_argument("--json", action="store_true", help="the login, as JSON")
    manager.add_argument("--new-password", action="store_true", help=NEW_PASSWORD)


def _bi(arguments: argparse.Namespace) -> int:
    from include.local import door, superset

    given, began = settings(), time.monotonic()
    with_superset = not (arguments.no_superset or arguments.json)
    with administering() as warehouse:
        opened = door.open_for_readers(warehouse, given, new_password=arguments.new_password)
        if with_superset:
            print("Superset and its dashboards (the first time 1 to 4 minutes)", flush=True)
            told = superset.up(
                warehouse, given, opened, lambda text: print(text, flush=True), new_password=arguments.new_password
            )
        elif arguments.new_password and superset.is_set_up(given):
            superset.follow_reader(warehouse, given, opened, lambda _: None)
    if with_superset:
        _tell_superset(told, time.monotonic() - began)
    elif arguments.json:
        print(json.dumps(opened.as_dict() | {"snippets": door.snippets(opened)}, ensure_ascii=False, indent=1))
    else:
        _tell(opened, "reads marts alone")
    return 0


def _tell_superset(told: dict, seconds: float) -> None:
    address = told["address"]
    print(f"Ready after {seconds:.0f} s\n\nSuperset  {address}")
    for user in told["users"]:
        print(f"{user['name']:<10}password {user['password']}")
    print("\nDashboards")
    for title, place in told["dashboards"].items():
        print(f"  {place:<62}{title}")
    port = address.rpartition(":")[2]
    print(f"\nIt listens on this machine only. From another: ssh -L {port}:127.0.0.1:{port} HOST")
    print(
        "\nSuperset and the door stay open until ./kaw down. Next: log in as viewer; ./kaw bi manager NO makes the user of an"
        " account manager,\n./kaw bi --no-superset tells how other tools are connected."
    )


def _manager(arguments: argparse.Namespace) -> int:
    from include.local import door, superset

    given, number = settings(), arguments.manager_no
    with administering() as warehouse:
        if arguments.revoke:
            try:
                print(f"Dropped the login {door.revoke_manager(warehouse, given, number)}.")
            finally:  # also where the login could not be dropped, or is gone already
                if superset.is_set_up(given):
                    superset.follow_managers(warehouse, given)
            return 0
        opened, accounts = door.open_for_manager(warehouse, given, number, new_password=arguments.new_password)
        users = superset.follow_managers(warehouse, given) if superset.is_set_up(given) else {}
    if arguments.json:
        told = {"manager_no": number, "accounts": accounts}
        print(json.dumps(told | opened.as_dict() | {"snippets": door.snippets(opened)}, ensure_ascii=False, indent=1))
        return 0
    whole = f"{accounts} account{'' if accounts == 1 else 's'}"
    _tell(opened, f"reads marts, of them the rows of the {whole} that {number} is primary manager of")
    if users:
        print(f"Superset  user {number}, password {users[number]}, the same rows (./kaw bi starts it)")
    return 0


def _tell(opened, whole: str) -> None:
    from include.local import door
    from include.records.logins import SETTINGS

    for name, value in opened.as_dict().items():
        print(f"{name:<10}{value}")
    limits = ", ".join(f"{name} {value}" for name, value in SETTINGS.items())
    print(f"{'limits':<10}{whole}; {limits}")
    for tool, text in door.snippets(opened).items():
        print(f"\n{tool}")
        for line in text.splitlines():
            print(f"  {line}")
    if opened.host in ("127.0.0.1", "localhost", "::1"):
        print(
            f"\nThe server listens on this machine only. From another: ssh -L {opened.port}:127.0.0.1:{opened.port} HOST"
        )
    print("\nThe door stays open until ./kaw down. Next: ./kaw bi manager NO for a login of one account manager.")
