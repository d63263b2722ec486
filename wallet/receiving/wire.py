"""The wallet's requests to an issuer: bounded, never redirected, with DPoP where the server speaks it.

A server's `DPoP-Nonce` is remembered for its origin and used with the next proof; a request that is refused
for want of one is made once more (RFC 9449, 8 and 9). What an answer means is for the caller.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from credentials.oid4vp.vocabulary import FORM_MEDIA_TYPE
from signing.jose import dump_json, load_json_object
from wallet.receiving.errors import IssuerRefused, OfferRefused
from wallet.receiving.proofs import dpop_proof
from yinxin.base.errors import MalformedInput, Unreachable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wallet.keys import HolderKey
    from yinxin.base.clock import Clock
    from yinxin.base.outbound import Outbound, Response
    from yinxin.base.randomness import Randomness

JSON, JWT = "application/json", "application/jwt"
MAX_DOCUMENT_BYTES = 1 << 20
MAX_ANSWER_BYTES = 64 * 1024
MAX_CREDENTIAL_BYTES = 16 << 20
MAX_NONCE_CHARACTERS = 2048


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What opens the credential endpoint; `key` is the one that it is bound to, None for a bearer token."""

    text: str = field(repr=False)
    key: HolderKey | None


class Wire:
    """Requests of one visit to an issuer."""

    def __init__(self, outbound: Outbound, *, clock: Clock, randomness: Randomness) -> None:
        self._outbound, self._clock, self._randomness = outbound, clock, randomness
        self._nonces: dict[str, str] = {}

    def document(self, url: str, *, accept: str = JSON, max_bytes: int = MAX_DOCUMENT_BYTES) -> Response:
        """A document; `OfferRefused` for any answer but 200, a redirect among them."""
        answer = self._outbound.get(url, headers={"Accept": accept}, max_bytes=max_bytes, follow=False)
        if answer.status != 200:
            raise OfferRefused(f"{urlsplit(url).netloc} has no such document (status {answer.status})")
        return answer

    def form(self, url: str, form: Mapping[str, str], *, key: HolderKey | None) -> dict[str, Any]:
        """Post a form, with a DPoP proof where there is a key: the JSON answer, or `IssuerRefused`."""
        body = urlencode(form).encode("ascii")
        answer = self._post(url, body, FORM_MEDIA_TYPE, {}, key, None, MAX_ANSWER_BYTES)
        return _accepted(answer)

    def call(self, url: str, body: Mapping[str, Any], token: AccessToken) -> dict[str, Any]:
        """Post JSON with an access token: the JSON answer (empty for 204), or `IssuerRefused`."""
        scheme = "DPoP" if token.key else "Bearer"
        headers = {"Authorization": f"{scheme} {token.text}", "Accept": JSON}
        answer = self._post(url, dump_json(body), JSON, headers, token.key, token.text, MAX_CREDENTIAL_BYTES)
        return {} if answer.status == 204 else _accepted(answer)

    def nonce(self, url: str) -> str:
        """A fresh `c_nonce` (7)."""
        answer = self._outbound.post(url, b"", content_type=FORM_MEDIA_TYPE, max_bytes=MAX_ANSWER_BYTES)
        self._learn(url, answer)
        nonce = _accepted(answer).get("c_nonce")
        if not isinstance(nonce, str) or not 0 < len(nonce) <= MAX_NONCE_CHARACTERS:
            raise Unreachable("the issuer's nonce cannot be read")
        return nonce

    def _post(  # noqa: PLR0913, PLR0917 - one private door for both kinds of request
        self,
        url: str,
        body: bytes,
        kind: str,
        headers: Mapping[str, str],
        key: HolderKey | None,
        access_token: str | None,
        max_bytes: int,
    ) -> Response:
        origin = urlsplit(url).netloc
        for last in (False, True):
            sent = dict(headers)
            used = self._nonces.get(origin)
            if key is not None:
                sent["DPoP"] = dpop_proof(
                    key,
                    url=url,
                    now=self._clock.now(),
                    randomness=self._randomness,
                    nonce=used,
                    access_token=access_token,
                )
            answer = self._outbound.post(url, body, content_type=kind, headers=sent, max_bytes=max_bytes)
            self._learn(url, answer)
            if last or key is None or not _wants_nonce(answer) or self._nonces.get(origin) == used:
                break
        return answer

    def _learn(self, url: str, answer: Response) -> None:
        nonce = answer.headers.get("dpop-nonce")
        if nonce and len(nonce) <= MAX_NONCE_CHARACTERS and nonce.isascii() and nonce.isprintable():
            self._nonces[urlsplit(url).netloc] = nonce


def read_json(answer: Response) -> dict[str, Any]:
    """The object in a document; `OfferRefused` for anything else."""
    if kind_of(answer) != JSON:
        raise OfferRefused("the issuer's document is no JSON")
    try:
        return load_json_object(answer.body)
    except MalformedInput as exc:
        raise OfferRefused(f"the issuer's document cannot be read: {exc.detail}") from exc


def kind_of(answer: Response) -> str:
    """The media type of an answer, without parameters."""
    return answer.headers.get("content-type", "").partition(";")[0].strip().lower()


def _accepted(answer: Response) -> dict[str, Any]:
    try:
        body = load_json_object(answer.body) if kind_of(answer) == JSON else {}
    except MalformedInput:
        body = {}
    if 200 <= answer.status < 300 and body and "error" not in body:
        return body
    if "error" in body:
        raise IssuerRefused(body["error"], body.get("error_description"))
    if answer.status == 401:
        raise IssuerRefused("invalid_token", "the issuer does not accept the access token")
    raise Unreachable(f"the issuer's answer cannot be used (status {answer.status})")


def _wants_nonce(answer: Response) -> bool:
    """Whether it is refused for want of a nonce, as body or challenge tell (RFC 9449, 8 and 9)."""
    if answer.status not in {400, 401} or not answer.headers.get("dpop-nonce"):
        return False
    if "use_dpop_nonce" in answer.headers.get("www-authenticate", ""):
        return True
    try:
        return load_json_object(answer.body).get("error") == "use_dpop_nonce"
    except MalformedInput:
        return False
