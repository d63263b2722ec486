"""A form fills itself from the licences that a holder has: with consent, once, and no further."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world.audit import sequencer
from world.departments import BUREAU
from world.forms import FOOD, FORM_FIELDS, MATTER, RENEWALS, FormCity

from credentials.licence import EndingKind, EventKind
from verify_api.forms.repository import ConsentRepository
from yinxin.base.audit import AuditLog

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wallet import Holder


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
    """A wallet with a food licence; the register has a business licence of the same holder too."""
    holder = city.wallet()
    city.food(holder)
    city.business()
    return holder


def states(form: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["state"] for one in form["fields"]}


def field(form: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in form["fields"] if one["name"] == name)


def test_a_form_is_filled_and_says_where_from(city: FormCity, baker: Holder) -> None:
    asked = city.asked()
    assert city.show(baker, asked["link"]).status == 200
    reply = city.filled(asked["consent"])
    assert reply.status == 200, reply.body
    form = reply.json
    assert states(form) == {**dict.fromkeys(FORM_FIELDS, "filled"), "contact_phone": "missing"}
    name = field(form, "operator_name")
    assert (name["value"], name["from"]["type"], name["from"]["field"]) == (
        "津城小麦面包坊", "business-licence", "enterprise_name",
    )  # fmt: skip
    assert name["from"]["version"] == "001"
    assert name["from"]["as_of"] == city.clock.now().isoformat()
    assert field(form, "business_items")["from"]["type"] == FOOD
    assert (form["to_type"], form["to_choose"], form["differing"]) == (["contact_phone"], [], [])


def test_the_holder_reads_who_asks_for_what(city: FormCity, baker: Holder) -> None:
    asked = city.asked(fields=["operator_name", "business_items"])
    request = city.fetch(asked["link"])
    (transaction,) = request.request.transactions
    said = transaction.statement.zh
    for part in ("用证部门", "食品经营许可延续申请表", "经营者名称", "经营项目", asked["consent"]):
        assert part in said
    assert "统一社会信用代码" not in said


def test_what_two_licences_say_differently_is_shown(city: FormCity) -> None:
    holder = city.wallet()
    city.food(holder, domicile="津城市旧址路 1 号")
    city.business(domicile="津城市新址路 2 号")
    asked = city.asked()
    city.show(holder, asked["link"])
    form = city.filled(asked["consent"]).json
    domicile = field(form, "domicile")
    assert (domicile["state"], domicile["value"]) == ("filled", "津城市新址路 2 号")  # the source's word
    assert [one["value"] for one in domicile["differs"]] == ["津城市旧址路 1 号"]
    assert form["differing"] == ["domicile"]


def test_two_licences_of_one_kind_that_differ_are_a_choice(city: FormCity) -> None:
    holder = city.wallet()
    city.food(holder, business_premises="海河东路 1 号")
    city.food(holder, business_premises="海河东路 2 号")
    asked = city.asked()
    city.show(holder, asked["link"])
    premises = field(city.filled(asked["consent"]).json, "business_premises")
    assert (premises["state"], premises["value"]) == ("differs", None)
    assert {one["value"] for one in premises["differs"]} == {"海河东路 1 号", "海河东路 2 号"}


def test_only_licences_that_hold_fill_a_form(city: FormCity) -> None:
    holder = city.wallet()
    city.food(holder)
    old = city.business()
    city.happen(old, EventKind.SUSPENDED)
    asked = city.asked()
    city.show(holder, asked["link"])
    form = city.filled(asked["consent"]).json
    assert field(form, "operator_name")["from"]["type"] == FOOD
    assert states(form)["responsible_person"] == "missing"  # of the suspended licence only


class TestConsent:
    @pytest.mark.usefixtures("baker")
    def test_without_an_answer_nothing_is_read(self, city: FormCity) -> None:
        """Whoever has the department's key can ask, and no more."""
        asked = city.asked()
        assert city.filled(asked["consent"]).status == 409
        assert city.filled("x" * 22).status == 404
        assert city.filled("../../x").status == 404
        blank = city.send("GET", f"/v1/forms/{MATTER}")
        assert "津城" not in blank.body.decode()

    def test_another_sessions_answer_is_no_consent(self, city: FormCity, baker: Holder) -> None:
        shown = city.send(
            "POST",
            "/v1/presentations",
            {"purpose": "renewal", "matter": MATTER, "types": [FOOD], "claims": ["operator_name"]},
        ).json
        city.show(baker, shown["link"])
        asked = city.asked()
        assert city.filled(asked["consent"]).status == 409
        assert city.filled(shown["id"]).status == 404

    def test_it_is_good_once(self, city: FormCity, baker: Holder) -> None:
        asked = city.asked()
        city.show(baker, asked["link"])
        assert city.filled(asked["consent"]).status == 200
        assert city.filled(asked["consent"]).status == 409

    def test_of_many_who_fill_at_once_one_does(self, city: FormCity, baker: Holder) -> None:
        asked = city.asked()
        city.show(baker, asked["link"])
        found: list[int] = []
        threads = [
            threading.Thread(target=lambda: found.append(city.filled(asked["consent"]).status))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(found) == [200, 409, 409, 409]

    def test_it_ends(self, city: FormCity, baker: Holder) -> None:
        asked = city.asked()
        city.show(baker, asked["link"])
        city.pass_minutes(12)
        assert city.filled(asked["consent"]).status == 409
        found = city.send("GET", f"/v1/form-consents/{asked['consent']}").json
        assert found["state"] == "expired"

    def test_it_can_be_taken_back_by_its_number(self, city: FormCity, baker: Holder) -> None:
        asked = city.asked()
        city.show(baker, asked["link"])
        place = f"/v1/form-consents/{asked['consent']}/revoke"
        assert city.send("POST", place, as_=None).json["state"] == "revoked"
        assert city.filled(asked["consent"]).status == 409
        assert city.send("POST", place, as_=None).status == 409
        assert city.send("POST", f"/v1/form-consents/{'y' * 22}/revoke", as_=None).status == 404

    def test_who_declines_has_nothing_read(self, city: FormCity, baker: Holder) -> None:
        asked = city.asked()
        request = city.fetch(asked["link"])
        city.post(baker.decline_presentation(request))
        assert city.filled(asked["consent"]).status == 403

    def test_what_was_shown_must_hold(self, city: FormCity) -> None:
        holder = city.wallet()
        licence = city.food(holder)
        asked = city.asked()
        city.happen(licence, EndingKind.REVOKED)
        city.show(holder, asked["link"])
        assert city.filled(asked["consent"]).status == 403

    def test_nobody_elses_department_uses_it(self, city: FormCity, baker: Holder) -> None:
        asked = city.asked()
        city.show(baker, asked["link"])
        assert city.filled(asked["consent"], as_=BUREAU).status == 404
        assert city.filled(asked["consent"], as_=None).status == 401
        assert city.filled(asked["consent"], matter="other").status == 404
        assert city.send("GET", f"/v1/form-consents/{asked['consent']}", as_=BUREAU).status == 404

    def test_the_log_names_fields_and_licences_and_no_person(self, city: FormCity, baker: Holder) -> None:
        asked = city.asked()
        city.show(baker, asked["link"])
        city.filled(asked["consent"])
        with city.database.reading() as session:
            consent = ConsentRepository(session).find(asked["consent"])
        assert consent
        sequencer(city.database).run_once()
        found = AuditLog(city.database).entries(subject=f"form-consent:{consent.session}")
        own = [one.content() or {} for one in found]
        entries = sorted(own, key=lambda one: str(one["action"]))
        assert [one["action"] for one in entries] == ["form.ask", "form.fill"]
        assert set(entries[1]["details"]["fields"]) == FORM_FIELDS
        assert len(entries[1]["details"]["licences"]) == 2
        assert asked["consent"] not in str(entries)
        assert "王小麦" not in str(entries)
        assert city.code not in str([one["details"]["fields"] for one in entries])


def test_without_a_body_all_that_the_grant_covers_is_asked_for(city: FormCity) -> None:
    reply = city.send("POST", f"/v1/forms/{MATTER}/consents")
    assert (reply.status, reply.json["fields"]) == (200, city.asked()["fields"])


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"fields": ["contact_phone"]}, 403),  # nobody's licence has it
        ({"fields": ["no_such"]}, 403),
        ({"fields": []}, 400),
        ({"fields": "operator_name"}, 400),
        ({"fields": [3]}, 400),
        ({"fields": ["operator_name"] * 200}, 400),
        ({"holder": "91120101MA5K3WXY0T"}, 400),
    ],
)
def test_what_is_no_wish_is_refused(city: FormCity, body: Any, status: int) -> None:
    assert city.send("POST", f"/v1/forms/{MATTER}/consents", body).status == status


