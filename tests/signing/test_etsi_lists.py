"""Trusted lists of ETSI's form: who is trusted for what and when, and from whom such a list is taken."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from world.etsi import DAY, Listed, ListSigner, State, TrustedList, pointer
from world.pki import NOON, Pki, TestAuthority

from signing import Crl, Policy, RevocationSnapshot, TrustStore, validate_path
from signing.reasons import Reason
from signing.trust import Period
from signing.trust_list.etsi import EtsiList, anchors_of, read_list
from yinxin.base.errors import Conflict, MalformedInput, NotPermitted, YinxinError

SIGNER, STRANGER = ListSigner(), ListSigner("Stranger")
CA = TestAuthority("Seal CA").certificate
START = NOON - 900 * DAY


def read(data: bytes, **changes: Any) -> EtsiList:
    return read_list(data, **{"signers": [SIGNER.certificate], "now": NOON, **changes})


def listed(*states: State, certificates: tuple[Any, ...] = (CA,)) -> EtsiList:
    return read(SIGNER.sign(TrustedList((Listed(certificates, states),))))


@cache
def good() -> bytes:
    states = (State(NOON - DAY, "withdrawn"), State(START, "granted"))
    return SIGNER.sign(TrustedList((Listed([CA], states),), sequence=40))


def periods(found: EtsiList) -> set[tuple[str, datetime, datetime | None]]:
    anchors, _ = anchors_of(found)
    return {(row.usage, row.since, row.until) for anchor in anchors for row in anchor.periods}


def _named(value: State | set[str]) -> str:
    """A name that is the same in every process."""
    if isinstance(value, State):
        return " ".join((value.kind, value.status, *value.purposes, value.critical))
    return " ".join(sorted(value)) or "nothing"


class TestAnchors:
    def test_count_while_the_service_is_granted(self) -> None:
        assert periods(read(good())) == {("seal", START, NOON - DAY)}

    @pytest.mark.parametrize(
        ("state", "uses"),
        [
            (State(START), {"seal"}),
            (State(START, purposes=("ForeSignatures", "ForeSeals")), {"seal", "signature"}),
            (State(START, purposes=()), {"signature"}),
            (State(START, purposes=("ForWebSiteAuthentication",)), set()),
            (State(START, kind="TSA/QTST", purposes=()), {"timestamp"}),
            (State(START, kind="TSA", purposes=()), set()),
            (State(START, kind="CA/PKC"), set()),
            (State(START, kind="NationalRootCA-QC"), set()),
            (State(START, kind="Certstatus/OCSP/QC"), set()),
            (State(START, "undersupervision", purposes=()), {"signature"}),
            (State(START, "withdrawn"), set()),
            (State(START, "recognisedatnationallevel"), set()),
            (State(START, "perhaps"), set()),
            (State(START, critical="ExpiredCertsRevocationInfo"), {"seal"}),
            (State(START, critical="SomethingNew"), set()),
        ],
        ids=_named,
    )
    def test_are_trusted_for_what_the_service_is(self, state: State, uses: set[str]) -> None:
        assert {usage for usage, *_ in periods(listed(state))} == uses

    def test_follow_the_history(self) -> None:
        days = [NOON - DAY * number for number in (10, 20, 30, 40)]
        found = listed(
            State(days[0], "granted"),
            State(days[1], "withdrawn"),
            State(days[2], "granted", purposes=("ForeSeals", "ForeSignatures")),
            State(days[3], "undersupervision", purposes=()),
        )
        assert periods(found) == {
            ("signature", days[3], days[2]),
            ("signature", days[2], days[1]),
            ("seal", days[2], days[1]),
            ("seal", days[0], None),
        }

    def test_history_never_undoes_the_present(self) -> None:
        withdrawn = State(NOON - 9 * DAY, "withdrawn")
        for since in (NOON - 9 * DAY, NOON - 8 * DAY):
            found = listed(withdrawn, State(since, "granted"))
            assert not any(until is None for *_, until in periods(found))

    def test_say_what_was_left_aside(self) -> None:
        found = listed(State(START), certificates=("AAAA", CA, "!"))
        anchors, notes = anchors_of(found)
        assert [anchor.certificate for anchor in anchors] == [CA]
        assert len(notes) == 2
        assert anchors_of(listed(State(START), certificates=()))[1] == ("Seals 1: no certificate",)

    def test_of_two_services_are_one(self) -> None:
        services = (
            Listed([CA], (State(START),)),
            Listed([CA], (State(NOON - DAY, kind="TSA/QTST", purposes=()),)),
        )
        (anchor,), _ = anchors_of(read(SIGNER.sign(TrustedList(services))))
        assert set(anchor.periods) == {Period("seal", START), Period("timestamp", NOON - DAY)}

    def test_bring_a_verdict_for_the_time_that_counts(self, pki: Pki) -> None:
        states = (State(NOON - DAY, "withdrawn"), State(START))
        data = SIGNER.sign(TrustedList((Listed([pki.issuing.certificate], states),)))
        trust = TrustStore(anchors_of(read(data))[0])
        chain = pki.signer("seal").chain

        def reasons(at: datetime) -> set[Reason]:
            lists = RevocationSnapshot([Crl(pki.issuing.crl(at))])
            found = validate_path(
                chain[0], chain[1:], trust, at=at, usage="seal", revocation=lists, policy=Policy.default()
            )
            return set(found.reasons)

        assert reasons(NOON - 2 * DAY) == set()
        assert reasons(NOON) == {Reason.NO_CERTIFICATE_CHAIN_FOUND}


class TestListOfLists:
    def test_names_lists_and_who_may_sign_them(self) -> None:
        national = ListSigner("National")
        pointers = (
            pointer("XX", "https://xx.example/tsl.xml?a=1&b=2", [national.certificate, STRANGER.certificate]),
            pointer("YY", "https://yy.example/tsl.xml", [STRANGER.certificate], kind="other"),
        )
        data = SIGNER.sign(TrustedList(pointers=pointers, kind="EUlistofthelists", territory="EU"))
        lotl = read(data)
        assert lotl.is_list_of_lists
        (found,) = lotl.national
        assert (found.territory, found.location) == ("XX", "https://xx.example/tsl.xml?a=1&b=2")
        content = TrustedList((Listed([CA], (State(START),)),))
        assert read(national.sign(content), signers=found.signers).territory == "XX"
        with pytest.raises(NotPermitted):
            read(SIGNER.sign(content), signers=found.signers)


class TestTaking:
    @pytest.mark.parametrize(
        ("change", "error"),
        [
            ({"next_update": NOON}, Conflict),
            ({"next_update": None}, MalformedInput),
            ({"issued_at": NOON + DAY}, Conflict),
            ({"issued_at": NOON - 9000 * DAY}, Conflict),
            ({"version": "4"}, MalformedInput),
            ({"sequence": "many"}, MalformedInput),
        ],
    )
    def test_a_list_out_of_its_time_is_refused(
        self, change: dict[str, Any], error: type[YinxinError]
    ) -> None:
        with pytest.raises(error):
            read(SIGNER.sign(TrustedList(**change)))

    def test_a_reference_may_leave_its_canonicalization_out(self) -> None:
        """As lists of some states do: canonical XML 1.0 is meant (XMLDSig, 4.4.3.2)."""
        data = SIGNER.sign(TrustedList(sequence=12), bare=True)
        assert data.count(b"Transforms>") == 2  # those of the list alone
        assert read(data).sequence == 12

    def test_nobody_goes_back(self) -> None:
        kept = read(good())
        newer = SIGNER.sign(TrustedList(sequence=41, issued_at=NOON))
        assert read(newer, after=kept).sequence == 41
        for old in (TrustedList(sequence=39), TrustedList(sequence=41, issued_at=NOON - 9 * DAY)):
            with pytest.raises(Conflict):
                read(SIGNER.sign(old), after=kept)

    def test_only_from_who_is_pinned(self) -> None:
        with pytest.raises(NotPermitted):
            read(STRANGER.sign(TrustedList()))
        with pytest.raises(NotPermitted):
            read(good(), signers=[])


@settings(deadline=timedelta(seconds=5), max_examples=150)
@given(at=st.integers(0, 1 << 20), text=st.binary(min_size=1, max_size=8))
def test_a_changed_list_is_refused_or_the_same(at: int, text: bytes) -> None:
    data = good()
    at %= len(data)
    with suppress(YinxinError):
        found = read(data[:at] + text + data[at + len(text) :])
        assert anchors_of(found) == anchors_of(read(data))


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=100) | st.text(alphabet="<>/&;!?-[]ab:= \"'", max_size=60).map(str.encode))
def test_arbitrary_bytes_are_no_list(data: bytes) -> None:
    with pytest.raises(YinxinError):
        read(data)


MEMBERS = ("TSLSequenceNumber", "TSLType", "NextUpdate", "ServiceStatus", "StatusStartingTime", "TSPService")


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(MEMBERS), st.sampled_from(["", "-1", "<a/>", "2026-13-01T00:00:00Z", "9" * 30, "\u202e"])
)
def test_rightly_signed_nonsense_is_nonsense(member: str, value: str) -> None:
    text = TrustedList((Listed([CA], (State(START),)),)).xml()
    start, end = text.index(f"<{member}>") + len(member) + 2, text.index(f"</{member}>")
    with suppress(MalformedInput, Conflict):
        read(SIGNER.sign(text[:start] + value + text[end:]))
