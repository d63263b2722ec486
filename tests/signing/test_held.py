"""A file on the disk answers as its octets would."""

from __future__ import annotations

import hashlib
import re
import tempfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signing import cms, held
from signing.held import HeldFile, copied
from yinxin.base.errors import MalformedInput, TooLarge, Unreachable

if TYPE_CHECKING:
    from pathlib import Path

octets = st.binary(min_size=1, max_size=60) | st.text("ab", min_size=1, max_size=60).map(str.encode)
places = st.none() | st.integers(-70, 70)


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held, "STEP_BYTES", 7)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(octets, octets.map(lambda one: one[:3]), places, places)
def test_it_answers_as_its_octets_do(data: bytes, wanted: bytes, start: int | None, end: int | None) -> None:
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        made = HeldFile.of(file, len(data))
        assert len(made) == len(data)
        assert made[start:end] == data[start:end]
        assert made.find(wanted, start, end) == data.find(wanted, start, end)
        assert made.rfind(wanted, start, end) == data.rfind(wanted, start, end)
        assert (wanted in made) == (wanted in data)
        assert made.startswith(wanted) == data.startswith(wanted)
        assert made.endswith((wanted, b"zz")) == data.endswith((wanted, b"zz"))
        assert [one.span() for one in re.finditer(b"a+", made)] == [
            one.span() for one in re.finditer(b"a+", data)
        ]
        for limit in (1, 3, 99):
            asked = {"limit": limit, "longest": 4}
            assert held.count(re.compile(b"ab"), made, **asked) == held.count(
                re.compile(b"ab"), data, **asked
            )
        views = memoryview(made)[:5], memoryview(made)[9:]
        expected = hashlib.sha256(data + data[:5] + data[9:]).digest()
        assert cms.hash_with("sha256", made, *views) == expected


def test_what_cannot_be_held(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "large").write_bytes(b"x" * 9)
    with pytest.raises(MalformedInput), held.held(tmp_path / "empty", max_bytes=8):
        pass
    with pytest.raises(TooLarge), held.held(tmp_path / "large", max_bytes=8):
        pass
    with pytest.raises(Unreachable), held.held(tmp_path / "missing", max_bytes=8):
        pass


def test_what_is_held_is_a_copy(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"before")
    with held.held(tmp_path / "file", max_bytes=8) as made:
        (tmp_path / "file").write_bytes(b"")
        assert made[:] == b"before"


def test_a_copy_says_how_long_it_is(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 20)
    with (tmp_path / "file").open("rb") as source, (tmp_path / "copy").open("wb") as target:
        assert copied(source, target, max_bytes=20) == 20
    assert (tmp_path / "copy").read_bytes() == b"x" * 20
