"""What a signature beside a file is over: bytes, a file read in pieces, or a digest that stands for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import BinaryIO

from signing import cms
from signing.judging import known_hash
from yinxin.base.errors import UnknownAlgorithm

_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class ContentDigest:
    """A content of which only the digest is known, in bytes; `algorithm` is its hash's name (sha256 …).

    It answers for a signature that was made with that hash; time-stamps over the content with another hash
    cannot be checked.
    """

    algorithm: str
    value: bytes


Content = bytes | BinaryIO


@dataclass(frozen=True, slots=True)
class Hashed:
    """A content that several signatures are over: hashed once by each hash."""

    content: Content | ContentDigest
    _known: dict[str, bytes] = field(default_factory=dict)

    def digest(self, name: str) -> bytes:
        """As `digest_of`."""
        if name not in self._known:
            self._known[name] = digest_of(name, self.content)
        return self._known[name]


Given = Content | ContentDigest | Hashed


def digest_of(name: str, content: Given) -> bytes:
    """The hash of the content, read in pieces from its beginning; nothing for a hash we do not know."""
    if isinstance(content, Hashed):
        return content.digest(name)
    if isinstance(content, ContentDigest):
        return content.value if content.algorithm == name else b""
    if isinstance(content, bytes):
        return known_hash(name, content)
    content.seek(0)
    try:
        return cms.hash_pieces(name, iter(lambda: content.read(_PIECE), b""))
    except UnknownAlgorithm:
        return b""


def whole(content: Content) -> bytes:
    """All of it, as far as a signature may carry it."""
    if isinstance(content, bytes):
        return content
    content.seek(0)
    return content.read(cms.MAX_CMS_BYTES + 1)


def plain_digest(content: Given) -> ContentDigest | None:
    """The digest that was given in place of the content, if so."""
    inner = content.content if isinstance(content, Hashed) else content
    return inner if isinstance(inner, ContentDigest) else None
