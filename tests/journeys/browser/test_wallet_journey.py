"""A citizen's wallet in the browser, in both languages: from the first passkey to a revoked licence."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from world.languages import told_in
from world.people import ACCESS, WALLET, Citizen
from world.served import GRANTED, TYPE

from credentials import samples

if TYPE_CHECKING:
    from collections.abc import Callable

    from world.browser import Visit
    from world.served import ServedCity

pytestmark = pytest.mark.peer
REASON = {"zh": "办理食品经营许可延续", "en": "Renewal of a food business licence"}
LANGUAGES = told_in("zh")


@pytest.fixture
def citizen(visit: Visit, city: ServedCity) -> Callable[..., Citizen]:
    return lambda **options: Citizen(visit(**options), city.urls["wallet"], WALLET)


@LANGUAGES
def test_the_life_of_a_licence(  # noqa: PLR0915 - one story, told to its end
    citizen: Callable[..., Citizen], city: ServedCity, language: str
) -> None:
    baker = citizen(language=language)
    baker.open()
    assert baker.heading() == baker.t("sign_in.title", room=ACCESS)
    baker.look("wallet-01-sign-in")
    baker.open("/register")
    baker.look("wallet-02-register")
    baker.register("小麦")
    baker.look("wallet-03-empty")

    # The office has looked the baker in the face, and tells the code apart from the link.
    licence = city.issue(1).licence
    offer = city.offer(licence)
    baker.follow("wallet.empty.button")
    baker.look("wallet-04-receive")
    baker.consider(offer.by_reference)
    baker.reads(samples.AGENCY.name.in_language(language))
    baker.look("wallet-05-offer")
    baker.accept("000000" if offer.tx_code != "000000" else "111111")
    baker.reads(baker.t("wallet.offer.wrong_code"))
    baker.look("wallet-06-wrong-code")
    assert offer.tx_code
    baker.accept(offer.tx_code)
    baker.reads(baker.t("wallet.done.received"), licence.number, licence.claims["operator_name"])
    baker.reads(baker.t("wallet.state.valid"))
    baker.look("wallet-07-licence")
    paper = baker.printed("wallet-07-licence")
    assert licence.identifier in paper

    # A counter asks; the baker compares two digits, reads, and agrees.
    asked = city.ask(reason=REASON)
    baker.present(asked["link"])
    baker.reads("津城区市场监督管理局窗口" if language == "zh" else "Jincheng market regulation counter")
    assert baker.page.locator(".match").inner_text() == asked["match_code"]
    baker.reads(licence.claims["operator_name"], baker.t("wallet.consent.withheld"))
    baker.look("wallet-08-consent")
    baker.agree()
    baker.look("wallet-09-shown")
    outcome = city.outcome(asked["id"])
    assert (outcome["state"], outcome["indication"]) == ("answered", "passed"), outcome
    assert set(outcome["results"][TYPE][0]["claims"]) == GRANTED

    # The next one is refused, and the other side learns nothing but that.
    asked = city.ask()
    baker.present(asked["link"])
    baker.refuse()
    baker.look("wallet-10-refused")
    assert city.outcome(asked["id"])["state"] == "declined"

    baker.open("/activity")
    kinds = [baker.t(f"wallet.activity.{kind}") for kind in ("refused", "shown", "received")]
    heads = baker.page.locator(".log h2").all_inner_texts()
    assert [re.split("[：:]", head)[0] for head in heads] == kinds
    baker.look("wallet-11-activity")
    with baker.page.expect_download() as download:
        baker.follow("wallet.activity.download")
    assert len(json.loads(download.value.path().read_text("utf-8"))) >= 3

    # The agency revokes it: the wallet says so, and so does the counter. A status list may be kept for a
    # minute; here the services start anew instead, and all that was in the wallet is there again.
    city.end(licence)
    city.restart()
    baker.open()
    baker.reads(baker.t("wallet.state.revoked"))
    baker.look("wallet-12-revoked")
    baker.page.locator(".licence-card").first.click()
    baker.look("wallet-13-revoked-licence")
    asked = city.ask()
    baker.present(asked["link"])
    baker.look("wallet-14-consent-revoked")
    baker.agree()
    outcome = city.outcome(asked["id"])
    assert outcome["indication"] == "failed"
    assert "licence_revoked" in outcome["reasons"]

    # What is not wanted any more goes; the account stays, and its passkey opens it again.
    baker.open()
    baker.page.locator(".licence-card").first.click()
    baker.follow("wallet.remove.link")
    baker.look("wallet-15-remove")
    baker.press("wallet.remove.button")
    baker.reads(baker.t("wallet.done.removed"))
    baker.open("/account")
    baker.look("wallet-16-account")
    baker.sign_out()
    baker.sign_in()
    assert baker.heading() == baker.t("wallet.licences.title")
