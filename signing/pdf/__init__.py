"""Seals and signatures in PDF (PAdES): put on, and verified.

from signing.pdf import Seal, SealFace, verify

sealed = Seal(signer, face=SealFace(png, 42, 42), timestamper=tsa).apply(pdf, now=now)
report = verify(sealed, trust, revocation=revocation, now=now)
document = report.require()
"""

from signing.pdf.archive import archive
from signing.pdf.evidence import VerifiedDocument, VerifiedSignature
from signing.pdf.face import SealFace
from signing.pdf.profiles.copies import seal_copy
from signing.pdf.profiles.joint import Place, order_of_signing, prepare_joint, sign_jointly
from signing.pdf.profiles.kinds import countersign, seal_as_agency, sign_as_citizen
from signing.pdf.seal import Seal
from signing.pdf.stamping import stamp_last
from signing.pdf.verify import attachments, certificate_chains, verify

__all__ = [
    "Place",
    "Seal",
    "SealFace",
    "VerifiedDocument",
    "VerifiedSignature",
    "archive",
    "attachments",
    "certificate_chains",
    "countersign",
    "order_of_signing",
    "prepare_joint",
    "seal_as_agency",
    "seal_copy",
    "sign_as_citizen",
    "sign_jointly",
    "stamp_last",
    "verify",
]
