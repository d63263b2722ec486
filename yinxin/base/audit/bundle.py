"""Several proven entries in one file: what somebody needs who checks them with no database and no network.

    {"yinxin_proofs": 1, "key": "<verifier key>", "proofs": [{"entry": "…", "digest": "…", "proof": "…"}]}

Each proof is a C2SP tlog-proof with its checkpoint. The key stands in the file for convenience: it proves
something only when the reader knows it from elsewhere.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from yinxin.base.audit.checkpoint import parse_verifier_key
from yinxin.base.audit.proof import ProvenEntry, verify_offline
from yinxin.base.errors import MalformedInput, TooLarge

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_PROOFS = 1000
_VERSION = "yinxin_proofs"
_NAMES = {"entry", "digest", "proof"}


@dataclass(frozen=True, slots=True)
class Bundle:
    """The file's content: the log's key as it names it, and (entry's id, digest, proof) of each entry."""

    key: str
    proofs: tuple[tuple[str, bytes, str], ...]

    @classmethod
    def of(cls, key: str, proven: Sequence[Mapping[str, str]]) -> Bundle:
        """A bundle of entries with their digests (hex) and proofs."""
        return cls(key, tuple((one["entry"], bytes.fromhex(one["digest"]), one["proof"]) for one in proven))

    def to_text(self) -> str:
        """The file's text."""
        proofs = [
            {"entry": entry, "digest": digest.hex(), "proof": proof} for entry, digest, proof in self.proofs
        ]
        return json.dumps({_VERSION: 1, "key": self.key, "proofs": proofs}, indent=1) + "\n"

    @classmethod
    def parse(cls, text: str) -> Bundle:
        """Read the text; `MalformedInput` for whatever the form does not allow."""
        try:
            content = json.loads(text)
        except (ValueError, RecursionError) as exc:
            raise MalformedInput("proofs", "no JSON") from exc
        if not isinstance(content, dict) or content.get(_VERSION) != 1:
            raise MalformedInput("proofs", "not a file of proofs")
        key, proofs = content.get("key"), content.get("proofs")
        if not isinstance(key, str) or not isinstance(proofs, list):
            raise MalformedInput("proofs", "no key, or no list of proofs")
        if len(proofs) > MAX_PROOFS:
            raise TooLarge("proofs", f"over {MAX_PROOFS}")
        return cls(key, tuple(map(_proof, proofs)))

    def verify(self, key: str | None = None) -> tuple[ProvenEntry, ...]:
        """Every entry, proven under `key`, or under the key in the file; `MalformedInput` when one is not.

        An entry that was not erased is in the file, and is then what was recorded under this id.
        """
        if key is not None and key.strip() != self.key:
            raise MalformedInput("proofs", "they are of another log than the key's")
        origin, public_key = parse_verifier_key(self.key)
        proven = []
        for entry, digest, proof in self.proofs:
            one = verify_offline(proof, origin=origin, public_key=public_key, digest=digest)
            if one.body is not None and _identifier(one.body) != entry:
                raise MalformedInput("proofs", "an entry stands under the id of another")
            proven.append(one)
        return tuple(proven)


def _proof(value: Any) -> tuple[str, bytes, str]:
    if not isinstance(value, dict) or set(value) != _NAMES:
        raise MalformedInput("proofs", "a proof has entry, digest and proof")
    if not all(isinstance(one, str) for one in value.values()):
        raise MalformedInput("proofs", "a proof is made of texts")
    try:
        return value["entry"], bytes.fromhex(value["digest"]), value["proof"]
    except ValueError as exc:
        raise MalformedInput("proofs", "a digest is not written in hex") from exc


def _identifier(body: str) -> object:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise MalformedInput("proofs", "an entry is no JSON") from exc
    return content.get("id") if isinstance(content, dict) else None
