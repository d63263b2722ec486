"""Requests that nobody sends in good faith: each gets a clear 4xx, and the service goes on."""

from __future__ import annotations

import gzip
import json
import zlib
from base64 import b64encode
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from world.departments import BUREAU, FIRE, MATTER, PURPOSE, City

from signing.jose import dump_json
from verify_api.http import Limits
from verify_api.http.limits import Limit

if TYPE_CHECKING:
    from world.departments import Reply

JSON = {"Content-Type": "application/json"}
STATED = {"purpose": PURPOSE, "matter": MATTER}
BOUNDARY = "----b"


def post(city: City, body: bytes, **headers: str) -> Reply:
    made = {
        **JSON,
        "Authorization": f"Bearer {city.token()}",
        **{k.replace("_", "-"): v for k, v in headers.items()},
    }
    return city.call("POST", "/v1/verifications", body, made)


def problem(reply: Reply, status: int, code: str | None = None) -> dict[str, Any]:
    assert reply.status == status, reply.body[:500]
    assert reply.headers["content-type"] == "application/problem+json"
    assert {"type", "status", "code", "title", "detail", "next", "reference"} <= set(reply.json)
    assert reply.json["status"] == status
    assert code is None or reply.json["code"] == code
    assert b"Traceback" not in reply.body
    assert b"/verify_api/" not in reply.body
    return dict(reply.json)


def multipart(*parts: tuple[str, bytes], filename: str | None = None, extra: str = "") -> bytes:
    body = b""
    for name, content in parts:
        file = f'; filename="{filename}"' if filename is not None and name == "document" else ""
        body += f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n{extra}\r\n'.encode()
        body += content + b"\r\n"
    return body + f"--{BOUNDARY}--\r\n".encode()


MULTIPART = {"Content_Type": f"multipart/form-data; boundary={BOUNDARY}"}
STATED_PARTS = (("purpose", PURPOSE.encode()), ("matter", MATTER.encode()))


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"null", 400),
        (b'"x"', 400),
        (b"\xff\xfe{}", 400),
        (b'{"licence":"x","licence":"y"}', 400),
        (b'{"licence":NaN}', 400),
        (b'{"licence":' + b"9" * 100_000 + b"}", 400),
        (b'{"licence":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400),
        (b'{"a":' * 33 + b"1" + b"}" * 33, 400),
        (b'{"licence":"\\ud800"}', 400),
        (b'{"licence":"\\u0000"}', 422),
        (b'{"licence":"a\\nb"}', 422),
        (b'{"licence":""}', 422),
        (b'{"licence":7}', 422),
        (b'{"licence":null}', 400),
        (b'{"licence":"x","unknown":1}', 422),
        (b'{"licence":"' + b"x" * 161 + b'"}', 422),
        (b'{"licence":"x","claims":"all"}', 422),
        (b'{"licence":"x","claims":["../../etc"]}', 422),
        (b'{"licence":"x","claims":' + json.dumps(["a"] * 65).encode() + b"}", 422),
        (b'{"licence":"x","as_of":"yesterday"}', 422),
        (b'{"licence":"x","as_of":1700000000}', 422),
        (b'{"licence":"x","as_of":"2026-11-20T12:00:00"}', 422),
        (b'{"licence":"x","as_of":"0001-01-01T00:00:00Z"}', 422),
        (b'{"licence":"x","as_of":"9999-12-31T23:59:59-14:00"}', 422),
        (b'{"licence":"x","as_of":"2026-02-30T00:00:00Z"}', 422),
        (b'{"licence":"x","purpose":"a b"}', 422),
        (b'{"licence":"x","purpose":"x\\u0000"}', 422),
        (b'{"document":"%%%"}', 400),
        (b'{"document":7}', 400),
        (b'{"document":"AAAA","licence":"x"}', 400),
        (b'{"presentation":"x"}', 400),
        (b'{"presentation":"x y","nonce":"n"}', 422),
        (b'{"presentation":"x","nonce":"n n"}', 422),
        (b"{}", 400),
    ],
    ids=lambda value: str(value)[:40],
)
def test_bodies_that_are_no_question(city: City, body: bytes, status: int) -> None:
    # Where only the content is wrong, purpose and matter are right.
    if body.startswith(b'{"') and b"purpose" not in body and body.endswith(b"}") and b'":' in body[:30]:
        body = body[:-1] + b',"purpose":"market-entry","matter":"440103001000"}'
    if body == b"{}":
        body = dump_json(STATED)
    problem(post(city, body), status)


