"""Print how fast credentials are here, in one thread, beside the IETF reference library (PyPI `sd-jwt`).

Run `python tests/benchmarks/figures_sd_jwt.py`. It checks
no chain, no status and no time of presentation; ours checks all of them.
"""

from __future__ import annotations

import random
import sys
import warnings
from pathlib import Path
from typing import Any

from jwcrypto.jwk import JWK

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.rounds import measure
from sd_jwt.common import SDObj
from sd_jwt.holder import SDJWTHolder
from sd_jwt.issuer import SDJWTIssuer
from sd_jwt.verifier import SDJWTVerifier
from world.credentials import COUNTER, NONCE, CredentialWorld

from credentials.sd_jwt import issue_sd_jwt
from credentials.status_list import StatusList
from signing.jose import parse_jws

NAMES = [f"claim{number}" for number in range(10)]


class Peer:
    """The same work by the reference library; it checks no chain, no status and no time of presentation."""

    def __init__(self, world: CredentialWorld, credential: str, presentation: str) -> None:
        self._credential, self._presentation = credential, presentation
        self._issuer = JWK.from_pyca(world.agency._private_key)
        self._public = JWK(**world.agency.public_key.to_jwk())
        self._holder = JWK.from_pyca(world.baker._private_key)

    def issue(self, claims: dict[str, Any]) -> None:
        hidden = {SDObj(name) if name in NAMES else name: value for name, value in claims.items()}
        SDJWTIssuer(hidden, self._issuer, self._holder)

    def present(self) -> None:
        holder = SDJWTHolder(self._credential)
        holder.create_presentation(dict.fromkeys(NAMES[:3], True), NONCE, COUNTER, self._holder)

    def verify(self) -> None:
        def key_of(_issuer: str, _header: dict[str, Any]) -> JWK:
            return self._public

        SDJWTVerifier(self._presentation, key_of, COUNTER, NONCE).get_verified_payload()


def main() -> None:
    """All figures."""
    warnings.simplefilter("ignore")
    world = CredentialWorld()
    plain = {
        name: value
        for name, value in world.licence().items()
        if name not in {"name", "credit_code", "address", "scopes"}
    }
    claims = {**plain, **{name: f"the value of {name}" for name in NAMES}}
    holder_key = world.baker.public_key

    def issue() -> str:
        return issue_sd_jwt(claims, disclosable=NAMES, signer=world.agency, holder_key=holder_key)

    credential = issue()
    presentation = world.present(credential, NAMES[:3])
    counter = world.counter()
    counter.verify(presentation, audience=COUNTER, nonce=NONCE).require()
    peer = Peer(world, credential, presentation)
    token, key = parse_jws(presentation.partition("~")[0]), world.agency.public_key
    lists = {bits: filled(bits).to_claim() for bits in (1, 2)}
    full = filled(2)
    measure(
        {
            "one ES256 verification, the floor": lambda: token.verify(key, algorithms={"ES256"}),
            "issue, 10 hidden claims": issue,
            "issue, reference library": lambda: peer.issue(claims),
            "present 3 of 10": lambda: world.present(credential, NAMES[:3]),
            "present, reference library": peer.present,
            "verify: chain, claims, key binding, status": lambda: counter.verify(
                presentation, audience=COUNTER, nonce=NONCE
            ),
            "verify without key binding": lambda: counter.verify(presentation, require_key_binding=False),
            "verify, reference library: claims, key binding": peer.verify,
            "decode 1 M entries of 1 bit": lambda: StatusList.from_claim(lists[1]),
            "decode 1 M entries of 2 bits": lambda: StatusList.from_claim(lists[2]),
            "encode 1 M entries of 2 bits": full.to_claim,
        },
        beside="one ES256 verification, the floor",
    )


def filled(bits: int) -> StatusList:
    """A million entries, one in a hundred revoked."""
    statuses = StatusList(1 << 20, bits=bits)
    for index in random.Random(1).sample(range(1 << 20), 10_486):  # noqa: S311 - figures
        statuses.set(index, 1)
    return statuses


if __name__ == "__main__":
    main()
