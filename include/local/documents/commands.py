"""`docs/reference/commands.md`: every command with its options, from the parser that reads them."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator

from include.local.documents.parts import cell

HEAD = """# Commands

Made from the commands themselves by `./kaw docs --code`; a test holds it to them. `./kaw COMMAND --help` says the same in a terminal.
Every command ends with one of the [exit codes](exit-codes.md). A day is `YYYY-MM-DD`.
`./kaw completion bash` prints what completes commands and options in a shell.
"""


def commands_page(parser: argparse.ArgumentParser) -> str:
    known = children(parser)
    parts = [HEAD, "| command | what it does |", "|---|---|"]
    parts += [f"| [`{name}`](#{name}) | {cell(text)} |" for name, (_, text) in known.items()]
    for name, (command, _) in known.items():
        parts += _entry(name, command, 2)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(parts)).rstrip() + "\n"


def children(parser: argparse.ArgumentParser) -> dict[str, tuple[argparse.ArgumentParser, str]]:
    """Name of each command of a parser -> its own parser and the one line that says what it does."""
    found = {}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {choice.dest: choice.help or "" for choice in action._choices_actions}
            found |= {name: (child, helps.get(name, "")) for name, child in action.choices.items()}
    return found


def _entry(name: str, command: argparse.ArgumentParser, level: int) -> Iterator[str]:
    yield f"\n{'#' * level} {name}\n"
    if command.description:
        yield f"{command.description}\n"
    own = [
        action
        for action in command._actions
        if not isinstance(action, argparse._HelpAction | argparse._SubParsersAction)
    ]
    if own:
        yield "| argument | |"
        yield "|---|---|"
        for action in own:
            yield f"| {_name(action)} | {cell(_says(action))} |"
        yield ""
    for group in command._mutually_exclusive_groups:
        names = [action.option_strings[0] for action in group._group_actions if action.option_strings]
        if len(names) > 1:
            yield f"Only one of {', '.join(f'`{name}`' for name in names)} can be given.\n"
    for child, (parser, _) in children(command).items():
        yield from _entry(f"{name} {child}", parser, level + 1)


def _name(action: argparse.Action) -> str:
    value = action.metavar or (action.dest.upper() if action.nargs != 0 else "")
    value = "/".join(value) if isinstance(value, tuple) else value
    if action.choices and not action.metavar:
        value = "|".join(str(choice) for choice in action.choices)
    words = [*action.option_strings] or [""]
    shown = f"{', '.join(words)} {value}".strip() if action.nargs != 0 else ", ".join(words)
    more = " ..." if action.nargs in ("*", "+") else ""
    return f"`{cell(shown)}{more}`"


def _says(action: argparse.Action) -> str:
    text = (action.help or "") % {**vars(action), "prog": "./kaw"} if action.help else ""
    default = action.default
    if default not in (None, False, argparse.SUPPRESS) and "default" not in text and action.option_strings:
        shown = ", ".join(map(str, default)) if isinstance(default, list | tuple) else default
        text = f"{text} (default {shown})".strip()
    if action.option_strings and action.required:
        text = f"{text} (required)".strip()
    return text
