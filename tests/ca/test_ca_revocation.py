"""Revocation: what does not hold is on the list, and the list is one that others read."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from world.authority import REGISTRAR, Office

from ca.crl import RevocationReason
from ca.issuance import Authority
from yinxin.base.errors import Conflict, NotFound, SignerUnavailable, UsageError, YinxinError

if TYPE_CHECKING:
    from signing.certificates import Certificate


def listed(office: Office) -> dict[int, x509.ReasonFlags | None]:
    crl = x509.load_der_x509_crl(office.authority.crl())
    assert crl.is_signature_valid(office.authority.certificate.public_key.native)
    return {entry.serial_number: _reason(entry) for entry in crl}


def number(office: Office) -> int:
    crl = x509.load_der_x509_crl(office.authority.crl())
    return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


@pytest.mark.parametrize("reason", list(RevocationReason))
def test_a_revoked_certificate_is_listed_with_its_reason(office: Office, reason: RevocationReason) -> None:
    certificate = office.issue()
    office.authority.revoke(certificate.serial, reason=str(reason), actor=REGISTRAR)
    wanted = None if reason is RevocationReason.UNSPECIFIED else x509.ReasonFlags[reason.value]
    assert listed(office) == {certificate.serial: wanted}


def test_revoking_twice_is_a_conflict(stored_office: Office) -> None:
    office = stored_office
    certificate = office.issue()
    office.authority.revoke(certificate.serial, reason="superseded", actor=REGISTRAR)
    for reason in ("superseded", "key_compromise", "certificate_hold"):
        with pytest.raises(Conflict):
            office.authority.revoke(certificate.serial, reason=reason, actor=REGISTRAR)
    with pytest.raises(NotFound):
        office.authority.revoke(12345, reason="superseded", actor=REGISTRAR)
    with pytest.raises(UsageError, match="known"):
        office.authority.revoke(certificate.serial, reason="lost", actor=REGISTRAR)


def test_two_who_revoke_at_once_do_it_once(stored_office: Office) -> None:
    certificate = stored_office.issue()

    def revoke(_: int) -> str:
        try:
            stored_office.authority.revoke(certificate.serial, reason="superseded", actor=REGISTRAR)
        except YinxinError as exc:
            return exc.code
        return "done"

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(revoke, range(4))) == ["conflict", "conflict", "conflict", "done"]


def test_a_hold_ends_or_becomes_final(office: Office) -> None:
    certificate = office.issue()
    held_at = office.clock.now()
    office.authority.revoke(certificate.serial, reason="certificate_hold", actor=REGISTRAR)
    with pytest.raises(Conflict):
        office.authority.revoke(certificate.serial, reason="certificate_hold", actor=REGISTRAR)
    office.authority.release(certificate.serial, actor=REGISTRAR)
    assert listed(office) == {}
    with pytest.raises(Conflict):
        office.authority.release(certificate.serial, actor=REGISTRAR)

    office.authority.revoke(certificate.serial, reason="certificate_hold", actor=REGISTRAR)
    office.clock.advance(timedelta(days=1))
    office.authority.revoke(certificate.serial, reason="key_compromise", actor=REGISTRAR)
    assert listed(office) == {certificate.serial: x509.ReasonFlags.key_compromise}
    status = office.authority.status(certificate.serial)
    assert status
    assert status.revoked_at == held_at
    with pytest.raises(Conflict):
        office.authority.release(certificate.serial, actor=REGISTRAR)


def test_a_list_is_made_anew_when_it_is_due_and_its_number_grows(stored_office: Office) -> None:
    office = stored_office
    first = office.authority.crl()
    assert office.authority.crl() == first
    assert number(office) == 1
    office.authority.revoke(office.issue().serial, reason="superseded", actor=REGISTRAR)
    assert number(office) == 2
    office.clock.advance(timedelta(hours=11))
    assert number(office) == 2
    office.clock.advance(timedelta(hours=1))
    assert number(office) == 3
    crl = x509.load_der_x509_crl(office.authority.crl())
    assert crl.next_update_utc == datetime(2026, 11, 22, tzinfo=UTC)


def test_many_who_want_a_list_get_growing_ones(stored_office: Office) -> None:
    certificates = [stored_office.issue() for _ in range(6)]

    def revoke_and_list(certificate: Certificate) -> bool:
        stored_office.authority.revoke(certificate.serial, reason="superseded", actor=REGISTRAR)
        crl = x509.load_der_x509_crl(stored_office.authority.crl())
        return crl.get_revoked_certificate_by_serial_number(certificate.serial) is not None

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(revoke_and_list, certificates))
    assert len(listed(stored_office)) == 6


def test_a_publisher_without_the_key_serves_the_last_list_while_it_holds(office: Office) -> None:
    publisher = Authority.open(
        "enterprise", database=office.database, signer=None, clock=office.clock, base_url=None
    )
    with pytest.raises(SignerUnavailable):
        publisher.crl()
    last = office.authority.crl()
    office.clock.advance(timedelta(hours=20))
    assert publisher.crl() == last
    office.clock.advance(timedelta(hours=4))
    with pytest.raises(SignerUnavailable):
        publisher.crl()


def test_an_expired_authority_makes_no_more_lists(office: Office) -> None:
    office.clock.advance(timedelta(days=4000))
    with pytest.raises(SignerUnavailable):
        office.authority.crl()


def test_years_behind_2049_are_written_in_full(office: Office) -> None:
    from ca.crl import encode_entry  # noqa: PLC0415 - only here

    late = encode_entry(7, at=datetime(2050, 1, 1, tzinfo=UTC), reason=RevocationReason.UNSPECIFIED)
    early = encode_entry(
        7, at=datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC), reason=RevocationReason.UNSPECIFIED
    )
    assert b"\x18\x0f20500101000000Z" in late
    assert b"\x17\x0d491231235959Z" in early


def _reason(entry: x509.RevokedCertificate) -> x509.ReasonFlags | None:
    try:
        return entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except x509.ExtensionNotFound:
        return None


class TestSinceWhen:
    """A compromised key is not to be trusted from a day before anybody heard of it (RFC 5280, 5.3.2)."""

    def test_lists_say_it(self, stored_office: Office) -> None:
        office, since = stored_office, stored_office.clock.now() - timedelta(days=3, microseconds=7)
        certificate = office.issue()
        office.authority.revoke(
            certificate.serial, reason="key_compromise", actor=REGISTRAR, invalid_since=since
        )
        (entry,) = x509.load_der_x509_crl(office.authority.crl())
        said = entry.extensions.get_extension_for_class(x509.InvalidityDate).value.invalidity_date_utc
        assert said == since.replace(microsecond=0)
        assert entry.revocation_date_utc == office.clock.now()

    def test_it_may_be_learnt_later_and_only_earlier(self, stored_office: Office) -> None:
        office, now = stored_office, stored_office.clock.now()
        serial = office.issue().serial
        office.authority.revoke(serial, reason="superseded", actor=REGISTRAR)
        days = {"reason": "key_compromise", "actor": REGISTRAR}
        office.authority.revoke(serial, invalid_since=now - timedelta(days=1), **days)
        with pytest.raises(Conflict):
            office.authority.revoke(serial, invalid_since=now - timedelta(hours=1), **days)
        office.authority.revoke(serial, invalid_since=now - timedelta(days=2), **days)
        assert listed(office) == {serial: x509.ReasonFlags.key_compromise}

    def test_only_of_compromised_keys_and_of_the_past(self, office: Office) -> None:
        serial, now = office.issue().serial, office.clock.now()
        for reason, since in (("superseded", now), ("key_compromise", now + timedelta(days=1))):
            with pytest.raises(UsageError):
                office.authority.revoke(serial, reason=reason, actor=REGISTRAR, invalid_since=since)
