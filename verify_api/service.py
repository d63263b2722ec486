"""The verification service without HTTP: who asks what for, what is found, what is recorded.

An answer is made in this order: the grant is looked up; the document is examined (a PDF in a worker
process); the register is read; in one transaction the nonce is used up and the record and its audit entry
are written; the receipt is signed from the record. So no transaction waits for a key, and a receipt that
could not be signed can be signed later.
"""

from __future__ import annotations

import asyncio
import hashlib
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from signing.reasons import Reason
from signing.report import Check, Indication
from verify_api import documents, lacking
from verify_api.departments import DepartmentDirectory, require_clerk
from verify_api.documents import Examined, Material, Snapshots
from verify_api.examining import SHOWN, Examiner
from verify_api.mdocs import examine_mdoc
from verify_api.questions import check_question
from verify_api.receipts import sign_receipt
from verify_api.recording import Case, record_anonymous, record_refusal
from verify_api.repository import SessionRepository, StoredVerification, VerificationRepository
from verify_api.sessions import Nonce, open_session
from verify_api.verification import Assessment, Moments, assess, conclusion, reduce, reduce_for_anybody
from verify_api.workers import WorkerPool
from yinxin.access.tokens import AccessTokens, ClientAuthenticator, read_token_request, token_answer
from yinxin.base import once
from yinxin.base.errors import Conflict, NotFound, NotPermitted, Unauthenticated
from yinxin.base.randomness import Randomness, SystemRandomness, random_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlmodel import Session

    from signing.certificates import Certificate
    from signing.signer import Signer
    from verify_api.delegates import Delegates
    from verify_api.departments import Department, Grant
    from verify_api.questions import Question
    from verify_api.register import LicenceRegister
    from yinxin.base.actor import Actor
    from yinxin.base.clock import Clock
    from yinxin.base.database import Database
    from yinxin.base.journal import Journal

