"""A citizen in a real browser: signs up by passkey, receives, looks, shows, refuses, takes out."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from world.browser import browser, visit
from world.served import ServedCity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from world.browser import Visit, Visitor

__all__ = ["browser", "visit"]
pytestmark = pytest.mark.peer

WORDS = {
    "zh": {
        "go on": "继续",
        "receive": "领取",
        "agree": "同意并出示",
        "refuse": "拒绝",
        "shown": "已出示",
        "show": "亮证",
        "remove": "移除",
        "really": "确认移除",
        "revoked": "已失效",
        "print": "打印",
        "camera": "摄像头",
    },
    "en": {
        "go on": "Go on",
        "receive": "Receive",
        "agree": "Agree and show",
        "refuse": "Refuse",
        "shown": "Shown",
        "show": "Show at a counter",
        "remove": "Remove",
        "really": "Remove it",
        "revoked": "Revoked",
        "print": "Print",
        "camera": "camera",
    },
}
SIZES = {"zh": (390, 844), "en": (1280, 800)}


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedCity]:
    with ServedCity(tmp_path_factory.mktemp("city")) as made:
        yield made


class Citizen:
    """A visitor with a wallet, and the words of their language."""

    def __init__(self, visitor: Visitor, city: ServedCity, *, shots: bool = True) -> None:
        self.visitor, self.page, self.city = visitor, visitor.page, city
        self.words, self.url = WORDS[visitor.language], city.urls["wallet"]
        self._width = visitor.page.viewport_size["width"]  # type: ignore[index] # it has one
        self._shots = shots

    def look(self, name: str) -> None:
        self.visitor.accessible()
        if self._shots:
            self.visitor.picture(f"wallet-{name}-{self._width}")

    def press(self, word: str) -> None:
        self.page.get_by_role("button", name=self.words[word], exact=True).click()

    def sign_up(self, name: str) -> None:
        self.page.goto(f"{self.url}/register")
        self.page.locator("#name").fill(name)
        self.page.locator("form[data-passkey] button").click()
        self.page.wait_for_url(f"{self.url}/")

    def receive(self, serial: int) -> object:
        licence = self.city.issue(serial).licence
        offer = self.city.offer(licence)
        self.page.goto(f"{self.url}/receive")
        self.look("receive")
        self.page.locator("#link").fill(offer.by_reference)
        self.press("go on")
        self.page.wait_for_url(re.compile("/receive/."))
        self.look("offer")
        self.page.locator("#tx_code").fill(offer.tx_code)
        self.press("receive")
        self.page.wait_for_url(re.compile("/licences/"))
        return licence


@pytest.mark.parametrize("wide", [390, 1280])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_from_passkey_to_activity(visit: Visit, city: ServedCity, language: str, wide: int) -> None:
    person = Citizen(visit(language=language, width=wide, height=844), city)
    page, words = person.page, person.words
    person.sign_up("王小麦")
    person.look("empty")
    licence = person.receive(len(language) * 100 + wide)
    person.look("licence")
    page.goto(person.url)
    person.look("list")

    asked = city.ask()
    page.goto(f"{person.url}/present")
    person.look("present")
    page.locator("#link").fill(asked["link"])
    person.press("go on")
    page.wait_for_url(re.compile("/present/."))
    assert asked["match_code"] in page.locator(".match").inner_text()
    person.look("consent")
    person.press("agree")
    page.wait_for_url(re.compile("/presented/"))
    assert page.get_by_role("heading", level=1).inner_text() == words["shown"]
    person.look("presented")
    assert city.outcome(asked["id"])["indication"] == "passed"

    again = city.ask()
    page.goto(f"{person.url}/present?{again['link'].partition('?')[2]}")
    person.look("opened")
    person.press("go on")
    person.press("refuse")
    page.wait_for_url(re.compile("/presented/"))
    person.look("refused")
    assert city.outcome(again["id"])["state"] == "declined"

    page.goto(f"{person.url}/activity")
    person.look("activity")
    assert page.locator(".log > li").count() == 3
    with page.expect_download() as download:
        page.locator("a[download]").click()
    entries = json.loads(download.value.path().read_text("utf-8"))["entries"]
    assert [one["kind"] for one in entries] == ["received", "shown", "refused"]

    page.goto(person.url)
    page.locator(".licence-card").click()
    page.get_by_role("link", name=words["show"]).click()
    person.look("show")
    city.end(licence)  # type: ignore[arg-type] # it is one
    page.wait_for_timeout(1500)
    page.goto(person.url)
