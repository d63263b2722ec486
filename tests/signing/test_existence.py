"""Proofs of existence as values, and what more of them can change."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from cryptography.x509 import ReasonFlags
from hypothesis import given, settings
from hypothesis import strategies as st
from world.pki import NOON, Pki

from signing import Crl, Policy, RevocationSnapshot, TrustStore, cms
from signing.existence import NO_PROOFS, Proofs, certificates_from, evidence_from, fingerprint_of, parts_of
from signing.past import PathQuestion, validate_in_past

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HOURS = st.integers(0, 200).map(lambda hours: NOON + hours * HOUR)
SIGHTINGS = st.lists(st.tuples(st.sampled_from("abc"), HOURS), max_size=12)


@given(SIGHTINGS, st.randoms(use_true_random=False))
def test_the_earliest_proof_stays_in_whatever_order_they_come(sightings: list[Any], order: Any) -> None:
    def collected(found: list[Any]) -> Proofs:
        proofs = NO_PROOFS
        for name, at in found:
            proofs = proofs.adding([name], at)
        return proofs

    mixed = list(sightings)
    order.shuffle(mixed)
    assert collected(mixed) == collected(sightings)
    for name in "abc":
        times = [at for one, at in sightings if one == name]
        assert collected(sightings).of(name) == min(times, default=None)


def test_proofs_are_values() -> None:
    one = Proofs({"a": NOON})
    assert one == NO_PROOFS.adding(["a"], NOON)
    assert hash(one) == hash(NO_PROOFS.adding(["a"], NOON))
    assert (len(one), bool(one), bool(NO_PROOFS), one.of("b")) == (1, True, False, None)
    assert one != NO_PROOFS
    assert one != "a"
    assert "1" in repr(one)


@given(st.lists(st.binary(max_size=80), max_size=6))
def test_what_does_not_parse_is_no_evidence(noise: list[bytes]) -> None:
    assert (evidence_from(noise, noise).crls, evidence_from(noise, noise).ocsp) == ((), ())
    assert certificates_from(noise) == ()


def test_a_structure_names_its_parts() -> None:
    pki = Pki()
    signed = cms.parse(cms.sign(pki.signer("seal"), bytes(32)))
    assert parts_of(signed)[0] == fingerprint_of(signed.signature)
    assert set(parts_of(signed)[1:]) == {one.fingerprint for one in signed.certificates}


class Past:
    """A path whose issuer ends on day 60 and lost its key on day 40, and the lists of some days."""

    def __init__(self) -> None:
        self.pki = Pki()
        self.leaf = self.pki.issuing.issue("Bureau").certificate
        self.lists = [Crl(self.pki.issuing.crl(NOON + day * DAY)) for day in (1, 30, 50)]
        self.pki.root.revoke(self.pki.issuing.certificate, NOON + 40 * DAY, ReasonFlags.key_compromise)
        self.roots = [Crl(self.pki.root.crl(NOON + 70 * DAY))]
        self.trust = TrustStore([self.pki.root.certificate])
        self.things = [
            *(one.fingerprint for one in self.lists),
            self.leaf.fingerprint,
            self.pki.issuing.certificate.fingerprint,
            self.roots[0].fingerprint,
        ]

    def objections(self, proofs: Proofs, signed: Any) -> Any:
        known, now = RevocationSnapshot([*self.lists, *self.roots]), NOON + 80 * DAY
        offered = (self.pki.issuing.certificate,)
        question = PathQuestion("seal", NOON, self.trust, known, Policy(), now, now, proofs, offered)
        result, objections = validate_in_past(self.leaf, question, signed=signed)
        assert result.passed
        return objections


@pytest.fixture(scope="module")
def past() -> Past:
    return Past()


DAYS = st.lists(st.one_of(st.none(), st.integers(0, 79)), min_size=6, max_size=6)


@settings(max_examples=60)
@given(days=DAYS, more=DAYS)
def test_more_proofs_never_make_it_worse(past: Past, days: list[Any], more: list[Any]) -> None:
    """Earlier proofs, or proofs of more things: what nothing spoke against stays so."""

    def proofs(*lists: list[Any]) -> Proofs:
        found = NO_PROOFS
        for of_things in lists:
            for thing, day in zip(past.things, of_things, strict=True):
                found = found if day is None else found.adding([thing], NOON + day * DAY)
        return found

    signed = NOON + HOUR
    if not past.objections(proofs(days), signed):
        assert not past.objections(proofs(days, more), signed)


def test_what_has_to_be_proved(past: Past) -> None:
    """The leaf's certificate and one list about it; nothing of the root, which is as it was."""
    early, late = NOON + 39 * DAY, NOON + 41 * DAY
    leaf, lists = past.leaf.fingerprint, past.things[:3]
    assert not past.objections(Proofs({leaf: early, lists[0]: early}), NOON)
    assert not past.objections(Proofs({leaf: early, lists[1]: early, lists[2]: late}), NOON)
    lacking = (
        {},
        {leaf: early},
        {lists[0]: early},
        {leaf: late, lists[0]: early},
        {leaf: early, lists[2]: late},
    )
    for found in lacking:
        assert past.objections(Proofs(found), NOON)
    assert past.objections(Proofs({leaf: early, lists[0]: early}), late)
    assert past.objections(Proofs({leaf: early, lists[0]: early}), None)
