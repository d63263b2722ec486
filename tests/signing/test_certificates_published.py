"""Malformed and odd certificates and lists that others collected (pkilint): refused, or known why not.

Linters mind many things that bear on no verdict. Asked here: whatever the file, nothing but our errors
comes out, and no certificate whose encoding a linter calls broken is read but for the reasons below.
"""

from __future__ import annotations

import re
from base64 import b64decode
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from world.pki import NOON, START, TestAuthority

from signing import Certificate, Crl, Policy, RevocationSnapshot, TrustStore, der, validate_path
from signing.certificates import MAX_EXTENSIONS
from yinxin.base.errors import MalformedInput, TooLarge, YinxinError

if TYPE_CHECKING:
    from pathlib import Path

LENIENT = Policy(strict_usage=False, revocation="if_available")
# Encodings that a linter calls broken, and that are read here.
READ = {
    "orgname_too_long": "names may be longer than X.520's bounds: they are compared, never cut",
    "qctype_bad_encoding": "statements of qualified certificates decide nothing here",
    "more_than_one_qctype": "statements of qualified certificates decide nothing here",
    "none_qctype": "statements of qualified certificates decide nothing here",
    "bad_san_encoding": "a host name in another alphabet: names no one, and no constraint matches it",
    "root_bad_ku_encoding": "bits of key usage with zeros behind them say the same",
    "old_lamps_smime_example": "bits of key usage with zeros behind them say the same",
}
# Certificates that are read, and whose keys verify nothing: unknown kinds, short ones, broken ones.
WITHOUT_KEY = 15


def collected(vectors: Path) -> dict[str, tuple[str, bytes, bool]]:
    """By name: what it is, its DER, and whether the linter says that its encoding is broken."""
    found = {}
    for path in sorted((vectors / "pki" / "pkilint-tests").rglob("*.c??test")):
        text = path.read_text("utf-8")
        match = re.search(r"-----BEGIN (.+?)-----(.+?)-----END", text, re.DOTALL)
        assert match
        key = f"{path.parent.name}/{path.stem}"
        found[key] = match[1], b64decode("".join(match[2].split())), ",FATAL," in text
    return found


def test_every_file_is_read_or_refused_and_nothing_worse(vectors: Path) -> None:
    read, without_key, refused = [], 0, 0
    root = TestAuthority("Root")
    for name, (kind, encoded, is_broken) in collected(vectors).items():
        try:
            if kind != "CERTIFICATE":
                _ = repr(Crl(encoded))
                continue
            certificate = Certificate(encoded)
        except MalformedInput:
            refused += 1
            continue
        ask(certificate, root.certificate)
        try:
            _ = certificate.public_key
        except MalformedInput:
            without_key += 1
            continue
        if is_broken:
            read.append(name.partition("/")[2])
    assert set(read) == READ.keys()
    assert without_key == WITHOUT_KEY
    assert refused == 6


def ask(certificate: Certificate, other: Certificate) -> None:
    """As the leaf, as an issuer, as the anchor: an answer, whatever it is."""
    nothing = RevocationSnapshot()
    for leaf, above, anchor in (
        (certificate, [other], other),
        (other, [certificate], certificate),
        (certificate, [certificate], certificate),
    ):
        result = validate_path(
            leaf, above, TrustStore([anchor]), at=NOON, usage="seal", revocation=nothing, policy=LENIENT
        )
        assert result.checks


def test_the_numbers_of_the_collection(vectors: Path) -> None:
    """So that nothing is left out when the collection changes."""
    kinds = [kind for kind, *_ in collected(vectors).values()]
    assert (kinds.count("CERTIFICATE"), kinds.count("X509 CRL")) == (len(kinds) - 3, 3)
    assert len(kinds) > 140


class TestStrictness:
    @staticmethod
    def made(*, extensions: int = 1, serial: int = 7) -> bytes:
        root = TestAuthority("Root")
        builder = (
            x509.CertificateBuilder()
            .subject_name(root.certificate.x509.subject)
            .issuer_name(root.certificate.x509.subject)
            .public_key(root.signer.public_key.native)
            .serial_number(serial)
            .not_valid_before(START)
            .not_valid_after(NOON)
        )
        for number in range(extensions):
            oid = x509.ObjectIdentifier(f"1.2.3.{number}")
            builder = builder.add_extension(x509.UnrecognizedExtension(oid, b"\x05\0"), False)
        signed = builder.sign(root.signer._private_key, hashes.SHA256())
        return signed.public_bytes(Encoding.DER)

    def test_more_extensions_than_anybody_needs(self) -> None:
        assert len(Certificate(self.made(extensions=MAX_EXTENSIONS)).extensions) == MAX_EXTENSIONS
        with pytest.raises(TooLarge):
            Certificate(self.made(extensions=MAX_EXTENSIONS + 1))

    def test_an_extension_twice(self) -> None:
        encoded = self.made(extensions=2)
        twice = encoded.replace(der.oid("1.2.3.1"), der.oid("1.2.3.0"))
        assert twice != encoded
        with pytest.raises(MalformedInput, match=r"[Dd]uplicate"):
            Certificate(twice)

    @pytest.mark.parametrize("bits", [1, 158, 159])
    def test_serial_numbers_up_to_twenty_octets(self, bits: int) -> None:
        serial = (1 << bits) - 1
        assert Certificate(self.made(serial=serial)).serial == serial

    @pytest.mark.parametrize("octets", [21, 22, 100])
    def test_longer_serial_numbers_are_malformed(self, octets: int) -> None:
        """RFC 5280, 4.1.2.2: nobody has to handle more than twenty octets."""
        long = der.tlv(der.INTEGER, b"\x7f" * octets)
        with pytest.raises(MalformedInput):
            Certificate(resized(self.made(), der.integer(7), long))

    @pytest.mark.parametrize("serial", [0, -5, 1 << 159])
    def test_odd_numbers_are_handled_gracefully(self, serial: int) -> None:
        """Zero, below zero, and twenty octets behind a sign."""
        certificate = Certificate(resized(self.made(), der.integer(7), der.integer(serial)))
        assert certificate.serial == serial

    def test_a_serial_number_that_is_no_number(self) -> None:
        with pytest.raises(YinxinError):
            Certificate(resized(self.made(), der.integer(7), der.octet_string(b"\7")))


def resized(certificate: bytes, old: bytes, new: bytes) -> bytes:
    """The certificate with its serial number replaced, and the frames around it grown."""
    signed, algorithm, signature = der.children(der.read_exactly(certificate, der.SEQUENCE))
    fields = list(der.children(signed))
    assert fields[1].encoded == old
    inside = [new if number == 1 else field.encoded for number, field in enumerate(fields)]
    return der.sequence(der.sequence(*inside), algorithm.encoded, signature.encoded)
