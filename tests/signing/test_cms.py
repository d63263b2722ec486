"""CMS as bytes: what we write is what asn1crypto writes for the same values, and what we read is bounded."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from asn1crypto import algos as their_algos
from asn1crypto import cms as their_cms
from asn1crypto import core, tsp
from asn1crypto import x509 as their_x509
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st
from world.desk import Desk

from signing import cms, der
from signing.algorithms import MAX_IDENTIFIER_BYTES
from signing.cms import reading
from signing.cms.reading import MAX_REMEMBERED_BYTES
from signing.signers.file import FileSigner
from yinxin.base.errors import MalformedInput, TooLarge, YinxinError

KINDS = ("P-256", "P-384", "P-521", "Ed25519", "RSA-2048")
TIMES = st.datetimes(datetime(1950, 1, 1), datetime(2099, 12, 31))  # noqa: DTZ001 - made aware below
ECDSA = {"sha256": "sha256_ecdsa", "sha384": "sha384_ecdsa"}


@cache
def desk() -> Desk:
    return Desk()


@cache
def signer_of(kind: str) -> FileSigner:
    return desk().pki.issuing.issue("钱进", "seal", signer=FileSigner.generate(kind))  # type: ignore[arg-type]


def theirs(signer: FileSigner, values: dict[str, Any]) -> bytes:
    """The structure from asn1crypto's object model: nothing of ours but the signature value and the token."""
    name = cms.cms_digest(signer.algorithm)
    own = their_x509.Certificate.load(signer.certificate.der)
    return their_cms.ContentInfo(
        {
            "content_type": "signed_data",
            "content": their_cms.SignedData(
                {
                    "version": "v1" if values["content_type"] == "data" else "v3",
                    "digest_algorithms": [digest_algorithm(name)],
                    "encap_content_info": _content(values),
                    "certificates": [
                        their_x509.Certificate.load(item.der)
                        for item in sorted(signer.chain, key=lambda item: item.der)
                        if item.subject != item.issuer
                    ],
                    "signer_infos": [
                        {
                            "version": "v1",
                            "sid": {
                                "issuer_and_serial_number": {
                                    "issuer": own.issuer,
                                    "serial_number": own.serial_number,
                                }
                            },
                            "digest_algorithm": digest_algorithm(name),
                            "signed_attrs": signed_attributes(signer, values),
                            "signature_algorithm": their_cms.SignedDigestAlgorithm.load(
                                signer.algorithm.identifier
                            ),
                            "signature": values["signature"],
                            **_stamp(values),
                        }
                    ],
                }
            ),
        }
    ).dump()


def digest_algorithm(name: str) -> their_algos.DigestAlgorithm:
    # RFC 5754, 2: SHA-2 has no parameters; asn1crypto writes NULL unless it is told so by an encoding.
    return their_algos.DigestAlgorithm.load(cms.digest_identifier(name))


def _content(values: dict[str, Any]) -> dict[str, Any]:
    if values["content"] is None:
        return {"content_type": values["content_type"]}
    return {
        "content_type": values["content_type"],
        "content": core.OctetString(values["content"]),
    }


def _stamp(values: dict[str, Any]) -> dict[str, Any]:
    if values["token"] is None:
        return {}
    token = their_cms.ContentInfo.load(values["token"])
    return {"unsigned_attrs": [{"type": "signature_time_stamp_token", "values": [token]}]}


def signed_attributes(signer: FileSigner, values: dict[str, Any]) -> their_cms.CMSAttributes:
    when = their_cms.Time(
        {"utc_time" if 1950 <= values["time"].year < 2050 else "generalized_time": values["time"]}
    )
    reference = tsp.SigningCertificateV2(
        {"certs": [{"cert_hash": hashlib.sha256(signer.certificate.der).digest()}]}
    )
    return their_cms.CMSAttributes(
        [
            {"type": "content_type", "values": [values["content_type"]]},
            {"type": "message_digest", "values": [values["digest"]]},
            {"type": "signing_time", "values": [when]},
            {"type": "signing_certificate_v2", "values": [reference]},
        ]
    )


