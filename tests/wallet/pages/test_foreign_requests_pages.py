"""Verifiers of other makers ask for licences of other issuers: optional wishes, no purpose, markup."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode

import pytest
from world.asgi import Answer
from world.credentials import VCT
from world.holders import Person, Site
from world.requests import ABOUT, AskingCounter

from credentials.oid4vp.client_ids import ClientId
from credentials.oid4vp.requests import About
from signing.jose import load_json_object
from yinxin.base.text import Text

if TYPE_CHECKING:
    from pathlib import Path

    from world.pki import Pki

FIRST = {"id": "first", "format": "dc+sd-jwt", "meta": {"vct_values": [VCT]}, "claims": [{"path": ["name"]}]}
MORE = {**FIRST, "id": "more", "claims": [{"path": ["address", "street"]}, {"path": ["scopes", None]}]}


@dataclass
class Desk:
    """The verifier's server: keeps what was posted."""

    forms: list[dict[str, list[str]]] = field(default_factory=list)

    def request(self, _method: str, _url: str, *, headers: Any, content: bytes) -> Answer:
        assert headers
        self.forms.append(parse_qs(content.decode()))
        return Answer(200, {}, b"{}")


@pytest.fixture
def counter(pki: Pki) -> AskingCounter:
    return AskingCounter(pki)


@pytest.fixture
def posted() -> Desk:
    return Desk()


@pytest.fixture
def li(counter: AskingCounter, posted: Desk, tmp_path: Path) -> Person:
    site = Site(tmp_path, counter.pki, counter.clock, counter.database)
    site.internet.hosts["verify.jincheng.example"] = posted  # type: ignore[assignment] # it answers
    person = site.person("li")
    holder, claims = person.wallet.holder, counter.licence()
    holder._verifier = counter.counter()  # which has the status lists at hand
    holder.receive(counter.issue(claims, holder_key=holder.new_key()))
    return person


def link(counter: AskingCounter, query: dict[str, Any], **changes: Any) -> str:
    signed = counter.sign(counter.request(query, **changes))
    client = str(ClientId.of(counter.asker.certificate))
    return f"openid4vp://?{urlencode({'client_id': client, 'request': signed})}"


def text_of(answer: Answer) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


def sets(*options: tuple[str, bool]) -> dict[str, Any]:
    wanted = [{"options": [[name]], "required": required} for name, required in options]
    return {"credentials": [FIRST, MORE], "credential_sets": wanted}


def decrypted(counter: AskingCounter, posted: Desk) -> dict[str, Any]:
    (form,) = posted.forms
    plain = counter.key.decrypt(form["response"][0], encryptions=("A128GCM", "A256GCM"))
    return dict(load_json_object(plain))


def test_what_need_not_be_shown_is_shown_on_request_only(
    counter: AskingCounter, posted: Desk, li: Person
) -> None:
    path = li.open_request(link(counter, sets(("first", True), ("more", False))))
    page = text_of(li.get(path))
    assert "would also like to see more" in page
    assert "和平路 18 号" not in page
    li.follow(li.agree(path))
    assert set(decrypted(counter, posted)["vp_token"]) == {"first"}


def test_a_holder_may_show_more(counter: AskingCounter, posted: Desk, li: Person) -> None:
    path = f"{li.open_request(link(counter, sets(('first', True), ('more', False))))}?optional=1"
    page = text_of(li.get(path))
    assert "What you need not show is shown too" in page
    assert "和平路 18 号" in page
    assert "糕点类食品制售" in page
    li.follow(li.agree(path))
    assert set(decrypted(counter, posted)["vp_token"]) == {"first", "more"}


def test_who_does_not_say_what_for_is_told_to_say_nothing(counter: AskingCounter, li: Person) -> None:
    page = text_of(li.get(li.open_request(link(counter, {"credentials": [FIRST]}, about=None))))
    assert "The other side does not say what for" in page
    assert "津城市核验服务" in page
    assert "Match code" not in page


def test_a_licence_of_another_issuer_reads_by_its_own_names(counter: AskingCounter, li: Person) -> None:
    page = text_of(li.get(li.open_request(link(counter, {"credentials": [MORE]}))))
    assert "address.street" in page
    withheld = page.partition("Will not be shown")[2]
    assert "credit_code" in withheld
    assert "name" in withheld
    card = li.get("/").text
    assert "other-" in card
    assert VCT in card


def test_what_a_verifier_says_never_becomes_markup(counter: AskingCounter, li: Person) -> None:
    hostile = "<script>alert(1)</script>{{ 7*7 }}"
    about = About(Text(hostile, hostile), Text(hostile, hostile), "<b>", "07")
    page = li.get(li.open_request(link(counter, {"credentials": [FIRST]}, about=about)))
    assert "<script>alert" not in page.text
    assert "<b>" not in page.text
    assert "49" not in text_of(page).partition("What for")[2][:80]
    li.follow(li.agree(li.open_request(link(counter, {"credentials": [FIRST]}, about=about))))
    assert "<script>alert" not in li.get("/activity").text


def test_a_request_in_the_link_is_opened_without_a_fetch(counter: AskingCounter, li: Person) -> None:
    whole = link(counter, {"credentials": [FIRST]}, about=ABOUT)
    page = li.get(f"/present?{whole.partition('?')[2]}")
    assert "Somebody asks you" in page.text
    assert not li.site.internet.asked
    li.open_request(whole)
    assert not [one for one in li.site.internet.asked if one.method == "POST"]


def test_a_request_of_yesterday_is_refused(counter: AskingCounter, li: Person) -> None:
    now = int(counter.clock.now().timestamp())
    signed = counter.sign(claims={"iat": now - 90000, "exp": now - 86400})
    client = str(ClientId.of(counter.asker.certificate))
    answer = li.post("/present", link=f"openid4vp://?{urlencode({'client_id': client, 'request': signed})}")
    assert answer.status_code == 403
    assert "Do not go on" in text_of(answer)
