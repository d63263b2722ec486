"""Gathering: what is asked, what is taken, what stays, and what verification has of it."""

from __future__ import annotations

from datetime import timedelta

from cryptography import x509
from world.gathering import Job, scope_of, states
from world.pki import NOON, Pki, TestAuthority
from world.places import access, fresh, points

from signing.policy import Policy
from signing.reasons import Reason
from signing.trust import TrustStore
from yinxin.app.gathering.outcome import State
from yinxin.base.outbound import Response

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def test_a_lone_certificate_is_verified_by_what_was_gathered(job: Job) -> None:
    leaf = job.country.leaf()
    assert job.reasons(leaf) == {Reason.NO_CERTIFICATE_CHAIN_FOUND}
    assert job.run(leaf) == {
        "issuing.cer": State.TAKEN,
        "issuing.crl": State.TAKEN,
        "root.crl": State.TAKEN,
    }
    assert job.reasons(leaf) == frozenset()
    job.country.issuing.revoke(leaf, NOON)
    job.country.publish(NOON + HOUR)
    job.clock.advance(6 * HOUR)
    job.run(leaf)
    assert job.reasons(leaf) == {Reason.CERTIFICATE_REVOKED}


def test_nothing_is_asked_before_it_is_due_and_then_only_for_what_is_newer(job: Job) -> None:
    leaf, net = job.country.leaf(), job.country.net
    job.run(leaf)
    assert len(net.asked_now()) == 3
    job.clock.advance(HOUR)
    assert set(job.run(leaf).values()) == {State.NOT_DUE}
    assert net.asked_now() == []
    job.clock.advance(3 * HOUR)  # an eighth of the day that the lists hold for
    assert job.run(leaf)["issuing.crl"] is State.UNCHANGED
    assert (sorted(net.asked_now()), net.conditional) == (
        [job.country.at("issuing.crl"), job.country.at("root.crl")],
        2,
    )
    assert set(job.run(leaf, everything=True).values()) == {State.UNCHANGED}


def test_what_cannot_be_had_leaves_what_was_there_and_is_said(job: Job) -> None:
    leaf, net = job.country.leaf(), job.country.net
    job.run(leaf)
    before = job.library.read().revocation.snapshot_id
    net.dead.add("ca.example")
    job.clock.advance(4 * HOUR)
    net.asked_now()
    outcome = job.gatherer.run([leaf])
    assert states(outcome) == {
        "issuing.crl": State.FAILED,
        "root.crl": State.IN_PEACE,
    }
    assert len(net.asked_now()) == 1, "a host that does not answer is asked once in a round"
    assert job.library.read().revocation.snapshot_id == before
    assert outcome.missing == ()
    assert job.reasons(leaf) == frozenset()
    job.clock.advance(DAY)
    outcome = job.gatherer.run([leaf])
    assert {str(one.state) for one in outcome.missing} == {"stale"}
    assert Reason.REVOCATION_STALE in job.reasons(leaf)
    net.dead.clear()
    job.country.publish(job.clock.now())
    job.clock.advance(6 * HOUR)
    assert State.FAILED not in job.run(leaf).values()
    assert job.reasons(leaf) == frozenset()


def test_patience_with_a_host_grows_and_ends(job: Job) -> None:
    leaf, net = job.country.leaf(), job.country.net
    net.dead.add("ca.example")
    pauses = []
    for _ in range(12):
        job.run(leaf)
        until = job.library.read().hosts["ca.example:80"].until
        pauses.append(until - job.clock.now())
        job.clock.advance(until - job.clock.now())
    assert pauses == sorted(pauses)
    assert pauses[0] < timedelta(minutes=2)
    assert 6 * HOUR <= pauses[-1] < 8 * HOUR
    net.dead.clear()
    job.country.publish(job.clock.now())
    job.clock.advance(8 * HOUR)
    job.run(leaf)
    assert job.library.read().hosts == {}


