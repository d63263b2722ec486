"""The code printed on a licence before a camera: genuine without the register, then asked, then ended."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pypdfium2
import pytest
from world.codes import read_codes
from world.languages import told_in
from world.people import VERIFIER, Clerk

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL import Image
    from world.browser import Browser, Visit
    from world.served import ServedCity

pytestmark = pytest.mark.peer
LANGUAGES = told_in("zh")


@pytest.fixture
def anybody(visit: Visit, city: ServedCity) -> Callable[..., Clerk]:
    return lambda **options: Clerk(visit(passkeys=False, **options), city.urls["verifier"], VERIFIER)


@LANGUAGES
def test_paper_before_the_camera(
    browser: Browser, anybody: Callable[..., Clerk], city: ServedCity, language: str
) -> None:
    made = city.issue(30 if language == "zh" else 31)
    address, picture = printed_code(made.pdf)
    assert address.startswith((f"{city.urls['issuer']}/q#", f"{city.urls['verifier']}/q#"))
    browser.show(picture)
    person = anybody(language=language, camera=True)
    asked: list[str] = []
    person.at.context.on("request", lambda request: asked.append(request.url + (request.post_data or "")))
    person.open()
    person.scan()
    person.page.wait_for_url("**/q#*")
    state(person, "genuine")
    person.reads(str(made.licence.claims["operator_name"]))
    person.look("printed-01-genuine")
    # What the code says has left the browser in no request.
    fragment = address.partition("#")[2]
    assert not [one for one in asked if fragment[:40] in one]
    assert made.licence.identifier in person.printed("printed-01-genuine")

    person.press("printed.ask")
    state(person, "holds")
    person.look("printed-02-holds")
    city.end(made.licence)
    person.page.reload()
    state(person, "genuine")
    person.press("printed.ask")
    state(person, "ended")
    person.look("printed-03-ended")


@LANGUAGES
def test_a_code_that_was_changed(anybody: Callable[..., Clerk], city: ServedCity, language: str) -> None:
    fragment = printed_code(city.issue(32).pdf)[0].partition("#")[2]
    middle = len(fragment) // 2
    turned = fragment[:middle] + ("A" if fragment[middle] != "A" else "B") + fragment[middle + 1 :]
    person = anybody(language=language)
    person.open(f"/q#{turned}")
    person.page.wait_for_selector("[data-state=failed]:visible, [data-state=unsure]:visible")
    person.look("printed-04-changed")
    assert not person.page.locator("[data-state=genuine]").is_visible()
    person.open("/")
    person.open("/q")
    state(person, "none")
    person.look("printed-05-none")


def test_without_javascript_the_page_says_what_to_do(anybody: Callable[..., Clerk]) -> None:
    person = anybody(javascript=False)
    person.open("/q")
    person.reads(person.t("printed.no_script"))
    person.look("printed-06-no-script")


def state(person: Clerk, name: str) -> None:
    person.page.locator(f"[data-state={name}]").wait_for()


def printed_code(pdf: bytes) -> tuple[str, Image.Image]:
    """What the code on the paper says, and a picture of the paper held before the camera."""
    document = pypdfium2.PdfDocument(io.BytesIO(pdf))
    page = document[0].render(scale=250 / 72).to_pil().convert("RGB")
    document.close()
    (code,) = read_codes(page)
    place = code.position
    xs = [corner.x for corner in (place.top_left, place.top_right, place.bottom_left, place.bottom_right)]
    ys = [corner.y for corner in (place.top_left, place.top_right, place.bottom_left, place.bottom_right)]
    around = (min(xs) - 60, min(ys) - 60, max(xs) + 60, max(ys) + 60)
    cut = page.crop(around)
    return code.text, cut.resize((640, 640 * cut.height // cut.width))
