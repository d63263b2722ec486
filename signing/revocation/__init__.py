"""Revocation: lists (CRL), answers (OCSP), and what both together say about a certificate at a time.

    snapshot = RevocationSnapshot(crls=[Crl.from_der(data)])
    status = snapshot.status(certificate, issuer, at=signed_at)

Evidence is gathered by the caller. Nothing here reads a file, a socket or the clock.
"""

from signing.revocation.crl import Crl, RevokedEntry
from signing.revocation.ocsp import OcspAnswer
from signing.revocation.snapshot import RevocationSnapshot, RevocationState, RevocationStatus

__all__ = ["Crl", "OcspAnswer", "RevocationSnapshot", "RevocationState", "RevocationStatus", "RevokedEntry"]
