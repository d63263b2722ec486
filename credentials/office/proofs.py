"""How people prove that they agreed to a digest: each proof is a signature that nobody else could make.

A password, or a click by whoever sits there, would prove it to us only; these prove it to an inspector later.
They are checked when they are given, and again when the case is sealed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from signing.jose import load_json_object, parse_jws, sign_jws
from yinxin.base.errors import MalformedInput, NotPermitted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from signing.keys import PublicKey
    from signing.signer import Signer
    from yinxin.base.actor import Actor

TYPE = "yinxin-consent+jwt"
_ALGORITHMS = frozenset({"ES256", "ES384", "Ed25519", "PS256", "RS256"})


class Proofs(Protocol):
    """Judges proofs of one or several kinds."""

    def check(self, proof: Mapping[str, Any], digest: bytes, actor: Actor) -> None:
        """`NotPermitted` unless this person proved agreement to this digest."""
        ...


class KeyProofs:
    """Signatures by keys that were registered for members of staff: cards, tokens, files.

    `keys_of` gives the keys that a person (identifier) may use.
    """

    def __init__(self, keys_of: Callable[[str], Collection[PublicKey]]) -> None:
        self._keys_of = keys_of

    @staticmethod
    def make(digest: bytes, actor: Actor, signer: Signer) -> dict[str, Any]:
        """A proof that a person's own signer makes."""
        payload = {"digest": digest.hex(), "by": str(actor)}
        headers = {"typ": TYPE, "kid": signer.public_key.thumbprint}
        return {"kind": "key", "signature": sign_jws(payload, signer, headers=headers)}

    def check(self, proof: Mapping[str, Any], digest: bytes, actor: Actor) -> None:
        """`NotPermitted` unless one of the person's keys signed this digest in their name."""
        try:
            token = parse_jws(proof.get("signature"))
            claims = load_json_object(token.payload)
        except MalformedInput as exc:
            raise NotPermitted("the proof of agreement cannot be read") from exc
        says = (token.header.get("typ"), claims.get("digest"), claims.get("by"))
        if proof.get("kind") != "key" or says != (TYPE, digest.hex(), str(actor)):
            raise NotPermitted("the proof of agreement is about something else")
        if not any(token.verify(key, algorithms=_ALGORITHMS) for key in self._keys_of(actor.identifier)):
            raise NotPermitted("no key of this person made the proof of agreement")


class EitherProof:
    """Several kinds of proofs, by the name that a proof gives its kind."""

    def __init__(self, kinds: Mapping[str, Proofs]) -> None:
        self._kinds = kinds

    def check(self, proof: Mapping[str, Any], digest: bytes, actor: Actor) -> None:
        """`NotPermitted` for a kind that is not known, else as that kind judges."""
        kind = self._kinds.get(str(proof.get("kind")))
        if kind is None:
            raise NotPermitted("this kind of proof is not accepted here")
        kind.check(proof, digest, actor)