class TestWriting:
    """Level B-B and B-T, carried content or not, every kind of key: byte for byte."""

    @pytest.mark.parametrize("kind", KINDS)
    @settings(max_examples=25, deadline=None)  # asn1crypto takes a hundredth of a second for each
    @given(
        digest=st.binary(min_size=20, max_size=64),
        when=TIMES,
        content=st.none() | st.binary(max_size=400),
        stamped=st.booleans(),
        content_type=st.sampled_from([("data", cms.DATA), ("tst_info", cms.TST_INFO)]),
    )
    def test_it_is_what_asn1crypto_writes(
        self, kind: str, digest: bytes, when: datetime, content: bytes | None, *, stamped: bool,
        content_type: tuple[str, str],
    ) -> None:  # fmt: skip
        signer, time = signer_of(kind), when.replace(microsecond=0, tzinfo=UTC)
        if content_type[0] == "tst_info":
            content = None  # asn1crypto wants a TSTInfo there; our tokens are read by it in another test
        token = desk().tsa.stamp(bytes(32)) if stamped else None
        made = cms.sign(
            signer,
            digest,
            content_type=content_type[1],
            content=content,
            attributes=[cms.attribute(cms.SIGNING_TIME, der.time(time))],
            stamp=(lambda _: token or b"") if stamped else None,
        )
        values = {
            "content_type": content_type[0],
            "digest": digest,
            "time": time,
            "content": content,
            "token": token,
            "signature": cms.parse(made).signature,
        }
        is_equal = made == theirs(signer, values)  # no diff of two kilobytes when it fails
        assert is_equal
        # The signature is over the very attributes that asn1crypto would sign.
        assert cms.parse(made).signed_part == signed_attributes(signer, values).dump()
        assert cms.verifies(cms.parse(made))

    def test_tokens_are_encoded_as_asn1crypto_would(self) -> None:
        token = desk().tsa.stamp(bytes(32))
        assert their_cms.ContentInfo.load(token).copy().dump(force=True) == token

    def test_two_signatures_of_one_signer_share_nothing_that_varies(self) -> None:
        signer = signer_of("P-256")
        one, two = (cms.parse(cms.sign(signer, bytes([number]) * 32)) for number in (1, 2))
        assert one.attributes[cms.MESSAGE_DIGEST] != two.attributes[cms.MESSAGE_DIGEST]
        assert one.signature != two.signature

    def test_a_renewed_certificate_is_the_one_that_is_sent(self) -> None:
        """What is kept of a signer goes with its certificates, not with its key."""
        before = signer_of("P-256")
        after = desk().pki.issuing.issue("钱进", "seal", signer=before)
        for signer in (before, after):
            signed = cms.parse(cms.sign(signer, bytes(32)))
            assert signed.signer == signer.certificate

    def test_templates_say_which_value_is_missing(self) -> None:
        form = der.Template(der.SEQUENCE, der.null(), der.Template(der.SET, der.Hole("inside")), der.null())
        assert form.fill({"inside": der.null()}) == der.sequence(
            der.null(), der.set_of(der.null()), der.null()
        )
        with pytest.raises(KeyError, match="inside"):
            form.fill({})


@given(st.lists(st.binary(max_size=200), max_size=6), st.binary(max_size=70_000))
def test_templates_are_what_encoding_from_scratch_gives(fixed: list[bytes], value: bytes) -> None:
    parts = [der.octet_string(one) for one in fixed]
    inner = der.Template(0xA0, *parts, der.Hole("x"))
    outer = der.Template(der.SEQUENCE, *parts, inner, der.Hole("y"), *parts)
    filled = outer.fill({"x": der.octet_string(value), "y": b""})
    assert filled == der.sequence(*parts, der.tlv(0xA0, *parts, der.octet_string(value)), *parts)


class TestEvidence:
    """What is added beside a signature has the bounds of what is read."""

    def test_more_than_is_read_is_not_written(self) -> None:
        signed = cms.sign(desk().agency, bytes(32))
        lists = [der.sequence(der.integer(number)) for number in range(cms.MAX_EVIDENCE + 1)]
        with pytest.raises(TooLarge):
            cms.with_evidence(signed, certificates=[], crls=lists, ocsp=[])
        with pytest.raises(TooLarge):
            cms.with_evidence(signed, certificates=[], crls=[der.sequence(bytes(cms.MAX_CMS_BYTES))], ocsp=[])
        kept = cms.with_evidence(signed, certificates=[], crls=lists[:-1], ocsp=[])
        assert len(cms.parse(kept).crls) == cms.MAX_EVIDENCE

    def test_what_is_no_certificate_is_not_written(self) -> None:
        with pytest.raises(MalformedInput):
            cms.with_evidence(
                cms.sign(desk().agency, bytes(32)), certificates=[der.sequence()], crls=[], ocsp=[]
            )

    def test_more_certificates_than_are_read(self) -> None:
        issued = [desk().pki.issuing.issue(f"{number}", signer=desk().agency) for number in range(33)]
        with pytest.raises(TooLarge):
            cms.with_evidence(
                cms.sign(desk().agency, bytes(32)),
                certificates=[one.certificate.der for one in issued], crls=[], ocsp=[],
            )  # fmt: skip


