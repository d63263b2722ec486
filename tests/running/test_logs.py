"""Logs, metrics and the audit log of a real service under requests full of other people's data."""

from __future__ import annotations

import io
import json
import logging
import re
import threading
from base64 import b64encode
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from world.node import Node
from world.processes import Bureau, Service, call, need_proc

from signing.jose import dump_json
from yinxin.app import wiring
from yinxin.app.observing import logs
from yinxin.app.serve import ROLES
from yinxin.base.audit import AuditLog
from yinxin.base.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME, CITIZEN, SECRET, HOSTILE = (
    "欧阳标记",
    "11010519491231002X",
    "mArKeDsEcReT",
    'mark\r\n{"level": "forged"}\x1b[2J',
)
MARKS = (
    NAME,
    CITIZEN,
    SECRET,
    "forged",
    quote(NAME),
    b64encode(NAME.encode()).decode(),
    "欧阳".encode("unicode_escape").decode(),
)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    made = Node.make(tmp_path_factory.mktemp("office") / "home", "sqlite:///yinxin.db", clock=SystemClock())
    yield made
    made.close()


def test_nothing_of_a_request_reaches_logs_metrics_or_the_audit_log(office: Node, tmp_path: Path) -> None:
    need_proc()
    licence, bureau = office.issue(), Bureau(office)
    service = Service(office, tuple(ROLES), tmp_path, workers=1, anonymous_requests_per_minute="100000")
    try:
        service.wait()
        asked = sum(_attack(url, routes) for url, routes in _routes(office).items())
        assert asked > 200
        answers = _ordinary_work(office, bureau, licence)
        metrics = service.metrics()
        assert service.stop() == 0
    finally:
        service.kill()
    said = service.log.read_text()
    office.publish_log()

    personal = (licence.licence.holder_name, licence.licence.holder_code, *answers)
    numbers = (licence.licence.number, licence.licence.identifier)
    for mark in (*MARKS, *personal, *numbers):
        assert mark not in said, mark
        assert mark not in metrics, mark
    for mark in (*MARKS, *personal):
        assert mark not in _audit_texts(office), mark

    # Each line is whole, and nobody wrote one for us.
    lines = [line for line in said.splitlines() if " serves " not in line]
    assert all(set(json.loads(line)) >= {"at", "level", "logger", "says", "process"} for line in lines)
    answered = [json.loads(line) for line in lines if '"route"' in line]
    # Some of what is asked never becomes a request: the parser turns it away, or the connection ends before.
    assert len(answered) > asked * 0.95
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{12}", line["request"]) for line in answered)
    # Labels are of our own making, however many paths were asked for.
    routes = set(re.findall(r'route="([^"]*)"', metrics))
    known = {path for found in _routes(office).values() for path, _ in found}
    assert routes <= known | {"other", "/healthz", "/readyz"}
    assert set(re.findall(r'method="([^"]*)"', metrics)) <= {
        "GET",
        "HEAD",
        "POST",
        "PUT",
        "DELETE",
        "PATCH",
        "OPTIONS",
        "other",
    }


def _routes(office: Node) -> dict[str, list[tuple[str, set[str]]]]:
    """Every role's address, with the templates and methods of its routes."""
    found = {}
    for role in ROLES.values():
        with ExitStack() as closing:
            app = role.build(office.home, wiring.Stage(closing))
            found[role.url(office.home)] = sorted(_templates(app.routes))
    return found


def _templates(routes: Any) -> Iterator[tuple[str, set[str]]]:
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from _templates(inner.routes)
        elif getattr(route, "methods", None):
            yield route.path, set(route.methods)


def _attack(url: str, routes: list[tuple[str, set[str]]]) -> int:
    """Ask every route of a role with marks in every place that a request has."""
    count = 0
    secrets = {
        "Authorization": f"Bearer eyJhbGciOiJFUzI1NiJ9.{SECRET}.{SECRET}",
        "Cookie": f"yinxin={SECRET}; __Host-yinxin={SECRET}",
        "User-Agent": f"{CITIZEN} {SECRET}",
        "Referer": f"https://x.example/{SECRET}?id={CITIZEN}",
        "X-Forwarded-For": CITIZEN,
        "X-Request-Id": SECRET,
        "Origin": url,
        "DPoP": f"eyJ.{SECRET}.x",
        "Idempotency-Key": SECRET,
    }
    values = {
        "name": NAME,
        "licence": CITIZEN,
        "document": SECRET,
        "nonce": SECRET,
        "presentation": f"{SECRET}~",
        "code": SECRET,
    }
    values |= {
        "purpose": NAME,
        "matter": HOSTILE,
        "token": SECRET,
        "client_assertion": f"e30.{SECRET}.x",
        "tx_code": SECRET,
    }
    bodies = {
        "application/json": dump_json(values),
        "application/x-www-form-urlencoded": urlencode(values).encode(),
        "application/ocsp-request": SECRET.encode(),
        "multipart/form-data; boundary=mark": _multipart(),
        f"text/{SECRET}": NAME.encode(),
    }
    for path, methods in routes:
        filled = re.sub(r"\{[^}]*\}", quote(f"{NAME}{CITIZEN}{SECRET}", safe=""), path)
        for method in sorted(methods):
            sent = bodies if method == "POST" else {"": b""}
            for kind, body in sent.items():
                headers = {**secrets, **({"Content-Type": kind} if kind else {})}
                query = urlencode({"q": CITIZEN, "state": SECRET, "next": f"/{SECRET}", "name": NAME})
                call(url, method, f"{filled}?{query}", body or None, headers)
                count += 1
    for path in (
        f"/{quote(NAME)}",
        f"/{SECRET}/{CITIZEN}",
        f"/{quote(HOSTILE)}",
        "/%00",
        f"/static/{SECRET}/x",
    ):
        call(url, "GET", path, None, secrets)
        call(url, "BREW", path, None, secrets)
        count += 2
    return count


