"""What a wallet signs to have something done with delegations, and how both sides make and read it.

A statement is a verb with its content, for one issuer and one nonce. Its digest is signed by a key of the
wallet: an agent's own (`sign`), or the key that the holder's licence is bound to, with the licence (`show`).
A nonce counts once, so a statement that was overheard cannot be sent again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from credentials import key_binding
from credentials.oid4vci.jwts import is_fresh, read_self_signed
from credentials.oid4vci.vocabulary import CLOCK_SKEW
from credentials.sd_jwt import SdJwt
from signing.jose import dump_json, parse_jws, sign_jws
from yinxin.base.errors import MalformedInput, NotPermitted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from signing.keys import PublicKey
    from signing.policy import Policy
    from signing.signer import Signer

TYPE = "yinxin-delegation+jwt"
DIGEST = "delegation_digest"
BY_KEY, BY_LICENCE = "key", "licence"
PROPOSE, ACCEPT, DECLINE, RECALL, LIST, USES, COPIES = (
    "propose", "accept", "decline", "recall", "list", "uses", "copies",
)  # fmt: skip
VERBS = frozenset({PROPOSE, ACCEPT, DECLINE, RECALL, LIST, USES, COPIES})
MAX_AGE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Statement:
    """What shall be done: a verb, its content in JSON, the issuer it is for, and the issuer's nonce."""

    verb: str
    content: Mapping[str, Any]
    audience: str
    nonce: str

    @property
    def digest(self) -> str:
        """SHA-256 (hex) over all of it, whatever the order of names."""
        whole = {
            "yinxin delegation statement": 1,
            "verb": self.verb,
            "content": self.content,
            "audience": self.audience,
            "nonce": self.nonce,
        }
        return hashlib.sha256(dump_json(_sorted(whole))).hexdigest()


def sign(statement: Statement, signer: Signer, *, at: datetime) -> dict[str, Any]:
    """The proof that an agent's own key agrees."""
    claims = {DIGEST: statement.digest, "aud": statement.audience, "iat": int(at.timestamp())}
    headers = {"typ": TYPE, "jwk": signer.public_key.to_jwk()}
    return {"kind": BY_KEY, "signature": sign_jws(claims, signer, headers=headers)}


def show(statement: Statement, credential: str, signer: Signer, *, at: datetime) -> dict[str, Any]:
    """The proof by a licence: all of it, shown to its own issuer, with the digest in the key binding."""
    parsed = SdJwt.parse(credential)
    everything = {placed.path for placed in parsed.reveal().placed}
    presentation = key_binding.present(
        credential,
        disclose=everything,
        holder=signer,
        audience=statement.audience,
        nonce=statement.nonce,
        at=at,
        agreed={DIGEST: statement.digest},
    )
    return {"kind": BY_LICENCE, "presentation": presentation}


def read_signature(statement: Statement, proof: Mapping[str, Any], *, now: datetime) -> PublicKey:
    """The key that signed this statement just now; `NotPermitted` or `MalformedInput`."""
    _, claims, key = read_self_signed(proof.get("signature"), typ=TYPE)
    if claims.get(DIGEST) != statement.digest or claims.get("aud") != statement.audience:
        raise NotPermitted("the signature is about something else")
    if not is_fresh(claims.get("iat"), now=now, max_age=MAX_AGE, skew=CLOCK_SKEW):
        raise NotPermitted("the signature was not made just now")
    return key


def read_licence(
    statement: Statement, proof: Mapping[str, Any], *, now: datetime, policy: Policy
) -> tuple[SdJwt, PublicKey]:
    """The copy that was shown and its key, which signed this statement just now.

    Whether the copy is genuine, and whose, is decided by who made it (`credentials.delegations.principals`).
    """
    shown = SdJwt.parse(proof.get("presentation"))
    key = key_binding.holder_key(shown.payload)
    if key is None or shown.key_binding is None:
        raise NotPermitted("the licence is shown without the proof of its key")
    checks = key_binding.check_key_binding(
        shown, key, audience=statement.audience, nonce=statement.nonce, now=now, policy=policy
    )
    if any(check.reason for check in checks):
        raise NotPermitted("the proof of the licence's key does not hold")
    if parse_jws(shown.key_binding).claims().get(DIGEST) != statement.digest:
        raise NotPermitted("the licence was shown for something else")
    return shown, key


def read_statement(body: Mapping[str, Any], *, audience: str) -> tuple[Statement, Mapping[str, Any]]:
    """The statement and its proof in a request's body; `MalformedInput` for anything else."""
    verb, content, nonce, proof = (body.get(name) for name in ("verb", "content", "nonce", "proof"))
    if verb not in VERBS or not isinstance(content, dict) or not isinstance(proof, dict):
        raise MalformedInput("statement", "a verb, its content and a proof are needed")
    if not isinstance(nonce, str) or not nonce.isascii():
        raise MalformedInput("statement", "a nonce of this issuer is needed")
    if proof.get("kind") not in {BY_KEY, BY_LICENCE}:
        raise MalformedInput("statement", "the proof is of no known kind")
    return Statement(verb, content, audience, nonce), proof


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list | tuple) else value