class TestReading:
    """What is no SignedData of one signer is told by its reason."""

    def test_several_signers_are_refused_plainly(self) -> None:
        with pytest.raises(MalformedInput, match="2 signers"):
            cms.parse(with_signers(2))
        with pytest.raises(MalformedInput, match="0 signers"):
            cms.parse(with_signers(0))

    def test_certificates_alone_are_read_where_they_are_asked_for(self) -> None:
        found = cms.read_certificates(with_signers(0))
        assert desk().agency.certificate in found

    def test_repeated_groups_are_refused(self) -> None:
        kind, wrapped = der.children(der.read_exactly(cms.sign(desk().agency, bytes(32)), der.SEQUENCE))
        fields = [item.encoded for item in der.children(der.read_exactly(wrapped.content, der.SEQUENCE))]
        for changed in ([*fields[:3], fields[3], *fields[3:]], [*fields[:3], b"\x31\0", *fields[3:]]):
            with pytest.raises(MalformedInput):
                cms.parse(der.sequence(kind.encoded, der.explicit(0, der.sequence(*changed))))

    def test_unsigned_attributes_may_be_repeated_and_signed_ones_not(self) -> None:
        token = desk().tsa.stamp(bytes(32))
        twice = cms.attribute(cms.TIMESTAMP_TOKEN, token) * 2
        made = cms.sign(desk().agency, bytes(32), stamp=lambda _: token)
        once = cms.attribute(cms.TIMESTAMP_TOKEN, token)
        assert cms.parse(_replaced(made, once, twice)).unsigned[cms.TIMESTAMP_TOKEN] == (token, token)
        digest = cms.attribute(cms.MESSAGE_DIGEST, der.octet_string(bytes(32)))
        with pytest.raises(MalformedInput, match="repeated"):
            cms.parse(cms.sign(desk().agency, bytes(32), attributes=[digest]))

    def test_too_many_attributes(self) -> None:
        many = [cms.attribute(f"2.25.{number}", der.null()) for number in range(70)]
        with pytest.raises(TooLarge):
            cms.parse(cms.sign(desk().agency, bytes(32), attributes=many))

    @given(st.binary(max_size=200))
    def test_arbitrary_bytes_let_only_our_errors_out(self, data: bytes) -> None:
        for candidate in (data, der.sequence(der.oid(cms.SIGNED_DATA), der.explicit(0, data))):
            for reader in (cms.parse, cms.read_certificates):
                try:
                    reader(candidate)
                except YinxinError:
                    continue


def with_signers(count: int) -> bytes:
    """Our own structure with as many signer infos."""
    kind, wrapped = der.children(der.read_exactly(cms.sign(desk().agency, bytes(32)), der.SEQUENCE))
    *fields, infos = der.children(der.read_exactly(wrapped.content, der.SEQUENCE))
    inner = der.sequence(*(item.encoded for item in fields), der.tlv(der.SET, infos.content * count))
    return der.sequence(kind.encoded, der.explicit(0, inner))


def _replaced(encoded: bytes, old: bytes, new: bytes) -> bytes:
    """The encoding with one part exchanged, lengths around it counted anew."""
    if encoded == old:
        return new
    element, _ = der.read(encoded)
    if old not in element.content or not element.tag & 0x20:
        return encoded
    return der.tlv(element.tag, *(_replaced(one.encoded, old, new) for one in der.children(element)))


def test_an_empty_algorithm_is_malformed() -> None:
    made = cms.sign(desk().agency, bytes(32))
    identifier = desk().agency.algorithm.identifier
    with pytest.raises(MalformedInput):
        cms.parse(_replaced(made, identifier, der.sequence()))


@pytest.mark.parametrize("which", ["digest", "signature"])
def test_an_algorithm_identifier_fills_nobodys_memory(which: str) -> None:
    """What is read of one is remembered by its bytes."""
    signer = signer_of("P-384")  # its certificate is signed by another algorithm
    old = cms.digest_identifier("sha384") if which == "digest" else signer.algorithm.identifier
    name, *_ = der.children(der.read_exactly(old, der.SEQUENCE))
    with pytest.raises(TooLarge):
        cms.parse(
            _replaced(
                cms.sign(signer, bytes(48)),
                old,
                der.sequence(name.encoded, der.octet_string(bytes(MAX_IDENTIFIER_BYTES))),
            )
        )


def test_a_large_certificate_is_not_remembered() -> None:
    ballast = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.25.1"), bytes(MAX_REMEMBERED_BYTES))
    signer = desk().pki.issuing.issue("钱进", "seal", extra=((ballast, False),))
    before = reading._remembered_identifier.cache_info().currsize
    assert cms.parse(cms.sign(signer, bytes(32))).signer == signer.certificate
    assert reading._remembered_identifier.cache_info().currsize == before
