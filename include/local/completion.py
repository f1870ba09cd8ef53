"""What completes `./kaw` in a shell: a script with the commands and options of this code, so that a tab starts no Python."""

from __future__ import annotations

import argparse
import shlex

_SCRIPT = """{prelude}_kaw() {{
  local words
  case "${{COMP_WORDS[1]}}" in
{cases}
    *) words={commands} ;;
  esac
  [ "$COMP_CWORD" -le 1 ] && words={commands}
  COMPREPLY=($(compgen -W "$words" -- "${{COMP_WORDS[COMP_CWORD]}}"))
}}
complete -o default -F _kaw ./kaw kaw"""
_ZSH = "autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n"


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """The script for bash or zsh; where no word fits, the shell's own completion of files goes on."""
    known = commands(parser)
    cases = "\n".join(f"    {name}) words={shlex.quote(' '.join(words))} ;;" for name, words in known.items())
    prelude = _ZSH if shell == "zsh" else ""
    return _SCRIPT.format(prelude=prelude, cases=cases, commands=shlex.quote(" ".join(known)))


def commands(parser: argparse.ArgumentParser) -> dict[str, list[str]]:
    """Command -> its options, the choices of its arguments, and its own subcommands."""
    return {name: sorted(_words(child)) for name, child in _children(parser).items()}


def _words(parser: argparse.ArgumentParser) -> set[str]:
    words = {option for action in parser._actions for option in action.option_strings if option.startswith("--")}
    words |= {str(c) for action in parser._actions if not action.option_strings for c in action.choices or ()}
    for child in _children(parser).values():
        words |= _words(child)
    return words


def _children(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    return {
        name: child
        for action in parser._actions
        if isinstance(action, argparse._SubParsersAction)
        for name, child in action.choices.items()
    }
