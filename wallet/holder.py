"""The holder's wallet: keys, licences, presentations, activity log.

The pure library underneath every wallet of ours, command line and web. A credential that comes in must
be bound to a key made here and used for nothing else; what goes out is logged before it is handed over.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from credentials.claim_paths import ClaimPath, as_path, to_text
from credentials.key_binding import holder_key
from credentials.oid4vp.responses import answer, decline
from credentials.oid4vp.vocabulary import ErrorCode
from credentials.sd_jwt import SdJwt
from credentials.signed_tokens import is_date
from credentials.vocabulary import LICENCE_IDENTIFIER
from signing.base64url import decode_base64url, encode_base64url
from wallet.activity import Activity, ActivityKind, export_json
from wallet.answering import Answering, Holding, Pick, make_presentation, propose_answer
from wallet.exchange import Reply
from wallet.keys import HolderKey
from wallet.present import Proposal, fulfil, propose
from wallet.request import PresentationRequest
from wallet.store import SCRYPT_COST, Store
from yinxin.base.clock import Clock, SystemClock
from yinxin.base.errors import Conflict, MalformedInput, NotFound, NotPermitted
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from credentials.oid4vp.request_objects import VerifiedRequest
    from credentials.verifier import VerifiedCredential, Verifier
    from signing.keys import PublicKey
    from signing.report import Report
    from yinxin.base.randomness import Randomness

MAX_UNUSED_KEYS = 1000
_SELF = Text("本人选定", "chosen by the holder")


@dataclass(frozen=True, slots=True)
class HeldLicence:
    """A licence in the wallet, in one or more copies that cannot be linked to each other.

    `id` is its licence identifier, or the digest of the credential where it names none; `claims` are all
    its claims; `uses` counts the presentations of all copies.
    """

    id: str
    vct: str
    claims: Mapping[str, Any]
    received_at: datetime
    copies: int = 1
    uses: int = 0

    @property
    def expires_at(self) -> datetime | None:
        """When it ends by its own words; None when it does not say."""
        end = self.claims.get("exp")
        return datetime.fromtimestamp(end, UTC) if is_date(end) else None


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
        key = HolderKey.generate()
        row = {
            "secret": encode_base64url(key.to_secret()),
            "made_at": self._clock.now().isoformat(),
            "copy": None,
        }

        def keep(contents: dict[str, Any]) -> None:
            keys = contents.setdefault("keys", {})
            if sum(other["copy"] is None for other in keys.values()) >= MAX_UNUSED_KEYS:
                raise Conflict(f"{MAX_UNUSED_KEYS} keys wait for a credential already")
            keys[key.public_key.thumbprint] = row

        self._store.update(keep)
        return key.public_key

    def receive(self, credential: str) -> HeldLicence:
        """Take in a credential copy that the issuer made for one of our keys.

        `MalformedInput` when it is none, `NotPermitted` when it is bound to no key of this wallet, `Conflict`
        when the key has its copy already, `VerificationFailed` when the wallet's verifier does not pass it.
        """
        parsed = SdJwt.parse(credential)
        if parsed.key_binding is not None:  # RFC 9901, 7.2: an issued credential carries none
            raise MalformedInput("sd-jwt", "RFC 9901, 7.2: a presentation is no credential")
        claims = parsed.claims
        key = holder_key(claims)
        if self._verifier is not None:
            self._verifier.verify(credential, now=self._clock.now(), require_key_binding=False).require()
        licence = _licence_id(credential, claims)
        now = self._clock.now()

        def keep(contents: dict[str, Any]) -> None:
            own = contents.get("keys", {}).get(key.thumbprint) if key else None
            if key is None or own is None:
                raise NotPermitted("the credential is bound to no key of this wallet")
            if own["copy"] is not None:
                raise Conflict("this key has its credential already")
            copy = hashlib.sha256(credential.encode("ascii")).hexdigest()
            own["copy"] = copy
            row = {"licence": licence, "credential": credential, "key": key.thumbprint, "uses": 0}
            contents.setdefault("copies", {})[copy] = {**row, "received_at": now.isoformat()}
            vct = str(claims.get("vct", ""))
            _log(contents, Activity(now, ActivityKind.RECEIVED, licence, vct))

        self._store.update(keep)
        return self.licence(licence)

    def licences(self, search: str = "") -> list[HeldLicence]:
        """The licences, newest first; with `search`, those whose claims contain the text."""
        found: dict[str, HeldLicence] = {}
        for row in self._store.read().get("copies", {}).values():
            one = _held(row)
            known = found.get(one.id)
            if known:
                uses, copies = known.uses + one.uses, known.copies + 1
                newest = max(known, one, key=lambda item: item.received_at)
                one = replace(newest, uses=uses, copies=copies)
            found[one.id] = one
        wanted = search.casefold()
        hits = [item for item in found.values() if wanted in " ".join(_texts(item.claims)).casefold()]
        return sorted(hits, key=lambda item: (item.received_at, item.id), reverse=True)

    def licence(self, licence_id: str) -> HeldLicence:
        """One licence; `NotFound` when the wallet has it not."""
        for item in self.licences():
            if item.id == licence_id:
                return item
        raise NotFound("the wallet has no such licence")

    def consider(
        self, request: PresentationRequest, licence_id: str, *, labels: Mapping[str, Text] | None = None
    ) -> Proposal:
        """What answering the request with this licence would share; ask the holder with `.consent`."""
        _, row = _least_used(self._store.read(), licence_id)
        return propose(request, licence_id, SdJwt.parse(row["credential"]), labels=labels)

    def answer(self, proposal: Proposal) -> str:
        """The presentation, after the holder agreed; logged first, from the copy that was used least."""
        now = self._clock.now()

        def show(contents: dict[str, Any]) -> str:
            _, row = _least_used(contents, proposal.licence)
            key = HolderKey.from_secret(decode_base64url(contents["keys"][row["key"]]["secret"]))
            presentation = fulfil(proposal, row["credential"], key, at=now)
            row["uses"] += 1
            _log(contents, _shown(proposal, presentation, now))
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

        Errors and options as for `wallet.answering.propose_answer`.
        """
        contents = self._store.read()
        names = dict.fromkeys(row["licence"] for row in contents.get("copies", {}).values())
        holdings = [Holding(name, _least_used(contents, name)[1]["credential"]) for name in names]
        return propose_answer(verified, holdings, choices=choices, labels=labels, optional=optional)

    def answer_presentation(self, answering: Answering) -> Reply:
        """The reply to a verifier, after the holder agreed; every licence shown is logged first.

        `NotPermitted` when the request has run out meanwhile.
        """
        now, verified = self._clock.now(), answering.verified
        if verified.expires_at is not None and verified.expires_at <= now:
            raise NotPermitted("the request has run out")

        def show(contents: dict[str, Any]) -> Reply:
            shown: dict[str, list[str]] = {}
            for pick in answering.picks:
                _, row = _least_used(contents, pick.licence)
                key = HolderKey.from_secret(decode_base64url(contents["keys"][row["key"]]["secret"]))
                made = make_presentation(answering, pick, row["credential"], key, now)
                row["uses"] += 1
                shown.setdefault(pick.query_id, []).append(made)
                _log(contents, _shown_to_verifier(answering, pick, made, now))
            return Reply(verified.request.response_uri, answer(verified.request, shown))

        return self._store.update(show)

    def decline_presentation(self, verified: VerifiedRequest) -> Reply:
        """The reply that says no, after the holder refused; logged first."""
        now = self._clock.now()

        def refuse(contents: dict[str, Any]) -> Reply:
            _log(contents, _refused(verified, now))
            return Reply(verified.request.response_uri, decline(verified.request, ErrorCode.ACCESS_DENIED))

        return self._store.update(refuse)

    def examine(self, verifier: Verifier) -> dict[str, Report[VerifiedCredential]]:
        """What a verifier says of each licence now, of the copy that would be shown next."""
        contents, now = self._store.read(), self._clock.now()
        names = dict.fromkeys(row["licence"] for row in contents.get("copies", {}).values())
        copies = {name: _least_used(contents, name)[1]["credential"] for name in names}
        return {
            name: verifier.verify(copy, now=now, require_key_binding=False) for name, copy in copies.items()
        }

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
            copies = contents.get("copies", {})
            gone = [copy for copy, row in copies.items() if row["licence"] == licence_id]
            if not gone:
                raise NotFound("the wallet has no such licence")
            vct = _held(copies[gone[0]]).vct
            for copy in gone:
                contents["keys"].pop(copies.pop(copy)["key"], None)
            _log(contents, Activity(now, ActivityKind.REMOVED, licence_id, vct))

        self._store.update(drop)

    def activity(self) -> list[Activity]:
        """The log, oldest first."""
        return [Activity.from_dict(row) for row in self._store.read().get("activity", [])]

    def export_activity(self) -> str:
        """The log as JSON, for the holder to keep or to complain with."""
        return export_json(self.activity())


