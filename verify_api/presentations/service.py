"""Presentation sessions without HTTP: begin, serve the request, take the response, tell the department.

A response is taken by exactly one caller: whoever turns the session to `received` in the database verifies
it. One that cannot be read uses up nothing but one of few tries, so that nobody burns a session with noise;
one that can be read is final, good or bad. Each presentation is verified, recorded and receipted as if the
department had handed it in.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode, urlsplit

from credentials.dcql import MDOC
from credentials.oid4vp.client_ids import Prefix
from credentials.oid4vp.presentations import Shown, examine, settle
from credentials.oid4vp.request_objects import sign_request
from credentials.oid4vp.requests import About, AuthorizationRequest, Encryption
from credentials.oid4vp.responses import read_response
from credentials.oid4vp.transcripts import transcript_of
from credentials.oid4vp.vocabulary import ResponseMode
from credentials.vocabulary import DELEGATION
from signing.jwe import DecryptionKey
from verify_api.departments import require_clerk
from verify_api.presentations.queries import make_query, make_transactions, type_of
from verify_api.presentations.recording import (
    record_fetch,
    record_finish,
    record_receipt,
    record_return,
    record_start,
    record_stranger,
    record_try,
)
from verify_api.presentations.repository import PresentationRepository, StoredPresentation
from verify_api.presentations.rules import (
    check_return,
    check_sizes,
    clerk_of,
    client_id_of,
    new_session,
    outcome_of,
)
from verify_api.presentations.sessions import (
    ALIVE,
    KEPT_AFTER,
    Sealer,
    Secrets,
    State,
    digest_of,
    is_same,
    may_read,
    state_of,
)
from verify_api.presentations.templates import templates_of
from verify_api.questions import Question
from yinxin.base.errors import Conflict, MalformedInput, NotFound, NotPermitted
from yinxin.base.randomness import Randomness, SystemRandomness, random_text
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from sqlmodel import Session

    from credentials.catalogue import Catalogue
    from signing.signer import Signer
    from verify_api.departments import Department
    from verify_api.presentations.templates import Wish
    from verify_api.service import Answer, VerificationService
    from yinxin.base.actor import Actor
    from yinxin.base.clock import Clock
    from yinxin.base.database import Database
    from yinxin.base.journal import Journal

T = TypeVar("T")
SCHEME = "openid4vp://"


@dataclass(frozen=True, slots=True)
class Started:
    """A session that has begun. `link` opens a wallet; `match_code` stands beside its QR code."""

    id: str
    link: str
    expires_at: datetime
    match_code: str


@dataclass(frozen=True, slots=True)
class Taken:
    """How a response was taken: whether it is what was asked for, and where the browser goes on."""

    accepted: bool
    redirect_uri: str | None


class PresentationService:
    """Asks holders for presentations on behalf of departments."""

    def __init__(  # noqa: PLR0913 - what it stands on, by the door
        self,
        service: VerificationService,
        *,
        database: Database,
        journal: Journal,
        request_signer: Signer,
        catalogue: Catalogue,
        secret: bytes,
        clock: Clock,
        randomness: Randomness | None = None,
        prefix: Prefix = Prefix.HASH,
    ) -> None:
        """`secret` seals sessions: 32 bytes, the same in every process; `prefix` is how we are named.

        `UsageError` when the request signer's certificate does not carry the name of the service's host.
        """
        self.service = service
        self.clock = clock
        self.client_id = client_id_of(request_signer, prefix, service.url)
        self._signer = request_signer
        self._catalogue = catalogue
        self._database = database
        self._journal = journal
        self._randomness = randomness or SystemRandomness()
        self._sealer = Sealer(secret, self._randomness)
        self._readers = ThreadPoolExecutor(2, thread_name_prefix="yinxin-presentations")

    def close(self) -> None:
        """End the reading threads. Database and journal belong to the caller."""
        self._readers.shutdown(wait=True)

    def templates(self, department: Department) -> list[dict[str, Any]]:
        """What the department may ask for."""
        return templates_of(department, self._catalogue)

    async def start(
        self,
        wish: Wish,
        department: Department,
        *,
        browser: str | None = None,
        clerk: Actor | None = None,
    ) -> Started:
        """Begin a session. `NotPermitted` for what no grant covers.

        `clerk` is who asks for the department, where a person does; the session is then this person's own.
        `browser` is the secret in the cookie of the browser that begins, where one device is used and the
        holder comes back to us.
        """
        actor = require_clerk(clerk, department) if clerk else department.actor
        grant = department.grant(wish.purpose, wish.matter)
        check_return(wish, department, browser, allow_http=self._allows_http)
        query = make_query(wish, grant, self._catalogue, self.service.snapshots.trust)
        key = DecryptionKey.generate() if wish.encrypted else None
        names = [random_text(self._randomness) for _ in range(2)]
        request = AuthorizationRequest(
            client_id=self.client_id,
            response_uri=f"{self.service.url}/oid4vp/responses/{names[1]}",
            nonce=random_text(self._randomness, 32),
            state=random_text(self._randomness),
            query=query,
            response_mode=ResponseMode.DIRECT_POST_JWT if key else ResponseMode.DIRECT_POST,
            encryption=Encryption((key.to_jwk(),)) if key else None,
            transactions=make_transactions(wish),
            about=self._about(wish, department),
        )
        secrets = Secrets(request, key)
        sealed = self._sealer.seal_secrets(secrets, owner=names[0])
        stored = new_session(wish, department, names, secrets, sealed, browser, actor, now=self.clock.now())
        await self._write(lambda session: record_start(session, stored, actor))
        return Started(stored.id, self._link(names[1]), stored.expires_at, stored.content["match_code"])

    async def begun(self, session_id: str, department: Department, *, clerk: Actor) -> Started | None:
        """The link of a clerk's own session once more, while it waits for an answer; else None."""
        found = await self._own(session_id, department, clerk)
        if state_of(found, now=self.clock.now()) not in ALIVE:
            return None
        request = self._sealer.open_secrets(found.sealed, owner=found.id).request
        link = self._link(request.response_uri.rsplit("/", 1)[1])
        return Started(found.id, link, found.expires_at, found.content["match_code"])

    async def request(self, request_id: str, *, wallet_nonce: str | None = None) -> str:
        """The signed request object for a wallet; the same as often as it is asked for, while it lives."""
        found = await self._alive(request_id)
        request = self._sealer.open_secrets(found.sealed, owner=found.id).request
        if request.client_id != self.client_id:
            raise Conflict("the service's certificate was renewed: begin again")
        now = self.clock.now()
        text = sign_request(
            request, self._signer, now=now, expires_at=found.expires_at, wallet_nonce=wallet_nonce
        )
        if found.state == State.OPEN:
            await self._write(lambda session: record_fetch(session, found, now))
        return text

    async def respond(self, request_id: str, form: Mapping[str, str]) -> Taken:
        """Take a wallet's response.

        `MalformedInput` for one that cannot be read; `NotFound` when there is no session, or no longer;
        `Conflict` when it was answered before.
        """
        found = await self._alive(request_id)
        secrets = self._sealer.open_secrets(found.sealed, owner=found.id)
        try:
            response = read_response(form, secrets.request, key=secrets.key)
            check_sizes(response)
        except MalformedInput:
            await self._write(lambda session: record_try(session, found, self.clock.now()))
            raise
        now = self.clock.now()
        if not await self._write(lambda session: record_receipt(session, found, now)):
            raise Conflict("the request was answered before")
        if response.error is not None:
            return await self._finish(found, State.DECLINED, {"error": response.error}, {})
        shown = examine(secrets.request, response)
        answers = await self._verify(found, secrets.request, shown)
        passed = [item for item, answer in answers if answer.assessment.report.passed]
        outcome = outcome_of(settle(secrets.request, passed), answers)
        results: dict[str, list[Mapping[str, Any]]] = {}
        for item, answer in answers:
            results.setdefault(type_of(item.query_id), []).append(answer.content)
        genuine = all(answer.assessment.claims is not None for _, answer in answers)
        return await self._finish(found, State.ANSWERED, outcome, results, accepted=genuine)

    async def come_back(self, response_code: str, *, browser: str | None) -> None:
        """The holder's browser is back at our page; `NotPermitted` for another browser than began."""
        found = await self._read(lambda repository: repository.by_code(digest_of(response_code)))
        if found is None or found.kept_until <= self.clock.now():
            raise NotFound("no such session")
        if not is_same(browser, found.browser):
            await self._write(lambda session: record_stranger(session, found, self.clock.now()))
            raise NotPermitted("another browser began this session")
        await self._write(lambda session: record_return(session, found, self.clock.now()))

    async def outcome(
        self,
        session_id: str,
        department: Department,
        *,
        response_code: str | None = None,
        clerk: Actor | None = None,
    ) -> dict[str, Any]:
        """How a department's own session stands, with the results once they may be read.

        Where a clerk began it, nobody else sees it.
        """
        now = self.clock.now()
        found = await self._own(session_id, department, clerk)
        answer = {
            "id": found.id,
            "state": str(state_of(found, now=now)),
            "expires_at": found.expires_at.isoformat(),
            **{name: found.content[name] for name in ("purpose", "matter", "types", "match_code")},
            **(found.outcome or {}),
        }
        if found.result is None or not may_read(found, response_code=response_code):
            return answer
        return {**answer, "results": self._sealer.open(found.result, owner=found.id)["results"]}

    async def purge(self) -> int:
        """Forget sessions whose time is over; returns how many."""
        now = self.clock.now()
        return await self._write(lambda session: PresentationRepository(session).purge(now=now))

    async def _own(self, session_id: str, department: Department, clerk: Actor | None) -> StoredPresentation:
        found = await self._read(lambda repository: repository.find(session_id, department=department.id))
        if found is None or found.kept_until <= self.clock.now():
            raise NotFound("no such session")
        if found.content.get("clerk") != (clerk.identifier if clerk else None):
            raise NotFound("no such session")
        return found

    @property
    def _allows_http(self) -> bool:
        return self.service.url.startswith("http://")

    def _about(self, wish: Wish, department: Department) -> About:
        number = int.from_bytes(self._randomness.bytes(8), "big") % 100
        code = "" if wish.same_device else f"{number:02}"
        purpose = wish.reason or Text(wish.purpose, wish.purpose)
        return About(department.name, purpose, wish.matter, code)

    def _link(self, request_id: str) -> str:
        values = {
            "client_id": str(self.client_id),
            "request_uri": f"{self.service.url}/oid4vp/requests/{request_id}",
            "request_uri_method": "post",
        }
        return f"{SCHEME}?{urlencode(values)}"

    async def _alive(self, request_id: str) -> StoredPresentation:
        found = await self._read(lambda repository: repository.by_request(digest_of(request_id)))
        now = self.clock.now()
        if found is None or state_of(found, now=now) is State.EXPIRED:
            raise NotFound("no such request, or no longer")
        if found.state not in ALIVE:
            raise Conflict("the request was answered before")
        return found

    async def _verify(
        self, found: StoredPresentation, request: AuthorizationRequest, shown: tuple[Shown, ...]
    ) -> list[tuple[Shown, Answer]]:
        department = await self._department(found.department)
        claims = found.content["claims"]
        clerk = clerk_of(found, department)
        answers = []
        transcript = transcript_of(request)
        # A delegation is part of what its licence is verified with, and no licence of its own.
        beside = tuple(item.text for item in shown if item.query_id == DELEGATION)
        for item in (one for one in shown if one.query_id != DELEGATION):
            question = Question(
                presentation=item.text,
                nonce=request.nonce,
                purpose=found.content["purpose"],
                matter=found.content["matter"],
                claims=tuple(claims) if claims is not None else None,
            )
            answer = await self.service.verify_shown(
                question,
                department,
                audience=str(self.client_id),
                checks=item.checks,
                clerk=clerk,
                beside=beside,
                type_code=type_of(item.query_id),
                transcript=transcript if request.query[item.query_id].format == MDOC else None,
            )
            answers.append((item, answer))
        return answers

    async def _department(self, name: str) -> Department:
        def look() -> Department | None:
            return self.service.directory.active(name)

        department = await asyncio.get_running_loop().run_in_executor(self._readers, look)
        if department is None:
            raise NotPermitted("the department is not served any more")
        return department

    async def _finish(
        self,
        found: StoredPresentation,
        state: State,
        outcome: Mapping[str, Any],
        results: Mapping[str, Any],
        *,
        accepted: bool = True,
    ) -> Taken:
        code = random_text(self._randomness, 32) if found.content["same_device"] and accepted else None
        values = {
            "state": str(state),
            "kept_until": self.clock.now() + KEPT_AFTER,
            "outcome": dict(outcome),
            "result": self._sealer.seal({"results": results}, owner=found.id) if results else None,
            "code": digest_of(code) if code else None,
        }
        now = self.clock.now()
        await self._write(lambda session: record_finish(session, found, values, now))
        return Taken(accepted, self._onward(found, code) if code else None)

    def _onward(self, found: StoredPresentation, code: str) -> str:
        place: str = found.content["return_url"] or f"{self.service.url}/oid4vp/return"
        return f"{place}{'&' if urlsplit(place).query else '?'}{urlencode({'response_code': code})}"

    async def _read(self, work: Callable[[PresentationRepository], T]) -> T:
        def look() -> T:
            with self._database.reading() as session:
                return work(PresentationRepository(session))

        return await asyncio.get_running_loop().run_in_executor(self._readers, look)

    async def _write(self, work: Callable[[Session], T]) -> T:
        future: Future[T] = self._journal.submit(work)
        return await asyncio.wrap_future(future)
