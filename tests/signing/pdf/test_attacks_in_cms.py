"""Signatures and time-stamps with one fault each, put into a PDF: certificates, attributes, tokens.

The faults are those of `world.cms_faults` and `world.stamp_faults`, where other makers say what they think.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from world import cms_faults, stamp_faults
from world.cms_faults import NOW, Recipe
from world.pdf_paper import PADES, PKCS7, RFC3161, Paper
from world.stamp_faults import Stamp

from signing import Crl, Policy, RevocationSnapshot, TrustStore, cms, der
from signing.pdf import verify

if TYPE_CHECKING:
    from signing.pdf import VerifiedDocument
    from signing.report import Report

# What other rules hold for in a PDF: PAdES leaves the time to the dictionary (EN 319 142-1, 5.3).
PASSING = {"as it should be", "reference by SHA-1", "sent out of order", "named by key identifier"}
PASSING |= {"an unknown signed attribute", "version of another kind", "no time"}


def ask(pdf: bytes, recipe: Recipe) -> Report[VerifiedDocument]:
    lists = [Crl(one) for one in cms_faults.lists_of(recipe.signer)]
    return verify(
        pdf,
        TrustStore([cms_faults.authority("root").certificate]),
        revocation=RevocationSnapshot(lists),
        policy=Policy(strict_usage=False),
        now=NOW,
    )


def passed(recipe: Recipe, kind: bytes) -> bool:
    paper = Paper().sign(lambda signed: cms_faults.made(recipe, signed), kind=kind, entries=b"")
    return ask(paper.pdf, recipe).passed


@pytest.mark.parametrize(
    "recipe",
    cms_faults.ALONE,
    ids=lambda one: f"{one.signer}, {one.structure}",
)
def test_a_fault_in_a_signature(recipe: Recipe) -> None:
    assert passed(recipe, PADES) == (recipe.signer in cms_faults.SOUND and recipe.structure in PASSING)


@pytest.mark.parametrize("structure", cms_faults.STRUCTURES)
def test_a_fault_in_an_older_signature(structure: str) -> None:
    """PKCS #7 names no certificate: which it was, nobody signs for."""
    good = PASSING | {"no reference"}
    assert passed(Recipe(structure=structure), PKCS7) == (structure in good)


@pytest.mark.parametrize("stamp", stamp_faults.ALONE, ids=lambda one: f"{one.authority}, {one.token}")
def test_a_fault_in_a_time_stamp_of_the_document(stamp: Stamp) -> None:
    paper = Paper().sign(lambda signed: cms_faults.made(Recipe(), signed), entries=b"")
    paper.sign(lambda signed: stamp_faults.made(stamp, signed), "Stamp", kind=RFC3161, entries=b"")
    report = verify(
        paper.pdf,
        TrustStore([cms_faults.authority("root").certificate]),
        revocation=RevocationSnapshot(Crl(one) for one in cms_faults.lists_of("in time")),
        policy=Policy(strict_usage=False, require_timestamp=True, revocation="if_available"),
        now=NOW,
    )
    assert report.passed == good(stamp), report.reasons


@pytest.mark.parametrize("stamp", stamp_faults.ALONE, ids=lambda one: f"{one.authority}, {one.token}")
def test_a_fault_in_a_time_stamp_of_a_signature(stamp: Stamp) -> None:
    def contents(signed: bytes) -> bytes:
        return cms.sign(
            cms_faults.signer_of("in time"),
            hashlib.sha256(signed).digest(),
            stamp=lambda value: stamp_faults.made(stamp, value),
        )

    report = verify(
        Paper().sign(contents, entries=b"").pdf,
        TrustStore([cms_faults.authority("root").certificate]),
        revocation=RevocationSnapshot(Crl(one) for one in cms_faults.lists_of("in time")),
        policy=Policy(strict_usage=False, require_timestamp=True, revocation="if_available"),
        now=NOW,
    )
    assert report.passed == good(stamp), report.reasons


def good(stamp: Stamp) -> bool:
    return stamp == replace(Stamp(), token=stamp.token) and stamp.token in stamp_faults.GOOD


def test_a_signature_of_another_document() -> None:
    first = Paper().sign(lambda signed: cms_faults.made(Recipe(), signed), entries=b"")
    taken = cms_faults.made(Recipe(), b"something else")
    second = Paper().sign(lambda _: taken, entries=b"")
    assert ask(first.pdf, Recipe()).passed
    assert not ask(second.pdf, Recipe()).passed


@pytest.mark.parametrize(
    "junk",
    [
        b"\0",
        b"\x30\x00",
        b"\x30\x80\0\0",
        der.sequence(der.oid(cms.SIGNED_DATA)),
        b"\x30\x80" * 400,
        b"\xff" * 99,
    ],
)
def test_contents_that_are_no_signature(junk: bytes) -> None:
    assert not ask(Paper().sign(lambda _: junk, entries=b"").pdf, Recipe()).passed
