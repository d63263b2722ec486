"""The page of printed codes in Chromium: its own cryptography, every verdict, nothing sent unasked."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from world.browser import browser, visit
from world.people import VERIFIER, Person
from world.pki import Pki
from world.ports import free_ports
from world.printed import KINDS, sample_licence
from world.printed_city import PrintedCity

from credentials.printed_code import PrintedCodeVerifier
from signing.base64url import decode_base64url, encode_base64url
from verify_api.pages.printed import LIST_PATH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from world.browser import Visit
    from world.printed import Paper

__all__ = ["browser", "visit"]
LANGUAGES = pytest.mark.parametrize("language", ["zh", "en"])
MUTANTS = 120
# Asks the page's own module, in the page.
ASK = """async ([module, listed, codes, now]) => {
  const { verify } = await import(module);
  const list = await (await fetch(listed)).json();
  return Promise.all(codes.map(async (text) => {
    const found = await verify(text, list, now);
    return [found.indication, found.then, found.reasons, found.code?.identifier ?? null];
  }));
}"""


@pytest.fixture(scope="module")
def city() -> Iterator[PrintedCity]:
    (port,) = free_ports(1)
    made = PrintedCity(url=f"http://localhost:{port}", port=port)
    yield made
    made.close()


@pytest.fixture(scope="module")
def paper(city: PrintedCity) -> Paper:
    made = city.paper()
    made.now = city.clock.now()
    return made


def somebody(city: PrintedCity, visit: Visit, language: str = "zh", **options: Any) -> Person:
    made = Person(visit(language=language, passkeys=False, **options), city.url, VERIFIER)
    made.page.clock.set_fixed_time(city.clock.now())
    return made


def scanned(person: Person, text: str) -> None:
    """A phone opens what its camera read."""
    person.page.goto("about:blank")
    person.page.goto(text)


def stands(person: Person, state: str) -> None:
    person.page.wait_for_selector(f"[data-state={state}]:visible")
    assert person.page.locator("[data-state]:visible").count() == 1


def verifier_of(city: PrintedCity) -> PrintedCodeVerifier:
    kept = city.service.snapshots
    return PrintedCodeVerifier(
        kept.trust,
        issuers=city.issuers,
        addresses=[f"{city.url}/q"],
        revocation=kept.revocation,
        policy=kept.policy,
    )


def test_webcrypto_and_we_give_the_same_verdict(city: PrintedCity, paper: Paper, visit: Visit) -> None:
    chance = random.Random(7)  # noqa: S311 - the same mutants every time
    codes = [paper.code(code) for code in KINDS]
    for number in range(MUTANTS):
        address, _, content = codes[number % len(KINDS)].partition("#")
        raw = bytearray(decode_base64url(content))
        raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
        codes.append(f"{address}#{encode_base64url(bytes(raw))}")
    codes.append(paper.code(signer=Pki().signer("credential")))
    codes.append(codes[0].replace("localhost", "127.0.0.1"))
    person = somebody(city, visit)
    person.open("/q")
    module = "/static/verify_api.pages/printed.js"
    now = city.clock.now()
    said = person.page.evaluate(ASK, [module, LIST_PATH, codes, int(now.timestamp())])
    verifier = verifier_of(city)
    for text, theirs in zip(codes, said, strict=True):
        report = verifier.verify(text, now=now)
        ours = [
            str(report.indication),
            str(report.then),
            sorted(reason.code for reason in report.reasons),
            report.findings.get("licence"),
        ]
        assert theirs == ours, text
    assert sum(one[1] == "passed" for one in said) == len(KINDS)


@LANGUAGES
def test_genuine_and_not_known_to_this_register(
    city: PrintedCity, paper: Paper, visit: Visit, language: str
) -> None:
    person = somebody(city, visit, language)
    sent: list[str] = []
    person.at.context.on("request", lambda one: sent.append(f"{one.method} {one.url} {one.post_data or ''}"))
    text = paper.code("physician-certificate")
    scanned(person, text)
    stands(person, "genuine")
    assert person.page.evaluate("document.activeElement.tagName") == "H1", "the verdict is what is read first"
    person.reads("王晓梅", {"zh": "临床", "en": "Clinical medicine"}[language], person.t("printed.unlimited"))
    assert not [one for one in sent if text.partition("#")[2][:30] in one], "the code stays here"
    assert not [one for one in sent if one.startswith("POST")], "nothing is asked unasked"
    person.press("printed.ask")
    stands(person, "unknown")
    (asked,) = [one for one in sent if one.startswith("POST")]
    identifier = sample_licence("physician-certificate").identifier
    assert asked == f'POST {city.url}/v1/verifications {{"licence":"{identifier}"}}'
    assert person.at.context.cookies() == []
    person.look("printed-unknown")


@LANGUAGES
def test_long_fields_say_that_they_are_an_excerpt(
    city: PrintedCity, paper: Paper, visit: Visit, language: str
) -> None:
    name = "津城区第一实验小学教学楼及附属体育馆地下停车场新建工程（一期）施工总承包项目"
    licence = sample_licence("construction-permit", project_name=name, project_address=name[::-1])
    person = somebody(city, visit, language)
    scanned(person, paper.code(licence))
    stands(person, "genuine")
    person.reads({"zh": "内容较长", "en": "holds the beginning and a digest"}[language])
    person.at.accessible()


@LANGUAGES
def test_what_is_wrong_is_said(city: PrintedCity, paper: Paper, visit: Visit, language: str) -> None:
    person = somebody(city, visit, language)
    ended = replace(sample_licence("food-business-licence"), valid_until=date(2026, 11, 19))
    for text, state, code in (
        (paper.code(ended), "failed", "expired"),
        (paper.code()[:-4] + "AAAA", "failed", "sig_crypto_failure"),
        (paper.code()[:-4], "failed", "printed_code_malformed"),
        (paper.code(signer=Pki().signer("credential")), "unsure", "signing_certificate_missing"),
    ):
        scanned(person, text)
        stands(person, state)
        person.reads(code)
        shown = person.page.locator("[data-licence]").is_visible()
        assert shown is (code == "expired"), "a forged code's words are not shown"
        assert not person.page.locator("[data-asking]").is_visible()
        person.at.accessible()


def test_a_text_cannot_become_markup(city: PrintedCity, paper: Paper, visit: Visit) -> None:
    tricks = "<img src=x onerror=alert(1)>"
    licence = sample_licence("food-business-licence", operator_name=tricks)
    person = somebody(city, visit)
    scanned(person, paper.code(licence))
    stands(person, "genuine")
    person.reads(tricks)
    assert person.page.locator("main img").count() == 0


def test_another_code_in_the_same_tab(city: PrintedCity, paper: Paper, visit: Visit) -> None:
    person = somebody(city, visit)
    scanned(person, paper.code())
    stands(person, "genuine")
    person.press("printed.ask")
    stands(person, "unknown")
    person.page.goto(paper.code("no-record-certificate"))  # the fragment alone changes: nothing is loaded
    stands(person, "genuine")
    person.reads("无犯罪记录证明")
    person.page.goto(f"{city.url}/q#")
    stands(person, "none")


@LANGUAGES
def test_without_the_list_nothing_is_said_of_the_code(
    city: PrintedCity, paper: Paper, visit: Visit, language: str
) -> None:
    person = somebody(city, visit, language, may_fail=("Failed to load resource", LIST_PATH, "failed"))
    person.page.route(f"**{LIST_PATH}", lambda route: route.abort())
    scanned(person, paper.code())
    stands(person, "unreachable")
    person.at.accessible()


def test_an_old_list_makes_no_verdict(city: PrintedCity, paper: Paper, visit: Visit) -> None:
    person = somebody(city, visit)
    person.page.clock.set_fixed_time(city.clock.now().replace(year=2027))
    scanned(person, paper.code())
    stands(person, "unsure")
    person.reads("revocation_stale")


def test_the_keyboard_is_enough(city: PrintedCity, paper: Paper, visit: Visit) -> None:
    person = somebody(city, visit, "en")
    scanned(person, paper.code())
    stands(person, "genuine")
    person.at.tab_to(person.t("printed.ask"))
    person.page.keyboard.press("Enter")
    stands(person, "unknown")
