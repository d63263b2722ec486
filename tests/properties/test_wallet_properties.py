"""A wallet file of arbitrary bytes, and requests of arbitrary shapes, end in our errors only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallet.activity import Activity
from wallet.request import PresentationRequest
from wallet.store import FILE_NAME, Store
from yinxin.base.errors import MalformedInput, UsageError, YinxinError

if TYPE_CHECKING:
    from pathlib import Path

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("wallet")
    Store.create(place, "secret", scrypt_cost=2)
    return place


@pytest.fixture(scope="module")
def good(folder: Path) -> bytes:
    return (folder / FILE_NAME).read_bytes()


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_no_wallet(folder: Path, good: bytes, data: bytes) -> None:
    (folder / FILE_NAME).write_bytes(data)
    with pytest.raises(YinxinError):
        Store.open(folder, "secret")


@given(st.data())
def test_a_changed_byte_is_found(folder: Path, good: bytes, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(good) - 1))
    changed = bytearray(good)
    changed[place] ^= data.draw(st.integers(1, 255))
    (folder / FILE_NAME).write_bytes(changed)
    with pytest.raises(YinxinError):
        Store.open(folder, "secret")
    (folder / FILE_NAME).write_bytes(good)
    assert Store.open(folder, "secret").read() == {}


@given(JSON)
def test_arbitrary_contents_survive_the_disk(folder: Path, good: bytes, value: Any) -> None:
    (folder / FILE_NAME).write_bytes(good)
    store = Store.open(folder, "secret")

    def keep(contents: dict[str, Any]) -> None:
        contents["value"] = value

    try:
        store.update(keep)
    except UsageError:  # a number too large, half a character
        assert Store.open(folder, "secret").read() == {}
        return
    assert Store.open(folder, "secret").read() == {"value": value}


@given(
    st.dictionaries(st.sampled_from(["requester", "purpose", "claims", "nonce", "vct", "at", "kind"]), JSON)
)
def test_arbitrary_shapes_are_no_request_and_no_activity(data: dict[str, Any]) -> None:
    with pytest.raises(MalformedInput):
        PresentationRequest.from_dict(data)
    with pytest.raises(MalformedInput):
        Activity.from_dict(data)
