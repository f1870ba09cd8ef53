"""`up`, `down`, `doctor`, `alert`: Airflow, the embedded server and the state of this home; who is told."""

from __future__ import annotations

import argparse
import json
import sys
import time

import psycopg

from include.errors import InfrastructureError, UsageError
from include.local.cli.access import writing
from include.local.cli.options import command
from include.settings import Settings, settings

NIGHT_PAUSE_S = 2


def add_to(commands) -> None:
    command(commands, "up", _up, "start Airflow with scheduler and page on 127.0.0.1")
    down = command(commands, "down", _down, "stop Airflow, the door for readers and the embedded server")
    down.add_argument("--now", action="store_true", help="also in the middle of a night, without asking or waiting")
    down.add_argument("--purge", action="store_true", help="and delete everything this home holds")
    alerts = command(commands, "alert", _alert, "list alerts that have not cleared, or try the receivers")
    alerts.add_argument("--test", action="store_true", help="send one message to each receiver")

    doctor = command(
        commands, "doctor", _doctor, "what this machine and this home are like; starts and changes nothing"
    )
    doctor.add_argument("--json", action="store_true", help="everything, for a program")


def _alert(arguments: argparse.Namespace) -> int:
    from include.alerts import open_alerts, send_test

    if not arguments.test:
        told = open_alerts()
        for alert in told.values():
            print(f"{alert['at'][:16].replace('T', ' ')}  {alert['kind']:<20} {alert['message'].splitlines()[0]}")
        print(f"{len(told) or 'No'} open alert{'' if len(told) == 1 else 's'}")
        return 0
    answers = send_test()
    if not answers:
        raise UsageError(
            "Nobody is set to receive alerts.",
            where="KAW_ALERT_WEBHOOK, KAW_ALERT_URLS",
            next_step="set one of them; .env.example has examples.",
        )
    for name, is_taken in answers:
        print(f"{name:<24} {'taken' if is_taken else 'NOT taken'}")
    return 0 if all(is_taken for _, is_taken in answers) else 3


def _doctor(arguments: argparse.Namespace) -> int:
    from include.local import doctor

    checks = doctor.examine()
    if arguments.json:
        print(json.dumps([check.as_dict() for check in checks], ensure_ascii=False, indent=1))
    else:
        signs = {doctor.GOOD: " ", doctor.ATTENTION: "!", doctor.BAD: "x"}
        for check in checks:
            print(f"{signs[check.state]} {check.name:<22}{check.text}")
            if check.state != doctor.GOOD:
                print(f"{'':<24}Next: {check.next_step}")
        bad = sum(check.state == doctor.BAD for check in checks)
        print("Nothing stands in the way." if not bad else f"{bad} of {len(checks)} checks failed.")
    return 3 if any(check.state == doctor.BAD for check in checks) else 0


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
    from include.local import door, scheduler, server, superset

    given = settings()
    interrupted = None if arguments.now else _let_a_night_end(given)
    stopped = scheduler.down()
    stopped = superset.down(given) or stopped
    not_closed = None
    try:
        if door.close(given):
            print("The door for readers is closed.")
            stopped = True
    except InfrastructureError as error:  # the rest is stopped all the same
        not_closed = error
    running = server.is_running(given)
    if arguments.purge:
        server.purge(given)
        if given.warehouse:
            print("KAW_WAREHOUSE is a server of yours: its database was left alone.")
        print(f"Deleted {given.home}.")
    else:
        server.stop(given)
        print("Stopped." if stopped or running else "Nothing was running.")
    if not_closed:
        raise not_closed
    if interrupted and not arguments.purge:
        print(
            f"The night was stopped in the middle ({interrupted}); what is published is as before. Next: ./kaw run goes on."
        )
    return 0


def _let_a_night_end(given: Settings) -> str | None:
    """Whoever sits in front of a terminal is asked; others wait until no night is at work. What was interrupted, if it was."""
    from include.local import server
    from include.records import runs

    if given.warehouse is not None or not server.is_running(given):
        return None
    address = server.warehouse_url(given)
    has_waited = False
    while at_work := _at_work(runs, address):
        if sys.stdin.isatty():
            answer = input(f"A night is at work ({at_work}). Stop it in the middle? [y/N] ")
            if answer.strip().lower() in ("y", "yes"):
                return at_work
            raise UsageError(
                "Nothing was stopped.", where=at_work, next_step="repeat ./kaw down when the night has ended."
            )
        if not has_waited:
            print(f"A night is at work ({at_work}): waiting for its end. ./kaw down --now does not wait.", flush=True)
            has_waited = True
        time.sleep(NIGHT_PAUSE_S)
    if has_waited:
        print("The night has ended.")
    return None


def _at_work(runs, address: str) -> str | None:
    """None too where there is no warehouse yet, or where it cannot be asked: such a server is stopped."""
    try:
        return runs.at_work(address)
    except psycopg.Error:
        return None
