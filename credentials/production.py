"""Make a licence: the sealed PDF, the SD-JWT VC, the row in the repository and the audit entry.

Four steps, and no transaction is open in the second and third: `reserve` gives numbers and status entries,
`make` sets and seals the page and signs the credential, `keep` puts the document away, `record` writes down
all of it at once. What fails between leaves a gap in the numbers, and perhaps a document without a licence.
`credentials.issuer` is what users call, `credentials.batches` what it does for many at once.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from credentials.changes import Changes
from credentials.credential import credential_claims
from credentials.holders import require_active
from credentials.licence import Agency, Event, Licence, VersionKind, agency_day, start_of_day
from credentials.printed_code import make
from credentials.repository import CredentialCopy, LicenceRepository
from credentials.sd_jwt import issue_sd_jwt
from yinxin.base import audit
from yinxin.base.errors import IssuanceRefused
from yinxin.base.identifiers import LicenceIdentifier

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date, datetime

    from credentials.blind_index import BlindIndex
    from credentials.catalogue import LicenceType
    from credentials.changes import Hearers
    from credentials.custody import Permit, SealCustody
    from credentials.documents import DocumentStore
    from credentials.face.page import Typesetter
    from credentials.face.press import Press
    from credentials.fields import Claim
    from credentials.holders import HolderStates
    from credentials.status_service import StatusService
    from signing.keys import PublicKey
    from signing.pdf import Seal
    from signing.signer import Signer
    from yinxin.base.actor import Actor
    from yinxin.base.clock import Clock
    from yinxin.base.database import Database, Session
    from yinxin.base.randomness import Randomness

_SERIAL_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SERIAL_LENGTH = 20


@dataclass(frozen=True, slots=True)
class IssuedLicence:
    """A licence with its documents: the sealed PDF and, for a holder with a key, the SD-JWT VC."""

    licence: Licence
    pdf: bytes
    credential: str | None


@dataclass(frozen=True, slots=True)
class Draft:
    """A checked application on its way.

    `previous` is the version whose number and lineage it goes on with, `origins` the licences of other
    numbers that it is made from, `carried` the events of the previous version that go on counting.
    """

    kind: LicenceType
    claims: Mapping[str, Claim]
    holder_key: PublicKey | None
    previous: Licence | None = None
    version_kind: VersionKind = VersionKind.ISSUED
    effective_from: datetime | None = None
    origins: tuple[str, ...] = ()
    carried: tuple[Event, ...] = ()

    @property
    def holder_code(self) -> str:
        """Whose licence it will be."""
        return self.kind.holder(self.claims)[1]


@dataclass(frozen=True, slots=True)
class Reserved:
    """What the first transaction gave a draft, and leave to seal it where somebody keeps the seal."""

    number: str
    status: tuple[str, int] | None
    permit: Permit | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """A licence with its documents before it is recorded, and what it was made of."""

    draft: Draft
    reserved: Reserved
    issued: IssuedLicence


@dataclass(frozen=True, slots=True)
class Superseding:
    """A version that ends because others take its place: how, and what those say otherwise.

    `seen` counts the events it had when that was decided: it is void when one came since.
    """

    old: Licence
    event: Event
    fields: tuple[str, ...]
    seen: int


@dataclass(frozen=True)
class Production:
    """What an agency makes licences with. May be used from several threads."""

    url: str
    code_address: str
    agency: Agency
    database: Database
    seal: Seal
    credential_signer: Signer
    status: StatusService
    typesetter: Typesetter | Press
    clock: Clock
    randomness: Randomness
    documents: DocumentStore | None = None
    index: BlindIndex | None = None
    custody: SealCustody | None = None
    hearers: Hearers | None = None
    holders: HolderStates | None = None

    @property
    def changes(self) -> Changes:
        """Where events of licences are written down."""
        return Changes(self.status, self.clock, self.hearers)

    def reserve(self, drafts: Sequence[Draft], actor: Actor) -> list[Reserved]:
        """Leave to use the seal, then numbers and status entries, in one short transaction.

        `IssuanceRefused` for a type that is abolished: what was issued may still be put right, no more.
        `HolderNotActive` for a holder who is recorded as dead or dissolved.
        """
        on = agency_day(self.clock.now())
        _require_issuable(drafts, on)
        wanted = Counter(draft.kind.code for draft in drafts)
        permit = self.custody.allow(actor, wanted) if self.custody else None
        with self.database.transaction() as session:
            require_active(self.holders, session, [draft.holder_code for draft in drafts])
            repository = LicenceRepository(session)
            return [
                Reserved(
                    draft.previous.number if draft.previous else _number(repository, draft, on),
                    self.status.allocate(session, actor=actor) if draft.holder_key else None,
                    permit,
                )
                for draft in drafts
            ]

    def make(self, draft: Draft, reserved: Reserved) -> Made:
        """Page, seal and credential; no transaction is open here."""
        licence, pdf = self.press(self._licence(draft, reserved.number), draft.kind)
        credential = self._sign(draft, licence, reserved.status) if reserved.status else None
        return Made(draft, reserved, IssuedLicence(licence, pdf, credential))

    def press(self, licence: Licence, kind: LicenceType) -> tuple[Licence, bytes]:
        """A licence with the digest of its sealed page, and that page; no transaction is open here."""
        code = make(licence, kind, address=self.code_address, signer=self.credential_signer)
        page = self.typesetter.typeset(licence, kind, code=code)
        face = self.seal.face
        pdf = self.seal.apply(
            page.pdf,
            now=licence.issued_at,
            at=page.seal_place(face.width_mm, face.height_mm) if face else None,
            reason=kind.name.zh,
        )
        return replace(licence, pdf_sha256=hashlib.sha256(pdf).hexdigest()), pdf

    def keep(self, issued: IssuedLicence) -> None:
        """Put the sealed page away, where there is a store: before the register says that it is there."""
        if self.documents is not None:
            self.documents.put(issued.pdf)

    def _sign(self, draft: Draft, licence: Licence, status: tuple[str, int]) -> str:
        return issue_sd_jwt(
            credential_claims(licence, draft.kind, url=self.url, status=status),
            disclosable=sorted(draft.kind.disclosable & set(licence.claims)),
            signer=self.credential_signer,
            randomness=self.randomness,
            holder_key=draft.holder_key,
        )

    def _licence(self, draft: Draft, number: str) -> Licence:
        now, kind, old = self.clock.now(), draft.kind, draft.previous
        first, last = _term(draft, on=agency_day(now))
        name, code = kind.holder(draft.claims)
        return Licence(
            identifier=str(self._identifier(kind, old)),
            number=number,
            type_code=kind.code,
            type_name=kind.name,
            version=old.version + 1 if old else 1,
            agency=self.agency,
            holder_name=name,
            holder_code=code,
            claims=draft.claims,
            issued_at=now,
            recorded_at=now,
            valid_from=first,
            valid_until=last,
            commitment_due=kind.commitment_day(draft.claims),
            replaces=old.identifier if old else None,
            kind=draft.version_kind,
            effective_from=_holds_from(draft, first, now),
            origins=draft.origins,
            type_version=kind.version,
        )

    def _identifier(self, kind: LicenceType, old: Licence | None) -> LicenceIdentifier:
        if old:
            return LicenceIdentifier.parse(old.identifier).with_version(old.version + 1)
        number = int.from_bytes(self.randomness.bytes(_SERIAL_LENGTH), "big")
        serial = ""
        for _ in range(_SERIAL_LENGTH):
            number, digit = divmod(number, len(_SERIAL_ALPHABET))
            serial += _SERIAL_ALPHABET[digit]
        return LicenceIdentifier.make(kind.number, self.agency.credit_code, serial, "001")

    def record(
        self,
        made: Sequence[Made],
        actor: Actor,
        approval: str | None,
        endings: Sequence[Superseding] = (),
        *,
        beside: Callable[[Session], None] = lambda _session: None,
    ) -> list[IssuedLicence]:
        """Rows, copies, audit entries and the endings of what was there before: all or nothing.

        Each licence is recorded as of this moment, so that an answer for an earlier `known_at` never changes;
        so they are returned. `beside` is done in the same transaction. `HolderNotActive` when a death or
        dissolution was recorded since.
        """
        with self.database.transaction() as session:
            repository = LicenceRepository(session, index=self.index)
            # In one order for everybody: two mergers of the same licences wait for each other, not for ever.
            for ending in sorted(endings, key=lambda one: one.old.identifier):
                self.changes.record(
                    session,
                    ending.old.identifier,
                    ending.event,
                    actor=actor,
                    approval=approval,
                    fields=ending.fields,
                    seen=ending.seen,
                )
            require_active(self.holders, session, [one.issued.licence.holder_code for one in made])
            now = self.clock.now()
            recorded = [_recorded(one, now) for one in made]
            for one in recorded:
                self._record_one(session, repository, one, actor, approval)
            beside(session)
        return [one.issued for one in recorded]

    def _record_one(
        self, session: Session, repository: LicenceRepository, one: Made, actor: Actor, approval: str | None
    ) -> None:
        licence = one.issued.licence
        repository.add(licence)
        for event in one.draft.carried:
            repository.add_event(licence.identifier, replace(event, recorded_at=licence.recorded_at))
        if one.reserved.status and one.issued.credential:
            repository.add_copy(_copy(one))
        audit.record(
            session,
            action=f"licence.{_ACTIONS[licence.kind]}",
            subject=licence.identifier,
            actor=actor,
            at=licence.issued_at,
            details=_details(one.issued, approval),
        )
        if self.custody:
            self.custody.used(
                session,
                one.reserved.permit,
                document=licence.pdf_sha256 or "",
                licence=licence.identifier,
                at=licence.issued_at,
            )


_ACTIONS = {
    VersionKind.ISSUED: "issue",
    VersionKind.CORRECTED: "correct",
    VersionKind.CHANGED: "change",
    VersionKind.RENEWED: "renew",
    VersionKind.REPLACED: "replace",
    VersionKind.MERGED: "merge",
    VersionKind.SPLIT: "split",
}


def _require_issuable(drafts: Sequence[Draft], on: date) -> None:
    begins = (one for one in drafts if one.previous is None or one.version_kind is VersionKind.RENEWED)
    abolished = {one.kind.code for one in begins if one.kind.is_abolished(on)}
    if abolished:
        raise IssuanceRefused(reasons=[f"the type {code} is abolished" for code in sorted(abolished)])


def _recorded(made: Made, now: datetime) -> Made:
    issued = made.issued
    return replace(made, issued=replace(issued, licence=replace(issued.licence, recorded_at=now)))


def _term(draft: Draft, *, on: date) -> tuple[date, date | None]:
    """First and last day: a next version keeps its term, unless it is renewed or its days are changed."""
    rule, old = draft.kind.validity, draft.previous
    if old is None or draft.version_kind is VersionKind.RENEWED:
        return rule.period(draft.claims, issued_on=on)
    days = [name for name in (rule.from_field, rule.until_field) if name]
    if all(draft.claims.get(name) == old.claims.get(name) for name in days):
        return old.valid_from, old.valid_until
    return rule.period(draft.claims, issued_on=old.valid_from)


def _holds_from(draft: Draft, first: date, now: datetime) -> datetime | None:
    """Since when its content holds; None where its first day says it."""
    old, begins = draft.previous, start_of_day(first)
    if draft.version_kind is VersionKind.ISSUED:
        return None
    if old is not None and draft.version_kind is VersionKind.CORRECTED:
        # 更正: it says what was true from the beginning of what it corrects.
        return begins if old.effective_from is None and not old.replaces else old.starts_at
    return max(begins, draft.effective_from or now)


def _number(repository: LicenceRepository, draft: Draft, on: date) -> str:
    numbering = draft.kind.numbering
    if numbering.field:
        return numbering.make(draft.claims, on=on, serial=0)
    (serial,) = repository.take_serials(draft.kind.code, numbering.series(on=on))
    return numbering.make(draft.claims, on=on, serial=serial)


def _copy(made: Made) -> CredentialCopy:
    status, issued = made.reserved.status or ("", 0), made.issued
    digest = hashlib.sha256((issued.credential or "").encode()).hexdigest()
    key = made.draft.holder_key.fingerprint if made.draft.holder_key else None
    return CredentialCopy(*status, issued.licence.identifier, key, digest, issued.licence.issued_at)


def _details(issued: IssuedLicence, approval: str | None) -> dict[str, Any]:
    details: dict[str, Any] = {"type": issued.licence.type_code, "pdf": issued.licence.pdf_sha256}
    if issued.credential:
        details["credential"] = hashlib.sha256(issued.credential.encode()).hexdigest()
    if issued.licence.replaces:
        details["replaces"] = issued.licence.replaces
    if issued.licence.origins:
        details["origins"] = list(issued.licence.origins)
    if approval:
        details["approval"] = approval
    return details
