"""What hostile issuers are told with: twists of honest answers, and a wallet that stays as it was."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from credentials.oid4vci.vocabulary import PRE_AUTHORIZED_CODE
from credentials.sd_jwt import SdJwt, issue_sd_jwt
from world.office import URL
from world.receiving import Citizen, answered

if TYPE_CHECKING:
    from collections.abc import Callable

    from signing.signers.file import FileSigner
    from world.receiving import Asked
    from yinxin.base.errors import YinxinError
    from yinxin.base.outbound import Response


ISSUER, SERVER = "/.well-known/openid-credential-issuer", "/.well-known/oauth-authorization-server"
TOKEN, CREDENTIAL, NONCE = "/oid4vci/token", "/oid4vci/credential", "/oid4vci/nonce"
NOTIFICATION = "/oid4vci/notification"
TYPE = "food-business-licence"
ES256_PROOFS = {"proof_signing_alg_values_supported": ["ES256"]}
DETAIL = {"type": "openid_credential", "credential_configuration_id": TYPE}


def change(path: str, **members: Any) -> Callable[[Asked, Response], Response]:
    """A twist: some members of one document are others; None takes one away."""

    def twist(asked: Asked, answer: Response) -> Response:
        if asked.path != path or answer.status != 200:
            return answer
        body = plain(answer)
        return answered({name: value for name, value in {**body, **members}.items() if value is not None})

    return twist


def plain(answer: Response) -> dict[str, Any]:
    """The document, whether it was signed or not."""
    text = answer.body.decode()
    found: dict[str, Any] = (
        json.loads(text) if text.startswith("{") else SdJwt.parse(text + "~").issuer_jwt.claims()
    )
    return {name: value for name, value in found.items() if name not in {"iat", "sub", "iss"}}


def instead(path: str, answer: Response) -> Callable[[Asked, Response], Response]:
    """A twist: another answer altogether."""
    return lambda asked, good: answer if asked.path == path and good.status == 200 else good


def refused(citizen: Citizen, kind: type[YinxinError], **options: Any) -> YinxinError:
    """Receiving fails so, and the wallet is what it was."""
    offer = citizen.office.offer()
    before = citizen.contents()
    with pytest.raises(kind) as caught:
        citizen.receiving.accept(
            citizen.receiving.consider(offer.by_reference), tx_code=offer.tx_code, **options
        )
    assert citizen.contents() == before
    return caught.value


def link(document: Any) -> str:
    return "openid-credential-offer://?" + urlencode({"credential_offer": json.dumps(document)})


def offered(**members: Any) -> dict[str, Any]:
    good = {
        "credential_issuer": URL,
        "credential_configuration_ids": [TYPE],
        "grants": {PRE_AUTHORIZED_CODE: {"pre-authorized_code": "code"}},
    }
    return {name: value for name, value in {**good, **members}.items() if value is not None}


def deliver(make: Callable[[list[str], Asked], list[Any]]) -> Callable[[Asked, Response], Response]:
    """A twist: the credentials of the response are others."""

    def twist(asked: Asked, answer: Response) -> Response:
        if asked.path != CREDENTIAL or answer.status != 200:
            return answer
        body = json.loads(answer.body)
        texts = [one["credential"] for one in body["credentials"]]
        return answered({**body, "credentials": [{"credential": one} for one in make(texts, asked)]})

    return twist


def forged(signer: FileSigner, **changes: Any) -> Callable[[list[str], Asked], list[Any]]:
    """Credentials of our own making, with right keys: what an issuer can say that is not the office."""

    def make(texts: list[str], _: Asked) -> list[Any]:
        made = []
        for text in texts:
            claims = dict(SdJwt.parse(text).claims)
            key = claims.pop("cnf")
            body = {name: value for name, value in {**claims, **changes}.items() if value is not None}
            made.append(issue_sd_jwt({**body, "cnf": key}, signer=signer))
        return made

    return make