def test_the_faults_are_named_in_the_callers_language(city: City) -> None:
    body = dump_json({**STATED, "licence": 7, "claims": ["x y"]})
    english, chinese = post(city, body), post(city, body, Accept_Language="zh-CN,zh;q=0.9,en;q=0.1")
    assert problem(english, 422, "invalid_request")["title"] == "The request does not follow the interface"
    assert problem(chinese, 422)["title"] == "请求内容不符合接口要求"
    assert {one["pointer"] for one in chinese.json["errors"]} == {"/licence", "/claims/0"}
    assert chinese.headers["content-language"] == "zh"
    assert b"x y" not in chinese.body  # what was sent in is not repeated


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/pdf", "application/xml", "", "application/jsonx", "json"]
)
def test_other_content_types_are_refused(city: City, kind: str) -> None:
    problem(post(city, b"{}", Content_Type=kind), 415, "unsupported_media_type")


@pytest.mark.timeout(120)
def test_compressed_bodies_are_refused_unread(city: City) -> None:
    bomb = gzip.compress(b"0" * (50 << 20))
    for coding in ("gzip", "deflate", "br", "zstd", "gzip, gzip"):
        problem(post(city, bomb, Content_Encoding=coding), 415)
    assert city.call("GET", "/healthz").status == 200


def test_a_body_over_the_limit_is_cut_off_while_it_arrives() -> None:
    city = City(
        limits=Limits(token=Limit("token", 1000, 1e5), body_bytes=100_000, anonymous_body_bytes=10_000)
    )
    try:
        token = city.token()
        big = b'{"document":"' + b"A" * 200_000 + b'"}'
        problem(city.ask(big, token=token), 413, "too_large")
        problem(city.ask(big[:50_000] + b'"}', as_=None), 413, "too_large")
        head = "POST /v1/verifications HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        head += f"Content-Type: application/json\r\nAuthorization: Bearer {token}\r\n"
        chunked = b"".join(b"2710\r\n" + b"A" * 10_000 + b"\r\n" for _ in range(30))
        answer = city.raw(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + chunked)
        # The rest of it may meet a closed connection, and the answer is lost then.
        assert not answer or b" 413 " in answer.split(b"\r\n")[0]
        # It says it is small, and goes on: the rest is no part of the request.
        answer = city.raw(head.encode() + b"Content-Length: 2\r\n\r\n{}" + b"A" * 1000)
        assert b" 400 " in answer.split(b"\r\n")[0]
        # It says it is larger than it is, and ends: nobody is left to be answered.
        city.raw(head.encode() + b"Content-Length: 90000\r\n\r\n{}")
        answer = city.raw(head.encode() + b"Content-Length: -1\r\n\r\n{}")
        assert b" 400 " in answer.split(b"\r\n")[0]
        answer = city.raw(head.encode() + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}")
        assert b" 400 " in answer.split(b"\r\n")[0]
        assert city.call("GET", "/healthz").status == 200
    finally:
        city.close()


def test_a_pdf_as_multipart(city: City, serial: str) -> None:
    _, pdf = city.issue(serial)
    for filename in ("a.pdf", "../../etc/passwd", "C:\\x\\y", "\x00.pdf", "a" * 1000, "文件.pdf", ""):
        reply = post(city, multipart(("document", pdf), *STATED_PARTS, filename=filename), **MULTIPART)
        assert reply.status == 200, reply.body
        assert reply.json["indication"] == "passed", (filename, reply.json["reasons"])
    parts = (("document", pdf), *STATED_PARTS, ("claims", b"credit_code"), ("claims", b"operator_name"))
    assert set(post(city, multipart(*parts), **MULTIPART).json["claims"]) == {"credit_code", "operator_name"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"no parts", 400),
        (multipart(("document", b"x"))[:-20], 400),
        (multipart(("document", b"x"), ("document", b"y"), *STATED_PARTS), 400),
        (multipart(("purpose", b"a"), ("purpose", b"b"), ("licence", b"x")), 400),
        (multipart(("unknown", b"x"), *STATED_PARTS), 422),
        (multipart(("licence", b"\xff\xfe"), *STATED_PARTS), 400),
        (multipart(("licence", b"x\x00"), *STATED_PARTS), 422),
        (multipart(*(("claims", b"a") for _ in range(40))), 413),
        (multipart(("presentation", b"x" * 600_000), *STATED_PARTS), 413),
        (multipart(("document", b"x"), extra="Content-Transfer-Encoding: base64\r\n"), 400),
        (multipart(("document", b"x"), extra=f"X-Long: {'x' * 5000}\r\n"), 400),
        (b"--" + BOUNDARY.encode() + b"\r\n\r\nno name\r\n--" + BOUNDARY.encode() + b"--\r\n", 400),
        (multipart(("document", b"x")).replace(b"form-data", b"attachment"), 400),
    ],
    ids=range(14),
)
def test_multipart_that_is_none(city: City, body: bytes, status: int) -> None:
    problem(post(city, body, **MULTIPART), status)


