"""The holder's wallet: keys, licences, presentations, activity log.

The pure library underneath every wallet of ours, command line and web. A credential that comes in must
be bound to a key made here and used for nothing else; what goes out is logged before it is handed over.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from credentials.claim_paths import ClaimPath, as_path, to_text
from credentials.dcql import MDOC, SD_JWT_VC
from credentials.oid4vp.responses import answer, decline
from credentials.oid4vp.vocabulary import ErrorCode
from credentials.sd_jwt import SdJwt
from wallet import contents as kept
from wallet.activity import Activity, ActivityKind, export_json
from wallet.answering import Answering, make_presentation, propose_answer
from wallet.contents import HeldLicence
from wallet.copies import read_copy
from wallet.exchange import Reply
from wallet.keys import HolderKey
from wallet.picks import Holding, Pick
from wallet.present import Proposal, fulfil, propose
from wallet.request import PresentationRequest
from wallet.store import SCRYPT_COST, Store
from yinxin.base.clock import Clock, SystemClock
from yinxin.base.errors import Conflict, NotPermitted, UsageError
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from credentials.copies import CopyForm
    from credentials.oid4vp.request_objects import VerifiedRequest
    from credentials.verifier import Verifier
    from signing.keys import PublicKey
    from wallet.copies import CopyReport, ReadCopy
    from wallet.sources import Arrival, Grant, Source
    from wallet.trusted import TrustedParties
    from yinxin.base.randomness import Randomness

__all__ = ["HeldLicence", "Holder"]
MAX_UNUSED_KEYS = 1000
_SELF = Text("本人选定", "chosen by the holder")


class Holder:
    """One person's or company's wallet."""

    def __init__(self, store: Store, *, clock: Clock | None = None, verifier: Verifier | None = None) -> None:
        """Keep the opened store. With a `verifier`, only credentials that it passes are received."""
        self._store = store
        self._clock = clock or SystemClock()
        self._verifier = verifier

    @classmethod
    def create(  # noqa: PLR0913 - what a new wallet needs, by the door
        cls,
        directory: str | Path,
        passphrase: str,
        *,
        clock: Clock | None = None,
        verifier: Verifier | None = None,
        randomness: Randomness | None = None,
        scrypt_cost: int = SCRYPT_COST,
    ) -> Holder:
        """Make a new wallet; `Conflict` when there is one in the directory."""
        store = Store.create(directory, passphrase, randomness=randomness, scrypt_cost=scrypt_cost)
        return cls(store, clock=clock, verifier=verifier)

    @classmethod
    def open(
        cls,
        directory: str | Path,
        passphrase: str,
        *,
        clock: Clock | None = None,
        verifier: Verifier | None = None,
    ) -> Holder:
        """Open a wallet; `NotFound`, `NotPermitted` (passphrase) and `MalformedInput` as for `Store.open`."""
        return cls(Store.open(directory, passphrase), clock=clock, verifier=verifier)

    def new_key(self) -> PublicKey:
        """A fresh key for one credential copy; the issuer binds the copy to it."""
        key, now = HolderKey.generate(), self._clock.now()

        def keep(contents: dict[str, Any]) -> None:
            if kept.unused_keys(contents) >= MAX_UNUSED_KEYS:
                raise Conflict(f"{MAX_UNUSED_KEYS} keys wait for a credential already")
            kept.add_key(contents, key, now)

        self._store.update(keep)
        return key.public_key

    def receive(self, credential: str, form: CopyForm = SD_JWT_VC) -> HeldLicence:
        """Take in a credential copy that the issuer made for one of our keys; an mdoc in base64url.

        `MalformedInput` when it is none, `NotPermitted` when it is bound to no key of this wallet, `Conflict`
        when the key has its copy already, or other copies of the licence say otherwise, `VerificationFailed`
        when the wallet's verifier does not pass it.
        """
        copy = read_copy(credential, form)
        if self._verifier is not None:
            if form != SD_JWT_VC:
                raise UsageError("an mdoc comes in through `wallet.receiving`, which judges it")
            self._verifier.verify(credential, now=self._clock.now(), require_key_binding=False).require()
        licence, now = copy.licence, self._clock.now()

        def keep(contents: dict[str, Any]) -> None:
            kept.check_like(contents, copy)
            kept.add_copy(contents, copy, copy.key, licence, now)
            kept.log(contents, Activity(now, ActivityKind.RECEIVED, licence, copy.type))

        self._store.update(keep)
        return self.licence(licence)

    def keep(self, arrivals: Sequence[Arrival], *, grant: Grant | None = None) -> list[HeldLicence]:
        """Take in what `wallet.receiving` fetched and judged, all of it in one step.

        `Conflict` when a licence of this name, but of another issuer or type, is here already.
        """
        now = self._clock.now()

        def keep(contents: dict[str, Any]) -> list[str]:
            known = {row["licence"] for row in contents.get("copies", {}).values()}
            if grant is not None:
                kept.keep_grant(contents, grant)
            names = kept.take_in(contents, arrivals, now)
            for item in {one.licence: one for one in arrivals}.values():
                kept.log(contents, _arrived(item, now, is_new=item.licence not in known))
            return names

        names = self._store.update(keep)
        return [self.licence(name) for name in names]

    def begin_refresh(self, licence_id: str) -> tuple[Source, Grant]:
        """Source and grant of a licence, for this caller alone until `end_refresh`.

        `NotFound` when there is no way to new copies, `Conflict` while somebody else is at it.
        """
        now = self._clock.now()
        return self._store.update(lambda contents: kept.take_grant(contents, licence_id, now))

    def end_refresh(self, grant_id: str) -> None:
        """Others may use the grant again."""
        self._store.update(lambda contents: kept.give_grant_back(contents, grant_id))

    def keep_grant(self, grant: Grant) -> None:
        """Keep a renewed refresh token: the one before it is spent."""
        self._store.update(lambda contents: kept.keep_grant(contents, grant))

    def remember_sign_in(self, state: str, row: Mapping[str, Any]) -> None:
        """Keep what a sign-in at an issuer needs when its answer comes."""
        now = self._clock.now()
        self._store.update(lambda contents: kept.keep_sign_in(contents, state, row, now))

    def take_sign_in(self, state: str) -> dict[str, Any]:
        """What was kept for this answer, once; `NotFound` for any other."""
        now = self._clock.now()
        return self._store.update(lambda contents: kept.take_sign_in(contents, state, now))

    def licences(self, search: str = "") -> list[HeldLicence]:
        """The licences, newest first; with `search`, those whose name or claims contain the text."""
        wanted = search.casefold()
        return [
            item
            for item in kept.held_licences(self._store.read())
            if wanted in " ".join([item.name.zh, item.name.en, *_texts(item.claims)]).casefold()
        ]

    def licence(self, licence_id: str) -> HeldLicence:
        """One licence; `NotFound` when the wallet has it not."""
        return kept.held_licence(self._store.read(), licence_id)

    def labels(self, licence_id: str) -> dict[str, Text]:
        """What its issuer calls the claims of a licence, by the text of their path."""
        source = kept.source_of(self._store.read(), licence_id)
        return dict(source.labels) if source else {}

    def consider(
        self, request: PresentationRequest, licence_id: str, *, labels: Mapping[str, Text] | None = None
    ) -> Proposal:
        """What answering the request with this licence would share; ask the holder with `.consent`."""
        contents = self._store.read()
        _, row = kept.copy_to_show(contents, licence_id, SD_JWT_VC)
        known = labels or kept.labels_of(contents).get(licence_id)
        return propose(request, licence_id, SdJwt.parse(row["credential"]), labels=known)

    def answer(self, proposal: Proposal) -> str:
        """The presentation, after the holder agreed; logged first, from the copy that was used least."""
        now = self._clock.now()

        def show(contents: dict[str, Any]) -> str:
            _, row = kept.copy_to_show(contents, proposal.licence, SD_JWT_VC)
            presentation = fulfil(proposal, row["credential"], kept.key_of(contents, row), at=now)
            row["uses"] += 1
            kept.log(contents, _shown(proposal, presentation, now))
            return presentation

        return self._store.update(show)

    def consider_presentation(
        self,
        verified: VerifiedRequest,
        *,
        choices: Mapping[str, str] | None = None,
        labels: Mapping[str, Mapping[str, Text]] | None = None,
        optional: bool = False,
    ) -> Answering:
        """What answering a verifier's request (OpenID4VP) would share; ask the holder with `.consent`.

        Errors and options as for `wallet.answering.propose_answer`. A pick that is `.reused` would show a
        copy that somebody saw before: `wallet.receiving` can fetch new ones first.
        """
        contents = self._store.read()
        names = {held.id: held.name for held in kept.held_licences(contents)}
        holdings = [
            Holding(row["licence"], kept.read_row(row), names[row["licence"]], is_used=row["uses"] > 0)
            for row in kept.copies_to_show(contents, now=self._clock.now())
        ]
        known = {**kept.labels_of(contents), **(labels or {})}
        return propose_answer(verified, holdings, choices=choices, labels=known, optional=optional)

    def answer_presentation(self, answering: Answering) -> Reply:
        """The reply to a verifier, after the holder agreed; every licence shown is logged first.

        `NotPermitted` when the request has run out meanwhile; `Conflict` when the last unused copy was shown
        elsewhere meanwhile, so that the holder would be recognised without having been asked.
        """
        now, verified = self._clock.now(), answering.verified
        if verified.expires_at is not None and verified.expires_at <= now:
            raise NotPermitted("the request has run out")

        def show(contents: dict[str, Any]) -> Reply:
            shown: dict[str, list[str]] = {}
            mine: set[str] = set()  # one answer may show a copy twice: to the same verifier
            for pick in answering.picks:
                copy, row = kept.copy_to_show(contents, pick.licence, pick.form)
                if row["uses"] and not pick.reused and copy not in mine:
                    raise Conflict("the last unused copy was shown meanwhile; consider the request again")
                key = kept.key_of(contents, row)
                made = make_presentation(answering, pick, row["credential"], key, now)
                row["uses"] += 1
                mine.add(copy)
                shown.setdefault(pick.query_id, []).append(made)
                kept.log(contents, _shown_to_verifier(answering, pick, made, now))
            return Reply(verified.request.response_uri, answer(verified.request, shown))

        return self._store.update(show)

    def decline_presentation(self, verified: VerifiedRequest) -> Reply:
        """The reply that says no, after the holder refused; logged first."""
        now = self._clock.now()

        def refuse(contents: dict[str, Any]) -> Reply:
            kept.log(contents, _refused(verified, now))
            return Reply(verified.request.response_uri, decline(verified.request, ErrorCode.ACCESS_DENIED))

        return self._store.update(refuse)

    def examine(self, examine: Callable[[ReadCopy], CopyReport]) -> dict[str, CopyReport]:
        """What is said of each licence now, of the copy that would be shown next."""
        contents = self._store.read()
        names = dict.fromkeys(row["licence"] for row in contents.get("copies", {}).values())
        return {name: examine(kept.read_row(kept.next_copy(contents, name)[1])) for name in names}

    def examine_picks(
        self, picks: Iterable[Pick], examine: Callable[[ReadCopy], CopyReport]
    ) -> list[CopyReport]:
        """What is said now of the very copies that a yes would show, one after the other."""
        contents = self._store.read()
        rows = [kept.next_copy(contents, pick.licence, pick.form)[1] for pick in picks]
        return [examine(kept.read_row(row)) for row in rows]

    def report(self, licence_id: str, trusted: TrustedParties) -> CopyReport:
        """How a licence stands today, with evidence fetched; of the copy that would be shown next."""
        _, row = kept.next_copy(self._store.read(), licence_id)
        return trusted.examine(kept.read_row(row))

    def present(self, licence_id: str, *, disclose: Collection[ClaimPath], audience: str, nonce: str) -> str:
        """Present without a request of the other side: the holder names the claims and to whom."""
        request = PresentationRequest(
            requester=Text(audience, audience),
            purpose=_SELF,
            matter="",
            audience=audience,
            nonce=nonce,
            vct=self.licence(licence_id).vct,
            claims=tuple(map(as_path, disclose)),
        )
        return self.answer(self.consider(request, licence_id))

    def remove(self, licence_id: str) -> None:
        """Take a licence out, with all its copies and their keys. The log remembers that it was here."""
        now = self._clock.now()

        def drop(contents: dict[str, Any]) -> None:
            gone = kept.remove_licence(contents, licence_id)
            kept.log(contents, Activity(now, ActivityKind.REMOVED, licence_id, gone.vct))

        self._store.update(drop)

    def activity(self) -> list[Activity]:
        """The log, oldest first."""
        return [Activity.from_dict(row) for row in self._store.read().get("activity", [])]

    def export_activity(self) -> str:
        """The log as JSON, for the holder to keep or to complain with."""
        return export_json(self.activity())


def _arrived(item: Arrival, now: datetime, *, is_new: bool) -> Activity:
    return Activity(
        now,
        ActivityKind.RECEIVED if is_new else ActivityKind.REFRESHED,
        item.licence,
        item.copy.type,
        requester=item.source.issuer_name,
        audience=item.source.issuer,
        certificate=item.certificate.fingerprint,
        verified=True,
    )


def _shown(proposal: Proposal, presentation: str, now: datetime) -> Activity:
    request = proposal.request
    return Activity(
        now,
        ActivityKind.SHOWN,
        proposal.licence,
        request.vct,
        requester=request.requester,
        purpose=request.purpose,
        matter=request.matter,
        audience=request.audience,
        claims=tuple(to_text(item.path) for item in (*proposal.shared, *proposal.always)),
        presentation=hashlib.sha256(presentation.encode("ascii")).hexdigest(),
        certificate=request.certificate.fingerprint if request.certificate else "",
        verified=request.requester_verified,
    )


def _shown_to_verifier(answering: Answering, pick: Pick, presentation: str, now: datetime) -> Activity:
    about = answering.verified.request.about
    return Activity(
        now,
        ActivityKind.SHOWN,
        pick.licence,
        pick.vct,
        requester=answering.requester,
        purpose=answering.purpose,
        matter=about.matter if about else "",
        audience=str(answering.verified.request.client_id),
        claims=tuple(to_text(item.path) for item in (*pick.shares.shared, *pick.shares.always)),
        presentation=hashlib.sha256(presentation.encode("ascii")).hexdigest(),
        certificate=answering.verified.certificate.fingerprint,
        verified=True,
    )


def _refused(verified: VerifiedRequest, now: datetime) -> Activity:
    nothing, request = Answering(verified, ()), verified.request
    # An element of an mdoc is named without its namespace, as what is shown is.
    paths = [
        to_text(one.path[query.format == MDOC :])
        for query in request.query.credentials
        for one in query.claims or ()
    ]
    return Activity(
        now,
        ActivityKind.REFUSED,
        licence="",
        vct=", ".join(sorted({kind for query in request.query.credentials for kind in query.types}))[:500],
        requester=nothing.requester,
        purpose=nothing.purpose,
        matter=request.about.matter if request.about else "",
        audience=str(request.client_id),
        claims=tuple(dict.fromkeys(paths)),
        certificate=verified.certificate.fingerprint,
        verified=True,
    )


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for inner in value.values() for text in _texts(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in _texts(inner)]
    return [str(value)]
