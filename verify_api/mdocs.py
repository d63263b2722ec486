"""What an mdoc says that a wallet showed to one of our sessions (ISO/IEC 18013-5; OpenID4VP, B.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verify_api.documents import STILL_GENUINE, Examined, Kind, named_licence

if TYPE_CHECKING:
    from datetime import datetime

    from verify_api.documents import Material


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
