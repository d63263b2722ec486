"""Several time-stamp authorities: the next one is asked, and who fails is left alone for a while."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from world.pki import NOON, Pki
from world.tsa import POLICY, MemoryTsa

from signing.timestamp import parse_token
from signing.timestamp_pool import PoolPolicy, StampingAuthority, TimestamperPool, any_of
from yinxin.base.clock import FixedClock
from yinxin.base.errors import Unreachable, UsageError

if TYPE_CHECKING:
    from signing.signers.file import FileSigner

DIGEST = hashlib.sha256(b"a seal").digest()
SECOND = timedelta(seconds=1)


@pytest.fixture(scope="module")
def key() -> FileSigner:
    return Pki().signer("timestamp")


@dataclass
class Sometimes:
    """An authority that is down when told so, and counts who asks."""

    tsa: MemoryTsa
    is_down: bool = False
    asked: int = 0

    def stamp(self, digest: bytes, *, digest_algorithm: str = "sha256") -> bytes:
        self.asked += 1
        if self.is_down:
            raise Unreachable("down")
        return self.tsa.stamp(digest, digest_algorithm=digest_algorithm)


@dataclass
class Pool:
    """Two authorities and a clock."""

    key: FileSigner
    policy: PoolPolicy = field(default_factory=lambda: PoolPolicy(rounds=1))
    policies: frozenset[str] = frozenset()
    clock: FixedClock = field(default_factory=lambda: FixedClock(*NOON.timetuple()[:6]))
    pauses: list[timedelta] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.first, self.second = (Sometimes(MemoryTsa(self.key)) for _ in range(2))
        rows = [
            StampingAuthority(name, one, self.policies)
            for name, one in (("first", self.first), ("second", self.second))
        ]
        self.pool = TimestamperPool(rows, self.clock, self.policy, self.pauses.append)

    def stamp(self) -> bytes:
        return self.pool.stamp(DIGEST)


def test_the_preferred_one_answers(key: FileSigner) -> None:
    pool = Pool(key)
    assert parse_token(pool.stamp()).digest == DIGEST
    assert (pool.first.asked, pool.second.asked) == (1, 0)


def test_the_next_one_is_asked_when_it_is_down(key: FileSigner) -> None:
    pool = Pool(key)
    pool.first.is_down = True
    assert parse_token(pool.stamp()).digest == DIGEST
    assert (pool.first.asked, pool.second.asked) == (1, 1)


def test_who_fails_three_times_rests_and_is_tried_again(key: FileSigner) -> None:
    pool = Pool(key)
    pool.first.is_down = True
    for _ in range(5):
        pool.stamp()
    assert (pool.first.asked, pool.second.asked) == (3, 5)
    assert pool.pool.states()[0].rests_until == NOON + timedelta(seconds=30)
    pool.clock.advance(30 * SECOND)
    pool.stamp()  # one try, and a rest twice as long
    pool.stamp()
    assert pool.first.asked == 4
    assert pool.pool.states()[0].rests_until == NOON + timedelta(seconds=90)
    pool.first.is_down = False
    pool.clock.advance(60 * SECOND)
    pool.stamp()
    assert (pool.first.asked, pool.pool.states()[0].failures) == (5, 0)
    assert pool.pool.states()[0].rests_until is None


def test_a_rest_has_a_longest(key: FileSigner) -> None:
    pool = Pool(key, PoolPolicy(rounds=1, failures=1, rest=SECOND, longest_rest=5 * SECOND))
    pool.first.is_down = True
    for seconds in (1, 2, 4, 5, 5):
        before = pool.clock.now()
        pool.stamp()
        assert pool.pool.states()[0].rests_until == before + seconds * SECOND
        pool.clock.advance(seconds * SECOND)


def test_rounds_with_pauses_in_between(key: FileSigner) -> None:
    pool = Pool(key, PoolPolicy(rounds=3, pause=SECOND, failures=10))
    pool.first.is_down = pool.second.is_down = True
    with pytest.raises(Unreachable, match="first: unreachable: down; second"):
        pool.stamp()
    assert pool.pauses == [SECOND, 2 * SECOND]
    assert (pool.first.asked, pool.second.asked) == (3, 3)


def test_nobody_is_asked_while_all_rest(key: FileSigner) -> None:
    pool = Pool(key, PoolPolicy(rounds=4, failures=1))
    pool.first.is_down = pool.second.is_down = True
    with pytest.raises(Unreachable):
        pool.stamp()
    pool.clock.advance(10 * SECOND)
    with pytest.raises(Unreachable) as refused:
        pool.stamp()
    assert refused.value.retry_after == 20 * SECOND
    assert (pool.first.asked, pool.second.asked) == (1, 1)


def test_an_authority_with_another_clock_is_none(key: FileSigner) -> None:
    pool = Pool(key)
    pool.first.tsa.at = NOON + timedelta(minutes=6)
    assert parse_token(pool.stamp()).gen_time == NOON
    assert "clock" in pool.pool.states()[0].last_error


def test_an_authority_that_stamps_something_else_is_none(key: FileSigner) -> None:
    class Other(MemoryTsa):
        def stamp(self, digest: bytes, *, digest_algorithm: str = "sha256") -> bytes:
            return super().stamp(bytes(len(digest)), digest_algorithm=digest_algorithm)

    pool = Pool(key)
    pool.first.tsa = Other(key)
    assert parse_token(pool.stamp()).digest == DIGEST
    assert pool.second.asked == 1


def test_the_policy_that_was_agreed(key: FileSigner) -> None:
    assert Pool(key, policies=frozenset({POLICY})).stamp()
    with pytest.raises(Unreachable, match="not agreed"):
        Pool(key, policies=frozenset({"1.2.3"})).stamp()


def test_a_stop_while_it_is_tried_leaves_it_free(key: FileSigner) -> None:
    class Stopped(Sometimes):
        def stamp(self, *_: object, **__: object) -> bytes:
            raise KeyboardInterrupt

    pool = Pool(key, PoolPolicy(rounds=1, failures=1))
    pool.first.is_down = True
    pool.stamp()
    pool.clock.advance(30 * SECOND)
    good, pool.pool.authorities = (
        pool.pool.authorities,
        [
            StampingAuthority("first", Stopped(MemoryTsa(key))),
            pool.pool.authorities[1],
        ],
    )
    with pytest.raises(KeyboardInterrupt):
        pool.stamp()
    pool.pool.authorities = good
    pool.first.is_down = False
    pool.stamp()
    assert pool.first.asked == 2


@pytest.mark.parametrize("wrong", [{"rounds": 0}, {"failures": 0}, {"rest": timedelta(0)}])
def test_a_pool_that_makes_no_sense(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        PoolPolicy(**wrong)  # type: ignore[arg-type]


def test_a_pool_of_nobody() -> None:
    with pytest.raises(UsageError):
        TimestamperPool([], FixedClock(2026, 11, 23))


@pytest.mark.parametrize("names", [["only"], ["first", "second"]])
def test_authorities_by_name_are_asked_again_after_a_pause(key: FileSigner, names: list[str]) -> None:
    clock, pauses = FixedClock(*NOON.timetuple()[:6]), list[timedelta]()
    asked = {name: Sometimes(MemoryTsa(key), is_down=True) for name in names}

    def wait(pause: timedelta) -> None:
        pauses.append(pause)
        asked[names[-1]].is_down = False

    assert parse_token(any_of(asked, clock=clock, wait=wait).stamp(DIGEST)).digest == DIGEST
    assert pauses == [SECOND]
    with pytest.raises(UsageError):
        any_of({}, clock=clock)
