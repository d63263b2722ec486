"""What lies in a backup: a list of files with their digests, a manifest over it, and the log key's signature.

manifest.json   what it is a backup of, from when, the database's kind and version, the digest of `files`
manifest.sig    a signed note (C2SP) over the manifest's digest, by the key of the audit log
files           one line for each file: SHA-256, size in bytes, path
database/       the database (`yinxin.base.transfer`)
home/           the files of the home
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from yinxin.base.audit.checkpoint import parse_verifier_key, sign_note, verify_note
from yinxin.base.errors import Conflict, MalformedInput
from yinxin.base.files import PRIVATE, read_file, write_new_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

FORMAT = "yinxin backup 1"
MANIFEST, SIGNATURE, FILES, DATABASE, HOME = "manifest.json", "manifest.sig", "files", "database", "home"
MAX_MANIFEST_BYTES, MAX_FILES_BYTES = 4 << 20, 4 << 30
_CHUNK = 1 << 20
_LINE = re.compile(r"(?P<digest>[0-9a-f]{64}) (?P<size>[0-9]{1,15}) (?P<path>[^\n\0\r]{1,1000})\Z")


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file of a backup; `path` is seen from the backup's folder, with slashes."""

    path: str
    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself. `log_key` is the log's verifier key, `checkpoint` its newest then."""

    taken_at: datetime
    version: str
    origin: str
    log_key: str
    checkpoint: str | None
    database: str
    revision: str
    tables: dict[str, list[str]]
    files_digest: str
    count: int
    size_bytes: int
    left_out: list[str]

    def to_json(self) -> bytes:
        """Its one text."""
        content = {"format": FORMAT, **asdict(self), "taken_at": self.taken_at.isoformat()}
        return json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True).encode() + b"\n"

    @classmethod
    def parse(cls, data: bytes) -> Manifest:
        """Read one; `MalformedInput` for anything else."""
        try:
            content: dict[str, Any] = json.loads(data)
            if content.pop("format") != FORMAT:
                raise MalformedInput("backup", "of another format")
            taken_at = datetime.fromisoformat(content.pop("taken_at"))
            made = cls(taken_at=taken_at, **content)
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as exc:
            raise MalformedInput("backup", "the manifest cannot be read") from exc
        if made.to_json() != data:
            raise MalformedInput("backup", "the manifest is not in its one form")
        return made


def seal(folder: Path, manifest: Manifest, *, sign: Callable[[bytes], bytes]) -> None:
    """Write the manifest and its signature: the last that a backup gets."""
    data = manifest.to_json()
    name, public_key = parse_verifier_key(manifest.log_key)
    note = sign_note(_statement(manifest.origin, data), name=name, sign=sign, public_key=public_key)
    write_new_file(folder / SIGNATURE, note.encode(), mode=PRIVATE)
    write_new_file(folder / MANIFEST, data, mode=PRIVATE)


def read(folder: Path, *, log_key: str | None = None) -> Manifest:
    """The manifest of a backup, its signature verified by the key that it names, or by the one given.

    `NotFound` for a folder that holds none, `MalformedInput` for one that was changed or is of another log.
    """
    data = read_file(folder / MANIFEST, limit=MAX_MANIFEST_BYTES)
    manifest = Manifest.parse(data)
    if log_key is not None and log_key != manifest.log_key:
        raise MalformedInput("backup", "signed by another log's key")
    name, public_key = parse_verifier_key(manifest.log_key)
    try:
        note = read_file(folder / SIGNATURE, limit=MAX_MANIFEST_BYTES).decode("utf-8")
    except UnicodeDecodeError as exc:
        raise MalformedInput("backup", "its signature cannot be read") from exc
    if verify_note(note, name=name, public_key=public_key) != _statement(manifest.origin, data):
        raise MalformedInput("backup", "its signature is of another manifest")
    return manifest


def write_list(folder: Path, files: Iterable[StoredFile]) -> tuple[str, int, int]:
    """Write the list of files: its digest, how many they are, and how many bytes."""
    digest, count, size = hashlib.sha256(), 0, 0
    lines = []
    for file in files:
        line = f"{file.digest} {file.size} {file.path}\n".encode()
        digest.update(line)
        lines.append(line)
        count, size = count + 1, size + file.size
    write_new_file(folder / FILES, b"".join(lines), mode=PRIVATE)
    return digest.hexdigest(), count, size


def files_of(folder: Path, manifest: Manifest) -> list[StoredFile]:
    """The list of a backup's files, as its manifest has it; `MalformedInput` for another list."""
    data = read_file(folder / FILES, limit=MAX_FILES_BYTES)
    if hashlib.sha256(data).hexdigest() != manifest.files_digest:
        raise MalformedInput("backup", "its list of files was changed")
    return [_parse_line(line) for line in data.decode("utf-8").splitlines()]


def check(
    folder: Path, files: list[StoredFile], *, progress: Callable[[int, int], None] = lambda _done, _all: None
) -> None:
    """Go through all files; `MalformedInput` names the first that is missing or changed."""
    for done, file in enumerate(files):
        path = folder / file.path
        if not path.is_file() or path.is_symlink() or digest_of(path) != (file.digest, file.size):
            raise MalformedInput("backup", f"{file.path} is missing or was changed")
        progress(done + 1, len(files))


def digest_of(path: Path) -> tuple[str, int]:
    """SHA-256 of a file in hex, and its size; read in pieces."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return digest.hexdigest(), size


def copy_file(source: Path, target: Path, *, mode: int) -> tuple[str, int]:
    """Copy a file in pieces; digest and size of what was copied. `Conflict` when `target` exists."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    digest, size = hashlib.sha256(), 0
    try:
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
    except FileExistsError as exc:
        raise Conflict(f"{target} exists and is not overwritten") from exc
    with os.fdopen(handle, "wb") as writes, source.open("rb") as reads:
        while chunk := reads.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            writes.write(chunk)
        writes.flush()
        os.fsync(writes.fileno())
    return digest.hexdigest(), size


def _statement(origin: str, manifest: bytes) -> str:
    """What is signed: it can be no checkpoint, whose first line is the log's name."""
    return f"{FORMAT}\n{origin}\n{hashlib.sha256(manifest).hexdigest()}\n"


def _parse_line(line: str) -> StoredFile:
    found = _LINE.match(line)
    place = PurePosixPath(found["path"]) if found else PurePosixPath("/")
    top = place.parts[0] if place.parts else ""
    if found is None or place.is_absolute() or ".." in place.parts or top not in {DATABASE, HOME}:
        raise MalformedInput("backup", "its list of files names something outside of it")
    return StoredFile(found["path"], found["digest"], int(found["size"]))
