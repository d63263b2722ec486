"""A holder with npm's libraries, end to end against `yinxin serve`: fetch, verify, show, see a revocation."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from world.served import CALLBACK, GRANTED, TYPE, WALLET, ServedCity

from credentials.oid4vci.offers import Flow

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRIPT = Path(__file__).parent / "npm_holder.mjs"
PACKAGES = (
    "@openid4vc/openid4vci@0.4.6",
    "@openid4vc/openid4vp@0.4.6",
    "@openid4vc/oauth2@0.4.6",
    "@owf/mdoc@0.6.0",
    "@sd-jwt/sd-jwt-vc@0.19.0",
    "jose@6",
)
MODULES = Path(os.environ.get("YINXIN_NODE", Path.home() / ".cache" / "yinxin-npm"))

pytestmark = pytest.mark.peer


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedCity]:
    with ServedCity(tmp_path_factory.mktemp("npm")) as made:
        yield made


def holder(city: ServedCity, **task: Any) -> dict[str, Any]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node: apt-get install nodejs npm")
    names = [package.rpartition("@")[0] for package in PACKAGES]
    if not all((MODULES / "node_modules" / name).is_dir() for name in names):
        pytest.skip(f"no foreign holder: npm install --prefix {MODULES} {' '.join(PACKAGES)}")
    root = city.home.chain("root")[0].to_pem().decode()
    text = json.dumps({"modules": str(MODULES), "root": root, "copies": 1, **task})
    done = subprocess.run([node, SCRIPT, text], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr[-3000:]
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_offer_with_tx_code_batch_and_both_ways_to_answer(city: ServedCity) -> None:
    """Pre-authorised code with tx_code and DPoP, a batch, direct_post, direct_post.jwt with both ciphers."""
    licence = city.issue(1).licence
    offer = city.offer(licence)
    plain = city.ask(encrypted=False)
    encrypted = {enc: city.ask(encrypted=True) for enc in ("A128GCM", "A256GCM")}
    disclose = sorted(GRANTED)
    wishes = [{"link": plain["link"], "disclose": disclose}]
    wishes += [{"link": one["link"], "disclose": disclose, "enc": enc} for enc, one in encrypted.items()]
    city.settled()
    said = holder(city, offer=offer.by_reference, txCode=offer.tx_code, copies=3, show=wishes)
    assert said["tokenType"] == "DPoP"
    assert [one["mode"] for one in said["shown"]] == ["direct_post", "direct_post.jwt", "direct_post.jwt"]
    for one in said["examined"]:
        assert one["typ"] == "dc+sd-jwt"
        assert one["claims"]["licence_identifier"] == licence.identifier
        assert one["claims"]["operator_name"] == licence.claims["operator_name"]
    places = {one["claims"]["status"]["status_list"]["idx"] for one in said["examined"]}
    assert len(places) == 3
    for session in (plain, *encrypted.values()):
        outcome = city.outcome(session["id"])
        assert (outcome["state"], outcome["indication"]) == ("answered", "passed"), outcome
        (result,) = outcome["results"][TYPE]
        assert result["claims"] == {name: licence.claims[name] for name in GRANTED}


def test_authorization_code_with_par_pkce_and_dpop(city: ServedCity) -> None:
    licence = city.issue(3).licence
    said = holder(
        city,
        offer=city.offer(licence, flow=Flow.CODE).by_reference,
        loginCode=city.login_code(licence),
        clientId=WALLET,
        redirectUri=CALLBACK,
        copies=2,
    )
    assert said["tokenType"] == "DPoP"
    assert [one["claims"]["licence_identifier"] for one in said["examined"]] == [licence.identifier] * 2


def test_an_mdoc_is_fetched_verified_and_shown_both_ways(city: ServedCity) -> None:
    """The library makes the DeviceResponse, over a session transcript of its own making."""
    licence = city.issue(5).licence
    offer = city.offer(licence)
    modes = {"direct_post": False, "direct_post.jwt": True}
    sessions = [city.ask(forms=["mdoc"], encrypted=encrypted) for encrypted in modes.values()]
    wishes = [{"link": one["link"], "enc": "A256GCM"} for one in sessions]
    city.settled()
    said = holder(
        city, form="mso_mdoc", offer=offer.by_reference, txCode=offer.tx_code, copies=2, show=wishes
    )
    for one in said["examined"]:
        assert one["claims"]["licence_identifier"] == licence.identifier
        assert one["claims"]["operator_name"] == licence.claims["operator_name"]
    assert [(one["status"], one["mode"]) for one in said["shown"]] == [(200, mode) for mode in modes]
    for session in sessions:
        outcome = city.outcome(session["id"])
        assert (outcome["state"], outcome["indication"]) == ("answered", "passed"), outcome
        (result,) = outcome["results"][TYPE]
        assert result["subject"] == "mdoc"
        assert result["claims"] == {name: licence.claims[name] for name in GRANTED}


def test_an_mdoc_for_another_session_or_of_an_ended_licence_does_not_pass(city: ServedCity) -> None:
    licence = city.issue(6).licence
    offer = city.offer(licence)
    other, late = (city.ask(forms=["mdoc"], encrypted=False) for _ in range(2))
    city.settled()
    strange = {"link": other["link"], "nonce": "of-another-session-0123456789"}
    fetch = {"offer": offer.by_reference, "txCode": offer.tx_code}
    said = holder(city, form="mso_mdoc", **fetch, show=[strange])
    city.end(licence)
    kept = {name: said[name] for name in ("credentials", "keys")}
    holder(city, form="mso_mdoc", **kept, show=[{"link": late["link"]}])
    assert city.outcome(other["id"])["reasons"] == ["key_binding_invalid"]
    outcome = city.outcome(late["id"])
    assert outcome["indication"] == "failed"
    assert "licence_revoked" in outcome["reasons"]


def test_a_revocation_is_seen_by_the_library_and_at_the_counter(city: ServedCity) -> None:
    licence = city.issue(4).licence
    offer = city.offer(licence)
    said = holder(city, offer=offer.by_value, txCode=offer.tx_code)
    assert "claims" in said["examined"][0]
    city.end(licence)
    again = holder(city, credentials=said["credentials"])
    assert again["examined"] == [{"error": "Status is not valid"}]
