"""SD-JWT (RFC 9901) and SD-JWT VC: the text form, read strictly and written.

Reading says what the text holds; whether its signature, issuer and key binding are good is decided by
`credentials.verifier`. Hiding and revealing claims is the work of `credentials.disclosures`.
"""

from __future__ import annotations

from base64 import b64encode
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from credentials.claim_paths import as_path
from credentials.disclosures import Revealed, conceal, is_flat, reveal
from credentials.vocabulary import (
    CREDENTIAL_TYP,
    DEFAULT_DIGEST_ALGORITHM,
    DIGEST_ALGORITHM,
    NEVER_DISCLOSABLE,
)
from signing.jose import Token, check_written, json_text, load_json_object, parse_jws, sign_jws
from yinxin.base.errors import InvalidClaims, MalformedInput, TooLarge
from yinxin.base.randomness import SystemRandomness
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from credentials.claim_paths import ClaimPath
    from signing.certificates import Certificate
    from signing.keys import PublicKey
    from signing.signer import Signer
    from yinxin.base.randomness import Randomness

MAX_CHARACTERS = 2 << 20  # a photograph travels as a data: URI
MAX_DISCLOSURES = 5000
_FLATTENED, _PROTECTED_ONLY = {"protected", "header", "signature"}, {"crit", "b64"}


class SdJwt(NamedTuple):
    """A parsed SD-JWT, with or without key binding. Nothing in it is trustworthy yet.

    `issuer_jwt` is the signed token and `payload` its claims with digests in them; `disclosures` are kept
    as sent, because their bytes are what is hashed; `key_binding` is the KB-JWT's text or None; `signed_over`
    is what the KB-JWT's `sd_hash` covers: everything up to and with the last tilde.
    """

    issuer_jwt: Token
    payload: Mapping[str, Any]
    disclosures: tuple[str, ...]
    key_binding: str | None
    signed_over: str

    @classmethod
    def parse(cls, text: object) -> SdJwt:
        """Read the compact form; `MalformedInput` or `TooLarge` for anything else.

        A bare JWT without a tilde is not an SD-JWT (RFC 9901, 4).
        """
        if not isinstance(text, str):
            raise MalformedInput("sd-jwt", "not a text")
        if len(text) > MAX_CHARACTERS:
            raise TooLarge("sd-jwt", f"over {MAX_CHARACTERS} characters")
        if not text.isascii():
            raise MalformedInput("sd-jwt", "RFC 9901, 4: a character of no base64url text")
        parts = text.split("~", MAX_DISCLOSURES + 2)
        binding = parts.pop()
        if not 0 < len(parts) <= MAX_DISCLOSURES + 1:
            if parts:
                raise TooLarge("sd-jwt", f"over {MAX_DISCLOSURES} disclosures")
            raise MalformedInput("sd-jwt", "RFC 9901, 4: no tilde")
        disclosures = tuple(parts[1:])
        if "" in disclosures:
            raise MalformedInput("sd-jwt", "RFC 9901, 4: an empty disclosure")
        token = parse_jws(parts[0], max_characters=MAX_CHARACTERS)  # a photograph may be always visible
        signed_over = text[: len(text) - len(binding)]
        read = token, load_json_object(token.payload), disclosures, binding or None, signed_over
        return tuple.__new__(cls, read)  # as cls(*read), in half the time

    @classmethod
    def from_json(cls, text: str | bytes) -> SdJwt:
        """Read the JSON form, flattened or general (RFC 9901, 8).

        The general form may carry several signatures; the first, which has the disclosures, is the one
        that is read.
        """
        if len(text) > MAX_CHARACTERS:
            raise TooLarge("sd-jwt", f"over {MAX_CHARACTERS} characters")
        outer = load_json_object(text)
        first, header = _first_signature(outer)
        disclosures = header.get("disclosures", [])
        parts: list[Any] = [first.get("protected"), outer.get("payload"), first.get("signature")]
        binding = header.get("kb_jwt", "")
        if not isinstance(disclosures, list):
            raise MalformedInput("sd-jwt", "RFC 9901, 8.1: disclosures are not an array")
        if any(not isinstance(part, str) or "~" in part for part in [*parts, *disclosures, binding]):
            raise MalformedInput("sd-jwt", "RFC 9901, 8.1: a member is missing or no text")
        if "kb_jwt" in header and not binding:
            raise MalformedInput("sd-jwt", "RFC 9901, 8.1: an empty kb_jwt")
        read = cls.parse("~".join([".".join(parts), *disclosures, binding]))
        if not header.keys().isdisjoint(read.issuer_jwt.header):
            raise MalformedInput("sd-jwt", "RFC 7515, 7.2.1: a name stands in both headers")
        return read

    @property
    def digest_algorithm(self) -> Any:
        """The hash of digests and of `sd_hash` (RFC 9901, 4.1.1); as unchecked as the rest."""
        return self.payload.get(DIGEST_ALGORITHM, DEFAULT_DIGEST_ALGORITHM)

    def reveal(self) -> Revealed:
        """The claims with the disclosed ones in place; `MalformedInput` when a disclosure breaks a rule."""
        flat = is_flat(self.issuer_jwt.payload, self.payload)
        return reveal(self.payload, self.disclosures, flat=flat)

    @property
    def claims(self) -> dict[str, Any]:
        """The processed claims (RFC 9901, 7.1); raises as `reveal` does."""
        return self.reveal().claims


