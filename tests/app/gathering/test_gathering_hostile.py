"""Somebody stands on the way, or writes addresses into certificates: nothing that was known is lost."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world.gathering import Job, scope_of, states
from world.pki import NOON, TestAuthority
from world.places import access, points

from signing.reasons import Reason
from yinxin.app.gathering.asking import Budget
from yinxin.app.gathering.outcome import State
from yinxin.base.outbound import Response

if TYPE_CHECKING:
    from signing.certificates import Certificate

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    "attack", ["older", "another's", "tomorrow's", "unsigned", "html", "delta", "empty", "404", "other shard"]
)
def test_what_is_not_the_newest_list_of_its_authority_changes_nothing(job: Job, attack: str) -> None:
    leaf, country = job.country.leaf(), job.country
    country.issuing.revoke(leaf, NOON)
    country.publish()
    job.run(leaf)
    assert job.reasons(leaf) == {Reason.CERTIFICATE_REVOKED}
    country.issuing.revoked.clear()
    good = country.issuing.crl(NOON + HOUR)
    delta = (x509.DeltaCRLIndicator(1), True)
    shard = scope_of(country.at("other.crl"))
    answers: dict[str, bytes | Response] = {
        "older": country.issuing.crl(NOON - HOUR),
        "another's": country.root.crl(NOON + HOUR),
        "tomorrow's": country.issuing.crl(NOON + 3 * DAY),
        "unsigned": good[:-1] + bytes([good[-1] ^ 1]),
        "html": b"<html>",
        "delta": country.issuing.crl(NOON + HOUR, extra=(delta,)),
        "empty": b"",
        "404": Response(404, {}, good),
        "other shard": country.issuing.crl(NOON + HOUR, extra=((shard, True),)),
    }
    country.net.pages[country.at("issuing.crl")] = answers[attack]
    job.clock.advance(6 * HOUR)
    outcome = job.gatherer.run([leaf])
    assert states(outcome)["issuing.crl"] is State.FAILED
    assert next(item.detail for item in outcome.items if item.url.endswith("issuing.crl"))
    assert job.reasons(leaf) == {Reason.CERTIFICATE_REVOKED}


def test_addresses_of_strangers_are_not_asked(job: Job) -> None:
    """Anybody writes an address into a certificate; below our anchors, only authorities do."""
    stranger = TestAuthority("陌生 Stranger")
    inside = "http://inside.example/?delete=everything"
    extra = ((points(inside), False), (access(ocsp=inside), False))
    forged = stranger.issue("伪造 Forged", extra=extra).certificate
    leaf = job.country.issuing.issue("普通 Leaf", extra=()).chain
    below_a_leaf = TestAuthority("冒充 Pretender", issuer=job.country.issuing, is_authority=False)
    child = below_a_leaf.issue("下级 Child", extra=extra).certificate
    outcome = job.gatherer.run([forged, child, below_a_leaf.certificate, leaf[0]])
    assert inside not in job.country.net.asked
    assert forged in outcome.loose
    assert child in outcome.loose


def test_an_issuer_counts_only_when_it_signed(job: Job) -> None:
    leaf, net = job.country.leaf(), job.country.net
    pretender = TestAuthority(job.country.issuing.common_name)
    for body in (pretender.certificate.der, job.country.root.certificate.der, b"", leaf.der, b"\x30\x80"):
        net.pages[job.country.at("issuing.cer")] = body
        assert job.run(leaf, everything=True) == {"issuing.cer": State.FAILED}
    assert job.library.read().certificates == ()


@pytest.mark.parametrize(
    "attack", ["older", "another's", "unsigned", "unknown", "tomorrow's", "later", "junk"]
)
def test_an_answer_that_is_not_the_issuers_newest_word_changes_nothing(job: Job, attack: str) -> None:
    country, ocsp = job.country, job.country.at("ocsp")
    leaf = country.leaf(extra=((access(ocsp=ocsp, issuer=country.at("issuing.cer")), False),))
    country.issuing.revoke(leaf, NOON)
    country.net.pages[ocsp] = country.issuing.ocsp(leaf)
    job.run(leaf)
    country.issuing.revoked.clear()
    good = country.issuing.ocsp(leaf, NOON + HOUR)
    country.net.pages[ocsp] = {
        "older": country.issuing.ocsp(leaf, NOON - HOUR),
        "another's": country.issuing.ocsp(country.leaf("别人 Other"), NOON + HOUR),
        "unsigned": good[:-1] + bytes([good[-1] ^ 1]),
        "unknown": country.issuing.ocsp(leaf, NOON + HOUR, status=x509.ocsp.OCSPCertStatus.UNKNOWN),
        "tomorrow's": country.issuing.ocsp(leaf, NOON + 2 * DAY),
        "later": bytes.fromhex("30030a0103"),  # try later
        "junk": b"\x30\x03\x02\x01\x05",
    }[attack]
    job.clock.advance(11 * HOUR)
    assert job.run(leaf)["ocsp"] is State.FAILED
    assert job.reasons(leaf) == {Reason.CERTIFICATE_REVOKED}


def test_a_round_spends_no_more_than_it_may_and_the_next_goes_on(job: Job) -> None:
    country = job.country
    leaves = []
    for number in range(20):
        url = country.at(f"{number}.crl")
        country.net.pages[url] = country.issuing.crl()
        leaves.append(country.leaf(f"{number}", extra=((points(url), False),)))
    given = (*leaves, country.issuing.certificate)
    first = job.run(*given, budget=Budget(requests=8))
    assert sorted(first.values()).count(State.TAKEN) == 8
    assert sorted(first.values()).count(State.DUE) == 20 - 8 + 2, "and the root's list and responder"
    second = job.run(*given, budget=Budget(requests=8))
    assert sorted(second.values()).count(State.TAKEN) == 8
    third = job.run(*given, budget=Budget(bytes=1))
    assert State.FAILED not in third.values(), "an answer that is larger than what is left is for next time"
    assert State.DUE in job.run(*given, budget=Budget(seconds=0.0)).values()


@pytest.fixture
def revoked(job: Job) -> Certificate:
    """A certificate whose revocation a list and a responder told of."""
    country = job.country
    named = access(issuer=country.at("issuing.cer"), ocsp=country.at("ocsp"))
    leaf: Certificate = country.leaf(extra=((points(country.at("issuing.crl")), False), (named, False)))
    country.issuing.revoke(leaf, NOON)
    country.publish()
    country.net.pages[country.at("ocsp")] = country.issuing.ocsp(leaf)
    job.run(leaf)
    return leaf


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["issuing.crl", "issuing.cer", "ocsp"]),
    st.integers(0),
    st.integers(1, 40),
    st.binary(max_size=40),
)
def test_any_answer_is_taken_or_refused_and_never_raises(
    job: Job, revoked: Certificate, place: str, start: int, size: int, patch: bytes
) -> None:
    """Whatever an address answers, a revocation that was seen stays, and nobody is trusted who was not."""
    pages, url = job.country.net.pages, job.country.at(place)
    genuine = pages[url]
    assert isinstance(genuine, bytes)
    start %= len(genuine)
    pages[url] = genuine[:start] + patch + genuine[start + size :]
    job.run(revoked, everything=True)
    pages[url] = genuine
    assert job.reasons(revoked) == {Reason.CERTIFICATE_REVOKED}
    assert set(job.library.read().certificates) <= {job.country.issuing.certificate}
