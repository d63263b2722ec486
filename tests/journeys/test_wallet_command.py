"""A baker at the command line, against `yinxin serve`: offer, receive, present, activity, and errors."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.parse import parse_qsl, urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

import pytest
from world.served import GRANTED, TYPE, ServedCity

from credentials.oid4vci.offers import Flow
from yinxin.app.cli import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from credentials.licence import Licence

PRIVATE = ("--allow-private", "127.0.0.1", "--allow-private", "::1")


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedCity]:
    clients = ("yinxin-cli http://127.0.0.1/done",)
    with ServedCity(tmp_path_factory.mktemp("city"), more={"wallet_clients": clients}) as made:
        yield made


@dataclass
class Terminal:
    """What a person types and reads."""

    store: Path
    patch: pytest.MonkeyPatch
    read: pytest.CaptureFixture[str]
    said: str = ""
    trouble: str = ""

    def __call__(self, command: str, *arguments: str, typed: str = "", language: str = "en") -> int:
        self.patch.setattr(sys, "stdin", io.StringIO(typed))
        status = run(["wallet", command, *arguments, "--store", str(self.store), "--lang", language])
        self.said, self.trouble = self.read.readouterr()
        return status

    def json(self, command: str, *arguments: str) -> Any:
        assert self(command, *arguments, "--json") == 0, self.trouble
        return json.loads(self.said)


@pytest.fixture
def terminal(
    city: ServedCity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Terminal:
    """A terminal with a new wallet that trusts the city's root."""
    monkeypatch.setenv("YINXIN_WALLET_PASSPHRASE", "正确的电池")
    monkeypatch.delenv("YINXIN_HOME", raising=False)
    made = Terminal(tmp_path / "wallet", monkeypatch, capsys)
    trust = str(city.home.settings.trust_directory)
    assert made("create", "--trust", trust) == 0
    return made


def received(city: ServedCity, terminal: Terminal, serial: int, *more: str) -> Licence:
    licence = city.issue(serial).licence
    offer = city.offer(licence)
    code = offer.tx_code or ""
    found = terminal.json("receive", offer.by_reference, "--tx-code", code, "--yes", *more, *PRIVATE)
    assert [one["id"] for one in found["received"]] == [licence.identifier]
    return licence


def test_from_the_offer_to_the_log(city: ServedCity, terminal: Terminal) -> None:
    licence = city.issue(11).licence
    offer = city.offer(licence)
    typed = f"y\n{offer.tx_code}\n"
    assert terminal("receive", offer.by_reference, *PRIVATE, typed=typed) == 0, terminal.trouble
    assert "identity verified" in terminal.trouble
    assert f"You receive: {licence.type_name.en}" in terminal.trouble
    assert "5 copies" in terminal.said
    assert terminal("list", "食品") == 0
    assert "5/5" in terminal.said
    assert terminal("show", licence.identifier, *PRIVATE, language="zh") == 0
    assert "通过" in terminal.said
    assert licence.claims["operator_name"] in terminal.said

    session = city.ask()
    city.settled()
    assert terminal("present", session["link"], *PRIVATE, typed="y\n", language="zh") == 0, terminal.trouble
    for said in ("津城区市场监督管理局窗口", "将出示（食品经营许可证）", "不会出示", session["match_code"]):
        assert said in terminal.trouble
    outcome = city.outcome(session["id"])
    assert (outcome["state"], outcome["indication"]) == ("answered", "passed")
    assert outcome["results"][TYPE][0]["claims"] == {name: licence.claims[name] for name in GRANTED}

    lines = terminal.json("activity")["entries"]
    assert [one["kind"] for one in lines] == ["received", "shown"]
    assert lines[1]["matter"] == "food-licence-renewal"
    assert "operator_name" in lines[1]["claims"]
    assert terminal("activity") == 0
    assert (
        "Jincheng market regulation counter" in terminal.said.replace("\n", " ") or "shown" in terminal.said
    )
    assert terminal.json("list")["licences"][0]["unused"] == 4


