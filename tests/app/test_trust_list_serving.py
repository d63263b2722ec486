"""The list that an installation goes by: newer ones are taken, others refused, the last good one serves."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from world.pki import NOON, TestAuthority

from signing.signers.file import FileSigner
from signing.trust import TrustAnchor, TrustStore
from signing.trust_list import Freshness, TrustList, TrustRoot, sign_content
from signing.trust_list.contents import LIST_TYPE
from signing.trust_list.roots import ROOT_TYPE
from yinxin.app.home import Home
from yinxin.app.network import Fetched
from yinxin.app.refresh import Refresher
from yinxin.app.trust_lists import FOLDER, LIST, ListKeeper
from yinxin.base.clock import FixedClock
from yinxin.base.errors import Unreachable, UsageError
from yinxin.base.settings import Settings
from yinxin.base.text import Text

if TYPE_CHECKING:
    from pathlib import Path

DAY = timedelta(days=1)
PLACE = "https://trust.city.example/lists/list.json"
LI, WANG, ZHAO, CHEN = (FileSigner.generate() for _ in range(4))
CITY = TestAuthority("城市根").certificate


def root(*keys: FileSigner, version: int = 1, end: datetime = NOON + 300 * DAY) -> TrustRoot:
    return TrustRoot("city", version, 2, tuple(key.public_key for key in keys), end)


def signed_root(content: TrustRoot, *signers: FileSigner) -> bytes:
    return sign_content(content.to_content(), ROOT_TYPE, signers)


def a_list(
    version: int,
    *,
    root_version: int = 1,
    since: datetime = NOON,
    signers: tuple[FileSigner, ...] = (LI, WANG),
) -> bytes:
    anchor = TrustAnchor(CITY, frozenset({"seal"}), Text("城市根", "city root"))
    listed = TrustList("city", version, root_version, since - DAY, since + DAY, (anchor,), ())
    return sign_content(listed.to_content(), LIST_TYPE, signers)


FIRST = root(LI, WANG, ZHAO)


class City:
    """Where the list is published, and a home that goes by it."""

    def __init__(self, folder: Path) -> None:
        (folder / "trust-root.json").write_bytes(signed_root(FIRST, LI, WANG))
        TrustStore([TestAuthority("Own root").certificate]).save(folder / "trust")
        settings = Settings(
            trust_list=PLACE,
            trust_list_root=folder / "trust-root.json",
            trust_directory=folder / "trust",
        )
        self.clock = FixedClock(2026, 11, 20, 12)
        self.home = Home(folder, settings, clock=self.clock)
        self.pages: dict[str, bytes] = {}
        self.keeper = self.started()

    def go_to(self, when: datetime) -> None:
        self.clock.advance(when - self.clock.now())

    def started(self) -> ListKeeper:
        return ListKeeper(self.home, self.get, writes=True)

    def get(self, url: str, _limit: int) -> tuple[bytes, datetime]:
        if url not in self.pages:
            raise Unreachable(url)
        return self.pages[url], self.clock.now()

    def publish(self, content: bytes, name: str = "list.json") -> None:
        self.pages[PLACE.replace("list.json", name)] = content

    def version(self, keeper: ListKeeper | None = None) -> int | None:
        serving = (keeper or self.keeper).take()
        assert serving is not None
        return serving.listed.version if serving.listed else None


@pytest.fixture
def city(tmp_path: Path) -> City:
    return City(tmp_path)


def test_newer_lists_are_taken_and_older_ones_refused(city: City) -> None:
    assert city.version() is None
    city.publish(a_list(1))
    assert (city.version(), city.keeper.problem) == (1, "")
    city.publish(a_list(3))
    assert city.version() == 3
    city.publish(a_list(2))
    assert city.version() == 3
    assert "older" in city.keeper.problem
    city.publish(a_list(3, since=NOON - timedelta(hours=1)))
    assert city.version() == 3


@pytest.mark.parametrize(
    "bad",
    [
        a_list(9)[:-40],
        b"",
        a_list(9, signers=(LI,)),
        a_list(9, signers=(LI, CHEN)),
        a_list(9, since=NOON - 3 * DAY),
        a_list(9, since=NOON + 3 * DAY),
        a_list(9, root_version=2),
    ],
    ids=["half", "nothing", "one of two", "a stranger", "ended", "future", "another root"],
)
def test_a_bad_list_leaves_the_last_good_one(city: City, bad: bytes) -> None:
    city.publish(a_list(4))
    assert city.version() == 4
    city.publish(bad)
    assert city.version() == 4
    assert city.keeper.problem


def test_a_list_that_is_away_serves_through_its_grace(city: City) -> None:
    city.publish(a_list(4))
    city.version()
    city.pages.clear()
    ages = []
    for days in (0, 1, 3, 4):
        city.go_to(NOON + days * DAY)
        serving = city.keeper.take()
        assert serving is not None
        ages.append((serving.freshness(city.clock.now()), len(serving.trust(city.clock.now()))))
    assert ages == [(Freshness.FRESH, 1), (Freshness.STALE, 1), (Freshness.STALE, 1), (Freshness.OVER, 0)]


def test_a_restart_forgets_nothing(city: City) -> None:
    city.publish(a_list(4))
    city.version()
    city.publish(a_list(3))
    assert city.version(city.started()) == 4
    city.pages.clear()
    assert city.version(city.started()) == 4
    assert city.version(ListKeeper(city.home)) == 4  # a command that fetches nothing


def test_processes_of_one_home_take_the_newest_that_any_of_them_had(city: City) -> None:
    city.publish(a_list(4))
    other = city.started()
    city.version(other)
    city.publish(a_list(6))
    city.version(other)
    city.publish(a_list(5))  # a mirror that is behind
    assert city.version() == 6
    city.pages.clear()
    assert city.version(city.started()) == 6


def test_a_kept_list_that_was_changed_is_not_used(city: City, tmp_path: Path) -> None:
    city.publish(a_list(4))
    city.version()
    (tmp_path / FOLDER / LIST).write_bytes(a_list(99, signers=(LI, CHEN)))
    city.pages.clear()
    assert city.version(city.started()) is None


def test_the_offices_keys_change_and_the_old_ones_end(city: City) -> None:
    city.publish(a_list(1))
    city.version()
    second, third = root(WANG, ZHAO, CHEN, version=2), root(ZHAO, CHEN, version=3)
    city.publish(signed_root(second, LI, WANG, ZHAO), "root-2.json")
    city.publish(signed_root(third, ZHAO, CHEN), "root-3.json")
    city.publish(a_list(2, root_version=3, signers=(ZHAO, CHEN)))
    assert city.version() == 2
    city.publish(a_list(5, signers=(LI, WANG)))
    assert city.version() == 2
    city.pages.clear()
    assert city.version(city.started()) == 2


def test_a_root_that_too_few_signed_changes_nothing(city: City) -> None:
    city.publish(a_list(1))
    city.publish(signed_root(root(ZHAO, CHEN, version=2), ZHAO, CHEN), "root-2.json")
    assert city.version() == 1
    assert "1 of the 2 keys" in city.keeper.problem
    city.publish(a_list(2, root_version=2, signers=(ZHAO, CHEN)))
    assert city.version() == 1


def test_a_list_of_the_former_root_has_no_grace(city: City) -> None:
    """Keys may have been replaced because they were lost."""
    city.publish(a_list(1))
    city.version()
    city.publish(signed_root(root(WANG, ZHAO, CHEN, version=2), LI, WANG, ZHAO), "root-2.json")
    assert city.version() == 1
    city.go_to(NOON + DAY)
    serving = city.keeper.take()
    assert serving is not None
    assert serving.freshness(city.clock.now()) is Freshness.OVER


def test_a_root_that_ran_out_takes_nothing_new(tmp_path: Path) -> None:
    city = City(tmp_path)
    (tmp_path / "trust-root.json").write_bytes(signed_root(root(LI, WANG, end=NOON + DAY), LI, WANG))
    keeper = city.started()
    city.publish(a_list(1))
    assert city.version(keeper) == 1
    city.go_to(NOON + DAY)
    city.publish(a_list(2, since=NOON + DAY))
    assert city.version(keeper) == 1
    assert "ran out" in keeper.problem


def test_a_list_without_a_root_is_no_list(city: City) -> None:
    for settings in (
        replace(city.home.settings, trust_list_root=None),
        replace(city.home.settings, trust_list_root=city.home.directory / "nowhere.json"),
    ):
        with pytest.raises(UsageError, match="trust_list"):
            ListKeeper(Home(city.home.directory, settings))


def test_a_file_serves_as_well(city: City, tmp_path: Path) -> None:
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "list.json").write_bytes(a_list(6, root_version=2, signers=(ZHAO, CHEN)))
    second = signed_root(root(ZHAO, CHEN, version=2), LI, ZHAO, CHEN)
    (tmp_path / "given" / "root-2.json").write_bytes(second)
    home = Home(tmp_path, replace(city.home.settings, trust_list="given/list.json"), clock=city.clock)
    assert city.version(ListKeeper(home)) == 6


def test_its_anchors_stand_beside_those_of_the_folder(city: City) -> None:
    class Pages:
        def get(self, url: str, limit: int) -> Fetched:
            return Fetched(*city.get(url, limit))

    refresher = Refresher(city.home, source=Pages())
    assert len(refresher.snapshots().trust) == 1
    city.publish(a_list(1))
    found = refresher.snapshots()
    assert CITY in found.trust
    assert (len(found.trust), found.issuers) == (2, None)
    assert found.trust_list is not None
    assert found.trust_list.listed is not None
    city.go_to(NOON + 9 * DAY)
    assert CITY not in refresher.snapshots().trust
