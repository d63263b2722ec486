"""Wallets that may use the authorization code flow: who they are and where their answers go.

Clients are public, so their redirect URIs are all that is known of them: each is registered, and compared by
simple string comparison (RFC 9700, 2.1). Only the port of a loopback address is free (RFC 8252, 7.3).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from yinxin.base.errors import UsageError

_LOOPBACK = frozenset({"127.0.0.1", "::1"})
_THIS_MACHINE = _LOOPBACK | {"localhost"}  # a name is registered with its port: RFC 8252, 8.3
_CLIENT_ID = re.compile(r"[\x21-\x7e]{1,200}\Z")
_URI = re.compile(r"[!#$&(-;=?-Z\[\]_a-z~]{1,1000}\Z")  # RFC 3986; no % tricks, quotes or backslashes
_NEVER = frozenset({"javascript", "data", "vbscript", "file", "blob", "about", "ftp", "ws", "wss", "mailto"})


@dataclass(frozen=True, slots=True)
class WalletClient:
    """A registered wallet."""

    id: str
    redirect_uris: tuple[str, ...]

    def __post_init__(self) -> None:
        if not _CLIENT_ID.match(self.id) or not self.redirect_uris:
            raise UsageError("a wallet has a client_id of printable ASCII, and a redirect URI")
        for uri in self.redirect_uris:
            _check(uri)

    def allows(self, redirect_uri: str) -> bool:
        """Whether an answer may go there."""
        return any(redirect_uri == one or _is_same_loopback(redirect_uri, one) for one in self.redirect_uris)


def read_clients(rows: tuple[str, ...]) -> dict[str, WalletClient]:
    """Clients of a setting: rows of `client_id redirect_uri`, several rows for several URIs."""
    found: dict[str, tuple[str, ...]] = {}
    for row in rows:
        parts = row.split()
        if len(parts) != 2:
            raise UsageError(f"{row!r}: a wallet is given as `client_id redirect_uri`")
        found[parts[0]] = (*found.get(parts[0], ()), parts[1])
    return {identifier: WalletClient(identifier, uris) for identifier, uris in found.items()}


def form_target(redirect_uri: str) -> str:
    """What a page's policy must allow so that its form's answer can lead there."""
    parts = urlsplit(redirect_uri)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in {"https", "http"} else f"{parts.scheme}:"


def _check(uri: str) -> None:
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError as exc:
        raise UsageError("a redirect URI is no URI") from exc
    is_plain = bool(_URI.match(uri)) and not parts.fragment and "#" not in uri and "@" not in parts.netloc
    if not is_plain or not parts.scheme or parts.scheme in _NEVER:
        raise UsageError(f"{uri!r} cannot be a redirect URI")
    if parts.scheme == "http" and parts.hostname not in _THIS_MACHINE:
        raise UsageError("a redirect URI uses https, an app's own scheme, or http on this machine")
    if parts.scheme == "https" and not parts.hostname:
        raise UsageError("a redirect URI by https has a host")


def _is_same_loopback(given: str, registered: str) -> bool:
    if not _URI.match(given) or "#" in given:
        return False
    try:
        one, two = urlsplit(given), urlsplit(registered)
        if one.hostname not in _LOOPBACK or "@" in one.netloc or one.port == 0:
            return False
    except ValueError:
        return False
    same = (one.scheme, one.hostname, one.path, one.query) == (two.scheme, two.hostname, two.path, two.query)
    return same and one.scheme == "http"
