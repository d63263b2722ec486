"""Checkpoints: the size and root of the log, signed (C2SP tlog-checkpoint, signed-note, Ed25519).

The key's name is the log's origin. Signing is a function passed in; this module knows no private keys.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from yinxin.base.errors import MalformedInput, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_NOTE_CHARACTERS = 200_000  # sixteen and more post-quantum signatures
_ED25519 = b"\x01"  # signed-note, signature types
_SIZE = re.compile(r"(0|[1-9][0-9]{0,18})\Z")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_SIGNATURE = re.compile(r"— (?P<name>[^\s+]+) (?P<blob>[A-Za-z0-9+/=]+)\Z")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a log: `size` entries, all of them under `root`."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode('ascii')}\n"


def sign_checkpoint(checkpoint: Checkpoint, *, sign: Callable[[bytes], bytes], public_key: bytes) -> str:
    """The signed note, verified once. `sign` makes raw Ed25519 signatures for the raw `public_key`."""
    note = sign_note(checkpoint.text(), name=checkpoint.origin, sign=sign, public_key=public_key)
    try:
        verify_checkpoint(note, origin=checkpoint.origin, public_key=public_key)
    except MalformedInput as exc:
        raise UsageError("the checkpoint's signer and its public key do not fit") from exc
    return note


def sign_note(text: str, *, name: str, sign: Callable[[bytes], bytes], public_key: bytes) -> str:
    """A signed note of this text, which ends with a line end."""
    blob = b64encode(key_id(name, public_key) + sign(text.encode("utf-8"))).decode("ascii")
    return f"{text}\n— {name} {blob}\n"


def verify_checkpoint(note: str, *, origin: str, public_key: bytes) -> Checkpoint:
    """The checkpoint in this note; `MalformedInput` unless this key of this log signed it.

    Signatures of others (witnesses, other keys) are ignored, a wrong one by this key refuses the note.
    """
    checkpoint = _parse_text(verify_note(note, name=origin, public_key=public_key))
    if checkpoint.origin != origin:
        raise MalformedInput("checkpoint", "of another log")
    return checkpoint


def parse_checkpoint(note: str) -> Checkpoint:
    """What a note says, not verified."""
    return _parse_text(parse_note(note)[0])


def verify_note(note: str, *, name: str, public_key: bytes) -> str:
    """The text of a note that the key of this name signed; `MalformedInput` otherwise."""
    text, signatures = parse_note(note)
    wanted = key_id(name, public_key)
    ours = [blob[4:] for signer, blob in signatures if signer == name and blob[:4] == wanted]
    if not ours:
        raise MalformedInput("signed note", "not signed by this key")
    for signature in ours:
        try:
            Ed25519PublicKey.from_public_bytes(public_key).verify(signature, text.encode("utf-8"))
        except (InvalidSignature, ValueError) as exc:
            raise MalformedInput("signed note", "the signature is wrong") from exc
    return text


def parse_note(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """A signed note's text, and its signatures as key name and (key id + signature)."""
    if not isinstance(note, str) or len(note) > MAX_NOTE_CHARACTERS or _CONTROL.search(note):
        raise MalformedInput("signed note", "too long, or with control characters")
    body, found, below = note.rpartition("\n\n")
    if not found or not below.endswith("\n"):
        raise MalformedInput("signed note", "no signatures")
    signatures = []
    for line in below[:-1].split("\n"):
        parts = _SIGNATURE.match(line)
        blob = decode_base64(parts["blob"]) if parts else b""
        if parts is None or len(blob) < 5:
            raise MalformedInput("signed note", "a line is no signature")
        signatures.append((parts["name"], blob))
    return body + "\n", signatures


def key_id(name: str, public_key: bytes) -> bytes:
    """The four bytes that tell keys of one name apart (signed-note, Ed25519 signatures)."""
    return hashlib.sha256(name.encode("utf-8") + b"\n" + _ED25519 + public_key).digest()[:4]


def verifier_key(name: str, public_key: bytes) -> str:
    """The key as the text that other tools read (signed-note, verifier keys)."""
    blob = b64encode(_ED25519 + public_key).decode("ascii")
    return f"{name}+{key_id(name, public_key).hex()}+{blob}"


def parse_verifier_key(text: str) -> tuple[str, bytes]:
    """The name and the raw Ed25519 key of a verifier key."""
    name, *rest = text.split("+", 2)
    material = decode_base64(rest[1]) if len(rest) == 2 else b""
    if not name or len(material) != 33 or material[:1] != _ED25519:
        raise MalformedInput("verifier key", "not an Ed25519 key with its name")
    if rest[0] != key_id(name, material[1:]).hex():
        raise MalformedInput("verifier key", "the key id is not the key's")
    return name, material[1:]


def check_origin(origin: str) -> str:
    """The origin, if it can be a key's name; else `UsageError`."""
    if not origin or "+" in origin or any(c.isspace() or c < " " for c in origin):
        raise UsageError("a log's origin has no spaces and no plus sign")
    return origin


def decode_base64(text: str) -> bytes:
    """The bytes of a text in its one base64 form (RFC 4648, 4)."""
    try:
        data = b64decode(text, validate=True)
    except ValueError as exc:
        raise MalformedInput("base64") from exc
    if b64encode(data).decode("ascii") != text:
        raise MalformedInput("base64", "not in its one form")
    return data


def _parse_text(text: str) -> Checkpoint:
    lines = text.split("\n")
    if len(lines) < 4 or "" in lines[:-1]:
        raise MalformedInput("checkpoint", "not three lines")
    origin, size, root = lines[:3]
    if not _SIZE.match(size):
        raise MalformedInput("checkpoint", "the size is no number")
    hashed = decode_base64(root)
    if len(hashed) != 32:
        raise MalformedInput("checkpoint", "the root is no SHA-256 hash")
    return Checkpoint(origin, int(size), hashed)
