"""`yinxin licence offer` at the counter, and the wallet that takes it from `yinxin serve --role issuer`."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from world.asgi import Client
from world.homes import make_home

from ca.tsa import TimestampAuthority
from credentials import samples
from yinxin.app import wiring
from yinxin.app.ceremony import Plan
from yinxin.app.cli import run
from yinxin.base.actor import staff
from yinxin.base.clock import SystemClock

if TYPE_CHECKING:
    from pathlib import Path

    from yinxin.app.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    plan = Plan(samples.AGENCY.name.zh, samples.AGENCY.name.en, samples.AGENCY.credit_code)
    return make_home(tmp_path / "home", plan, clock=SystemClock())


def test_an_offer_made_on_the_command_line_is_served(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = SystemClock()
    licence = (
        wiring.issuer(home, timestamper=TimestampAuthority(home.signer("timestamp"), clock, home.database))
        .issue(
            "food-business-licence",
            samples.application("food-business-licence", 1),
            holder=None,
            actor=staff("clerk", agency=samples.AGENCY.credit_code),
        )
        .licence
    )
    arguments = ["--json", "licence", "offer", licence.identifier, "--evidence", "窗口〔2026〕118号"]
    assert run([*arguments, "--home", str(tmp_path / "home"), "--actor", "clerk"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["link"].startswith("openid-credential-offer://?credential_offer_uri=")
    assert len(made["code"]) == 6
    with ExitStack() as closing:
        client = Client(wiring.issuer_app(home, wiring.Stage(closing)))
        document = client.get(made["page"].removesuffix("/page")).json()
        assert document["credential_issuer"] == home.settings.base_url
        assert client.get(made["page"]).status_code == 200
        signed = client.get("/.well-known/openid-credential-issuer", headers={"Accept": "application/jwt"})
        assert signed.headers["content-type"] == "application/jwt"
    home.database.close()


def test_the_code_flow_needs_registered_wallets(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = str(tmp_path / "home")
    stamps = TimestampAuthority(home.signer("timestamp"), SystemClock(), home.database)
    claims = samples.application("food-business-licence", 1)
    issuer = wiring.issuer(home, timestamper=stamps)
    licence = issuer.issue(
        "food-business-licence", claims, holder=None, actor=staff("clerk", agency=samples.AGENCY.credit_code)
    ).licence
    arguments = ["licence", "offer", licence.identifier, "--evidence", "1", "--sign-in", "--home", place]
    assert run([*arguments, "--json"]) == 2
    monkeypatch.setenv("YINXIN_WALLET_CLIENTS", "app org.wallet.app:/cb")
    assert run([*arguments, "--lang", "en"]) == 0
    said = capsys.readouterr().out
    assert "openid-credential-offer://" in said
    assert "tell the holder apart from the link" in said
    home.database.close()
