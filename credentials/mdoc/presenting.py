"""Show an mdoc: the chosen elements, and the device's signature over the session (ISO/IEC 18013-5, 9.1.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from credentials.mdoc.limits import ENCODED_CBOR, MAX_BYTES, MAX_DEPTH, TAGS
from credentials.mdoc.structures import VERSION, embed, read_issuer_signed, to_plain
from signing.cbor import Encoded, Tag, decode, encode
from signing.cose import sign1
from yinxin.base.errors import NotFound, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from signing.signer import Signer

_NOTHING = encode({})


def present_mdoc(
    issued: bytes,
    *,
    disclose: Mapping[str, Collection[str]],
    holder: Signer,
    transcript: bytes,
) -> bytes:
    """A DeviceResponse with the chosen elements only, signed for this session.

    `issued` is the issuer's IssuerSigned. `NotFound` for an element that it does not have; `UsageError` when
    `holder` is not the key that it is bound to; `MalformedInput` for what is no mdoc.
    """
    read = read_issuer_signed(issued)
    secured = read.security_object()
    if secured.device_key != holder.public_key:
        raise UsageError("the mdoc is bound to another key")
    shown: dict[str, list[Any]] = {}
    for namespace, names in disclose.items():
        items = {item.identifier: item for item in read.namespaces.get(namespace, ())}
        if missing := [name for name in names if name not in items]:
            raise NotFound(f"the mdoc has no {missing[0]} in {namespace}")
        if names:
            shown[namespace] = [Encoded(items[name].encoded) for name in dict.fromkeys(names)]
    authentication = decode(issued, tags=TAGS, max_bytes=MAX_BYTES, max_depth=MAX_DEPTH)["issuerAuth"]
    signed: dict[str, Any] = {"issuerAuth": authentication}
    if shown:
        signed["nameSpaces"] = shown
    authenticated = device_authentication(transcript, secured.doc_type, encode(Tag(ENCODED_CBOR, _NOTHING)))
    proof = Encoded(sign1(authenticated, holder, tagged=False, detached=True))
    document = {
        "docType": secured.doc_type,
        "issuerSigned": signed,
        "deviceSigned": {"nameSpaces": embed({}), "deviceAuth": {"deviceSignature": proof}},
    }
    return encode({"version": VERSION, "documents": [document], "status": 0})


def mdoc_elements(issued: bytes) -> dict[str, dict[str, Any]]:
    """What an IssuerSigned says, by namespace and element, for its holder's eyes; nothing is verified."""
    return {
        name: {item.identifier: to_plain(item.value) for item in items}
        for name, items in read_issuer_signed(issued).namespaces.items()
    }


def device_authentication(transcript: bytes, doc_type: str, encoded_namespaces: bytes) -> bytes:
    """DeviceAuthenticationBytes (9.1.3.4): what the device signs or authenticates.

    `transcript` and `encoded_namespaces` are encoded already and stand in it as they are.
    """
    content = encode(["DeviceAuthentication", Encoded(transcript), doc_type, Encoded(encoded_namespaces)])
    return encode(Tag(ENCODED_CBOR, content))
