"""A company's agent at a window: appointed, accepted, verified, recalled while a code is open.

By `yinxin wallet`, `yinxin delegation` and HTTP only, against a served city.
"""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
from world.served import CLERK, COUNTER, MATTER, PURPOSE, REGISTRAR, REVIEWER, ServedCity

from credentials import samples
from verify_api.departments import Department, Grant
from yinxin.app import wiring
from yinxin.app.cli import run
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUSINESS, FOOD = "business-licence", "food-business-licence"
FIELDS = {BUSINESS: frozenset({"enterprise_name", "credit_code"}), FOOD: frozenset({"operator_name"})}
PRIVATE = ("--allow-private", "127.0.0.1", "--allow-private", "::1")
WISH = {"types": [BUSINESS], "agents": True}


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedCity]:
    made = ServedCity(tmp_path_factory.mktemp("city"))
    registry = wiring.departments(made.home)
    name = Text("津城区市场监督管理局窗口", "Jincheng market regulation counter")
    grant = Grant(PURPOSE, MATTER, FIELDS)
    wanted = Department(COUNTER, name, samples.credit_code(901), (made.key.public_key,), (grant,))
    registry.approve(registry.propose(wanted, actor=REGISTRAR), actor=REVIEWER)
    with made:
        yield made


class Person:
    """Somebody with a wallet at a command line."""

    def __init__(self, name: str, city: ServedCity, folder: Path, read: pytest.CaptureFixture[str]) -> None:
        self.name, self.store, self.city, self._read = name, folder / name, city, read
        self("wallet", "create", "--trust", str(city.home.settings.trust_directory))

    def __call__(self, *words: str, expected: int = 0) -> Any:
        status = run([*words, "--store", str(self.store), "--json", "--lang", "en"])
        said, trouble = self._read.readouterr()
        assert status == expected, (words, said, trouble)
        return json.loads(said or "null") if status == 0 else said + trouble

    def delegation(self, verb: str, *words: str, expected: int = 0) -> Any:
        issuer = ("--issuer", self.city.urls["issuer"])
        return self("delegation", verb, *words, *issuer, *PRIVATE, expected=expected)

    @property
    def card(self) -> str:
        return str(self.delegation("card", self.name)["card"])


def test_an_agent_comes_for_the_company(
    city: ServedCity,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("YINXIN_WALLET_PASSPHRASE", "正确的电池")
    monkeypatch.delenv("YINXIN_HOME", raising=False)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    claims = samples.application(BUSINESS, 1)
    company = wiring.issuer(city.home).issue(BUSINESS, claims, holder=None, actor=CLERK).licence
    boss = Person(claims["legal_representative"], city, tmp_path, capsys)
    admin = Person("王晓梅", city, tmp_path, capsys)
    agent = Person("李明华", city, tmp_path, capsys)
    offer = city.offer(company)
    boss("wallet", "receive", offer.by_reference, "--tx-code", offer.tx_code or "", "--yes", *PRIVATE)

    # The representative appoints an administrator, who appoints the agent: for one matter and one licence.
    wide = ("--matter", "*", "--type", BUSINESS, "--type", FOOD)
    above = boss.delegation("give", admin.card, "--as", "administrator", *wide, "--days", "60", "--yes")["id"]
    admin.delegation("accept", above, "--yes")
    narrow = ("--matter", MATTER, "--type", BUSINESS, "--under", above, "--yes")
    below = admin.delegation("give", agent.card, *narrow)["id"]

    # Nothing works before the agent has accepted; then the licence comes with the delegation.
    assert "waiting to be accepted" in agent.delegation("fetch", below, expected=4)
    taken = agent.delegation("accept", below, "--yes")
    assert [one["type"] for one in taken["licences"]] == [BUSINESS]
    assert len(agent("wallet", "list")["licences"]) == 2

    # At the window.
    city.settled()
    session = city.ask(**WISH)
    agent("wallet", "present", session["link"], "--yes", *PRIVATE)
    outcome = city.outcome(session["id"])
    assert outcome["indication"] == "passed", outcome
    (result,) = outcome["results"][BUSINESS]
    assert result["acting"]["text"]["zh"] == f"李明华代表{company.holder_name}，依据委托书 {below}"
    assert result["claims"]["credit_code"] == company.holder_code

    # The company sees where its agent was; nobody else does.
    (use,) = boss.delegation("uses")["uses"]
    assert (use["delegation"], use["department"], use["matter"]) == (below, COUNTER, MATTER)
    assert company.holder_code not in json.dumps(use)

    # A code is open when the representative recalls the administrator: the agent's answer is refused at once.
    session = city.ask(**WISH)
    ended = boss.delegation("recall", above, "--ground", "岗位调整", "--yes")["ended"]
    assert {one["id"] for one in ended} == {above, below}
    agent("wallet", "present", session["link"], "--yes", *PRIVATE, expected=4)
    outcome = city.outcome(session["id"])
    assert outcome["indication"] == "failed"
    assert "delegation_recalled" in outcome["reasons"]
    assert outcome["results"][BUSINESS][0]["claims"] == {}
    assert "recalled" in agent.delegation("fetch", below, expected=4)
    states = {one["id"]: one["state"] for one in boss.delegation("list")["given"]}
    assert states == {above: "recalled", below: "recalled"}
