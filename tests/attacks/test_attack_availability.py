"""Requests that try to take the service away from others."""

from __future__ import annotations

import asyncio
import http.client
import socket
import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import FastAPI, Request
from starlette.datastructures import Headers
from world.work import counted_calls

from verify_api.http.schemas import read_question
from yinxin.app.connections import PatientProtocol
from yinxin.app.serve import _serving, bind_port
from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@pytest.mark.parametrize(
    "values",
    [
        {str(number): 1 for number in range(200_000)},
        {"licence": "x", **{str(number): None for number in range(200_000)}},
    ],
    ids=["names", "nothings"],
)
def test_a_request_with_very_many_names_is_refused_before_each_is_looked_at(
    values: Mapping[str, Any],
) -> None:
    """It stood in the way of everybody for a second and more: a report of a hundred thousand faults."""
    with counted_calls() as work, pytest.raises(MalformedInput):
        read_question(dict(values))
    assert work.calls < 1_000


PATIENCE = 60  # seconds for a loaded machine; the server's own limits are far shorter


@pytest.fixture
def slow_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    """A server with little patience, and room for eight."""
    monkeypatch.setattr(PatientProtocol, "head_seconds", 0.4)
    monkeypatch.setattr(PatientProtocol, "body_seconds", 0.4)
    monkeypatch.setattr(PatientProtocol, "most", 8)
    app = FastAPI()

    @app.get("/slow")
    async def slow() -> str:
        await asyncio.sleep(0.8)
        return "done"

    @app.get("/quick")
    async def quick() -> str:
        return "done"

    @app.post("/late")
    async def late(request: Request) -> str | None:
        await request.body()
        return Headers(scope=request.scope).get("authorization")

    @app.post("/read")
    async def read(request: Request) -> int:
        return len(await request.body())

    listener = bind_port("127.0.0.1", 0)
    with _serving(app, listener):
        yield listener.getsockname()


def ask(address: tuple[str, int], path: str) -> int:
    connection = http.client.HTTPConnection(*address, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def is_ended(held: socket.socket) -> bool:
    try:
        return held.recv(1) == b""
    except ConnectionError:
        return True


def is_cut_off(held: socket.socket, drop: bytes, *, within_seconds: float) -> bool:
    """Whether the server ends it while one drop comes after the other."""
    end = time.monotonic() + within_seconds
    while time.monotonic() < end:
        try:
            held.sendall(drop)
            with suppress(TimeoutError):
                if held.recv(1) == b"":
                    return True
        except ConnectionError:
            return True
    return False


@pytest.mark.parametrize(
    "beginning",
    [
        b"",
        b"GET /quick HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc",
        b"POST /quick HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc",
    ],
)
def test_what_never_comes_is_not_waited_for(slow_server: tuple[str, int], beginning: bytes) -> None:
    with socket.create_connection(slow_server, timeout=PATIENCE) as held:
        held.sendall(beginning)
        while not is_ended(held):  # an answer may come first
            pass


def test_a_second_head_on_the_same_connection_has_no_more_time(slow_server: tuple[str, int]) -> None:
    with socket.create_connection(slow_server, timeout=PATIENCE) as held:
        held.sendall(b"GET /quick HTTP/1.1\r\nHost: x\r\n\r\n")
        while b'"done"' not in held.recv(4096):
            pass
        held.sendall(b"GET /quick HTTP/1.1\r\n")
        assert is_ended(held)


def test_bytes_that_complete_nothing_win_no_time(slow_server: tuple[str, int]) -> None:
    with socket.create_connection(slow_server, timeout=0.05) as held:
        held.sendall(b"GET /quick HTTP/1.1\r\n")
        assert is_cut_off(held, b"X: y\r\n", within_seconds=3)


def test_an_answer_may_take_longer_than_a_head(slow_server: tuple[str, int]) -> None:
    assert ask(slow_server, "/slow") == 200


def test_idle_connections_make_room_for_others(
    slow_server: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PatientProtocol, "head_seconds", 60)
    with ExitStack() as closing:
        held = [
            closing.enter_context(socket.create_connection(slow_server, timeout=PATIENCE)) for _ in range(30)
        ]
        assert ask(slow_server, "/quick") == 200
        assert is_ended(held[0]), "the longest idle one"


def say(address: tuple[str, int], data: bytes) -> bytes:
    """What the server answers to these bytes until it ends, or says no more for a while."""
    with socket.create_connection(address, timeout=2) as connection:
        answer = b""
        with suppress(OSError):
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while chunk := connection.recv(65536):
                answer += chunk
        return answer


def test_a_head_has_an_end(slow_server: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PatientProtocol, "head_seconds", 60)
    with socket.create_connection(slow_server, timeout=0.05) as held:
        held.sendall(b"GET /quick HTTP/1.1\r\nHost: x\r\n")
        assert is_cut_off(held, b"X: " + b"y" * 8000 + b"\r\n", within_seconds=PATIENCE)
    with socket.create_connection(slow_server, timeout=0.05) as held:
        held.sendall(b"GET /")
        assert is_cut_off(held, b"x" * 8000, within_seconds=PATIENCE)


@pytest.mark.parametrize(
    "head",
    [
        b"GET /quick HTTP/1.1\r\n\r\n",
        b"GET /quick HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        b"GET /quick HTTP/1.1\r\nHost: x\r\nX-Bad : y\r\n\r\n",
        b"GET /quick HTTP/1.1\r\nHost: x\r\nX-Bad: y\rz: 1\r\n\r\n",
        b"GET /quick HTTP/1.1\r\nHost: x\r\nX-Bad: \x00\r\n\r\n",
        b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: +3\r\n\r\nabc",
        b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /read HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
        b"POST /read HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n",
        b"\x16\x03\x01\x00\xa5\x01\x00",
    ],
)
def test_heads_that_two_readers_could_read_in_two_ways_are_refused(
    slow_server: tuple[str, int], head: bytes
) -> None:
    answer = say(slow_server, head)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1


def test_a_trailer_is_no_header(slow_server: tuple[str, int]) -> None:
    head = b"POST /late HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = say(slow_server, head + b"3\r\nabc\r\n0\r\nAuthorization: Bearer late\r\n\r\n")
    assert answer.endswith(b"null")
