"""What lists and answers together say about one certificate at one time.

A snapshot is immutable and content-addressed. The question has a time, and evidence of a later day also
answers for an earlier one: who was revoked on Tuesday was good on Monday. A revocation once seen is never
taken back, but for a hold (RFC 5280, 5.3.1), where the newest word counts.
"""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from cryptography import x509

from signing.names import name_key
from signing.revocation.points import EVERY_REASON, list_issuers_of
from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from signing.certificates import Certificate
    from signing.names import NameKey
    from signing.revocation.crl import Crl
    from signing.revocation.ocsp import OcspAnswer, SingleAnswer

    ListSigners = Callable[[NameKey], Iterable[Certificate]]
    Accepts = Callable[["Crl | OcspAnswer", Certificate], bool]

# Evidence that names no next update (RFC 6960, 4.2.2.1: newer is always to be had) speaks this long.
WITHOUT_NEXT_UPDATE = timedelta(hours=1)
MAX_REMEMBERED = 4096
HOLD, REMOVED = "certificate_hold", "remove_from_crl"
HOLD_BIT = 6  # of the reasons that a list may be about (RFC 5280, 4.2.1.13)
# RFC 3161, 4 and EN 319 102-1, 5.6.2.2: the key itself is in nobody else's hands.
ORDERLY_ENDINGS = frozenset({"affiliation_changed", "superseded", "cessation_of_operation"})
_NO_TIME, _NO_END = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