def test_a_licence_came_in_two_forms_and_is_shown_in_either(city: ServedCity, terminal: Terminal) -> None:
    licence = received(city, terminal, 18)
    city.settled()
    for forms, subject in ((["mdoc"], "mdoc"), (["mdoc", "sd-jwt-vc"], "mdoc"), (["sd-jwt-vc"], "sd-jwt-vc")):
        session = city.ask(forms=forms)
        assert terminal("present", session["link"], "--yes", *PRIVATE) == 0, terminal.trouble
        outcome = city.outcome(session["id"])
        assert (outcome["state"], outcome["indication"]) == ("answered", "passed")
        (result,) = outcome["results"][TYPE]
        assert result["subject"] == subject
        assert result["claims"] == {name: licence.claims[name] for name in GRANTED}
    (held,) = terminal.json("list")["licences"]
    assert held["unused"] == 3, "two mdocs were shown"


def test_signing_in_at_the_issuer_with_a_browser_beside(city: ServedCity, terminal: Terminal) -> None:
    licence = city.issue(17).licence
    offer = city.offer(licence, flow=Flow.CODE)
    code = city.login_code(licence)

    class Person(io.StringIO):
        """Says yes, opens the address that is printed, signs in there, and brings back where that ends."""

        answers = 0

        def readline(self, *_: Any) -> str:
            self.answers += 1
            if self.answers == 1:
                return "y\n"
            url = next(one for one in terminal.read.readouterr().err.split() if one.startswith("http"))
            return browse(url, code) + "\n"

    terminal.patch.setattr(sys, "stdin", Person())
    arguments = ("receive", offer.by_reference, "--client-id", "yinxin-cli", *PRIVATE)
    assert run(["wallet", *arguments, "--store", str(terminal.store), "--lang", "en"]) == 0
    assert licence.identifier in terminal.read.readouterr().out


