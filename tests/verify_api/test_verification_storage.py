"""The same on SQLite and PostgreSQL, and with two services on one database."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from world.databases import database_url, postgresql  # noqa: F401 - fixtures
from world.departments import BUREAU, FIRE, MATTER, PURPOSE, URL, City
from world.pki import NOON

from signing.signers.file import FileSigner
from verify_api.questions import Question
from verify_api.register import RepositoryRegister
from verify_api.repository import StoredVerification, VerificationRepository
from verify_api.service import VerificationService
from yinxin.base.database import Database
from yinxin.base.errors import Conflict, NotFound
from yinxin.base.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Iterator


class Twins:
    """Two services, each with its own connections and journal, as two processes would have."""

    def __init__(self, url: str) -> None:
        self.city = City(database_url=url, serve=False)
        self.department = self.city.registry.get(BUREAU)
        self._database = Database(url)
        self._journal = Journal(self._database)
        self._second = VerificationService(
            url=URL,
            database=self._database,
            journal=self._journal,
            register=RepositoryRegister(self._database),
            snapshots=self.city.snapshots(),
            receipt_signer=self.city.service.receipt_signer,
            token_signer=FileSigner.generate(),
            clock=self.city.clock,
        )
        self.both = (self.city.service, self._second)

    def ask_both(self, questions: list[Question], **more: Any) -> list[Any]:
        """Answers (or errors) of questions that go to the two in turn, at the same time."""

        def ask(place: int) -> Any:
            verify = self.both[place % 2].verify(questions[place], self.department, **more)
            try:
                return asyncio.run(verify).content
            except Conflict as error:
                return error

        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(ask, range(len(questions))))

    def close(self) -> None:
        self._second.close()
        self._journal.close()
        self._database.close()
        self.city.close()


@pytest.fixture
def twins(database_url: str) -> Iterator[Twins]:  # noqa: F811 - the fixture
    made = Twins(database_url)
    yield made
    made.close()


STATED: dict[str, Any] = {"purpose": PURPOSE, "matter": MATTER}


def test_a_nonce_is_accepted_once_by_both_together(twins: Twins) -> None:
    city = twins.city
    credential = city.credential(city.licence())
    nonce = asyncio.run(city.service.nonce(twins.department)).value
    for service in twins.both:
        service.use(city.snapshots())
    shown = [city.present(credential, nonce) for _ in range(16)]
    answers = twins.ask_both([Question(presentation=one, nonce=nonce, **STATED) for one in shown])
    assert sorted(answer["indication"] for answer in answers) == ["failed"] * 15 + ["passed"]
    reasons = {reason["code"] for answer in answers for reason in answer["reasons"]}
    assert reasons == {"token_replayed"}


def test_an_idempotency_key_has_one_answer_of_both_together(twins: Twins) -> None:
    licence = twins.city.licence()
    question = Question(licence=licence.number, **STATED)
    answers = twins.ask_both([question] * 16, idempotency_key="one-key")
    assert len({answer["id"] for answer in answers}) == 1
    refused = twins.ask_both([Question(licence="another", **STATED)], idempotency_key="one-key")
    assert isinstance(refused[0], Conflict)


def test_a_record_is_read_by_its_department_at_either_service(twins: Twins) -> None:
    answer = twins.ask_both([Question(licence="nothing", **STATED)])[0]
    for service in twins.both:
        record = asyncio.run(service.record_of(answer["id"], twins.department))
        assert record["audit"] == answer["audit"]
        with pytest.raises(NotFound):
            asyncio.run(service.record_of(answer["id"], twins.city.registry.get(FIRE)))


def test_the_latest_of_several_departments_come_newest_first(twins: Twins) -> None:
    """And are found by an index that has the department first and the time next."""
    stored = [
        StoredVerification(f"recent-{name}-{day}", name, NOON + timedelta(days=day), {}, "")
        for day in range(4)
        for name in ("urn:a", "urn:b", "urn:c")
    ]
    with twins.city.database.transaction() as session:
        for one in stored:
            VerificationRepository(session).add(one, idempotency_key=None)
    with twins.city.database.reading() as session:
        found = VerificationRepository(session).recent(
            ["urn:a", "urn:c"], since=NOON + timedelta(days=1), limit=5
        )
    assert [one.id for one in found] == [
        f"recent-urn:{name}-{day}" for day, name in ((3, "a"), (3, "c"), (2, "a"), (2, "c"), (1, "a"))
    ]
