"""Documents are kept encrypted, found by their digest, and never given out damaged."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from credentials.documents import DocumentStore
from yinxin.base.errors import MalformedInput, NotFound, UsageError

if TYPE_CHECKING:
    from pathlib import Path

KEY = b"k" * 32


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_document_comes_back(tmp_path: Path) -> None:
    store = DocumentStore(tmp_path, KEY)
    digest = store.put(b"licence")
    assert digest == hashlib.sha256(b"licence").hexdigest()
    assert store.put(b"licence") == digest
    assert store.get(digest) == b"licence"
    assert digest in store
    assert len(files(tmp_path)) == 1


def test_neither_bytes_nor_name_tell_what_is_kept(tmp_path: Path) -> None:
    digest = DocumentStore(tmp_path, KEY).put(b"licence of Wang")
    (path,) = files(tmp_path)
    assert b"Wang" not in path.read_bytes()
    assert digest not in str(path)
    assert digest not in DocumentStore(tmp_path, b"x" * 32)


@pytest.mark.parametrize("damage", [b"", b"short", b"\0" * 100])
def test_a_damaged_document_is_refused(tmp_path: Path, damage: bytes) -> None:
    store = DocumentStore(tmp_path, KEY)
    digest = store.put(b"licence")
    files(tmp_path)[0].write_bytes(damage)
    with pytest.raises(MalformedInput):
        store.get(digest)


@pytest.mark.parametrize("name", ["", "..", "../../etc/passwd", "A" * 64, "0" * 64, "0" * 63])
def test_what_is_not_there(tmp_path: Path, name: str) -> None:
    store = DocumentStore(tmp_path, KEY)
    assert name not in store
    with pytest.raises(NotFound):
        store.get(name)


def test_the_key_has_its_length(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        DocumentStore(tmp_path, b"short")