class RevocationState(StrEnum):
    """What is known of a certificate at the time asked about."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class RevocationStatus:
    """The answer. `as_of` is the age of its evidence and `source` names it by hash.

    `revoked_at` is the moment from which the certificate does not hold (the invalidity date, where a list
    gives an earlier one); it also stands beside `good` when the revocation came after the time asked about.
    `since_is_stated` says that this moment is an invalidity date: the authority itself says that the key was
    good before. `turning_points` are the moments at which the answer may be another: asked about a time, or
    knowing evidence up to a time, on the other side of one of them.
    """

    state: RevocationState
    revoked_at: datetime | None = None
    reason: str | None = None
    as_of: datetime | None = None
    source: str = ""
    detail: str = ""
    since_is_stated: bool = False
    turning_points: tuple[datetime, ...] = field(default=(), compare=False, repr=False)

    @property
    def is_on_hold(self) -> bool:
        """Whether it is revoked for the time being only."""
        return self.state is RevocationState.REVOKED and self.reason == HOLD

    @property
    def is_compromised(self) -> bool:
        """Whether its key may be in other hands: it is revoked at any time, and no reason says otherwise."""
        return self.revoked_at is not None and self.reason not in ORDERLY_ENDINGS | {HOLD}


@dataclass(frozen=True, slots=True)
class _Word:
    """One piece of verified evidence about the certificate."""

    this_update: datetime
    next_update: datetime
    revoked_at: datetime | None
    reason: str | None
    source: str
    reasons: frozenset[int] = EVERY_REASON
    is_delta: bool = False
    since_is_stated: bool = False
    expired_kept_since: datetime | None = None
    is_removal: bool = False

    @property
    def speaks_of_holds(self) -> bool:
        """Whether its silence lifts a hold: not that of a delta, or of a list about other reasons."""
        is_silent = self.is_delta or HOLD_BIT not in self.reasons
        return self.revoked_at is not None or self.is_removal or not is_silent

    @property
    def is_complete(self) -> bool:
        """Whether its silence speaks for every reason."""
        return not self.is_delta and self.reasons == EVERY_REASON

    @property
    def moments(self) -> tuple[datetime, ...]:
        """When what it says begins and ends to count."""
        both = (self.this_update, self.next_update)
        return (*both, self.revoked_at) if self.revoked_at else both

    def speaks_for(self, certificate: Certificate, at: datetime) -> bool:
        """Whether "not revoked" in this evidence holds at that time."""
        if self.this_update <= at:
            return at <= self.next_update
        # A list may drop certificates that are out of date (RFC 5280, 3.3), so later silence proves nothing,
        # unless it says since when it keeps them.
        return certificate.not_after >= min(self.this_update, self.expired_kept_since or self.this_update)


class RevocationSnapshot:
    """An immutable set of lists and answers; signatures are checked when they are used."""

    def __init__(self, crls: Iterable[Crl] = (), ocsp: Iterable[OcspAnswer] = ()) -> None:
        """Keep evidence; order and repetition mean nothing."""
        self.crls = tuple(sorted(set(crls), key=lambda crl: crl.fingerprint))
        self.ocsp = tuple(sorted(set(ocsp), key=lambda answer: answer.fingerprint))
        self._signed: dict[tuple[str, str], bool] = {}
        self._responders: dict[tuple[str, str], tuple[Certificate, datetime]] = {}

    @cached_property
    def snapshot_id(self) -> str:
        """SHA-256 over the evidence, in hex."""
        digests = [f"crl {crl.fingerprint}" for crl in self.crls]
        digests += [f"ocsp {answer.fingerprint}" for answer in self.ocsp]
        return hashlib.sha256("\n".join(["yinxin revocation 1", *digests]).encode()).hexdigest()

    def status(  # noqa: PLR0913 - every fact that a verdict depends on comes in by the door
        self,
        certificate: Certificate,
        issuer: Certificate,
        *,
        at: datetime,
        known_at: datetime | None = None,
        list_signers: ListSigners | None = None,
        accepts: Accepts | None = None,
    ) -> RevocationStatus:
        """What is known of `certificate`, which `issuer` issued, at the time `at`.

        With `known_at`, evidence made after that moment is left aside. `list_signers` gives, for a name, the
        certificates beside the issuer's that may sign its lists or indirect ones (RFC 5280, 6.3.3 (f)); the
        caller has validated them. `accepts` says whether the signature on a list or an answer, by that
        signer, is good enough to clear anybody; a revocation counts in any case. Never raises for hostile
        evidence.
        """
        words = self._words(certificate, issuer, list_signers or _nobody)
        found = tuple(
            word
            for word, evidence, signer in words
            if word.revoked_at or accepts is None or accepts(evidence, signer)
        )
        turns = {moment for word in found for moment in word.moments}
        answer = _answer(found, certificate, at, known_at)
        object.__setattr__(answer, "turning_points", tuple(sorted(turns)))  # made here, and nowhere seen yet
        return answer

    def merged_with(self, other: RevocationSnapshot) -> RevocationSnapshot:
        """A snapshot with the evidence of both: what an archive kept and what a document carries."""
        return RevocationSnapshot(self.crls + other.crls, self.ocsp + other.ocsp)

    def about(self, path: Iterable[Certificate]) -> RevocationSnapshot:
        """What is here of the certificates of a path, leaf to anchor: what an archive has to keep of it."""
        certificates = list(path)
        names = {name for one in certificates for name in list_issuers_of(one)}
        crls = [crl for name in _in_order(names) for crl in self._crls_by_issuer.get(name, ())]
        answers = [
            answer
            for one, issuer in itertools.pairwise(certificates)
            for answer in self._ocsp_by_serial.get(one.serial, ())
            if answer.about(one, issuer)
        ]
        return RevocationSnapshot(crls, answers)

    def __repr__(self) -> str:
        return (
            f"RevocationSnapshot({len(self.crls)} lists, {len(self.ocsp)} answers, {self.snapshot_id[:16]})"
        )

    def _words(
        self, certificate: Certificate, issuer: Certificate, list_signers: ListSigners
    ) -> Iterator[tuple[_Word, Crl | OcspAnswer, Certificate]]:
        names = _in_order(list_issuers_of(certificate))
        for crl in (crl for name in names for crl in self._crls_by_issuer.get(name, ())):
            try:
                found = self._word_of_crl(crl, certificate, issuer, list_signers)
            except MalformedInput:  # an entry that does not parse: the list is no evidence
                continue
            if found:
                yield found[0], crl, found[1]
        for answer in self._ocsp_by_serial.get(certificate.serial, ()):
            single = answer.about(certificate, issuer)
            if single and single.status != "unknown":
                responder, end = self._responder(answer, issuer)
                if single.this_update <= end:
                    yield _word_of_answer(single, answer, end), answer, responder

    def _word_of_crl(
        self, crl: Crl, certificate: Certificate, issuer: Certificate, list_signers: ListSigners
    ) -> tuple[_Word, Certificate] | None:
        reasons = crl.reasons_for(certificate) if not crl.problem else frozenset()
        if not reasons:
            return None
        signer: Certificate | None = issuer
        if not self._is_genuine(crl, issuer):
            others = list_signers(crl.issuer_key)
            signer = next((other for other in others if self._is_genuine(crl, other)), None)
        if signer is None:
            return None
        entry = crl.lookup(certificate.serial, name_key(certificate.issuer_der))
        end = crl.next_update or crl.this_update + WITHOUT_NEXT_UPDATE
        since, reason, stated = None, None, False
        if entry and entry.reason != REMOVED:  # RFC 5280, 5.3.1: a hold that was lifted
            since, stated = _earliest(entry.revoked_at, entry.invalid_since)
            reason = entry.reason
        source = f"crl:{crl.fingerprint}"
        kept = crl.expired_kept_since
        is_removal = entry is not None and entry.reason == REMOVED
        word = _Word(
            crl.this_update, end, since, reason, source, reasons, crl.is_delta, stated, kept, is_removal
        )
        return word, signer

    def _is_genuine(self, crl: Crl, issuer: Certificate) -> bool:
        """Whether a list comes from the issuer; a signature is checked once."""
        key = (crl.fingerprint, issuer.fingerprint)
        if key not in self._signed:
            if len(self._signed) >= MAX_REMEMBERED:
                self._signed.clear()
            self._signed[key] = _is_signed_list(crl, issuer)
        return self._signed[key]

    def _responder(self, answer: OcspAnswer, issuer: Certificate) -> tuple[Certificate, datetime]:
        """Who signed an answer, and up to when they have a word about the issuer's; checked once."""
        key = (answer.fingerprint, issuer.fingerprint)
        if key not in self._responders:
            if len(self._responders) >= MAX_REMEMBERED:
                self._responders.clear()
            self._responders[key] = self._find_responder(answer, issuer)
        return self._responders[key]

    def _find_responder(self, answer: OcspAnswer, issuer: Certificate) -> tuple[Certificate, datetime]:
        """A responder dates its answers itself: who has its key after its end could write any earlier day."""
        responder = answer.responder_for(issuer)
        if responder is None:
            return issuer, _NO_TIME
        if responder == issuer:  # whose path is validated
            return issuer, _NO_END
        if responder.extension(x509.OCSPNoCheck):
            return responder, responder.not_after
        # RFC 6960, 4.2.2.2.1: without no-check, a responder whose revocation is known has no authority.
        status = RevocationSnapshot(self.crls).status(responder, issuer, at=answer.produced_at)
        if status.revoked_at is None:
            return responder, responder.not_after
        is_orderly = status.reason in ORDERLY_ENDINGS
        return responder, min(responder.not_after, status.revoked_at) if is_orderly else _NO_TIME

    @cached_property
    def _crls_by_issuer(self) -> dict[NameKey, list[Crl]]:
        index: dict[NameKey, list[Crl]] = {}
        for crl in self.crls:
            index.setdefault(name_key(crl.issuer_der), []).append(crl)
        return index

    @cached_property
    def _ocsp_by_serial(self) -> dict[int, list[OcspAnswer]]:
        index: dict[int, list[OcspAnswer]] = {}
        for answer in self.ocsp:
            for serial in {single.serial for single in answer.singles}:
                index.setdefault(serial, []).append(answer)
        return index