def test_a_busy_server_is_left_in_peace_as_long_as_it_asks(job: Job) -> None:
    leaf, net = job.country.leaf(), job.country.net
    good = net.pages[job.country.at("issuing.cer")]
    net.pages[job.country.at("issuing.cer")] = Response(503, {"retry-after": "3600"}, b"")
    job.run(leaf)
    net.asked_now()
    net.pages[job.country.at("issuing.cer")] = good
    job.clock.advance(timedelta(minutes=59))
    job.run(leaf)
    assert net.asked_now() == []
    job.clock.advance(timedelta(minutes=2))
    assert job.run(leaf)["issuing.crl"] is State.TAKEN


def test_a_responder_is_asked_about_those_of_whom_no_list_tells(job: Job) -> None:
    country = job.country
    ocsp = country.at("ocsp")
    shard = country.at("shard.crl")
    listed = country.leaf("在册 Listed", extra=((points(shard), False), (access(ocsp=ocsp), False)))
    alone = country.leaf("独有 Alone", extra=((access(ocsp=ocsp), False),))
    country.net.pages[shard] = country.issuing.crl(extra=((scope_of(shard), True),))
    asked: list[bytes] = []

    def answer(question: bytes) -> bytes:
        asked.append(question)
        return country.issuing.ocsp(alone)

    country.net.pages[ocsp] = answer
    known = (country.issuing.certificate,)
    found = job.run(listed, alone, *known)
    assert found["ocsp"] is State.TAKEN
    assert len(asked) == 1, "of the listed one the list tells"
    (row,) = [row for row in job.library.read().rows.values() if row.key.startswith("answer ")]
    assert alone.fingerprint in row.key
    assert job.library.read().revocation.status(alone, known[0], at=NOON).state == "good"
    country.net.dead.add("ca.example")
    job.clock.advance(DAY + HOUR)
    outcome = job.gatherer.run([listed, alone, *known])
    assert {one.certificate for one in outcome.missing} >= {listed, alone}


def test_delta_lists_are_gathered_where_certificates_and_lists_name_them(job: Job) -> None:
    country = job.country
    named = ((points(country.at("issuing.crl")), False), (fresh(country.at("delta.crl")), False))
    leaf = country.leaf(extra=named)
    country.net.pages[country.at("root.crl")] = country.root.crl(
        extra=((fresh(country.at("root-delta.crl")), False),)
    )
    indicator = ((x509.DeltaCRLIndicator(int(NOON.timestamp())), True),)
    country.net.pages[country.at("root-delta.crl")] = country.root.crl(NOON + HOUR, extra=indicator)
    country.issuing.revoke(leaf, NOON)
    country.net.pages[country.at("delta.crl")] = country.issuing.crl(NOON + HOUR, extra=indicator)
    job.clock.advance(2 * HOUR)
    job.trust = job.trust.with_known([country.issuing.certificate])
    found = job.run(leaf, country.issuing.certificate)
    assert found["delta.crl"] is found["root-delta.crl"] is State.TAKEN
    assert job.reasons(leaf) == {Reason.CERTIFICATE_REVOKED}, "the whole list does not name it yet"


def test_shards_are_gathered_each_for_its_own_certificates(job: Job) -> None:
    country = job.country
    leaves = []
    for number in range(3):
        url = country.at(f"shard-{number}.crl")
        leaves.append(country.leaf(f"分片 {number}", extra=((points(url), False),)))
        if number == 1:
            country.issuing.revoke(leaves[1], NOON)
        country.net.pages[url] = country.issuing.crl(extra=((scope_of(url), True),))
    job.run(*leaves, country.issuing.certificate)
    job.trust = job.trust.with_known([country.issuing.certificate])
    assert [job.reasons(leaf) for leaf in leaves] == [frozenset(), {Reason.CERTIFICATE_REVOKED}, frozenset()]


def test_an_indirect_list_and_its_signer_are_found(job: Job) -> None:
    country, url = job.country, job.country.at("all.crl")
    signer = TestAuthority(
        "代发 List signer", issuer=country.root, is_authority=False, bits=("crl_sign",),
        extra=((points(country.at("root.crl")), False),),
    )  # fmt: skip
    own = (access(issuer=country.at("signer.cer")), False)
    country.net.pages[url] = signer.crl(extra=((scope_of(url, indirect=True), True), own))
    country.net.pages[country.at("signer.cer")] = signer.certificate.der
    leaf = country.leaf(extra=((points(url, issuer=signer.common_name), False),))
    job.trust = job.trust.with_known([country.issuing.certificate])
    found = job.run(leaf)
    assert found["signer.cer"] is found["all.crl"] is State.TAKEN
    assert job.reasons(leaf) == frozenset()


