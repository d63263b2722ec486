"""What an mdoc says (ISO/IEC 18013-5): shown to one of our sessions (OpenID4VP, B.2), or kept in a file."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from credentials.mdoc.limits import MAX_BYTES
from credentials.mdoc.structures import read_issuer_signed
from credentials.mdoc.verifying import only_document
from signing.base64url import decode_base64url
from signing.carried import MAX_CARRIED, carried_in
from signing.reasons import Reason
from signing.report import Check
from verify_api.documents import STILL_GENUINE, Examined, Kind, named_licence
from yinxin.base.errors import MalformedInput, YinxinError

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from credentials.mdoc import MdocVerifier
    from signing.certificates import Certificate
    from signing.report import Report
    from verify_api.documents import Material

# The first key of either structure (8.3.2.1.2.2), whatever the order of the others.
_OF_A_RESPONSE = frozenset({b"version", b"documents", b"documentErrors", b"status"})
_ISSUED = frozenset({b"nameSpaces", b"issuerAuth"})
_MAP, _SHORT_MAP, _LONG_MAP, _SHORT_TEXT = 0xA1, 0xA8, 0xBF, range(0x61, 0x78)


@dataclass(frozen=True, slots=True)
class MdocFile:
    """An mdoc that somebody has as a file: a device's response, or what an issuer handed out."""

    data: bytes
    is_response: bool

    @classmethod
    def of(cls, content: bytes) -> MdocFile | None:
        """An mdoc as bytes or in base64url, told by how it begins; None for anything else."""
        data = content
        if not _first_key(data):
            data = _decoded(content)
        key = _first_key(data)
        if key not in _OF_A_RESPONSE | _ISSUED:
            return None
        return cls(data, key in _OF_A_RESPONSE)

    @property
    def chain(self) -> tuple[Certificate, ...]:
        """The certificates that it brings, leaf first; `MalformedInput` where they cannot be read."""
        issued = only_document(self.data).issuer_signed if self.is_response else read_issuer_signed(self.data)
        return issued.authentication.chain

    def verify(
        self, verifier: MdocVerifier, *, now: datetime, transcript: bytes | None = None
    ) -> Report[Any]:
        """Its report; without the `transcript` of the session that asked for it, nothing of who holds it.

        What an issuer handed out was shown in no session: then its device's signature is missing.
        """
        if self.is_response:
            demanded = transcript is not None
            return verifier.verify(
                self.data, transcript=transcript, now=now, require_device_authentication=demanded
            )
        report = verifier.verify_issued(self.data, now=now)
        if transcript is None:
            return report
        missing = Check("device_authentication", Reason.KEY_BINDING_MISSING)
        return replace(report, checks=(*report.checks, missing))


def _first_key(data: bytes) -> bytes:
    """The first key of the map that these bytes begin with; empty where they begin otherwise."""
    if len(data) < 2 or not (_MAP <= data[0] <= _SHORT_MAP or data[0] == _LONG_MAP):
        return b""
    return data[2 : 2 + data[1] - _SHORT_TEXT.start + 1] if data[1] in _SHORT_TEXT else b""


def _decoded(content: bytes) -> bytes:
    text = content.strip()
    if len(text) > MAX_BYTES * 4 // 3 + 3 or not text.isascii():
        return b""
    try:
        return decode_base64url(text.decode("ascii"))
    except MalformedInput:
        return b""


def certificates_in(data: bytes) -> tuple[Certificate, ...]:
    """The certificates that a file of any kind brings along, an mdoc too; as `signing.carried.carried_in`."""
    if found := carried_in(data):
        return found
    with suppress(YinxinError):
        if mdoc := MdocFile.of(data):
            return mdoc.chain[:MAX_CARRIED]
    return ()


def examine_mdoc(shown: str, material: Material, *, transcript: bytes, now: datetime) -> Examined:
    """What a DeviceResponse in base64url says, when its device signed this session's transcript.

    A licence stands under one namespace, its document type; elements under another are nothing to us.
    """
    report = material.mdoc_verifier.verify_text(shown, transcript=transcript, now=now)
    genuine = report.reasons <= STILL_GENUINE and bool(report.checks)
    found = report.findings.get("elements", {}).get(report.findings.get("doc_type"), {}) if genuine else {}
    return Examined(
        Kind.MDOC,
        report.digest,
        report.checks,
        report.policy,
        dict(report.snapshots),
        licence=named_licence(found),
        claims=found if genuine else None,
    )
