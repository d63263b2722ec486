"""Three people of an agency make a licence in their browsers, each agreeing with a passkey of their own."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from world.bundles import as_workbook, rows_of
from world.languages import told_in
from world.people import Person
from world.served import REGISTRAR, REVIEWER

from credentials import samples
from yinxin.access.directory import StaffDirectory
from yinxin.base.actor import staff
from yinxin.web.pages import Pages

if TYPE_CHECKING:
    from collections.abc import Callable

    from world.browser import Visit
    from world.served import ServedCity

pytestmark = pytest.mark.peer
OFFICE = Pages("credentials.office.pages")
FOOD = "food-business-licence"
NUMBERS = itertools.count(1)
LANGUAGES = told_in("en")


def code(city: ServedCity, identifier: str, role: str) -> str:
    """An enrolment code for somebody of the agency."""
    directory, agency = StaffDirectory(city.home.database), samples.AGENCY.credit_code
    registrar = staff("registrar-office", agency=agency, roles=("registrar",))
    if directory.find(registrar.identifier) is None:
        directory.bootstrap(
            registrar.identifier, name="钱", organisation=agency, actor=REGISTRAR, witness=REVIEWER
        )
    return directory.add(
        identifier, name=identifier, organisation=agency, roles=(role,), actor=registrar
    ).code


@pytest.fixture
def person(visit: Visit, city: ServedCity) -> Callable[..., Person]:
    def come(role: str, language: str, **options: object) -> Person:
        made = Person(visit(language=language, **options), city.urls["office"], OFFICE)
        made.register(code=code(city, f"office-{role}-{language}-{next(NUMBERS)}", role))
        return made

    return come


def fill(at: Person, number: str, serial: int) -> None:
    at.page.locator("#number").fill(number)
    for name, value in samples.application(FOOD, serial).items():
        control = at.page.locator(f"[name='field.{name}']")
        text = "；".join(value) if isinstance(value, list) else value
        if control.evaluate("one => one.tagName") == "SELECT":
            control.select_option(index=1)
        else:
            control.fill(text)


@LANGUAGES
def test_from_draft_to_seal(person: Callable[..., Person], city: ServedCity, language: str) -> None:
    clerk = person("clerk", language, may_fail=("422",))
    reviewer, approver = (person(role, language) for role in ("reviewer", "approver"))
    clerk.open(f"/office/new/{FOOD}")
    clerk.page.locator("#number").fill("办-有误")
    clerk.press("form.save")
    assert clerk.page.locator("[aria-invalid=true]").count() > 3
    clerk.look("office-00-faults")
    clerk.open("/office")
    clerk.look("office-01-cases")
    clerk.page.get_by_role("link", name=kind_name(language), exact=True).click()
    fill(clerk, f"办-{language}-1", 41)
    clerk.look("office-02-form")
    clerk.press("form.save")
    address = clerk.page.url.removeprefix(city.urls["office"])
    clerk.press("case.submit")
    clerk.look("office-03-submitted")
    # The clerk is not asked to agree to what he wrote.
    assert clerk.button("case.agree_button.reviewer").count() == 0

    reviewer.open(address)
    reviewer.look("office-04-review")
    reviewer.press("case.agree_button.reviewer")
    reviewer.page.get_by_text(reviewer.t("case.waits.approver")).wait_for()

    approver.open(address)
    approver.press("case.agree_button.approver")
    approver.page.get_by_text(approver.t("case.agreed.approver")).wait_for()
    approver.look("office-05-approved")

    clerk.open(address)
    clerk.press("case.seal")
    clerk.page.get_by_text(clerk.t("case.sealed_as")).wait_for()
    clerk.look("office-06-sealed")
    identifier = clerk.page.locator(".notice code").inner_text()
    shown = city.yinxin("licence", "show", identifier, "--home", str(city.directory))
    assert shown["state"] == "in_force"


def kind_name(language: str) -> str:
    from credentials.catalogue import Catalogue  # noqa: PLC0415 - here only

    return Catalogue.load()[FOOD].name.in_language(language)  # type: ignore[arg-type]


@LANGUAGES
def test_a_bundle_and_a_replacement(person: Callable[..., Person], city: ServedCity, language: str) -> None:
    clerk, reviewer = person("clerk", language), person("reviewer", language)
    rows = [{**row, "case": f"{language}-{row['case']}"} for row in rows_of(4, start=60)]
    rows[2]["credit_code"] = "91120101MA5K3WXY00"
    clerk.open("/office")
    clerk.follow("rooms.bundles")
    clerk.page.locator("#number").fill(f"批-{language}")
    clerk.page.locator("#type").select_option(FOOD)
    file = {"name": "applications.xlsx", "mimeType": "application/zip", "buffer": as_workbook(rows)}
    clerk.page.locator("#file").set_input_files(file)
    clerk.look("office-20-hand-in")
    clerk.press("bundles.hand_in")
    clerk.reads(f"批-{language}", "credit_code")
    clerk.look("office-21-report")
    clerk.press("case.submit")
    reviewer.open(clerk.page.url.removeprefix(city.urls["office"]))
    reviewer.look("office-22-bundle-review")
    reviewer.press("case.agree_button.reviewer")
    reviewer.page.wait_for_selector("form[data-passkey]", state="detached")
    reviewer.reads(reviewer.t("case.waits.approver"))
    licence = city.issue(70 if language == "zh" else 71, kind=FOOD).licence
    clerk.open("/office/licences")
    clerk.page.locator("#sought").fill(licence.number)
    clerk.press("find.button")
    clerk.look("office-23-licence")
    clerk.page.locator(f"a[href$='{licence.identifier}/replace']").click()
    clerk.page.locator("#number").fill(f"办-{language}-9")
    clerk.page.locator("#ground").fill("《食品经营许可和备案管理办法》第二十七条")
    clerk.page.locator("#document_number").fill("津城监许〔2026〕9号")
    clerk.look("office-24-replacement")
    clerk.press("form.save")
    clerk.reads(licence.identifier, f"办-{language}-9")
    clerk.look("office-25-replacement-case")
