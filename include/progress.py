"""One place where steps say what they did: the log of the task hears it, and a terminal listens too in `./kaw run`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from include.errors import KawError

_log = logging.getLogger("kaw")
_listener: Callable[[object], None] | None = None


def listen(listener: Callable[[object], None] | None) -> None:
    """Sets who hears the progress of this process beside the log; None for nobody."""
    global _listener
    _listener = listener


def say(what: object) -> None:
    """Tells that something was done: a Receipt, a Built model, a rule's Result, or a sentence.

    The log leaves out what calls itself a detail, such as a rule that found nothing.
    """
    if _listener is not None:
        _listener(what)
    level = logging.ERROR if isinstance(what, KawError) else logging.INFO
    level = logging.WARNING if isinstance(what, Trouble) else level
    _log.log(logging.DEBUG if getattr(what, "is_detail", False) else level, "%s", what)


class Trouble(str):
    """What went wrong and stops nothing."""


def note(text: str) -> None:
    """A line for the log alone."""
    _log.info("%s", text)


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
