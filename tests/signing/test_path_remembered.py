"""Paths asked about before: answered at once, and never otherwise than if they were judged anew."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st
from world.paths import LENIENT, Story
from world.pki import NOON, START, TestAuthority
from world.work import counted_calls

from signing import Crl, Policy, Reason, RevocationSnapshot, Scope, TrustAnchor, TrustStore, validate_path
from signing.path.remembered import MAX_QUESTIONS, Horizon, Remembered, Span
from signing.path.validate import _REMEMBERED, MAX_REMEMBERED_CHAIN_BYTES
from signing.trust import Period

if TYPE_CHECKING:
    from collections.abc import Iterator

    from signing import PathResult

DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)
LATER = NOON + HOUR
FEW_CALLS = 120


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    _REMEMBERED.cache_clear()
    yield
    _REMEMBERED.cache_clear()


class Asked:
    """A story whose evidence is one snapshot, asked about again and again."""

    def __init__(self, story: Story) -> None:
        self.story, self.lists = story, story.lists()
        self.trust, self.policy = TrustStore([story.root.certificate]), Policy.default()

    def __call__(self, **changes: Any) -> PathResult:
        question: dict[str, Any] = {
            "intermediates": self.story.intermediates,
            "trust": self.trust,
            "at": LATER,
            "usage": "seal",
            "revocation": self.lists,
            "policy": self.policy,
            **changes,
        }
        return validate_path(
            self.story.leaf, question.pop("intermediates"), question.pop("trust"), **question
        )

    def calls(self, **changes: Any) -> int:
        with counted_calls() as work:
            self(**changes)
        return work.calls


@pytest.fixture
def ask() -> Asked:
    return Asked(Story.plain())


def test_what_was_asked_before_is_answered_at_once(ask: Asked) -> None:
    first = ask()
    assert first.passed
    assert ask.calls() < FEW_CALLS
    assert ask() is first


def test_any_time_of_the_same_span_is_the_same_question(ask: Asked) -> None:
    ask()
    for at in (LATER + HOUR, NOON + SECOND, NOON + DAY - SECOND, LATER + timedelta(microseconds=1)):
        assert ask.calls(at=at) < FEW_CALLS


def test_the_order_of_certificates_is_no_part_of_the_question(ask: Asked) -> None:
    offered = [*ask.story.intermediates, ask.story.leaf, *ask.story.intermediates]
    ask(intermediates=offered)
    assert ask.calls(intermediates=offered[::-1]) < FEW_CALLS


def test_certificates_read_again_from_bytes_are_the_same(ask: Asked) -> None:
    ask()
    story = ask.story
    story.leaf = type(story.leaf)(story.leaf.der)
    assert ask.calls() < FEW_CALLS


def test_a_revocation_is_seen_at_once(ask: Asked) -> None:
    assert ask().passed
    story = ask.story
    story.authorities[0].revoke(story.leaf, NOON - DAY)
    assert ask(revocation=story.lists()).reasons == {Reason.CERTIFICATE_REVOKED}
    story.root.revoke(story.intermediates[0], NOON - DAY)
    assert ask(revocation=story.lists()).reasons == {Reason.CERTIFICATE_REVOKED}


def test_nothing_is_remembered_past_the_next_update(ask: Asked) -> None:
    assert ask(at=NOON + DAY).passed
    assert ask(at=NOON + DAY - SECOND).passed
    assert ask(at=NOON + DAY + timedelta(microseconds=1)).reasons == {Reason.REVOCATION_STALE}
    assert ask(at=NOON + 2 * DAY).reasons == {Reason.REVOCATION_STALE}


def test_nothing_is_remembered_past_an_expiry() -> None:
    ask = Asked(Story.plain(not_after=LATER))
    assert ask(at=LATER - SECOND).passed
    assert ask(at=LATER).passed
    assert ask(at=LATER + SECOND).reasons == {Reason.CERTIFICATE_EXPIRED}


def test_evidence_that_grows_too_old_for_the_policy(ask: Asked) -> None:
    policy = Policy(max_revocation_age=2 * HOUR)
    assert ask(policy=policy).passed
    assert ask(policy=policy, at=NOON + 2 * HOUR).passed
    assert ask(policy=policy, at=NOON + 2 * HOUR + SECOND).reasons == {Reason.REVOCATION_STALE}


def test_a_certificate_that_begins_may_be_the_better_one(ask: Asked) -> None:
    """Which of two equal authorities leads the path depends on the time: remembered or not."""
    story = ask.story
    key, start = story.authorities[0].signer.with_chain(()), LATER + HOUR
    others = [TestAuthority("Issuing", issuer=story.root, signer=key, start=start) for _ in range(8)]
    story.extra = [one.certificate for one in others]
    before, after = ask(), ask(at=start + HOUR)
    _REMEMBERED.cache_clear()
    assert ask(at=start + HOUR).path == after.path
    assert ask().path == before.path
    assert before.path[1] == story.intermediates[0]


@pytest.mark.parametrize(
    "change",
    [
        {"usage": "signature"},
        {"policy": Policy(algorithms=frozenset({"RS256"}))},
        {"policy": Policy(algorithm_ends=(("ES256", NOON - DAY),))},
        {"trust": TrustStore([])},
        {"revocation": RevocationSnapshot()},
        {"known_at": NOON - DAY},
    ],
    ids=["use", "algorithms", "ends", "anchors", "no lists", "known"],
)
def test_another_question_is_not_answered_from_memory(ask: Asked, change: dict[str, Any]) -> None:
    assert ask().passed
    assert not ask(**change).passed
    assert ask().passed


def test_the_scope_of_the_checks_is_the_askers(ask: Asked) -> None:
    for scope in Scope:
        assert {check.scope for check in ask(scope=scope).checks} == {scope}


def test_an_anchor_that_is_withdrawn_is_seen_at_once(ask: Asked) -> None:
    root = ask.story.root.certificate
    ended = TrustAnchor(root, frozenset({"seal"}), periods=(Period("seal", START, LATER + HOUR),))
    trust = TrustStore([ended])
    assert ask(trust=trust).passed
    assert not ask(trust=trust, at=LATER + HOUR).passed
    assert not ask(trust=trust, at=LATER + 2 * HOUR).passed


def test_strangers_are_not_remembered(ask: Asked) -> None:
    stranger = TestAuthority("Stranger").issue("bureau").certificate
    ask.story.leaf = stranger
    assert not ask().passed
    assert len(_REMEMBERED) == 0


def test_large_chains_are_not_remembered(ask: Asked) -> None:
    junk = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), bytes(MAX_REMEMBERED_CHAIN_BYTES))
    ask.story.extra = [TestAuthority("Large", extra=((junk, False),)).certificate]
    assert ask().passed
    assert len(_REMEMBERED) == 0


def test_memory_is_bounded_and_the_least_asked_goes_first() -> None:
    kept: Remembered[int] = Remembered()
    for number in range(MAX_QUESTIONS + 10):
        kept.keep(number, Horizon.around(NOON, None), number)
        assert kept.find(0, NOON, None) == 0
    assert len(kept) == MAX_QUESTIONS
    assert kept.find(1, NOON, None) is None
    for number in range(10):
        horizon = Horizon(Span(NOON, START + number * DAY, START + number * DAY + HOUR), None)
        kept.keep("one question", horizon, number)
    assert kept.find("one question", START + 9 * DAY, None) == 9
    assert kept.find("one question", START, None) is None


class TestSpans:
    @given(
        moments=st.lists(st.integers(-5, 5), max_size=5),
        at=st.integers(-6, 6),
        other=st.integers(-6, 6),
        parts=st.tuples(st.integers(0, 999_999), st.integers(0, 999_999)),
    )
    def test_no_turn_lies_between_two_times_of_a_span(
        self, moments: list[int], at: int, other: int, parts: tuple[int, int]
    ) -> None:
        """Whatever compares a time with a moment, by < or <= or by whole seconds, comes out the same."""
        one, two = (
            NOON + timedelta(seconds=second, microseconds=part)
            for second, part in zip((at, other), parts, strict=True)
        )
        turns = [NOON + second * SECOND for second in moments]
        span = Span(one)
        span.turn([*turns, None])
        assert span.covers(one)
        if span.covers(two):
            for turn in turns:
                assert (one < turn) == (two < turn)
                assert (one <= turn) == (two <= turn)
                assert (one.replace(microsecond=0) <= turn) == (two.replace(microsecond=0) <= turn)

    def test_the_ends_of_time(self) -> None:
        last = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
        span = Span(NOON)
        span.turn((last, datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)))
        assert span.covers(NOON + 1000 * DAY)
        assert not span.covers(last)


@pytest.fixture(scope="module")
def eventful() -> tuple[Story, TrustStore, list[RevocationSnapshot], list[datetime]]:
    """Certificates, lists, holds, deltas and anchors that begin and end at moments of their own."""
    root = TestAuthority("Root")
    issuing = TestAuthority("Issuing", issuer=root, valid=timedelta(days=330))
    lister = root.issue("Lister", bits=("crl_sign",), not_after=NOON + 9 * DAY)
    twin = TestAuthority("Issuing", issuer=root, valid=timedelta(days=328), signer=issuing.signer)
    leaf = issuing.issue("bureau", not_after=NOON + 12 * DAY).certificate
    story = Story(root, [issuing], leaf, [twin.certificate, lister.certificate])
    plain = [Crl(authority.crl(NOON, valid=6 * DAY)) for authority in (root, issuing)]
    issuing.revoke(leaf, NOON + DAY, x509.ReasonFlags.certificate_hold)
    delta = Crl(issuing.crl(NOON + 2 * DAY, extra=((x509.DeltaCRLIndicator(1), True),)))
    issuing.revoke(leaf, NOON + 4 * DAY, x509.ReasonFlags.superseded)
    late = Crl(issuing.crl(NOON + 5 * DAY, valid=4 * DAY))
    snapshots = [
        RevocationSnapshot(lists) for lists in (plain, [*plain, delta], [*plain, late], [*plain, delta, late])
    ]
    seal = (Period("seal", START, NOON + 3 * DAY), Period("seal", NOON + 7 * DAY))
    trust = TrustStore([TrustAnchor(root.certificate, frozenset({"seal"}), periods=seal)])
    return story, trust, snapshots, [NOON + number * DAY for number in range(-2, 16)]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_memory_changes_no_answer(
    eventful: tuple[Story, TrustStore, list[RevocationSnapshot], list[datetime]], data: st.DataObject
) -> None:
    story, bounded, snapshots, days = eventful
    policy = data.draw(
        st.sampled_from(
            [
                Policy.default(),
                LENIENT,
                Policy(algorithm_ends=(("ES256", NOON + 2 * DAY),)),
                Policy(max_revocation_age=timedelta(hours=30)),
            ]
        )
    )
    trust = data.draw(st.sampled_from([bounded, TrustStore([story.root.certificate])]))
    revocation = data.draw(st.sampled_from(snapshots))
    offset = st.sampled_from([0, 1, -1, 999_999, 1_000_000, 1_000_001, 3_600_000_000, -40_000_000])
    times = st.builds(lambda day, part: day + timedelta(microseconds=part), st.sampled_from(days), offset)
    asked = data.draw(st.lists(st.tuples(times, st.none() | times), min_size=2, max_size=12))

    ask = Asked(story)

    def answers(*, forget: bool) -> list[PathResult]:
        found = []
        for at, known_at in asked:
            if forget:
                _REMEMBERED.cache_clear()
            found.append(ask(at=at, known_at=known_at, trust=trust, revocation=revocation, policy=policy))
        return found

    _REMEMBERED.cache_clear()
    assert answers(forget=False) == answers(forget=True)
