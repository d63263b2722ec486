"""The only door to the outside: HTTP requests that cannot be turned against our own network.

A host name is resolved once, every address checked, and the connection goes to a checked address while the
`Host` header and the TLS server name stay the name's. Redirects are followed by hand and checked like a first
request. Time, size and number of redirects are bounded. What the answer means is the caller's business.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections import OrderedDict
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urljoin

from urllib3.connection import HTTPConnection, HTTPException, HTTPSConnection
from urllib3.exceptions import HTTPError

from yinxin.base.addresses import Permission, Target, parse_target
from yinxin.base.clock import SystemClock
from yinxin.base.errors import NotPermitted, TooLarge, Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    from yinxin.base.clock import Clock

MAX_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CACHE_ITEMS = 64
_CACHEABLE_BYTES = 1 << 20
_CHUNK_BYTES = 1 << 16
_RETRY_AFTER = timedelta(seconds=30)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Response:
    """An answer, whatever its status. `headers` does not care about upper and lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def system_resolve(host: str, port: int) -> list[str]:
    """All addresses of a name, as the operating system knows them; `OSError` when there are none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Outbound:
    """Makes requests. Safe to share between threads; holds no connection open.

    `allowed_private`: addresses (`10.1.2.3`), addresses with a port (`127.0.0.1:8443`) or networks
    (`10.1.0.0/16`) that are allowed although they are not public. `timeout_seconds` bounds a whole request,
    redirects included. `tls` replaces the system's trust in server certificates.
    """

    def __init__(  # noqa: PLR0913 - limits and doors, all with defaults
        self,
        *,
        allowed_private: Collection[str] = (),
        timeout_seconds: float = 5,
        max_bytes: int = 4 << 20,
        https_only: bool = False,
        resolve: Callable[[str, int], Sequence[str]] = system_resolve,
        tls: ssl.SSLContext | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._permission = Permission(allowed_private)
        self._timeout = timeout_seconds
        self._max_bytes = max_bytes
        self._https_only = https_only
        self._resolve = resolve
        self._tls = tls
        self._clock = clock or SystemClock()
        self._cache: OrderedDict[str, tuple[datetime, Response]] = OrderedDict()
        self._gate = threading.Lock()

    def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        max_bytes: int | None = None,
        max_age: timedelta | None = None,
        follow: bool = True,
    ) -> Response:
        """Fetch; up to three redirects are followed, each one checked.

        Without `follow` a redirect is an answer like any other.

        `max_age` accepts an answer kept from an earlier request of that age (only 200, at most a mebibyte,
        and only without `headers`). `NotPermitted`: the URL or an address is refused. `Unreachable`: no
        answer in time. `TooLarge`: more than `max_bytes`.
        """
        if not follow:
            return self.send("GET", url, headers=headers, max_bytes=max_bytes)
        kept = self._kept(url, max_age) if max_age and not headers else None
        if kept:
            return kept
        asked_at = self._clock.now()
        response = self._follow(url, dict(headers or {}), max_bytes or self._max_bytes)
        if not headers:
            self._keep(url, asked_at, response)
        return response

    def post(
        self,
        url: str,
        body: bytes,
        *,
        content_type: str,
        headers: Mapping[str, str] | None = None,
        max_bytes: int | None = None,
    ) -> Response:
        """Send a body; a redirect is an answer like any other and is not followed. Errors as in `get`."""
        typed = {**(headers or {}), "Content-Type": content_type}
        return self.send("POST", url, body=body, headers=typed, max_bytes=max_bytes)

    def send(
        self,
        method: str,
        url: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        max_bytes: int | None = None,
    ) -> Response:
        """A request of any method; a redirect is an answer like any other. Errors as in `get`."""
        deadline = time.monotonic() + self._timeout
        request = _Request(method, dict(headers or {}), body)
        return self._exchange(self._target(url), request, max_bytes or self._max_bytes, deadline)

    def _target(self, url: str) -> Target:
        return parse_target(url, https_only=self._https_only)

    def _follow(self, url: str, headers: dict[str, str], max_bytes: int) -> Response:
        deadline = time.monotonic() + self._timeout
        target = self._target(url)
        for _ in range(MAX_REDIRECTS + 1):
            response = self._exchange(target, _Request("GET", headers), max_bytes, deadline)
            location = response.headers.get("location")
            if response.status not in _REDIRECTS or not location:
                return response
            url = urljoin(url, location)
            onward = self._target(url)
            if target.scheme == "https" and onward.scheme != "https":
                raise NotPermitted("a redirect leads from https to http")
            if onward.origin != target.origin:
                headers = {}  # they were meant for the first server
            target = onward
        raise Unreachable(f"over {MAX_REDIRECTS} redirects")

    def _exchange(self, target: Target, request: _Request, max_bytes: int, deadline: float) -> Response:
        connection = self._connect(target, deadline)
        try:
            with _cut_off(deadline, connection.sock):
                return _ask(connection, target, request, max_bytes)
        except _TROUBLE as exc:
            raise _silent(target, exc) from exc
        finally:
            connection.close()

    def _connect(self, target: Target, deadline: float) -> HTTPConnection:
        trouble: Exception | None = None
        for address in self._addresses(target, deadline):
            connection = self._connection(target, address, _left(deadline))
            try:
                with _cut_off(deadline, connection):
                    connection.connect()
            except _TROUBLE as exc:
                connection.close()
                trouble = exc
            else:
                return connection
        raise _silent(target, trouble) from trouble

    def _connection(self, target: Target, address: str, timeout: float) -> HTTPConnection:
        if target.scheme == "http":
            return HTTPConnection(address, target.port, timeout=timeout)
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return HTTPSConnection(
            address, target.port, timeout=timeout, ssl_context=self._tls, server_hostname=target.host
        )

    def _addresses(self, target: Target, deadline: float) -> list[str]:
        """The addresses of the host, all of them allowed: one that is not refuses the name."""
        try:
            found = _in_time(lambda: self._resolve(target.host, target.port), _left(deadline))
        except (OSError, UnicodeError) as exc:
            raise _silent(target, exc) from exc
        return [self._permission.check(text, target.port) for text in found[:8]]

    def _kept(self, url: str, max_age: timedelta) -> Response | None:
        with self._gate:
            asked_at, response = self._cache.get(url, (None, None))
        fresh = asked_at is not None and timedelta() <= self._clock.now() - asked_at <= max_age
        return response if fresh else None

    def _keep(self, url: str, asked_at: datetime, response: Response) -> None:
        if response.status != 200 or len(response.body) > _CACHEABLE_BYTES:
            return
        with self._gate:
            self._cache[url] = (asked_at, response)
            self._cache.move_to_end(url)
            while len(self._cache) > _CACHE_ITEMS:
                self._cache.popitem(last=False)


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    headers: Mapping[str, str]
    body: bytes | None = None


_TROUBLE = (HTTPError, HTTPException, OSError, ValueError)  # ValueError: a header that cannot be sent


def _ask(connection: HTTPConnection, target: Target, request: _Request, max_bytes: int) -> Response:
    headers = {"User-Agent": "yinxin", **request.headers, "Host": target.host_header}
    headers["Accept-Encoding"] = "identity"  # so that the bound on bytes is a bound on memory
    connection.request(request.method, target.path, body=request.body, headers=headers, preload_content=False)
    answer = connection.getresponse()
    if answer.headers.get("content-encoding", "identity").lower() != "identity":
        raise Unreachable(f"{target.host} answers compressed, unasked")
    body = bytearray()
    while chunk := answer.read(_CHUNK_BYTES, decode_content=False):
        body += chunk
        if len(body) > max_bytes:
            raise TooLarge("response", f"over {max_bytes} bytes")
    return Response(answer.status, answer.headers, bytes(body))


@contextmanager
def _cut_off(deadline: float, connection: HTTPConnection | socket.socket) -> Iterator[None]:
    """Shut the socket down at the deadline: socket timeouts bound each step, a slow drip has many steps."""

    def cut() -> None:
        found = connection if isinstance(connection, socket.socket) else connection.sock
        with suppress(OSError, AttributeError):
            socket.socket.shutdown(found, socket.SHUT_RDWR)  # past TLS, which would wait for its peer

    timer = threading.Timer(_left(deadline), cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _in_time(work: Callable[[], T], seconds: float) -> T:
    """The result of `work`, which nothing can interrupt, or `TimeoutError`."""
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(work())
        except BaseException as exc:  # noqa: BLE001 - handed over to who waits
            outcome.set_exception(exc)

    threading.Thread(target=run, name="yinxin-resolve", daemon=True).start()
    return outcome.result(seconds)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise Unreachable("no answer in time", retry_after=_RETRY_AFTER)
    return left


def _silent(target: Target, trouble: Exception | None) -> Unreachable:
    why = type(trouble).__name__ if trouble else "no address"
    return Unreachable(f"{target.host} does not answer: {why}", retry_after=_RETRY_AFTER)
