"""A company is renamed in the browser: one person plans, another looks at it all and agrees by passkey."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from journeys.browser.test_office_journey import code
from world.languages import told_in
from world.people import Person

from credentials import samples
from yinxin.app.subjects.values import STATE_NAMES, EventState
from yinxin.web.pages import Pages

if TYPE_CHECKING:
    from world.browser import Visit
    from world.served import ServedCity

pytestmark = pytest.mark.peer
ROOM = Pages("yinxin.app.subjects.pages")
NEW = "津城新三岔口餐饮有限公司"


@told_in("zh")
def test_a_company_is_renamed(visit: Visit, city: ServedCity, language: str) -> None:
    company = 21 if language == "zh" else 22
    for type_code in ("food-business-licence", "business-licence", "administrative-decision"):
        city.issue(company, kind=type_code)
    people = {}
    for role in ("clerk", "approver"):
        may_fail = ("422",) if role == "clerk" else ()
        people[role] = Person(visit(language=language, may_fail=may_fail), city.urls["office"], ROOM)
        people[role].register(code=code(city, f"subjects-{role}-{language}", role))
    clerk, approver = people["clerk"], people["approver"]

    clerk.open("/office")
    clerk.page.locator("a[href='/office/subjects']").click()
    clerk.look("subjects-00-events")
    clerk.open("/office/subjects/new")
    facts = {
        "subject": "123",
        "name": NEW,
        "ground": "《市场主体登记管理条例》",
        "document_number": "津审变9号",
    }
    for name, text in facts.items():
        clerk.page.locator(f"#{name}").fill(text)
    clerk.press("new.plan")
    clerk.look("subjects-01-refused")
    clerk.page.locator("#subject").fill(samples.company(company)["credit_code"])
    clerk.press("new.plan")
    address = clerk.page.url.removeprefix(city.urls["office"])
    clerk.look("subjects-02-planned")
    assert clerk.button("event.agree_button").count() == 0

    approver.open(address)
    approver.look("subjects-03-to-approve")
    approver.press("event.agree_button")
    approver.page.get_by_text(STATE_NAMES[EventState.APPROVED].in_language(language)).wait_for()

    clerk.open(address)
    clerk.press("event.run")
    done = STATE_NAMES[EventState.DONE].in_language(language)
    for _ in range(60):
        if clerk.page.locator(".badge").first.inner_text().strip() == done:
            break
        clerk.page.wait_for_timeout(250)
        clerk.open(address)
    clerk.look("subjects-04-done")
    assert (
        clerk.page.locator("td .badge.passed").count() >= 2
    )  # other stories of this city know the company too
    assert clerk.page.locator("td .badge.failed").count() == 0
