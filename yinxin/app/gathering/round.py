"""One round: ask what is due, take what is good, keep the rest as it was, and say what is missing."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from signing.places import places_of, places_of_list
from signing.revocation import Crl, OcspAnswer, RevocationSnapshot, RevocationState
from signing.revocation.snapshot import WITHOUT_NEXT_UPDATE
from yinxin.app.gathering import taking, timing
from yinxin.app.gathering.asking import ask, host_of
from yinxin.app.gathering.hand import AtHand
from yinxin.app.gathering.library import Host, Row
from yinxin.app.gathering.outcome import Item, Missing, Outcome, State
from yinxin.app.gathering.wants import (
    Kind,
    Want,
    answers_of,
    is_asked_about,
    merged,
    wants_of,
    wants_of_lists,
)
from yinxin.base.errors import Conflict, TooLarge, TooManyRequests, Unreachable, YinxinError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from signing.certificates import Certificate
    from signing.policy import Policy
    from signing.trust import TrustStore
    from yinxin.app.gathering.asking import Budget, Told, WayOut
    from yinxin.app.gathering.library import Gathered

MAX_PASSES = 6  # an issuer that was found has an issuer, lists and a responder of its own
HOPELESS = 8  # failures in a row after which a certificate without a path is forgotten
MAX_DETAIL = 200
_OPEN = frozenset({RevocationState.UNKNOWN, RevocationState.STALE})


@dataclass(frozen=True, slots=True)
class Question:
    """What a round is about. With `everything`, also what is not due is asked for."""

    trust: TrustStore
    given: tuple[Certificate, ...]
    lists: tuple[str, ...]
    policy: Policy
    beside: RevocationSnapshot
    now: datetime
    everything: bool


class Round:
    """A round at work: `rows` and `hosts` as they become, `bodies` that are new, keys that are `wanted`."""

    def __init__(self, question: Question, before: Gathered, way: WayOut, budget: Budget) -> None:
        self.question = question
        self.rows: dict[str, Row] = dict(before.rows)
        self.hosts: dict[str, Host] = dict(before.hosts)
        self.bodies: list[bytes] = []
        self.wanted: set[str] = set()
        self._lists: dict[str, Crl] = dict(before.lists)
        self._answers: dict[str, OcspAnswer] = dict(before.answers)
        self._issuers: dict[str, tuple[Certificate, ...]] = dict(before.issuers)
        self._way = way
        self._budget = budget
        self._items: dict[str, Item] = {}
        self._signers_wanted: dict[str, Want] = {}  # by the key of the list that waits for its signer
        self._snapshot: RevocationSnapshot | None = None
        self._hand = self._at_hand()

    def run(self) -> None:
        """Ask until nothing new is wanted: issuers lead to issuers, lists to delta lists and signers."""
        question = self.question
        for _ in range(MAX_PASSES):
            known = len(self._issuers), len(self._lists)
            wants = wants_of(self._hand, lists=question.lists, at=question.now)
            deltas = wants_of_lists(self._lists, wants)
            self._settle(merged([*wants, *deltas, *self._signers_wanted.values()]))
            self._settle(self._unanswered())
            if (len(self._issuers), len(self._lists)) == known:
                return
            self._hand = self._at_hand()
            self._try_again()

    def needed(self) -> set[str]:
        """The keys of all that somebody wants: what was asked for, and the issuers that helped."""
        helped = {one for one, _issuer in self._hand.rooted}
        return self.wanted | {key for key, bag in self._issuers.items() if not helped.isdisjoint(bag)}

    def outcome(self) -> Outcome:
        """What became of everything."""
        items = sorted(self._items.values(), key=lambda item: (item.kind, item.url, item.about))
        spent = self._budget
        return Outcome(tuple(items), tuple(self._missing()), self._hand.loose, spent.asked, spent.received)

    def hopeless(self, seen: Iterable[Certificate]) -> Iterator[Certificate]:
        """Those of the certificates that need nothing any more, or lead nowhere however often we asked."""
        loose = set(self._hand.loose)
        for certificate in seen:
            places = places_of(certificate).issuers
            row = self.rows.get(Want(Kind.ISSUER, places).key) if places else None
            nowhere = not places or (row is not None and row.failures >= HOPELESS)
            if certificate.not_after < self.question.now or (certificate in loose and nowhere):
                yield certificate

    def _try_again(self) -> None:
        """Lists whose signer is there by now."""
        for key in [key for key, want in self._signers_wanted.items() if want.key in self._issuers]:
            del self._items[key], self._signers_wanted[key]
            self.rows[key] = replace(self.rows[key], due=self.question.now)

    def _at_hand(self) -> AtHand:
        found = [one for bag in self._issuers.values() for one in bag]
        return AtHand(self.question.trust, self.question.given, found)

    def _settle(self, wants: Iterable[Want]) -> None:
        """Ask for each thing that was not settled yet in this round, the longest due first."""
        fresh = [want for want in wants if want.key not in self._items]
        fresh.sort(key=lambda want: (self._due(want) or self.question.now, want.key))
        for want in fresh:
            self.wanted.add(want.key)
            self._items[want.key] = self._settled(want)

    def _due(self, want: Want) -> datetime | None:
        row = self.rows.get(want.key)
        return row.due if row else None

    def _settled(self, want: Want) -> Item:
        question, row = self.question, self.rows.get(want.key)
        if row and row.due > question.now and not question.everything:
            return self._item(want, State.NOT_DUE)
        open_urls = [url for url in want.urls if question.everything or not self._is_in_peace(url)]
        if not open_urls:
            return self._item(want, State.IN_PEACE)
        problem = ""
        for url in open_urls:
            if self._budget.is_spent():
                return self._item(want, State.DUE)
            try:
                told = ask(self._way, want, url, row, budget=self._budget, now=question.now)
                is_new = self._take(want, url, told)
            except YinxinError as error:
                if isinstance(error, TooLarge) and self._budget.is_spent():
                    return self._item(want, State.DUE)  # too large for what was left of this round
                problem = f"{error.code}: {error.detail}"[:MAX_DETAIL]
                self._host_failed(url, error)
            else:
                self.hosts.pop(host_of(url), None)
                return self._item(want, State.TAKEN if is_new else State.UNCHANGED)
        self._failed(want, problem)
        return self._item(want, State.FAILED)

    def _is_in_peace(self, url: str) -> bool:
        host = self.hosts.get(host_of(url))
        return host is not None and host.until > self.question.now

    def _host_failed(self, url: str, error: YinxinError) -> None:
        """A host that does not answer is left in peace; one that answers nonsense is not: other things may be good."""
        name, now = host_of(url), self.question.now
        if not name or not isinstance(error, Unreachable | TooManyRequests):
            return
        failures = self.hosts[name].failures + 1 if name in self.hosts else 1
        until = timing.due_after_failure(name, failures, now=now)
        if isinstance(error, TooManyRequests):
            until = now + error.retry_after
        self.hosts[name] = Host(failures, until)

    def _failed(self, want: Want, problem: str) -> None:
        now, row = self.question.now, self.rows.get(want.key)
        row = row or Row(want.key, want.kind, now, now.date().isoformat())
        failures = row.failures + 1
        due = timing.due_after_failure(want.key, failures, now=now)
        self.rows[want.key] = replace(row, due=due, checked_at=now, failures=failures, problem=problem)

    def _take(self, want: Want, url: str, told: Told) -> bool:
        """Take what was told; True when it is new. Raises what stands against it."""
        before = self.rows.get(want.key)
        if told.body is None:  # not modified since
            assert before is not None  # noqa: S101 - only then that is an answer
            self._keep(want, before.digest, url, told)
            return False
        body = {Kind.ISSUER: self._take_issuers, Kind.ANSWER: self._take_answer}.get(
            want.kind, self._take_list
        )(want, told.body)
        digest = hashlib.sha256(body).hexdigest()
        is_new = before is None or before.digest != digest
        if is_new:
            self.bodies.append(body)
            self._snapshot = None
        self._keep(want, digest, url, told)
        return is_new

    def _keep(self, want: Want, digest: str, url: str, told: Told) -> None:
        now, before = self.question.now, self.rows.get(want.key)
        since, until = self._span(want)
        due = now + timing.ISSUERS_KEPT
        if since and until:
            due = timing.due_after(since, until, now=now, max_age=self.question.policy.max_revocation_age)
        taken_at = before.taken_at if before and before.digest == digest else now
        self.rows[want.key] = Row(
            want.key, want.kind, due, now.date().isoformat(), url, digest, taken_at, now, until,
            told.etag, told.modified,
        )  # fmt: skip

    def _span(self, want: Want) -> tuple[datetime | None, datetime | None]:
        """From when to when what is kept of it speaks."""
        found: Any = None
        if want.kind is Kind.ANSWER and want.issuer:
            found = self._answers[want.key].about(want.about[0], want.issuer)
        elif want.kind in {Kind.LIST, Kind.DELTA}:
            found = self._lists[want.key]
        if found is None:
            return None, None
        return found.this_update, found.next_update or found.this_update + WITHOUT_NEXT_UPDATE

    def _take_list(self, want: Want, body: bytes) -> bytes:
        kept = self._lists.get(want.key)
        if kept is not None and kept.der == body:
            return body
        crl = Crl.from_der(body)
        if want.kind is Kind.LIST and crl.is_delta:
            raise Conflict("a delta list in the place of a whole one")
        signers = self._hand.signers(crl.issuer_key)
        if not signers and (places := places_of_list(crl).issuers):
            self._signers_wanted[want.key] = Want(Kind.ISSUER, places, of_list=crl)
        taking.take_list(crl, kept=kept, signers=signers, about=want.about, latest=self._latest)
        self._lists[want.key] = crl
        return body

    def _take_answer(self, want: Want, body: bytes) -> bytes:
        assert want.issuer is not None  # noqa: S101 - an answer has one
        answer, kept = OcspAnswer.from_der(body), self._answers.get(want.key)
        taking.take_answer(
            answer, kept=kept, certificate=want.about[0], issuer=want.issuer, latest=self._latest
        )
        self._answers[want.key] = answer
        return body

    def _take_issuers(self, want: Want, body: bytes) -> bytes:
        found = taking.take_issuers(body, below=want.about, of_list=want.of_list)
        self._issuers[want.key] = found
        return b"".join(one.to_pem() for one in found)

    @property
    def _latest(self) -> datetime:
        return self.question.now + self.question.policy.clock_skew

    def _revocation(self) -> RevocationSnapshot:
        if self._snapshot is None:
            gathered = RevocationSnapshot(self._lists.values(), self._answers.values())
            self._snapshot = self.question.beside.merged_with(gathered)
        return self._snapshot

    def _state(
        self, certificate: Certificate, issuer: Certificate, known: RevocationSnapshot
    ) -> RevocationState:
        now = self.question.now
        status = known.status(certificate, issuer, at=now, list_signers=self._hand.signers)
        limit = self.question.policy.max_revocation_age
        is_old = limit is not None and status.as_of is not None and now - status.as_of > limit
        return RevocationState.STALE if is_old and status.state is RevocationState.GOOD else status.state

    def _unanswered(self) -> list[Want]:
        """Responders are asked about those of whom lists do not tell: a list tells nobody whom we ask about."""
        lists = RevocationSnapshot((*self.question.beside.crls, *self._lists.values()))
        return [
            want
            for want in answers_of(self._hand, self.question.now)
            if want.issuer and self._state(want.about[0], want.issuer, lists) in _OPEN
        ]

    def _missing(self) -> Iterator[Missing]:
        for certificate, issuer in self._hand.rooted:
            if is_asked_about(certificate, self.question.now):
                state = self._state(certificate, issuer, self._revocation())
                if state in _OPEN:
                    yield Missing(certificate, state)

    def _item(self, want: Want, state: State) -> Item:
        row = self.rows.get(want.key)
        url = row.url if row and row.url in want.urls else want.urls[0]
        hosts = [self.hosts[name] for name in map(host_of, want.urls) if name in self.hosts]
        due = min(host.until for host in hosts) if state is State.IN_PEACE else row.due if row else None
        return Item(
            want.kind, url, state, tuple(sorted({one.common_name for one in want.about})),
            row.problem if row else "", row.until if row else None, due,
        )  # fmt: skip