def browse(url: str, code: str) -> str:
    """The holder agrees on the issuer's page; where the browser is sent."""

    class Stay(HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            return None

    place, _, query = url.partition("?")
    said = {**dict(parse_qsl(query)), "login_code": code, "decision": "approve"}
    request = Request(place, urlencode(said).encode(), {"Origin": place.rpartition("/oid4vci")[0]})  # noqa: S310 - our own
    with pytest.raises(HTTPError) as moved:
        build_opener(Stay).open(request)
    with moved.value as answer:
        return str(answer.headers["location"])


def test_nothing_is_shared_or_received_without_a_yes(city: ServedCity, terminal: Terminal) -> None:
    offer = city.offer(city.issue(12).licence)
    for typed in ("n\n", "\n", ""):
        assert terminal("receive", offer.by_reference, *PRIVATE, typed=typed) == 4
    assert terminal.json("list")["licences"] == []
    assert terminal("receive", offer.by_reference, *PRIVATE, typed=f"y\n{offer.tx_code}\n") == 0

    session = city.ask()
    assert terminal("present", session["link"], *PRIVATE, typed="n\n") == 4
    assert "nothing was shown" in terminal.trouble
    assert city.outcome(session["id"])["state"] == "declined"
    silent = city.ask()
    assert terminal("present", silent["link"], *PRIVATE, "--json", typed="") == 4, (
        "nobody is there to say yes"
    )
    assert city.outcome(silent["id"])["state"] in {"open", "fetched"}
    assert "Who asks" in terminal.trouble
    kinds = [one["kind"] for one in terminal.json("activity")["entries"]]
    assert kinds == ["received", "refused"]


def test_copies_are_used_once_and_then_the_holder_is_asked(city: ServedCity, terminal: Terminal) -> None:
    licence = received(city, terminal, 13, "--copies", "1")
    city.settled()
    first = city.ask()
    assert terminal("present", first["link"], "--yes", *PRIVATE) == 0, terminal.trouble
    again = city.ask()
    assert terminal("present", again["link"], *PRIVATE, typed="n\nn\n") == 4
    assert "Every copy was shown before" in terminal.trouble
    assert "no unused copy is left" in terminal.trouble
    third = city.ask()
    city.settled()
    assert terminal("present", third["link"], *PRIVATE, typed="y\ny\n") == 0, terminal.trouble
    assert "no unused copy is left" not in terminal.trouble
    (held,) = terminal.json("list")["licences"]
    assert (held["copies"], held["unused"]) == (5, 4), "the used one went, five came, one was shown"
    assert terminal.json("refresh", licence.identifier, *PRIVATE)["unused"] == 9


def test_a_revoked_licence_is_seen_and_removed(city: ServedCity, terminal: Terminal) -> None:
    licence = received(city, terminal, 14)
    city.end(licence)
    assert terminal("show", licence.number, *PRIVATE, language="zh") == 0
    assert "不通过" in terminal.said
    assert terminal("show", licence.number, "--offline") == 0
    assert terminal("present", city.ask()["link"], *PRIVATE, typed="n\n", language="zh") == 4
    assert "注意：食品经营许可证：" in terminal.trouble
    assert terminal("refresh", licence.number, *PRIVATE) == 4
    assert "credential_request_denied" in terminal.trouble
    assert "Ask the authority" in terminal.trouble
    assert terminal("remove", licence.identifier, typed="n\n") == 4
    assert terminal("remove", licence.identifier, typed="y\n") == 0
    assert terminal.json("list")["licences"] == []


def test_each_error_says_what_to_do(
    city: ServedCity, terminal: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    offer = city.offer(city.issue(15).licence)
    assert terminal("receive", "openid-credential-offer://?x", "--yes", language="zh") == 4
    assert "请向发证机关索取新的领取链接" in terminal.trouble
    assert terminal("receive", offer.by_reference, "--yes") == 4
    assert "--allow-private" in terminal.trouble
    wrong = "000000" if offer.tx_code != "000000" else "111111"
    assert terminal("receive", offer.by_reference, "--yes", "--tx-code", wrong, *PRIVATE) == 4
    assert "Check the code" in terminal.trouble
    assert terminal("receive", offer.by_reference, "--yes", "--tx-code", "12", *PRIVATE) == 2
    assert "6 characters" in terminal.trouble
    assert terminal("present", "openid4vp://?client_id=x", *PRIVATE) == 4
    assert "Do not go on" in terminal.trouble
    assert terminal("present", city.ask()["link"], *PRIVATE, "--yes") == 4
    assert "nothing that satisfies the request" in terminal.trouble
    assert terminal("show", "no such", "--offline") == 4
    assert "yinxin wallet list" in terminal.trouble
    assert terminal("create") == 2
    monkeypatch.setenv("YINXIN_WALLET_PASSPHRASE", "wrong")
    assert terminal("list") == 4
    assert "passphrase" in terminal.trouble
    monkeypatch.setenv("YINXIN_WALLET_PASSPHRASE", "another")
    lonely = Terminal(tmp_path / "lonely", monkeypatch, terminal.read)
    assert lonely("create") == 0
    assert "trusts nobody yet" in lonely.said
    assert lonely("receive", offer.by_reference, "--yes", *PRIVATE) == 4
    assert "yinxin trust add" in lonely.trouble


def test_in_a_home_the_wallet_borrows_what_it_has_not(
    city: ServedCity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("YINXIN_WALLET_PASSPHRASE", "电池")
    mine = Terminal(tmp_path / "mine", monkeypatch, capsys)
    home = ("--home", str(city.directory))
    assert mine("create", *home) == 0
    licence = city.issue(16).licence
    offer = city.offer(licence)
    assert mine("receive", offer.by_value, "--tx-code", offer.tx_code or "", "--yes", *home) == 0, (
        mine.trouble
    )


def test_it_runs_as_a_program_of_its_own(terminal: Terminal) -> None:
    """A fresh process, as a shell starts it: the store opens with the variable's passphrase."""
    command = [sys.executable, "-c", "from yinxin.app.cli import main; main()", "wallet", "list", "--json"]
    done = subprocess.run(
        [*command, "--store", str(terminal.store)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"licences": []}