T = TypeVar("T")
KEPT_AFTER_END = timedelta(hours=1)
SCOPES = ("verify",)
RECENT = timedelta(days=7)  # how far back a department's own list goes


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: what leaves (`content`), and the report that our own code may read."""

    content: Mapping[str, Any]
    assessment: Assessment


class VerificationService:
    """Verifies for departments and, with less said, for anybody. `snapshots` are swapped whole by `use`."""

    def __init__(  # noqa: PLR0913 - what it stands on, by the door
        self,
        *,
        url: str,
        database: Database,
        journal: Journal,
        register: LicenceRegister,
        snapshots: Snapshots,
        receipt_signer: Signer,
        token_signer: Signer,
        clock: Clock,
        randomness: Randomness | None = None,
        workers: WorkerPool | None = None,
        directory: DepartmentDirectory | None = None,
        delegates: Delegates | None = None,
        count_verdict: Callable[[str, str], None] | None = None,
        slip_of: Callable[..., Mapping[str, Any]] | None = None,
        tell_lacking: Callable[[list[Certificate]], object] | None = None,
    ) -> None:
        """`url` is the service's address without a slash at the end: its name as issuer and audience.

        `delegates` is the register of who acts for whom; without it no agent's copy passes.

        `count_verdict` hears kind and indication of each verification; `slip_of` gives what a verdict that is
        not `passed` carries along (codes, `indication`, `at`, `about`, `agency`). `tell_lacking` hears of
        certificates whose revocation data were missing, for whoever gathers them.
        """
        self.url = url
        self._count_verdict = count_verdict or (lambda _kind, _indication: None)
        self._slip_of = slip_of
        self.receipt_signer = receipt_signer
        self.clock = clock
        self.directory = directory or DepartmentDirectory(database, clock=clock)
        self.tokens = AccessTokens(token_signer, issuer=url, clock=clock, randomness=randomness)
        self.clients = ClientAuthenticator(
            self.directory.active, audiences=frozenset({url, f"{url}/v1/token"}), clock=clock
        )
        self.workers = workers or WorkerPool()
        self._database = database
        self._journal = journal
        self._delegates = delegates
        self._randomness = randomness or SystemRandomness()
        self._readers = ThreadPoolExecutor(2, thread_name_prefix="yinxin-register")
        self._examiner = Examiner(self.workers, register, self._readers, tell_lacking)
        self._material = Material(snapshots)

    @property
    def snapshots(self) -> Snapshots:
        """What verification stands on at present."""
        return self._material.snapshots

    def use(self, snapshots: Snapshots) -> None:
        """Stand on other snapshots from now on; a verification that runs keeps those it began with."""
        self._material = Material(snapshots)

    def close(self) -> None:
        """End the worker processes. Database and journal belong to the caller."""
        self.workers.close()
        self._readers.shutdown(wait=True)

    async def token(self, form: Mapping[str, str]) -> dict[str, Any]:
        """Answer a token request; `OAuthError` when it is refused."""
        text, scope = read_token_request(form, scopes=SCOPES)
        assertion = await self._read(lambda: self.clients.authenticate(text))
        now = self.clock.now()
        await self._write(lambda session: assertion.use_up(session, at=now))
        return token_answer(self.tokens.issue(assertion.client.id, scope=scope), scope=scope)

    async def department_of(self, token: str) -> Department:
        """Who holds this access token; `Unauthenticated` when nobody whom we serve does."""
        name = self.tokens.check(token, scope="verify")
        if not self.directory.is_fresh:
            await self._read(self.directory.snapshot)
        department = self.directory.active(name)
        if department is None:
            raise Unauthenticated("the department is not served")
        return department

    async def nonce(self, department: Department) -> Nonce:
        """A nonce for one presentation to this department."""
        now = self.clock.now()
        return await self._write(
            lambda session: open_session(
                SessionRepository(session), department=department.id, now=now, randomness=self._randomness
            )
        )

    async def departments_of(self, organisation: str | None) -> tuple[Department, ...]:
        """The departments for which staff of this organisation (a credit code) may ask."""
        if not self.directory.is_fresh:
            await self._read(self.directory.snapshot)
        return self.directory.of_organisation(organisation)

    async def verify(
        self,
        question: Question,
        department: Department,
        *,
        idempotency_key: str | None = None,
        clerk: Actor | None = None,
    ) -> Answer:
        """Verify for a department; `clerk` is who asks for it where a person does, and stands in the receipt.

        `NotPermitted` for a purpose, matter or claim outside its grants (recorded). With an idempotency key
        the same question is answered once: asked again, it is looked at for the moment of the first answer,
        and the receipt says the same; another question under the same key is a `Conflict`.
        """
        check_question(question)
        actor = require_clerk(clerk, department) if clerk else department.actor
        grant = await self._grant(question, department, actor)
        key = _key_digest(idempotency_key)
        if key and (before := await self._answered(key, department)):
            return await self._again(question, before, grant, department)
        moments = Moments(self.clock.now(), question.as_of, question.known_at)
        material = self._material
        examined = await self._examiner.examine(question, moments, material, department)
        entry = await self._examiner.entry(question, examined, moments)
        name, grants = random_text(self._randomness), self.directory.snapshot().snapshot_id
        case = Case(
            name,
            self.url,
            question,
            department,
            actor,
            moments,
            examined,
            entry,
            key,
            grants,
            delegates=self._delegates,
        )
        try:
            assessment, content = await self._write(case.record)
        except Conflict:
            before = await self._answered(key, department) if key else None
            if before is None:
                raise
            return await self._again(question, before, grant, department)
        self._count(examined, assessment)
        return self._answer(assessment, content, grant, question)

    async def verify_shown(  # noqa: PLR0913 - what a session knows of it
        self,
        question: Question,
        department: Department,
        *,
        audience: str,
        checks: tuple[Check, ...],
        clerk: Actor | None = None,
        beside: tuple[str, ...] = (),
        transcript: bytes | None = None,
        type_code: str | None = None,
    ) -> Answer:
        """Verify a presentation that one of our sessions was answered with, for its department.

        It names `audience` and the question's nonce; `checks` are what the session found, `beside` are the
        delegations shown with it. An mdoc comes with the `transcript` that it was to be signed over. With a
        `type_code` the licence in the register must be of that type: who may issue one type could name a
        licence of another. That the session is answered once is the session's own business.
        """
        check_question(question)
        actor = require_clerk(clerk, department) if clerk else department.actor
        grant = await self._grant(question, department, actor)
        moments, material = Moments(self.clock.now()), self._material
        shown = question.presentation or ""
        if transcript is not None:
            examined = examine_mdoc(shown, material, transcript=transcript, now=moments.now)
        else:
            examined = documents.examine_presentation(
                shown,
                material,
                audience=audience,
                nonce=question.nonce or "",
                now=moments.now,
                beside=beside,
            )
        self._examiner.tell(lacking.lacking_of(shown, examined))
        objected = any(check.reason for check in checks)  # then nothing of what was shown is said
        claims = None if objected else examined.claims
        examined = replace(examined, checks=(*examined.checks, *checks), claims=claims)
        entry = await self._examiner.entry(question, examined, moments)
        if type_code is not None and entry is not None:
            version = entry.version_at(as_of=moments.now, known_at=moments.now)
            if version.licence.type_code != type_code:
                other = Check("query", Reason.QUERY_NOT_SATISFIED)
                examined = replace(examined, checks=(*examined.checks, other), claims=None)
        name, grants = random_text(self._randomness), self.directory.snapshot().snapshot_id
        case = Case(
            name,
            self.url,
            question,
            department,
            actor,
            moments,
            examined,
            entry,
            None,
            grants,
            Check("session"),
            self._delegates,
        )
        assessment, content = await self._write(case.record)
        self._count(examined, assessment)
        return self._answer(assessment, content, grant, question)

    async def verify_for_anybody(self, question: Question) -> dict[str, Any]:
        """Verdict and status of a PDF or a number, for somebody unknown."""
        assessment, entry = await self.assess_for_anybody(question)
        said = reduce_for_anybody(assessment)
        # The reason is not said here, so it does not stand on the slip either.
        return {**said, **self._slip([], said["indication"], self.clock.now(), entry)}

    async def assess_for_anybody(self, question: Question) -> tuple[Assessment, str]:
        """What `verify_for_anybody` says less of, for our own pages; and the id of its entry in the log."""
        if question.presentation is not None:
            raise Unauthenticated("a presentation is made for a department: authenticate first")
        check_question(question)
        moments = Moments(self.clock.now(), question.as_of, question.known_at)
        examined = await self._examiner.examine(question, moments, self._material, None)
        if examined.kind in SHOWN:
            raise Unauthenticated("a presentation is made for a department: authenticate first")
        assessment = assess(
            examined, await self._examiner.entry(question, examined, moments), moments=moments
        )
        entry = await self._write(lambda session: record_anonymous(session, assessment, moments.now))
        return assessment, entry

    def slip_for_anybody(self, assessment: Assessment, entry: str) -> dict[str, Any]:
        """The slip beside what a page of ours tells somebody unknown, with the reason that the page tells."""
        report = assessment.report
        codes = sorted(reason.code for reason in report.reasons)
        return self._slip(codes, str(report.indication), self.clock.now(), entry)

    async def record_of(self, verification_id: str, department: Department) -> dict[str, Any]:
        """A department's own verification as recorded, with its receipt and without claims, or `NotFound`."""
        found = await self._read(lambda: self._stored(verification_id, department))
        content = found.content
        delegates = self._delegates
        acting = await self._read(lambda: delegates.words(content)) if delegates else {}
        recorded = {name: content[name] for name in (*_RECORDED, *_KEPT) if name in content}
        at = found.at.isoformat()
        return {
            **recorded,
            **_recorded_words(content, acting.get("acting")),
            **acting,
            "id": found.id,
            "at": at,
            "receipt": self._sign({**content, **acting}),
        }

    async def recent(
        self, departments: Sequence[Department], *, limit: int = 20
    ) -> tuple[StoredVerification, ...]:
        """The latest verifications of these departments, newest first, as recorded: no claim is in them."""
        names, since = [one.id for one in departments], self.clock.now() - RECENT

        def look() -> tuple[StoredVerification, ...]:
            with self._database.reading() as session:
                return VerificationRepository(session).recent(names, since=since, limit=limit)

        return await self._read(look)

    async def purge(self) -> int:
        """Forget nonces and single-use values that are long over; returns how many."""
        now = self.clock.now()

        def work(session: Session) -> int:
            # A nonce that has just ended is still told from one that never was.
            return SessionRepository(session).purge(now=now - KEPT_AFTER_END) + once.purge(session, now=now)

        return await self._write(work)

    async def _grant(self, question: Question, department: Department, actor: Actor) -> Grant:
        try:
            return _granted(question, department)
        except NotPermitted:
            now = self.clock.now()
            await self._write(lambda session: record_refusal(session, department, actor, question, now))
            raise

    async def _answered(self, key: str, department: Department) -> StoredVerification | None:
        def look() -> StoredVerification | None:
            with self._database.reading() as session:
                return VerificationRepository(session).by_idempotency_key(key, department=department.id)

        return await self._read(look)

    async def _again(
        self, question: Question, before: StoredVerification, grant: Grant, department: Department
    ) -> Answer:
        """The recorded answer, with the claims of a fresh look at the same document."""
        if before.request != question.digest:
            raise Conflict("this idempotency key was used for another question")
        moments = Moments(before.at, question.as_of, question.known_at)
        examined = await self._examiner.examine(question, moments, self._material, department)
        entry = await self._examiner.entry(question, examined, moments)
        answer = self._answer(assess(examined, entry, moments=moments), before.content, grant, question)
        if _verdict(answer.assessment) == _verdict_of_record(before.content):
            return answer
        # What it stands on has changed since: the recorded verdict counts, and nothing more is said.
        said = _recorded_words(before.content)
        return Answer(
            {**answer.content, **said, "checks": [], "claims": {}, "licence": None}, answer.assessment
        )

    def _answer(
        self, assessment: Assessment, content: Mapping[str, Any], grant: Grant, question: Question
    ) -> Answer:
        said = reduce(assessment, grant, wanted=question.claims)
        recorded = {name: content[name] for name in _RECORDED if name in content}
        acting = assessment.acting.words if assessment.acting else None
        signed = {**content, "acting": acting.to_dict()} if acting else content
        agency = said["licence"]["agency"]["credit_code"] if said["licence"] else ""
        at = datetime.fromtimestamp(content["iat"], UTC)
        slip = self._slip(content["reasons"], content["indication"], at, content["jti"], agency=agency)
        return Answer(
            {**said, **recorded, "id": content["jti"], "receipt": self._sign(signed), **slip}, assessment
        )

    def _slip(
        self, codes: Sequence[str], indication: str, at: datetime, about: str, *, agency: str = ""
    ) -> dict[str, Any]:
        """The slip of a verdict that is not `passed`; the same record has the same slip."""
        if self._slip_of is None or indication == Indication.PASSED:
            return {}
        return {"slip": self._slip_of(codes, indication=indication, at=at, about=about, agency=agency)}

    def _count(self, examined: Examined, assessment: Assessment) -> None:
        self._count_verdict(str(examined.kind), str(assessment.report.indication))

    def _stored(self, verification_id: str, department: Department) -> StoredVerification:
        with self._database.reading() as session:
            found = VerificationRepository(session).find(verification_id, department=department.id)
        if found is None:
            raise NotFound("no such verification")
        return found

    def _sign(self, content: Mapping[str, Any]) -> str:
        return sign_receipt(content, self.receipt_signer)

    async def _read(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._readers, work)

    async def _write(self, work: Callable[[Session], T]) -> T:
        future: Future[T] = self._journal.submit(work)
        return await asyncio.wrap_future(future)


