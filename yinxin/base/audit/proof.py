"""Proofs that leave the house: inclusion, consistency, and the offline text form (C2SP tlog-proof).

An offline proof is verified with nothing but the log's name and public key. Its extra data, if any, is the
entry itself (salt and text), so that the reader sees what was recorded and need not ask for it.
"""

from __future__ import annotations

import hmac
import re
from base64 import b64encode
from dataclasses import dataclass

from yinxin.base.audit.checkpoint import Checkpoint, decode_base64, parse_note, verify_checkpoint
from yinxin.base.audit.entry import SALT_BYTES, entry_digest
from yinxin.base.audit.merkle import HASH_BYTES, leaf_hash, verify_consistency, verify_inclusion
from yinxin.base.errors import MalformedInput, TooLarge

_FIRST_LINE = "c2sp.org/tlog-proof@v1"
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})\Z")
_MAX_CHARACTERS = 400_000


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """That a leaf stands at `index` of a tree of `size`."""

    index: int
    size: int
    path: tuple[bytes, ...]

    def verify(self, digest: bytes, root: bytes) -> bool:
        """Whether it holds for the entry with this digest under this root."""
        return verify_inclusion(
            leaf_hash(digest), index=self.index, size=self.size, path=self.path, root=root
        )


@dataclass(frozen=True, slots=True)
class ConsistencyProof:
    """That a tree of `new` entries begins with the tree of `old` entries."""

    old: int
    new: int
    path: tuple[bytes, ...]

    def verify(self, old_root: bytes, new_root: bytes) -> bool:
        """Whether it holds between these roots."""
        return verify_consistency(
            old_size=self.old, old_root=old_root, new_size=self.new, new_root=new_root, path=self.path
        )


@dataclass(frozen=True, slots=True)
class OfflineProof:
    """An inclusion proof with its checkpoint, as text; `extra` is not authenticated by the proof itself."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: str
    extra: bytes | None = None

    def to_text(self) -> str:
        """The file's content; its name ends in `.tlog-proof`."""
        lines = [_FIRST_LINE]
        if self.extra is not None:
            lines.append(f"extra {b64encode(self.extra).decode('ascii')}")
        lines.append(f"index {self.index}")
        lines += [b64encode(node).decode("ascii") for node in self.path]
        return "\n".join(lines) + "\n\n" + self.checkpoint

    @classmethod
    def parse(cls, text: str) -> OfflineProof:
        """Read the text; `MalformedInput` for whatever the format does not allow."""
        if not isinstance(text, str) or len(text) > _MAX_CHARACTERS:
            raise TooLarge("tlog-proof", f"over {_MAX_CHARACTERS} characters")
        above, found, checkpoint = text.partition("\n\n")
        first, *lines = above.split("\n")
        if not found or first != _FIRST_LINE:
            raise MalformedInput("tlog-proof", "does not begin like one")
        extra = None
        if lines and lines[0].startswith("extra "):
            extra = decode_base64(lines.pop(0)[6:])
        index = _INDEX.match(lines.pop(0)) if lines else None
        path = tuple(decode_base64(line) for line in lines[:64])
        if index is None or len(lines) > 63 or any(len(node) != HASH_BYTES for node in path):
            raise MalformedInput("tlog-proof", "index or path are not of their form")
        parse_note(checkpoint)
        return cls(int(index[1]), path, checkpoint, extra)


@dataclass(frozen=True, slots=True)
class ProvenEntry:
    """What an offline proof proved: this digest stands at this index under this checkpoint.

    `body` is the entry's text where the proof carried it, and then it is what the digest stands for.
    """

    log_index: int
    digest: bytes
    checkpoint: Checkpoint
    body: str | None


def verify_offline(text: str, *, origin: str, public_key: bytes, digest: bytes | None = None) -> ProvenEntry:
    """Verify an offline proof; `MalformedInput` says what does not hold.

    `digest` is the entry's, when the proof does not carry the entry, or when it must be a certain one.
    """
    proof = OfflineProof.parse(text)
    checkpoint = verify_checkpoint(proof.checkpoint, origin=origin, public_key=public_key)
    body, carried = _carried(proof.extra)
    wanted = digest or carried
    if wanted is None:
        raise MalformedInput("tlog-proof", "does not carry its entry: say which digest it is about")
    if carried is not None and not hmac.compare_digest(carried, wanted):
        raise MalformedInput("tlog-proof", "carries another entry")
    inclusion = InclusionProof(proof.index, checkpoint.size, proof.path)
    if not inclusion.verify(wanted, checkpoint.root):
        raise MalformedInput("tlog-proof", "the entry is not under this checkpoint")
    return ProvenEntry(proof.index, wanted, checkpoint, body)


def carry(salt: bytes, body: str) -> bytes:
    """The extra data of a proof that shows its entry."""
    return salt + body.encode("utf-8")


def _carried(extra: bytes | None) -> tuple[str | None, bytes | None]:
    if extra is None or len(extra) <= SALT_BYTES:
        return None, None
    try:
        body = extra[SALT_BYTES:].decode("utf-8")
    except UnicodeDecodeError as exc:
        raise MalformedInput("tlog-proof", "its extra data are no entry") from exc
    return body, entry_digest(extra[:SALT_BYTES], body)
