"""A clerk at the counter has a form filled in: asks, waits, sees it once."""

from __future__ import annotations

import asyncio
import re
from html import unescape
from typing import TYPE_CHECKING

import pytest
from world.forms import MATTER, RENEWALS, FormCity

from verify_api.forms.repository import ConsentRepository
from yinxin.base.actor import staff

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wallet import Holder

CHOSEN = {"form": f"{RENEWALS} {MATTER}", "fields": ["operator_name", "domicile", "contact_phone"]}


@pytest.fixture(scope="module")
def one_city() -> Iterator[FormCity]:
    made = FormCity()
    yield made
    made.close()


@pytest.fixture
def city(one_city: FormCity) -> FormCity:
    return one_city.another()


@pytest.fixture
def baker(city: FormCity) -> Holder:
    holder = city.wallet()
    city.food(holder, domicile="津城市旧址路 1 号")
    city.business(domicile="津城市<新>址路 2 号")
    return holder


def asked(city: FormCity) -> str:
    reply = city.page("/counter/forms", CHOSEN)
    assert reply.status == 303, reply.body
    return reply.headers["location"]


def answer(city: FormCity, baker: Holder, place: str) -> None:
    """The holder scans what the page shows."""
    with city.database.reading() as session:
        consent = ConsentRepository(session).find(place.rsplit("/", 1)[1])
    assert consent
    department = city.registry.get(RENEWALS)
    clerk = staff("clerk-17", agency=department.credit_code)
    begun = asyncio.run(city.presentations.begun(consent.session, department, clerk=clerk))
    assert begun
    assert city.show(baker, begun.link).status == 200


def test_a_clerk_asks_and_sees_the_form_once(city: FormCity, baker: Holder) -> None:
    assert "食品经营许可延续申请表" in city.page("/counter/forms?lang=zh").body.decode()
    place = asked(city)
    page = city.page(place).body.decode()
    assert 'class="qr"' in page
    assert f'action="{place}/fill"' not in page
    answer(city, baker, place)
    assert f'action="{place}/fill"' in city.page(place).body.decode()
    reply = city.page(f"{place}/fill", {})
    text = unescape(re.sub(r"<[^>]+>", " ", reply.body.decode()))
    assert reply.status == 200
    assert "津城市<新>址路 2 号" in text
    assert "津城市旧址路 1 号" in text
    assert "海河" not in text
    assert "<新>" not in reply.body.decode()
    assert city.page(f"{place}/fill", {}).status == 409
    assert "已使用" in city.page(f"{place}?lang=zh").body.decode()


def test_a_consent_is_the_clerks_own(city: FormCity) -> None:
    place = asked(city)
    for clerk in ("clerk-18", "clerk-17 12110000400000624H"):
        assert city.page(place, clerk=clerk).status == 404
        assert city.page(f"{place}/fill", {}, clerk=clerk).status == 404
    assert city.page(place, clerk="").status in {401, 303}


def test_what_another_site_sends_does_nothing(city: FormCity) -> None:
    assert city.page("/counter/forms", CHOSEN, origin="https://evil.example").status == 403
    strange = {"form": "urn:other matter", "fields": ["operator_name"]}
    assert city.page("/counter/forms", strange).status == 403
    nothing = {"form": CHOSEN["form"], "fields": ["contact_phone"]}
    assert city.page("/counter/forms", nothing).status == 400


def test_a_clerk_takes_it_back(city: FormCity, baker: Holder) -> None:
    place = asked(city)
    answer(city, baker, place)
    assert city.page(f"{place}/revoke", {}).status == 303
    assert city.page(f"{place}/fill", {}).status == 409
    assert "taken back" in city.page(f"{place}?lang=en").body.decode()
