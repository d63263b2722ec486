"""`yinxin staff`: two people enter the first registrar, who keeps the others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from world.access import EIGHT, AccessWorld
from world.homes import make_home
from world.passkeys import register

from credentials import samples
from yinxin.app import sign_in
from yinxin.app.ceremony import Plan
from yinxin.app.cli import run
from yinxin.app.console import ExitCode
from yinxin.app.home import Home
from yinxin.base.clock import SystemClock

if TYPE_CHECKING:
    from pathlib import Path

AGENCY = samples.AGENCY.credit_code


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    plan = Plan(samples.AGENCY.name.zh, samples.AGENCY.name.en, AGENCY)
    make_home(folder, plan, clock=SystemClock()).database.close()
    return folder


class Terminal:
    def __init__(self, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.place, self._capsys = place, capsys

    def __call__(self, *words: str, status: int = 0) -> Any:
        found = run(["--json", "staff", *words, "--home", str(self.place)])
        said = self._capsys.readouterr()
        assert found == status, said
        return json.loads(said.out) if status == 0 else said.err + said.out


@pytest.fixture
def staff(place: Path, capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(place, capsys)


def test_a_directory_from_its_first_registrar_on(staff: Terminal, place: Path) -> None:
    first = ("first", "ren", "--name", "任", "--actor", "ren")
    staff(*first, "--witness", "ren", status=ExitCode.ERROR)
    made = staff(*first, "--witness", "bo")
    assert made["roles"] == ["registrar"]
    assert made["organisation"] == AGENCY
    staff("first", "second", "--name", "x", "--actor", "a", "--witness", "b", status=ExitCode.ERROR)
    clerk = staff("add", "clerk-17", "--name", "王", "--role", "clerk", "--actor", "ren")
    staff("add", "clerk-18", "--name", "李", "--role", "clerk", "--actor", "clerk-17", status=ExitCode.ERROR)
    staff("add", "clerk-18", "--name", "李", "--role", "clerk", "--actor", "stranger", status=ExitCode.ERROR)
    staff("roles", "ren", "--role", "clerk", "--actor", "ren", status=ExitCode.ERROR)
    changed = staff("roles", "clerk-17", "--role", "clerk", "--role", "inspector", "--actor", "REN")
    assert changed["roles"] == ["clerk", "inspector"]
    again = staff("enrol", "clerk-17", "--actor", "ren")
    assert again["code"] != clerk["code"]
    assert [one["identifier"] for one in staff("list", "--actor", "ren")] == ["clerk-17", "ren"]
    home = Home.open(place)
    counter = AccessWorld(home.database, clock=SystemClock())
    assert register(counter.browser(), counter.device(), code=clerk["code"]).status_code == 401
    assert register(counter.browser(), counter.device(), code=again["code"]).status_code == 200
    staff("deactivate", "clerk-17", "--actor", "ren")
    assert [one["active"] for one in staff("list", "--actor", "ren")] == [False, True]
    home.database.close()


def test_a_department_has_its_own_first_registrar(staff: Terminal) -> None:
    made = staff(
        *("first", "fang", "--name", "方", "--organisation", EIGHT, "--actor", "a", "--witness", "b")
    )
    assert made["organisation"] == EIGHT
    staff("add", "window-1", "--name", "窗口", "--role", "clerk", "--actor", "fang")
    assert [one["identifier"] for one in staff("list", "--actor", "fang")] == ["fang", "window-1"]
    staff("first", "ren", "--name", "任", "--actor", "a", "--witness", "b")
    staff("deactivate", "ren", "--actor", "fang", status=ExitCode.ERROR)


def test_the_platform_is_told_our_key_and_identities_are_joined(staff: Terminal, place: Path) -> None:
    with (place / "yinxin.toml").open("a") as settings:
        settings.write('openid_issuer = "https://id.city.example"\nopenid_client_id = "yinxin"\n')
    facts = staff("platform")
    assert facts == staff("platform"), "the key is made once"
    assert facts["redirect_uri"].endswith("/sign-in/openid/callback")
    assert facts["authentication"] == "private_key_jwt"
    (key,) = json.loads(facts["jwks"])["keys"]
    assert "d" not in key
    assert sign_in.openid_provider(Home.open(place)) is not None
    staff("first", "fang", "--name", "方", "--actor", "a", "--witness", "b")
    for clerk in ("window-1", "window-2"):
        staff("add", clerk, "--name", "窗口", "--role", "clerk", "--actor", "fang")
    assert staff("link", "window-2", "u-17", "--actor", "fang")["issuer"] == "https://id.city.example"
    staff("link", "window-1", "u-17", "--actor", "fang", status=ExitCode.ERROR)
