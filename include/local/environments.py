"""Python environments beside the one that runs this: what would weigh on it, or does not go with it, has a lock file of its own."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

from include.errors import InfrastructureError
from include.settings import ROOT


def environment(name: str, lock: Path, base: Callable[[ModuleType], str] | None = None) -> Path:
    """Folder of the environment `name` with the packages of its lock; made where it is missing or of another lock.

    `base` chooses the Python that it is made of, this one where it is not given. Raises InfrastructureError where it cannot be made.
    """
    kaw = _kaw()
    venv = f"{sys.prefix}-{name}"
    if not kaw.is_ready(venv, str(lock)):
        python = base(kaw) if base else sys.executable
        uv = Path(sys.prefix) / "bin" / "uv"
        try:
            with kaw.setup_lock(venv):
                if not kaw.is_ready(venv, str(lock)):
                    kaw.set_up(venv, str(lock), python, str(uv) if uv.exists() else None)
        except kaw.SetupError as error:
            what, _, rest = str(error).partition("\nWhere: ")
            where, _, next_step = rest.partition("\nNext: ")
            raise InfrastructureError(what, where=where or venv, next_step=next_step or None) from error
    return Path(venv)


def _kaw() -> ModuleType:
    """The set-up of environments is that of the command itself, which is a file without an ending."""
    loader = SourceFileLoader("kaw_setup", str(ROOT / "kaw"))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module
