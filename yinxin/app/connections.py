"""Connections that keep a server waiting: each has some seconds to ask, and the longest idle one makes room.

uvicorn bounds an idle connection after its first answer, but not how long or large a head is, how long a
body takes, nor how many connections there are. Its parser in C (httptools) is strict where request smuggling
begins; it leaves to us that a request names one host, and that what follows a body changes no header.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio

HEAD_SECONDS = 15.0
BODY_SECONDS = 60.0  # a route may have less patience
MAX_HEAD_BYTES = 64 << 10
MAX_CONNECTIONS = 256  # of each server: three of them stay below the usual limit of 1024 open files


class PulsingServer(uvicorn.Server):
    """A server that remembers when its event loop came round last: one that hangs looks alive otherwise."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ticked_at = time.monotonic()

    async def on_tick(self, counter: int) -> bool:
        """Called ten times a second by the server itself."""
        self._ticked_at = time.monotonic()
        return await super().on_tick(counter)

    def silence(self) -> float:
        """Seconds since the event loop came round."""
        return time.monotonic() - self._ticked_at


class PatientProtocol(HttpToolsProtocol):
    """HTTP/1.1 with an end to patience. The bounds are of the class, for tests to change."""

    head_seconds, body_seconds = HEAD_SECONDS, BODY_SECONDS
    most = MAX_CONNECTIONS

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._patience: asyncio.TimerHandle | None = None
        self._waits_for = ""
        self._waits_since = 0.0
        self._head_bytes = 0
        self._is_in_head = False

    @property
    def missing(self) -> str:
        """What has to come before there is nothing but our answer to wait for: a head, a body, or nothing."""
        if self.cycle is None or self.cycle.response_complete:
            return "head"
        return "body" if self.cycle.more_body else ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Begin to wait for a head; make room where there is none."""
        super().connection_made(transport)
        self._wait()
        if len(self.connections) > self.most:
            self._make_room()

    def data_received(self, data: bytes) -> None:
        """Wait for what is missing now; bytes that complete nothing win no time."""
        super().data_received(data)
        self._head_bytes = self._head_bytes + len(data) if self._is_in_head else 0
        if self._head_bytes > MAX_HEAD_BYTES:
            self.transport.abort()
        if self.missing != self._waits_for or self._patience is None:
            self._wait()

    def on_message_begin(self) -> None:
        """A head comes."""
        self._is_in_head = True
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; a trailer (RFC 9112, 7.1.2) is none, and is dropped."""
        if self._is_in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Refuse a head without one host (RFC 9112, 3.2)."""
        self._is_in_head = False
        hosts = sum(name == b"host" for name, _ in self.headers)
        if hosts > 1 or (hosts == 0 and self.parser.get_http_version() == "1.1"):
            raise ValueError("a request names one host")  # the parser turns it into a 400
        super().on_headers_complete()

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: who asks for another protocol is answered in this one."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing to wait for."""
        self._stop_waiting()
        super().connection_lost(exc)

    def give_up(self) -> None:
        """End the connection, unless what was missing came meanwhile."""
        self._patience = None
        if self.missing == self._waits_for and not self.transport.is_closing():
            self.transport.abort()

    def _wait(self) -> None:
        self._stop_waiting()
        self._waits_for, self._waits_since = self.missing, self.loop.time()
        if self._waits_for:
            seconds = self.head_seconds if self._waits_for == "head" else self.body_seconds
            self._patience = self.loop.call_later(seconds, self.give_up)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _make_room(self) -> None:
        others = [one for one in self.connections if isinstance(one, PatientProtocol) and one is not self]
        idle = [one for one in others if one.missing == "head" and not one.transport.is_closing()]
        victim = min(idle, key=lambda one: one._waits_since, default=self)  # noqa: SLF001 - one of us
        victim.transport.abort()
