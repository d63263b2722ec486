"""What a code before the camera says, and what may be done with it: a pure function of its text.

Only a printed code of a host that we trust and the number of a licence lead anywhere, and both to pages of
our own. Everything else is named and left alone: nothing scanned is ever followed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from verify_api.pages.legible import legible
from yinxin.base.errors import MalformedInput
from yinxin.base.identifiers import LicenceIdentifier

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

MAX_CHARACTERS = 8000  # the largest QR code holds 7089 digits
_PRINTED = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9.-]{1,253})(?::(?P<port>[0-9]{1,5}))?"
    r"(?-i:/q\#(?P<fragment>[A-Za-z0-9._~-]{1,7000}))",
    re.IGNORECASE | re.ASCII,
)
_NUMBER = re.compile(r"(?=.*[0-9])[0-9A-Za-z\-_.()（）〔〕\[\] \u4e00-\u9fff]{4,64}")
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]{0,40}):", re.IGNORECASE | re.ASCII)
# OpenID4VCI 1.0, 4.1 and OpenID4VP 1.0, 5.10 with their profiles (HAIP, EUDI): for a wallet, not for us.
_WALLET_SCHEMES = frozenset(
    {
        "openid-credential-offer",
        "openid4vp",
        "eudi-openid4vp",
        "mdoc-openid4vp",
        "haip",
        "haip-vci",
        "haip-vp",
    }
)
_HOST = re.compile(r"[a-z0-9._\-\[\]:]*")
_OFFER = re.compile(r"[?&]credential_offer(_uri)?=")
_DEFAULT_PORTS = {"http": "80", "https": "443"}


class ScannedKind(StrEnum):
    """What a code holds."""

    PRINTED = "printed"  # the signed code of a licence on paper, of a host that we trust
    LICENCE = "licence"  # an identifier or a number
    WALLET = "wallet"  # an offer or a request that a wallet opens
    FOREIGN = "foreign"  # an address of somebody else's
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Scanned:
    """What was read. `fragment` and `licence` are there to go on with, `host` is there to warn of."""

    kind: ScannedKind
    fragment: str = ""
    licence: str = ""
    host: str = ""


def origin_of(url: str) -> str:
    """Scheme, host and port of an address as browsers compare them: lower case, no default port."""
    parts = urlsplit(url)
    scheme, host, port = parts.scheme.lower(), (parts.hostname or "").lower(), parts.port
    default = port is None or str(port) == _DEFAULT_PORTS.get(scheme)
    return f"{scheme}://{host}" if default else f"{scheme}://{host}:{port}"


def classify(text: str, *, trusted: Collection[str]) -> Scanned:
    """What a code's text is; `trusted` are the origins whose printed codes count."""
    plain = text.strip(" \t\r\n")
    if not 0 < len(plain) <= MAX_CHARACTERS:
        return Scanned(ScannedKind.UNKNOWN)
    printed = _PRINTED.fullmatch(plain)
    if printed and _origin(printed) in trusted:
        return Scanned(ScannedKind.PRINTED, fragment=printed["fragment"])
    if licence := _licence(plain):
        return Scanned(ScannedKind.LICENCE, licence=licence)
    return _address(plain, trusted)


def first(found: Iterable[Scanned]) -> Scanned | None:
    """The one of several codes in a picture that leads furthest."""
    order = list(ScannedKind)
    return min(found, key=lambda one: order.index(one.kind), default=None)


def _origin(printed: re.Match[str]) -> str:
    scheme, host, port = printed["scheme"].lower(), printed["host"].lower(), printed["port"]
    default = port is None or port == _DEFAULT_PORTS[scheme]
    return f"{scheme}://{host}" if default else f"{scheme}://{host}:{port}"


def _licence(text: str) -> str:
    try:
        return str(LicenceIdentifier.parse(text))
    except MalformedInput:
        return text if _NUMBER.fullmatch(text) else ""


def _address(text: str, trusted: Collection[str]) -> Scanned:
    # A browser drops tabs and line ends inside an address before it reads it (WHATWG URL, 4.4).
    bare = re.sub(r"[\t\r\n]", "", text)
    found = _SCHEME.match(bare)
    scheme = found[1].lower() if found else ""
    if scheme in _WALLET_SCHEMES:
        return Scanned(ScannedKind.WALLET)
    if scheme in _DEFAULT_PORTS:
        host = _host(bare[len(scheme) + 1 :])
        if f"{scheme}://{host}" in trusted:
            return Scanned(ScannedKind.WALLET if _OFFER.search(bare) else ScannedKind.UNKNOWN)
        named = host if scheme == "https" else f"{scheme}://{host}"
        return Scanned(ScannedKind.FOREIGN, host=legible(named, most=300))
    if bare.startswith(("//", "\\\\", "/\\")):
        return Scanned(ScannedKind.FOREIGN, host=legible(_host(bare), most=300))
    if scheme:
        return Scanned(ScannedKind.FOREIGN, host=f"{scheme}:")
    return Scanned(ScannedKind.UNKNOWN)


def _host(rest: str) -> str:
    """Where a browser would really go: after the last `@`, before the path, in the letters of DNS.

    Browsers read any number of slashes, either way round, as the beginning of a host (WHATWG URL, 4.4).
    """
    authority = re.split(r"[/\\?#]", rest.lstrip("/\\"), maxsplit=1)[0]
    host = unquote(authority.rpartition("@")[2]).lower()
    name, colon, port = host.rpartition(":")
    if not (colon and (port == "" or (port.isascii() and port.isdigit())) and not name.endswith(":")):
        name, port = host, ""
    return _ascii(name) + (f":{port}" if port else "")


def _ascii(name: str) -> str:
    """A host name as DNS has it: letters that look like others come out as `xn--…`."""
    try:
        found = name.encode("idna").decode("ascii")
    except UnicodeError:
        return name
    # What only becomes a slash or an @ by Unicode's mapping is in no real host: shown as its bytes.
    return found if _HOST.fullmatch(found) else quote(name, safe=".-[]:")
