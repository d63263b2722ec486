"""A citizen's wallet, an office that issues to it, and the wires between: no sockets."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from signing.jose import parse_jws
from signing.revocation import Crl, RevocationSnapshot
from signing.trust import TrustStore
from wallet.holder import Holder
from wallet.receiving import Receiving
from wallet.trusted import TrustedParties
from world.asgi import Client
from yinxin.base.errors import TooLarge, Unreachable
from yinxin.base.outbound import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from world.pki import Pki
    from world.vci import IssuingOffice
    from yinxin.base.outbound import Outbound

SECRET = "正确的电池 battery"
FAST = {"scrypt_cost": 1 << 4}
_NUMBERS = count()


@dataclass
class Asked:
    """One request that went out."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes = b""

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode()))

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def proof(self) -> dict[str, Any]:
        """The claims of its DPoP proof."""
        return parse_jws(self.headers["DPoP"]).claims()


@dataclass
class Internet:
    """What the wallet's `Outbound` stands for: hosts that are applications of this process.

    A twist sees each answer before the wallet does and may put another in its place.
    """

    hosts: dict[str, Client] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    twist: Callable[[Asked, Response], Response] = lambda _, answer: answer

    def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        max_bytes: int | None = None,
        max_age: Any = None,
        follow: bool = True,
    ) -> Response:
        del max_age
        answer = self._send(Asked("GET", url, dict(headers or {})), max_bytes)
        onward = answer.headers.get("location") if follow and 300 <= answer.status < 400 else None
        return self._send(Asked("GET", onward, {}), max_bytes) if onward else answer

    def post(
        self,
        url: str,
        body: bytes,
        *,
        content_type: str,
        headers: Mapping[str, str] | None = None,
        max_bytes: int | None = None,
    ) -> Response:
        return self._send(
            Asked("POST", url, {**(headers or {}), "Content-Type": content_type}, body), max_bytes
        )

    def _send(self, asked: Asked, max_bytes: int | None) -> Response:
        self.asked.append(asked)
        host = self.hosts.get(urlsplit(asked.url).netloc)
        if host is None:
            raise Unreachable(f"{urlsplit(asked.url).netloc} does not answer")
        found = host.request(asked.method, asked.url, headers=asked.headers, content=asked.body)
        answer = self.twist(asked, Response(found.status_code, found.headers, found.content))
        if max_bytes is not None and len(answer.body) > max_bytes:
            raise TooLarge("response", f"over {max_bytes} bytes")
        return answer

    def to(self, path: str) -> list[Asked]:
        """What was asked of one path."""
        return [one for one in self.asked if one.path == path]


@dataclass
class Citizen:
    """A person with a wallet, who trusts the city's root."""

    office: IssuingOffice
    directory: Path
    internet: Internet = field(default_factory=Internet)
    client_id: str | None = None

    def __post_init__(self) -> None:
        address = f"198.51.100.{next(_NUMBERS) % 250 + 1}"  # limits count by address
        client = Client(self.office.app, address=address)
        self.internet.hosts.setdefault(urlsplit(self.office.copies.url).netloc, client)
        self.holder = Holder.create(self.directory, SECRET, clock=self.office.clock, **FAST)

    @property
    def outbound(self) -> Outbound:
        return self.internet  # type: ignore[return-value]  # it has the two methods that are used

    @property
    def receiving(self) -> Receiving:
        return Receiving(
            self.holder,
            self.outbound,
            trusted=self.trusted(),
            client_id=self.client_id,
            clock=self.office.clock,
        )

    def trusted(self, **changes: Any) -> TrustedParties:
        pki = self.office.pki
        options = {"revocation": evidence(pki, self.office.now), "clock": self.office.clock, **changes}
        trust = options.pop("trust", TrustStore([pki.root.certificate]))
        return TrustedParties(trust, self.outbound, **options)

    def contents(self) -> dict[str, Any]:
        """All that lies in the store."""
        return self.holder._store.read()


def evidence(pki: Pki, at: Any) -> RevocationSnapshot:
    return RevocationSnapshot(Crl.from_der(ca.crl(at)) for ca in (pki.root, pki.issuing))


def answered(body: Any, *, status: int = 200, kind: str = "application/json", **headers: str) -> Response:
    """An answer as a hostile issuer would make it."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, {"content-type": kind, **named}, data)
