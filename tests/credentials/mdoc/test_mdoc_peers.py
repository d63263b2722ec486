"""The npm package @owf/mdoc verifies what we make, and we what it makes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from world.credentials import COUNTER, NONCE
from world.foreign import private_jwk
from world.mdocs import DOC_TYPE, ELEMENTS, NAMESPACE, TRANSCRIPT, MdocForger, MdocWorld
from world.pki import NOON

from signing.reasons import Reason
from signing.signers.file import FileSigner

if TYPE_CHECKING:
    from world.pki import Pki

pytestmark = pytest.mark.peer
PACKAGE = "@owf/mdoc"
MODULES = Path(os.environ.get("YINXIN_NODE", Path.home() / ".cache" / "yinxin-npm"))
SCRIPT = Path(__file__).with_name("owf.mjs")


@pytest.fixture(scope="module")
def world(pki: Pki) -> MdocWorld:
    return MdocWorld(pki)


def owf(do: str, **task: Any) -> dict[str, Any]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node: apt-get install nodejs npm")
    if not (MODULES / "node_modules" / PACKAGE).is_dir():
        pytest.skip(f"no peer: npm install --prefix {MODULES} {PACKAGE}")
    text = json.dumps({"do": do, "modules": str(MODULES), "now": NOON.isoformat(), **task})
    done = subprocess.run([node, SCRIPT, text], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr[-3000:]
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def said_by_them(world: MdocWorld, response: bytes) -> list[str]:
    root = world.pki.root.certificate.der.hex()
    answer = owf("verify", response=response.hex(), transcript=TRANSCRIPT.hex(), root=root)
    found: list[str] = answer["failed"]
    return found


def test_they_verify_what_we_show(world: MdocWorld) -> None:
    assert said_by_them(world, world.show(None, *ELEMENTS)) == []


def test_they_too_refuse_a_changed_element(world: MdocWorld) -> None:
    forger = MdocForger(world)
    forger.items[0]["elementValue"] = "银行"
    forger.rewrite_items()
    assert said_by_them(world, forger.bytes()) != []


def test_we_verify_what_they_show(world: MdocWorld) -> None:
    holder = FileSigner.generate()
    chain = [one.der.hex() for one in world.signer.chain if not one.is_self_issued]
    answer = owf(
        "present",
        docType=DOC_TYPE,
        namespace=NAMESPACE,
        elements={"name": "津城小麦面包坊", "storeys": 2, "scopes": ["糕点", "饮品"]},
        wanted={"name": False, "scopes": False},
        issuerKey=private_jwk(world.signer),
        holderKey={**private_jwk(holder), "alg": "ES256"},
        holderPublic=holder.public_key.to_jwk(),
        chain=chain,
        clientId=f"x509_san_dns:{COUNTER}",
        nonce=NONCE,
        responseUri=COUNTER,
    )
    assert answer["transcript"] == TRANSCRIPT.hex()
    response = bytes.fromhex(answer["response"])
    shown = world.look_at(response).require()
    assert shown.elements == {NAMESPACE: {"name": "津城小麦面包坊", "scopes": ["糕点", "饮品"]}}
    assert shown.holder_key == holder.public_key
    assert world.look_at(response, transcript=TRANSCRIPT[:-1] + b"\0").reasons == {Reason.KEY_BINDING_INVALID}
