"""Attacks on the verifier's pages: strangers' forms, hostile names, floods, guesses, what leaks."""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world.counters import CounterCity, choose, form, hand_in, words
from world.departments import AGENCY_CODE, BUREAU, CLERK, MATTER, REVIEWER, TYPE

from credentials.licence import Agency, EndingKind
from signing.signers.file import FileSigner
from verify_api.pages.routers import PageLimits
from yinxin.base.actor import staff
from yinxin.base.audit.records import INBOX
from yinxin.base.buckets import Limit
from yinxin.base.identifiers import credit_check_character
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from world.asgi import Answer
    from world.passkeys import Browser

DESK = f"{BUREAU} {MATTER}"
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u202egpj.<b>"
STRANGERS = [
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
    {"Origin": "https://verify.jincheng.example", "Sec-Fetch-Site": "cross-site"},
    {"Origin": "https://licences.jincheng.example", "Sec-Fetch-Site": "same-site"},
    {"Origin": "http://verify.jincheng.example"},
    {"Origin": "https://verify.jincheng.example:8443"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Sec-Fetch-Site": "none"},
]


def rows(pages: CounterCity) -> int:
    with pages.database.reading() as session:
        return len(session.execute(INBOX.select()).all())


def post(browser: Browser, path: str, headers: dict[str, str], **values: str | bytes) -> Answer:
    own, body = form(values)
    pairs = [*own.items(), *headers.items(), ("Accept", "text/html")]
    # The world's browser adds a good origin where none is named.
    if "Origin" not in headers:
        pairs.append(("Origin", "https://verify.jincheng.example"))
    return browser.request("POST", path, headers=pairs, content=body)


@pytest.mark.parametrize("headers", STRANGERS, ids=range(len(STRANGERS)))
def test_nobody_else_s_page_posts_our_forms(pages: CounterCity, serial: str, headers: dict[str, str]) -> None:
    licence, clerk = pages.licence(serial), pages.clerk()
    before = rows(pages)
    assert post(pages.browser(), "/", headers, licence=licence.identifier).status_code == 403
    assert post(clerk, "/counter", headers, licence=licence.identifier, desk=DESK).status_code == 403
    wish = urlencode([("desk", DESK), ("types", TYPE), ("claims", "operator_name")]).encode()
    plain = {"Content-Type": "application/x-www-form-urlencoded", **headers}
    plain.setdefault("Origin", "https://verify.jincheng.example")
    assert clerk.request("POST", "/counter/ask", headers=plain, content=wish).status_code == 403
    assert rows(pages) == before


def test_a_form_that_says_nothing_of_its_page_is_refused(pages: CounterCity) -> None:
    headers, body = form({"licence": "JY21201990000001"})
    answer = pages.browser().request(
        "POST", "/", headers=[*headers.items(), ("Origin", ""), ("Accept", "text/html")], content=body
    )
    assert answer.status_code == 403


def every_page(pages: CounterCity, serial: str) -> Iterator[tuple[str, Answer]]:
    licence, pdf = pages.issue(serial)
    pages.happen(licence, EndingKind.REVOKED)
    nobody, clerk = pages.browser(), pages.clerk()
    yield "public", nobody.get("/")
    yield "public result", hand_in(nobody, "/", document=pdf)
    yield "public wrong", hand_in(nobody, "/")
    yield "counter", clerk.get("/counter")
    result = hand_in(clerk, "/counter", desk=DESK, licence=licence.identifier)
    yield "counter result", result
    yield "counter wrong", hand_in(clerk, "/counter", desk=DESK)
    yield "ask", clerk.get("/counter/ask?" + urlencode({"desk": DESK}))
    values = [("desk", DESK), ("types", TYPE), ("claims", "operator_name"), ("device", "cross")]
    yield "presenting", clerk.get(choose(clerk, "/counter/ask", values).headers["location"])
    yield "records", clerk.get("/counter/records")
    name = re.search(r"/counter/records/([A-Za-z0-9_-]{22})/receipt", result.text)
    assert name
    yield "record", clerk.get(f"/counter/records/{name[1]}")
    yield "not there", clerk.get("/counter/records/" + "A" * 22)
    yield "not permitted", clerk.get("/counter/ask?desk=x")
    yield "no counter", pages.clerk(organisation="12110000400000624H").get("/counter")


def test_every_page_runs_nothing_but_our_own_files(pages: CounterCity, serial: str) -> None:
    for name, answer in every_page(pages, serial):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy, name
        assert "unsafe" not in policy, name
        assert answer.headers["cache-control"] == "no-store", name
        assert answer.headers["x-content-type-options"] == "nosniff", name
        assert answer.headers["referrer-policy"] == "same-origin", name
        scripts = re.findall(r"<script\b[^>]*>", answer.text)
        assert all(re.search(r' src="/static/verify_api\.pages/[a-z_]+\.js\?v=', one) for one in scripts), (
            name
        )
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", answer.text), name
        assert not re.search(r'(?:src|href|action)="(?:https?:)?//', answer.text), name
        uses = "camera=(self)" in answer.headers["permissions-policy"]
        assert uses is ('data-camera="' in answer.text), name


def test_anybody_gets_no_cookie_whatever_is_asked(pages: CounterCity, serial: str) -> None:
    licence = pages.licence(serial)
    browser = pages.browser()
    for path in ("/", "/?lang=en", "/?lang=zh&lang=en"):
        assert "set-cookie" not in browser.get(path).headers
        assert "set-cookie" not in hand_in(browser, path, licence=licence.identifier).headers
        assert "set-cookie" not in hand_in(browser, path).headers
    assert "set-cookie" not in post(browser, "/?lang=en", STRANGERS[0], licence="x1").headers


def test_hostile_names_are_shown_as_what_they_are(pages: CounterCity, serial: str) -> None:
    agency = Agency(Text(HOSTILE, HOSTILE), AGENCY_CODE)
    said = {"operator_name": HOSTILE, "credit_code": HOSTILE, "business_premises": HOSTILE}
    licence = pages.licence(
        serial, agency=agency, type_name=Text(HOSTILE, HOSTILE), claims=said, holder_name=HOSTILE
    )
    answer = hand_in(pages.clerk(), "/counter", desk=DESK, licence=licence.identifier)
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    assert "<img src=x" not in answer.text
    assert "\u202e" not in answer.text
    assert answer.text.count("&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39;&gt;&lt;img") >= 5
    assert "⟨U+202E⟩gpj." in answer.text


def test_a_hostile_signer_and_field_name_are_shown_as_what_they_are(pages: CounterCity, serial: str) -> None:
    signer = pages.pki.signer("seal", "<b>市场监督管理局</b>\u202e")
    licence = pages.licence(serial)
    pdf = pages.pdf(licence, signer=signer)
    for browser, path, more in ((pages.browser(), "/", {}), (pages.clerk(), "/counter", {"desk": DESK})):
        answer = hand_in(browser, path, document=pdf, **more)
        assert 'class="verdict failed"' in answer.text
        assert "<b>" not in answer.text
        assert "\u202e" not in answer.text


def test_a_hostile_department_name_is_shown_as_what_it_is(pages: CounterCity, serial: str) -> None:
    body = "11120101MB0000002"
    code = body + credit_check_character(body)
    hostile = replace(
        pages.registry.get(BUREAU),
        id="urn:jincheng:hostile",
        name=Text(HOSTILE, HOSTILE),
        credit_code=code,
        keys=(FileSigner.generate().public_key,),
    )
    pages.registry.approve(pages.registry.propose(hostile, actor=CLERK), actor=REVIEWER)
    pages.clock.advance(pages.service.directory._max_age)
    clerk = pages.clerk(organisation=code)
    answer = clerk.get("/counter")
    assert "&lt;script&gt;alert(1)" in answer.text
    assert "<script>alert" not in answer.text
    assert "\u202e" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/counter?desk=" + quote(HOSTILE),
        "/counter/ask?desk=" + quote(HOSTILE),
        "/counter/records/" + quote(HOSTILE, safe=""),
        "/counter/records/..%2f..%2fetc%2fpasswd",
        "/counter/records/" + "A" * 23,
        "/counter/records/" + "A" * 22 + "/receipt",
        "/counter/records/%00/receipt",
        "/counter/presentations/" + quote(HOSTILE, safe=""),
        "/counter/presentations/" + "A" * 22,
        "/counter/presentations/" + "A" * 22 + "/state",
        "/?lang=" + quote(HOSTILE),
        "/static/verify_api.pages/..%2f..%2ftexts.toml",
        "/static/verify_api.pages/%2e%2e/texts.toml",
        "/static/verify_api.pages/texts.toml",
    ],
    ids=range(14),
)
def test_guessed_names_find_nothing_and_are_not_repeated(pages: CounterCity, path: str) -> None:
    answer = pages.clerk().get(path)
    assert answer.status_code in {200, 403, 404}
    assert answer.status_code != 200 or path.startswith(("/counter?", "/?"))
    assert "alert(1)" not in answer.text
    assert "passwd" not in answer.text
    assert "zh = " not in answer.text


