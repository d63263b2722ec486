"""Wallet and verifier of other makers: the npm package @openid4vc/openid4vp, driven by one script."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from signing.base64url import encode_base64url

if TYPE_CHECKING:
    from signing.signers.file import FileSigner

SCRIPT = Path(__file__).parents[1] / "credentials" / "oid4vp" / "foreign.mjs"
PACKAGES = ("@openid4vc/openid4vp@0.4.6", "@openid4vc/oauth2@0.4.6", "jose")
NEEDED = ("@openid4vc/openid4vp", "@openid4vc/oauth2", "jose")
MODULES = Path(os.environ.get("YINXIN_NODE", Path.home() / ".cache" / "yinxin-npm"))


def foreign(do: str, **task: Any) -> dict[str, Any]:
    """Do one thing with the other makers' library; a skip says what is missing."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node: apt-get install nodejs npm")
    needed = [
        MODULES / "node_modules" / name for name in ("@openid4vc/openid4vp", "@openid4vc/oauth2", "jose")
    ]
    if not all(folder.is_dir() for folder in needed):
        pytest.skip(f"no foreign wallet: npm install --prefix {MODULES} {' '.join(PACKAGES)}")
    text = json.dumps({"do": do, "modules": str(MODULES), **task})
    done = subprocess.run([node, SCRIPT, text], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr[-3000:]
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def private_jwk(signer: FileSigner) -> dict[str, str]:
    """The private key, for the other side to sign with."""
    number = signer._private_key.private_numbers().private_value
    return {**signer.public_key.to_jwk(), "d": encode_base64url(number.to_bytes(32, "big"))}
