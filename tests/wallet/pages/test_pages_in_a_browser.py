"""The wallet's pages on phones and desks, at night, without scripts, with a camera, by keyboard alone.

The whole life of a licence is told in tests/journeys/browser.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import segno
from PIL import Image
from world.browser import browser, visit
from world.people import WALLET, Citizen
from world.served import ServedCity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from world.browser import Browser, Visit, Visitor

__all__ = ["browser", "visit"]
pytestmark = pytest.mark.peer


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedCity]:
    with ServedCity(tmp_path_factory.mktemp("city")) as made:
        yield made


def citizen(visitor: Visitor, city: ServedCity) -> Citizen:
    return Citizen(visitor, city.urls["wallet"], WALLET)


def provided(visitor: Visitor, city: ServedCity, serial: int) -> Citizen:
    """A citizen with one licence."""
    baker = citizen(visitor, city)
    baker.register("王小麦")
    baker.receive(city.offer(city.issue(serial).licence))
    baker.page.wait_for_url("**/licences/*")
    return baker


CASES = [(320, "zh", False), (390, "en", True), (1280, "zh", True)]


@pytest.mark.parametrize(("width", "language", "dark"), CASES)
def test_every_page_fits_and_is_accessible(
    visit: Visit, city: ServedCity, width: int, language: str, *, dark: bool
) -> None:
    scheme = "dark" if dark else "light"
    person = visit(language=language, width=width, height=844, color_scheme=scheme)
    baker = provided(person, city, width)
    licence = re.sub(r"\?.*", "", baker.page.url).removeprefix(baker.url)
    first, second = city.ask(), city.ask(forms=["mdoc"])
    pages = [
        "/",
        "/?q=x",
        licence,
        f"{licence}/show",
        f"{licence}/remove",
        "/receive",
        "/present",
        "/activity",
    ]
    for path in (*pages, f"/present?{first['link'].partition('?')[2]}", "/present/nothing"):
        baker.open(path)
        person.accessible()
        name = path.partition("?")[0].strip("/").replace("/", "-")[-40:] or "list"
        person.picture(f"wallet-{name}-{width}-{scheme}")
    baker.present(first["link"])
    baker.page.wait_for_url("**/present/*")
    person.accessible()
    person.picture(f"wallet-consent-{width}-{scheme}")
    baker.agree()
    person.accessible()
    baker.present(second["link"])
    baker.page.wait_for_url("**/present/*")
    baker.reads(baker.t("wallet.consent.match"))
    person.picture(f"wallet-consent-mdoc-{width}-{scheme}")
    baker.refuse()
    person.accessible()
    baker.present("openid4vp://?client_id=x509_hash:abc&request=nonsense")
    baker.reads(baker.t("wallet.details"))
    person.accessible()
    person.picture(f"wallet-refused-link-{width}-{scheme}")
    baker.open("/activity")
    person.accessible()
    person.picture(f"wallet-activity-full-{width}-{scheme}")


def test_everything_but_the_passkey_works_without_a_script(visit: Visit, city: ServedCity) -> None:
    first = provided(visit(), city, 501)
    plain = visit(javascript=False)
    plain.context.add_cookies(first.at.context.cookies())  # type: ignore[arg-type] # what it gave
    baker = citizen(plain, city)
    baker.open()
    plain.accessible()
    baker.page.locator(".licence-card").click()
    assert baker.button("wallet.print").count() == 0, "what needs a script is not there"
    asked = city.ask()
    baker.present(asked["link"])
    plain.accessible()
    baker.agree()
    assert city.outcome(asked["id"])["indication"] == "passed"
    baker.receive(city.offer(city.issue(502).licence))
    baker.page.wait_for_url("**/licences/*")
    baker.follow("wallet.remove.link")
    baker.press("wallet.remove.button")
    baker.open()
    assert baker.page.locator(".licence-card").count() == 1


def test_a_code_on_another_screen_is_scanned(
    visit: Visit, browser: Browser, city: ServedCity, tmp_path: Path
) -> None:
    baker = provided(visit(camera=True, width=390, height=844), city, 503)
    asked = city.ask()
    code = tmp_path / "code.png"
    segno.make(asked["link"], error="m").save(code, scale=6, border=6)
    with Image.open(code) as picture:
        browser.show(picture)
    baker.open("/present")
    baker.press("wallet.scan.start")
    baker.page.wait_for_url("**/present/*")
    assert baker.page.locator(".match").inner_text() == asked["match_code"]
    baker.agree()
    assert city.outcome(asked["id"])["state"] == "answered"
    browser.show(Image.new("RGB", (640, 480), "grey"))


def test_the_keyboard_alone_is_enough(visit: Visit, city: ServedCity) -> None:
    person = visit(language="en")
    baker = provided(person, city, 504)
    asked = city.ask()
    baker.open("/present")
    person.tab_to("Skip to the main content")
    person.page.keyboard.press("Enter")
    person.tab_to("Paste the link")
    person.page.keyboard.insert_text(asked["link"])
    person.tab_to("Go on")
    person.page.keyboard.press("Enter")
    baker.page.wait_for_url("**/present/*")
    person.tab_to("Agree and show")
    person.page.keyboard.press("Enter")
    baker.page.wait_for_url("**/presented/*")
    assert city.outcome(asked["id"])["indication"] == "passed"


def test_a_button_pressed_twice_sends_once(visit: Visit, city: ServedCity) -> None:
    baker = provided(visit(), city, 505)
    baker.present(city.ask()["link"])
    baker.page.wait_for_url("**/present/*")
    posts: list[str] = []
    baker.page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    baker.page.get_by_role("button", name=baker.t("wallet.consent.agree"), exact=True).dblclick()
    baker.page.wait_for_url("**/presented/*")
    assert len(posts) == 1


def test_a_browser_that_keeps_its_schemes_says_so(visit: Visit, city: ServedCity) -> None:
    baker = citizen(visit(), city)
    baker.register("王小麦")
    baker.open("/receive")
    baker.press("wallet.handlers.button")
    said = [baker.t(f"wallet.handlers.{word}") for word in ("yes", "no")]
    assert baker.page.locator("[data-handlers] [role=status]:visible").inner_text() in said
    baker.at.accessible()
