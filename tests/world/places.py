"""An internet in memory: addresses of authorities, what they answer, and who was asked for what."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

from world.pki import NOON, TestAuthority, name
from yinxin.base.addresses import parse_target
from yinxin.base.errors import TooLarge, Unreachable
from yinxin.base.outbound import Response

if TYPE_CHECKING:
    from world.pki import Extra

Answer = bytes | Response | Callable[[bytes], bytes]
URI = x509.UniformResourceIdentifier


@dataclass
class Net:
    """As `Outbound`: what `pages` have is answered, with an ETag; hosts in `dead` do not answer."""

    pages: dict[str, Answer] = field(default_factory=dict)
    dead: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    conditional: int = 0

    def get(
        self, url: str, *, headers: Mapping[str, str] | None = None, max_bytes: int | None = None
    ) -> Response:
        found = self._found(url, b"")
        if isinstance(found, Response):
            return found
        if max_bytes is None or len(found) > max_bytes:
            raise TooLarge("response", f"over {max_bytes} bytes")
        tag = f'"{hashlib.sha256(found).hexdigest()[:16]}"'
        self.conditional += bool(headers)
        if headers and headers.get("If-None-Match") == tag:
            return Response(304, {}, b"")
        return Response(200, {"etag": tag}, found)

    def post(self, url: str, body: bytes, *, content_type: str, max_bytes: int | None = None) -> Response:
        assert max_bytes
        assert content_type == "application/ocsp-request"
        found = self._found(url, body)
        return found if isinstance(found, Response) else Response(200, {}, found)

    def asked_now(self) -> list[str]:
        """What was asked since the last look."""
        found, self.asked = self.asked, []
        return found

    def _found(self, url: str, body: bytes) -> bytes | Response:
        self.asked.append(url)
        host = parse_target(url).host
        if host in self.dead:
            raise Unreachable(f"{host} does not answer")
        page = self.pages.get(url, Response(404, {}, b""))
        return page(body) if callable(page) else page


def access(**places: str) -> x509.AuthorityInformationAccess:
    """`issuer=` and `ocsp=` addresses."""
    methods = {"issuer": AuthorityInformationAccessOID.CA_ISSUERS, "ocsp": AuthorityInformationAccessOID.OCSP}
    return x509.AuthorityInformationAccess(
        [x509.AccessDescription(methods[kind], URI(uri)) for kind, uri in places.items()]
    )


def points(*uris: str, issuer: str | None = None) -> x509.CRLDistributionPoints:
    """One distribution point for each address; `issuer` names another who signs the lists."""
    signer: list[x509.GeneralName] | None = [x509.DirectoryName(name(issuer))] if issuer else None
    return x509.CRLDistributionPoints(
        [x509.DistributionPoint([URI(uri)], None, None, signer) for uri in uris]
    )


def fresh(uri: str) -> x509.FreshestCRL:
    return x509.FreshestCRL([x509.DistributionPoint([URI(uri)], None, None, None)])


@dataclass
class Country:
    """A root and an issuing authority of somebody else, with addresses on a net."""

    net: Net = field(default_factory=Net)
    host: str = "ca.example"

    def __post_init__(self) -> None:
        self.root = TestAuthority("邻国根 Root next door")
        above = (
            (points(self.at("root.crl")), False),
            (access(issuer=self.at("root.cer"), ocsp=self.at("root-ocsp")), False),
        )
        self.issuing = TestAuthority("邻国签发 Issuing next door", issuer=self.root, extra=above)
        self.net.pages[self.at("issuing.cer")] = self.issuing.certificate.der
        self.publish()

    def at(self, path: str) -> str:
        return f"http://{self.host}/{path}"

    def publish(self, when: Any = NOON) -> None:
        """Put today's lists at their places."""
        self.net.pages[self.at("root.crl")] = self.root.crl(when)
        self.net.pages[self.at("issuing.crl")] = self.issuing.crl(when)

    def leaf(self, common_name: str = "邻国印章 Seal next door", **changes: Any) -> Any:
        """A seal's certificate that names its list and its issuer; `extra` replaces what it names."""
        extra: Extra = changes.pop("extra", None) or (
            (points(self.at("issuing.crl")), False),
            (access(issuer=self.at("issuing.cer")), False),
        )
        return self.issuing.issue(common_name, extra=extra, **changes).certificate
