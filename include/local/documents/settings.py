"""`docs/reference/settings.md` from `.env.example`, and `docs/reference/exit-codes.md` from `include/errors.py`."""

from __future__ import annotations

import inspect
import re

from include import errors
from include.local.documents.parts import cell
from include.settings import ROOT

SETTINGS = """# Settings

Made from `.env.example` by `./kaw docs --code`; a test holds it to them. Settings are variables of the environment; an empty one counts as unset.
For `./kaw` on a laptop none is needed. To use a file: copy `.env.example` to `.env`, fill it in, then

```sh not-run: needs the .env of yours
set -a; . ./.env; set +a
```

Signs such as `@`, `/`, `:` and `%` in the password of an address are written as in a URL (`%40`, `%2F`, `%3A`, `%25`).
Messages and logs show `***` in place of a password.
Wrong settings end a command with [exit code 2](exit-codes.md), with the variable's name.
"""
CODES = """# Exit codes

Made from `include/errors.py` by `./kaw docs --code`; a test holds it to them.
A gate writes its verdict to the database, and the code comes from there, so a scheduler can rely on it.

| code | means | what to do |
|---|---|---|
"""
NEXT = {
    0: "Go on: the last line says with what.",
    1: "See [a gate stopped the night](../how-to/blocked-gate.md). The same command on the same data ends the same way.",
    2: "Read the message: it names the option or variable and what is allowed.",
    3: "Read `Where` and `Next` of the message, then repeat the command: it goes on from where it was.",
    130: "Repeat the command: it goes on from where it was.",
}


def settings_page() -> str:
    parts = [SETTINGS]
    for title, groups in settings_groups():
        parts.append(f"\n## {title}")
        for names, text in groups:
            defaults = ", ".join(f"`{name}` {default}" for name, default in names.items() if default)
            told = text.replace("<", "&lt;").replace("*", "\\*") + (f" Defaults: {defaults}." if defaults else "")
            parts.append(f"\n### {', '.join(names)}\n\n{told}")
    return "\n".join(parts).rstrip() + "\n"


def settings_groups() -> list[tuple[str, list[tuple[dict[str, str], str]]]]:
    """The sections of `.env.example`: title, and of each group of variables their defaults and what is said of them."""
    sections: list[tuple[str, list[tuple[dict[str, str], str]]]] = []
    said: list[str] = []
    names: dict[str, str] = {}
    for line in [*(ROOT / ".env.example").read_text(encoding="utf-8").splitlines(), ""]:
        variable = re.fullmatch(r"#?([A-Z][A-Z0-9_]+)=(.*)", line)
        if names and not variable:
            sections[-1][1].append((names, " ".join(said)))
            said, names = [], {}
        if title := re.fullmatch(r"# --- (.*) ---", line):
            sections.append((title[1][0].upper() + title[1][1:], []))
            said = []
        elif variable:
            names[variable[1]] = variable[2]
        elif line.startswith("# "):
            said.append(line[2:])
        else:
            said = []
    return sections


def exit_codes_page() -> str:
    causes = {0: ["Good."], 130: ["Stopped by hand (Ctrl-C)."]}
    for _, kind in inspect.getmembers(errors, inspect.isclass):
        if kind is not errors.KawError:
            causes.setdefault(kind.exit_code, []).append(inspect.cleandoc(kind.__doc__).split("\n")[0])
    return (
        CODES
        + "\n".join(f"| {code} | {cell(' '.join(causes[code]))} | {NEXT[code]} |" for code in sorted(causes))
        + "\n"
    )
