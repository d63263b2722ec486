"""An issuer of other makers gives our wallet licences over loopback: npm's @openid4vc and @sd-jwt."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, build_opener

import pytest
from world.foreign import private_jwk
from world.receiving import FAST, SECRET, evidence

from credentials.sd_jwt import chain_header
from signing.trust import TrustStore
from wallet.holder import Holder
from wallet.receiving import DeliveryRefused, IssuerRefused, Receiving
from wallet.trusted import TrustedParties
from yinxin.base.clock import SystemClock
from yinxin.base.outbound import Outbound

if TYPE_CHECKING:
    from collections.abc import Iterator

    from world.pki import Pki

pytestmark = pytest.mark.peer
SCRIPT = Path(__file__).parent / "foreign_issuer.mjs"
MODULES = Path(os.environ.get("YINXIN_NODE", Path.home() / ".cache" / "yinxin-npm"))
PACKAGES = ("@openid4vc/openid4vci@0.4.6", "@openid4vc/oauth2@0.4.6", "@sd-jwt/sd-jwt-vc@0.19.0")
VCT = "urn:elsewhere:food:1"
REDIRECT = "http://127.0.0.1/done"


@pytest.fixture(scope="module")
def node() -> str:
    found = shutil.which("node")
    if found is None:
        pytest.skip("no node: apt-get install nodejs npm")
    needed = ("@openid4vc/openid4vci", "@openid4vc/oauth2", "@sd-jwt/sd-jwt-vc")
    if not all((MODULES / "node_modules" / name).is_dir() for name in needed):
        pytest.skip(f"no foreign issuer: npm install --prefix {MODULES} {' '.join(PACKAGES)}")
    return found


@pytest.fixture
def issuer(node: str, pki: Pki) -> Iterator[dict[str, str]]:
    """The foreign issuer, running; where it is, and its offers."""
    signer = pki.signer("credential", "外地机关")
    task = {
        "modules": str(MODULES),
        "vct": VCT,
        "key": private_jwk(signer),
        **chain_header(signer.chain),
    }
    running = subprocess.Popen(
        [node, SCRIPT, json.dumps(task)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert running.stdin is not None
    assert running.stdout is not None
    line = running.stdout.readline()
    assert line, "the foreign issuer did not start"
    yield json.loads(line)
    running.stdin.close()
    running.wait(timeout=20)
    running.stdout.close()


@pytest.fixture
def receiving(issuer: dict[str, str], pki: Pki, tmp_path: Path) -> Receiving:
    clock = SystemClock()
    outbound = Outbound(allowed_private=[issuer["base"].removeprefix("http://")], timeout_seconds=20)
    trusted = TrustedParties(
        TrustStore([pki.root.certificate]), outbound, revocation=evidence(pki, clock.now()), clock=clock
    )
    holder = Holder.create(tmp_path, SECRET, clock=clock, **FAST)
    return Receiving(holder, outbound, trusted=trusted, client_id="our-wallet", clock=clock, allow_http=True)


def seen(issuer: dict[str, str]) -> Any:
    with build_opener().open(issuer["base"] + "/events") as answer:
        return json.loads(answer.read())


class _Stay(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def browse(url: str) -> str:
    """A browser goes there, the holder agrees at once; where it is sent."""
    with pytest.raises(HTTPError) as moved:
        build_opener(_Stay).open(url)
    with moved.value as answer:
        return str(answer.headers["location"])


def test_pre_authorized_with_tx_code_dpop_and_a_batch(issuer: dict[str, str], receiving: Receiving) -> None:
    considered = receiving.consider(issuer["counter"])
    assert considered.types[0].name.zh == "食品证"
    assert considered.issuer_name.en == "Elsewhere Office"
    assert not considered.is_verified
    with pytest.raises(IssuerRefused):
        receiving.accept(considered, tx_code="0000")
    (held,) = receiving.accept(considered, tx_code=issuer["txCode"])
    assert (held.copies, held.vct, held.claims["name"]) == (3, VCT, "外地小店")
    assert held.can_refresh
    fresh = receiving.refresh(held.id, copies=2)
    assert (fresh.id, fresh.copies) == (held.id, 5)
    receiving.refresh(held.id, copies=1)
    assert seen(issuer) == {"events": ["credential_accepted"] * 3, "refreshed": 2}


def test_the_code_flow_with_par_pkce_and_dpop(issuer: dict[str, str], receiving: Receiving) -> None:
    considered = receiving.consider(issuer["signIn"])
    assert considered.needs_sign_in
    back = browse(receiving.begin_authorization(considered, redirect_uri=REDIRECT))
    assert back.startswith(REDIRECT)
    (held,) = receiving.finish_authorization(back)
    assert held.claims["city"] == "外地"
    assert receiving.refresh(held.id)


def test_their_licence_is_kept_only_from_who_is_trusted(
    issuer: dict[str, str], pki: Pki, tmp_path: Path
) -> None:
    clock = SystemClock()
    outbound = Outbound(allowed_private=["127.0.0.0/8"], timeout_seconds=20)
    holder = Holder.create(tmp_path, SECRET, clock=clock, **FAST)
    nobody = TrustedParties(TrustStore([]), outbound, clock=clock)
    receiving = Receiving(holder, outbound, trusted=nobody, clock=clock, allow_http=True)
    with pytest.raises(DeliveryRefused):
        receiving.accept(receiving.consider(issuer["counter"]), tx_code=issuer["txCode"])
    assert holder.licences() == []
    assert seen(issuer)["events"] == ["credential_failure"]