def _in_order(names: Collection[NameKey]) -> Collection[NameKey]:
    """Names in one order, in every process."""
    if len(names) < 2:
        return names
    return sorted(names, key=lambda name: [sorted(part) for part in name])


def _is_signed_list(crl: Crl, issuer: Certificate) -> bool:
    bits = issuer.extension(x509.KeyUsage)
    return (bits is None or bits.value.crl_sign) and crl.is_signed_by(issuer)


def _word_of_answer(single: SingleAnswer, answer: OcspAnswer, last: datetime) -> _Word:
    end = min(last, single.next_update or single.this_update + WITHOUT_NEXT_UPDATE)
    source = f"ocsp:{answer.fingerprint}"
    if single.status != "revoked" or single.revoked_at is None:
        kept = single.expired_kept_since
        return _Word(single.this_update, end, None, None, source, expired_kept_since=kept)
    since, stated = _earliest(single.revoked_at, single.invalid_since)
    return _Word(single.this_update, end, since, single.reason, source, since_is_stated=stated)


def _earliest(revoked_at: datetime, invalid_since: datetime | None) -> tuple[datetime, bool]:
    """From when a revocation counts, and whether an invalidity date says so; a later one says nothing."""
    if invalid_since is None or invalid_since > revoked_at:
        return revoked_at, False
    return invalid_since, True


def _answer(
    found: tuple[_Word, ...], certificate: Certificate, at: datetime, known_at: datetime | None
) -> RevocationStatus:
    words = [word for word in found if not known_at or word.this_update <= known_at]
    words.sort(key=lambda word: word.this_update, reverse=True)
    final = [word for word in words if word.revoked_at and word.reason != HOLD]
    if final:
        return _judged(min(final, key=lambda word: (word.revoked_at, word.this_update)), at)
    newest = next((word for word in words if word.speaks_of_holds), None)
    if newest and newest.revoked_at:  # on hold, by the newest word
        return _judged(newest, at)
    return _freshest([word for word in words if not word.is_delta], certificate, at)


def _judged(word: _Word, at: datetime) -> RevocationStatus:
    is_revoked = word.revoked_at is not None and word.revoked_at <= at
    state = RevocationState.REVOKED if is_revoked else RevocationState.GOOD
    return RevocationStatus(
        state,
        word.revoked_at,
        word.reason,
        word.this_update,
        word.source,
        since_is_stated=word.since_is_stated,
    )


def _nobody(_: NameKey) -> tuple[Certificate, ...]:
    return ()


def _freshest(words: list[_Word], certificate: Certificate, at: datetime) -> RevocationStatus:
    silent = [word for word in words if word.speaks_for(certificate, at)]
    for word in silent:
        if word.is_complete:
            return RevocationStatus(RevocationState.GOOD, as_of=word.this_update, source=word.source)
    if frozenset().union(*(word.reasons for word in silent)) >= EVERY_REASON:
        # Lists of some reasons each, which together leave none out (RFC 5280, 6.3.3 (l)).
        oldest = silent[-1]
        return RevocationStatus(RevocationState.GOOD, as_of=oldest.this_update, source=oldest.source)
    if words and words[0].next_update < at:
        newest = words[0]
        detail = f"the newest evidence ended {newest.next_update.isoformat()}"
        return RevocationStatus(
            RevocationState.STALE, as_of=newest.this_update, source=newest.source, detail=detail
        )
    return RevocationStatus(RevocationState.UNKNOWN, detail="no evidence speaks of this certificate")
