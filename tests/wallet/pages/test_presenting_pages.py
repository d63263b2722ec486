"""Somebody asks, and the holder decides on the pages: stories, changes under way, and attacks."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from world.holders import ORIGIN, Site, hidden_fields

from credentials.oid4vp.transactions import MATTER_TYPE
from wallet.activity import ActivityKind
from wallet.pages.views import ref_of
from yinxin.base.outbound import Response

if TYPE_CHECKING:
    from pathlib import Path

    from world.holders import Person
    from world.presentations import AskingCity


def answers_of(site: Site) -> list[Any]:
    """Everything that was posted and is not the fetching of a request."""
    return [one for one in site.internet.asked if one.method == "POST" and "wallet_nonce" not in one.form]


def test_the_consent_page_says_who_what_why_and_what_not(city: AskingCity, li: Person) -> None:
    li.provide()
    started = city.started(
        claims=["operator_name"], reason={"zh": "办理经营场所变更", "en": "A change of premises"}
    )
    page = li.get(li.open_request(started["link"]))
    text = re.sub(r"<[^>]+>", " ", page.text)
    for words in (
        "津城市核验服务",
        "Identity verified",
        "A change of premises",
        "440103001000",
        "津城小麦面包坊",
    ):
        assert words in text
    assert started["match_code"] in text
    shared, _, withheld = text.partition("Will not be shown")
    assert "Name of operator" in shared.partition("Will be shown")[2]
    assert "Person responsible" in withheld
    assert "王小麦" not in text, "what is not shared is named and not told"
    li.language = "zh"
    assert (
        "办理经营场所变更"
        in li.get(li.open_request(city.started(reason={"zh": "办理经营场所变更", "en": "x"})["link"])).text
    )


def test_a_yes_shows_it_once_and_is_logged(city: AskingCity, li: Person) -> None:
    li.provide()
    started = city.started()
    done = li.follow(li.agree(li.open_request(started["link"])))
    assert "It has arrived at" in done.text
    assert city.outcome(started["id"]).json["indication"] == "passed"
    (_, shown) = li.wallet.holder.activity()
    assert shown.kind is ActivityKind.SHOWN
    assert shown.claims[0] == "operator_name"
    page = li.get("/activity").text
    assert "Shown: <bdi>Food Business Licence</bdi>" in page
    assert "津城市核验服务" in page


def test_a_no_is_told_and_shows_nothing(city: AskingCity, li: Person) -> None:
    li.provide()
    started = city.started()
    path = li.open_request(started["link"])
    done = li.follow(li.post(path, decision="refuse"))
    assert "Nothing was shown" in done.text
    assert city.outcome(started["id"]).json["state"] == "declined"
    assert [one.kind for one in li.wallet.holder.activity()] == [ActivityKind.RECEIVED, ActivityKind.REFUSED]
    assert li.get(path).status_code == 404


def test_a_wallet_that_has_nothing_can_only_refuse(city: AskingCity, li: Person) -> None:
    started = city.started()
    path = li.open_request(started["link"])
    page = li.get(path)
    assert "You have nothing that fits" in page.text
    assert "Food Business Licence" in page.text
    assert 'value="agree"' not in page.text
    assert li.post(path, decision="agree").status_code == 303
    assert not answers_of(li.site)
    assert "Nothing was shown" in li.follow(li.post(path, decision="refuse")).text


def test_the_holder_chooses_between_licences(city: AskingCity, li: Person) -> None:
    first, second = li.provide(), li.provide()
    path = li.open_request(city.started()["link"])
    assert li.get(path).text.count('type="radio"') == 2
    chosen = f"{path}?{urlencode({'choice-food-business-licence': ref_of(first.identifier)})}"
    li.follow(li.agree(chosen))
    assert li.wallet.holder.licence(first.identifier).uses == 1
    assert li.wallet.holder.licence(second.identifier).uses == 0


def test_what_was_not_on_the_page_is_not_shown(city: AskingCity, li: Person) -> None:
    first, second = li.provide(), li.provide()
    path = li.open_request(city.started()["link"])
    form = hidden_fields(li.get(path).text.split('class="card decide"')[1])
    (name,) = [key for key in form if key.startswith("choice-")]
    other = next(one for one in (first, second) if ref_of(one.identifier) != form[name])
    answer = li.post(path, **{**form, name: ref_of(other.identifier), "decision": "agree"})
    assert answer.headers["location"].startswith(f"{path}?")
    assert "Something has changed" in li.follow(answer).text
    assert not answers_of(li.site)
    assert li.post(path, decision="agree", agreed="").headers["location"].startswith(f"{path}?")


def test_a_licence_that_went_meanwhile_is_asked_about_again(city: AskingCity, li: Person) -> None:
    licence = li.provide()
    path = li.open_request(city.started()["link"])
    form = hidden_fields(li.get(path).text.split('class="card decide"')[1])
    assert li.post(f"/licences/{ref_of(licence.identifier)}/remove").status_code == 303
    page = li.follow(li.post(path, **form, decision="agree"))
    assert "You have nothing that fits" in page.text


def test_a_used_copy_is_told_of(city: AskingCity, li: Person) -> None:
    li.provide()
    path = li.open_request(city.started()["link"])
    assert "There is no unused copy left" not in li.get(path).text
    li.follow(li.agree(path))
    assert "There is no unused copy left" in li.get(li.open_request(city.started()["link"])).text


def test_transactions_are_agreed_to_by_name(city: AskingCity, li: Person) -> None:
    li.provide()
    statement = {"zh": "本人申请变更经营场所", "en": "I apply for a change of premises"}
    wanted = {"type": MATTER_TYPE, "statement": statement, "details": {"matter": "440103001000"}}
    started = city.started(transaction=wanted)
    page = li.get(path := li.open_request(started["link"]))
    assert "You also agree to this" in page.text
    assert statement["en"] in page.text
    li.follow(li.agree(path))
    assert city.outcome(started["id"]).json["indication"] == "passed"


def test_of_many_answers_at_once_exactly_one_is_made(city: AskingCity, site: Site, li: Person) -> None:
    li.provide()
    path = li.open_request(city.started()["link"])
    form = hidden_fields(li.get(path).text.split('class="card decide"')[1])

    def decide(number: int) -> str:
        answer = li.post(path, **{**form, "decision": "refuse" if number % 3 == 0 else "agree"})
        return answer.headers.get("location", str(answer.status_code))

    with ThreadPoolExecutor(8) as pool:
        ends = list(pool.map(decide, range(12)))
    assert sum(one.startswith("/presented/") for one in ends) == 1
    assert ends.count("404") == 11
    assert len(answers_of(site)) == 1
    assert len(li.wallet.holder.activity()) == 2


def test_a_request_runs_out(city: AskingCity, li: Person) -> None:
    li.provide()
    path = li.open_request(city.started()["link"])
    form = hidden_fields(li.get(path).text.split('class="card decide"')[1])
    city.clock.advance(timedelta(seconds=121))
    assert li.get(path).status_code == 404
    assert li.post(path, **form, decision="agree").status_code == 404
    assert not answers_of(li.site)


def test_opening_a_link_fetches_nothing(city: AskingCity, site: Site, li: Person) -> None:
    li.provide()
    asked = len(site.internet.asked)
    started = city.started()
    query = started["link"].partition("?")[2]
    for _ in range(3):  # a browser that fetches ahead
        page = li.get(f"/present?{query}")
        assert "Somebody asks you for a licence" in page.text
        assert "verify.jincheng.example" in page.text
    assert len(site.internet.asked) == asked
    assert city.outcome(started["id"]).json["state"] == "open"
    link = hidden_fields(page.text.split('action="/present"')[1])["link"]
    assert li.post("/present", link=link).status_code == 303


def test_a_verifier_whom_nobody_trusts_is_refused(city: AskingCity, site: Site, li: Person) -> None:
    from world.pki import Pki  # noqa: PLC0415 - another one, here only

    from signing.trust import TrustStore  # noqa: PLC0415 - the same
    from wallet.judge import Grounds  # noqa: PLC0415 - the same

    li.provide()
    site.judge.use(Grounds(TrustStore([Pki().root.certificate])))
    answer = li.post("/present", link=city.started()["link"])
    assert answer.status_code == 403
    assert "The presentation request is not accepted" in answer.text
    assert not answers_of(site)


@pytest.mark.parametrize(
    "link",
    [
        "",
        "津城",
        "openid4vp://?client_id=x",
        "openid4vp://?client_id=redirect_uri:https://a.example&request_uri=https://verify.jincheng.example/r",
        "openid4vp://?client_id=x509_hash:abc&request=not.a.token",
        "openid4vp://?client_id=x509_hash:abc&request_uri=http://verify.jincheng.example/r",
        "openid4vp://?client_id=x509_hash:abc&request_uri=https://nobody.example/r",
        "openid4vp://?client_id=x509_hash:abc&request_uri=https://u:p@verify.jincheng.example/r",
        "x" * 200_000,
    ],
)
def test_a_bad_link_is_told_plainly(li: Person, link: str) -> None:
    answer = li.post("/present", link=link)
    assert 400 <= answer.status_code < 600
    assert "<h1>Present a licence</h1>" in answer.text
    assert 'role="alert"' in answer.text


def test_a_lost_answer_is_told_as_such(city: AskingCity, site: Site, li: Person) -> None:
    li.provide()
    path = li.open_request(city.started()["link"])
    site.internet.twist = lambda asked, answer: Response(500, {}, b"") if asked.method == "POST" else answer
    page = li.follow(li.agree(path))
    assert "Sent, not confirmed" in page.text


def test_the_way_back_is_a_link_and_https_only(city: AskingCity, site: Site, li: Person) -> None:
    li.provide()
    for onward, good in (
        (b'{"redirect_uri": "https://bureau.example/done?code=1"}', True),
        (b'{"redirect_uri": "javascript:alert(1)"}', False),
        (b'{"redirect_uri": "http://bureau.example/"}', False),
    ):
        path = li.open_request(city.started()["link"])
        site.internet.twist = lambda asked, answer, body=onward: (  # type: ignore[misc]
            Response(200, {}, body) if "wallet_nonce" not in asked.form and asked.method == "POST" else answer
        )
        answer = li.agree(path)
        site.internet.twist = lambda _, answer: answer
        page = li.follow(answer)
        assert ('href="https://bureau.example/done?code=1" rel="noreferrer"' in page.text) is good
        assert ("bureau.example" in page.text) is good
        assert "javascript:" not in page.text


def test_a_code_scanned_on_the_wrong_page_finds_its_way(li: Person) -> None:
    answer = li.post("/present", link="openid-credential-offer://?credential_offer=%7B%7D")
    assert answer.headers["location"].startswith("/receive?link=openid-credential-offer")
    assert "You opened an offer" in li.follow(answer).text
    answer = li.post("/receive", link="openid4vp://?client_id=a&request_uri=https://b.example/")
    assert "Somebody asks you" in li.follow(answer).text


def test_anothers_request_is_nobodys(city: AskingCity, li: Person, wang: Person) -> None:
    li.provide()
    wang.provide()
    path = li.open_request(city.started()["link"])
    form = hidden_fields(li.get(path).text.split('class="card decide"')[1])
    assert wang.get(path).status_code == 404
    assert wang.post(path, **form, decision="agree").status_code == 404
    assert wang.post(path, decision="refuse").status_code == 404
    answer = li.post(path, **form, decision="agree")
    result = answer.headers["location"]
    assert wang.get(result).status_code == 404
    assert li.get(result).status_code == 200


def test_forms_have_a_limit(city: AskingCity, tmp_path: Path) -> None:
    from yinxin.base.buckets import Limit  # noqa: PLC0415 - here only

    site = Site.of_city(city, tmp_path / "limited", limit=Limit("wallet-actions", 3, 1))
    li, wang = site.person("hasty"), site.person("patient")
    codes = [li.post("/present", link="x").status_code for _ in range(5)]
    assert codes[:3] == [403, 403, 403]
    assert codes[3:] == [429, 429]
    assert wang.post("/present", link="x").status_code == 403, "one account's haste is its own"
    assert li.get("/").status_code == 200


def test_the_camera_tells_links_for_the_wallet_and_nothing_else(li: Person) -> None:
    def scan(text: str, *, width: int = 100, height: int = 20, more: bytes = b"") -> Any:
        frame = text.encode().ljust(2000, b"\0") + more
        headers = {**li._headers(), "Origin": ORIGIN, "Content-Type": "application/octet-stream"}
        return li.client.post(f"{ORIGIN}/scan?width={width}&height={height}", headers=headers, content=frame)

    link = "openid4vp://?client_id=x&request_uri=https%3A%2F%2Fa.example"
    assert scan(f"https://evil.example/\n{link}").json() == {"found": True, "link": link}
    assert scan("https://evil.example/?a=b").json() == {"found": True, "link": None}
    assert scan("").json() == {"found": False, "link": None}
    assert scan(link, more=b"x").status_code == 413
    assert scan(link, width=9999, height=9999).status_code == 400
    assert "camera=(self)" in li.get("/present").headers["permissions-policy"]
    assert "camera=()" in li.get("/").headers["permissions-policy"]


def test_two_requests_at_once_do_not_show_one_copy_unasked(city: AskingCity, li: Person) -> None:
    li.provide()  # one copy only
    paths = [li.open_request(city.started()["link"]) for _ in range(2)]
    forms = [hidden_fields(li.get(path).text.split('class="card decide"')[1]) for path in paths]
    with ThreadPoolExecutor(2) as pool:
        ends = list(
            pool.map(
                lambda one: li.post(one[0], **one[1], decision="agree").headers["location"],
                zip(paths, forms, strict=True),
            )
        )
    (shown,) = [one for one in ends if one.startswith("/presented/")]
    (again,) = [one for one in ends if one.startswith("/present/")]
    assert shown
    page = li.get(again).text
    assert "Something has changed" in page
    assert "There is no unused copy left" in page
    li.follow(li.agree(again))
    assert len(answers_of(li.site)) == 2
