"""A verifier of other makers asks our wallet over loopback: npm's @openid4vc and @sd-jwt."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import build_opener

import pytest
from world.foreign import MODULES, private_jwk
from world.receiving import FAST, SECRET
from world.requests import AskingCounter, dcql

from credentials.oid4vp.client_ids import ClientId
from credentials.sd_jwt import chain_header
from signing.trust import TrustStore
from wallet.exchange import fetch, send
from wallet.holder import Holder
from wallet.invitation import Invitation
from wallet.trusted import TrustedParties
from yinxin.base.outbound import Outbound

if TYPE_CHECKING:
    from collections.abc import Iterator

    from world.pki import Pki

pytestmark = pytest.mark.peer
SCRIPT = Path(__file__).parent / "foreign_verifier.mjs"
PACKAGES = ("@openid4vc/openid4vp@0.4.6", "@openid4vc/oauth2@0.4.6", "@sd-jwt/sd-jwt-vc@0.19.0", "jose@6")
WISHES: tuple[dict[str, Any], ...] = (
    {"mode": "direct_post"},
    {"mode": "direct_post", "byPost": True},
    {"mode": "direct_post.jwt", "enc": "A128GCM", "byPost": True},
    {"mode": "direct_post.jwt", "enc": "A256GCM"},
)


@pytest.fixture(scope="module")
def counter(pki: Pki) -> AskingCounter:
    return AskingCounter(pki)


@pytest.fixture(scope="module")
def asking(counter: AskingCounter) -> Iterator[dict[str, Any]]:
    """The foreign verifier, running: its requests, one for each wish and one more."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node: apt-get install nodejs npm")
    needed = ("@openid4vc/openid4vp", "@openid4vc/oauth2", "@sd-jwt/sd-jwt-vc", "jose")
    if not all((MODULES / "node_modules" / name).is_dir() for name in needed):
        pytest.skip(f"no foreign verifier: npm install --prefix {MODULES} {' '.join(PACKAGES)}")
    counter.licence()  # so that there is a status list
    (uri,) = counter.statuses.uris()
    task = {
        "modules": str(MODULES),
        "now": int(counter.clock.now().timestamp()),
        "key": private_jwk(counter.asker),
        "clientId": str(ClientId.of(counter.asker.certificate)),
        "root": counter.pki.root.certificate.to_pem().decode(),
        "statusToken": counter.statuses.token(uri),
        "query": dcql("name", "credit_code"),
        "wishes": [*WISHES, {"mode": "direct_post"}],
        **chain_header(counter.asker.chain),
    }
    running = subprocess.Popen(
        [node, SCRIPT, json.dumps(task)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert running.stdin is not None
    assert running.stdout is not None
    line = running.stdout.readline()
    assert line, "the foreign verifier did not start"
    yield json.loads(line)
    running.stdin.close()
    running.wait(timeout=20)
    running.stdout.close()


@pytest.fixture
def holder(counter: AskingCounter, tmp_path: Path) -> Holder:
    made = Holder.create(tmp_path, SECRET, clock=counter.clock, **FAST)
    made.receive(counter.issue(holder_key=made.new_key()))
    return made


def outcome(asking: dict[str, Any], place: int) -> Any:
    with build_opener().open(f"{asking['base']}/outcomes/session-{place}") as answer:
        return json.loads(answer.read())


@pytest.mark.parametrize("place", range(len(WISHES)), ids=[" ".join(map(str, w.values())) for w in WISHES])
def test_their_verifier_and_their_library_take_our_presentation(
    counter: AskingCounter, asking: dict[str, Any], holder: Holder, place: int
) -> None:
    outbound = Outbound(allowed_private=["127.0.0.0/8"], timeout_seconds=20)
    trusted = trusting(counter, outbound)
    fetched = fetch(Invitation.parse(asking["links"][place], allow_http=True), outbound)
    assert (fetched.wallet_nonce is not None) == bool(WISHES[place].get("byPost"))
    verified = trusted.read_request(
        fetched.text,
        client_id=fetched.client_id,
        now=counter.clock.now(),
        wallet_nonce=fetched.wallet_nonce,
        allow_http=True,
    )
    answering = holder.consider_presentation(verified)
    assert "津城市核验服务" in answering.consent.zh
    onward = send(holder.answer_presentation(answering), outbound, allow_http=True)
    assert onward == f"https://shop.example/done?response_code=session-{place}"
    found = outcome(asking, place)
    assert found["mode"] == WISHES[place]["mode"]
    assert found["method"] == ("POST" if WISHES[place].get("byPost") else "GET")
    if "enc" in WISHES[place]:
        assert found["enc"] == WISHES[place]["enc"]
    assert found["claims"]["name"] == "津城小麦面包坊"
    assert {"address", "street"}.isdisjoint(found["claims"])


def test_their_verifier_hears_our_no(counter: AskingCounter, asking: dict[str, Any], holder: Holder) -> None:
    outbound = Outbound(allowed_private=["127.0.0.0/8"], timeout_seconds=20)
    fetched = fetch(Invitation.parse(asking["links"][-1], allow_http=True), outbound)
    verified = trusting(counter, outbound).read_request(
        fetched.text, client_id=fetched.client_id, now=counter.clock.now(), allow_http=True
    )
    send(holder.decline_presentation(verified), outbound, allow_http=True)
    assert outcome(asking, len(WISHES))["error"] == "access_denied"


def trusting(counter: AskingCounter, outbound: Outbound) -> TrustedParties:
    trust = TrustStore([counter.pki.root.certificate])
    return TrustedParties(trust, outbound, revocation=counter.revocation, clock=counter.clock)
