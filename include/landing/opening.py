"""A source's folder, from which nothing leads out: regular files of its tables' folders, opened without following a link.

What a file is, is asked of the open handle. The source's folder itself may be a link: it is the operator's word, not the source's.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from include.landing.delivery import FileProblem, printable

_KINDS = {
    stat.S_IFLNK: "is a symbolic link; deliver the file itself",
    stat.S_IFIFO: "is a named pipe; deliver a file",
    stat.S_IFSOCK: "is a socket; deliver a file",
    stat.S_IFCHR: "is a device; deliver a file",
    stat.S_IFBLK: "is a device; deliver a file",
    stat.S_IFDIR: "is a folder with a file's name; deliver a file",
    stat.S_IFREG: "is a file; make it a folder and put the files into it",
}


@contextlib.contextmanager
def opened_folder(root: Path, name: str = ".") -> Iterator[int | None]:
    """A handle of a folder of the source, at a path from its root; None where there is none. Raises FileProblem where it is something else."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    with contextlib.ExitStack() as handles:
        try:
            at = os.open(root, flags)
            handles.callback(os.close, at)
            for part in Path(name).parts:
                _demand(at, part, stat.S_IFDIR, "the table's folder")
                at = os.open(part, flags | os.O_NOFOLLOW, dir_fd=at)
                handles.callback(os.close, at)
        except FileNotFoundError:
            at = None
        except OSError as error:
            raise FileProblem(f"the table's folder cannot be read ({error.strerror}); let the loader read it") from None
        yield at


@contextlib.contextmanager
def opened_file(folder: int, name: str, largest_mib: float, what: str = "it") -> Iterator[BinaryIO]:
    """A regular file of a folder, to be read from its start.

    Raises FileProblem where it is anything else, cannot be read or is larger, and, at the end, where it changed meanwhile.
    """
    try:
        _demand(folder, name, stat.S_IFREG, what)  # before it is opened: to open a device can do something
        # a pipe that took the file's place meanwhile is opened at once, and seen
        handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC, dir_fd=folder)
    except FileNotFoundError:
        raise FileProblem(f"{what} is gone again; deliver it whole, under another name until it is") from None
    except OSError as error:
        raise FileProblem(f"{what} cannot be read ({error.strerror}); let the loader read it") from None
    with os.fdopen(handle, "rb") as file:
        before = os.fstat(handle)
        if not stat.S_ISREG(before.st_mode):
            raise FileProblem(f"{what} {_KINDS.get(stat.S_IFMT(before.st_mode), 'is no file')}")
        if before.st_size > largest_mib * (1 << 20):
            raise FileProblem(
                f"{what} has {before.st_size / (1 << 20):,.0f} MiB, at most {largest_mib:,.0f} are read; deliver less"
                f"{' at once, or raise KAW_FILE_MIB' if what == 'it' else ''}"
            )
        yield file
        after = os.fstat(handle)
        if any(getattr(before, each) != getattr(after, each) for each in ("st_size", "st_mtime_ns", "st_ctime_ns")):
            raise FileProblem(f"{what} changed while it was read; deliver it under another name until it is whole")


def entries(folder: int) -> list[tuple[str, os.stat_result]]:
    """What lies in a folder, by name; links are not followed."""
    found = []
    for name in sorted(os.listdir(folder)):
        with contextlib.suppress(FileNotFoundError):  # taken away meanwhile
            found.append((name, os.stat(name, dir_fd=folder, follow_symlinks=False)))
    return found


def shown(name: str) -> str:
    """A name as it can be stored and printed: bytes that are no UTF-8, and control characters, as escapes."""
    return printable(os.fsencode(name).decode("utf-8", "backslashreplace"), 255)


def name_problem(name: str) -> str | None:
    """Why a file of this name is not read, however good its content."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return "its name is not UTF-8; rename it"
    if not name.isprintable():
        return "its name holds a control character; rename it"
    return None


def _demand(folder: int, name: str, kind: int, what: str) -> None:
    found = stat.S_IFMT(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    if found != kind:
        raise FileProblem(f"{what} {_KINDS.get(found, 'is no file')}")
