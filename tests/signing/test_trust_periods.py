"""Anchors that count for a while: a list names them from a day on, and takes them back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from world.pki import NOON, Pki, TestAuthority

from signing import Policy, RevocationSnapshot, TrustAnchor, TrustStore, validate_path
from signing.reasons import Reason
from signing.revocation import Crl
from signing.trust import Period
from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    from pathlib import Path

DAY = timedelta(days=1)
SEAL = frozenset({"seal"})
BOTH = frozenset({"seal", "credential"})


def reasons(pki: Pki, anchor: TrustAnchor, at: datetime, usage: str = "seal") -> set[Reason]:
    chain = pki.signer(usage).chain
    lists = RevocationSnapshot(map(Crl, (pki.root.crl(), pki.issuing.crl())))
    found = validate_path(
        chain[0],
        chain[1:],
        TrustStore([anchor]),
        at=at,
        usage=usage,
        revocation=lists,
        policy=Policy.default(),
    )
    return set(found.reasons)


def test_an_anchor_counts_within_its_periods_only(pki: Pki) -> None:
    periods = (Period("seal", NOON - 9 * DAY, NOON - 3 * DAY), Period("seal", NOON - DAY))
    anchor = TrustAnchor(pki.root.certificate, SEAL, periods=periods)
    for days, good in ((-10, False), (-9, True), (-4, True), (-3, False), (-2, False), (-1, True), (0, True)):
        assert anchor.counts_at(NOON + days * DAY, "seal") is good
    assert reasons(pki, anchor, NOON) == set()
    lapsed = TrustAnchor(pki.root.certificate, SEAL, periods=periods[:1])
    assert reasons(pki, lapsed, NOON) == {Reason.NO_CERTIFICATE_CHAIN_FOUND}


def test_each_use_has_its_own_periods(pki: Pki) -> None:
    periods = (Period("credential", NOON - 9 * DAY), Period("seal", NOON - 9 * DAY, NOON - DAY))
    anchor = TrustAnchor(pki.root.certificate, BOTH, periods=periods)
    assert reasons(pki, anchor, NOON, "credential") == set()
    assert reasons(pki, anchor, NOON, "seal") == {Reason.NO_CERTIFICATE_CHAIN_FOUND}


def test_periods_fit_the_uses(pki: Pki) -> None:
    with pytest.raises(MalformedInput):
        TrustAnchor(pki.root.certificate, BOTH, periods=(Period("seal", NOON),))
    with pytest.raises(MalformedInput):
        TrustAnchor(pki.root.certificate, periods=(Period("seal", NOON),))


def test_periods_decide_verdicts_and_come_back_from_the_folder(pki: Pki, tmp_path: Path) -> None:
    def store(*periods: Period) -> TrustStore:
        return TrustStore([TrustAnchor(pki.root.certificate, SEAL, periods=periods)])

    ended, open_ended = Period("seal", NOON - DAY, NOON), Period("seal", NOON - DAY)
    stores = [store(), store(ended), store(open_ended), store(Period("seal", NOON))]
    assert len(set(stores)) == 4
    assert store(ended, open_ended) == store(open_ended, ended)
    for one in stores:
        one.save(tmp_path)
        again = TrustStore.load(tmp_path)
        assert again == one
        assert again.anchors == one.anchors


@pytest.mark.parametrize(
    "periods",
    [
        "1",
        "[1]",
        "[{ usage = 'seal' }]",
        "[{ usage = 'seal', since = 1 }]",
        "[{ usage = 1, since = 2026-01-01T00:00:00Z }]",
        "[{ usage = 'seal', since = 2026-01-01T00:00:00Z, till = 2026-01-01T00:00:00Z }]",
        "[{ usage = 'status', since = 2026-01-01T00:00:00Z }]",
    ],
)
def test_damaged_periods_are_refused(periods: str, pki: Pki, tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_bytes(pki.root.certificate.to_pem())
    text = f"[[anchor]]\nfile = 'root.pem'\nusages = ['seal']\nperiods = {periods}\n"
    (tmp_path / "trust.toml").write_text(text, "utf-8")
    with pytest.raises(MalformedInput):
        TrustStore.load(tmp_path)


def test_two_stores_together_trust_what_either_does(pki: Pki) -> None:
    root, other = pki.root.certificate, TestAuthority("Other").certificate
    ended, later = Period("seal", NOON - 2 * DAY, NOON - DAY), Period("credential", NOON)
    one = TrustStore([TrustAnchor(root, SEAL, periods=(ended,))])
    two = TrustStore([TrustAnchor(root, frozenset({"credential"}), periods=(later,)), other])
    both = one.merged_with(two)
    assert both == two.merged_with(one)
    assert len(both) == 2
    merged = both.anchor_of(root)
    assert merged is not None
    assert (merged.usages, set(merged.periods)) == (BOTH, {ended, later})
    # What has no bounds in one of them has none, and stays apart from the other use.
    free = one.merged_with(TrustStore([TrustAnchor(root, SEAL)])).anchor_of(root)
    assert free is not None
    assert (free.periods, free.counts_at(NOON, "seal")) == ((), True)
    mixed = one.merged_with(TrustStore([TrustAnchor(root, frozenset({"status"}))])).anchor_of(root)
    assert mixed is not None
    assert (mixed.counts_at(NOON, "status"), mixed.counts_at(NOON, "seal")) == (True, False)
    assert one.merged_with(TrustStore([root])) == TrustStore([root])
