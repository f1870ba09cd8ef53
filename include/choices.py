"""What a message lists as allowed beside a name that is wrong."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

MOST_LISTED = 24  # a longer list of what is allowed is shortened to the names that are most like the wrong one


def choices(wrong: str, known: Iterable[str]) -> str:
    """The known names: all of them, or of a long list those that are most like the wrong one and the number of all."""
    names = list(dict.fromkeys(known))
    if len(names) <= MOST_LISTED:
        return ", ".join(names)
    close = difflib.get_close_matches(wrong, names, n=8, cutoff=0.5) or sorted(names)[:8]
    return f"{', '.join(close)}, ... ({len(names)} in all)"


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(wrong, list(known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""