def _licence_id(credential: str, claims: Mapping[str, Any]) -> str:
    named = claims.get(LICENCE_IDENTIFIER)
    if isinstance(named, str) and named:
        return named
    return hashlib.sha256(credential.encode("ascii")).hexdigest()


def _held(row: Mapping[str, Any]) -> HeldLicence:
    claims = SdJwt.parse(row["credential"]).claims
    received = datetime.fromisoformat(row["received_at"])
    return HeldLicence(row["licence"], str(claims.get("vct", "")), claims, received, 1, row["uses"])


def _least_used(contents: Mapping[str, Any], licence_id: str) -> tuple[str, dict[str, Any]]:
    """The copy to show next: unlinkable as long as there is an unused one."""
    copies = [item for item in contents.get("copies", {}).items() if item[1]["licence"] == licence_id]
    if not copies:
        raise NotFound("the wallet has no such licence")
    chosen: tuple[str, dict[str, Any]] = min(
        copies, key=lambda item: (item[1]["uses"], item[1]["received_at"], item[0])
    )
    return chosen


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
    paths = [to_text(one.path) for query in request.query.credentials for one in query.claims or ()]
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


def _log(contents: dict[str, Any], entry: Activity) -> None:
    contents.setdefault("activity", []).append(entry.to_dict())


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for inner in value.values() for text in _texts(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in _texts(inner)]
    return [str(value)]
