"""Print how fast paths and revocation lists are, in one thread, beside others' (pyhanko, cryptography).

Run `python tests/benchmarks/figures_trust.py`. Cold means: from bytes, with nothing remembered. The peers get
the same bytes, the same anchor and the same moment.
"""

from __future__ import annotations

import asyncio
import random
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from asn1crypto import crl as asn1_crl
from asn1crypto import x509 as asn1_x509
from benchmarks.rounds import measure
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from world.pki import NOON, TestAuthority

from signing import Certificate, Crl, Policy, RevocationSnapshot, TrustStore, validate_path

if TYPE_CHECKING:
    from collections.abc import Callable

ENTRIES = 100_000
DAY = timedelta(days=1)
ROUNDS, CALLS = 15, 20


@dataclass
class Story:
    """Root, issuing authority and leaf, and a list by each authority: all as bytes."""

    def __post_init__(self) -> None:
        root = TestAuthority("Root")
        issuing = TestAuthority("Issuing", issuer=root)
        for number in range(1000, 1020):
            issuing.revoked[number] = (NOON - DAY, x509.ReasonFlags.superseded)
        self.root, self.issuing = root.certificate.der, issuing.certificate.der
        self.leaf = issuing.issue("bureau").certificate.der
        self.lists = (root.crl(), issuing.crl())
        self.policy = Policy.default()  # a verifier reads its policy once

    def ours(self) -> bool:
        """From bytes to a verdict."""
        return self.question()()

    def question(self) -> Callable[[], bool]:
        """The question, its values read already."""
        leaf, issuing = Certificate(self.leaf), Certificate(self.issuing)
        trust = TrustStore([Certificate(self.root)])
        revocation, policy = RevocationSnapshot(map(Crl, self.lists)), self.policy

        def ask() -> bool:
            return validate_path(
                leaf, [issuing], trust, at=NOON, usage="seal", revocation=revocation, policy=policy
            ).passed

        return ask

    def theirs(self) -> bool:
        """The same by pyhanko-certvalidator."""
        root, issuing, leaf = map(asn1_x509.Certificate.load, (self.root, self.issuing, self.leaf))
        context = ValidationContext(
            trust_roots=[root],
            moment=NOON,
            crls=[asn1_crl.CertificateList.load(one) for one in self.lists],
            revocation_mode="require",
        )
        validator: Any = CertificateValidator(leaf, [issuing], context)
        return bool(asyncio.run(validator.async_validate_usage({"non_repudiation"})))


def long_list(authority: TestAuthority) -> bytes:
    """A list as large authorities have them: serial numbers by chance, most entries with a reason."""
    chance = random.Random(1)  # noqa: S311 - the same list each time
    reasons = (x509.ReasonFlags.superseded, x509.ReasonFlags.cessation_of_operation)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.certificate.x509.subject)
        .last_update(NOON)
        .next_update(NOON + DAY)
    )
    entries = []
    for number in range(ENTRIES):
        entry = x509.RevokedCertificateBuilder().serial_number(chance.getrandbits(159) | 1)
        entry = entry.revocation_date(NOON - timedelta(minutes=number))
        if number % 4:
            entry = entry.add_extension(x509.CRLReason(reasons[number % 2]), False)
        entries.append(entry.build())
    builder._revoked_certificates = entries  # adding one by one takes the square of their number
    return builder.sign(authority.signer._private_key, hashes.SHA256()).public_bytes(Encoding.DER)


def paths() -> None:
    """A path of three certificates with two lists."""
    story = Story()
    assert story.ours()
    assert story.theirs()
    warm = story.question()
    key = Certificate(story.issuing).public_key
    leaf = x509.load_der_x509_certificate(story.leaf)
    signature, message = leaf.signature, leaf.tbs_certificate_bytes

    # A cold path is one of certificates and lists that nobody met before: each story is told once.
    ours, theirs = (iter([Story() for _ in range(ROUNDS * CALLS)]) for _ in range(2))

    print("A path of three certificates with two lists")  # noqa: T201 - figures
    best = measure(
        {
            "one P-256 check": lambda: key.verify(signature, message),
            "warm: values read, asked before": warm,
            "cold: from bytes, never met before": lambda: next(ours).ours(),
            "pyhanko-certvalidator, from bytes": lambda: next(theirs).theirs(),
        },
        beside="one P-256 check",
        rounds=ROUNDS,
        calls=CALLS,
    )
    times = best["pyhanko-certvalidator, from bytes"] / best["cold: from bytes, never met before"]
    print(f"cold path: {times:.1f} times as fast as pyhanko-certvalidator (wanted: 5)")  # noqa: T201 - figures


def lists() -> None:
    """A list of a hundred thousand entries."""
    authority = TestAuthority("Root")
    encoded = long_list(authority)
    serials = [one.serial_number for one in x509.load_der_x509_crl(encoded)]
    parsed = Crl(encoded)
    parsed.lookup(1)
    rows: dict[str, Callable[[], Any]] = {
        "cryptography: load": lambda: x509.load_der_x509_crl(encoded),
        "cryptography: load, find one": lambda: x509.load_der_x509_crl(
            encoded
        ).get_revoked_certificate_by_serial_number(serials[-1]),
        "cryptography: load, read entries": lambda: list(x509.load_der_x509_crl(encoded)),
        "ours: load": lambda: Crl(encoded),
        "ours: load and index": lambda: Crl(encoded).lookup(1),
        "ours: signature check": lambda: parsed._is_signed_by(authority.certificate),
    }
    print(f"\nA list of {ENTRIES:,} entries, {len(encoded):,} bytes")  # noqa: T201 - figures
    best = measure(rows, beside="cryptography: load", rounds=7, calls=1)
    times = best["ours: load and index"] / best["cryptography: load"]
    print(f"indexed: {times:.1f} times cryptography's load (wanted: at most 3)")  # noqa: T201 - figures
    for label, asked in (("listed", serials[:: ENTRIES // 1000]), ("not listed", list(range(1000)))):
        start = process_time()
        for serial in asked:
            parsed.lookup(serial)
        print(f"look-up, {label}: {(process_time() - start) / len(asked) * 1e6:.1f} us")  # noqa: T201 - figures


if __name__ == "__main__":
    paths()
    lists()
