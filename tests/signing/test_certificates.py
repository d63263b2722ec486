"""Certificates: read once, equal by bytes, and only our errors for hostile ones."""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st
from world.pki import NOON, START, TestAuthority, name
from world.sm2 import Sm2Authority

from signing import Certificate, FileSigner, load_certificates, open_signer
from signing.certificates import MAX_CERTIFICATE_BYTES, load_pem_chain
from signing.names import name_key, name_text
from yinxin.base.errors import Conflict, MalformedInput, SignerUnavailable, TooLarge, UsageError, YinxinError

if TYPE_CHECKING:
    from pathlib import Path

    from world.pki import Pki

ROOT = TestAuthority('测试根 Root, of "Tests"')
LEAF = ROOT.issue("bureau")
CERTIFICATE = LEAF.certificate


def test_what_a_certificate_says() -> None:
    assert CERTIFICATE.common_name == "bureau"
    assert CERTIFICATE.subject == "CN=bureau,O=津城测试机构,C=CN"
    assert (CERTIFICATE.not_before, CERTIFICATE.is_valid_at(NOON)) == (START, True)
    assert CERTIFICATE.public_key == LEAF.public_key
    assert CERTIFICATE.signature_algorithm(ROOT.signer.public_key).name == "ES256"
    assert CERTIFICATE.is_issued_by(ROOT.certificate)
    assert not CERTIFICATE.is_issued_by(CERTIFICATE)
    assert ROOT.certificate.is_self_issued
    assert not CERTIFICATE.is_self_issued
    assert (
        CERTIFICATE.authority_key_id == ROOT.certificate.subject_key_id == ROOT.signer.public_key.identifier
    )


def test_equal_by_bytes() -> None:
    twin = Certificate(CERTIFICATE.der)
    assert twin == CERTIFICATE
    assert len({twin, CERTIFICATE, ROOT.certificate}) == 2
    assert CERTIFICATE.fingerprint[:16] in repr(CERTIFICATE)


def test_pem_and_der_are_told_apart() -> None:
    both = CERTIFICATE.to_pem() + b"some words\n" + ROOT.certificate.to_pem()
    assert load_certificates(both) == (CERTIFICATE, ROOT.certificate)
    assert load_certificates(CERTIFICATE.der) == (CERTIFICATE,)
    assert Certificate.from_pem(both) == CERTIFICATE


def test_pem_with_bounds() -> None:
    with pytest.raises(TooLarge):
        load_pem_chain(CERTIFICATE.to_pem() * 5, limit=4)
    with pytest.raises(MalformedInput):
        load_pem_chain(b"nothing")
    with pytest.raises(MalformedInput):
        load_pem_chain(b"-----BEGIN CERTIFICATE-----\nA=AA\n-----END CERTIFICATE-----")
    with pytest.raises(TooLarge):
        Certificate(bytes(MAX_CERTIFICATE_BYTES + 1))


@pytest.mark.timeout(5)
def test_pem_of_much_nothing_is_read_in_linear_time() -> None:
    begin = b"-----BEGIN CERTIFICATE-----"
    for hostile in (begin + b" " * 1_000_000, begin * 30_000, (begin + b"A\n" * 100) * 2_000):
        with pytest.raises(MalformedInput):
            load_pem_chain(hostile)


def test_two_different_signature_algorithms_are_malformed() -> None:
    es256, es384 = b"\x2a\x86\x48\xce\x3d\x04\x03\x02", b"\x2a\x86\x48\xce\x3d\x04\x03\x03"
    assert CERTIFICATE.der.count(es256) == 2
    with pytest.raises(MalformedInput):
        Certificate(CERTIFICATE.der.replace(es256, es384, 1))


def test_an_sm2_certificate_is_like_any_other() -> None:
    root = Sm2Authority("根")
    _, leaf = root.issue("bureau")
    assert leaf.is_issued_by(root.certificate)
    assert (leaf.public_key.kind, leaf.common_name) == ("SM2", "bureau")
    assert leaf.signature_algorithm(root.certificate.public_key).name == "SM2"
    assert not leaf.is_issued_by(Sm2Authority("根").certificate)


@settings(max_examples=500, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=4),
    st.none() | st.integers(0, 600),
)
def test_mutated_certificates_let_only_our_errors_out(
    changes: list[tuple[int, int]], cut: int | None
) -> None:
    data = bytearray(CERTIFICATE.der)
    for place, value in changes:
        data[place % len(data)] = value
    try:
        certificate = Certificate(bytes(data[:cut]))
    except YinxinError:
        return
    _ = (
        certificate.subject,
        certificate.issuer,
        certificate.common_name,
        repr(certificate),
        certificate.fingerprint,
    )
    assert certificate.is_issued_by(ROOT.certificate) is (certificate == CERTIFICATE)


@given(st.binary(max_size=400))
def test_arbitrary_bytes_let_only_our_errors_out(data: bytes) -> None:
    for candidate in (
        data,
        b"\x30" + data,
        b"-----BEGIN CERTIFICATE-----" + data + b"-----END CERTIFICATE-----",
    ):
        try:
            load_certificates(candidate)
        except YinxinError:
            continue


