"""The documentation site: the pages of `docs/` as a folder of HTML that is read and searched without a network."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from include.errors import InfrastructureError, UsageError
from include.local.environments import environment
from include.settings import ROOT

PAGES = ROOT / "docs"
MARK = "searchindex.js"  # a folder that has it is a site of before


def write_site(folder: Path) -> Path:
    """Builds the site into a folder that is missing, empty or a site of before; its first page.

    Raises UsageError where the folder holds something else or a page is wrong (a link that leads nowhere, a language of a snippet
    that it is not), InfrastructureError where the environment cannot be made or the folder not be written.
    """
    folder = folder.expanduser().absolute()
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not (folder / MARK).exists())):
        raise UsageError(
            f"{folder} is there and is no site of before; nothing was changed.",
            where="--site",
            next_step="give a folder that is missing or empty.",
        )
    python = environment("docs", PAGES / "requirements.lock") / "bin" / "python"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as made:
            _build(python, Path(made))
            shutil.rmtree(folder, ignore_errors=True)
            (Path(made) / "html").rename(folder)
    except OSError as error:
        raise InfrastructureError(
            f"The site cannot be written: {error.strerror}.", where=str(folder), next_step="give a folder that can be."
        ) from error
    return folder / "index.html"


def _build(python: Path, made: Path) -> None:
    """Every warning fails it: a site with a dead link is none."""
    options = ["-b", "html", "-q", "-W", "--keep-going", "-j", "2", "-d", str(made / "doctrees")]
    finished = subprocess.run(
        [str(python), "-I", "-m", "sphinx", *options, str(PAGES), str(made / "html")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={name: value for name, value in os.environ.items() if name in ("HOME", "LANG", "PATH", "TMPDIR")},
        text=True,
    )
    if finished.returncode:
        raise UsageError(
            "The site was not built:\n" + finished.stdout.strip()[-2000:],
            where=str(PAGES),
            next_step="correct the pages that it names.",
        )
