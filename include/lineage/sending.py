"""The way out: OpenLineage's own client, over transports of which one that fails is given up for the rest of the process."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import RunEvent
from openlineage.client.transport import Transport
from openlineage.client.transport.composite import CompositeTransport
from openlineage.client.transport.file import FileConfig, FileTransport
from openlineage.client.transport.http import HttpTransport
from openlineage.client.transport.http_common import DEFAULT_RETRY_CONFIG
from openlineage.client.transport.noop import NoopConfig, NoopTransport

from include.progress import Trouble, say
from include.settings import settings


class Careful(Transport):
    """Tells every transport; one that fails is not asked again, or each of a night's events would wait for it."""

    kind = "careful"

    def __init__(self, transports: list[Transport]) -> None:
        self._transports = transports

    def emit(self, event: RunEvent) -> None:
        for transport in list(self._transports):
            try:
                transport.emit(event)
            except Exception as error:  # no text of it: it may hold an address
                self._transports.remove(transport)
                name = type(error).__name__
                say(Trouble(f"lineage: the {transport.kind} transport failed ({name}) and is left alone from here on."))

    def close(self, timeout: float = -1) -> bool:
        ended = [transport.close(timeout) for transport in self._transports]
        return all(ended)


def send(events: list[RunEvent]) -> None:
    given = settings()
    client = _client(given.lineage_file, given.lineage_by_openlineage)
    for event in events:
        client.emit(event)


@cache
def _client(file: Path | None, by_openlineage: bool) -> OpenLineageClient:
    client = OpenLineageClient() if by_openlineage else OpenLineageClient(transport=NoopTransport(NoopConfig()))
    transports = _single(client.transport) if by_openlineage else []
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
        transports.append(FileTransport(FileConfig(str(file), append=True)))
    client.transport = Careful(transports)
    return client


def _single(transport: Transport) -> list[Transport]:
    """The parts of a composite, which itself would hide their failures; HTTP is tried twice where nobody asked for more."""
    if isinstance(transport, CompositeTransport):
        return [part for inner in transport.transports for part in _single(inner)]
    if isinstance(transport, HttpTransport) and transport.config.retry == DEFAULT_RETRY_CONFIG:
        transport.config.retry = DEFAULT_RETRY_CONFIG | {"total": 1, "read": 1, "connect": 1}
    return [transport]
