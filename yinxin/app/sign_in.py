"""How people sign in at this home: the directory of staff, and the city's identity platform."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from signing.signers.file import FileSigner
from yinxin.access.directory import StaffDirectory
from yinxin.access.openid import Authentication, OpenIdProvider
from yinxin.access.service import CALLBACK_PATH
from yinxin.base.errors import MalformedInput, SignerUnavailable, UsageError
from yinxin.base.files import read_file

if TYPE_CHECKING:
    from signing.signer import Signer
    from yinxin.app.home import Home

CLIENT_KEY = "openid"
MAX_SECRET_BYTES = 4096


def staff_directory(home: Home) -> StaffDirectory:
    """Who works for the agencies and departments of this home's database."""
    return StaffDirectory(home.database, clock=home.clock)


def openid_provider(home: Home) -> OpenIdProvider | None:
    """The city's identity platform; None where none is set."""
    settings = home.settings
    if not settings.openid_issuer:
        return None
    if not settings.openid_client_id:
        raise UsageError("openid_issuer needs openid_client_id")
    return OpenIdProvider(
        settings.openid_issuer,
        settings.openid_client_id,
        _authentication(home),
        outbound=home.outbound,
        clock=home.clock,
    )


def client_facts(home: Home) -> dict[str, str]:
    """What the platform is told of us; the client's key is made when it is needed and not there yet."""
    facts = {
        "redirect_uri": _callback(home.settings.verify_url),
        "redirect_uri_of_the_office": _callback(home.settings.office_url),
        "client_id": home.settings.openid_client_id or "",
    }
    if home.settings.openid_client_secret_file is None:
        key = _client_key(home).public_key
        jwk = {**key.to_jwk(), "kid": key.thumbprint, "use": "sig", "alg": "ES256"}
        return {**facts, "authentication": "private_key_jwt", "jwks": json.dumps({"keys": [jwk]})}
    return {**facts, "authentication": "client_secret_basic"}


def _callback(address: str) -> str:
    url = urlsplit(address)
    return f"{url.scheme}://{url.netloc}{CALLBACK_PATH}"


def _authentication(home: Home) -> Authentication:
    file = home.settings.openid_client_secret_file
    if file is None:
        if not home.key_file(CLIENT_KEY).is_file():
            raise SignerUnavailable("no key for the identity platform: `yinxin staff platform` makes one")
        return Authentication(signer=home.signer(CLIENT_KEY))
    try:
        return Authentication(secret=read_file(file, limit=MAX_SECRET_BYTES).decode("utf-8").strip())
    except UnicodeDecodeError as exc:
        raise MalformedInput("openid_client_secret_file", "not UTF-8") from exc


def _client_key(home: Home) -> Signer:
    if not home.key_file(CLIENT_KEY).is_file():
        home.save_key(FileSigner.generate("P-256"), home.key_file(CLIENT_KEY))
    return home.signer(CLIENT_KEY)