def test_the_first_of_several_addresses_that_answers_serves(job: Job) -> None:
    country = job.country
    uris = ["http://dead.example/issuing.crl", country.at("issuing.crl")]
    point = x509.DistributionPoint([x509.UniformResourceIdentifier(uri) for uri in uris], None, None, None)
    leaf = country.leaf(extra=((x509.CRLDistributionPoints([point]), False),))
    country.net.dead.add("dead.example")
    job.run(leaf, country.issuing.certificate)
    row = job.library.read().rows[f"list {uris[0]}"]
    assert (row.url, row.failures) == (uris[1], 0)


def test_a_plan_asks_nothing_and_writes_nothing(job: Job) -> None:
    leaf = job.country.leaf()
    assert states(job.gatherer.plan([leaf])) == {"issuing.cer": State.DUE}
    assert job.country.net.asked == []
    assert not job.folder.exists()
    job.run(leaf)
    job.country.net.asked_now()
    assert set(states(job.gatherer.plan([leaf])).values()) == {State.NOT_DUE}
    assert job.country.net.asked == []


def test_the_policys_limit_of_age_makes_us_ask_sooner(job: Job) -> None:
    job.policy = Policy.default().with_changes(max_revocation_age=timedelta(minutes=20))
    leaf = job.country.leaf()
    job.run(leaf)
    job.clock.advance(timedelta(minutes=11))
    job.country.publish(job.clock.now())
    assert job.run(leaf)["issuing.crl"] is State.TAKEN
    job.clock.advance(timedelta(minutes=21))
    job.country.net.dead.add("ca.example")
    assert {str(one.state) for one in job.gatherer.run([leaf]).missing} == {"stale"}


def test_what_has_no_news_is_not_asked_about(job: Job) -> None:
    country = job.country
    ended = country.leaf("过期 Ended", not_after=NOON - DAY)
    silent = country.leaf("免查 Never revoked", extra=(
        (points(country.at("silent.crl")), False),
        (x509.OCSPNoCheck(), False),
    ))  # fmt: skip
    job.trust = job.trust.with_known([country.issuing.certificate])
    assert list(job.run(ended, silent)) == ["root.crl"]


def test_what_nobody_wants_any_more_is_forgotten_in_time(job: Job) -> None:
    leaf = job.country.leaf()
    job.run(leaf)
    job.clock.advance(10 * DAY)
    job.run()
    assert len(job.library.read().rows) == 3
    job.clock.advance(25 * DAY)
    job.run()
    assert job.library.read().rows == {}
    job.run()
    assert sorted(path.name for path in job.folder.iterdir()) == [".lock", "index.json"]


def test_certificates_that_were_seen_are_gathered_for_until_it_is_hopeless(job: Job) -> None:
    leaf, stranger = job.country.leaf(), TestAuthority("陌生 Stranger")
    far = stranger.issue("远方 Far", extra=((access(issuer="http://far.example/x"), False),)).certificate
    nowhere = stranger.issue("无处 Nowhere").certificate
    job.library.note([leaf, far, nowhere])
    job.run()
    assert job.reasons(leaf) == frozenset()
    assert set(job.library.seen()) == {leaf, far}
    for _ in range(10):
        job.clock.advance(8 * HOUR)
        job.run()
    assert job.library.seen() == [leaf]
    job.clock.advance(1000 * DAY)
    job.run()
    assert job.library.seen() == []


def test_our_own_authority_serves_too(job: Job, pki: Pki) -> None:
    """A certificate without any address is simply missing its evidence."""
    job.trust = TrustStore([pki.root.certificate])
    outcome = job.gatherer.run(pki.signer("seal").chain)
    assert len(outcome.missing) == 2
    assert outcome.items == ()