def _granted(question: Question, department: Department) -> Grant:
    grant = department.grant(question.purpose, question.matter)
    if beyond := set(question.claims or ()) - grant.every_field:
        raise NotPermitted(f"the grant does not cover: {', '.join(sorted(beyond))[:200]}")
    return grant


def _key_digest(key: str | None) -> str | None:
    return hashlib.sha256(key.encode()).hexdigest() if key else None


# What an answer takes from the record, and what a look at the record shows besides.
_RECORDED = ("purpose", "matter", "audit", "clerk", "repeats", "snapshots")
_KEPT = ("subject", "digest", "as_of", "known_at", "state", "policy", "licence")


def _verdict(assessment: Assessment) -> tuple[str, str, list[str]]:
    report = assessment.report
    return str(report.indication), str(report.then), sorted(reason.code for reason in report.reasons)


def _verdict_of_record(content: Mapping[str, Any]) -> tuple[str, str, list[str]]:
    return content["indication"], content["then"], content["reasons"]


def _recorded_words(content: Mapping[str, Any], acting: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The recorded verdict with its reasons in words, and with who acted for whom."""
    reasons = [Reason[code.upper()].to_dict() for code in content["reasons"]]
    text = conclusion(Indication(content["indication"])).to_dict()
    if acting:
        text = {"zh": f"{text['zh']}：{acting['zh']}", "en": f"{text['en']}: {acting['en']}"}
    return {"indication": content["indication"], "then": content["then"], "text": text, "reasons": reasons}
