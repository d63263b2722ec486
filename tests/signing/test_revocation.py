"""Revocation: lists, answers, and what they say together about a certificate at a time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from hypothesis import given, settings
from hypothesis import strategies as st
from world.pki import NOON, START, TestAuthority, name
from world.sm2 import Sm2Authority

from signing import Crl, OcspAnswer, RevocationSnapshot, RevocationState, der
from yinxin.base.errors import MalformedInput, YinxinError

if TYPE_CHECKING:
    from datetime import datetime

    from signing import Certificate, FileSigner, RevocationStatus

DAY = timedelta(days=1)
GOOD, REVOKED = RevocationState.GOOD, RevocationState.REVOKED
UNKNOWN, STALE = RevocationState.UNKNOWN, RevocationState.STALE


class Office:
    """An authority with one certificate, asked about in every test."""

    def __init__(self, *extra: tuple[x509.ExtensionType, bool]) -> None:
        self.authority = TestAuthority("Office CA")
        self.leaf = self.authority.issue("bureau", extra=extra).certificate
        self.crls: list[bytes] = []
        self.answers: list[bytes] = []

    def status(self, at: datetime = NOON, **known: Any) -> RevocationStatus:
        snapshot = RevocationSnapshot(map(Crl.from_der, self.crls), map(OcspAnswer.from_der, self.answers))
        return snapshot.status(self.leaf, self.authority.certificate, at=at, **known)

    def state(self, at: datetime = NOON) -> RevocationState:
        return self.status(at).state


@pytest.fixture
def office() -> Office:
    return Office()


def idp(**changes: Any) -> tuple[x509.ExtensionType, bool]:
    values: dict[str, Any] = {
        "full_name": None,
        "relative_name": None,
        "only_contains_user_certs": False,
        "only_contains_ca_certs": False,
        "only_some_reasons": None,
        "indirect_crl": False,
        "only_contains_attribute_certs": False,
    }
    return x509.IssuingDistributionPoint(**{**values, **changes}), True


def points(*urls: str) -> tuple[x509.ExtensionType, bool]:
    names = [x509.UniformResourceIdentifier(url) for url in urls]
    return x509.CRLDistributionPoints([x509.DistributionPoint(names, None, None, None)]), False


UNRECOGNISED = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\0")


class TestLists:
    def test_who_is_not_listed_is_good(self, office: Office) -> None:
        office.crls = [office.authority.crl()]
        status = office.status()
        assert (status.state, status.as_of, status.revoked_at) == (GOOD, NOON, None)
        assert status.source.startswith("crl:")

    def test_without_evidence_nothing_is_known(self, office: Office) -> None:
        assert office.state() is UNKNOWN

    def test_revoked_on_tuesday_was_good_on_monday(self, office: Office) -> None:
        office.authority.revoke(office.leaf, NOON - DAY, x509.ReasonFlags.key_compromise)
        office.crls = [office.authority.crl()]
        now, before = office.status(), office.status(NOON - 2 * DAY)
        assert (now.state, now.revoked_at, now.reason) == (REVOKED, NOON - DAY, "key_compromise")
        assert (before.state, before.revoked_at) == (GOOD, NOON - DAY)
        assert office.state(NOON - DAY) is REVOKED

    def test_the_invalidity_date_counts_when_it_is_earlier(self, office: Office) -> None:
        office.authority.revoke(office.leaf, NOON - DAY)
        since = (NOON - 5 * DAY).replace(tzinfo=None)
        office.crls = [office.authority.crl(entry_extra=((x509.InvalidityDate(since), False),))]
        assert office.status(NOON - 3 * DAY).state is REVOKED
        assert office.status(NOON - 6 * DAY).revoked_at == NOON - 5 * DAY

    def test_an_old_list_is_stale_but_a_revocation_in_it_stays(self, office: Office) -> None:
        office.crls = [office.authority.crl(NOON - 10 * DAY)]
        assert office.state() is STALE
        assert office.state(NOON - 10 * DAY) is GOOD
        office.authority.revoke(office.leaf, NOON - 12 * DAY)
        office.crls = [office.authority.crl(NOON - 10 * DAY)]
        assert office.state() is REVOKED

    def test_a_later_list_answers_for_an_earlier_day(self, office: Office) -> None:
        office.crls = [office.authority.crl(NOON)]
        assert office.state(NOON - 100 * DAY) is GOOD

    def test_a_later_list_is_silent_about_what_was_out_of_date(self) -> None:
        office = Office()
        office.leaf = office.authority.issue("short", not_after=START + 10 * DAY).certificate
        office.crls = [office.authority.crl(NOON)]
        assert office.state(START + 5 * DAY) is UNKNOWN

    def test_what_was_not_known_yet_is_left_aside(self, office: Office) -> None:
        early = office.authority.crl(NOON - DAY)
        office.authority.revoke(office.leaf, NOON - 2 * DAY)
        office.crls = [early, office.authority.crl(NOON)]
        assert office.status(NOON - DAY, known_at=NOON - DAY).state is GOOD
        assert office.status(NOON - DAY, known_at=NOON).state is REVOKED

    def test_a_hold_counts_until_the_newest_list_lifts_it(self, office: Office) -> None:
        office.authority.revoke(office.leaf, NOON - 2 * DAY, x509.ReasonFlags.certificate_hold)
        held = office.authority.crl(NOON - DAY)
        office.crls = [held]
        assert office.status().is_on_hold
        assert office.state(NOON - 3 * DAY) is GOOD
        office.authority.revoked.clear()
        office.crls = [held, office.authority.crl(NOON)]
        assert office.state() is GOOD

    def test_a_revocation_once_seen_is_never_taken_back(self, office: Office) -> None:
        office.authority.revoke(office.leaf, NOON - 2 * DAY)
        revoked = office.authority.crl(NOON - DAY)
        office.authority.revoked.clear()
        office.crls = [revoked, office.authority.crl(NOON)]
        assert office.state() is REVOKED

    def test_a_list_of_another_key_with_the_same_name_says_nothing(self, office: Office) -> None:
        office.crls = [TestAuthority("Office CA").crl()]
        assert office.state() is UNKNOWN

    def test_an_authority_that_may_not_sign_lists_says_nothing(self) -> None:
        office = Office()
        office.authority = TestAuthority("Office CA", bits=("key_cert_sign",))
        office.leaf = office.authority.issue("bureau").certificate
        office.crls = [office.authority.crl()]
        assert office.state() is UNKNOWN

    def test_an_altered_list_says_nothing(self, office: Office) -> None:
        altered = bytearray(office.authority.crl())
        altered[-1] ^= 1
        office.crls = [bytes(altered)]
        assert office.state() is UNKNOWN

    def test_unknown_critical_extensions_make_a_list_useless(self, office: Office) -> None:
        office.crls = [office.authority.crl(extra=((UNRECOGNISED, True),))]
        assert office.state() is UNKNOWN
        assert "1.2.3.4" in (Crl.from_der(office.crls[0]).problem or "")
        office.crls = [office.authority.crl(extra=((UNRECOGNISED, False),))]
        assert office.state() is GOOD

    def test_an_unknown_critical_entry_extension_makes_the_whole_list_useless(self, office: Office) -> None:
        office.authority.revoke(office.authority.issue("other").certificate, NOON)
        office.crls = [office.authority.crl(entry_extra=((UNRECOGNISED, True),))]
        assert office.state() is UNKNOWN

    def test_a_delta_list_adds_revocations_and_its_silence_says_nothing(self, office: Office) -> None:
        delta = ((x509.DeltaCRLIndicator(1), True),)
        base = office.authority.crl(NOON - DAY / 2)
        office.crls = [office.authority.crl(extra=delta)]
        assert office.state() is UNKNOWN
        office.authority.revoke(office.leaf, NOON - DAY)
        office.crls = [base, office.authority.crl(extra=delta)]
        assert office.state() is REVOKED

    def test_a_delta_list_lifts_a_hold(self, office: Office) -> None:
        office.authority.revoke(office.leaf, NOON - DAY, x509.ReasonFlags.certificate_hold)
        base = office.authority.crl(NOON - DAY / 2)
        office.authority.revoke(office.leaf, NOON, x509.ReasonFlags.remove_from_crl)
        office.crls = [base, office.authority.crl(extra=((x509.DeltaCRLIndicator(1), True),))]
        assert office.state() is GOOD

    def test_a_newer_list_that_does_not_speak_of_holds_lifts_none(self, office: Office) -> None:
        office.authority.revoke(office.leaf, NOON - DAY, x509.ReasonFlags.certificate_hold)
        base = office.authority.crl(NOON - DAY / 2)
        office.authority.revoked.clear()
        lost_keys = idp(only_some_reasons=frozenset({x509.ReasonFlags.key_compromise}))
        for silent in ((x509.DeltaCRLIndicator(1), True), lost_keys):
            office.crls = [base, office.authority.crl(extra=(silent,))]
            assert office.status().is_on_hold

    def test_two_lists_agree_in_any_order(self, office: Office) -> None:
        early, late = office.authority.crl(NOON - DAY), office.authority.crl(NOON)
        one, other = (
            RevocationSnapshot([Crl.from_der(early), Crl.from_der(late)]),
            RevocationSnapshot([Crl.from_der(late), Crl.from_der(early), Crl.from_der(late)]),
        )
        assert one.snapshot_id == other.snapshot_id
        assert one.snapshot_id != RevocationSnapshot([Crl.from_der(late)]).snapshot_id
        merged = RevocationSnapshot([Crl.from_der(early)]).merged_with(
            RevocationSnapshot([Crl.from_der(late)])
        )
        assert merged.snapshot_id == one.snapshot_id

    def test_an_sm2_list_is_like_any_other(self) -> None:
        authority = Sm2Authority("SM2 CA")
        _, leaf = authority.issue("bureau")
        _, other = authority.issue("other")
        snapshot = RevocationSnapshot([Crl.from_der(authority.crl({leaf.serial: NOON - DAY}, NOON))])
        assert snapshot.status(leaf, authority.certificate, at=NOON).state is REVOKED
        assert snapshot.status(other, authority.certificate, at=NOON).state is GOOD


class TestScopes:
    def test_a_list_of_users_says_nothing_of_authorities(self) -> None:
        office = Office()
        below = TestAuthority("Below", issuer=office.authority).certificate
        snapshot = RevocationSnapshot(
            [Crl(office.authority.crl(extra=(idp(only_contains_user_certs=True),)))]
        )
        assert snapshot.status(office.leaf, office.authority.certificate, at=NOON).state is GOOD
        assert snapshot.status(below, office.authority.certificate, at=NOON).state is UNKNOWN
        snapshot = RevocationSnapshot([Crl(office.authority.crl(extra=(idp(only_contains_ca_certs=True),)))])
        assert snapshot.status(office.leaf, office.authority.certificate, at=NOON).state is UNKNOWN
        assert snapshot.status(below, office.authority.certificate, at=NOON).state is GOOD

    def test_lists_of_attribute_certificates_are_not_used(self, office: Office) -> None:
        office.crls = [office.authority.crl(extra=(idp(only_contains_attribute_certs=True),))]
        assert office.state() is UNKNOWN

    def test_an_indirect_list_speaks_for_its_own_issuer_and_for_whom_it_names(self, office: Office) -> None:
        office.authority.revoke(office.leaf, NOON - DAY)
        office.crls = [office.authority.crl(extra=(idp(indirect_crl=True),))]
        assert office.state() is REVOKED
        # The same serial number, of another issuer: not ours.
        other = x509.CertificateIssuer([x509.DirectoryName(name("Other CA"))])
        office.crls = [office.authority.crl(extra=(idp(indirect_crl=True),), entry_extra=((other, True),))]
        assert office.state() is GOOD
        # Only an indirect list may name other issuers (RFC 5280, 5.3.3).
        office.crls = [office.authority.crl(entry_extra=((other, True),))]
        assert office.state() is UNKNOWN

    def test_lists_of_some_reasons_clear_together(self, office: Office) -> None:
        every = set(x509.ReasonFlags) - {x509.ReasonFlags.unspecified, x509.ReasonFlags.remove_from_crl}
        some = {x509.ReasonFlags.key_compromise, x509.ReasonFlags.ca_compromise}
        parts = [idp(only_some_reasons=frozenset(reasons)) for reasons in (some, every - some)]
        office.crls = [office.authority.crl(extra=(part,)) for part in parts]
        assert office.state() is GOOD
        office.crls = [office.authority.crl(NOON - 3 * DAY, extra=(parts[0],)), office.crls[1]]
        assert office.state() is UNKNOWN  # one half is out of date

    def test_a_part_of_the_reasons_can_revoke_but_not_clear(self, office: Office) -> None:
        some = idp(only_some_reasons=frozenset({x509.ReasonFlags.key_compromise}))
        office.crls = [office.authority.crl(extra=(some,))]
        assert office.state() is UNKNOWN
        office.authority.revoke(office.leaf, NOON, x509.ReasonFlags.key_compromise)
        office.crls = [office.authority.crl(extra=(some,))]
        assert office.state() is REVOKED

    def test_a_shard_speaks_for_certificates_that_name_it(self) -> None:
        shard = idp(full_name=[x509.UniformResourceIdentifier("http://crl.test/3.crl")])
        for urls, state in {("http://crl.test/3.crl",): GOOD, ("http://crl.test/4.crl",): UNKNOWN}.items():
            office = Office(points(*urls))
            office.crls = [office.authority.crl(extra=(shard,))]
            assert office.state() is state
        office = Office()
        office.crls = [office.authority.crl(extra=(shard,))]
        assert office.state() is UNKNOWN


class TestAnswers:
    def test_the_authority_itself_answers(self, office: Office) -> None:
        for by_name in (True, False):
            office.answers = [office.authority.ocsp(office.leaf, by_name=by_name)]
            assert office.state() is GOOD
        office.authority.revoke(office.leaf, NOON - DAY, x509.ReasonFlags.superseded)
        office.answers = [office.authority.ocsp(office.leaf)]
        status = office.status()
        assert (status.state, status.reason, status.revoked_at) == (REVOKED, "superseded", NOON - DAY)
        assert office.state(NOON - 2 * DAY) is GOOD

    def test_a_certified_responder_answers_for_it(self, office: Office) -> None:
        responder = office.authority.issue("responder", "ocsp", extra=((x509.OCSPNoCheck(), False),))
        office.answers = [office.authority.ocsp(office.leaf, responder=responder)]
        assert office.state() is GOOD

    def test_others_do_not_answer(self, office: Office) -> None:
        stranger = TestAuthority("Stranger").issue("responder", "ocsp")
        wrong_use = office.authority.issue("sealer", "seal")
        too_late = office.authority.issue("responder", "ocsp", not_after=NOON - DAY)
        no_bit = office.authority.issue("responder", "ocsp", bits=("content_commitment",))
        for responder in (stranger, wrong_use, too_late, no_bit):
            office.answers = [office.authority.ocsp(office.leaf, responder=responder)]
            assert office.state() is UNKNOWN

    def test_a_revoked_responder_has_no_authority(self, office: Office) -> None:
        responder = office.authority.issue("responder", "ocsp")
        office.answers = [office.authority.ocsp(office.leaf, responder=responder)]
        assert office.state() is GOOD
        office.authority.revoke(responder.certificate, NOON - DAY)
        office.crls = [office.authority.crl(NOON - DAY, valid=DAY / 4)]
        assert office.state() is not GOOD

    def test_an_answer_about_another_certificate_says_nothing(self, office: Office) -> None:
        other = office.authority.issue("other").certificate
        office.answers = [office.authority.ocsp(other)]
        assert office.state() is UNKNOWN
        namesake = TestAuthority("Office CA", signer=office.authority.signer.with_chain(()))
        office.answers = [namesake.ocsp(office.leaf)]
        assert office.state() is GOOD  # the same name and the same key are the same authority

    def test_unknown_stays_unknown_and_time_passes(self, office: Office) -> None:
        office.answers = [office.authority.ocsp(office.leaf, status=ocsp.OCSPCertStatus.UNKNOWN)]
        assert office.state() is UNKNOWN
        office.answers = [office.authority.ocsp(office.leaf, NOON - 2 * DAY)]
        assert office.state() is STALE
        office.answers = [office.authority.ocsp(office.leaf, valid=None)]
        assert office.state(NOON + timedelta(minutes=30)) is GOOD
        assert office.state(NOON + timedelta(hours=2)) is STALE

    def test_an_answer_without_success_says_nothing(self, office: Office) -> None:
        later = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER)
        office.answers = [later.public_bytes(Encoding.DER)]
        assert office.state() is UNKNOWN

    def test_an_altered_answer_says_nothing(self, office: Office) -> None:
        answer = bytearray(office.authority.ocsp(office.leaf))
        answer[-1] ^= 1
        office.answers = [bytes(answer)]
        assert office.state() is UNKNOWN

    def test_a_list_and_an_answer_together(self, office: Office) -> None:
        office.answers = [office.authority.ocsp(office.leaf)]
        office.authority.revoke(office.leaf, NOON)
        office.crls = [office.authority.crl(NOON + DAY)]
        assert office.state(NOON - DAY) is GOOD
        assert office.state(NOON + DAY) is REVOKED


def _list(*entries: bytes, **parts: bytes) -> bytes:
    """A list by hand, so that a test can break any part of it."""
    algorithm = der.sequence(der.oid("1.2.840.10045.4.3.2"))
    fields = {
        "version": der.integer(1),
        "algorithm": algorithm,
        "issuer": der.sequence(),
        "this": der.time(NOON),
        "next": der.time(NOON + DAY),
        "revoked": der.sequence(*entries) if entries else b"",
        "extensions": b"",
        **parts,
    }
    return der.sequence(der.sequence(*fields.values()), algorithm, der.bit_string(b"\0" * 8))


def _entry(serial: bytes = der.integer(7), when: bytes = der.time(NOON), *rest: bytes) -> bytes:
    return der.sequence(serial, when, *rest)


def _extensions(*items: bytes) -> bytes:
    return der.explicit(0, der.sequence(*items))


def _extension(oid: str, value: bytes, *flag: bytes) -> bytes:
    return der.sequence(der.oid(oid), *flag, der.octet_string(value))


def _with_entry_extension(*items: bytes) -> bytes:
    return _list(_entry(der.integer(7), der.time(NOON), der.sequence(*items)))


def _with_scope(*items: bytes) -> bytes:
    return _list(extensions=_extensions(_extension("2.5.29.28", der.sequence(*items))))


REASON_7, REASON_1 = _extension("2.5.29.21", b"\x0a\x01\x07"), _extension("2.5.29.21", b"\x0a\x01\x01")
DAMAGED = {
    "empty": b"",
    "not a list": der.sequence(),
    "trailing byte": _list() + b"\0",
    "version 1 said": _list(version=der.integer(0)),
    "another inner algorithm": _list(algorithm=der.sequence(der.oid("1.2.840.10045.4.3.3"))),
    "no time": _list(this=b"", next=b""),
    "a broken time": _list(this=der.tlv(der.UTC_TIME, b"261131000000Z")),
    "a time with an offset": _list(this=der.tlv(der.UTC_TIME, b"2611300000+08")),
    "a field too many": _list(extensions=der.null()),
    "an entry without time": _list(der.sequence(der.integer(7))),
    "an entry without a serial": _list(der.sequence(der.time(NOON))),
    "an entry that is none": _list(der.null()),
    "an entry past its end": _list(b"\x30\x20\x02\x01\x07"),
    "a serial past its entry": _list(der.tlv(0x30, b"\x02\x40\x07") + _entry()),
    "an endless serial": _list(_entry(der.tlv(2, b"\x01" * 65))),
    "an empty serial": _list(_entry(b"\x02\0")),
    "an unknown reason": _with_entry_extension(REASON_7),
    "a reason twice": _with_entry_extension(REASON_1, REASON_1),
    "critical is not a boolean": _list(extensions=_extensions(_extension("1.2.3", b"", der.integer(1)))),
    "critical said false": _list(extensions=_extensions(_extension("1.2.3", b"", der.boolean(value=False)))),
    "an extension twice": _list(extensions=_extensions(*[_extension("1.2.3", b"")] * 2)),
    "a scope with unknown parts": _with_scope(b"\x86\x01\xff"),
    "a scope with a broken flag": _with_scope(b"\x81\x01\x01"),
    "a scope with a part twice": _with_scope(b"\x81\x01\xff", b"\x81\x01\xff"),
}


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_list_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedInput):
        Crl.from_der(data)


def test_a_list_by_hand_is_read() -> None:
    crl = Crl.from_der(_list(_entry(), _entry(der.integer(2**150)), _entry(der.integer(-5))))
    assert crl.entry_count == 3
    assert crl.lookup(7) == crl.lookup(7)
    assert [entry.revoked_at for entry in map(crl.lookup, (7, 2**150, -5)) if entry] == [NOON] * 3
    assert Crl.from_der(_list(next=b"")).next_update is None


def test_an_entry_with_an_impossible_date_makes_the_list_no_evidence() -> None:
    crl = Crl.from_der(_list(_entry(der.integer(7), der.tlv(der.UTC_TIME, b"269999999999Z"))))
    with pytest.raises(MalformedInput):
        crl.lookup(7)


@pytest.fixture(scope="module")
def seeds() -> Seeds:
    authority = TestAuthority("Office CA")
    leaf = authority.issue("bureau", extra=(points("http://crl.test/3.crl"),))
    authority.revoke(authority.issue("other").certificate, NOON)
    shard = idp(full_name=[x509.UniformResourceIdentifier("http://crl.test/3.crl")])
    responder = authority.issue("responder", "ocsp")
    crl = authority.crl(
        extra=(shard,), entry_extra=((x509.InvalidityDate(START.replace(tzinfo=None)), False),)
    )
    return crl, authority.ocsp(leaf.certificate, responder=responder), leaf, authority.certificate


def mutated(data: bytes, changes: list[tuple[int, int]], cut: int | None) -> bytes:
    answer = bytearray(data)
    for place, value in changes:
        answer[place % len(answer)] = value
    return bytes(answer[:cut])


Seeds = tuple[bytes, bytes, "FileSigner", "Certificate"]
Changes = list[tuple[int, int]]
CHANGES = st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), max_size=4)
CUT = st.none() | st.integers(1, 1500)


@settings(max_examples=400, deadline=None)
@given(CHANGES, CUT)
def test_mutated_lists_let_only_our_errors_out(seeds: Seeds, changes: Changes, cut: int | None) -> None:
    crl, _, leaf, issuer = seeds
    try:
        read = Crl.from_der(mutated(crl, changes, cut))
    except YinxinError:
        return
    _ = repr(read), read.issuer
    state = RevocationSnapshot([read]).status(leaf.certificate, issuer, at=NOON).state
    assert state is GOOD if read.der == crl else state is not GOOD


@settings(max_examples=400, deadline=None)
@given(CHANGES, CUT)
def test_mutated_answers_let_only_our_errors_out(seeds: Seeds, changes: Changes, cut: int | None) -> None:
    _, answer, leaf, issuer = seeds
    try:
        read = OcspAnswer.from_der(mutated(answer, changes, cut))
    except YinxinError:
        return
    _ = repr(read), read.is_signed_for(issuer), read.about(leaf.certificate, issuer)
    assert RevocationSnapshot(ocsp=[read]).status(leaf.certificate, issuer, at=NOON).state in {GOOD, UNKNOWN}


@given(st.binary(max_size=300))
def test_arbitrary_bytes_let_only_our_errors_out(data: bytes) -> None:
    for read in (Crl.from_der, OcspAnswer.from_der):
        for candidate in (data, der.sequence(data), _list(data)):
            try:
                read(candidate)
            except YinxinError:
                continue
