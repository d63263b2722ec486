"""Strangers, other sites, other accounts and hostile issuers get nowhere, and nothing of theirs runs."""

from __future__ import annotations

import itertools
import logging
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world.departments import claims_of_the_bakery
from world.holders import ORIGIN, Person, Site

from wallet.pages.views import ref_of
from yinxin.base.outbound import Outbound

if TYPE_CHECKING:
    from pathlib import Path

    from world.presentations import AskingCity

SERIALS = itertools.count(70_000)
POSTS = (
    "/scan", "/receive", "/receive/x", "/receive/x/sign-in", "/receive/callback", "/present", "/present/x",
    "/licences/x/remove", "/licences/x/refresh", "/delegations/card", "/delegations/give", "/delegations/x/x",
)  # fmt: skip
GETS = (
    "/", "/licences/x", "/licences/x/show", "/licences/x/remove", "/activity", "/activity.json",
    "/receive", "/receive/x", "/receive/callback", "/present", "/present/x", "/presented/x",
    "/delegations", "/delegations/give", "/delegations/x",
)  # fmt: skip


def own_routes(site: Site) -> set[tuple[str, str]]:
    """Method and path of every route of ours, with what varies as `x`."""
    found: set[tuple[str, str]] = set()

    def walk(routes: Any) -> None:
        for route in routes:
            inner = getattr(route, "original_router", None) or getattr(route, "router", None)
            if inner is not None:
                walk(inner.routes)
            for method in getattr(route, "methods", None) or ():
                if method in {"GET", "POST"}:
                    found.add((method, re.sub(r"\{[^}]*\}", "x", route.path)))

    walk(site.app.routes)
    return found


def bytes_of(site: Site) -> dict[str, bytes]:
    """All that lies on the disk."""
    return {str(one): one.read_bytes() for one in site.directory.rglob("wallet.json")}


def test_the_lists_of_these_tests_are_whole(site: Site) -> None:
    found = {one for one in own_routes(site) if "/static/" not in one[1] and one[1] != "/kinds.css"}
    assert found == {("GET", one) for one in GETS} | {("POST", one) for one in POSTS}


@pytest.mark.parametrize(
    "origin",
    [None, "https://evil.example", "null", "http://wallet.jincheng.example", f"{ORIGIN}.evil.example"],
)
def test_a_form_of_another_site_does_nothing(site: Site, li: Person, origin: str | None) -> None:
    licence = li.provide()
    before, asked = bytes_of(site), len(site.internet.asked)
    for post in POSTS:
        path = post.replace("/licences/x", f"/licences/{ref_of(licence.identifier)}")
        answer = li.post(
            path, origin=origin, decision="agree", link="openid4vp://?request_uri=https://a.example"
        )
        assert answer.status_code == 403, path
    assert bytes_of(site) == before
    assert len(site.internet.asked) == asked


def test_a_stranger_is_led_to_sign_in(site: Site) -> None:
    for token in ("", "x" * 43):
        stranger = Person(site, None, token)  # type: ignore[arg-type] # nobody
        for path in GETS:
            answer = stranger.get(f"{path}?a=b")
            assert answer.status_code == 303, path
            assert answer.headers["location"].startswith("/sign-in?next=%2F")
        for path in POSTS:
            answer = stranger.post(path, link="x")
            assert answer.status_code == 303, path
            assert answer.headers["location"].startswith("/sign-in")


def test_looking_changes_nothing(city: AskingCity, site: Site, li: Person) -> None:
    licence = li.provide()
    path = li.open_request(city.started()["link"])
    li.get("/")  # which fetches the status list
    before, asked = bytes_of(site), len(site.internet.asked)
    hostile = "credential_offer_uri=https://licences.jincheng.example/o&request_uri=https://verify.jincheng.example/r"
    for one in GETS:
        for query in (
            "",
            f"?{hostile}",
            "?decision=agree&done=removed",
            "?link=openid4vp://%3Frequest_uri=https://a",
        ):
            named = one.replace("/licences/x", f"/licences/{ref_of(licence.identifier)}")
            li.get(named.replace("/present/x", path) + query)
    assert bytes_of(site) == before
    # Lists of delegations are asked of our own issuer, wherever a query points.
    own = "https://licences.jincheng.example/v1/delegations/"
    assert [one.url for one in site.internet.asked[asked:] if not one.url.startswith(own)] == []


def test_looking_makes_no_store(site: Site, wang: Person) -> None:
    for path in GETS:
        assert wang.get(path).status_code in {200, 404}
    assert not bytes_of(site)