def test_a_department_has_the_forms_of_its_matters_only(city: FormCity) -> None:
    (own,) = city.send("GET", "/v1/forms").json["forms"]
    assert own["matter"] == MATTER
    places = {one["name"]: one["from"] for one in own["fields"]}
    assert places["responsible_person"] == ["business-licence.legal_representative"]  # as the grant reaches
    assert city.send("GET", "/v1/forms", as_=BUREAU).json["forms"] == []
    assert city.send("GET", f"/v1/forms/{MATTER}", as_=BUREAU).status == 403
    assert city.send("GET", "/v1/forms/other").status == 404
    assert city.send("GET", "/v1/forms", as_=None).status == 401


def test_the_person_of_another_licence_stays_out(city: FormCity, baker: Holder) -> None:
    city.business(holder="91120199900003098K", enterprise_name="津城别家有限公司")
    asked = city.asked()
    city.show(baker, asked["link"])
    assert "别家" not in city.filled(asked["consent"]).body.decode()


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.sets(st.sampled_from(sorted(FORM_FIELDS)), min_size=1))
def test_a_form_never_holds_what_the_consent_does_not_name(
    city: FormCity, baker: Holder, names: set[str]
) -> None:
    asked = city.asked(fields=sorted(names))
    assert city.show(baker, asked["link"]).status == 200
    form = city.filled(asked["consent"]).json
    with_data = {one["name"] for one in form["fields"] if one["value"] is not None or one["differs"]}
    assert with_data <= names == set(asked["fields"])


def test_the_department_is_told_how_a_consent_stands(city: FormCity, baker: Holder) -> None:
    asked = city.asked()
    place = f"/v1/form-consents/{asked['consent']}"
    assert city.send("GET", place).json["state"] == "asked"
    city.show(baker, asked["link"])
    city.filled(asked["consent"], as_=RENEWALS)
    assert city.send("GET", place).json["state"] == "used"
