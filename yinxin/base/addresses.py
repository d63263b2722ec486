"""Which network addresses an outbound request may go to, and which URLs say plainly where they go.

A URL that comes from a document or a caller could point back into our own network. What is not a public
address is refused here; what has two readings is refused too, so that nobody else reads it differently.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from yinxin.base.errors import NotPermitted, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

MAX_URL_CHARACTERS = 2048
_DEFAULT_PORTS = {"http": 80, "https": 443}
_URL = re.compile(r"[!-~]+\Z")  # printable ASCII without space
_NETLOC = re.compile(
    r"(\[[0-9A-Fa-f:.]+\]|[^][:@]+)(:[0-9]+)?\Z"
)  # no user name, nothing beside the brackets
_HOST_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*\Z")
_NUMBER_LIKE = re.compile(r"([0-9]+|0x[0-9a-f]*)\Z")

# The IANA special-purpose registries, written out: Python's own tables change from version to version.
_NOT_PUBLIC_4 = tuple(
    map(
        IPv4Network,
        (
            *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
            *("192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24"),
            *("192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
            *("224.0.0.0/4", "240.0.0.0/4"),
        ),
    )
)
_PUBLIC_6 = IPv6Network("2000::/3")
# Protocol assignments with Teredo, documentation, 6to4, AS112: tunnels lead to addresses inside them.
_NOT_PUBLIC_6 = tuple(
    map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"))
)

# Ports of other protocols, on public machines too: a line of HTTP can be read as a command there. The Fetch
# standard's list ("port blocking"), and the usual databases and administration.
_FIRST_FREE_PORT = 1024
_WEB_PORTS = frozenset(_DEFAULT_PORTS.values())
_OTHERS_PORTS = frozenset(
    (
        *(
            1719,
            1720,
            1723,
            2049,
            3659,
            4045,
            4190,
            5060,
            5061,
            6000,
            6566,
            *range(6665, 6670),
            6679,
            6697,
            10080,
        ),
        *(1433, 1521, 2375, 2376, 2379, 2380, 3306, 3389, 5432, 5900, 6379, 9200, 9300, 10250, 11211, 27017),
    )
)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL goes: `origin` is scheme, host and port; `path` has the query with it."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def origin(self) -> tuple[str, str, int]:
        """What two URLs share when they lead to the same server."""
        return self.scheme, self.host, self.port

    @property
    def host_header(self) -> str:
        """The host as the `Host` header has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def parse_target(url: str, *, https_only: bool = False) -> Target:
    """Where this URL goes; `NotPermitted` unless it is a plain http or https URL with one reading.

    Refused: user names, spaces and control characters, backslashes, host names that are not ASCII, addresses
    in short, octal, hexadecimal or decimal form, zone identifiers, port 0.
    """
    if len(url) > MAX_URL_CHARACTERS or not _URL.match(url) or "\\" in url:
        raise NotPermitted("the URL is too long or has characters that need encoding")
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").lower()
    except ValueError:
        raise NotPermitted("the URL cannot be read") from None
    if parts.scheme not in _DEFAULT_PORTS or (https_only and parts.scheme != "https"):
        raise NotPermitted(f"the URL is not {'https' if https_only else 'http or https'}")
    if port == 0 or not _NETLOC.match(parts.netloc) or not _is_plain_host(host, bracketed=":" in host):
        raise NotPermitted("the URL has no plain host and port")
    path = parts.path or "/"
    return Target(
        parts.scheme,
        host,
        _DEFAULT_PORTS[parts.scheme] if port is None else port,
        f"{path}?{parts.query}" if parts.query else path,
    )


class Permission:
    """Which addresses are allowed: public ones, and those that `allowed_private` names.

    Each item there is an address (`10.1.2.3`), one with its port (`127.0.0.1:8443`, `[::1]:8443`) or a
    network (`10.1.0.0/16`).
    """

    def __init__(self, allowed_private: Collection[str] = ()) -> None:
        self._allowed = tuple(_allowed(text) for text in allowed_private)

    def check(self, text: str, port: int) -> str:
        """The address in its plain form, or `NotPermitted`.

        What is allowed by name is allowed with any port, public addresses with those of the web only.
        """
        try:
            address: Address = ip_address(text)
        except ValueError:
            raise NotPermitted("the host has no plain address") from None
        if isinstance(address, IPv6Address) and address.scope_id:
            raise NotPermitted("the address has a zone of this machine")
        if isinstance(address, IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        named = any(address in network and only in {None, port} for network, only in self._allowed)
        if not named and not is_public(address):
            raise NotPermitted(f"{address} is not a public address")
        if not named and not is_web_port(port):
            raise NotPermitted(f"port {port} belongs to another protocol")
        return str(address)


def is_public(address: Address) -> bool:
    """Whether the address belongs to the open internet and to nothing special."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_4)
    # 64:ff9b::/96 (NAT64), ::/96, fc00::/7, fe80::/10, ff00::/8 all lie outside 2000::/3.
    return address in _PUBLIC_6 and not any(address in network for network in _NOT_PUBLIC_6)


def is_web_port(port: int) -> bool:
    """Whether strangers may be asked there: 80, 443, and above 1023 what no other protocol owns."""
    return port in _WEB_PORTS or (port >= _FIRST_FREE_PORT and port not in _OTHERS_PORTS)


def _allowed(text: str) -> tuple[Network, int | None]:
    found = re.fullmatch(r"(?:\[(?P<six>[^]]+)\]|(?P<four>[0-9.]+)):(?P<port>[0-9]{1,5})", text)
    try:
        if found:
            return ip_network(found["six"] or found["four"]), int(found["port"])
        return ip_network(text.strip("[]")), None
    except ValueError as exc:
        raise UsageError(f"not an address, address:port or network: {text}") from exc


def _is_plain_host(host: str, *, bracketed: bool) -> bool:
    if bracketed:
        return _is_address(host)
    last = host.rpartition(".")[2]
    if _NUMBER_LIKE.match(last):  # so every client takes it for an IPv4 address
        return _is_address(host)
    return len(host) <= 253 and bool(_HOST_NAME.match(host))


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
