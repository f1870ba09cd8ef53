"""`up`, `down`: Airflow and the embedded server of this home."""

from __future__ import annotations

import argparse

from include.local.cli.access import writing
from include.local.cli.options import command
from include.settings import settings


def add_to(commands) -> None:
    command(commands, "up", _up, "start Airflow with scheduler and page on 127.0.0.1")
    down = command(commands, "down", _down, "stop Airflow, the door for readers and the embedded server")
    down.add_argument("--purge", action="store_true", help="and delete everything this home holds")


def _up(_: argparse.Namespace) -> int:
    from include.local import scheduler

    with writing(must_exist=False):
        print("Airflow is up already." if scheduler.is_up() else "Starting Airflow (about a minute) ...", flush=True)
        login = scheduler.up()
    print(
        f"Airflow   {login['address']}\nUser      {login['user']}\nPassword  {login['password']}\nStop it with ./kaw down"
    )
    return 0


def _down(arguments: argparse.Namespace) -> int:
    from include.local import door, scheduler, server

    given = settings()
    stopped = scheduler.down()
    if door.close(given):
        print("The door for readers is closed.")
        stopped = True
    running = server.is_running(given)
    if arguments.purge:
        server.purge(given)
        if given.warehouse:
            print("KAW_WAREHOUSE is a server of yours: its database was left alone.")
        print(f"Deleted {given.home}.")
        return 0
    server.stop(given)
    print("Stopped." if stopped or running else "Nothing was running.")
    return 0