def test_anothers_licence_is_nobodys(site: Site, li: Person, wang: Person) -> None:
    licence = li.provide()
    wang.provide()
    ref = ref_of(licence.identifier)
    for path in (f"/licences/{ref}", f"/licences/{ref}/show", f"/licences/{ref}/remove"):
        assert li.get(path).status_code == 200
        assert wang.get(path).status_code == 404
    for path in (f"/licences/{ref}/remove", f"/licences/{ref}/refresh"):
        assert wang.post(path).status_code == 404
    assert li.get(f"/licences/{ref}").status_code == 200
    assert licence.identifier not in wang.get("/activity.json").text
    assert licence.number not in wang.get("/").text


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(alphabet=st.characters(codec="ascii", exclude_characters="?#/"), min_size=1, max_size=60))
def test_any_name_in_an_address_is_not_found(wang: Person, name: str) -> None:
    from urllib.parse import quote  # noqa: PLC0415 - here only

    if name in {".", ".."} or name == "callback":
        return
    for path in ("/licences/{}", "/present/{}", "/presented/{}", "/receive/{}"):
        assert wang.get(path.format(quote(name, safe=""))).status_code == 404


def test_every_page_keeps_its_headers(site: Site, li: Person) -> None:
    li.provide()
    for path in (*GETS, "/nothing-there"):
        answer = li.get(path)
        if "text/html" in answer.headers.get("content-type", ""):
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["x-frame-options"] == "DENY"
            assert answer.headers["cache-control"] == "no-store"
            assert "style=" not in answer.text
            assert not re.search(r"<[^>]+\son[a-z]+=", answer.text)


HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7*7 }}{% raw %}",
    "{0.__class__} {lang}",
    "津城\u202e\u2066证照",
    "a\nb\r\nSet-Cookie: x=y",
    "\u200b\ufeff",
    "长" * 20_000,
    "javascript:alert(1)",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_what_an_issuer_wrote_is_shown_as_text(city: AskingCity, li: Person, text: str) -> None:
    claims = {
        **claims_of_the_bakery(),
        "operator_name": text,
        "business_items": [text, {text: text}],
    }
    said = {"licence_number": text, "issuing_authority": text, "licence_name": text, text[:200]: text}
    licence = city.licence(f"{next(SERIALS):09d}", claims=claims)
    li.provide(licence=licence, **said)
    ref = ref_of(licence.identifier)
    pages = [f"/licences/{ref}", f"/licences/{ref}/show", f"/licences/{ref}/remove", "/", "/activity"]
    path = li.open_request(city.started()["link"])
    for page in [li.get(one).text for one in (*pages, path, f"/?q={ref}")]:
        assert "<script>" not in page
        assert "<img src=x" not in page
        assert "49{%" not in page
        for character in "\u202e\u2066\u200b\ufeff":
            assert character not in page
        assert len(page) < 60_000
    li.follow(li.agree(path))
    assert li.get("/activity").status_code == 200


def test_an_identifier_may_be_anything(city: AskingCity, li: Person) -> None:
    licence = city.licence(f"{next(SERIALS):09d}")
    for identifier in ("../../etc/passwd", "a/b?c#d", "<b>", "\u202e", "x" * 5000):
        li.provide(licence=licence, licence_identifier=identifier)
        page = li.get(f"/licences/{ref_of(identifier)}")
        assert page.status_code == 200
        assert li.get(f"/licences/{ref_of(identifier)}/show").status_code in {200, 400}


PRIVATE = (
    "https://127.0.0.1/x", "https://10.0.0.1/x", "https://169.254.169.254/latest/meta-data", "https://[::1]/x",
    "https://[fd00::1]/x", "https://localhost/x", "https://0.0.0.0/x", "https://inside.example/x",
)  # fmt: skip


@pytest.mark.parametrize("url", PRIVATE)
def test_no_link_leads_into_our_network(
    city: AskingCity, tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolve(host: str, _port: int) -> list[str]:
        return {"localhost": ["127.0.0.1"], "inside.example": ["10.1.2.3"]}.get(host, [host.strip("[]")])

    monkeypatch.setattr(Outbound, "_connection", lambda *_: pytest.fail("a connection was made"))
    outbound = Outbound(resolve=resolve)
    site = Site.of_city(city, tmp_path / "open", outbound=outbound)
    li = site.person("curious")
    for page, link in (
        ("/receive", f"openid-credential-offer://?credential_offer_uri={url}"),
        ("/receive", 'openid-credential-offer://?credential_offer={"credential_issuer":"' + url
         + '","credential_configuration_ids":["a"]}'),
        ("/present", f"openid4vp://?client_id=x509_hash:abc&request_uri={url}"),
        ("/present", f"openid4vp://?client_id=x509_hash:abc&request_uri_method=post&request_uri={url}"),
    ):  # fmt: skip
        answer = li.post(page, link=link)
        assert answer.status_code == 403, answer.text
        assert "10.1.2.3" not in answer.text


def test_nothing_secret_is_logged(
    city: AskingCity, site: Site, li: Person, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        li.provide()
        li.follow(li.agree(li.open_request(city.started()["link"])))
        li.get("/licences/nothing")
    text = caplog.text
    for secret in (li.token, "津城小麦", "王小麦", site.custody._secret(li.account.id).hex()):
        assert secret not in text
    assert "eyJ" not in text
