"""A clerk asks for a licence as mdoc, in Chromium: the form, the wait, and what came, in both languages."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from world.browser import browser, visit
from world.counters import CounterCity
from world.departments import AGENCY_CODE, BUREAU, MATTER
from world.mdoc_city import MdocCity
from world.people import VERIFIER, Person
from world.ports import free_ports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from world.browser import Visit

__all__ = ["browser", "visit"]
pytestmark = pytest.mark.peer
DESK = f"{BUREAU} {MATTER}"
_serials = itertools.count(31)


class MdocCounterCity(MdocCity, CounterCity):
    """The city with pages, whose agency makes mdocs."""


@pytest.fixture(scope="module")
def city() -> Iterator[MdocCounterCity]:
    (port,) = free_ports(1)
    made = MdocCounterCity(url=f"http://localhost:{port}", port=port)
    yield made
    made.close()


def apart(work: Callable[[], Any]) -> Any:
    """In a thread of its own: the browser's driver has a loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_licence_is_asked_for_and_shown_as_mdoc(city: MdocCounterCity, visit: Visit, language: str) -> None:
    licence = city.licence(f"{next(_serials):09d}")
    clerk = Person(visit(language=language), city.url, VERIFIER)
    token = apart(lambda: city.staff_token(f"clerk-{language}", organisation=AGENCY_CODE))
    clerk.at.context.add_cookies([{"name": city.cookie, "value": token, "url": city.url}])
    clerk.open(f"/counter/ask?desk={DESK}")
    clerk.reads(clerk.t("ask.form"), clerk.t("ask.form_any"), clerk.t("ask.form_hint"))
    look = clerk.look if language == "zh" else lambda _: clerk.at.accessible()  # one of them in all its sizes
    look("ask")
    clerk.page.get_by_label(clerk.t("ask.form_mdoc")).check()
    clerk.press("ask.button")
    clerk.page.wait_for_url("**/counter/presentations/*")
    session = clerk.page.url.rsplit("/", 1)[1]

    def show() -> None:
        verified = city.fetch(city.link_on_page(session))
        assert city.send(verified, city.response(city.mdoc(licence), verified)).status == 200

    apart(show)
    clerk.page.wait_for_selector(".verdict.passed")
    clerk.page.locator("details summary").click()
    clerk.reads("津城小麦面包坊", licence.identifier, "ISO/IEC 18013-5, 9.1.2.4")
    look("shown-as-mdoc")
