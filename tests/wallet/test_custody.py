"""Wallets that a server keeps: each opens for its account only, and two at once lose nothing."""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallet.custody import Custody
from wallet.pending import LIFE, MAX_PENDING, Pending
from wallet.store import FILE_NAME, Store
from yinxin.base.clock import FixedClock
from yinxin.base.errors import MalformedInput, NotFound, NotPermitted, UsageError

if TYPE_CHECKING:
    from pathlib import Path

MASTER = bytes(range(32))
LI, WANG = "account-of-li", "account-of-wang"


@pytest.fixture
def custody(tmp_path: Path) -> Custody:
    return Custody(tmp_path, MASTER)


def write(store: Store, text: str) -> None:
    store.update(lambda contents: contents.update(text=text))


def test_a_store_is_made_when_it_is_needed_and_found_again(custody: Custody, tmp_path: Path) -> None:
    assert custody.find(LI) is None
    assert not list(tmp_path.iterdir()), "looking makes nothing"
    write(custody.store(LI), "津城小麦")
    found = Custody(tmp_path, MASTER).find(LI)
    assert found
    assert found.read() == {"text": "津城小麦"}
    assert "津城小麦" not in (tmp_path / LI / FILE_NAME).read_text("utf-8")
    assert (tmp_path / LI / FILE_NAME).stat().st_mode & 0o077 == 0


def test_a_store_opens_for_its_account_only(custody: Custody, tmp_path: Path) -> None:
    write(custody.store(LI), "李的证照")
    custody.store(WANG)
    shutil.copy(tmp_path / LI / FILE_NAME, tmp_path / WANG / FILE_NAME)  # somebody swaps the files
    with pytest.raises(NotPermitted):
        custody.find(WANG)
    with pytest.raises(NotPermitted):
        Custody(tmp_path, os.urandom(32)).find(LI)


@pytest.mark.parametrize(
    "account", ["..", "../account-of-li", "a/b", "", "short", "x" * 129, "account\0of", "李"]
)
def test_an_account_never_leads_out_of_the_folder(custody: Custody, account: str) -> None:
    for ask in (custody.find, custody.store):
        with pytest.raises(UsageError):
            ask(account)


def test_a_short_master_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        Custody(tmp_path, b"x" * 31)


def test_the_key_is_in_no_representation(custody: Custody) -> None:
    assert MASTER.hex() not in repr(custody)
    assert repr(MASTER) not in repr(custody)


def test_many_who_come_first_at_once_share_one_store(custody: Custody) -> None:
    def count(_: int) -> None:
        custody.store(LI).update(lambda contents: contents.update(n=contents.get("n", 0) + 1))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count, range(40)))
    assert custody.store(LI).read() == {"n": 40}


def test_passphrase_and_random_bytes_do_not_open_each_others_wallets(tmp_path: Path) -> None:
    secret = os.urandom(32)
    Store.create(tmp_path / "random", secret)
    Store.create(tmp_path / "phrase", "a passphrase", scrypt_cost=1 << 4)
    with pytest.raises(NotPermitted):
        Store.open(tmp_path / "random", "a passphrase")
    with pytest.raises(NotPermitted):
        Store.open(tmp_path / "phrase", secret)
    with pytest.raises(NotPermitted):
        Store.open(tmp_path / "random", os.urandom(32))
    with pytest.raises(UsageError):
        Store.create(tmp_path / "short", b"x" * 16)


@pytest.mark.parametrize(
    "kdf",
    [None, {}, {"name": "hkdf-sha256"}, {"name": "hkdf-sha256", "salt": "AA", "n": 4}, {"name": "none"}],
)
def test_another_key_derivation_is_a_clear_error(tmp_path: Path, kdf: object) -> None:
    secret = os.urandom(32)
    store = Store.create(tmp_path, secret)
    header = {**store._header, "kdf": kdf, "contents": ""}
    import json  # noqa: PLC0415 - here only

    (tmp_path / FILE_NAME).write_text(json.dumps(header))
    with pytest.raises(MalformedInput):
        Store.open(tmp_path, secret)


# What was begun


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(2026, 11, 20, 12)


@pytest.fixture
def pending(custody: Custody, clock: FixedClock) -> Pending:
    return Pending(custody.store(LI), clock)


def test_of_many_who_take_exactly_one_gets_it(pending: Pending) -> None:
    name = pending.put("request", {"text": "…"})

    def take(_: int) -> int:
        try:
            pending.take(name, kind="request")
        except NotFound:
            return 0
        return 1

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(take, range(24))) == 1


def test_what_was_begun_runs_out(pending: Pending, clock: FixedClock) -> None:
    short = pending.put("request", {}, until=clock.now() + timedelta(seconds=120))
    longest = pending.put("request", {}, until=clock.now() + timedelta(days=9))
    clock.advance(timedelta(seconds=120))
    with pytest.raises(NotFound):
        pending.read(short, kind="request")
    assert pending.read(longest, kind="request") == {}
    clock.advance(LIFE)
    with pytest.raises(NotFound):
        pending.take(longest, kind="request")


def test_an_offer_is_no_request_and_anothers_is_none(
    pending: Pending, custody: Custody, clock: FixedClock
) -> None:
    name = pending.put("offer", {})
    with pytest.raises(NotFound):
        pending.take(name, kind="request")
    with pytest.raises(NotFound):
        Pending(custody.store(WANG), clock).take(name, kind="offer")
    assert pending.take(name, kind="offer") == {}


def test_begun_things_do_not_fill_the_store(pending: Pending, clock: FixedClock) -> None:
    names = []
    for _ in range(MAX_PENDING + 5):
        clock.advance(timedelta(seconds=1))
        names.append(pending.put("offer", {}))
    with pytest.raises(NotFound):
        pending.read(names[0], kind="offer")
    assert pending.read(names[-1], kind="offer") == {}


@given(st.text(max_size=40))
def test_any_identifier_is_not_found(name: str) -> None:
    class Nothing:
        def read(self) -> dict[str, object]:
            return {}

    with pytest.raises(NotFound):
        Pending(Nothing(), FixedClock(2026, 11, 20)).read(name, kind="offer")  # type: ignore[arg-type]