def test_forms_that_are_none(pages: CounterCity) -> None:
    browser, clerk = pages.browser(), pages.clerk()
    cases: list[tuple[list[tuple[str, str]], bytes, int]] = [
        ([("Content-Type", "application/json")], b"{}", 400),
        ([("Content-Type", "application/x-www-form-urlencoded")], b"licence=1", 400),
        ([("Content-Type", "multipart/form-data")], b"x", 400),
        ([("Content-Type", "multipart/form-data; boundary=x")], b"--x\r\n", 400),
        ([("Content-Type", "multipart/form-data; boundary=x"), ("Content-Encoding", "gzip")], b"x", 415),
        (list(form({"licence": "\ud800"})[0].items()), form({"licence": "\ud800"})[1], 400),
        (list(form({f"n{i}": "x" for i in range(40)})[0].items()), b"", 400),
    ]
    for headers, body, status in cases:
        for one, path in ((browser, "/"), (clerk, "/counter")):
            answer = one.request("POST", path, headers=[*headers, ("Accept", "text/html")], content=body)
            assert answer.status_code == status, (headers, body[:40])
    headers, body = form({f"n{i}": "x" for i in range(40)})
    assert browser.request("POST", "/", headers=list(headers.items()), content=body).status_code == 413
    double = body.replace(b'name="n1"', b'name="n0"')
    assert browser.request("POST", "/", headers=list(headers.items()), content=double[:900]).status_code in {
        400,
        413,
    }


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_only_what_forms_and_links_send(pages: CounterCity, method: str) -> None:
    for path in ("/", "/scan", "/counter", "/counter/ask", "/counter/records"):
        assert pages.clerk().request(method, path).status_code == 405


