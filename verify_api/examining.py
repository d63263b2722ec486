"""Gather what a question is about: what its document says by itself, and what the register says of it.

A PDF or a signature beside a file is parsed in a worker process, a presentation here; the register is read
in a thread. What both say
together is `verify_api.verification`.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from signing.reasons import Reason
from signing.report import Check
from verify_api import beside, documents, lacking
from verify_api.documents import Examined, Kind, Material
from verify_api.handover import Handover
from verify_api.mdocs import MdocFile, examine_mdoc
from verify_api.workers import OutcomeState
from yinxin.base.errors import TooManyRequests, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    from signing.certificates import Certificate
    from verify_api.departments import Department
    from verify_api.questions import Question
    from verify_api.register import LicenceRegister, RegisterEntry
    from verify_api.verification import Moments
    from verify_api.workers import Outcome, Shared, WorkerPool

SHOWN = frozenset({Kind.PRESENTATION, Kind.MDOC})  # by their holder, to who asked for it
_NO_SESSION = (
    "an mdoc is handed in as presentation, with nonce and session; "
    "or it is shown to a session of ours (POST /v1/presentations)"
)
PATIENCE = timedelta(seconds=30)  # how long a caller waits for its turn and its document together


@dataclass(frozen=True, slots=True)
class Examiner:
    """Looks at documents and into the register.

    `tell_lacking` hears, in a thread, of certificates whose revocation data were missing.
    """

    workers: WorkerPool
    register: LicenceRegister
    readers: Executor
    tell_lacking: Callable[[list[Certificate]], object] | None = None

    async def examine(
        self, question: Question, moments: Moments, material: Material, department: Department | None
    ) -> Examined:
        """What the document says; for somebody unknown (no department) a presentation says nothing."""
        if question.licence is not None:
            digest = hashlib.sha256(question.licence.encode()).hexdigest()
            return Examined(Kind.LICENCE, digest, (), material.policy_hash)
        if question.presentation is not None:
            return self._presentation(question.presentation, question, moments, material, department)
        return await self._file(question, moments, material, department)

    async def _file(
        self, question: Question, moments: Moments, material: Material, department: Department | None
    ) -> Examined:
        document = question.document or b""
        kind = documents.kind_of(document)
        if question.signature is not None:
            return await self._beside(question, moments, material)
        if kind is Kind.PDF:
            return await self._pdf(document, moments, material)
        if kind is Kind.UNKNOWN and MdocFile.of(document):
            kind = Kind.MDOC
        if kind not in SHOWN:
            return documents.examine_unknown(document)
        if department is None:
            return Examined(kind, "", ())
        if kind is Kind.MDOC:
            raise UsageError(_NO_SESSION)
        text = document.decode("ascii").strip()
        return self._presentation(text, question, moments, material, department)

    async def entry(self, question: Question, examined: Examined, moments: Moments) -> RegisterEntry | None:
        """What the register has of the licence that is asked about, or that the document names."""
        name, kind = question.licence or examined.licence, question.licence_type if question.licence else None
        if name is None:
            return None
        history = moments.names_one
        return await asyncio.get_running_loop().run_in_executor(
            self.readers, lambda: self.register.find(name, type_code=kind, history=history)
        )

    async def _pdf(self, document: bytes, moments: Moments, material: Material) -> Examined:
        outcome = await self._work(lacking.examine_pdf, document, moments.now, shared=material.shared)
        return documents.read_pdf_outcome(document, outcome, material)

    async def _beside(self, question: Question, moments: Moments, material: Material) -> Examined:
        asked = (question.signature, question.document, question.content_digest, moments.now)
        outcome = await self._work(beside.examine_signature, *asked, shared=material.shared)
        return beside.read_outcome(question, outcome, material)

    async def _work(self, function: Callable[..., Any], *arguments: Any, shared: Shared) -> Outcome:
        """What a worker process answers, and what it says is lacking is told."""
        future = self.workers.submit(function, *arguments, shared=shared)
        try:
            outcome = await asyncio.wait_for(asyncio.wrap_future(future), PATIENCE.total_seconds())
        except TimeoutError as exc:
            raise TooManyRequests("too many documents wait", retry_after=PATIENCE) from exc
        if outcome.state is OutcomeState.DONE:
            self.tell(lacking.lacking_in(outcome.value))
        return outcome

    def _presentation(
        self,
        text: str,
        question: Question,
        moments: Moments,
        material: Material,
        department: Department | None,
    ) -> Examined:
        if not question.nonce or department is None:
            raise UsageError("a presentation comes with the nonce that it was made for")
        if question.session is not None:
            return self._mdoc(text, question, moments, material, department)
        if MdocFile.of(text.encode()):
            raise UsageError(_NO_SESSION)
        examined = documents.examine_presentation(
            text, material, audience=department.id, nonce=question.nonce, now=moments.now
        )
        self.tell(lacking.lacking_of(text, examined))
        return examined

    def _mdoc(
        self, text: str, question: Question, moments: Moments, material: Material, department: Department
    ) -> Examined:
        """An mdoc that was shown to the department's own session."""
        session = question.session or Handover()
        transcript = session.transcript(question.nonce or "")
        examined = examine_mdoc(text, material, transcript=transcript, now=moments.now)
        self.tell(lacking.lacking_of(text, examined))
        if session.is_of(department.id):
            return replace(examined, checks=(*examined.checks, Check("audience")))
        foreign = Check("audience", Reason.WRONG_AUDIENCE, detail="the session is another's")
        return replace(examined, checks=(*examined.checks, foreign), claims=None)

    def tell(self, certificates: list[Certificate]) -> None:
        """Have it heard; nobody waits for it, and an answer does not depend on it."""
        if self.tell_lacking and certificates:
            self.readers.submit(self.tell_lacking, certificates)
