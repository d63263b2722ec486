"""How soon a revocation is seen, and how long a list serves whose server is away, as the clock moves.

A status list says by its ttl how long it may be kept. Who verifies with a service, and a wallet, see a
revocation within that time, in both forms of a licence; once it has passed and no newer list came, nothing
passes any more.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from world.mdocs import MdocWorld

from credentials.mdoc import MdocVerifier
from credentials.status_service import LIFETIME, TTL
from credentials.verifier import Verifier
from credentials.vocabulary import INVALID, SUSPENDED, VALID
from signing.base64url import encode_base64url
from signing.jose import dump_json
from signing.policy import Policy
from signing.reasons import Reason
from verify_api.documents import Material
from wallet.copies import read_copy
from wallet.judge import Grounds, Judge
from yinxin.app.refresh import Refresher
from yinxin.base.errors import Unreachable
from yinxin.base.outbound import Response
from yinxin.base.settings import Settings

if TYPE_CHECKING:
    from world.pki import Pki

AGGREGATION = "https://licences.jincheng.example/status"
STEP = timedelta(seconds=5)
ROUND = timedelta(seconds=Settings().refresh_seconds)
REVOKED, STALE = {Reason.CREDENTIAL_REVOKED}, {Reason.STATUS_STALE}


@dataclass
class Lists(MdocWorld):
    """The agency, the way to its status lists, and a home as far as a refresh looks at it."""

    settings: Settings = field(default_factory=lambda: Settings(status_urls=(AGGREGATION,)))
    policy: Policy = field(default_factory=Policy.default)
    credential_issuers: Any = None
    is_away: bool = False
    says_unchanged: bool = False
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.outbound = self
        self.claims = self.licence()
        place = self.claims["status"]["status_list"]
        self.sd_jwt = self.issue(self.claims)
        self.mdoc = self.issue_mdoc(status=(place["uri"], place["idx"]))

    def key_names(self) -> list[str]:
        return []

    def get(self, url: str, *, headers: Any = None, max_bytes: int) -> Response:
        self.asked.append(url)
        if self.is_away:
            raise Unreachable(url)
        if headers and self.says_unchanged and "If-None-Match" in headers:
            return Response(304, {}, b"")
        if url == AGGREGATION:
            body = dump_json({"status_lists": self.statuses.uris()})
        else:
            body = self.statuses.token(url).encode()
        assert len(body) <= max_bytes
        return Response(200, {"etag": f'"{len(self.asked)}"'} if self.says_unchanged else {}, body)


class Service:
    """What a verification service stands on: snapshots that its refresher makes anew each round."""

    def __init__(self, lists: Lists) -> None:
        self._lists, self._refresher = lists, Refresher(lists)  # type: ignore[arg-type]  # all that it looks at
        self._material, self._next = Material(self._refresher.snapshots()), lists.clock.now() + ROUND

    def look(self) -> tuple[set[Reason], set[Reason]]:
        """What is to be said against the SD-JWT VC and the mdoc."""
        now = self._lists.clock.now()
        if now >= self._next:
            self._material, self._next = Material(self._refresher.snapshots()), now + ROUND
        sd_jwt = self._material.verifier.verify(self._lists.sd_jwt, require_key_binding=False, now=now)
        mdoc = self._material.mdoc_verifier.verify_issued(self._lists.mdoc, now=now)
        return set(sd_jwt.reasons), set(mdoc.reasons)


class Patient(Service):
    """A verifier that lets a list serve longer while its server is away."""

    grace = timedelta(minutes=10)

    def look(self) -> tuple[set[Reason], set[Reason]]:
        super().look()
        kept, now = self._material.snapshots, self._lists.clock.now()
        stands: dict[str, Any] = {"statuses": kept.statuses, "revocation": kept.revocation}
        stands |= {"status_grace": self.grace}
        sd_jwt = Verifier(kept.trust, **stands).verify(self._lists.sd_jwt, require_key_binding=False, now=now)
        mdoc = MdocVerifier(kept.trust, **stands).verify_issued(self._lists.mdoc, now=now)
        return set(sd_jwt.reasons), set(mdoc.reasons)


class Wallet:
    """A wallet that looks at what it holds."""

    def __init__(self, lists: Lists) -> None:
        self._lists = lists
        self._judge = Judge(self._grounds(), lists, clock=lists.clock)  # type: ignore[arg-type]  # the same
        self._sd_jwt = read_copy(lists.sd_jwt)
        self._mdoc = read_copy(encode_base64url(lists.mdoc), "mso_mdoc")

    def look(self) -> tuple[set[Reason], set[Reason]]:
        """As above."""
        self._judge.use(self._grounds())
        return set(self._judge.examine(self._sd_jwt).reasons), set(self._judge.examine(self._mdoc).reasons)

    def _grounds(self) -> Grounds:
        return Grounds(self._lists.trust, self._lists.revocation, self._lists.policy)


@pytest.fixture
def lists(pki: Pki) -> Lists:
    return Lists(pki)


def until(
    lists: Lists, seer: Service | Wallet, wanted: set[Reason], *, within: timedelta, step: timedelta = STEP
) -> timedelta:
    """How long it took by the clock until both forms have these reasons; passing until then."""
    begun = lists.clock.now()
    while (seen := seer.look()) != (wanted, wanted):
        assert seen == (set(), set()), seen
        assert lists.clock.now() - begun < within, f"not seen within {within}"
        lists.clock.advance(step)
    return lists.clock.now() - begun


@pytest.mark.parametrize("kind", [Service, Wallet])
@pytest.mark.parametrize("offset", range(0, 60, 15))
def test_a_revocation_is_seen_within_the_ttl(lists: Lists, kind: type[Service | Wallet], offset: int) -> None:
    """Wherever in the round of the verifier it happens."""
    seer = kind(lists)
    assert seer.look() == (set(), set())
    for _ in range(offset // 5):
        lists.clock.advance(STEP)
        assert seer.look() == (set(), set())
    lists.set_status(lists.claims, INVALID)
    until(lists, seer, REVOKED, within=TTL)


@pytest.mark.parametrize("kind", [Service, Wallet])
def test_a_suspension_is_seen_and_so_is_its_end(lists: Lists, kind: type[Service | Wallet]) -> None:
    seer = kind(lists)
    assert seer.look() == (set(), set())
    lists.set_status(lists.claims, SUSPENDED)
    until(lists, seer, {Reason.CREDENTIAL_SUSPENDED}, within=TTL)
    lists.set_status(lists.claims, VALID)
    lists.clock.advance(TTL)
    assert seer.look() == (set(), set())


@pytest.mark.parametrize("kind", [Service, Wallet])
def test_a_list_whose_server_is_away_serves_for_its_ttl_and_no_longer(
    lists: Lists, kind: type[Service | Wallet]
) -> None:
    seer = kind(lists)
    assert seer.look() == (set(), set())
    lists.is_away = True
    lists.set_status(lists.claims, INVALID)  # which nobody hears of
    assert until(lists, seer, STALE, within=TTL) == TTL
    lists.clock.advance(LIFETIME)
    assert seer.look() == (STALE, STALE)
    lists.is_away = False
    lists.clock.advance(TTL)
    assert seer.look() == (REVOKED, REVOKED)


def test_a_grace_stretches_the_ttl_by_what_it_says(lists: Lists) -> None:
    seer = Patient(lists)
    assert seer.look() == (set(), set())
    lists.is_away = True
    assert until(lists, seer, STALE, within=TTL + Patient.grace, step=12 * STEP) == TTL + Patient.grace


def test_no_grace_stretches_the_end_of_a_list(lists: Lists, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Patient, "grace", 10 * LIFETIME)
    seer = Patient(lists)
    assert seer.look() == (set(), set())
    lists.is_away = True
    assert until(lists, seer, STALE, within=LIFETIME, step=12 * STEP) == LIFETIME


def test_somebody_on_the_way_who_says_unchanged_for_ever_wins_no_more_than_the_lifetime(lists: Lists) -> None:
    """An answer 304 lets the list at hand be kept anew, never past the end that its issuer signed."""
    lists.says_unchanged = True
    seer = Service(lists)
    assert seer.look() == (set(), set())
    lists.set_status(lists.claims, INVALID)
    assert until(lists, seer, STALE, within=LIFETIME, step=12 * STEP) <= LIFETIME


def test_what_was_seen_to_be_revoked_stays_so_while_the_server_is_away(lists: Lists) -> None:
    lists.set_status(lists.claims, INVALID)
    seers = (Service(lists), Wallet(lists))
    assert {seer.look() == (REVOKED, REVOKED) for seer in seers} == {True}
    lists.is_away = True
    lists.clock.advance(2 * LIFETIME)
    assert {seer.look() == (REVOKED, REVOKED) for seer in seers} == {True}
