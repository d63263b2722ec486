"""Personal data lies sealed in the database, under keys that are not in it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, Table, insert, select, text

from yinxin.base.database import Database
from yinxin.base.errors import MalformedInput, SignerUnavailable, UsageError
from yinxin.base.sealed import SealedJson, SealedText
from yinxin.base.vault import Vault, plain, read_key

if TYPE_CHECKING:
    from pathlib import Path

KEY, OTHER = b"\x11" * 32, b"\x22" * 32
PEOPLE = Table(
    "people_of_this_test",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("name", SealedText("people.name")),
    Column("facts", SealedJson("people.facts")),
)


@given(st.binary(max_size=200), st.text(max_size=20))
def test_what_is_sealed_opens(value: bytes, place: str) -> None:
    place = place.encode("utf-8", "replace").decode()
    vault = Vault.of(KEY)
    kept = vault.seal(value, place=place)
    assert vault.open(kept, place=place) == value
    assert kept.startswith(vault.mark)
    assert kept != vault.seal(value, place=place)


@given(st.integers(0, 60), st.integers(1, 255))
def test_a_changed_value_does_not_open(at: int, flip: int) -> None:
    vault = Vault.of(KEY)
    kept = bytearray(vault.seal("津城第一食品店".encode() * 2, place="a.b"))
    kept[at % len(kept)] ^= flip
    if kept[:1] == b"p":  # the mark of a plain value: what follows is not the name
        assert vault.open(bytes(kept), place="a.b") != "津城第一食品店".encode() * 2
        return
    with pytest.raises((MalformedInput, SignerUnavailable)):
        vault.open(bytes(kept), place="a.b")


def test_a_value_that_was_moved_does_not_open() -> None:
    vault = Vault.of(KEY)
    with pytest.raises(MalformedInput):
        vault.open(vault.seal(b"Li", place="licence.holder_name"), place="licence.holder_code")


def test_a_new_key_seals_and_the_old_one_still_opens() -> None:
    kept = Vault.of(KEY).seal(b"Li", place="a.b")
    both = Vault.of(OTHER, KEY)
    assert both.open(kept, place="a.b") == b"Li"
    assert not kept.startswith(both.mark)
    assert not plain(b"Li").startswith(both.mark)
    with pytest.raises(SignerUnavailable):
        Vault.of(OTHER).open(kept, place="a.b")


def test_keys_are_asked_for_when_they_are_needed() -> None:
    def none_here() -> list[bytes]:
        raise SignerUnavailable("no passphrase")

    vault = Vault(none_here)
    assert vault.open(plain(b"from before"), place="a.b") == b"from before"
    with pytest.raises(SignerUnavailable):
        vault.seal(b"Li", place="a.b")
    with pytest.raises(UsageError):
        Vault.of(b"short").seal(b"Li", place="a.b")
    with pytest.raises(UsageError):
        Vault.of().seal(b"Li", place="a.b")


def test_a_key_in_a_file(tmp_path: Path) -> None:
    raw, written, wrong = tmp_path / "raw", tmp_path / "hex", tmp_path / "wrong"
    raw.write_bytes(KEY)
    written.write_text(KEY.hex() + "\n", "ascii")
    wrong.write_bytes(os.urandom(31))
    assert read_key(raw) == read_key(written) == KEY
    for path in (wrong, tmp_path / "none"):
        with pytest.raises(SignerUnavailable):
            read_key(path)


def test_columns_seal_and_open_by_themselves(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'people.db'}"
    database = Database(address, vault=Vault.of(KEY))
    with database.connection() as connection:
        PEOPLE.create(connection)
        connection.execute(insert(PEOPLE).values(id=1, name="李明", facts={"born": "1990-01-01"}))
        connection.execute(insert(PEOPLE).values(id=2, name=None, facts=None))
    with database.reading() as session:
        assert session.execute(select(PEOPLE).order_by(PEOPLE.c.id)).all() == [
            (1, "李明", {"born": "1990-01-01"}),
            (2, None, None),
        ]
    database.close()
    for path in tmp_path.iterdir():
        found = path.read_bytes()
        assert "李明".encode() not in found
        assert b"1990-01-01" not in found
    bare = Database(address)
    with pytest.raises(SignerUnavailable), bare.reading() as session:
        session.execute(select(PEOPLE.c.name)).all()
    with bare.reading() as session:  # what is not personal stays readable
        assert session.execute(text("SELECT count(*) FROM people_of_this_test")).scalar_one() == 2
    bare.close()
