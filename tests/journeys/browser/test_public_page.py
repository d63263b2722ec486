"""Anybody checks a licence: by file, number and camera, with and without JavaScript, by keyboard alone."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
import zxingcpp
from PIL import Image, ImageFilter
from world.languages import told_in
from world.people import VERIFIER, Clerk

if TYPE_CHECKING:
    from collections.abc import Callable

    from world.browser import Browser, Visit
    from world.served import ServedCity

    from credentials.production import IssuedLicence

pytestmark = pytest.mark.peer
LANGUAGES = told_in("en")


@pytest.fixture
def anybody(visit: Visit, city: ServedCity) -> Callable[..., Clerk]:
    return lambda **options: Clerk(visit(passkeys=False, **options), city.urls["verifier"], VERIFIER)


@pytest.fixture(scope="module")
def licence(city: ServedCity) -> IssuedLicence:
    return city.issue(2)


@LANGUAGES
def test_file_and_number(anybody: Callable[..., Clerk], licence: IssuedLicence, language: str) -> None:
    person = anybody(language=language)
    person.open()
    person.look("public-01")
    person.hand_in(licence.pdf)
    assert person.verdict() == "passed"
    person.look("public-02-passed")
    paper = person.printed("public-02-passed")
    assert hashlib.sha256(licence.pdf).hexdigest() in paper
    person.follow("result.again")
    person.type_number(licence.licence.number)
    assert person.verdict() == "passed"
    person.look("public-03-number")
    # What the licence says is nobody's business here.
    assert str(licence.licence.claims["operator_name"]) not in person.page.content()

    person.open()
    altered = bytearray(licence.pdf)
    altered[len(altered) // 3] ^= 1
    person.hand_in(bytes(altered))
    assert person.verdict() == "failed"
    person.look("public-04-altered")
    person.open()
    person.type_number("JY99999999999999")
    assert person.verdict() != "passed"
    person.look("public-05-unknown")
    person.open()
    person.press("number.button")
    person.reads(person.t("form.one_of"))
    person.look("public-06-nothing")


@LANGUAGES
def test_without_javascript(anybody: Callable[..., Clerk], licence: IssuedLicence, language: str) -> None:
    person = anybody(language=language, javascript=False)
    person.open()
    person.look("public-07-no-script")
    person.hand_in(licence.pdf)
    assert person.verdict() == "passed"
    person.look("public-08-no-script-passed")
    person.follow("result.again")
    person.type_number(licence.licence.identifier)
    assert person.verdict() == "passed"


def test_by_keyboard_alone(anybody: Callable[..., Clerk], licence: IssuedLicence) -> None:
    person = anybody()
    person.open()
    keys = person.page.keyboard
    keys.press("Tab")
    assert person.at.focus() == person.t("skip")
    keys.press("Enter")
    assert person.page.evaluate("document.activeElement.id") == "main"
    person.at.tab_to(person.t("number.label"))
    keys.type(licence.licence.number)
    keys.press("Enter")
    person.page.wait_for_selector(".verdict")
    assert person.verdict() == "passed"
    person.at.tab_to(person.t("result.again"))
    keys.press("Enter")
    person.page.wait_for_selector("#licence")
    person.at.tab_to("English")
    keys.press("Enter")
    person.page.wait_for_selector("html[lang^=en]")


def test_other_language_is_one_link_away(anybody: Callable[..., Clerk]) -> None:
    person = anybody(language="en")
    page = person.open()
    assert (page.get_attribute("html", "lang") or "").startswith("en")
    page.get_by_role("link", name="中文").click()
    page.wait_for_selector("html[lang^=zh]")


@LANGUAGES
def test_the_camera_reads_a_number(
    browser: Browser, anybody: Callable[..., Clerk], licence: IssuedLicence, language: str
) -> None:
    browser.show(code_of(licence.licence.identifier))
    person = anybody(language=language, camera=True)
    person.open()
    person.scan()
    person.page.wait_for_selector(".verdict")
    assert person.verdict() == "passed"


@LANGUAGES
def test_a_code_of_a_foreign_host_is_refused(
    browser: Browser, anybody: Callable[..., Clerk], language: str
) -> None:
    browser.show(code_of("https://licences.jincheng.example.evil.example/q#oQ"))
    person = anybody(language=language, camera=True)
    person.open()
    person.scan()
    person.page.wait_for_selector(".warning")
    person.reads("licences.jincheng.example.evil.example")
    assert person.page.url == person.url + "/"
    person.look("public-09-foreign")
    browser.show(code_of("openid-credential-offer://?credential_offer_uri=https%3A%2F%2Fevil.example%2F"))
    person.scan()
    person.page.get_by_text(person.t("scan.wallet")).wait_for()


def test_without_a_camera_there_are_other_ways(anybody: Callable[..., Clerk]) -> None:
    person = anybody(camera=False)
    person.open()
    person.scan()
    person.page.get_by_text(person.t("camera.refused")).wait_for()


def code_of(text: str) -> Image.Image:
    """A QR code as a webcam may see it: small, askew, a little blurred, on a desk."""
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode)
    image = Image.fromarray(zxingcpp.write_barcode_to_image(code, scale=6)).convert("RGB")
    turned = image.rotate(7, expand=True, fillcolor="grey").filter(ImageFilter.GaussianBlur(0.8))
    desk = Image.new("RGB", (1280, 720), "grey")
    desk.paste(turned, ((1280 - turned.width) // 2, (720 - turned.height) // 2))
    return desk
