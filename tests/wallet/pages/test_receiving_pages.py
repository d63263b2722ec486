"""A licence comes in, is looked at, refreshed and taken out: stories, slips and attacks on the pages."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from world.holders import ORIGIN, Site
from world.office import WHY
from world.receiving import answered
from world.vci import IssuingOffice, query_of

from credentials import samples
from credentials.licence import EndingKind
from credentials.oid4vci.clients import read_clients
from credentials.oid4vci.offers import AuthenticationMethod, Flow, Holder, Offer
from wallet.activity import ActivityKind
from wallet.pages.views import ref_of
from yinxin.base.errors import Unreachable

if TYPE_CHECKING:
    from pathlib import Path

    from world.asgi import Answer
    from world.holders import Person


def text_of(answer: Answer) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


def tokens_asked(site: Site) -> int:
    return len(site.internet.to("/oid4vci/token"))


def test_an_offer_is_looked_at_accepted_and_seen(desk: Site, baker: Person) -> None:
    assert desk.office
    offer = desk.office.offer()
    path = baker.open_offer(offer.by_reference)
    page = text_of(baker.get(path))
    assert "Identity verified" in page
    assert "Food Business Licence" in page
    assert "It has 6 characters" in page
    assert tokens_asked(desk) == 0, "nothing is spent before the yes"
    answer = baker.post(path, tx_code=offer.tx_code or "")
    page = text_of(baker.follow(answer))
    assert "It is in your wallet now" in page
    assert "5 of 5" in page
    assert desk.office.licence.number in page
    assert desk.office.licence.number in baker.get("/").text
    assert baker.get(path).status_code == 404, "an offer is accepted once"
    assert baker.post(path, tx_code=offer.tx_code or "").status_code == 404


def test_an_offer_in_the_address_is_not_touched_before_the_button(desk: Site, baker: Person) -> None:
    assert desk.office
    link = desk.office.offer().by_reference
    for _ in range(3):
        page = baker.get(f"/receive?{link.partition('?')[2]}")
        assert "You opened an offer" in page.text
        assert "licences.jincheng.example" in page.text
    assert not desk.internet.asked


def test_a_slip_with_the_code_may_be_mended(desk: Site, baker: Person) -> None:
    assert desk.office
    offer = desk.office.offer()
    path = baker.open_offer(offer.by_reference)
    wrong = "000000" if offer.tx_code != "000000" else "111111"
    for slip in ("", "12", "abcdef", wrong):
        answer = baker.post(path, tx_code=slip)
        path = answer.headers["location"]
        assert path.startswith("/receive/")
        assert "The code is wrong" in baker.follow(answer).text
    answer = baker.post(path, tx_code=offer.tx_code or "")
    assert answer.headers["location"].startswith("/licences/")


def test_guessing_ends(desk: Site, baker: Person) -> None:
    assert desk.office
    path = baker.open_offer(desk.office.offer().by_reference)
    for _ in range(4):
        path = baker.post(path, tx_code="x").headers["location"]
    assert baker.post(path, tx_code="x").status_code >= 400
    assert baker.get(path).status_code == 404


def test_two_tabs_accept_one_offer_once(desk: Site, baker: Person) -> None:
    assert desk.office
    offer = desk.office.offer()
    path = baker.open_offer(offer.by_reference)
    with ThreadPoolExecutor(6) as pool:
        ends = list(pool.map(lambda _: baker.post(path, tx_code=offer.tx_code or "").status_code, range(6)))
    assert sorted(ends) == [303, 404, 404, 404, 404, 404]
    assert tokens_asked(desk) <= 2, "one, and once more with the nonce that DPoP wants"
    assert len(baker.wallet.holder.licences()) == 1


def test_two_offers_at_once_lose_nothing(desk: Site, baker: Person) -> None:
    office = desk.office
    assert office
    kind = "food-business-licence"
    others = [
        office.issuer.issue(kind, samples.application(kind, number), holder=None, actor=office.clerk).licence
        for number in (2, 3)
    ]
    offers = [
        office.server.offers.make(Offer((one.identifier,), office.holder_of(one)), actor=office.clerk)
        for one in (office.licence, *others)
    ]

    def receive(offer: Any) -> int:
        return baker.post(baker.open_offer(offer.by_reference), tx_code=offer.tx_code).status_code

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(receive, offers)) == [303, 303, 303]
    held = baker.wallet.holder.licences()
    assert [one.unused for one in held] == [5, 5, 5]
    assert len(baker.wallet.holder.activity()) == 3


def test_a_verifier_cannot_be_played_by_an_issuer_that_changes_its_name(desk: Site, baker: Person) -> None:
    assert desk.office
    offer = desk.office.offer()
    path = baker.open_offer(offer.by_reference)

    def twist(asked: Any, answer: Any) -> Any:
        if "openid-credential-issuer" not in asked.url:
            return answer
        document = json.loads(desk.office.client.get(asked.url).content)  # type: ignore[union-attr] # there is one
        return answered({**document, "display": [{"name": "别的机关", "locale": "zh-CN"}]})

    desk.internet.twist = twist
    assert baker.post(path, tx_code=offer.tx_code or "").status_code == 409
    assert tokens_asked(desk) == 0


@pytest.mark.parametrize(
    "link",
    [
        "",
        "津城",
        "openid-credential-offer://?credential_offer={",
        "openid-credential-offer://?credential_offer={}",
        "openid-credential-offer://?credential_offer_uri=http://licences.jincheng.example/o",
        "openid-credential-offer://?credential_offer_uri=https://nobody.example/o",
        "openid-credential-offer://?credential_offer_uri=https://licences.jincheng.example/nothing",
    ],
)
def test_a_bad_offer_is_told_plainly(baker: Person, link: str) -> None:
    answer = baker.post("/receive", link=link)
    assert 400 <= answer.status_code < 600
    assert "<h1>Receive a licence</h1>" in answer.text
    assert 'role="alert"' in answer.text


def test_an_offer_used_elsewhere_is_told_plainly(desk: Site, baker: Person) -> None:
    assert desk.office
    offer = desk.office.offer()
    path = baker.open_offer(offer.by_value)
    desk.office.wallet().receive(offer)
    answer = baker.post(path, tx_code=offer.tx_code or "")
    assert "the offer is over" in baker.follow(answer).text


def test_new_copies_come_by_the_button(desk: Site, baker: Person) -> None:
    held = baker.receive()
    path = f"/licences/{ref_of(held.id)}"
    assert f'action="{path}/refresh"' in baker.get(path).text
    baker.wallet.holder.present(held.id, disclose=["operator_name"], audience="x", nonce="y")
    assert "4 of 5" in baker.get(path).text
    page = text_of(baker.follow(baker.post(f"{path}/refresh")))
    assert "New copies are here" in page
    assert baker.wallet.holder.licence(held.id).unused >= 5
    desk.internet.hosts.clear()
    page = baker.post(f"{path}/refresh")
    assert page.status_code == 503
    assert "does not answer" in text_of(page)
    assert held.id in page.text, "the licence stays in sight"


def test_a_licence_is_taken_out_after_a_question(baker: Person) -> None:
    held = baker.receive()
    path = f"/licences/{ref_of(held.id)}"
    assert "deleted for good" in baker.get(f"{path}/remove").text
    assert baker.wallet.holder.licences(), "asking takes nothing out"
    assert "Taken out of the wallet" in baker.follow(baker.post(f"{path}/remove")).text
    assert not baker.wallet.holder.licences()
    assert baker.get(path).status_code == 404
    assert baker.wallet.holder.activity()[-1].kind is ActivityKind.REMOVED
    assert "Removed: " in text_of(baker.get("/activity")).replace(" :", ":")


def test_how_a_licence_stands_is_seen_with_the_age_of_the_news(desk: Site, baker: Person) -> None:
    office = desk.office
    assert office
    held = baker.receive()
    path = f"/licences/{ref_of(held.id)}"

    def later(**by: float) -> str:
        desk.clock.advance(timedelta(**by))
        desk.judge.use(desk.grounds())
        return text_of(baker.get(path))

    assert "Valid Status as of" in text_of(baker.get(path))
    office.issuer.suspend(held.id, **WHY, actor=office.clerk)
    assert "Suspended" in later(minutes=2)
    office.issuer.resume(held.id, **WHY, actor=office.clerk)
    assert "Valid Status as of" in later(minutes=2)
    office.issuer.end(held.id, EndingKind.REVOKED, **WHY, actor=office.clerk)
    assert "Revoked" in later(minutes=2)
    assert "Revoked" in text_of(baker.get("/"))
    assert "has ended" in text_of(baker.get(path))


def test_a_replaced_licence_is_called_so(desk: Site, baker: Person) -> None:
    office = desk.office
    assert office
    old = baker.receive()
    claims = samples.application("food-business-licence", 1)
    new = office.issuer.replace(
        office.licence.identifier, claims, actor=office.clerk, holder=None, **WHY
    ).licence
    desk.clock.advance(timedelta(minutes=2))
    desk.judge.use(desk.grounds())
    baker.receive(new)
    page = text_of(baker.get(f"/licences/{ref_of(old.id)}"))
    assert "Replaced" in page
    assert "Use the newer version in your wallet" in page
    assert "Valid" in text_of(baker.get(f"/licences/{ref_of(new.identifier)}"))


def test_a_status_that_cannot_be_had_is_unknown_and_not_valid(desk: Site, baker: Person) -> None:
    held = baker.receive()
    desk.internet.hosts.clear()
    desk.clock.advance(timedelta(minutes=20))
    desk.judge.use(desk.grounds())
    page = text_of(baker.get(f"/licences/{ref_of(held.id)}"))
    assert "Status unknown" in page
    assert "20 min ago" in page


def test_a_server_that_is_away_is_asked_once_a_minute(desk: Site, baker: Person) -> None:
    baker.receive()
    desk.clock.advance(timedelta(minutes=2))
    desk.internet.hosts.clear()
    asked = len(desk.internet.asked)
    for _ in range(5):
        baker.get("/")
    assert len(desk.internet.asked) == asked + 1


def test_search_finds_by_name_and_number(desk: Site, baker: Person) -> None:
    held = baker.receive()
    number = str(held.claims["licence_number"])
    assert number in baker.get(f"/?q={number[-4:]}").text
    page = baker.get("/?q=%E5%BF%85%E6%97%A0")
    assert "0 found" in page.text
    assert number not in page.text


def test_at_a_counter_the_identifier_is_a_code(baker: Person) -> None:
    held = baker.receive()
    page = baker.get(f"/licences/{ref_of(held.id)}/show")
    assert held.id in page.text
    assert 'src="data:image/svg+xml' in page.text
    assert "does not prove that you are the holder" in page.text


def test_the_log_is_taken_along(desk: Site, baker: Person) -> None:
    held = baker.receive()
    answer = baker.get("/activity.json")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"
    (entry,) = answer.json()["entries"]
    assert (entry["kind"], entry["licence"]) == ("received", held.id)
    assert "Who gives it Jincheng District Administrative Approval Bureau" in text_of(baker.get("/activity"))
    assert desk.person("new").get("/activity.json").json()["entries"] == []


def test_a_sign_in_at_the_issuer_comes_back_to_a_button(office: IssuingOffice, tmp_path: Path) -> None:
    known = read_clients((f"{ORIGIN} {ORIGIN}/receive/callback",))
    office = IssuingOffice(office.pki, office.database, clients=known)
    desk = Site.of_office(office, tmp_path)
    baker = desk.person("baker")
    holder = Holder(office.licence.holder_code, AuthenticationMethod.COUNTER, "窗口核验〔2026〕118号")
    wanted = Offer((office.licence.identifier,), holder, flow=Flow.CODE)
    offer = office.server.offers.make(wanted, actor=office.clerk)
    path = baker.open_offer(offer.by_reference)
    assert "You sign in on the authority" in baker.get(path).text
    onward = baker.post(f"{path}/sign-in")
    assert onward.status_code == 200, text_of(onward)
    url = re.search(r'href="(https://licences[^"]+)"', onward.text)
    assert url
    asked = query_of(url[1].replace("&amp;", "&"))
    login = office.server.login_codes.hand_out(holder, actor=office.clerk)
    form = {**asked, "login_code": login, "decision": "approve"}
    back = office.client.post("/oid4vci/authorize", data=form).headers["location"]
    callback = back.removeprefix(ORIGIN)
    before = tokens_asked(desk)
    assert "You have signed in" in baker.get(callback).text
    assert tokens_asked(desk) == before, "coming back spends nothing"
    page = baker.post("/receive/callback", query=callback.partition("?")[2])
    assert "It is in your wallet now" in baker.follow(page).text
    assert baker.post("/receive/callback", query=callback.partition("?")[2]).status_code == 404
    assert desk.person("other").post("/receive/callback", query="code=a&state=b").status_code == 404


def test_what_an_issuer_says_never_becomes_markup(desk: Site, baker: Person) -> None:
    hostile = "<script>alert(1)</script>\u202e"
    assert desk.office

    def twist(asked: Any, answer: Any) -> Any:
        if "openid-credential-issuer" not in asked.url:
            return answer
        document = json.loads(desk.office.client.get(asked.url).content)  # type: ignore[union-attr] # there is one
        named = [{"name": hostile, "locale": "en"}]
        for one in document["credential_configurations_supported"].values():
            one["credential_metadata"]["display"] = named
        return answered({**document, "display": named})

    desk.internet.twist = twist
    page = baker.get(baker.open_offer(desk.office.offer().by_value)).text
    assert "<script>alert" not in page
    assert "\u202e" not in page
    assert "Identity not verified" in page


def test_nothing_comes_in_when_the_issuer_breaks_off(desk: Site, baker: Person) -> None:
    assert desk.office
    offer = desk.office.offer()
    path = baker.open_offer(offer.by_reference)

    def twist(asked: Any, answer: Any) -> Any:
        if asked.path == "/oid4vci/credential":
            raise Unreachable("gone")
        return answer

    desk.internet.twist = twist
    answer = baker.post(path, tx_code=offer.tx_code or "")
    assert answer.status_code == 503
    assert "<h1>" in answer.text
    assert not baker.wallet.holder.licences()
