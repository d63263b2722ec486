"""Paths in a row, and what OpenSSL says of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from world.openssl import need_sm2, openssl
from world.paths import DAY, LENIENT, UNRECOGNISED, Story
from world.pki import NOON, TestAuthority
from world.sm2 import Sm2Authority

from signing import Certificate, RevocationSnapshot, TrustStore, validate_path

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def _broken(story: Story) -> Story:
    data = bytearray(story.leaf.der)
    data[-3] ^= 1
    story.leaf = Certificate(bytes(data))
    return story


def _revoked(story: Story) -> Story:
    story.authorities[0].revoke(story.leaf, NOON - DAY)
    return story


def _revoked_authority(story: Story) -> Story:
    story.root.revoke(story.intermediates[0], NOON - DAY)
    return story


def _with_issuer(**changes: Any) -> Story:
    root = TestAuthority("Root")
    issuing = TestAuthority("Issuing", issuer=root, **changes)
    return Story(root, [issuing], issuing.issue("bureau", "client").certificate)


def _deep(length: int | None) -> Story:
    root = TestAuthority("Root")
    policy = TestAuthority("Policy CA", issuer=root, path_length=length)
    issuing = TestAuthority("Issuing", issuer=policy)
    return Story(root, [policy, issuing], issuing.issue("bureau", "client").certificate)


MATRIX: dict[str, tuple[bool, Callable[[], Story]]] = {
    "good": (True, lambda: Story.plain(use="client")),
    "good, deeper": (True, lambda: _deep(1)),
    "path length": (False, lambda: _deep(0)),
    "expired": (False, lambda: Story.plain(use="client", not_after=NOON - DAY)),
    "not yet valid": (
        False,
        lambda: Story.plain(use="client", not_before=NOON + DAY, not_after=NOON + 9 * DAY),
    ),
    "expired authority": (False, lambda: _with_issuer(valid=DAY)),
    "wrong use": (False, lambda: Story.plain(use="timestamp")),
    "wrong key usage": (False, lambda: Story.plain(use="client", bits=("key_cert_sign",))),
    "unknown critical extension": (False, lambda: Story.plain(use="client", extra=((UNRECOGNISED, True),))),
    "unknown extension": (True, lambda: Story.plain(use="client", extra=((UNRECOGNISED, False),))),
    "critical in the authority": (False, lambda: _with_issuer(extra=((UNRECOGNISED, True),))),
    "no authority": (False, lambda: _with_issuer(is_authority=False)),
    "no basic constraints": (False, lambda: _with_issuer(is_authority=None)),
    "may not certify": (False, lambda: _with_issuer(bits=("crl_sign", "digital_signature"))),
    "authority for another use": (
        False,
        lambda: _with_issuer(
            extra=((x509.ExtendedKeyUsage([x509.ObjectIdentifier("1.3.6.1.5.5.7.3.4")]), False),)
        ),
    ),
    "bad signature": (False, lambda: _broken(Story.plain(use="client"))),
    "revoked": (False, lambda: _revoked(Story.plain(use="client"))),
    "revoked authority": (False, lambda: _revoked_authority(Story.plain(use="client"))),
}


@pytest.mark.peer
@pytest.mark.parametrize("name", MATRIX)
def test_openssl_says_the_same(name: str, tmp_path: Path) -> None:
    passes, make = MATRIX[name]
    story = make()
    assert story.ask(usage="client").passed is passes
    files = {"root.pem": [story.root.certificate], "leaf.pem": [story.leaf], "chain.pem": story.intermediates}
    for file, certificates in files.items():
        (tmp_path / file).write_bytes(b"".join(certificate.to_pem() for certificate in certificates))
    lists = [x509.load_der_x509_crl(authority.crl()) for authority in (story.root, *story.authorities)]
    (tmp_path / "lists.pem").write_bytes(b"".join(crl.public_bytes(Encoding.PEM) for crl in lists))
    options = (
        "-purpose",
        "sslclient",
        "-attime",
        str(int(NOON.timestamp())),
        "-crl_check_all",
        "-x509_strict",
    )
    files_of = ("-CAfile", "root.pem", "-untrusted", "chain.pem", "-CRLfile", "lists.pem", "leaf.pem")
    answer = openssl("verify", *options, *files_of, cwd=tmp_path, check=False)
    assert ("leaf.pem: OK" in answer) is passes, answer


@pytest.mark.peer
def test_openssl_verifies_the_sm2_path_that_we_do(tmp_path: Path) -> None:
    need_sm2()
    root = Sm2Authority("Root")
    issuing = Sm2Authority("Issuing", root)
    _, leaf = issuing.issue("bureau")
    for name, certificate in (("root", root.certificate), ("issuing", issuing.certificate), ("leaf", leaf)):
        (tmp_path / f"{name}.pem").write_bytes(certificate.to_pem())
    # The command hands the identity to the certificate it was given only, so it goes link by link.
    options = ("-vfyopt", "distid:1234567812345678", "-attime", str(int(NOON.timestamp())), "-partial_chain")
    for issuer, below in (("root", "issuing"), ("issuing", "leaf")):
        answer = openssl("verify", *options, "-CAfile", f"{issuer}.pem", f"{below}.pem", cwd=tmp_path)
        assert f"{below}.pem: OK" in answer
    trust, nothing = TrustStore([root.certificate]), RevocationSnapshot()
    result = validate_path(
        leaf, [issuing.certificate], trust, at=NOON, usage="seal", revocation=nothing, policy=LENIENT
    )
    assert result.passed
