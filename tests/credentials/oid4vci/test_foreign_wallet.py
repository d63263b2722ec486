"""A wallet of other makers fetches our licences over loopback: npm's @openid4vc, driven by node."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn
from world.vci import IssuingOffice

from credentials.oid4vci.offers import Flow
from credentials.sd_jwt import SdJwt
from yinxin.app.serve import bind_port
from yinxin.base.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from world.pki import Pki

    from yinxin.base.database import Database

HERE = Path(__file__).parent
PACKAGES = ("@openid4vc/openid4vci@0.4.6", "@openid4vc/oauth2@0.4.6")
MODULES = Path(os.environ.get("YINXIN_NODE", Path.home() / ".cache" / "yinxin-npm"))
CLIENT, REDIRECT = "https://wallet.example", "https://wallet.example/callback"

pytestmark = pytest.mark.peer


@pytest.fixture(scope="module")
def node() -> str:
    found = shutil.which("node")
    if found is None:
        pytest.skip("no node: apt-get install nodejs npm")
    if not (MODULES / "node_modules" / "@openid4vc" / "openid4vci").is_dir():
        pytest.skip(f"no foreign wallet: npm install --prefix {MODULES} {' '.join(PACKAGES)}")
    return found


@pytest.fixture
def served(pki: Pki, database: Database) -> Iterator[IssuingOffice]:
    """Our routes on a real socket, at the real time: the foreign wallet looks at its own clock."""
    listener = bind_port("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    office = IssuingOffice(pki, database, url=url, clock=SystemClock())
    server = uvicorn.Server(uvicorn.Config(office.app, log_level="warning", access_log=False, ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield office
    server.should_exit = True
    thread.join()
    listener.close()


def run(node: str, **task: Any) -> dict[str, Any]:
    wanted = json.dumps({"modules": str(MODULES), "copies": 1, **task})
    done = subprocess.run(
        [node, str(HERE / "foreign_wallet.mjs"), wanted],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def identifiers(office: IssuingOffice, answer: dict[str, Any]) -> set[str]:
    return {SdJwt.parse(one).payload["licence_identifier"] for one in answer["credentials"]}


@pytest.mark.parametrize("by_value", [False, True], ids=["by reference", "by value"])
def test_pre_authorized_with_tx_code_and_dpop(node: str, served: IssuingOffice, by_value: bool) -> None:  # noqa: FBT001 - a case
    offer = served.offer()
    link = offer.by_value if by_value else offer.by_reference
    answer = run(node, flow="pre-authorized", offer=link, txCode=offer.tx_code, dpop=True, copies=3)
    assert answer["tokenType"] == "DPoP"
    assert answer["refreshed"]
    assert len(answer["credentials"]) == 3
    assert identifiers(served, answer) == {served.licence.identifier}


def test_pre_authorized_with_a_bearer_token(node: str, served: IssuingOffice) -> None:
    offer = served.offer()
    answer = run(node, flow="pre-authorized", offer=offer.by_reference, txCode=offer.tx_code, dpop=False)
    assert answer["tokenType"] == "Bearer"
    assert not answer["refreshed"]
    assert identifiers(served, answer) == {served.licence.identifier}


def test_authorization_code_with_par_pkce_and_dpop(node: str, served: IssuingOffice) -> None:
    offer = served.offer(flow=Flow.CODE)
    code = served.server.login_codes.hand_out(served.holder_of(served.licence), actor=served.clerk)
    answer = run(
        node,
        flow="code",
        offer=offer.by_reference,
        loginCode=code,
        clientId=CLIENT,
        redirectUri=REDIRECT,
        copies=2,
    )
    assert answer["tokenType"] == "DPoP"
    assert answer["refreshed"]
    assert identifiers(served, answer) == {served.licence.identifier}
