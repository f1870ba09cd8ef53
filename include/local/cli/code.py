"""`lint`, `test`: mistakes in the code, before it is run and by running it; `completion` for the shell."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys

from include.local.cli.options import command
from include.settings import ROOT


def add_to(commands) -> None:
    lint = command(
        commands, "lint", _lint, "look for mistakes in rules, contracts, seeds, models, DAGs and Python, in seconds"
    )
    lint.add_argument("--json", action="store_true", help="everything, for a program")

    test = command(commands, "test", _test, "run the tests; what ./kaw does not know is passed on to pytest")
    test.set_defaults(pytest_arguments=[])
    length = test.add_mutually_exclusive_group()
    length.add_argument("--soak", action="store_true", help="the long ones too")
    length.add_argument("--fast", action="store_true", help="unit tests and what ./kaw lint finds without a server")

    completion = command(commands, "completion", _completion, "print what completes commands and options in a shell")
    completion.add_argument("shell", choices=("bash", "zsh"), help="the shell that reads it")


def _completion(arguments: argparse.Namespace) -> int:
    from include.local.cli import parser
    from include.local.completion import script

    print(script(parser(), arguments.shell))
    return 0


def _lint(arguments: argparse.Namespace) -> int:
    from include.local.lint import lint

    outcome = lint(ROOT)
    return _tell_problems(outcome, arguments.json)


def _tell_problems(outcome, as_json: bool) -> int:
    if as_json:
        print(json.dumps(outcome.as_dict(), ensure_ascii=False, indent=1))
        return 2 if outcome.problems else 0
    for problem in outcome.problems:
        print(problem)
    print(f"{len(outcome.problems) or 'No'} problems" if len(outcome.problems) != 1 else "1 problem")
    print(", ".join(f"{name} {seconds} s" for name, seconds in outcome.seconds.items()), file=sys.stderr)
    return 2 if outcome.problems else 0


def _test(arguments: argparse.Namespace) -> int:
    pytest = [sys.executable, "-m", "pytest", *(["--soak"] if arguments.soak else [])]
    if "-n" not in arguments.pytest_arguments and not arguments.soak:
        workers = min(
            (os.cpu_count() or 1) + 1, 5
        )  # one more than cores: a quarter of the time a worker waits for something
        pytest += ["-n", str(workers), "--dist", "worksteal"]
    pytest += ["tests/unit"] if arguments.fast else []
    pytest += arguments.pytest_arguments
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    code = subprocess.run(pytest, cwd=ROOT, env=environment, check=False).returncode
    if arguments.fast:
        from include.local.lint import lint

        code = code or _tell_problems(lint(ROOT, without_database=True), as_json=False)
    return code
