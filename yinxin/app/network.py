"""What an address answers: asked over the network, once more only when it changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    from datetime import datetime

    from yinxin.app.home import Home

MAX_TAGGED, MAX_KEPT = 4000, 256 << 20  # answers, and their bytes together


@dataclass(frozen=True, slots=True)
class Fetched:
    """What an address answered, and when."""

    body: bytes
    at: datetime


class Source(Protocol):
    """Where lists come from; raises an error of ours when it has none."""

    def get(self, url: str, limit: int) -> Fetched:
        """The answer of an address, of at most `limit` bytes."""
        ...


@dataclass(frozen=True, slots=True)
class Network:
    """Asks the addresses themselves, and remembers the answers that can be asked for by their tags."""

    home: Home
    _tagged: dict[str, tuple[str, bytes]] = field(default_factory=dict)

    def get(self, url: str, limit: int) -> Fetched:
        """The answer of an address, of at most `limit` bytes; one that did not change is not sent again."""
        tag, before = self._tagged.get(url, ("", b""))
        headers = {"If-None-Match": tag} if tag else None
        answer = self.home.outbound.get(url, headers=headers, max_bytes=limit)
        if tag and answer.status == 304:
            return Fetched(before, self.home.clock.now())
        if answer.status != 200:
            raise MalformedInput("answer", f"{url} answers {answer.status}")
        if tag := answer.headers.get("etag") or "":
            self._remember(url, tag, answer.body)
        return Fetched(answer.body, self.home.clock.now())

    def _remember(self, url: str, tag: str, body: bytes) -> None:
        """The oldest goes: a list of ever new addresses fills no memory."""
        self._tagged.pop(url, None)
        self._tagged[url] = (tag, body)
        while len(self._tagged) > MAX_TAGGED or sum(len(one) for _, one in self._tagged.values()) > MAX_KEPT:
            del self._tagged[next(iter(self._tagged))]
