"""Changed trust lists, ours and those of ETSI: only our errors, and none says else than what was signed."""

from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

import pytest
from world.etsi import DAY, Listed, ListSigner, State, TrustedList
from world.mutants import edited, random_edits
from world.pki import NOON, TestAuthority

from signing.signers.file import FileSigner
from signing.trust import TrustAnchor
from signing.trust_list import ListedIssuer, ListedType, TrustList, TrustRoot, sign_content
from signing.trust_list.contents import LIST_TYPE
from signing.trust_list.etsi import EtsiList, read_list
from yinxin.base.errors import YinxinError
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable

CITY, EVIL = TestAuthority("City").certificate, TestAuthority("Evil").certificate
KEYS = tuple(FileSigner.generate() for _ in range(3))
ROOT = TrustRoot("city", 1, 2, tuple(key.public_key for key in KEYS), NOON + 99 * DAY)
SIGNER = ListSigner()
REFUSED, SAME = "refused", "says the same"


@cache
def ours() -> tuple[bytes, TrustList]:
    issuer = ListedIssuer(
        Text("局", "bureau"), "11120101MB1A000000", ("CN=bureau",), ("city.example",),
        (ListedType("urn:food", "granted", NOON - DAY, "code"), ListedType("urn:food", "withdrawn", NOON)),
    )  # fmt: skip
    anchor = TrustAnchor(CITY, frozenset({"seal"}), Text("根", "root"))
    listed = TrustList("city", 3, 1, NOON - DAY, NOON + timedelta(days=1), (anchor,), (issuer,))
    return sign_content(listed.to_content(), LIST_TYPE, KEYS[:2]), listed


@cache
def etsi() -> tuple[bytes, EtsiList]:
    states = (State(NOON - DAY, "withdrawn"), State(NOON - 9 * DAY, "granted"))
    data = SIGNER.sign(TrustedList((Listed([CITY], states), Listed([EVIL], states[:1]))))
    return data, read_etsi(data)


def read_etsi(data: bytes) -> EtsiList:
    return read_list(data, signers=[SIGNER.certificate], now=NOON)


def places(data: bytes) -> list[int]:
    """Where names and values begin."""
    return [match.start() for match in re.finditer(rb'[<"{:]', data)] or [0]


def ours_after(data: bytes) -> str:
    try:
        found = TrustList.read(data, ROOT, now=NOON)
    except YinxinError:
        return REFUSED
    assert found == ours()[1]
    return SAME


def etsi_after(data: bytes) -> str:
    """The digest is that of the file, which may change where nothing is signed; all else stays."""
    try:
        found = read_etsi(data)
    except YinxinError:
        return REFUSED
    assert replace(found, digest="") == replace(etsi()[1], digest="")
    return SAME


@pytest.mark.campaign
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", ["ours", "etsi"])
def test_a_changed_list_is_refused_or_says_the_same(kind: str, rounds: Callable[[int, int], int]) -> None:
    original, judge = (ours()[0], ours_after) if kind == "ours" else (etsi()[0], etsi_after)
    count, near, found = rounds(250, 100_000), places(original), Counter[str]()
    source = random.Random(kind)  # noqa: S311 - picks changes for a test
    for _ in range(count):
        found[judge(edited(original, random_edits(source, near)))] += 1
    assert judge(original) == SAME
    assert found[REFUSED] > count * 0.8, found
