"""One place where steps say what they did: a terminal listens in `./kaw run`, the task log hears it under Airflow."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_log = logging.getLogger("kaw")
_listener: Callable[[object], None] | None = None


def listen(listener: Callable[[object], None] | None) -> None:
    """Sets who hears the progress of this process; None for the log."""
    global _listener
    _listener = listener


def say(what: object) -> None:
    """Tells that something was done: a Receipt, a Built model, a rule's Result, or a sentence."""
    if _listener is not None:
        _listener(what)
    else:
        _log.info("%s", what)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Marks a step: its title goes to the listener, and so does its error, before it is raised on."""
    listener = _listener
    try:
        if listener is not None and hasattr(listener, "step") and title:
            with listener.step(title):
                yield
        else:
            yield
    except BaseException as error:
        say(error)
        raise
