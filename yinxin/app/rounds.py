"""Rounds of gathering for one home: whose evidence is gathered, and by which way.

A round is a job of its own, run by `yinxin gather` or beside a service; what it leaves in the home's folder
`gathered` is what verification reads.
"""

from __future__ import annotations

import logging
import os
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from signing.trust import TrustStore
from verify_api.mdocs import certificates_in
from yinxin.app.gathering.asking import Budget
from yinxin.app.gathering.gatherer import Gatherer
from yinxin.app.gathering.hand import AtHand
from yinxin.app.gathering.library import Library
from yinxin.app.home import way_out
from yinxin.app.network import Network
from yinxin.app.repeating import repeat
from yinxin.app.trust_lists import ListKeeper, stands_on
from yinxin.base.clock import SystemClock
from yinxin.base.errors import YinxinError
from yinxin.base.files import read_file
from yinxin.base.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from signing.certificates import Certificate
    from signing.policy import Policy
    from yinxin.app.gathering.asking import WayOut
    from yinxin.app.gathering.library import Gathered
    from yinxin.app.gathering.outcome import Outcome
    from yinxin.app.home import Home
    from yinxin.app.wiring import Stage
    from yinxin.base.clock import Clock

MAX_HEARD = 4096
SOON_SECONDS = 60.0
PATIENCE_SECONDS = 20.0  # for one request: a large list from far away, and nobody waits
_log = logging.getLogger("yinxin.gathering")


def gather(
    home: Home,
    certificates: Iterable[Certificate] = (),
    *,
    everything: bool = False,
    budget: Budget | None = None,
    way: WayOut | None = None,
) -> Outcome:
    """One round for the home; `certificates` are remembered and gathered for from now on."""
    _take_trust_list(home)
    home.library.note(certificates)
    return _gatherer(home, way).run(own_certificates(home), everything=everything, budget=budget)


def plan(home: Home, certificates: Iterable[Certificate] = ()) -> Outcome:
    """What a round would ask now; nothing is asked, nothing is written."""
    return _gatherer(home, None).plan((*own_certificates(home), *certificates))


def without_home(
    folder: Path, trust: TrustStore, settings: Settings, *, clock: Clock, policy: Policy | None = None
) -> Gatherer:
    """Gathers into a folder of its own, for who verifies with nothing but files."""
    way = way_out(settings, at_least_seconds=PATIENCE_SECONDS)
    return Gatherer(Library(folder), trust, way, clock=clock, policy=policy, lists=settings.crl_urls)


def evidence_for(
    files: Iterable[Path], *, gathers: bool, folder: Path | None, home: Home | None, trust: Path | None
) -> Gathered | None:
    """What was gathered for a look at these files, beside what their home has; nothing is verified here.

    With `gathers` it is fetched now: into the home, or into `folder`, or else it is not kept.
    """
    certificates = [one for file in files for one in certificates_in(read_file(file))] if gathers else []
    if gathers and home and not folder:
        gather(home, certificates, budget=_waited_for())
        return None if trust is None else home.library.read()
    if not gathers:
        return Library(folder).read() if folder else None
    with ExitStack() as closing:
        place = folder or Path(closing.enter_context(TemporaryDirectory(prefix="yinxin-")))
        settings = home.settings if home else Settings.load(None, os.environ)
        store = TrustStore.load(trust) if trust else home.trust if home else TrustStore(())
        clock = home.clock if home else SystemClock()
        without_home(place, store, settings, clock=clock).run(certificates, budget=_waited_for())
        return Library(place).read()


def _waited_for() -> Budget:
    """What a round may spend that somebody waits for."""
    return Budget(requests=100, seconds=60.0)


def repeat_rounds(home: Home, stage: Stage) -> None:
    """Beside a service, as often as its settings say; the first a minute after its start."""
    every = home.settings.gather_seconds
    if every > 0:
        repeat(
            stage, "gather", lambda: gather(home), every_seconds=every, first_seconds=min(every, SOON_SECONDS)
        )


class Notes:
    """Hears whose revocation data were missing, and has them gathered from now on.

    Only what leads to an anchor of the home is noted, and each certificate once in a while: when lists are
    out of date, every verification tells of the same ones.
    """

    def __init__(self, home: Home) -> None:
        """Nothing was heard yet."""
        self._home = home
        self._heard: set[str] = set()

    def __call__(self, certificates: Iterable[Certificate]) -> None:
        """Note those that were not heard of before."""
        fresh = [one for one in certificates if one.fingerprint not in self._heard]
        if not fresh:
            return
        if len(self._heard) > MAX_HEARD:
            self._heard.clear()
        self._heard.update(one.fingerprint for one in fresh)
        try:
            hand = AtHand(stands_on(self._home).trust, fresh)
            self._home.library.note(certificate for certificate, _issuer in hand.rooted)
        except YinxinError as error:
            _log.warning("certificates were not noted: %s", error.code)


def own_certificates(home: Home) -> list[Certificate]:
    """The certificates that the home stands on: its keys', renewed ones too, and other agencies' that it knows."""
    chains = [chain for name in home.key_names() for chain in home.every_chain(name)]
    chains += [entry.chain for entry in home.issuer_certificates.entries]
    return list(dict.fromkeys(certificate for chain in chains for certificate in chain))


def _gatherer(home: Home, way: WayOut | None) -> Gatherer:
    return Gatherer(
        home.library,
        stands_on(home).trust,
        way or way_out(home.settings, at_least_seconds=PATIENCE_SECONDS),
        clock=home.clock,
        policy=home.policy,
        lists=home.settings.crl_urls,
        beside=home.own_revocation,
    )


def _take_trust_list(home: Home) -> None:
    """The newest trust list first: what its anchors vouch for is gathered in the same round."""
    network = Network(home)

    def get(url: str, limit: int) -> tuple[bytes, datetime]:
        found = network.get(url, limit)
        return found.body, found.at

    ListKeeper(home, get, writes=True).take()
