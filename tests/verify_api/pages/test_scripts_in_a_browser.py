"""What the scripts of the verifier's pages do in Chromium; whole stories are in `tests/journeys/browser`."""

from __future__ import annotations

import base64
import io
import json
from typing import TYPE_CHECKING

import pytest
import segno
from PIL import Image
from world.browser import browser, visit
from world.counters import CounterCity
from world.departments import AGENCY_CODE, BUREAU, MATTER
from world.people import VERIFIER, Person
from world.ports import free_ports

from verify_api.pages.words import progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from world.browser import Browser, Visit

__all__ = ["browser", "visit"]
pytestmark = pytest.mark.peer
DROP = """([place, name, content]) => {
  const data = Uint8Array.from(atob(content), (one) => one.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([data], name, { type: "application/pdf" }));
  for (const kind of ["dragenter", "dragover", "drop"]) {
    document.querySelector(place).dispatchEvent(
      new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: transfer }));
  }
}"""


@pytest.fixture(scope="module")
def city() -> Iterator[CounterCity]:
    (port,) = free_ports(1)
    made = CounterCity(url=f"http://localhost:{port}", port=port)
    yield made
    made.close()


def somebody(city: CounterCity, visit: Visit, **options: object) -> Person:
    return Person(visit(**options), city.url, VERIFIER)


def a_clerk(city: CounterCity, visit: Visit, **options: object) -> Person:
    clerk = somebody(city, visit, **options)
    token = city.staff_token(f"clerk-{city.randomness.bytes(4).hex()}", organisation=AGENCY_CODE)
    clerk.at.context.add_cookies([{"name": city.cookie, "value": token, "url": city.url}])
    return clerk


def drop(me: Person, content: bytes) -> None:
    me.page.evaluate(DROP, ["[data-drop]", "licence.pdf", base64.b64encode(content).decode()])


def code(text: str) -> Image.Image:
    data = io.BytesIO()
    segno.make(text, error="m").save(data, kind="png", scale=8, border=4)
    return Image.open(data)


def scan(me: Person, browser: Browser, text: str) -> None:
    browser.show(code(text))
    me.open("/")
    me.press("camera.start")


def test_a_file_is_dropped_and_verified(city: CounterCity, visit: Visit, serial: str) -> None:
    _, pdf = city.issue(serial)
    for me, path in ((somebody(city, visit), "/"), (a_clerk(city, visit), "/counter")):
        me.open(path)
        drop(me, pdf)
        me.page.wait_for_selector(".verdict.passed")


def test_a_file_that_is_too_large_is_told_before_it_travels(city: CounterCity, visit: Visit) -> None:
    me = somebody(city, visit)
    me.open("/")
    drop(me, bytes((3 << 20) + 1))
    assert me.page.locator("[data-wrong]").inner_text() == me.t("file.too_large")
    me.press("file.button")
    assert me.page.locator(".verdict").count() == 0
    me.at.accessible()


def test_the_fragment_of_a_printed_code_stays_in_the_browser(
    city: CounterCity, browser: Browser, visit: Visit
) -> None:
    me = somebody(city, visit, camera=True, may_fail=("/q#",))  # that page is not in this city
    with me.page.expect_request("**/q") as asked:
        scan(me, browser, f"{city.url}/q#{'A' * 300}")
    assert asked.value.url == f"{city.url}/q"
    me.page.wait_for_url("**/q#*")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_other_codes_are_explained(city: CounterCity, browser: Browser, visit: Visit, language: str) -> None:
    me = somebody(city, visit, camera=True, language=language)
    for text, words in (
        ("https://verify.jincheng.example.evil.example/q#abc", "verify.jincheng.example.evil.example"),
        ("openid-credential-offer://?credential_offer=x", me.t("scan.wallet")),
        ("你好", me.t("scan.unknown")),
    ):
        scan(me, browser, text)
        me.page.locator("[data-said].warning").wait_for()
        assert words in me.page.locator("[data-said]").first.inner_text()
        assert me.button("camera.start").is_visible()
    me.at.accessible()


def test_a_clerk_scans_a_number_at_the_own_desk(
    city: CounterCity, browser: Browser, visit: Visit, serial: str
) -> None:
    licence = city.licence(serial)
    browser.show(code(licence.identifier))
    clerk = a_clerk(city, visit, camera=True)
    clerk.open("/counter")
    clerk.press("camera.start")
    clerk.page.wait_for_selector(".verdict.passed")
    clerk.reads(licence.identifier, MATTER)


def test_the_page_that_waits_says_how_it_stands(city: CounterCity, visit: Visit) -> None:
    clerk = a_clerk(city, visit, language="en")
    clerk.open("/counter")
    clerk.press("counter.present.button")
    clerk.press("ask.button")
    clerk.page.wait_for_selector(".match")
    states = iter(({"state": "fetched", "words": progress("fetched").en, "over": False},))
    over = {"state": "expired", "words": "", "over": True}
    clerk.page.route("**/state", lambda route: route.fulfill(status=200, body=json.dumps(next(states, over))))
    said = clerk.page.locator("[data-said]")
    said.get_by_text(progress("fetched").en).wait_for()
    assert said.get_attribute("aria-live") == "polite"
    with clerk.page.expect_navigation():
        pass
    assert BUREAU not in clerk.page.url
