"""A baker presents a food licence at the counter."""

from __future__ import annotations

from datetime import timedelta

import pytest
from world.credentials import COUNTER, NONCE, VCT, CredentialWorld, later
from world.pki import NOON, Pki

from credentials.verifier import VerifiedCredential
from credentials.vocabulary import INVALID, SUSPENDED, VALID
from signing.reasons import Reason
from signing.report import Indication, Report
from signing.signers.file import FileSigner
from yinxin.base.errors import UsageError, VerificationFailed


@pytest.fixture(scope="module")
def world(pki: Pki) -> CredentialWorld:
    return CredentialWorld(pki)


def reasons(report: Report[VerifiedCredential]) -> set[Reason]:
    return set(report.reasons)


def test_a_presentation_passes_and_shows_what_was_chosen(world: CredentialWorld) -> None:
    licence = world.issue()
    report = world.examine(world.present(licence, ["name", ("address", "street")]))
    assert (report.passed, report.then) == (True, Indication.PASSED), report.to_json()
    shown = report.require()
    assert isinstance(shown, VerifiedCredential)
    assert shown.vct == VCT
    assert shown.claims["name"] == "津城小麦面包坊"
    assert shown.claims["address"] == {"city": "津城", "street": "和平路 18 号"}
    assert "credit_code" not in shown.claims
    assert shown.claims["scopes"] == []
    assert shown.holder_key == world.baker.public_key
    assert shown.issuer == world.agency.certificate
    assert shown.licence == "1.2.156.3003.2.11100000000013338W.12345.001.X"


def test_same_inputs_same_report(world: CredentialWorld) -> None:
    shown, counter = world.present(world.issue()), world.counter()
    first = counter.verify(shown, audience=COUNTER, nonce=NONCE)
    again = world.counter(statuses=counter.statuses, revocation=counter.revocation)
    assert again.verify(shown, audience=COUNTER, nonce=NONCE).to_json() == first.to_json()


def test_key_binding_is_demanded_by_the_verifier_not_by_what_it_gets(world: CredentialWorld) -> None:
    licence = world.issue()
    assert reasons(world.examine(licence)) == {Reason.KEY_BINDING_MISSING}
    report = world.counter().verify(licence, require_key_binding=False)
    assert report.passed
    assert report.require().holder_key is None
    with pytest.raises(UsageError):
        world.counter().verify(licence)


def test_wrong_audience_and_wrong_nonce_are_named(world: CredentialWorld) -> None:
    shown = world.present(world.issue())
    assert reasons(world.examine(shown, audience="https://bank.example")) == {Reason.WRONG_AUDIENCE}
    assert reasons(world.examine(shown, nonce="another")) == {Reason.WRONG_NONCE}


def test_an_old_presentation_is_stale(world: CredentialWorld) -> None:
    licence = world.issue()
    old = world.present(licence, at=NOON - timedelta(minutes=11))
    assert reasons(world.examine(old)) == {Reason.KEY_BINDING_STALE}
    early = world.present(licence, at=NOON + timedelta(minutes=6))
    assert reasons(world.examine(early)) == {Reason.KEY_BINDING_STALE}


def test_a_stranger_cannot_present(world: CredentialWorld) -> None:
    with pytest.raises(UsageError):
        world.present(world.issue(), holder=FileSigner.generate())


def test_expired_and_not_yet_valid(world: CredentialWorld) -> None:
    licence = world.licence()
    ended = world.issue({**licence, "exp": int(NOON.timestamp())})
    report = world.examine(world.present(ended))
    assert reasons(report) == {Reason.EXPIRED}
    assert (report.indication, report.then) == (Indication.FAILED, Indication.PASSED)
    early = world.issue({**licence, "nbf": int(later(hours=1).timestamp())})
    assert reasons(world.examine(world.present(early))) == {Reason.NOT_YET_VALID}


def test_an_unknown_issuer_is_indeterminate(world: CredentialWorld) -> None:
    stranger = CredentialWorld(Pki())
    shown = world.present(world.issue(signer=stranger.agency))
    report = world.examine(shown)
    assert reasons(report) == {Reason.NO_CERTIFICATE_CHAIN_FOUND}
    assert report.indication is Indication.INDETERMINATE
    with pytest.raises(VerificationFailed):
        report.require()


def test_a_certificate_made_for_another_use_is_refused(world: CredentialWorld) -> None:
    shown = world.present(world.issue(signer=world.pki.signer("seal")))
    assert reasons(world.examine(shown)) == {Reason.WRONG_KEY_USAGE}


def test_an_issuer_may_issue_only_its_types(world: CredentialWorld) -> None:
    shown = world.present(world.issue())
    may = {VCT: {world.agency.certificate.subject}}
    assert world.counter(issuers=may).verify(shown, audience=COUNTER, nonce=NONCE).passed
    report = world.counter(issuers={VCT: {"CN=another"}}).verify(shown, audience=COUNTER, nonce=NONCE)
    assert reasons(report) == {Reason.ISSUER_NOT_PERMITTED}


def test_suspension_and_revocation_reach_the_counter(world: CredentialWorld) -> None:
    claims = world.licence()
    licence = world.issue(claims)
    world.set_status(claims, SUSPENDED)
    assert reasons(world.examine(world.present(licence))) == {Reason.CREDENTIAL_SUSPENDED}
    world.set_status(claims, VALID)
    assert world.examine(world.present(licence)).passed
    world.set_status(claims, INVALID)
    report = world.examine(world.present(licence))
    assert reasons(report) == {Reason.CREDENTIAL_REVOKED}
    assert (report.indication, report.then) == (Indication.FAILED, Indication.PASSED)


def test_without_the_list_or_with_an_old_one_the_status_is_open(world: CredentialWorld) -> None:
    shown = world.present(world.issue())
    report = world.counter(statuses={}).verify(shown, audience=COUNTER, nonce=NONCE)
    assert (reasons(report), report.indication) == ({Reason.STATUS_UNKNOWN}, Indication.INDETERMINATE)
    old = world.snapshots()
    shown = world.present(world.issue(), at=NOON + timedelta(seconds=61))
    late = {"audience": COUNTER, "nonce": NONCE, "now": NOON + timedelta(seconds=61)}
    assert reasons(world.counter(statuses=old).verify(shown, **late)) == {Reason.STATUS_STALE}
    patient = world.counter(statuses=old, status_grace=timedelta(minutes=5))
    assert patient.verify(shown, **late).passed


def test_an_old_list_still_proves_a_revocation(world: CredentialWorld) -> None:
    claims = world.licence()
    licence = world.issue(claims)
    world.set_status(claims, INVALID)
    snapshots = world.snapshots()
    shown = world.present(licence, at=later(hours=2))
    report = world.counter(statuses=snapshots).verify(
        shown, audience=COUNTER, nonce=NONCE, now=later(hours=2)
    )
    assert Reason.CREDENTIAL_REVOKED in report.reasons
