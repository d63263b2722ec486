"""A wallet's judge: lists fetched when they are needed, kept while they are fresh, never taken back."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from world.credentials import CredentialWorld
from world.receiving import evidence

from credentials.vocabulary import INVALID, SUSPENDED
from signing.reasons import Reason
from signing.trust import TrustStore
from wallet.judge import MAX_LISTS, RETRY_AFTER, Grounds, Judge
from yinxin.base.errors import Unreachable
from yinxin.base.outbound import Response

if TYPE_CHECKING:
    from world.pki import Pki


class Server:
    """Where the lists lie: counts who asks, and may be away or answer with something else."""

    def __init__(self, world: CredentialWorld) -> None:
        self.world, self.asked = world, 0
        self.answer: Response | None = None
        self.is_away = False

    def get(self, url: str, **_: Any) -> Response:
        self.asked += 1
        if self.is_away:
            raise Unreachable("away")
        return self.answer or Response(200, {}, self.world.statuses.token(url).encode())


@pytest.fixture
def world(pki: Pki) -> CredentialWorld:
    return CredentialWorld(pki)


@pytest.fixture
def server(world: CredentialWorld) -> Server:
    return Server(world)


@pytest.fixture
def judge(world: CredentialWorld, server: Server) -> Judge:
    return Judge(grounds(world), server, clock=world.clock)  # type: ignore[arg-type] # it has what is used


def grounds(world: CredentialWorld) -> Grounds:
    return Grounds(TrustStore([world.pki.root.certificate]), evidence(world.pki, world.clock.now()))


def reasons(judge: Judge, credential: str) -> set[Reason]:
    return set(judge.verifier.verify(credential, require_key_binding=False).reasons)


def test_a_list_is_fetched_once_for_many_looks(world: CredentialWorld, server: Server, judge: Judge) -> None:
    credential = world.issue()
    for _ in range(5):
        assert reasons(judge, credential) == set()
    assert server.asked == 1
    world.clock.advance(timedelta(minutes=2))
    judge.use(grounds(world))
    assert reasons(judge, credential) == set()
    assert server.asked == 2


def test_a_change_is_seen_within_a_minute(world: CredentialWorld, judge: Judge) -> None:
    claims = world.licence()
    credential = world.issue(claims)
    assert reasons(judge, credential) == set()
    world.set_status(claims, SUSPENDED)
    world.clock.advance(timedelta(seconds=61))
    judge.use(grounds(world))
    assert reasons(judge, credential) == {Reason.CREDENTIAL_SUSPENDED}


def test_a_server_that_is_away_is_left_alone_for_a_while(
    world: CredentialWorld, server: Server, judge: Judge
) -> None:
    server.is_away = True
    credential = world.issue()
    for _ in range(3):
        assert reasons(judge, credential) == {Reason.STATUS_UNKNOWN}
    assert server.asked == 1
    server.is_away = False
    world.clock.advance(RETRY_AFTER)
    judge.use(grounds(world))
    assert reasons(judge, credential) == set()


def test_a_revocation_that_was_seen_stays(world: CredentialWorld, server: Server, judge: Judge) -> None:
    claims = world.licence()
    credential = world.issue(claims)
    uri = claims["status"]["status_list"]["uri"]
    old = world.statuses.token(uri).encode()
    world.clock.advance(timedelta(minutes=2))
    judge.use(grounds(world))
    world.set_status(claims, INVALID)
    assert reasons(judge, credential) == {Reason.CREDENTIAL_REVOKED}
    server.answer = Response(200, {}, old)  # somebody plays the list of before again
    world.clock.advance(timedelta(minutes=2))
    judge.use(grounds(world))
    assert reasons(judge, credential) == {Reason.CREDENTIAL_REVOKED}
    server.is_away = True
    world.clock.advance(timedelta(hours=5))
    judge.use(grounds(world))
    assert Reason.CREDENTIAL_REVOKED in reasons(judge, credential)


@pytest.mark.parametrize("body", [b"", b"\xff", b"a.b.c", b"x" * 1000])
def test_what_is_no_list_is_none(server: Server, judge: Judge, world: CredentialWorld, body: bytes) -> None:
    server.answer = Response(200, {}, body)
    assert reasons(judge, world.issue()) == {Reason.STATUS_UNKNOWN}
    server.answer = Response(404, {}, body)
    assert reasons(judge, world.issue()) == {Reason.STATUS_UNKNOWN}


def test_a_strangers_credential_sends_us_nowhere(
    server: Server, judge: Judge, world: CredentialWorld
) -> None:
    from world.pki import Pki  # noqa: PLC0415 - another one, here only

    stranger = CredentialWorld(Pki())
    assert Reason.NO_CERTIFICATE_CHAIN_FOUND in reasons(judge, stranger.issue())
    assert server.asked == 0
    assert reasons(judge, world.issue()) == set()


def test_the_book_of_lists_is_bounded(judge: Judge, server: Server) -> None:
    server.is_away = True
    names = [f"https://lists.example/{number}" for number in range(MAX_LISTS + 50)]
    judge.statuses.warm(names)
    assert server.asked == 0, "a list that no credential of ours named"
    for name in names:
        assert judge.statuses.refresh(name)
        assert judge.statuses.get(name) is None
    assert len(judge.statuses) == MAX_LISTS
