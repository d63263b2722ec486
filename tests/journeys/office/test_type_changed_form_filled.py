"""A licence type gets a new version while all runs, and a form fills itself: by commands and over HTTP.

The bureau adds a required e-mail address to the food licence. A shop with a licence of the first version
agrees in its wallet that the market station fills in the renewal; then the type is abolished.
"""

from __future__ import annotations

import io
import json
import sys
import time
import urllib.error
import urllib.request
from contextlib import redirect_stderr, redirect_stdout
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from world.served import COUNTER, REGISTRAR, REVIEWER, ServedCity
from world.types import FOOD, with_email

from credentials import samples
from credentials.licence import agency_day
from verify_api.departments import Department, Grant
from yinxin.app import wiring
from yinxin.app.cli import run
from yinxin.app.console import ExitCode
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUSINESS, MATTER = "business-licence", "food-business-renewal"
PRIVATE = ("--allow-private", "127.0.0.1", "--allow-private", "::1")
GRANTED = {
    FOOD: frozenset({"operator_name", "credit_code", "business_premises", "business_items"}),
    BUSINESS: frozenset({"enterprise_name", "credit_code", "legal_representative", "domicile"}),
}


class City(ServedCity):
    """A served city whose counter renews food licences; people work at a command line beside it."""

    def prepare(self) -> None:
        registry = wiring.departments(self.home)
        name = Text("津城区市场监管所", "Jincheng market station")
        grant = Grant("renewal", MATTER, GRANTED)
        wanted = Department(COUNTER, name, samples.credit_code(901), (self.key.public_key,), (grant,))
        registry.approve(registry.propose(wanted, actor=REGISTRAR), actor=REVIEWER)
        self.say("staff", "first", "sun", "--name", "孙丽", "--witness", "wu", "--actor", "he")
        for person, role in (("li", "clerk"), ("zhao", "approver")):
            key = self.place / f"{person}.pem"
            self.say("staff", "add", person, "--name", "某某", "--role", role, "--actor", "sun")
            with redirect_stdout(io.StringIO()):
                assert run(["staff", "new-key", str(key)]) == 0
            self.say("staff", "key", person, str(key.with_suffix(".pub.pem")), "--actor", "sun")

    def say(self, *words: str | Path, expected: int = 0) -> Any:
        printed, trouble = io.StringIO(), io.StringIO()
        with redirect_stdout(printed), redirect_stderr(trouble):
            status = run([*map(str, words), "--home", str(self.directory), "--json", "--lang", "en"])
        assert status == expected, (words, printed.getvalue(), trouble.getvalue())
        return json.loads(printed.getvalue() or trouble.getvalue() or "null")

    def approve(self, change: str) -> Any:
        key = ("--key", self.place / "zhao.pem")
        return self.say("type", "approve", change, *key, "--actor", "zhao")

    def get(self, role: str, path: str) -> tuple[int, Any]:
        return self._http("GET", self.urls[role] + path, None, {})

    def forms(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """As the department."""
        return self._http(method, self.urls["verifier"] + path, body, dict(self.department._authorization()))

    @staticmethod
    def _http(method: str, url: str, body: Any, headers: dict[str, str]) -> tuple[int, Any]:
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(  # noqa: S310 - our own
            url, data, {**headers, "Content-Type": "application/json"}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - the same
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            return refused.code, json.load(refused)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("YINXIN_PASSPHRASE", "correct horse")
        patch.setenv("YINXIN_KEY_PASSPHRASE", "correct horse")
        patch.setenv("YINXIN_WALLET_PASSPHRASE", "正确的电池")
        patch.delenv("YINXIN_HOME", raising=False)
        patch.setattr(sys, "stdin", io.StringIO())
        made = City(tmp_path_factory.mktemp("city"))
        made.prepare()
        with made:
            yield made


def wallet(city: City, *words: str | Path, expected: int = 0) -> Any:
    """The shop's wallet at a command line."""
    printed, trouble = io.StringIO(), io.StringIO()
    store = ("--store", str(city.place / "wallet"))
    with redirect_stdout(printed), redirect_stderr(trouble):
        status = run(["wallet", *map(str, words), *store, "--json", "--lang", "en"])
    assert status == expected, (words, printed.getvalue(), trouble.getvalue())
    return json.loads(printed.getvalue() or "null")


def test_a_type_changes_and_a_form_fills_itself(city: City) -> None:
    food, business = city.issue(7).licence, city.issue(7, kind=BUSINESS).licence
    wallet(city, "create", "--trust", str(city.home.settings.trust_directory))
    offer = city.offer(food)
    wallet(city, "receive", offer.by_reference, "--tx-code", offer.tx_code or "", "--yes", *PRIVATE)

    # The bureau proposes a version, looks at it, and somebody else brings it into force from today.
    today = agency_day(city.home.clock.now())
    file = city.place / "food.toml"
    file.write_bytes(with_email(day=today))
    change = city.say("type", "propose", file, "--actor", "li")["id"]
    picture = city.place / "specimen.png"
    said = city.say("type", "preview", change, "--png", picture, "--actor", "li")
    assert said["new_fields"] == ["email"]
    assert picture.read_bytes()[:4] == b"\x89PNG"
    own = ("--key", city.place / "li.pem", "--actor", "li")
    assert "permitted" in json.dumps(city.say("type", "approve", change, *own, expected=ExitCode.ERROR))
    assert city.get("issuer", f"/types/{FOOD}/2")[0] == 404
    city.approve(change)
    appears(city, f"/types/{FOOD}/2")
    assert city.get("issuer", f"/types/{FOOD}/1")[1]["vct"].endswith(":1")
    rows = city.say("type", "list")
    assert [one["version"] for one in rows if one["type"] == FOOD and one["in_force"]] == [2]

    # The shop's licence of the first version still verifies, and fills the form of its renewal.
    status, form = city.forms("GET", f"/v1/forms/{MATTER}")
    assert (status, form["fields"][0]["from"][0]) == (200, "business-licence.enterprise_name")
    status, asked = city.forms("POST", f"/v1/forms/{MATTER}/consents", {})
    assert status == 200, asked
    place = f"/v1/forms/{MATTER}?consent={asked['consent']}"
    assert city.forms("GET", place)[0] == 409  # the department alone reads nothing
    city.settled()
    wallet(city, "present", asked["link"], "--yes", *PRIVATE)
    status, filled = city.forms("GET", place)
    assert status == 200, filled
    came = {one["name"]: (one["from"] or {}).get("licence") for one in filled["fields"]}
    assert came["operator_name"] == business.identifier
    assert came["business_items"] == food.identifier
    assert filled["to_type"] == ["contact_phone"]
    assert city.forms("GET", place)[0] == 409

    # What is wrong in it goes to its one source.
    way = city.say("correction", "ask", food.identifier, "responsible_person", "--words", "有误")
    assert (way["route"]["type"], way["target"]) == (BUSINESS, business.identifier)
    way = city.say("correction", "route", food.identifier, "business_premises")
    assert not way["local"]

    # A consent that was not used is taken back by its number.
    _, asked = city.forms("POST", f"/v1/forms/{MATTER}/consents", {"fields": ["operator_name"]})
    city.say("form", "revoke", asked["consent"])
    place = f"/v1/forms/{MATTER}?consent={asked['consent']}"
    assert city.forms("GET", place)[0] == 409


def test_an_abolished_type_issues_nothing_new(city: City) -> None:
    why = ("--ground", "《食品安全法》修订", "--document", "津政发〔2026〕9号")
    last = agency_day(city.home.clock.now())
    change = city.say("type", "abolish", BUSINESS, "--last-day", last.isoformat(), *why, "--actor", "li")
    city.approve(change["id"])
    (row,) = [one for one in city.say("type", "list") if one["type"] == BUSINESS]
    assert date.fromisoformat(row["until_day"]) == last
    states = {one["type"]: one["state"] for one in city.say("type", "changes")}
    assert states[BUSINESS] == "approved"


def appears(city: City, path: str, *, within: float = 60.0) -> None:
    """What was approved is seen by the running services, without a restart."""
    patience = time.monotonic() + within
    while city.get("issuer", path)[0] != 200:
        assert time.monotonic() < patience, path
        time.sleep(0.2)