def issue_sd_jwt(  # noqa: PLR0913 - each is a decision of the issuer's
    claims: Mapping[str, Any],
    *,
    disclosable: Collection[ClaimPath] = (),
    signer: Signer,
    headers: Mapping[str, Any] | None = None,
    randomness: Randomness | None = None,
    holder_key: PublicKey | None = None,
    decoys: int = 0,
) -> str:
    """Sign an SD-JWT VC in which the holder can withhold the `disclosable` claims.

    A disclosable claim is the name of a top-level one, or a path (`("address", "street")`,
    `("scopes", None)` for every element); it must be there. `holder_key` becomes `cnf`. The header is
    `typ` dc+sd-jwt, the key's thumbprint (`kid`) and the signer's chain without its anchor (`x5c`); `headers`
    overrides or adds. Raises `InvalidClaims` for claims that cannot stand in a credential.
    """
    body = dict(claims)
    if holder_key is not None:
        body["cnf"] = {"jwk": holder_key.to_jwk()}
    try:
        _check(claims, disclosable, holder_key)
        check_written(json_text(body))  # a credential that no strict reader takes is not signed
        payload, disclosures = conceal(
            body, disclosable, randomness=randomness or SystemRandomness(), decoys=decoys
        )
        if disclosures:
            payload[DIGEST_ALGORITHM] = DEFAULT_DIGEST_ALGORITHM
        named = {"typ": CREDENTIAL_TYP, "kid": signer.public_key.thumbprint}
        header = {**named, **chain_header(signer.chain), **(headers or {})}
        token = sign_jws(payload, signer, headers=header)
    except (TypeError, ValueError, RecursionError, MalformedInput) as exc:
        raise InvalidClaims("a claim has no JSON form, or nests too deeply") from exc
    return "~".join([token, *disclosures, ""])


def chain_header(chain: tuple[Certificate, ...]) -> dict[str, list[str]]:
    """The `x5c` header of a chain, leaf first, without the self-issued anchor (RFC 7515, 4.1.6)."""
    sent = _sent(chain)
    return {"x5c": list(sent)} if sent else {}


@lru_cache(64)
def _sent(chain: tuple[Certificate, ...]) -> tuple[str, ...]:
    return tuple(
        b64encode(certificate.der).decode("ascii") for certificate in chain if not certificate.is_self_issued
    )


@lru_cache(256)
def _not_to_be_hidden(disclosable: tuple[ClaimPath, ...]) -> tuple[str, ...]:
    return tuple(str(path[0]) for path in map(as_path, disclosable) if path[0] in NEVER_DISCLOSABLE)


def _first_signature(outer: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The signature that is read, and the unprotected header beside it (RFC 7515, 7.2; RFC 9901, 8)."""
    signatures = outer.get("signatures", [outer])
    is_mixed = "signatures" in outer and not _FLATTENED.isdisjoint(outer)
    if is_mixed or not isinstance(signatures, list):
        raise MalformedInput("sd-jwt", "RFC 7515, 7.2: flattened and general forms are mixed")
    headers: list[Mapping[str, Any]] = [
        one.get("header", {}) if isinstance(one, dict) else [] for one in signatures
    ]
    if not headers or not all(isinstance(one, dict) for one in headers):
        raise MalformedInput("sd-jwt", "RFC 9901, 8.1: no signature, or a header that is no object")
    if any("disclosures" in one or "kb_jwt" in one for one in headers[1:]):
        raise MalformedInput("sd-jwt", "RFC 9901, 8.3: disclosures stand beside the first signature")
    if any(not _PROTECTED_ONLY.isdisjoint(one) for one in headers):
        raise MalformedInput("sd-jwt", "RFC 7515, 4.1.11; RFC 7797, 6: crit and b64 are protected")
    return signatures[0], headers[0]


def _check(
    claims: Mapping[str, Any], disclosable: Collection[ClaimPath], holder_key: PublicKey | None
) -> None:
    faults = [
        (name, Text("该声明不得设为可选择披露", "this claim is never selectively disclosable"))
        for name in _not_to_be_hidden(tuple(disclosable))
    ]
    if holder_key is not None and "cnf" in claims:
        faults.append(("cnf", Text("持有人密钥重复给出", "the holder's key is given twice")))
    if not isinstance(claims.get("vct"), str) or not claims["vct"]:
        faults.append(("vct", Text("缺少凭证类型", "the credential type is missing")))
    if faults:
        raise InvalidClaims(faults=faults)
