"""Ask one address for one thing, through the one way out, within what a round may spend."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from signing.certificates import MAX_CERTIFICATE_BYTES
from signing.revocation.ocsp import MAX_OCSP_BYTES
from signing.revocation.request import ocsp_request
from yinxin.app.gathering.timing import retry_after
from yinxin.app.gathering.wants import Kind
from yinxin.base.addresses import parse_target
from yinxin.base.errors import MalformedInput, NotPermitted, TooLarge, TooManyRequests

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from signing.certificates import Certificate
    from yinxin.app.gathering.library import Row
    from yinxin.app.gathering.wants import Want
    from yinxin.base.outbound import Response

MAX_LIST_BYTES = 64 << 20
MAX_BYTES = {
    Kind.ISSUER: 16 * MAX_CERTIFICATE_BYTES,
    Kind.LIST: MAX_LIST_BYTES,
    Kind.DELTA: MAX_LIST_BYTES,
    Kind.ANSWER: MAX_OCSP_BYTES,
}
MAX_TAG = 512
REQUEST = "application/ocsp-request"
WITHOUT_TIME = timedelta(minutes=10)  # how long a busy server is left in peace that does not say


class WayOut(Protocol):
    """As `yinxin.base.outbound.Outbound` is."""

    def get(
        self, url: str, *, headers: Mapping[str, str] | None = None, max_bytes: int | None = None
    ) -> Response:
        """Fetch, following redirects."""
        ...

    def post(self, url: str, body: bytes, *, content_type: str, max_bytes: int | None = None) -> Response:
        """Send a body."""
        ...


@dataclass(frozen=True, slots=True)
class Told:
    """What an address told: a body, or None where nothing changed; what its server calls it."""

    body: bytes | None
    etag: str = ""
    modified: str = ""


@dataclass
class Budget:
    """What one round may spend: requests, bytes, and seconds of this machine's steady clock."""

    requests: int = 500
    bytes: int = 256 << 20
    seconds: float = 600.0
    asked: int = 0
    received: int = 0
    _began: float = field(default_factory=time.monotonic)

    def is_spent(self) -> bool:
        """Whether nothing more is to be asked in this round."""
        late = time.monotonic() - self._began >= self.seconds
        return late or self.asked >= self.requests or self.received >= self.bytes

    @property
    def bytes_left(self) -> int:
        """How much may still come."""
        return max(1, self.bytes - self.received)


def host_of(url: str) -> str:
    """The host and port that an address leads to; "" for one that is refused."""
    try:
        target = parse_target(url)
    except NotPermitted:
        return ""
    return f"{target.host}:{target.port}"


def ask(  # noqa: PLR0913 - who, what, where, and what is known and allowed
    way: WayOut, want: Want, url: str, row: Row | None, *, budget: Budget, now: datetime
) -> Told:
    """What the address tells.

    Raises what the way out raises, `TooManyRequests` where the server wants to be left in peace,
    `MalformedInput` for any other status.
    """
    limit = min(MAX_BYTES[want.kind], budget.bytes_left)
    budget.asked += 1
    try:
        answer = _answer(way, want, url, row, limit)
    except TooLarge:
        budget.received += limit
        raise
    budget.received += len(answer.body)
    return _told(answer, row, now)


def _answer(way: WayOut, want: Want, url: str, row: Row | None, limit: int) -> Response:
    if want.kind is Kind.ANSWER:
        question = ocsp_request(want.about[0], _issuer(want))
        return way.post(url, question, content_type=REQUEST, max_bytes=limit)
    return way.get(url, headers=_conditions(row, url), max_bytes=limit)


def _conditions(row: Row | None, url: str) -> dict[str, str]:
    """Only what is newer than what is at hand from this very address (RFC 9110, 13.1)."""
    if row is None or not row.digest or row.url != url:
        return {}
    named = {"If-None-Match": row.etag, "If-Modified-Since": row.modified}
    return {name: value for name, value in named.items() if value}


def _told(answer: Response, row: Row | None, now: datetime) -> Told:
    if answer.status == 304 and row is not None and row.digest:
        return Told(None, row.etag, row.modified)
    if answer.status in {429, 503}:
        until = retry_after(answer.headers.get("retry-after"), now=now)
        wait = (until - now) if until else WITHOUT_TIME
        raise TooManyRequests(f"status {answer.status}", retry_after=wait)
    if answer.status != 200:
        raise MalformedInput("answer", f"status {answer.status}")
    return Told(answer.body, _tag(answer, "etag"), _tag(answer, "last-modified"))


def _tag(answer: Response, name: str) -> str:
    """What goes back to the server as it came; nothing that could be more than one header."""
    text = answer.headers.get(name) or ""
    return text if len(text) <= MAX_TAG and text.isascii() and text.isprintable() else ""


def _issuer(want: Want) -> Certificate:
    assert want.issuer is not None  # noqa: S101 - an answer has one
    return want.issuer
