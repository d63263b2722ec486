"""An agency that issues mdocs, a baker who holds one, and a counter that verifies; and who forges them."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from credentials.mdoc import (
    MdocValidity,
    MdocVerifier,
    VerifiedMdoc,
    issue_mdoc,
    openid4vp_transcript,
    present_mdoc,
)
from credentials.mdoc.limits import ENCODED_CBOR, MAX_DEPTH, TAGS
from credentials.mdoc.presenting import device_authentication
from signing.cbor import Tag, decode, encode
from signing.cose import X5CHAIN, sign1, x5chain
from world.credentials import COUNTER, NONCE, CredentialWorld
from world.pki import NOON

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from signing.report import Report
    from signing.signers.file import FileSigner

DOC_TYPE = "cn.jincheng.licence.food-business.1"
NAMESPACE = "cn.jincheng.licence.1"
ELEMENTS = {
    "name": "津城小麦面包坊",
    "credit_code": "91120101MA5K3WXY0T",
    "valid_until": date(2027, 5, 19),
    "scopes": ["糕点类食品制售", "自制饮品制售"],
    "storeys": 2,
}
VALID = MdocValidity(NOON - timedelta(hours=1), NOON - timedelta(hours=1), NOON + timedelta(days=180))
TRANSCRIPT = openid4vp_transcript(client_id=f"x509_san_dns:{COUNTER}", nonce=NONCE, response_uri=COUNTER)


@dataclass
class MdocWorld(CredentialWorld):
    """The same people as in `CredentialWorld`, with mdocs."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.signer = self.pki.signer("mdoc", "津城市市场监督管理局")

    def issue_mdoc(self, *, elements: Mapping[str, Any] = ELEMENTS, **changes: Any) -> bytes:
        options = {
            "signer": self.signer,
            "holder_key": self.baker.public_key,
            "valid": VALID,
            "randomness": self.randomness,
        }
        return issue_mdoc(DOC_TYPE, {NAMESPACE: elements}, **{**options, **changes})

    def show(self, issued: bytes | None = None, *names: str, **changes: Any) -> bytes:
        chosen = {NAMESPACE: names or ("name",)}
        options = {"disclose": chosen, "holder": self.baker, "transcript": TRANSCRIPT}
        return present_mdoc(issued or self.issue_mdoc(), **{**options, **changes})

    def mdoc_counter(self, **changes: Any) -> MdocVerifier:
        options = {"revocation": self.revocation, "clock": self.clock}
        return MdocVerifier(self.trust, **{**options, **changes})

    def look_at(self, response: bytes, **changes: Any) -> Report[VerifiedMdoc]:
        return self.mdoc_counter().verify(response, **{"transcript": TRANSCRIPT, **changes})


class MdocForger:
    """Takes a good response apart, lets a story change the parts, and puts it together as an attacker can.

    `secured` is the security object, `items` those of the namespace; `document` and `response` are the maps
    around them. Signatures stay what they were, unless the story calls `seal` (the agency's) or
    `authenticate` (the device's).
    """

    def __init__(self, world: MdocWorld, issued: bytes | None = None) -> None:
        self.world = world
        self.response = _open(world.show(issued, *ELEMENTS))
        self.document = self.response["documents"][0]
        self.issuer_signed = self.document["issuerSigned"]
        self.device_signed = self.document["deviceSigned"]
        self.authentication = self.issuer_signed["issuerAuth"]
        self.secured = _inside(_open(self.authentication[2]))
        self.items = [_inside(one) for one in self.issuer_signed["nameSpaces"][NAMESPACE]]

    def rewrite_items(self) -> None:
        """Put the changed items where they were shown."""
        self.issuer_signed["nameSpaces"][NAMESPACE] = [wrapped(one) for one in self.items]

    def seal(self, signer: FileSigner | None = None, *, chain: Any = None) -> None:
        """The agency signs the security object as it is now."""
        signer = signer or self.world.signer
        if chain is None:
            chain = x5chain(tuple(one for one in signer.chain if not one.is_self_issued))
        unprotected: dict[int | str, Any] = {X5CHAIN: chain}
        message = sign1(encode(wrapped(self.secured)), signer, unprotected=unprotected, tagged=False)
        self.issuer_signed["issuerAuth"] = decode(message)

    def authenticate(
        self, signer: FileSigner | None = None, *, transcript: bytes = TRANSCRIPT, namespaces: Any = None
    ) -> None:
        """The device signs the session."""
        encoded = encode(wrapped({} if namespaces is None else namespaces))
        content = device_authentication(transcript, self.document["docType"], encoded)
        proof = sign1(content, signer or self.world.baker, tagged=False, detached=True)
        self.document["deviceSigned"] = {
            "nameSpaces": decode(encoded, tags=TAGS),
            "deviceAuth": {"deviceSignature": decode(proof)},
        }

    def bytes(self) -> bytes:
        return encode(self.response)


def forged(change: Callable[[MdocForger], Any], *, sealed: bool = False) -> Callable[[MdocWorld], bytes]:
    """A story that changes a good response; with `sealed` the agency signs the changed security object."""

    def make(world: MdocWorld) -> bytes:
        forger = MdocForger(world)
        made = change(forger)
        if sealed:
            forger.seal()
        return made if isinstance(made, bytes) else forger.bytes()

    return make


def wrapped(value: Any) -> Tag:
    return Tag(ENCODED_CBOR, encode(value))


def _open(data: bytes) -> Any:
    return deepcopy(decode(data, tags=TAGS, max_depth=MAX_DEPTH))


def _inside(value: Tag) -> Any:
    return _open(value.value)
