"""A trust office signs a list with several people's keys; verifiers take it, or keep the one they have."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world.pki import NOON, TestAuthority

from signing.base64url import decode_base64url, encode_base64url
from signing.signers.file import FileSigner
from signing.trust import TrustAnchor
from signing.trust_list import (
    Freshness,
    ListedIssuer,
    ListedType,
    TrustList,
    TrustRoot,
    add_signature,
    sign_content,
)
from signing.trust_list.contents import LIST_TYPE
from signing.trust_list.roots import ROOT_TYPE
from yinxin.base.errors import Conflict, MalformedInput, YinxinError
from yinxin.base.text import Text

DAY = timedelta(days=1)
LI, WANG, ZHAO, CHEN = (FileSigner.generate() for _ in range(4))
CITY = TestAuthority("城市根")
FOOD, TRADE = "urn:city:food", "urn:city:trade"
BUREAU = ListedIssuer(
    name=Text("津城区市场监管局", "Jincheng market bureau"),
    credit_code="11120101MB1A000000",
    subjects=("CN=津城区市场监管局 凭证签发",),
    hosts=("licences.city.example", "q.city.example:8443"),
    types=(
        ListedType(FOOD, "granted", datetime(2026, 1, 1, tzinfo=UTC)),
        ListedType(TRADE, "granted", datetime(2026, 1, 1, tzinfo=UTC)),
        ListedType(TRADE, "withdrawn", datetime(2026, 6, 1, tzinfo=UTC)),
    ),
)


def root_of(
    *keys: FileSigner, version: int = 1, threshold: int = 2, end: datetime = NOON + 300 * DAY
) -> TrustRoot:
    return TrustRoot("city", version, threshold, tuple(key.public_key for key in keys), end)


def signed_root(root: TrustRoot, *signers: FileSigner) -> bytes:
    return sign_content(root.to_content(), ROOT_TYPE, signers)


ROOT = root_of(LI, WANG, ZHAO)
LIST = TrustList(
    name="city",
    version=7,
    root_version=1,
    issued_at=NOON - DAY,
    next_update=NOON + DAY,
    anchors=(TrustAnchor(CITY.certificate, frozenset({"seal"}), Text("城市根", "city root")),),
    listed=(BUREAU,),
)


def signed(
    content: TrustList = LIST, signers: tuple[FileSigner, ...] = (LI, WANG), typ: str = LIST_TYPE
) -> bytes:
    return sign_content(content.to_content(), typ, signers)


class TestTheList:
    def test_says_who_may_issue_what_and_since_when(self) -> None:
        listed = TrustList.read(signed(), ROOT, now=NOON)
        assert listed == LIST
        assert [anchor.certificate for anchor in listed.trust.anchors] == [CITY.certificate]
        assert listed.issuers(NOON) == {FOOD: BUREAU.subjects}
        assert listed.issuers(datetime(2026, 3, 1, tzinfo=UTC)) == {
            FOOD: BUREAU.subjects,
            TRADE: BUREAU.subjects,
        }
        assert listed.issuers(datetime(2025, 3, 1, tzinfo=UTC)) == {}
        assert listed.hosts == {"licences.city.example", "q.city.example:8443"}

    def test_people_sign_one_after_the_other(self) -> None:
        alone = signed(signers=(LI,))
        with pytest.raises(MalformedInput, match="1 of the 2 keys"):
            TrustList.read(alone, ROOT, now=NOON)
        with pytest.raises(Conflict, match="signed it already"):
            add_signature(alone, LI)
        assert TrustList.read(add_signature(alone, ZHAO), ROOT, now=NOON) == LIST

    def test_one_person_does_not_count_twice(self) -> None:
        envelope = json.loads(signed(signers=(LI,)))
        envelope["signatures"] *= 2
        with pytest.raises(MalformedInput, match="1 of the 2"):
            TrustList.read(json.dumps(envelope).encode(), ROOT, now=NOON)

    def test_a_strangers_key_under_a_known_name_does_not_count(self) -> None:
        envelope = json.loads(signed(signers=(LI, CHEN)))
        header = {"typ": LIST_TYPE, "kid": WANG.public_key.thumbprint, "alg": "ES256"}
        envelope["signatures"][1]["protected"] = encode_base64url(json.dumps(header).encode())
        with pytest.raises(MalformedInput, match="1 of the 2"):
            TrustList.read(json.dumps(envelope).encode(), ROOT, now=NOON)

    def test_signatures_for_another_purpose_do_not_count(self) -> None:
        with pytest.raises(MalformedInput, match="0 of the 2"):
            TrustList.read(signed(typ=ROOT_TYPE), ROOT, now=NOON)

    @pytest.mark.parametrize(
        ("change", "why"),
        [
            ({"next_update": NOON}, "ended"),
            ({"issued_at": NOON + DAY, "next_update": NOON + 2 * DAY}, "future"),
            ({"next_update": NOON - 2 * DAY}, "ended"),
            ({"root_version": 2}, "another root"),
            ({"name": "village"}, "another root"),
        ],
    )
    def test_a_list_out_of_its_time_or_place_is_refused(self, change: dict[str, Any], why: str) -> None:
        with pytest.raises(Conflict, match=why):
            TrustList.read(signed(replace(LIST, **change)), ROOT, now=NOON)

    def test_nobody_goes_back(self) -> None:
        kept = TrustList.read(signed(), ROOT, now=NOON)
        assert TrustList.read(signed(), ROOT, now=NOON, after=kept) == kept
        newer = replace(LIST, version=8, issued_at=NOON)
        assert TrustList.read(signed(newer), ROOT, now=NOON, after=kept).version == 8
        for old in (replace(LIST, version=6), replace(LIST, version=9, issued_at=NOON - 2 * DAY)):
            with pytest.raises(Conflict, match="older"):
                TrustList.read(signed(old), ROOT, now=NOON, after=kept)
        with pytest.raises(Conflict, match="two different lists"):
            TrustList.read(signed(replace(LIST, listed=())), ROOT, now=NOON, after=kept)

    def test_past_its_end_it_serves_for_a_while_and_says_so(self) -> None:
        kept = TrustList.kept(signed())
        grace = timedelta(days=3)
        ages = [kept.freshness(LIST.next_update + DAY * days, grace=grace) for days in (-1, 0, 2, 3)]
        assert ages == [Freshness.FRESH, Freshness.STALE, Freshness.STALE, Freshness.OVER]

    def test_nobody_is_listed_twice(self) -> None:
        other = replace(BUREAU, credit_code="11120101MB1B000000", subjects=("CN=other",))
        assert len(TrustList.read(signed(replace(LIST, listed=(BUREAU, other))), ROOT, now=NOON).listed) == 2
        for twin in (
            replace(other, credit_code=BUREAU.credit_code),
            replace(other, subjects=BUREAU.subjects),
        ):
            with pytest.raises(MalformedInput, match="listed twice"):
                TrustList.read(signed(replace(LIST, listed=(BUREAU, twin))), ROOT, now=NOON)

    def test_a_suspension_is_lifted_by_a_later_grant(self) -> None:
        days = [datetime(2026, month, 1, tzinfo=UTC) for month in (2, 3, 4)]
        words = ("granted", "suspended", "granted")
        types = tuple(ListedType(FOOD, *row, "code") for row in zip(words, days, strict=True))  # type: ignore[arg-type]
        issuer = replace(BUREAU, types=types)
        assert [bool(issuer.may_issue(day)) for day in days] == [True, False, True]
        read = TrustList.read(signed(replace(LIST, listed=(issuer,))), ROOT, now=NOON)
        assert read.listed == (issuer,)
        assert [row.since for row in issuer.history()["code"]] == days

    def test_a_withdrawal_wins_over_a_grant_of_the_same_moment(self) -> None:
        since = datetime(2026, 6, 1, tzinfo=UTC)
        for rows in ((("granted"), ("withdrawn")), (("withdrawn"), ("granted"))):
            types = tuple(ListedType(FOOD, status, since) for status in rows)  # type: ignore[arg-type]
            assert replace(BUREAU, types=types).may_issue(NOON) == ()


class TestTheRoot:
    def test_the_first_root_is_compared_by_its_fingerprint(self) -> None:
        assert TrustRoot.read(signed_root(ROOT, LI, WANG)) == ROOT
        assert ROOT.fingerprint == root_of(ZHAO, LI, WANG).fingerprint
        assert ROOT.fingerprint != root_of(LI, WANG).fingerprint != root_of(LI, WANG, threshold=1).fingerprint
        with pytest.raises(MalformedInput, match="1 of the 2"):
            TrustRoot.read(signed_root(ROOT, LI))

    def test_keys_change_when_old_and_new_ones_sign(self) -> None:
        second = root_of(WANG, ZHAO, CHEN, version=2)
        third = root_of(ZHAO, CHEN, version=3)
        published = [
            signed_root(ROOT, LI, WANG),
            signed_root(second, LI, WANG, ZHAO),
            signed_root(third, ZHAO, CHEN),
        ]
        newest = ROOT.followed_by(published, now=NOON)
        assert newest == third
        moved = replace(LIST, root_version=3)
        assert TrustList.read(signed(moved, (ZHAO, CHEN)), newest, now=NOON) == moved
        with pytest.raises(MalformedInput, match="0 of the 2"):  # those who left sign nothing any more
            TrustList.read(signed(moved, (LI, WANG)), newest, now=NOON)

    @pytest.mark.parametrize("signers", [(LI, WANG), (ZHAO, CHEN), (LI, CHEN), (CHEN,)])
    def test_a_root_needs_enough_of_both(self, signers: tuple[FileSigner, ...]) -> None:
        """Two of the old three (Li, Wang, Zhao) and two of the new two (Zhao, Chen)."""
        second = root_of(ZHAO, CHEN, version=2)
        with pytest.raises(MalformedInput, match="of the 2 keys"):
            ROOT.followed_by([signed_root(second, *signers)], now=NOON)
        assert ROOT.followed_by([signed_root(second, LI, ZHAO, CHEN)], now=NOON) == second

    def test_no_root_is_passed_over(self) -> None:
        third = root_of(LI, WANG, version=3)
        with pytest.raises(Conflict, match="behind version 1 is missing"):
            ROOT.followed_by([signed_root(third, LI, WANG)], now=NOON)

    def test_a_root_that_ran_out_takes_nothing(self) -> None:
        with pytest.raises(Conflict, match="ran out"):
            root_of(LI, WANG, end=NOON).followed_by([], now=NOON)
        with pytest.raises(MalformedInput):
            root_of(LI, LI)
        with pytest.raises(MalformedInput):
            root_of(LI, WANG, threshold=3)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=300)
@given(at=st.integers(0, 2000), text=st.binary(min_size=1, max_size=8))
def test_a_changed_list_is_refused_or_the_same(at: int, text: bytes) -> None:
    envelope = signed()
    at %= len(envelope)
    changed = envelope[:at] + text + envelope[at + len(text) :]
    with suppress(YinxinError):
        assert TrustList.read(changed, ROOT, now=NOON) == LIST


@settings(deadline=None, max_examples=300)
@given(
    member=st.sampled_from(
        ["name", "version", "anchors", "issuers", "issued_at", "next_update", "root_version"]
    ),
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
        max_leaves=8,
    ),
)
def test_rightly_signed_nonsense_is_nonsense(member: str, value: Any) -> None:
    """Whoever signs a list may still have written it wrongly."""
    envelope = sign_content({**LIST.to_content(), member: value}, LIST_TYPE, (LI, WANG))
    with suppress(MalformedInput, Conflict):
        TrustList.read(envelope, ROOT, now=NOON)


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_arbitrary_bytes_are_no_list(data: bytes) -> None:
    with pytest.raises(YinxinError):
        TrustList.read(data, ROOT, now=NOON)
    with pytest.raises(YinxinError):
        TrustRoot.read(data)


def test_what_travels_is_what_was_signed() -> None:
    payload = json.loads(signed())["payload"]
    assert json.loads(decode_base64url(payload)) == LIST.to_content()
