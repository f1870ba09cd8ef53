"""Publishing by pointer: readers' names never change, one short transaction moves every mart of a month at once."""

from include.publish.flip import PublishResult, publish
from include.publish.history import release, rollback, status

__all__ = ["PublishResult", "publish", "release", "rollback", "status"]
