"""Print how fast CMS signatures beside a file are made and verified, in one thread, beside their floors.

Run `python tests/benchmarks/figures_cms.py`. The floor of a verification is one SHA-256 over the content and
one check of a signature by `cryptography`; the aim of a warm verification is at least 0.4 of that floor's
rate, which is a ratio of at most 2.5. Warm means that the signer's certificate and its path were met before;
no signature is remembered, and each round verifies others.
"""

from __future__ import annotations

import hashlib
import itertools
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from asn1crypto import cms as their_cms
from benchmarks.rounds import measure
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from world.desk import Desk
from world.pki import NOON

from signing import cms, detached
from signing.policy import Policy
from signing.revocation import RevocationSnapshot

AIM = 0.4  # of the floor's rate
CONTENT = "关于核准设立的决定\n".encode() * 100
ROUNDS, CALLS = 60, 16


def main() -> None:
    """All figures."""
    warnings.simplefilter("ignore")
    desk = Desk()
    revocation, policy, trust = desk.revocation(), Policy.default(), desk.trust
    plain = [detached.sign(CONTENT, desk.agency, now=NOON) for _ in range(256)]
    stamped = [detached.sign(CONTENT, desk.agency, now=NOON, timestamper=desk.tsa) for _ in range(256)]
    kept = [
        detached.extend(one, CONTENT, trust, revocation=revocation, policy=policy, now=NOON)
        for one in stamped
    ]
    parsed = itertools.cycle([cms.parse(one) for one in plain])
    native, ecdsa = desk.agency.public_key.native, ec.ECDSA(hashes.SHA256())

    def floor() -> None:
        signed = next(parsed)
        hashlib.sha256(CONTENT).digest()
        native.verify(signed.signature, signed.signed_part, ecdsa)

    def verify(signature: bytes, evidence: RevocationSnapshot) -> None:
        found = detached.verify(signature, CONTENT, trust, revocation=evidence, policy=policy, now=NOON)
        assert found.passed

    signatures, stamps, archives = map(itertools.cycle, (plain, stamped, kept))
    nothing = RevocationSnapshot()
    print("Verifying a signature beside a file, P-256")  # noqa: T201 - figures
    found = measure(
        {
            "floor: SHA-256 and one check": floor,
            "verify B-B, warm": lambda: verify(next(signatures), revocation),
            "verify B-T, warm": lambda: verify(next(stamps), revocation),
            "verify B-LT by what it carries": lambda: verify(next(archives), nothing),
            "read the structure": lambda: cms.parse(next(signatures)),
        },
        beside="floor: SHA-256 and one check",
        rounds=ROUNDS * CALLS,
        calls=1,  # as in a service, no row has the processor's caches to itself
    )
    rate = found["floor: SHA-256 and one check"] / found["verify B-B, warm"]
    print(f"\nwarm verification: {rate:.2f} of the floor's rate (aim {AIM})")  # noqa: T201 - figures
    print("\nReading one")  # noqa: T201 - figures
    measure(
        {
            "ours": lambda: cms.parse(next(signatures)),
            "asn1crypto": lambda: their_cms.ContentInfo.load(next(signatures)).native,
        },
        beside="ours",
    )
    print("\nSigning one, P-256")  # noqa: T201 - figures
    measure(
        {
            "floor: SHA-256 and one signature": lambda: desk.agency.sign(hashlib.sha256(CONTENT).digest()),
            "sign B-B": lambda: detached.sign(CONTENT, desk.agency, now=NOON),
            "sign B-T, authority in this process": lambda: detached.sign(
                CONTENT, desk.agency, now=NOON, timestamper=desk.tsa
            ),
        },
        beside="floor: SHA-256 and one signature",
        rounds=ROUNDS,
        calls=CALLS,
    )


if __name__ == "__main__":
    main()
