"""Seals and signatures in PDF (PAdES): put on, and verified.

from signing.pdf import Seal, SealFace, verify

sealed = Seal(signer, face=SealFace(png, 42, 42), timestamper=tsa).apply(pdf, now=now)
report = verify(sealed, trust, revocation=revocation, now=now)
document = report.require()
"""

from signing.pdf.archive import archive, extend
from signing.pdf.evidence import VerifiedDocument, VerifiedSignature
from signing.pdf.face import SealFace
from signing.pdf.files import archive_file, extend_file, lasting_file, seal_file, stamp_file, verify_file
from signing.pdf.lasting import Lasting, lasting
from signing.pdf.pending_files import dump_pending, is_pending, load_pending
from signing.pdf.profiles.copies import seal_copy
from signing.pdf.profiles.joint import Place, order_of_signing, prepare_joint, sign_jointly
from signing.pdf.profiles.kinds import countersign, seal_as_agency, sign_as_citizen
from signing.pdf.seal import Seal
from signing.pdf.stamping import last_stamp, stamp_last
from signing.pdf.two_steps import Pending, complete, complete_with_cms, is_completed, prepare
from signing.pdf.verify import attachments, certificate_chains, verify

__all__ = [
    "Lasting",
    "Pending",
    "Place",
    "Seal",
    "SealFace",
    "VerifiedDocument",
    "VerifiedSignature",
    "archive",
    "archive_file",
    "attachments",
    "certificate_chains",
    "complete",
    "complete_with_cms",
    "countersign",
    "dump_pending",
    "extend",
    "extend_file",
    "is_completed",
    "is_pending",
    "last_stamp",
    "lasting",
    "lasting_file",
    "load_pending",
    "order_of_signing",
    "prepare",
    "prepare_joint",
    "seal_as_agency",
    "seal_copy",
    "seal_file",
    "sign_as_citizen",
    "sign_jointly",
    "stamp_file",
    "stamp_last",
    "verify",
    "verify_file",
]
