"""Trust stores: what decides a verdict is in the hash, and a folder says exactly what is trusted."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from world.pki import TestAuthority

from signing import TrustAnchor, TrustStore
from yinxin.base.errors import MalformedInput, NotFound, UsageError, YinxinError
from yinxin.base.text import Text

if TYPE_CHECKING:
    from pathlib import Path

    from world.pki import Pki

LABEL = Text("津城“测试”根\\\n\x7f\t", 'The "test" root\\ of Jincheng')
ADDED = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)


@pytest.fixture
def store(pki: Pki) -> TrustStore:
    anchor = TrustAnchor(pki.root.certificate, frozenset({"seal", "timestamp"}), LABEL, ADDED)
    return TrustStore([anchor, TestAuthority("Another Root").certificate])


def test_an_anchor_serves_the_uses_it_names_or_all(pki: Pki) -> None:
    assert TrustAnchor(pki.root.certificate).serves("seal")
    assert not TrustAnchor(pki.root.certificate, frozenset({"seal"})).serves("status")
    with pytest.raises(UsageError):
        TrustAnchor(pki.root.certificate, frozenset({"everything"}))


def test_issuers_are_found_by_name_and_the_right_key_comes_first(pki: Pki) -> None:
    twins = [TestAuthority("Renewed Root") for _ in range(4)]
    store = TrustStore([pki.root.certificate, *(twin.certificate for twin in twins)])
    for twin in twins:
        leaf = twin.issue("leaf").certificate
        found = store.issuers_of(leaf)
        assert len(found) == 4
        assert found[0].certificate == twin.certificate
    assert store.issuers_of(TestAuthority("Nobody").certificate) == ()


def test_the_snapshot_depends_on_what_decides_verdicts_only(pki: Pki) -> None:
    root, other = pki.root.certificate, TestAuthority("Other").certificate
    plain = TrustStore([root, other])
    assert plain.snapshot_id == TrustStore([other, root, root]).snapshot_id
    assert plain == TrustStore([TrustAnchor(root, label=LABEL, added_at=ADDED), other])
    assert plain != TrustStore([TrustAnchor(root, frozenset({"seal"})), other])
    assert plain != TrustStore([root])
    assert len({plain, TrustStore([other, root])}) == 1
    assert root in plain
    assert len(plain) == 2


def test_one_certificate_cannot_be_trusted_in_two_ways(pki: Pki) -> None:
    with pytest.raises(MalformedInput):
        TrustStore([pki.root.certificate, TrustAnchor(pki.root.certificate, frozenset({"seal"}))])


def test_a_store_comes_back_from_its_folder(store: TrustStore, tmp_path: Path) -> None:
    store.save(tmp_path / "trust")
    again = TrustStore.load(tmp_path / "trust")
    assert again == store
    labelled = next(anchor for anchor in again.anchors if anchor.label)
    assert (labelled.label, labelled.added_at) == (LABEL, ADDED)


def test_saving_a_smaller_store_removes_the_rest(store: TrustStore, tmp_path: Path) -> None:
    store.save(tmp_path)
    TrustStore(store.anchors[:1]).save(tmp_path)
    assert TrustStore.load(tmp_path).anchors == store.anchors[:1]
    assert len(list(tmp_path.iterdir())) == 2


def test_a_file_dropped_into_the_folder_is_not_trusted_by_accident(store: TrustStore, tmp_path: Path) -> None:
    store.save(tmp_path)
    (tmp_path / "mine.pem").write_bytes(TestAuthority("Mallory").certificate.to_pem())
    with pytest.raises(MalformedInput, match=r"mine\.pem"):
        TrustStore.load(tmp_path)


def test_a_certificate_exchanged_in_the_folder_is_noticed(store: TrustStore, tmp_path: Path) -> None:
    store.save(tmp_path)
    next(tmp_path.glob("*.pem")).write_bytes(TestAuthority("Mallory").certificate.to_pem())
    with pytest.raises(MalformedInput, match="not the certificate"):
        TrustStore.load(tmp_path)


def test_an_administrator_may_write_the_index_by_hand(pki: Pki, tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_bytes(pki.root.certificate.to_pem())
    (tmp_path / "trust.toml").write_text('[[anchor]]\nfile = "root.pem"\nusages = ["seal"]\n')
    assert TrustStore.load(tmp_path).anchors == (TrustAnchor(pki.root.certificate, frozenset({"seal"})),)


@pytest.mark.parametrize(
    "index",
    [
        "anchor = 1",
        "other = 1",
        "[[anchor]]\nfile = 'root.pem'\nusage = ['seal']",
        "[[anchor]]\nfile = '../root.pem'",
        "[[anchor]]\nfile = 'root.txt'",
        "[[anchor]]\nfile = 'root.pem'\nusages = 'seal'",
        "[[anchor]]\nfile = 'root.pem'\nusages = [1]",
        "[[anchor]]\nfile = 'root.pem'\nusages = ['sael']",
        "[[anchor]]\nfile = 'root.pem'\nlabel = 'root'",
        "[[anchor]]\nfile = 'root.pem'\nlabel = { zh = '', en = 'x' }",
        "[[anchor]]\nfile = 'root.pem'\nadded_at = 2026-01-01",
        "[[anchor]]\nfile = 'root.pem'\nsha256 = 'ab'",
        "[[anchor]]\nfile = 'root.pem'\n[[anchor]]\nfile = 'root.pem'",
        "[[anchor]]\nfile = 'missing.pem'",
        "\x00",
    ],
)
def test_a_damaged_index_is_refused(index: str, pki: Pki, tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_bytes(pki.root.certificate.to_pem())
    (tmp_path / "trust.toml").write_text(index, "utf-8")
    with pytest.raises(YinxinError):
        TrustStore.load(tmp_path)


def test_no_folder_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        TrustStore.load(tmp_path / "nowhere")


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_arbitrary_index_files_let_only_our_errors_out(data: bytes) -> None:
    from pathlib import Path  # noqa: PLC0415 - the same

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "trust.toml").write_bytes(data)
        try:
            TrustStore.load(folder)
        except YinxinError:
            return
