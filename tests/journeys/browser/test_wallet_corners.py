"""Corners of the wallet: links of every kind, nothing that fits, the code large at a counter, signing in."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
import zxingcpp
from PIL import Image
from world.codes import read_codes
from world.languages import told_in
from world.people import ACCESS, WALLET, Citizen

from credentials.oid4vci.offers import Flow

if TYPE_CHECKING:
    from collections.abc import Callable

    from world.browser import Browser, Visit
    from world.served import ServedCity

pytestmark = pytest.mark.peer
LANGUAGES = told_in("en")


@pytest.fixture
def citizen(visit: Visit, city: ServedCity) -> Callable[..., Citizen]:
    def come(**options: object) -> Citizen:
        made = Citizen(visit(**options), city.urls["wallet"], WALLET)
        made.register("小麦")
        return made

    return come


@LANGUAGES
def test_links_that_lead_nowhere(citizen: Callable[..., Citizen], city: ServedCity, language: str) -> None:
    baker = citizen(language=language)
    baker.open("/present")
    baker.look("corner-01-present")
    baker.consider("https://evil.example/offer")
    baker.look("corner-02-foreign-offer")
    baker.present("openid4vp://?client_id=x509_hash:abc&request_uri=https%3A%2F%2Fevil.example%2Fr")
    baker.look("corner-03-foreign-request")
    baker.present("what the caller said")
    baker.look("corner-04-no-link")
    # An offer that was opened on the wrong page leads to the right one.
    offer = city.offer(city.issue(40).licence)
    baker.present(offer.by_reference)
    baker.page.wait_for_url("**/receive?*")
    baker.look("corner-05-opened-link")
    baker.open("/licences/nothing")
    baker.look("corner-06-not-found")
    baker.open("/activity")
    baker.look("corner-07-activity-empty")


@LANGUAGES
def test_nothing_that_fits(citizen: Callable[..., Citizen], city: ServedCity, language: str) -> None:
    baker = citizen(language=language)
    asked = city.ask()
    baker.present(asked["link"])
    baker.reads(baker.t("wallet.consent.nothing"))
    baker.look("corner-08-nothing-fits")
    baker.refuse()
    assert city.outcome(asked["id"])["state"] == "declined"


@LANGUAGES
def test_a_scanned_link_opens_the_wallet(
    citizen: Callable[..., Citizen], city: ServedCity, language: str
) -> None:
    """As a phone's camera does it: the link in the wallet's address, and the holder goes on by hand."""
    baker = citizen(language=language)
    licence = city.issue(41).licence
    offer = city.offer(licence)
    baker.open(f"/receive?{urlencode({'link': offer.by_value})}")
    baker.press("wallet.link.go_on")
    baker.accept(offer.tx_code or "")
    baker.reads(licence.number)

    baker.follow("wallet.show.button")
    baker.look("corner-09-show")
    code = baker.page.locator(".qr img")
    assert read_code(code.screenshot()) == licence.identifier
    baker.open()
    baker.page.locator("#q").fill("没有这个")
    baker.press("wallet.search.button")
    baker.reads(baker.t("wallet.search.found", number=0))
    baker.look("corner-10-search")


def test_a_code_before_the_wallets_camera(
    browser: Browser, citizen: Callable[..., Citizen], city: ServedCity
) -> None:
    licence = city.issue(45).licence
    offer = city.offer(licence)
    baker = citizen(camera=True)
    browser.show(code_of(offer.by_reference))
    baker.open("/receive")
    baker.press("wallet.scan.start")
    baker.page.wait_for_selector("#tx_code")
    baker.accept(offer.tx_code or "")
    asked = city.ask()
    browser.show(code_of(asked["link"]))
    baker.open("/present")
    baker.press("wallet.scan.start")
    baker.page.wait_for_selector(".match")
    baker.agree()
    assert city.outcome(asked["id"])["indication"] == "passed"


@LANGUAGES
def test_the_code_flow(citizen: Callable[..., Citizen], city: ServedCity, language: str) -> None:
    """The holder signs in at the issuer with a code from the counter, and comes back to the wallet."""
    licence = city.issue(42).licence
    baker = citizen(language=language)
    baker.open()
    page = baker.at.new_page()
    offer = city.offer(licence, flow=Flow.CODE)
    page.goto(offer.page)
    baker.at.accessible(page)
    baker.at.picture("corner-11-offer-page", page=page)
    link = page.locator("a[href^='openid-credential-offer:']").get_attribute("href") or ""
    baker.consider(link)
    baker.press("wallet.offer.sign_in_button")
    baker.look("corner-12-onward")
    baker.follow("wallet.onward.button")
    baker.page.wait_for_url(f"{city.urls['issuer']}/**")
    baker.at.accessible()
    baker.at.picture("corner-13-authorize")
    baker.page.locator("[name=login_code]").fill("0000-0000-0000")
    baker.page.locator("button[value=approve]").click()
    baker.at.accessible()
    baker.at.picture("corner-14-authorize-wrong")
    baker.page.locator("[name=login_code]").fill(city.login_code(licence))
    baker.page.locator("button[value=approve]").click()
    baker.page.wait_for_url(f"{baker.url}/**")
    baker.look("corner-15-returned")
    baker.press("wallet.offer.accept")
    baker.reads(licence.number, baker.t("wallet.done.received"))
    # New copies come by the refresh token.
    baker.press("wallet.refresh")
    baker.reads(baker.t("wallet.done.refreshed"))


@LANGUAGES
def test_without_javascript_all_but_signing_in(
    citizen: Callable[..., Citizen], visit: Visit, city: ServedCity, language: str
) -> None:
    licence = city.issue(43).licence
    known = citizen(language=language)
    plain = Citizen(visit(language=language, javascript=False), known.url, WALLET)
    plain.open("/sign-in")
    plain.reads(plain.t("needs_script", room=ACCESS))
    plain.look("corner-16-sign-in-no-script")
    plain.at.context.add_cookies(known.at.context.cookies())
    plain.receive(city.offer(licence))
    plain.reads(licence.number)
    asked = city.ask()
    plain.present(asked["link"])
    plain.look("corner-17-consent-no-script")
    plain.agree()
    assert city.outcome(asked["id"])["indication"] == "passed"


def test_by_keyboard_alone(citizen: Callable[..., Citizen], city: ServedCity) -> None:
    licence = city.issue(44).licence
    offer = city.offer(licence)
    baker = citizen()
    keys = baker.page.keyboard
    baker.at.tab_to(baker.t("wallet.empty.button"))
    keys.press("Enter")
    baker.page.wait_for_url("**/receive")
    baker.at.tab_to(baker.t("wallet.receive.paste"))
    keys.insert_text(offer.by_reference)
    baker.at.tab_to(baker.t("wallet.link.go_on"))
    keys.press("Enter")
    baker.page.wait_for_selector("#tx_code")
    baker.at.tab_to(baker.t("wallet.offer.tx_code"))
    keys.type(offer.tx_code or "")
    keys.press("Enter")
    baker.page.wait_for_url("**/licences/*")
    asked = city.ask()
    baker.open("/present")
    baker.at.tab_to(baker.t("wallet.present.paste"))
    keys.insert_text(asked["link"])
    baker.at.tab_to(baker.t("wallet.link.go_on"))
    keys.press("Enter")
    baker.page.wait_for_selector(".match")
    baker.at.tab_to(baker.t("wallet.consent.agree"))
    keys.press("Enter")
    baker.page.wait_for_url("**/presented/*")
    assert city.outcome(asked["id"])["indication"] == "passed"


def code_of(text: str) -> Image.Image:
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode)
    return Image.fromarray(zxingcpp.write_barcode_to_image(code, scale=8)).convert("RGB")


def read_code(picture: bytes) -> str:
    (code,) = read_codes(Image.open(io.BytesIO(picture)))
    return str(code.text)