@pytest.mark.parametrize("boundary", ["", "; boundary=", "; boundary=" + "x" * 71])
def test_multipart_without_a_boundary(city: City, boundary: str) -> None:
    problem(post(city, multipart(("licence", b"x")), Content_Type="multipart/form-data" + boundary), 400)


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"PK\x03\x04",
        b"%PDF-",
        b"%PDF-1.7\n" + b"\x00" * 10_000,
        b"<html>",
        b"\xff" * 1000,
        b"%PDF-1.4\n1 0 obj<<" * 500,
    ],
    ids=range(7),
)
def test_files_that_are_no_document_get_a_failed_report(city: City, document: bytes) -> None:
    reply = city.ask({"document": b64encode(document).decode()})
    assert reply.status == 200
    assert reply.json["indication"] == "failed"
    assert reply.json["claims"] == {}
    assert reply.json["receipt"]


@pytest.mark.timeout(120)
def test_bombs_end_in_a_report_and_the_service_stays_up(city: City) -> None:
    twice = zlib.compress(zlib.compress(b"0" * (100 << 20)))
    stream = b"<</Length %d/Filter[/FlateDecode/FlateDecode]/Type/ObjStm/N 1/First 4>>stream\n" % len(twice)
    nested = b"%PDF-1.7\n1 0 obj" + b"[" * 100_000 + b"]" * 100_000 + b"endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
    loop = b"%PDF-1.7\nxref\n0 0\ntrailer<</Prev 9/Root 1 0 R>>\nstartxref\n9\n%%EOF"
    for bomb in (
        b"%PDF-1.7\n1 0 obj" + stream + twice + b"\nendstream endobj\nstartxref\n9\n%%EOF",
        nested,
        loop,
    ):
        reply = city.ask({"document": b64encode(bomb).decode()})
        assert reply.status == 200, reply.body[:200]
        assert reply.json["indication"] != "passed"
    assert city.call("GET", "/healthz").json == {"status": "ok"}


@pytest.mark.parametrize(
    "path",
    [
        "..%2f..%2fetc%2fpasswd",
        "%00",
        "A" * 22,
        "A" * 5000,
        "a'--",
        "%ff",
        "😀".encode().hex(),
        ".",
        "%2e%2e",
        "AAAAAAAAAAAAAAAAAAAAA%0a",
    ],
)
def test_records_that_nobody_has(city: City, path: str) -> None:
    reply = city.call(
        "GET", f"/v1/verifications/{path}", headers={"Authorization": f"Bearer {city.token(FIRE)}"}
    )
    problem(reply, 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/verifications", 405),
        ("DELETE", "/v1/verifications/" + "A" * 22, 405),
        ("PUT", "/v1/token", 405),
        ("GET", "/nothing", 404),
        ("GET", "/v1//token", 404),
        ("TRACE", "/v1/token", 405),
    ],
)
def test_other_methods_and_places(city: City, method: str, path: str, status: int) -> None:
    reply = city.call(method, path)
    problem(reply, status)
    assert (status == 405) == ("allow" in reply.headers)


@pytest.mark.parametrize("key", ["", " ", "x" * 129, "a b", "ü"])
def test_idempotency_keys_that_are_none(city: City, key: str) -> None:
    body = dump_json({**STATED, "licence": "x"})
    problem(post(city, body, Idempotency_Key=key), 422, "invalid_request")


def test_every_answer_carries_the_security_headers(city: City) -> None:
    for reply in (
        city.call("GET", "/healthz"),
        city.call("GET", "/nothing"),
        city.call("POST", "/v1/token", b""),
        city.ask({"licence": "x"}),
    ):
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in reply.headers["content-security-policy"]
        assert reply.headers["referrer-policy"] == "no-referrer"


def test_anonymous_callers_are_limited_by_address() -> None:
    city = City()
    try:
        replies = [city.ask({"licence": "x"}, as_=None) for _ in range(11)]
        assert [reply.status for reply in replies] == [200] * 10 + [429]
        assert replies[0].headers["ratelimit"] == '"anonymous";r=9;t=3'
        assert replies[0].headers["ratelimit-policy"] == '"anonymous";q=10;w=30'
        problem(replies[-1], 429, "too_many_requests")
        assert replies[-1].headers["retry-after"] == "3"
        assert replies[-1].headers["ratelimit"].startswith('"anonymous";r=0')

        city.clock.advance(timedelta(seconds=3))
        assert [city.ask({"licence": "x"}, as_=None).status for _ in range(2)] == [200, 429]
        assert city.ask({"licence": "x"}, as_=BUREAU).status == 200
    finally:
        city.close()


def test_an_error_inside_says_nothing_and_has_a_reference(
    city: City, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("the secret is 12345")

    monkeypatch.setattr(city.service._examiner.register, "find", fail)
    reply = city.ask({"licence": "x"})
    said = problem(reply, 500, "internal_error")
    assert b"12345" not in reply.body
    assert said["reference"] in caplog.text
