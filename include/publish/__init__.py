"""Publishing by pointer: readers' names never change, one short transaction moves every mart of a month at once."""

from include.publish.flip import PublishResult, publish
from include.publish.history import pointers_as_of, release, rollback, shown, status

__all__ = ["PublishResult", "pointers_as_of", "publish", "release", "rollback", "shown", "status"]
