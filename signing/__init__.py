"""Algorithms, keys, signers, certificates, trust, document formats and reports.

    from signing import Crl, Policy, RevocationSnapshot, TrustStore, open_signer, validate_path

    trust = TrustStore.load("trust")
    revocation = RevocationSnapshot([Crl.from_der(data)])
    result = validate_path(
        leaf, intermediates, trust, at=now, usage="seal", revocation=revocation, policy=Policy.default()
    )
    result.indication, result.reasons

`import signing` stays light. PDF (pyHanko) is `import signing.pdf`, tokens are `signing.jose`.
"""

from signing.algorithms import Algorithm
from signing.certificates import Certificate, load_certificates
from signing.keys import PublicKey
from signing.path import PathResult, validate_path
from signing.policy import Policy
from signing.reasons import Reason
from signing.report import Check, Evidence, Indication, Report, Scope
from signing.revocation import Crl, OcspAnswer, RevocationSnapshot, RevocationState, RevocationStatus
from signing.signer import Signer, open_signer
from signing.signers.file import FileSigner
from signing.trust import TrustAnchor, TrustStore

__all__ = [
    "Algorithm",
    "Certificate",
    "Check",
    "Crl",
    "Evidence",
    "FileSigner",
    "Indication",
    "OcspAnswer",
    "PathResult",
    "Policy",
    "PublicKey",
    "Reason",
    "Report",
    "RevocationSnapshot",
    "RevocationState",
    "RevocationStatus",
    "Scope",
    "Signer",
    "TrustAnchor",
    "TrustStore",
    "load_certificates",
    "open_signer",
    "validate_path",
]
