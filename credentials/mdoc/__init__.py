"""mdoc (ISO/IEC 18013-5): the machine form of a licence for wallets that speak CBOR.

    issued = issue_mdoc(DOC_TYPE, {NAMESPACE: elements}, signer=signer, holder_key=key, valid=valid)
    transcript = openid4vp_transcript(client_id=…, nonce=…, response_uri=…)
    response = present_mdoc(issued, disclose={NAMESPACE: ["name"]}, holder=holder, transcript=transcript)
    report = MdocVerifier(trust).verify(response, transcript=transcript)

The issuer signs digests of all elements (mobile security object); the holder shows some elements and
signs the session. Proximity (Bluetooth, NFC) and readers' requests are not spoken here.
"""

from credentials.mdoc.issuing import MdocValidity, issue_mdoc
from credentials.mdoc.presenting import mdoc_elements, present_mdoc
from credentials.mdoc.transcript import dc_api_transcript, openid4vp_transcript
from credentials.mdoc.verifying import MdocVerifier, VerifiedMdoc

__all__ = [
    "MdocValidity",
    "MdocVerifier",
    "VerifiedMdoc",
    "dc_api_transcript",
    "issue_mdoc",
    "mdoc_elements",
    "openid4vp_transcript",
    "present_mdoc",
]
