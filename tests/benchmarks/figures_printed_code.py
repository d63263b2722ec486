"""Print how fast printed codes, COSE and CBOR are here, in one thread, beside one signature check and cbor2.

Run `python tests/benchmarks/figures_printed_code.py`. The device response of ISO 18013-5, annex D, is read
where the published vectors are at hand; cbor2 reads it leniently, ours strictly.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import cbor2

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.rounds import measure
from world.printed import CATALOGUE, Paper, sample_licence

from credentials.face.qr_code import draw_code
from credentials.printed_code import read
from signing import cbor
from signing.cose import Sign1, sign1

VECTORS = Path(os.environ.get("YINXIN_VECTORS", Path(__file__).parents[3] / "shared" / "vectors"))
TAGS = frozenset({0, 24, 1004})


def main() -> None:
    """All figures."""
    paper = Paper()
    licence = sample_licence("food-business-licence")
    text, verifier, key = paper.code(licence), paper.verifier(), paper.signer.public_key
    message = Sign1.parse(sign1(bytes(240), paper.signer))
    signature = paper.signer.sign(bytes(300))
    for kind in CATALOGUE:
        found = paper.code(sample_licence(kind.code))
        print(f"{kind.code:<32}{len(found):>5} characters")  # noqa: T201 - figures
    rows = {
        "one ES256 signature check": lambda: key.verify(signature, bytes(300)),
        "COSE_Sign1: check": lambda: message.is_signed_by(key),
        "COSE_Sign1: make": lambda: sign1(bytes(240), paper.signer),
        "printed code: read": lambda: read(text),
        "printed code: verify, path remembered": lambda: verifier.verify(text, now=paper.now),
        "printed code: verify, new verifier": lambda: paper.verify(text),
        "printed code: make": lambda: paper.code(licence),
        "printed code: draw": lambda: draw_code(text),
    }
    file = VECTORS / "mdoc" / "iso18013-5-annex-d.json"
    if file.is_file():
        data = bytes.fromhex(json.loads(file.read_text("utf-8"))["ISO_18013_5_ANNEX_D_DEVICE_RESPONSE"])
        value = cbor.decode(data, tags=TAGS)
        rows |= {
            f"CBOR, {len(data)} bytes of a mobile licence: ours": lambda: cbor.decode(data, tags=TAGS),
            "CBOR, the same: cbor2": lambda: cbor2.loads(data),
            "CBOR, written: ours": lambda: cbor.encode(value),
        }
    measure(rows, beside="one ES256 signature check", rounds=8)


if __name__ == "__main__":
    main()