def test_reading_in_threads_leaves_the_warning_filters_alone() -> None:
    before = list(warnings.filters)
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(Certificate, [CERTIFICATE.der] * 400)) == {CERTIFICATE}
    assert list(warnings.filters) == before


class TestNames:
    @staticmethod
    def encoded(common: str, kind: x509.name._ASN1Type) -> bytes:
        attribute = x509.NameAttribute(x509.NameOID.COMMON_NAME, common, kind)
        return x509.Name([attribute]).public_bytes()

    def test_equal_whatever_carries_them(self) -> None:
        kinds = x509.name._ASN1Type
        spellings = [
            self.encoded("Test  Root", kinds.UTF8String),
            self.encoded("test root ", kinds.PrintableString),
            self.encoded("TEST ROOT", kinds.BMPString),
            self.encoded("Test Root", kinds.T61String),
        ]
        assert len({name_key(spelling) for spelling in spellings}) == 1
        assert name_key(self.encoded("Test Root 2", kinds.UTF8String)) != name_key(spellings[0])

    def test_different_whatever_they_look_like(self) -> None:
        one, two = name("a"), x509.Name(list(name("a"))[::-1])
        assert name_key(one.public_bytes()) != name_key(two.public_bytes())
        assert name_key(b"\x30\0") == ()

    def test_text_is_rfc_4514(self) -> None:
        odd = x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, 'A, "B"+C'), *name("根")])
        assert name_text(odd.public_bytes()) == odd.rfc4514_string()

    @given(st.binary(max_size=100))
    def test_arbitrary_bytes_let_only_our_errors_out(self, data: bytes) -> None:
        for read in (name_key, name_text):
            try:
                read(b"\x30" + bytes((len(data),)) + data)
            except MalformedInput:
                continue


class TestFiles:
    def test_a_key_comes_back_with_its_passphrase_only(self, tmp_path: Path) -> None:
        LEAF.save(tmp_path / "key.pem", passphrase="开门")
        (tmp_path / "chain.pem").write_bytes(b"".join(one.to_pem() for one in LEAF.chain))
        uri = f"file:{tmp_path}/key.pem?chain={tmp_path}/chain.pem"
        signer = open_signer(uri, secret=lambda: "开门")
        assert signer.chain == LEAF.chain
        assert signer.public_key.verify(signer.sign(b"x"), b"x")
        for secret in ("wrong", "", None):
            with pytest.raises(SignerUnavailable):
                open_signer(uri, secret=secret)
        assert (tmp_path / "key.pem").stat().st_mode & 0o077 == 0
        assert b"ENCRYPTED" in (tmp_path / "key.pem").read_bytes()

    def test_keys_are_never_overwritten(self, tmp_path: Path) -> None:
        LEAF.save(tmp_path / "key.pem", passphrase="one")
        with pytest.raises(Conflict):
            LEAF.save(tmp_path / "key.pem", passphrase="two")
        with pytest.raises(UsageError):
            LEAF.save(tmp_path / "other.pem", passphrase="")
        with pytest.raises(UsageError):
            LEAF.save(tmp_path / "nowhere" / "key.pem", passphrase="one")

    def test_what_cannot_be_opened(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError):
            open_signer("smoke:signal")
        with pytest.raises(SignerUnavailable):
            open_signer(f"file:{tmp_path}/missing.pem", secret="x")
        (tmp_path / "junk.pem").write_bytes(b"\xff junk")
        with pytest.raises(SignerUnavailable):
            open_signer(f"file:{tmp_path}/junk.pem", secret="x")

    def test_a_chain_belongs_to_its_key(self) -> None:
        with pytest.raises(SignerUnavailable):
            FileSigner.generate().with_chain(LEAF.chain)
        with pytest.raises(SignerUnavailable):
            _ = FileSigner.generate().certificate
        with pytest.raises(UsageError):
            FileSigner.generate("P-224")  # type: ignore[arg-type]


def test_a_signature_has_whole_octets_and_so_one_encoding(pki: Pki) -> None:
    """The last bit may be zero; a bit string that leaves it out is another certificate's bytes."""
    leaf = pki.signer("seal").certificate
    count = leaf.der.index(leaf.x509.signature) - 1
    assert leaf.der[count] == 0
    changed = leaf.der[:count] + b"\x01" + leaf.der[count + 1 :]
    with pytest.raises(MalformedInput, match="whole octets"):
        Certificate(changed)


def test_odd_names_warn_nobody(pki: Pki) -> None:
    """A country of eighteen letters: found among a million mutants, where warnings are errors."""
    odd = Certificate(pki.issuing.certificate.der.replace(b"\x06\x03\x55\x04\x0a", b"\x06\x03\x55\x04\x06"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "C=" in odd.subject
        assert "C=" in odd.issuer
        assert odd.common_name
        assert odd.names[0] != odd.names[1]
