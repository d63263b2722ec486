"""The job: rounds over one library, whose next state each of them puts in place."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from signing.policy import Policy
from signing.revocation import RevocationSnapshot
from yinxin.app.gathering.asking import Budget
from yinxin.app.gathering.library import MAX_HOSTS, MAX_ROWS
from yinxin.app.gathering.round import Question, Round

if TYPE_CHECKING:
    from collections.abc import Iterable

    from signing.certificates import Certificate
    from signing.trust import TrustStore
    from yinxin.app.gathering.asking import WayOut
    from yinxin.app.gathering.library import Library
    from yinxin.app.gathering.outcome import Outcome
    from yinxin.base.clock import Clock

UNWANTED_KEPT = timedelta(days=30)


class Gatherer:
    """Builds the next state of a library, round by round.

    `lists` are lists wanted whoever is at hand (the settings name them). `beside` is evidence that comes by
    another way: what it covers is not missing. The policy says how old evidence may be.
    """

    def __init__(  # noqa: PLR0913 - the library, the world, and what is wanted
        self,
        library: Library,
        trust: TrustStore,
        way: WayOut,
        *,
        clock: Clock,
        policy: Policy | None = None,
        lists: Iterable[str] = (),
        beside: RevocationSnapshot | None = None,
    ) -> None:
        """Nothing is asked yet."""
        self._library = library
        self._trust = trust
        self._way = way
        self._clock = clock
        self._policy = policy or Policy.default()
        self._lists = tuple(lists)
        self._beside = beside or RevocationSnapshot()

    def run(
        self,
        certificates: Iterable[Certificate] = (),
        *,
        everything: bool = False,
        budget: Budget | None = None,
    ) -> Outcome:
        """Ask for what is due (`everything`: also for what is not) and put the next state in place.

        What cannot be had is in the outcome, and stays as it was. Raises only what the folder raises.
        """
        with self._library.locked():
            work = self._round(certificates, budget or Budget(), everything=everything)
            work.run()
            found = work.outcome()
            self._save(work, found)
            return found

    def plan(self, certificates: Iterable[Certificate] = ()) -> Outcome:
        """What a round would ask now. Nothing is asked and nothing is written."""
        work = self._round(certificates, Budget(requests=0), everything=False)
        work.run()
        return work.outcome()

    def _round(self, certificates: Iterable[Certificate], budget: Budget, *, everything: bool) -> Round:
        given = (*certificates, *self._library.seen())
        now = self._clock.now()
        question = Question(
            self._trust, given, self._lists, self._policy, self._beside, now, everything=everything
        )
        return Round(question, self._library.read(), self._way, budget)

    def _save(self, work: Round, found: Outcome) -> None:
        now, today = work.question.now, work.question.now.date().isoformat()
        oldest = (now - UNWANTED_KEPT).date().isoformat()
        for key in work.needed() & work.rows.keys():
            work.rows[key] = replace(work.rows[key], wanted_on=today)
        rows = [row for row in work.rows.values() if row.wanted_on >= oldest]
        rows.sort(key=lambda row: (row.wanted_on, row.key), reverse=True)
        hosts = {name: host for name, host in work.hosts.items() if host.until > now - UNWANTED_KEPT}
        named = sorted(hosts, key=lambda name: (hosts[name].until, name), reverse=True)[:MAX_HOSTS]
        kept = {name: hosts[name] for name in named}
        missing = sorted({one.certificate.common_name for one in found.missing})
        self._library.write(rows[:MAX_ROWS], kept, work.bodies, missing=missing, at=now)
        self._library.forget(work.hopeless(self._library.seen()))
