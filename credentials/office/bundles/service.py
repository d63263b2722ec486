"""The desk for many cases at once: a file is read, agreed to as a whole, and sealed by the batch machinery.

Nothing of a file is lost: a row is a case, or stands in the report with what is wrong where. People agree to
a digest over the digests of all cases; it is made anew from what is stored whenever somebody agrees, and
before the seal is used.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from credentials.application_lines import read_lines
from credentials.applications import ApplicationRow, Applications, RowFault, read_applications, read_records
from credentials.batches.work import BatchOrder
from credentials.gate import Gate
from credentials.office.agreements import give_consent
from credentials.office.bundles.repository import BundleRepository, StoredBundle
from credentials.office.bundles.values import Bundle, OpenedBundle, SealedBundle, bundle_digest
from credentials.office.cases import MAX_NUMBER, Case, CaseState, Work, WorkKind, require_number, work_digest
from credentials.office.desk import MAX_NOTE, READERS, WAITING
from credentials.office.eyes import APPROVER, REVIEWER, require_agreements, require_other
from credentials.spreadsheets import is_workbook, read_workbook
from signing.keys import PublicKey
from yinxin.base import audit
from yinxin.base.clock import Clock, SystemClock
from yinxin.base.errors import Conflict, InvalidClaims, NotPermitted, UsageError
from yinxin.base.randomness import Randomness, SystemRandomness, random_text
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from credentials.batches.repository import Application
    from credentials.catalogue import Catalogue
    from credentials.issuer import Issuer
    from credentials.office.proofs import Proofs
    from yinxin.base.actor import Actor
    from yinxin.base.database import Database, Session

MAX_BUNDLE_NUMBER = MAX_NUMBER - 6  # a row's own number is put behind it where the file has none
_TAKEN = Text("该办件编号已被使用", "this case number is taken")
_NO_NUMBER = Text("办件编号有误", "not a readable case number")
_OTHER_VERSION = Text("证照类型已变更，须重新审批", "the type changed meanwhile: it is agreed to again")


class Bundles:
    """The bundles of one agency; what it is made of is what its `Desk` is made of."""

    def __init__(  # noqa: PLR0913 - what a desk is made of
        self,
        issuer: Issuer,
        *,
        agency: str,
        catalogue: Catalogue,
        database: Database,
        proofs: Proofs,
        clock: Clock | None = None,
        randomness: Randomness | None = None,
    ) -> None:
        self._issuer, self._agency, self._catalogue = issuer, agency, catalogue
        self._database, self._proofs = database, proofs
        self._clock, self._randomness = clock or SystemClock(), randomness or SystemRandomness()
        self._gate = Gate(agency, database, self._clock)

    def open(self, number: str, data: bytes, *, actor: Actor, type_code: str | None = None) -> OpenedBundle:
        """Make cases of a file (CSV, XLSX or JSON lines) under the agency's own number for it.

        The same file under the same number is the same bundle, another file a `Conflict`. `type_code` is the
        type of all rows; without it each row says it. `MalformedInput` or `TooLarge` for a file that cannot
        be read at all.
        """
        self._gate.admit(actor, "draft bundle")
        require_number(number, longest=MAX_BUNDLE_NUMBER)
        content = hashlib.sha256(f"{type_code or ''}\0".encode() + data).hexdigest()
        if known := self._numbered(number):
            return _same(known, content)
        found = read_file_of_applications(data, self._catalogue, type_code=type_code)
        with self._database.transaction() as session:
            repository = BundleRepository(session)
            if stored := repository.by_number(number, agency=self._agency):
                return _same(stored.bundle, content)
            found = self._for_active_holders(session, found)
            bundle, cases = self._made(repository, number, content, found, actor)
            repository.add(bundle, [(case, work_digest(case.work)) for case in cases])
            self._record(session, "draft", bundle, actor, cases=len(cases), faulty=bundle.faulty)
        return OpenedBundle(replace(bundle, counts={CaseState.DRAFT: len(cases)}), is_new=True)

    def submit(self, bundle_id: str, *, actor: Actor) -> Bundle:
        """Hand a bundle over for review; `Conflict` when it has no case."""
        self._gate.admit(actor, "submit bundle")
        stored = self._stored(bundle_id)
        stored.bundle.require("submit")
        cases = self._cases(bundle_id)
        if not any(case.state is CaseState.DRAFT for case in cases):
            raise Conflict("the bundle has no case to be reviewed")
        digest = self._digest(stored.bundle, cases).hex()
        return self._move(
            stored, "submit", actor, state=CaseState.IN_REVIEW, digest=digest, consents=(), note=""
        )

    def review(self, bundle_id: str, *, proof: Mapping[str, Any], actor: Actor) -> Bundle:
        """Agree to all cases of a bundle as their reviewer; `NotPermitted` for who wrote any of it."""
        self._gate.admit(actor, "review bundle", role=REVIEWER)
        return self._agree(bundle_id, "review", REVIEWER, CaseState.IN_APPROVAL, proof, actor)

    def approve(self, bundle_id: str, *, proof: Mapping[str, Any], actor: Actor) -> Bundle:
        """Decide that all cases are to be issued; `NotPermitted` for who wrote or reviewed it."""
        self._gate.admit(actor, "approve bundle", role=APPROVER)
        return self._agree(bundle_id, "approve", APPROVER, CaseState.APPROVED, proof, actor)

    def send_back(self, bundle_id: str, *, note: str, actor: Actor) -> Bundle:
        """Return a bundle to its clerk with what is to be put right; by its reviewer or approver."""
        if not 0 < len(note.strip()) <= MAX_NOTE:
            raise UsageError("say what is to be put right")
        stored = self._stored(bundle_id)
        role = REVIEWER if stored.bundle.state is CaseState.IN_REVIEW else APPROVER
        self._gate.admit(actor, "send back bundle", role=role)
        stored.bundle.require("return")
        require_other(stored.bundle.editors, stored.bundle.consents, actor, role)
        return self._move(stored, "send_back", actor, state=CaseState.DRAFT, consents=(), note=note.strip())

    def withdraw(self, bundle_id: str, *, note: str, actor: Actor) -> Bundle:
        """End a bundle: what was not sealed yet leads to no licence."""
        self._gate.admit(actor, "withdraw bundle")
        stored = self._stored(bundle_id)
        stored.bundle.require("withdraw")
        return self._move(stored, "withdraw", actor, state=CaseState.WITHDRAWN, note=note.strip()[:MAX_NOTE])

    def seal(  # noqa: PLR0913 - what a batch needs, by name
        self,
        bundle_id: str,
        *,
        actor: Actor,
        at_most: int | None = None,
        progress: Callable[[int, int], None] = lambda _done, _total: None,
        workers: int = 1,
        processes: int = 0,
    ) -> SealedBundle:
        """Make the licences of an approved bundle, `at_most` so many now; what was made before stays.

        Every agreement is checked again first: `IssuanceRefused` when one does not hold any more. A case that
        cannot be sealed is told with its reason and waits; the bundle is done when none waits.
        """
        self._gate.admit(actor, "seal bundle")
        bundle = self._stored(bundle_id).bundle
        bundle.require("seal")
        cases = self._cases(bundle_id)
        require_agreements(
            self._proofs,
            digest=self._digest(bundle, cases),
            consents=bundle.consents,
            editors=bundle.editors,
            agency=self._agency,
        )
        waiting = [case for case in cases if case.state is CaseState.APPROVED][:at_most]
        rows, faults = self._rows(waiting)
        order = BatchOrder(
            bundle_id,
            actor,
            f"bundle:{bundle_id}",
            progress=progress,
            workers=max(workers, processes),
            resume=True,
            beside=self._beside({case.place: case for case in waiting}, actor),
        )
        found = Applications(tuple(rows), tuple(faults), len(cases))
        result = self._issuer.issue_applications(found, order, processes=processes)
        licences = tuple(one.licence.identifier for one in result.issued)
        return SealedBundle(self._close(bundle_id, actor), licences, result.faults)

    def bundle(self, bundle_id: str, *, actor: Actor) -> Bundle:
        """A bundle of the agency, for its staff."""
        self._require_staff(actor)
        return self._stored(bundle_id).bundle

    def numbered(self, number: str, *, actor: Actor) -> Bundle | None:
        """The agency's bundle of this number."""
        self._require_staff(actor)
        return self._numbered(number)

    def latest(self, *, actor: Actor, limit: int = 50) -> list[Bundle]:
        """The agency's bundles, the latest changed first."""
        self._require_staff(actor)
        with self._database.reading() as session:
            return BundleRepository(session).latest(self._agency, limit=limit)

    def cases(self, bundle_id: str, *, actor: Actor, after: int = 0, limit: int = 100) -> list[Case]:
        """A bundle's cases in the file's order, those behind a row."""
        self._require_staff(actor)
        self._stored(bundle_id)
        with self._database.reading() as session:
            return BundleRepository(session).cases(bundle_id, after=after, limit=limit)

    def _for_active_holders(self, session: Session, found: Applications) -> Applications:
        """The applications, with a fault for each row whose holder is recorded as dead or dissolved."""
        codes = {row.row: row.kind.holder(row.claims)[1] for row in found.rows}
        states = self._issuer.holders
        gone = states.refusals(session, set(codes.values())) if states and codes else {}
        if not gone:
            return found
        faults = [row.fault("", gone[codes[row.row]]) for row in found.rows if codes[row.row] in gone]
        rows = tuple(row for row in found.rows if codes[row.row] not in gone)
        return replace(found, rows=rows, faults=(*found.faults, *faults))

    def _made(
        self, repository: BundleRepository, number: str, content: str, found: Applications, actor: Actor
    ) -> tuple[Bundle, list[Case]]:
        """The bundle with a case for each row that can be one, and a fault for each other."""
        now, bundle_id = self._clock.now(), random_text(self._randomness)
        names = {row.row: row.case or f"{number}/{row.row}" for row in found.rows}
        taken = repository.taken(self._agency, names.values())
        cases, faults = [], list(found.faults)
        for row in found.rows:
            if why := _number_fault(names[row.row], taken):
                faults.append(row.fault("case", why))
                continue
            work = Work(
                WorkKind.ISSUE,
                row.kind.code,
                row.claims,
                row.holder.to_jwk() if row.holder else None,
                type_version=row.kind.version,
            )
            cases.append(
                Case(
                    id=random_text(self._randomness),
                    agency=self._agency,
                    number=names[row.row],
                    work=work,
                    state=CaseState.DRAFT,
                    revision=1,
                    editors=(actor.identifier,),
                    changed_at=now,
                    bundle=bundle_id,
                    place=row.row,
                )
            )
        bundle = Bundle(
            id=bundle_id,
            agency=self._agency,
            number=number,
            content=content,
            state=CaseState.DRAFT,
            total=found.total,
            faults=tuple(sorted(faults, key=lambda one: one.row)),
            editors=(actor.identifier,),
            digest=bundle_digest(bundle_id, self._agency, number, cases).hex(),
            changed_at=now,
        )
        return bundle, cases

    def _agree(  # noqa: PLR0913, PLR0917 - the facts of an agreement
        self, bundle_id: str, verb: str, role: str, state: CaseState, proof: Mapping[str, Any], actor: Actor
    ) -> Bundle:
        stored = self._stored(bundle_id)
        bundle = stored.bundle
        bundle.require(verb)
        require_other(bundle.editors, bundle.consents, actor, role)
        digest = self._digest(bundle, self._cases(bundle_id))
        consent = give_consent(
            self._proofs, proof, digest=digest, role=role, actor=actor, at=self._clock.now()
        )
        return self._move(stored, verb, actor, state=state, consents=(*bundle.consents, consent))

    def _move(self, stored: StoredBundle, verb: str, actor: Actor, **changes: Any) -> Bundle:
        """The bundle changed, and its cases with it: those that are where the bundle was."""
        before = stored.bundle
        bundle = replace(before, changed_at=self._clock.now(), **changes)
        moving = WAITING if bundle.state is CaseState.WITHDRAWN else (before.state,)
        with self._database.transaction() as session:
            repository = BundleRepository(session)
            repository.change(stored, bundle)
            moved = repository.move_cases(bundle.id, moving, bundle.state, at=bundle.changed_at)
            self._record(session, verb, bundle, actor, cases=moved)
        return self._stored(bundle.id).bundle

    def _close(self, bundle_id: str, actor: Actor) -> Bundle:
        """The bundle after a run of the seal: done when no case waits for it any more."""
        stored = self._stored(bundle_id)
        bundle = stored.bundle
        if bundle.state is not CaseState.APPROVED or bundle.counts.get(CaseState.APPROVED):
            return bundle
        done = replace(bundle, state=CaseState.SEALED, changed_at=self._clock.now())
        with self._database.transaction() as session:
            BundleRepository(session).change(stored, done)
            sealed = bundle.counts.get(CaseState.SEALED, 0)
            self._record(session, "seal", done, actor, cases=sealed)
        return done

    def _beside(
        self, cases: Mapping[int, Case], actor: Actor
    ) -> Callable[[Session, Sequence[Application]], None]:
        """What is done in the transaction that records some licences: their cases are sealed."""

        def beside(session: Session, done: Sequence[Application]) -> None:
            now, repository = self._clock.now(), BundleRepository(session)
            for one in sorted(done, key=lambda application: cases[application.row].id):
                case = cases[one.row]
                repository.seal_case(case.id, one.licence, at=now)
                audit.record(
                    session,
                    action="case.seal",
                    subject=f"case:{case.id}",
                    actor=actor,
                    at=now,
                    details={
                        "digest": case.digest.hex(),
                        "revision": case.revision,
                        "state": str(CaseState.SEALED),
                        "licence": one.licence,
                        "bundle": case.bundle,
                    },
                )

        return beside

    def _rows(self, cases: Sequence[Case]) -> tuple[list[ApplicationRow], list[RowFault]]:
        """Cases as rows of a batch, by the catalogue of today; a case's id tells it from every other."""
        rows: list[ApplicationRow] = []
        faults: list[RowFault] = []
        for case in cases:
            kind, holder = self._catalogue[case.work.type_code], case.work.holder_key
            try:
                case.work.require_version(kind)
                claims = kind.check(case.work.claims)
            except Conflict:
                faults.append(RowFault(case.place, "type", _OTHER_VERSION))
                continue
            except InvalidClaims as exc:
                faults += [RowFault(case.place, name, why) for name, why in exc.faults]
                continue
            key = PublicKey.from_jwk(dict(holder)) if holder else None
            rows.append(ApplicationRow(case.place, kind, claims, {}, f"bundle {case.id}", key))
        return rows, faults

    def _digest(self, bundle: Bundle, cases: Sequence[Case]) -> bytes:
        return bundle_digest(bundle.id, self._agency, bundle.number, cases)

    def _cases(self, bundle_id: str) -> list[Case]:
        with self._database.reading() as session:
            return BundleRepository(session).cases(bundle_id)

    def _stored(self, bundle_id: str) -> StoredBundle:
        with self._database.reading() as session:
            return BundleRepository(session).find(bundle_id, agency=self._agency)

    def _numbered(self, number: str) -> Bundle | None:
        with self._database.reading() as session:
            found = BundleRepository(session).by_number(number, agency=self._agency)
        return found.bundle if found else None

    def _require_staff(self, actor: Actor) -> None:
        if actor.agency != self._agency or not actor.roles & READERS:
            raise NotPermitted("bundles are for the agency's own staff")

    def _record(self, session: Session, verb: str, bundle: Bundle, actor: Actor, **more: int) -> None:
        audit.record(
            session,
            action=f"bundle.{verb}",
            subject=f"bundle:{bundle.id}",
            actor=actor,
            at=self._clock.now(),
            details={"digest": bundle.digest, "state": str(bundle.state), **more},
        )


def read_file_of_applications(
    data: bytes, catalogue: Catalogue, *, type_code: str | None = None
) -> Applications:
    """The applications of a file, whichever of the three it is: its first bytes tell."""
    if is_workbook(data):
        return read_records(read_workbook(data), catalogue, type_code=type_code)
    if data.lstrip()[:1] == b"{":
        return read_lines(data, catalogue, type_code=type_code)
    return read_applications(data, catalogue, type_code=type_code)


def _same(known: Bundle, content: str) -> OpenedBundle:
    if known.content != content:
        raise Conflict(f"the bundle {known.number} was made from another file")
    return OpenedBundle(known, is_new=False)


def _number_fault(number: str, taken: Collection[str]) -> Text | None:
    if number in taken:
        return _TAKEN
    try:
        require_number(number)
    except UsageError:
        return _NO_NUMBER
    return None
