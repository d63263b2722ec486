"""Processes for hostile files: what they do wrong stays with them."""

from __future__ import annotations

import importlib.util
import sys
from base64 import b64encode
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from world.departments import City

from verify_api import workers
from verify_api.workers import Outcome, OutcomeState, Shared, WorkerPool
from yinxin.base.errors import TooManyRequests, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType


@pytest.fixture(scope="module")
def slow_parsers() -> Iterator[ModuleType]:
    """Importable here and, by the path that is handed on, in the processes."""
    folder = str(Path(__file__).parent)
    sys.path.insert(0, folder)
    yield importlib.import_module("slow_parsers")
    sys.path.remove(folder)


@pytest.fixture(scope="module")
def pool(slow_parsers: ModuleType) -> Iterator[WorkerPool]:
    made = WorkerPool(processes=1, time_limit=timedelta(seconds=1), memory_bytes=1 << 30, preload=())
    yield made
    made.close()


def test_a_function_runs_in_another_process(pool: WorkerPool, slow_parsers: ModuleType) -> None:
    assert pool.submit(slow_parsers.double, 21).result(60) == Outcome(OutcomeState.DONE, 42)


def test_a_shared_value_arrives_once_and_is_replaced(pool: WorkerPool, slow_parsers: ModuleType) -> None:
    first, second = Shared("one", {"a": 1}), Shared("two", {"a": 2})
    answers = [
        pool.submit(slow_parsers.echo, "a", shared=one).result(60).value
        for one in (first, first, second, first)
    ]
    assert [value for value, _ in answers] == [1, 1, 2, 1]
    assert len({process for _, process in answers}) == 1


@pytest.mark.parametrize(
    ("name", "arguments", "state"),
    [
        ("spin", (), OutcomeState.TOO_SLOW),
        ("die", (), OutcomeState.CRASHED),
        ("fail", (), OutcomeState.CRASHED),
        ("eat", (4 << 30,), OutcomeState.CRASHED),
        ("recurse", (), OutcomeState.CRASHED),
        ("unspeakable", (), OutcomeState.CRASHED),
    ],
)
def test_what_goes_wrong_is_an_outcome_and_the_next_task_is_served(
    pool: WorkerPool, slow_parsers: ModuleType, name: str, arguments: tuple[int, ...], state: OutcomeState
) -> None:
    if name == "eat" and sys.platform != "linux":
        pytest.skip("memory limits are enforced on Linux")
    assert pool.submit(getattr(slow_parsers, name), *arguments).result(60).state is state
    assert pool.submit(slow_parsers.double, 4).result(60).value == 8


def test_an_old_process_serves_until_the_next_one_is_there(
    slow_parsers: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "TASKS_PER_PROCESS", 2)
    pool, shared = WorkerPool(processes=1, preload=()), Shared("one", {"a": 1})
    answers = [pool.submit(slow_parsers.echo, "a", shared=shared).result(60)]
    while len({answer.value[1] for answer in answers}) < 2:
        answers.append(pool.submit(slow_parsers.echo, "a", shared=shared).result(60))
    assert all(answer.value[0] == 1 for answer in answers)
    pool.close()


def test_processes_that_cannot_start_leave_an_outcome(slow_parsers: ModuleType) -> None:
    pool = WorkerPool(processes=1, preload=("no_such_module",))
    assert pool.submit(slow_parsers.double, 1).result(60).state is OutcomeState.CRASHED
    assert pool.submit(slow_parsers.double, 1).result(60).state is OutcomeState.CRASHED
    pool.close()


def test_a_full_queue_refuses_and_a_closed_pool_too(slow_parsers: ModuleType) -> None:
    pool = WorkerPool(processes=1, time_limit=timedelta(seconds=1), max_waiting=2, preload=())
    futures = []
    with pytest.raises(TooManyRequests):
        futures += [pool.submit(slow_parsers.spin) for _ in range(8)]
    pool.close()
    with pytest.raises(UsageError):
        pool.submit(slow_parsers.double, 1)


def test_a_pool_that_never_started_closes() -> None:
    WorkerPool().close()


def test_a_slow_document_is_indeterminate_and_the_service_stays_up() -> None:

    city = City(time_limit=timedelta(microseconds=1))
    try:
        _, pdf = city.issue()
        reply = city.ask({"document": b64encode(pdf).decode()})
        assert [reason["code"] for reason in reply.json["reasons"]] == ["too_slow"]
        assert reply.json["indication"] == "indeterminate"
        assert reply.json["claims"] == {}
        assert city.ask({"licence": "x"}).status == 200
    finally:
        city.close()
