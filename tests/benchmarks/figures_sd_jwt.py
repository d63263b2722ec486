"""Print how fast credentials are here, in one thread, beside the IETF reference library (PyPI `sd-jwt`).

Run `python tests/benchmarks/figures_sd_jwt.py`. The library checks no chain, no status, no type and no time
of presentation; ours checks all of them. Status lists are in `figures_status_list.py`.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jwcrypto.jwk import JWK

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.rounds import measure
from sd_jwt.common import SDObj
from sd_jwt.holder import SDJWTHolder
from sd_jwt.issuer import SDJWTIssuer
from sd_jwt.verifier import SDJWTVerifier
from world.credentials import COUNTER, NONCE, VCT, CredentialWorld

from credentials.known_types import KnownTypes
from credentials.sd_jwt import issue_sd_jwt
from signing.jose import dump_json
from signing.keys import PublicKey

if TYPE_CHECKING:
    from signing.signers.file import FileSigner

NAMES = [f"claim{number}" for number in range(10)]
TYPE = {"vct": VCT, "claims": [{"path": [name], "mandatory": True, "sd": "always"} for name in NAMES]}
FLOOR = "two raw ES256 verifications, the floor"


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
    counter = world.counter(types=KnownTypes({VCT: [dump_json(TYPE)]}))
    report = counter.verify(presentation, audience=COUNTER, nonce=NONCE)
    report.require()
    assert {"status", "type_metadata", "key_binding_signature"} <= {check.name for check in report.checks}
    peer = Peer(world, credential, presentation)
    floor = Floor(world.baker)
    measure(
        {
            FLOOR: floor.verify,
            "the same, one key read anew as a holder's is": floor.verify_of_fresh_key,
            "issue, 10 hidden claims": issue,
            "issue, reference library": lambda: peer.issue(claims),
            "present 3 of 10": lambda: world.present(credential, NAMES[:3]),
            "present, reference library": peer.present,
            "verify: chain, claims, type, status, key binding": lambda: counter.verify(
                presentation, audience=COUNTER, nonce=NONCE
            ),
            "verify without key binding": lambda: counter.verify(presentation, require_key_binding=False),
            "verify, reference library: claims, key binding": peer.verify,
        },
        beside=FLOOR,
        rounds=240,  # many and short: the best counts, and a busy machine disturbs most of them
        calls=5,
    )


class Floor:
    """What no verifier does without: the issuer's signature and the holder's."""

    def __init__(self, signer: FileSigner) -> None:
        self._key = signer.public_key
        self._point = self._key.point[1:33], self._key.point[33:]
        self._message = b"a message"
        self._signature = signer.sign(self._message)

    def verify(self) -> None:
        self._key.verify(self._signature, self._message)
        self._key.verify(self._signature, self._message)

    def verify_of_fresh_key(self) -> None:
        """An issuer's key is met all day, a holder's once: each copy is bound to a key of its own."""
        self._key.verify(self._signature, self._message)
        PublicKey.from_coordinates("P-256", *self._point).verify(self._signature, self._message)


if __name__ == "__main__":
    main()
