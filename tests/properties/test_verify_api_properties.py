"""Nothing leaves beyond the grant, and no bytes make a reader raise anything but our own errors."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import pytest
from fastapi.exceptions import RequestValidationError
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.exceptions import HTTPException
from starlette.requests import Request
from world.pki import NOON

from credentials.licence import Agency, Licence
from signing.policy import Policy
from signing.report import Check
from signing.trust import TrustStore
from verify_api.departments import Department, Grant
from verify_api.documents import (
    Examined,
    Kind,
    Material,
    Snapshots,
    examine_presentation,
    kind_of,
    read_pdf_outcome,
)
from verify_api.http import schemas
from verify_api.receipts import verify_receipt
from verify_api.register import RegisterEntry, Version
from verify_api.verification import Moments, assess, reduce, reduce_for_anybody
from verify_api.workers import Outcome, OutcomeState
from yinxin.access.tokens import OAuthError, read_token_request
from yinxin.base.errors import YinxinError
from yinxin.base.text import Text
from yinxin.web.bodies import read_form, read_json, read_multipart

NAMES = [f"field_{letter}" for letter in "abcdefgh"]
TYPES = ["food-business-licence", "physician-certificate", "business-licence"]
claims = st.dictionaries(
    st.sampled_from(NAMES), st.text(min_size=4, max_size=12).map(lambda text: f"«{text}»")
)
grants = st.dictionaries(st.sampled_from(TYPES), st.frozensets(st.sampled_from(NAMES)), min_size=1)
wanted = st.none() | st.frozensets(st.sampled_from(NAMES))
NOTHING = Material(Snapshots(TrustStore([])))


def licence_of(type_code: str, said: dict[str, Any]) -> Licence:
    return Licence(
        identifier="1.2.156.3005.2.x",
        number="N1",
        type_code=type_code,
        type_name=Text("证", "licence"),
        version=1,
        agency=Agency(Text("机关", "agency"), "111201010000518600"),
        holder_name="«holder»",
        holder_code="«code»",
        claims=said,
        issued_at=NOON,
        recorded_at=NOON,
        valid_from=date(2026, 1, 1),
        valid_until=None,
    )


@given(
    known=claims,
    shown=st.frozensets(st.sampled_from(NAMES)),
    granted=grants,
    asked=wanted,
    type_code=st.sampled_from(TYPES),
)
def test_no_claim_leaves_beyond_grant_disclosure_and_wish(
    known: dict[str, str],
    shown: frozenset[str],
    granted: dict[str, frozenset[str]],
    asked: frozenset[str] | None,
    type_code: str,
) -> None:
    disclosed = {name: value for name, value in known.items() if name in shown}
    examined = Examined(
        Kind.PRESENTATION, "0" * 64, (Check("x"),), licence="1.2.156.3005.2.x",
        claims={**disclosed, "iss": "«iss»", "cnf": {"jwk": "«key»"}, "status": "«status»"},
    )  # fmt: skip
    entry = RegisterEntry((Version(licence_of(type_code, known), ()),))
    assessment = assess(examined, entry, moments=Moments(NOON))
    answer = reduce(assessment, Grant("p", "m", granted), wanted=asked)
    allowed = granted.get(type_code, frozenset()) & shown & (asked if asked is not None else frozenset(NAMES))
    assert answer["claims"] == {name: value for name, value in disclosed.items() if name in allowed}
    text = str({**answer, "claims": None}) + str(reduce_for_anybody(assessment))
    assert "«" not in text


@given(known=claims, said=claims, granted=grants)
def test_what_differs_from_the_register_says_nothing(
    known: dict[str, str], said: dict[str, str], granted: dict[str, frozenset[str]]
) -> None:
    examined = Examined(Kind.PRESENTATION, "0" * 64, (Check("x"),), licence="x", claims=said)
    entry = RegisterEntry((Version(licence_of(TYPES[0], known), ()),))
    assessment = assess(examined, entry, moments=Moments(NOON))
    if any(said[name] != known[name] for name in set(said) & set(known)):
        assert not assessment.report.passed
        assert reduce(assessment, Grant("p", "m", granted))["claims"] == {}


@given(st.binary(max_size=2000), st.sampled_from(["", "%PDF-", "eyJ~"]))
def test_any_bytes_are_some_kind_of_document(data: bytes, beginning: str) -> None:
    assert kind_of(beginning.encode() + data) in Kind


@given(
    st.text(max_size=500) | st.lists(st.text(alphabet="abeyJ._~-0", max_size=40), max_size=6).map("~".join)
)
def test_any_text_is_a_bad_presentation_and_a_bad_receipt(text: str) -> None:
    examined = examine_presentation(text, NOTHING, audience="urn:me", nonce="n", now=NOON)
    assert examined.claims is None
    assert not assess(examined, None, moments=Moments(NOON)).report.passed
    assert not verify_receipt(text, TrustStore([]), now=NOON, policy=Policy.default()).passed


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
KEYS = [
    "document",
    "presentation",
    "nonce",
    "licence",
    "licence_type",
    "purpose",
    "matter",
    "claims",
    "as_of",
    "known_at",
]


@given(st.dictionaries(st.sampled_from(KEYS) | st.text(), json_values, max_size=6))
def test_any_values_are_a_question_or_an_error_of_ours(values: dict[str, Any]) -> None:
    try:
        question = schemas.read_question(schemas.decode_document(values))
    except (YinxinError, RequestValidationError):
        return
    assert len(question.digest) == 64


@given(
    st.dictionaries(
        st.sampled_from(["grant_type", "client_assertion_type", "client_assertion", "scope"]), st.text()
    )
)
def test_any_form_is_a_token_request_or_an_oauth_error(form: dict[str, str]) -> None:
    with pytest.raises(OAuthError):
        read_token_request(form, scopes=("verify",))


@given(
    st.dictionaries(
        st.sampled_from(["id", "name", "credit_code", "keys", "grants", "state", "x"]),
        json_values
        | st.just([{"kty": "EC"}])
        | st.just([{"purpose": "a", "matter": "b", "fields": {"c": ["d"]}}]),
    )
)
def test_any_file_is_a_department_or_an_error_of_ours(value: dict[str, Any]) -> None:
    try:
        Department.from_dict(value).check()
    except YinxinError:
        return


@given(
    body=st.binary(max_size=600),
    boundary=st.binary(max_size=20),
    headers=st.dictionaries(
        st.sampled_from(["content-length", "content-encoding"]),
        st.text(alphabet="0123456789gzip-", max_size=8),
    ),
)
@settings(max_examples=150)
def test_any_body_is_read_or_refused(body: bytes, boundary: bytes, headers: dict[str, str]) -> None:
    shaped = b'--b\r\nContent-Disposition: form-data; name="licence"\r\n\r\n' + body + b"\r\n--b--\r\n"
    kinds = {
        read_json: (b"application/json", body),
        read_form: (b"application/x-www-form-urlencoded", body),
        read_multipart: (
            b"multipart/form-data; boundary=" + (boundary or b"b"),
            shaped if len(body) % 2 else body,
        ),
    }
    for read, (kind, content) in kinds.items():
        raw = [(b"content-type", kind), *((name.encode(), value.encode()) for name, value in headers.items())]
        try:
            asyncio.run(read(_request(raw, content), limit=500))  # type: ignore[operator]
        except (YinxinError, HTTPException):
            continue


@given(st.recursive(st.none() | st.text(max_size=5), lambda one: st.lists(one, max_size=3), max_leaves=5))
def test_whatever_a_dying_process_leaves_is_no_pass(value: Any) -> None:
    for state in (OutcomeState.TOO_SLOW, OutcomeState.CRASHED):
        examined = read_pdf_outcome(b"%PDF-", Outcome(state, value), NOTHING)
        assert not assess(examined, None, moments=Moments(NOON)).report.passed
        assert examined.claims is None


def _request(headers: list[tuple[bytes, bytes]], body: bytes) -> Request:
    parts = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> Any:
        return next(parts)

    return Request(
        {"type": "http", "method": "POST", "path": "/", "headers": headers, "query_string": b""}, receive
    )
