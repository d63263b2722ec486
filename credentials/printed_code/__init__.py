"""The signed code printed on a licence, and how it is verified without a network.

text = make(licence, licence_type, address="https://verify.city.example/q", signer=credential_signer)
report = verify(text, trust, issuers=issuers, addresses={"https://verify.city.example/q"}, now=now)
report.then, report.indication, report.findings["fields"]
"""

from credentials.printed_code.code import (
    MAX_CHARACTERS,
    PATH,
    Excerpt,
    PrintedCode,
    code_address,
    code_addresses,
    make,
    printed_fields,
    read,
)
from credentials.printed_code.issuers import IssuerCertificate, IssuerCertificates
from credentials.printed_code.verifier import PrintedCodeVerifier, PrintedLicence, RegisterAnswer, verify

__all__ = [
    "MAX_CHARACTERS",
    "PATH",
    "Excerpt",
    "IssuerCertificate",
    "IssuerCertificates",
    "PrintedCode",
    "PrintedCodeVerifier",
    "PrintedLicence",
    "RegisterAnswer",
    "code_address",
    "code_addresses",
    "make",
    "printed_fields",
    "read",
    "verify",
]
