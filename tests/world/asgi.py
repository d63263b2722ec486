"""A client of an ASGI application in this process: no sockets, no framework's test client."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlencode, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class Answer:
    status_code: int
    headers: Mapping[str, str]
    content: bytes
    pairs: Sequence[tuple[str, str]] = ()  # every header, a repeated one too

    @property
    def text(self) -> str:
        return self.content.decode()

    def json(self) -> Any:
        return json.loads(self.content)


class Client:
    """Sends requests one by one; may be used from several threads."""

    def __init__(self, app: Any, *, address: str = "203.0.113.7") -> None:
        self.app, self.address = app, address

    def get(self, url: str, *, headers: Any = ()) -> Answer:
        return self.request("GET", url, headers=headers)

    def post(
        self, url: str, *, headers: Any = (), data: Any = None, json: Any = None, content: bytes = b""
    ) -> Answer:
        found = list(headers.items()) if isinstance(headers, dict) else list(headers)
        if data is not None:
            content = urlencode(data).encode() if not isinstance(data, bytes) else data
            found.append(("Content-Type", "application/x-www-form-urlencoded"))
        if json is not None:
            content = _json(json)
            found.append(("Content-Type", "application/json"))
        return self.request("POST", url, headers=found, content=content)

    def request(
        self, method: str, url: str, *, headers: Any = (), content: bytes = b"", chunk: int = 1 << 16
    ) -> Answer:
        pairs = list(headers.items()) if isinstance(headers, dict) else list(headers)
        return asyncio.run(self._request(method, url, pairs, content, chunk))

    async def _request(
        self, method: str, url: str, headers: Sequence[tuple[str, str]], content: bytes, chunk: int
    ) -> Answer:
        parts = urlsplit(url)
        pieces = [content[start : start + chunk] for start in range(0, len(content), chunk)] or [b""]
        sent: list[dict[str, Any]] = []
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": parts.scheme or "https",
            "path": unquote(parts.path),
            "raw_path": parts.path.encode(),
            "query_string": parts.query.encode(),
            "root_path": "",
            "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers],
            "client": (self.address, 50000),
            "server": (parts.hostname or "localhost", 443),
        }

        async def receive() -> dict[str, Any]:
            if not pieces:
                return {"type": "http.disconnect"}
            piece = pieces.pop(0)
            return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        start = sent[0]
        pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"]]
        body = b"".join(one.get("body", b"") for one in sent[1:])
        return Answer(start["status"], dict(pairs), body, pairs)


def _json(value: Any) -> bytes:
    return value if isinstance(value, bytes) else json.dumps(value).encode()
