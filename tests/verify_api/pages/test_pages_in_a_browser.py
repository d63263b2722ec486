"""The verifier's pages in Chromium: looks, keyboard, camera, paper; nobody's accessibility is left out."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import segno
import zxingcpp
from PIL import Image
from world.browser import browser, visit
from world.counters import CounterCity
from world.departments import AGENCY_CODE, BUREAU, CLERK, FORM, REVIEWER
from world.people import VERIFIER, Person
from world.served import free_ports

from credentials.licence import EndingKind
from verify_api.pages.words import progress
from wallet.invitation import Invitation
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from world.browser import Browser, Visit, Visitor

__all__ = ["browser", "visit"]
LANGUAGES = pytest.mark.parametrize("language", ["zh", "en"])


@pytest.fixture(scope="module")
def city() -> Iterator[CounterCity]:
    (port,) = free_ports(1)
    made = CounterCity(url=f"http://localhost:{port}", port=port)
    named = replace(made.registry.get(BUREAU), name=Text("津城市市场监督管理局", "Jincheng Market Bureau"))
    made.registry.approve(made.registry.propose(named, actor=CLERK), actor=REVIEWER)
    made.clock.advance(made.service.directory._max_age)
    yield made
    made.close()


def somebody(city: CounterCity, visit: Visit, language: str, **options: object) -> Person:
    return Person(visit(language=language, **options), city.url, VERIFIER)


def a_clerk(city: CounterCity, visit: Visit, language: str, **options: object) -> Person:
    clerk = somebody(city, visit, language, **options)
    name = f"clerk-{city.randomness.bytes(4).hex()}"
    token = city.staff_token(name, organisation=AGENCY_CODE)
    clerk.at.context.add_cookies([{"name": city.cookie, "value": token, "url": city.url}])
    return clerk


def saved(tmp_path: Path, pdf: bytes) -> Path:
    place = tmp_path / "licence.pdf"
    place.write_bytes(pdf)
    return place


def code(text: str) -> Image.Image:
    data = io.BytesIO()
    segno.make(text, error="m").save(data, kind="png", scale=8, border=4)
    return Image.open(data)


def finished(at: Visitor, name: str) -> None:
    at.look(name)


@LANGUAGES
def test_anybody_checks_a_file_and_a_number(
    city: CounterCity, visit: Visit, tmp_path: Path, serial: str, language: str
) -> None:
    licence, pdf = city.issue(serial)
    me = somebody(city, visit, language)
    me.open("/")
    finished(me.at, "public")
    me.page.set_input_files("#document", saved(tmp_path, pdf))
    me.press("file.button")
    assert me.heading() == {"zh": "核验通过", "en": "Verification passed"}[language]
    me.page.locator("summary").click()
    finished(me.at, "public-passed")
    me.printed("public-passed")
    city.happen(licence, EndingKind.REVOKED)
    me.follow("result.again")
    assert me.heading() == me.t("public.title")
    me.page.locator("#licence").fill(licence.number)
    me.page.keyboard.press("Enter")
    me.page.wait_for_selector(".verdict")
    assert me.heading() == {"zh": "核验未通过", "en": "Verification failed"}[language]
    finished(me.at, "public-revoked")
    paper = me.printed("public-revoked")
    assert city.url in paper
    assert {"zh": "已吊销", "en": "revoked"}[language] in paper
    assert me.at.context.cookies() == []


@LANGUAGES
def test_it_works_on_a_phone_and_without_scripts(
    city: CounterCity, visit: Visit, serial: str, language: str
) -> None:
    licence = city.licence(serial)
    me = somebody(city, visit, language, width=320, height=640, javascript=False)
    me.open("/")
    me.at.picture("public-phone")
    me.at.page.locator("#licence").fill(licence.identifier)
    me.press("number.button")
    assert me.page.locator(".verdict.passed").count() == 1
    me.at.picture("public-passed-phone")


@LANGUAGES
def test_the_camera_reads_and_warns(
    city: CounterCity, browser: Browser, visit: Visit, serial: str, language: str
) -> None:
    licence = city.licence(serial)
    me = somebody(city, visit, language, camera=True, may_fail=("/q#",))  # the page of codes is not here
    for text, words in (
        ("https://verify.jincheng.example.evil.example/q#abc", "verify.jincheng.example.evil.example"),
        ("openid-credential-offer://?credential_offer=x", me.t("scan.wallet")),
        ("你好", me.t("scan.unknown")),
    ):
        browser.show(code(text))
        me.open("/")
        me.press("camera.start")
        me.page.locator("[data-said].warning").wait_for()
        assert words in me.page.locator("[data-said]").first.inner_text()
    finished(me.at, "camera-warning")
    browser.show(code(licence.identifier))
    me.open("/")
    me.press("camera.start")
    me.page.wait_for_selector(".verdict.passed")
    browser.show(code(f"{city.url}/q#{'A' * 300}"))
    me.open("/")
    with me.page.expect_request("**/q") as asked:  # the fragment stays in the browser
        me.press("camera.start")
    assert asked.value.url == f"{city.url}/q"


@LANGUAGES
def test_a_clerk_verifies(
    city: CounterCity, visit: Visit, tmp_path: Path, serial: str, language: str
) -> None:
    _, pdf = city.issue(serial)
    clerk = a_clerk(city, visit, language)
    clerk.open("/counter")
    finished(clerk.at, "counter")
    clerk.page.set_input_files("#document", saved(tmp_path, pdf))
    clerk.press("file.button")
    clerk.reads("津城小麦面包坊", clerk.t("result.clerk"))
    finished(clerk.at, "counter-passed")
    clerk.printed("counter-passed")
    with clerk.page.expect_download() as download:
        clerk.page.get_by_role("link", name=clerk.t("result.receipt")).click()
    assert re.fullmatch(r"receipt-[A-Za-z0-9_-]{22}\.jwt", download.value.suggested_filename)
    clerk.open("/counter/records")
    finished(clerk.at, "records")
    clerk.page.locator("tbody a").first.click()
    finished(clerk.at, "record")


@LANGUAGES
def test_a_holder_presents_at_the_counter(city: CounterCity, visit: Visit, language: str) -> None:
    holder = city.wallet()
    city.provide(holder)
    clerk = a_clerk(city, visit, language)
    clerk.open("/counter")
    clerk.press("counter.present.button")
    finished(clerk.at, "ask")
    clerk.page.locator("#reason").fill("办理变更登记")
    clerk.press("ask.button")
    clerk.page.wait_for_selector(".match")
    finished(clerk.at, "presenting")
    link = read_code(clerk)
    invitation = Invitation.parse(link, allow_http=True)
    reply = city.call("POST", urlsplit(invitation.request_uri or "").path, invitation.form("w" * 22), FORM)
    verified = city.reader(allow_http=True).read(
        reply.body.decode(), client_id=invitation.client_id, now=city.clock.now(), wallet_nonce="w" * 22
    )
    clerk.page.get_by_text(progress("fetched").in_language(language)).wait_for()
    city.post(holder.answer_presentation(holder.consider_presentation(verified)))
    clerk.page.wait_for_selector(".verdict.passed")
    finished(clerk.at, "presented")


def read_code(clerk: Person) -> str:
    picture = Image.open(io.BytesIO(clerk.page.locator(".qr").screenshot()))
    (found,) = zxingcpp.read_barcodes(picture)
    return str(found.text)


@LANGUAGES
def test_everything_is_reached_by_keyboard(
    city: CounterCity, visit: Visit, serial: str, language: str
) -> None:
    licence = city.licence(serial)
    clerk = a_clerk(city, visit, language)
    clerk.open("/counter")
    clerk.at.tab_to(re.escape(clerk.t("skip")))
    clerk.at.tab_to(re.escape(clerk.t("number.label")))
    clerk.page.keyboard.type(licence.identifier)
    clerk.at.tab_to(re.escape(clerk.t("number.button")))
    clerk.page.keyboard.press("Enter")
    clerk.page.wait_for_selector(".verdict.passed")


@LANGUAGES
def test_the_counter_on_a_phone(city: CounterCity, visit: Visit, serial: str, language: str) -> None:
    licence = city.licence(serial)
    clerk = a_clerk(city, visit, language, width=360, height=740)
    clerk.open("/counter")
    finished(clerk.at, "counter-phone")
    clerk.page.locator("#licence").fill(licence.identifier)
    clerk.press("number.button")
    finished(clerk.at, "counter-passed-phone")
