"""What issuing, showing and verifying an mdoc of ten elements costs, beside the PyPI package `pymdoccbor`.

    uv pip install pymdoccbor
    python tests/benchmarks/figures_mdoc.py

One thread. Ours checks the path with revocation lists, times and the device's signature; the peer checks the
issuer's signature and digests alone. Without the peer its rows are left out.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

import cbor2
from benchmarks.rounds import measure
from world.mdocs import DOC_TYPE, NAMESPACE, TRANSCRIPT, VALID, MdocWorld

from credentials.mdoc import issue_mdoc, present_mdoc
from yinxin.base.randomness import SystemRandomness

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric import ec

ELEMENTS = {f"element_{number}": f"the value of element {number}" for number in range(10)}
FLOOR = "two raw ES256 verifications"


def peer_rows(world: MdocWorld) -> dict[str, Callable[[], object]]:
    """The same work by the peer, where it is installed."""
    try:
        from pymdoccbor.mdoc.issuer import MdocCborIssuer  # noqa: PLC0415 - it may be missing
        from pymdoccbor.mdoc.verifier import MdocCbor  # noqa: PLC0415 - the same
    except ImportError:
        print("no peer: uv pip install pymdoccbor")  # noqa: T201 - figures
        return {}
    logging.disable(logging.WARNING)  # it warns with every call, which would cost it a tenth
    private: ec.EllipticCurvePrivateKey = world.signer._private_key
    number = private.private_numbers().private_value.to_bytes(32, "big")
    key = {"KTY": "EC2", "CURVE": "P_256", "ALG": "ES256", "D": number, "KID": b"agency"}
    chain = [one.der for one in world.signer.chain if not one.is_self_issued]

    def issue() -> Any:
        issuer = MdocCborIssuer(private_key=key, alg="ES256")
        issuer.new(
            data={NAMESPACE: ELEMENTS},
            doctype=DOC_TYPE,
            validity={"issuance_date": "2026-11-20", "expiry_date": "2027-05-19"},
            x509_chain=chain,
        )
        return cbor2.dumps(issuer.signed).hex()

    made = issue()

    def verify() -> None:
        read = MdocCbor()
        read.loads(made)
        assert read.verify()

    verify()
    return {"pymdoccbor: issued": issue, "pymdoccbor: verified": verify}


def main() -> None:
    """All figures."""
    world = MdocWorld()
    world.randomness = SystemRandomness()  # type: ignore[assignment] # as in service

    def issue() -> bytes:
        return issue_mdoc(
            DOC_TYPE,
            {NAMESPACE: ELEMENTS},
            signer=world.signer,
            holder_key=world.baker.public_key,
            valid=VALID,
        )

    issued = issue()

    def show(count: int) -> bytes:
        chosen = {NAMESPACE: [f"element_{number}" for number in range(count)]}
        return present_mdoc(issued, disclose=chosen, holder=world.baker, transcript=TRANSCRIPT)

    three, ten = show(3), show(10)
    counter = world.mdoc_counter()
    for response in (three, ten):
        counter.verify(response, transcript=TRANSCRIPT).require()
    message, key = b"a message", world.baker.public_key
    signature = world.baker.sign(message)

    def floor() -> None:
        key.verify(signature, message)
        key.verify(signature, message)

    measure(
        {
            FLOOR: floor,
            "issued, ten elements": issue,
            "shown, three of ten": lambda: show(3),
            "verified, three of ten": lambda: counter.verify(three, transcript=TRANSCRIPT),
            "verified, all ten": lambda: counter.verify(ten, transcript=TRANSCRIPT),
            "verified, all ten, no device": lambda: counter.verify(ten, require_device_authentication=False),
            **peer_rows(world),
        },
        beside=FLOOR,
        rounds=240,  # many and short: the best counts, and a busy machine disturbs most of them
        calls=5,
    )


if __name__ == "__main__":
    main()
