"""A clerk's day at the counter in a browser, with a citizen's wallet beside it, in both languages."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

import pytest
import zxingcpp
from PIL import Image
from world.codes import read_codes
from world.languages import told_in
from world.people import ACCESS, VERIFIER, WALLET, Citizen, Clerk

from credentials.licence import EndingKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from world.browser import Browser, Visit
    from world.platform import ServedPlatform
    from world.served import ServedCity

pytestmark = pytest.mark.peer
LANGUAGES = told_in("zh")
REASON = "办理食品经营许可延续"


@pytest.fixture(scope="module")
def sessions() -> dict[str, list[Any]]:
    """Cookies of clerks who have signed in: an office registers few people a minute."""
    return {}


@pytest.fixture
def clerk(visit: Visit, city: ServedCity, sessions: dict[str, list[Any]]) -> Callable[..., Clerk]:
    """Somebody who works here: registered the first time, known by the cookie from then on."""

    def come(identifier: str = "", *, language: str = "zh", **options: object) -> Clerk:
        made = Clerk(visit(language=language, **options), city.urls["verifier"], VERIFIER)
        name = identifier or f"clerk-{language}"
        if name in sessions:
            made.at.context.add_cookies(sessions[name])
        else:
            made.register(code=city.enrolment(name, name="陈晓"))
            if not identifier:
                sessions[name] = made.at.context.cookies()
        return made

    return come


@pytest.fixture
def citizen(visit: Visit, city: ServedCity) -> Callable[..., Citizen]:
    return lambda **options: Citizen(visit(**options), city.urls["wallet"], WALLET)


@LANGUAGES
def test_a_day_at_the_counter(clerk: Callable[..., Clerk], city: ServedCity, language: str) -> None:
    nobody = Clerk(clerk(f"first-{language}", language=language).at, city.urls["verifier"], VERIFIER)
    nobody.sign_out()
    nobody.open("/counter")
    assert nobody.heading() == nobody.t("sign_in.title", room=ACCESS)
    nobody.look("counter-01-sign-in")
    nobody.open("/register")
    nobody.look("counter-02-register")
    nobody.open("/counter")
    nobody.press("sign_in.button", room=ACCESS)
    at_work = nobody
    at_work.page.wait_for_url("**/counter")
    at_work.look("counter-03")

    made = city.issue(10)
    at_work.hand_in(made.pdf)
    assert at_work.verdict() == "passed"
    at_work.reads(str(made.licence.claims["operator_name"]), made.licence.identifier)
    at_work.look("counter-04-file")
    paper = at_work.printed("counter-04-file")
    assert made.licence.identifier in paper
    with at_work.page.expect_download() as download:
        at_work.follow("result.receipt")
    assert download.value.path().read_text("ascii").count(".") == 2

    at_work.follow("result.again")
    at_work.type_number(made.licence.number)
    assert at_work.verdict() == "passed"

    for kind in (EndingKind.REVOKED, EndingKind.DEREGISTERED):
        ended = city.issue(11 if kind is EndingKind.REVOKED else 12)
        city.end(ended.licence, kind)
        at_work.open("/counter")
        at_work.hand_in(ended.pdf)
        assert at_work.verdict() == "failed"
        at_work.look(f"counter-05-{kind}")

    at_work.open("/counter/records")
    assert at_work.page.locator("tbody tr").count() >= 4
    at_work.look("counter-06-records")
    at_work.page.locator("tbody a").first.click()
    at_work.look("counter-07-record")
    at_work.open("/account")
    at_work.look("counter-08-account")


@LANGUAGES
def test_a_holder_presents_from_another_device(
    clerk: Callable[..., Clerk], citizen: Callable[..., Citizen], city: ServedCity, language: str
) -> None:
    licence = city.issue(20).licence
    baker = citizen(language=language)
    baker.register("小麦")
    baker.receive(city.offer(licence))
    at_work = clerk(language=language)
    link = ask(at_work, f"counter-09-ask-{language}")
    at_work.look("counter-10-waiting")
    code = at_work.page.locator(".match").inner_text().strip()
    baker.present(link)
    assert baker.page.locator(".match").inner_text().strip() == code
    baker.reads(REASON)
    baker.look("counter-11-consent")
    baker.agree()
    # The counter's page finds out by itself.
    at_work.page.wait_for_selector(".verdict")
    assert at_work.verdict() == "passed"
    at_work.reads(str(licence.claims["operator_name"]))
    at_work.look("counter-12-presented")

    # The agency revokes it; the next time the counter says so.
    city.end(licence)
    link = ask(at_work)
    baker.present(link)
    baker.agree()
    at_work.page.wait_for_selector(".verdict")
    assert at_work.verdict() == "failed"
    at_work.look("counter-13-presented-revoked")

    link = ask(at_work)
    baker.present(link)
    baker.refuse()
    at_work.page.get_by_role("heading", name=at_work.t("presenting.ended")).wait_for()
    at_work.look("counter-14-declined")


def test_a_holder_presents_on_this_device(
    clerk: Callable[..., Clerk], citizen: Callable[..., Citizen], city: ServedCity
) -> None:
    """One browser for both: the wallet sends it back with a code; only then the counter shows something."""
    licence = city.issue(21).licence
    at_work = clerk()
    baker = Citizen(at_work.at, city.urls["wallet"], WALLET)
    baker.register("小麦")
    baker.receive(city.offer(licence))
    link = ask(at_work, same_device=True)
    at_work.look("counter-15-same-device")
    session = at_work.page.url
    baker.present(link)
    baker.agree()
    baker.reads("localhost")
    baker.look("counter-16-go-back")
    onward = baker.page.get_by_role("link", name=baker.t("wallet.presented.onward_button"))
    assert (onward.get_attribute("href") or "").startswith(city.urls["verifier"])
    onward.click()
    at_work.page.wait_for_load_state()
    at_work.at.picture("counter-17-returned")
    at_work.at.open(session)
    assert at_work.verdict() == "passed"
    at_work.look("counter-18-same-device-result")


def test_the_counter_without_javascript(clerk: Callable[..., Clerk], visit: Visit, city: ServedCity) -> None:
    """Sign-in by passkey needs scripts; file, number and a presentation then do without."""
    made = city.issue(22)
    known = clerk()
    plain = Clerk(visit(javascript=False), known.url, VERIFIER)
    plain.at.context.add_cookies(known.at.context.cookies())
    plain.open("/counter")
    plain.look("counter-19-no-script")
    plain.hand_in(made.pdf)
    assert plain.verdict() == "passed"
    plain.open("/counter")
    plain.type_number(made.licence.identifier)
    assert plain.verdict() == "passed"
    ask(plain, reveal=False)
    plain.press("presenting.refresh")
    assert plain.page.locator(".match").count() == 1


def test_a_number_before_the_camera(browser: Browser, clerk: Callable[..., Clerk], city: ServedCity) -> None:
    made = city.issue(23)
    code = zxingcpp.create_barcode(made.licence.identifier, zxingcpp.BarcodeFormat.QRCode)
    browser.show(Image.fromarray(zxingcpp.write_barcode_to_image(code, scale=6)))
    at_work = clerk(camera=True)
    at_work.open("/counter")
    at_work.scan()
    at_work.page.wait_for_selector(".verdict")
    assert at_work.verdict() == "passed"
    at_work.reads(str(made.licence.claims["operator_name"]))


def test_the_whole_counter_by_keyboard(clerk: Callable[..., Clerk], city: ServedCity) -> None:
    made = city.issue(24)
    at_work = clerk()
    at_work.open("/counter")
    keys = at_work.page.keyboard
    at_work.at.tab_to(at_work.t("number.label"))
    keys.type(made.licence.number)
    keys.press("Enter")
    at_work.page.wait_for_selector(".verdict")
    assert at_work.verdict() == "passed"
    at_work.at.tab_to(at_work.t("result.again"))
    keys.press("Enter")
    at_work.page.wait_for_url("**/counter?*")
    at_work.at.tab_to(re.escape(at_work.t("counter.present.button")))
    keys.press("Enter")
    at_work.page.wait_for_url("**/counter/ask?*")
    at_work.at.tab_to(at_work.t("ask.button"))
    keys.press("Enter")
    at_work.page.wait_for_url("**/counter/presentations/*")


@LANGUAGES
def test_staff_signs_in_by_the_citys_platform(
    visit: Visit, city: ServedCity, platform: ServedPlatform, language: str
) -> None:
    city.enrolment(f"platform-{language}", name="周正", subject=f"u-{language}")
    at_work = Clerk(visit(language=language, passkeys=False), city.urls["verifier"], VERIFIER)
    at_work.open("/counter")
    platform.subject = f"u-{language}"
    at_work.page.get_by_role("link", name=at_work.t("openid.button", room=ACCESS)).click()
    at_work.page.wait_for_url("**/counter*")
    assert "周正" in at_work.page.locator("header").inner_text()
    at_work.sign_out()
    # Somebody whom the platform knows, and the directory does not.
    platform.subject = "stranger"
    at_work.page.get_by_role("link", name=at_work.t("openid.button", room=ACCESS)).click()
    at_work.page.wait_for_load_state()
    at_work.look("counter-20-stranger")
    assert at_work.open("/counter").url.startswith(f"{at_work.url}/sign-in")


def ask(at_work: Clerk, picture: str = "", *, same_device: bool = False, reveal: bool = True) -> str:
    """Ask the holder for a licence; what the code on the screen says, as a phone would read it."""
    at_work.open("/counter")
    at_work.press("counter.present.button")
    if picture:
        at_work.look(picture.removesuffix(f"-{at_work.at.language}"))
    at_work.page.locator("#reason").fill(REASON)
    if same_device:
        at_work.page.locator("input[name=device][value=same]").check()
    at_work.press("ask.button")
    if not reveal:
        return ""
    if same_device:
        link = at_work.page.get_by_role("link", name=at_work.t("presenting.link"))
        return link.get_attribute("href") or ""
    shot = at_work.page.locator(".qr").screenshot()
    return read_code(shot)


def read_code(picture: bytes) -> str:

    (code,) = read_codes(Image.open(io.BytesIO(picture)))
    return str(code.text)
