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

from credentials.changes import record_event
from credentials.credential import credential_claims
from credentials.licence import Agency, Event, Licence, agency_day
from credentials.printed_code import make
from credentials.repository import CredentialCopy, LicenceRepository
from credentials.sd_jwt import issue_sd_jwt
from yinxin.base import audit
from yinxin.base.identifiers import LicenceIdentifier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import date

    from credentials.blind_index import BlindIndex
    from credentials.catalogue import LicenceType
    from credentials.custody import Permit, SealCustody
    from credentials.documents import DocumentStore
    from credentials.face.page import Typesetter
    from credentials.face.press import Press
    from credentials.fields import Claim
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
    """A checked application on its way."""

    kind: LicenceType
    claims: Mapping[str, Claim]
    holder_key: PublicKey | None
    previous: Licence | None = None
    renew: bool = False


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

    def reserve(self, drafts: Sequence[Draft], actor: Actor) -> list[Reserved]:
        """Leave to use the seal, then numbers and status entries, in one short transaction."""
        wanted = Counter(draft.kind.code for draft in drafts)
        permit = self.custody.allow(actor, wanted) if self.custody else None
        on = agency_day(self.clock.now())
        with self.database.transaction() as session:
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
        licence = self._licence(draft, reserved.number)
        code = make(licence, draft.kind, address=self.code_address, signer=self.credential_signer)
        page = self.typesetter.typeset(licence, draft.kind, code=code)
        face = self.seal.face
        pdf = self.seal.apply(
            page.pdf,
            now=licence.issued_at,
            at=page.seal_place(face.width_mm, face.height_mm) if face else None,
            reason=draft.kind.name.zh,
        )
        licence = replace(licence, pdf_sha256=hashlib.sha256(pdf).hexdigest())
        credential = self._sign(draft, licence, reserved.status) if reserved.status else None
        return Made(draft, reserved, IssuedLicence(licence, pdf, credential))

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
        first, last = kind.validity.period(draft.claims, issued_on=agency_day(now))
        if old and not draft.renew and not kind.validity.until_field:
            first, last = old.valid_from, old.valid_until
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
        made: Iterable[Made],
        actor: Actor,
        approval: str | None,
        ending: Event | None = None,
        *,
        beside: Callable[[Session], None] = lambda _session: None,
    ) -> None:
        """Rows, copies, audit entries and, for a replacement, the old version's ending: all or nothing.

        `beside` is done in the same transaction.
        """
        with self.database.transaction() as session:
            repository = LicenceRepository(session, index=self.index)
            for one in made:
                licence = one.issued.licence
                if ending and licence.replaces:
                    record_event(session, licence.replaces, ending, status=self.status, actor=actor)
                repository.add(licence)
                if one.reserved.status and one.issued.credential:
                    repository.add_copy(_copy(one))
                audit.record(
                    session,
                    action="licence.replace" if licence.replaces else "licence.issue",
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
            beside(session)


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
    if approval:
        details["approval"] = approval
    return details
