"""The embedded server while commands use it: it is not stopped under one that is still at work."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator

from include.local import door, scheduler, server
from include.settings import settings

STARTED = b"started by a command"


@contextlib.contextmanager
def server_in_use() -> Iterator[None]:
    """Keeps the embedded server up for the time of a command. Who leaves last stops it, where a command started it.

    Users share a lock of the home, which the system takes from one that dies. A server that was up already, that serves Airflow in the
    background, or whose door is open, goes on.
    """
    given = settings()
    if given.warehouse is not None:
        yield
        return
    path = given.home / "server.users"
    users = server.acquire(path, fcntl.LOCK_SH)
    try:
        if not server.is_running(given):
            os.pwrite(users, STARTED, 0)
        yield
    finally:
        with contextlib.suppress(BlockingIOError, FileNotFoundError):
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_ours = os.path.samestat(os.fstat(users), path.stat())  # and not of a home that was purged meanwhile
            is_needed = scheduler.is_up() or door.is_open(given)
            if is_ours and os.pread(users, len(STARTED), 0) == STARTED and not is_needed:
                server.stop(given)
                os.ftruncate(users, 0)
        os.close(users)