def _multipart() -> bytes:
    head = f'Content-Disposition: form-data; name="document"; filename="{NAME}{CITIZEN}.pdf"'
    return f"--mark\r\n{head}\r\n\r\n%PDF-1.7 {SECRET}\r\n--mark--\r\n".encode()


def _ordinary_work(office: Node, bureau: Bureau, licence: Any) -> list[str]:
    """What goes well names people too; secrets that were handed out on the way."""
    token = bureau.token()
    number = licence.licence.number
    for body in (
        bureau.question(number),
        dump_json(
            {"purpose": "market-entry", "matter": "440103001000", "document": b64encode(licence.pdf).decode()}
        ),
    ):
        status, _, answer = call(bureau.url, "POST", "/v1/verifications", body, bureau.headers(token))
        assert status == 200, answer
        assert json.loads(answer)["indication"] == "passed", answer
    status, _, nonce = call(bureau.url, "POST", "/v1/nonces", b"", bureau.headers(token))
    assert status == 200
    assert (
        call(
            bureau.url,
            "POST",
            "/v1/verifications",
            dump_json({"licence": number}),
            {"Content-Type": "application/json"},
        )[0]
        == 200
    )
    offer = office.offer(licence)
    reference = offer.by_reference.rpartition("%2F")[2]
    place = offer.document["credential_issuer"]
    code = offer.document["grants"]["urn:ietf:params:oauth:grant-type:pre-authorized_code"][
        "pre-authorized_code"
    ]
    for path in (f"/offers/{reference}", f"/offers/{reference}/page"):
        call(place, "GET", path)
    return [token, json.loads(nonce)["nonce"], reference, code, str(offer.tx_code)]


def _audit_texts(office: Node) -> str:
    with office.home.database.reading() as session:
        waiting = session.execute(text("SELECT body FROM audit_inbox")).scalars().all()
    log = AuditLog(office.home.database)
    return "\n".join([*waiting, *(entry.body or "" for entry in log.entries(limit=1000))])


def test_a_library_and_an_exception_tell_no_values() -> None:
    out = io.StringIO()
    logs.set_up("json", process={"process": "test"}, stream=out)
    try:
        int(NAME)
    except ValueError:
        logging.getLogger("asyncio").exception("Task failed: %s %s", NAME, CITIZEN)
        logging.getLogger("yinxin.test").exception("it failed")
    thread = threading.Thread(target=lambda: int(NAME))
    thread.start()
    thread.join()
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert len(lines) == 3
    assert not any(mark in out.getvalue() for mark in MARKS)
    assert [line["error"] for line in lines] == [["ValueError"]] * 3
    assert "test_logs.py" in lines[1]["places"][-1]
    assert lines[0]["says"] == "a library's message"


@pytest.mark.parametrize("kind", ["json", "text"])
def test_hostile_values_stay_on_their_line(kind: str) -> None:
    out = io.StringIO()
    logs.set_up(kind, process={"process": "test"}, stream=out)
    log = logging.getLogger("yinxin.test")
    log.info("said %s", HOSTILE, extra={logs.FACTS: {"value": HOSTILE, "thing": object()}})
    log.info("%d arguments that do not fit", "x")
    logging.getLogger("foreign").warning(HOSTILE)
    assert out.getvalue().count("\n") == 3
    assert out.getvalue().isascii()
    assert "\x1b" not in out.getvalue()


@given(st.text(max_size=200), st.sampled_from(["json", "text"]))
def test_any_text_is_one_line(said: str, kind: Any) -> None:
    record = logging.LogRecord("yinxin.x", logging.INFO, "f", 1, "%s", (said,), None)
    line = logs.LineFormatter(kind, {"process": said}).format(record)
    assert len(line.splitlines()) == 1
    assert line.isascii()