def test_nothing_personal_in_addresses_and_logs(
    pages: CounterCity, serial: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    licence, pdf = pages.issue(serial)
    clerk = pages.clerk()
    places = []
    for browser, path, more in ((pages.browser(), "/", {}), (clerk, "/counter", {"desk": DESK})):
        for handed_in in ({"document": pdf}, {"licence": licence.number}, {"licence": "9" * 161}):
            answer = hand_in(browser, path, **handed_in, **more)
            places += re.findall(r'(?:href|action|src)="([^"]*)"', answer.text)
    values = [("desk", DESK), ("types", TYPE), ("claims", "operator_name"), ("reason", "王小麦来办事")]
    places.append(choose(clerk, "/counter/ask", values).headers["location"])
    written = " ".join([*places, caplog.text])
    for secret in (
        licence.identifier,
        licence.number,
        "9" * 161,
        "面包坊",
        "王小麦",
        quote("王小麦"),
        "%E7%8E%8B",
    ):
        assert secret not in written


def test_floods_are_turned_away() -> None:
    few = Limit("few", 2, 1)
    city = CounterCity(page_limits=PageLimits(few, few, few, few))
    try:
        browser, clerk = city.browser(), city.clerk()
        for _ in range(2):
            assert hand_in(browser, "/", licence="JY21201990000001").status_code == 200
        answer = hand_in(browser, "/", licence="JY21201990000001")
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
        assert "请稍后重试" in words(answer)
        other = hand_in(city.browser(address="198.51.100.9"), "/", licence="JY21201990000001")
        assert other.status_code == 429  # everybody together
        for _ in range(2):
            assert clerk.get("/counter").status_code == 200
        assert clerk.get("/counter").status_code == 429
        assert city.clerk().get("/counter").status_code == 200  # by person, not by the office's address
    finally:
        city.close()


def test_a_clerk_whose_account_ends_is_out_at_once(pages: CounterCity) -> None:
    clerk = pages.clerk("clerk-leaving")
    assert clerk.get("/counter").status_code == 200
    registrar = staff(f"registrar-{AGENCY_CODE}", agency=AGENCY_CODE, roles=("registrar",))
    pages.access.staff.deactivate("clerk-leaving", actor=registrar)
    assert clerk.get("/counter").status_code == 303


def test_roles_taken_away_count_at_once(pages: CounterCity) -> None:
    clerk = pages.clerk("clerk-moving")
    registrar = staff(f"registrar-{AGENCY_CODE}", agency=AGENCY_CODE, roles=("registrar",))
    pages.access.staff.set_roles("clerk-moving", ("inspector",), actor=registrar)
    assert clerk.get("/counter").status_code in {303, 403}


def test_a_desk_of_another_organisation_cannot_be_named(pages: CounterCity, serial: str) -> None:
    licence = pages.licence(serial)
    stranger = pages.clerk(organisation="12110000400000624H")
    values: dict[str, Any] = {"desk": DESK, "licence": licence.identifier}
    before = rows(pages)
    assert hand_in(stranger, "/counter", **values).status_code == 403
    wish = [("desk", DESK), ("types", TYPE), ("claims", "operator_name")]
    assert choose(stranger, "/counter/ask", wish).status_code == 403
    assert rows(pages) == before


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=200),
    st.sampled_from(["", "en", "zh", "xx", "<script>"]),
)
def test_any_number_gets_a_page(pages: CounterCity, number: str, language: str) -> None:
    answer = hand_in(pages.browser(), "/?lang=" + quote(language), licence=number)
    assert answer.status_code in {200, 400, 409}
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "<script>" not in answer.text


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=300) | st.binary(max_size=100).map(lambda tail: b"eyJhbGciOiJFUzI1NiJ9~" + tail))
def test_any_file_gets_a_page(pages: CounterCity, document: bytes) -> None:
    answer = hand_in(pages.browser(), "/", document=document)
    assert answer.status_code in {200, 400}
    assert "核验通过 证照状态" not in words(answer)
