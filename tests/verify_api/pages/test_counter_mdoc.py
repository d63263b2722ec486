"""A clerk asks for a licence in either form, and somebody shows it as mdoc."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from world.counters import CounterCity, choose, hand_in, words
from world.departments import BUREAU, MATTER, TYPE
from world.mdoc_city import IDENTIFIER, MDOC_ID, VCT, MdocCity

from credentials.vocabulary import DELEGATION, SUSPENDED
from signing.base64url import encode_base64url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from world.passkeys import Browser

    from credentials.oid4vp.request_objects import VerifiedRequest

DESK = f"{BUREAU} {MATTER}"
FORMS = {"any": {TYPE, MDOC_ID, DELEGATION}, "sd-jwt-vc": {TYPE, DELEGATION}, "mdoc": {MDOC_ID}}


class MdocCounterCity(MdocCity, CounterCity):
    """The city with pages, whose agency makes mdocs."""


@pytest.fixture(scope="module")
def city() -> Iterator[MdocCounterCity]:
    made = MdocCounterCity()
    yield made
    made.close()


def asked(city: MdocCounterCity, clerk: Browser, *more: tuple[str, str]) -> tuple[str, VerifiedRequest]:
    """The page of a session for two fields, and what a wallet reads of it."""
    claims = [("claims", "operator_name"), ("claims", "credit_code")]
    values = [("desk", DESK), ("types", TYPE), *claims, ("device", "cross"), *more]
    answer = choose(clerk, "/counter/ask", values)
    assert answer.status_code == 303, answer.text
    place = answer.headers["location"]
    return place, city.fetch(city.link_on_page(place.rsplit("/", 1)[1]))


@pytest.mark.parametrize("form", [None, *FORMS, "jwt_vc_json"])
def test_a_clerk_chooses_the_form(city: MdocCounterCity, form: str | None) -> None:
    """Either is taken where nothing that we know is chosen; agents' copies are SD-JWT VC."""
    _, verified = asked(city, city.clerk(), *([("form", form)] if form else []))
    assert {one.id for one in verified.request.query.credentials} == FORMS.get(form or "any", FORMS["any"])


def test_the_page_says_which_form_is_chosen(city: MdocCounterCity) -> None:
    clerk = city.clerk()
    page = clerk.get("/counter/ask?" + urlencode({"desk": DESK})).text
    assert re.findall(r'name="form" value="([a-z-]+)" checked', page) == ["any"]
    again = choose(clerk, "/counter/ask", [("desk", DESK), ("form", "mdoc")])
    assert again.status_code == 400
    assert re.findall(r'name="form" value="([a-z-]+)" checked', again.text) == ["mdoc"]


def test_a_licence_is_shown_as_mdoc_at_the_counter(city: MdocCounterCity, serial: str) -> None:
    clerk, licence = city.clerk("clerk-mo"), city.licence(serial)
    place, verified = asked(city, clerk)
    shown = city.response(
        city.mdoc(licence),
        verified,
        disclose={VCT: (IDENTIFIER, "operator_name", "credit_code")},
    )
    assert city.send(verified, shown).status == 200
    assert clerk.get(place + "/state").json()["over"] is True
    answer = clerk.get(place)
    said = words(answer)
    assert said.startswith("核验通过 证照状态 有效")
    for shown_to_the_clerk in (
        "津城小麦面包坊",
        licence.identifier,
        "移动证照（mdoc）",
        f"事项编码 {MATTER}",
    ):
        assert shown_to_the_clerk in said
    assert "和平路" not in answer.text
    for check, clause in (
        ("文档类型", "ISO/IEC 18013-5, 9.3.1"),
        ("移动证照有效期", "ISO/IEC 18013-5, 9.1.2.4"),
        ("持有人设备证明", "ISO/IEC 18013-5, 9.1.3"),
    ):
        assert re.search(f"{check}.{{0,20}}{re.escape(clause)}", said), check
    assert "其他检查" not in said
    record = re.search(r'(/counter/records/[A-Za-z0-9_-]{22})/receipt"', answer.text)
    assert record
    assert "clerk-mo" in words(clerk.get(record[1]))


def test_a_bad_mdoc_is_told_with_its_reason_and_nothing_it_says(city: MdocCounterCity, serial: str) -> None:
    clerk, licence = city.clerk(), city.licence(serial)
    place, verified = asked(city, clerk, ("form", "mdoc"))
    _, other = asked(city, clerk, ("form", "mdoc"))
    stolen = city.response(city.mdoc(licence), other)  # made for another session
    city.send(verified, stolen)
    said = words(clerk.get(place))
    assert said.startswith("核验未通过")
    assert "持有人密钥证明无效" in said
    assert "面包坊" not in said
    assert licence.identifier not in said


def test_a_suspended_copy_says_so(city: MdocCounterCity, serial: str) -> None:
    clerk, licence = city.clerk(), city.licence(serial)
    issued = city.mdoc(licence)
    with city.database.transaction() as session:
        city.statuses.set(session, *city.last_status, SUSPENDED)
    city.service.use(city.snapshots())
    place, verified = asked(city, clerk)
    city.send(verified, city.response(issued, verified))
    assert words(clerk.get(place)).startswith("核验未通过")


@pytest.mark.parametrize("encoded", [False, True], ids=["bytes", "base64url"])
def test_an_mdoc_in_a_file_is_asked_for_in_a_session(
    city: MdocCounterCity, serial: str, *, encoded: bool
) -> None:
    """A copy of somebody's file says nothing of who brings it."""
    issued = city.mdoc(city.licence(serial))
    data = encode_base64url(issued).encode() if encoded else issued
    told = hand_in(city.clerk(), "/counter", desk=DESK, document=data)
    assert (told.status_code, "发起出示请求" in words(told)) == (400, True)
    told = hand_in(city.browser(), "/", document=data)
    assert (told.status_code, "不能在这里核验" in words(told)) == (400, True)
    reply = city.ask({"document": b64encode(data).decode()})
    assert (reply.status, "POST /v1/presentations" in reply.json["detail"]) == (400, True)
