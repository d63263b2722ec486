"""Our DER is what others would write, and no bytes bring our readers out of step."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID, ObjectIdentifier
from hypothesis import given, settings
from hypothesis import strategies as st
from world.pki import key_usage as bits_of

from ca.crl import CrlDraft, RevocationReason, encode_entry
from ca.csr import proven_key
from ca.lint import Expected, lint
from ca.names import SubjectName
from ca.ocsp import read_request
from ca.profiles import Profiles
from ca.template import Draft, Pointers, signed
from signing import der
from signing.certificates import Certificate
from signing.signers.file import FileSigner
from signing.timestamp import TimestampRequest
from signing.timestamp import read_request as read_timestamp_request
from yinxin.base.errors import YinxinError
from yinxin.base.identifiers import CreditCode

ISSUER, SUBJECT = FileSigner.generate(), FileSigner.generate("P-384")
CODE = CreditCode.parse("91110000600037341L")
POINTERS = Pointers.below("http://pki.example/base/", "enterprise")
PROFILES = Profiles.load().rows
words = st.text(st.characters(categories=["Lo", "Lu", "Nd"], max_codepoint=0x9FFF), min_size=1, max_size=20)
times = st.datetimes(datetime(1950, 1, 1), datetime(2120, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001 - st.datetimes takes naive bounds
    lambda when: when.replace(microsecond=0)
)
serials = st.integers(1 << 120, (1 << 159) - 1)


@st.composite
def names(draw: st.DrawFn) -> SubjectName:
    fields = {field: draw(st.none() | words) for field in ("province", "locality", "organisation", "unit")}
    try:
        return SubjectName(common_name=draw(words), credit_code=draw(st.sampled_from([None, CODE])), **fields)  # type: ignore[arg-type]
    except YinxinError:
        return SubjectName(common_name="津城", credit_code=CODE)


@st.composite
def drafts(draw: st.DrawFn) -> Draft:
    start = draw(times)
    return Draft(
        profile=PROFILES[draw(st.sampled_from(sorted(PROFILES)))],
        serial=draw(serials),
        algorithm=ISSUER.algorithm,
        issuer=draw(names()).encode(),
        subject=draw(names()),
        public_key=SUBJECT.public_key,
        issuer_key_identifier=ISSUER.public_key.identifier,
        not_before=start,
        not_after=start + timedelta(days=draw(st.integers(1, 80))),
        pointers=draw(st.sampled_from([None, POINTERS])),
    )


@settings(max_examples=150, deadline=None)
@given(drafts())
def test_a_certificate_is_the_one_that_a_builder_makes(draft: Draft) -> None:
    theirs = _builder(draft).sign(ISSUER._private_key, hashes.SHA256())
    assert draft.encode() == theirs.tbs_certificate_bytes


@settings(max_examples=100, deadline=None)
@given(drafts(), st.data())
def test_a_changed_certificate_does_not_pass_the_lint(draft: Draft, data: st.DataObject) -> None:
    """Whatever byte of the extensions, names or key is changed: it does not parse, or a fault is found."""
    faults = _lint(draft, draft.encode())
    assert [fault for fault in faults if not fault.startswith(("subject ", "a P-384"))] == []
    tbs = bytearray(draft.encode())
    place = data.draw(st.integers(0, len(tbs) - 1))
    tbs[place] ^= 1 << data.draw(st.integers(0, 7))
    fields = list(der.children(der.read_exactly(draft.encode(), der.SEQUENCE)))
    start = len(tbs) - sum(len(field.encoded) for field in fields[1:])
    serial = range(start, start + len(fields[1].encoded))
    validity_start = start + sum(len(field.encoded) for field in fields[1:4])
    validity = range(validity_start, validity_start + len(fields[4].encoded))
    if place in serial or place in validity:
        return  # any serial number and many times are as good as others
    try:
        changed = _lint(draft, bytes(tbs))
    except YinxinError:
        return
    assert set(changed) - set(faults)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(serials, times, st.sampled_from(RevocationReason)),
        max_size=20,
        unique_by=lambda row: row[0],
    ),
    st.integers(1, 1 << 100),
    times,
)
def test_a_list_is_the_one_that_a_builder_makes(
    rows: list[tuple[int, datetime, RevocationReason]], number: int, now: datetime
) -> None:
    issuer = SubjectName(common_name="津城 CA").encode()
    draft = CrlDraft(
        issuer=issuer, issuer_key_identifier=ISSUER.public_key.identifier, algorithm=ISSUER.algorithm,
        number=number, this_update=now, next_update=now + timedelta(days=1),
    )  # fmt: skip
    ours = draft.encode(encode_entry(serial, at=at, reason=reason) for serial, at, reason in rows)
    name = x509.Name(
        [
            x509.NameAttribute(x509.NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(x509.NameOID.COMMON_NAME, "津城 CA"),
        ]
    )
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(name)
        .last_update(now)
        .next_update(now + timedelta(days=1))
        .add_extension(x509.AuthorityKeyIdentifier(ISSUER.public_key.identifier, None, None), critical=False)
        .add_extension(x509.CRLNumber(number), critical=False)
    )
    for serial, at, reason in rows:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at)
        if reason is not RevocationReason.UNSPECIFIED:
            entry = entry.add_extension(x509.CRLReason(x509.ReasonFlags[reason.value]), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    assert ours == builder.sign(ISSUER._private_key, hashes.SHA256()).tbs_certlist_bytes


CSR = (
    x509.CertificateSigningRequestBuilder()
    .subject_name(x509.Name([]))
    .sign(ISSUER._private_key, hashes.SHA256())
    .public_bytes(Encoding.DER)
)
OCSP = (
    x509.ocsp.OCSPRequestBuilder()
    .add_certificate_by_hash(b"n" * 20, b"k" * 20, 1 << 130, hashes.SHA1())  # noqa: S303 - what clients send
    .add_extension(x509.OCSPNonce(b"n" * 16), critical=False)
    .build()
    .public_bytes(Encoding.DER)
)
TSQ = TimestampRequest("sha256", b"d" * 32, nonce=7, policy="1.2.3").to_der()
TOML = (
    b'[identity]\ncredit_code="1.2.3"\n[profiles.a]\nname={zh="z",en="e"}\nusage="seal"\nissued_by=["root"]\n'
    b'valid_days=9\nkeys=["RSA"]\nrequired=["common_name"]\nallowed=[]\n'
)
READERS = [(proven_key, CSR), (read_request, OCSP), (read_timestamp_request, TSQ), (Profiles.from_toml, TOML)]


@pytest.mark.parametrize(("read", "good"), READERS)
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_no_bytes_bring_a_reader_out_of_step(read: object, good: bytes, data: st.DataObject) -> None:
    assert callable(read)
    read(good)
    mutated = bytearray(good)
    for _ in range(data.draw(st.integers(0, 4))):
        place = data.draw(st.integers(0, len(mutated) - 1))
        mutated[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    for some in (bytes(mutated), data.draw(st.binary(max_size=200))):
        try:
            read(some)
        except YinxinError:
            continue


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=80), st.text(max_size=4))
def test_every_name_is_refused_or_reads_as_it_was_written(common: str, country: str) -> None:
    try:
        name = SubjectName(common_name=common, country=country)
    except YinxinError:
        return
    read = {attribute.oid.dotted_string: attribute.value for attribute in _parse(name.encode())}
    assert read == {"2.5.4.6": country, "2.5.4.3": common}


def _parse(encoded: bytes) -> x509.Name:
    draft = Draft(
        profile=PROFILES["root"], serial=1 << 130, algorithm=ISSUER.algorithm, issuer=encoded,
        subject=SubjectName(common_name="x"), public_key=ISSUER.public_key,
        issuer_key_identifier=ISSUER.public_key.identifier, not_before=datetime(2026, 1, 1, tzinfo=UTC),
        not_after=datetime(2027, 1, 1, tzinfo=UTC), pointers=None,
    )  # fmt: skip
    return x509.load_der_x509_certificate(signed(draft.encode(), ISSUER.algorithm, b"0" * 70)).issuer


def _lint(draft: Draft, tbs: bytes) -> tuple[str, ...]:
    certificate = Certificate(signed(tbs, ISSUER.algorithm, b"signature"))
    above = _Above(draft)
    expected = Expected(
        profile=draft.profile, subject=draft.subject, public_key=draft.public_key, issuer=above,  # type: ignore[arg-type]
        issuer_key=ISSUER.public_key, pointers=draft.pointers,
    )  # fmt: skip
    return lint(certificate, expected)


class _Above:
    """As much of an issuer's certificate as the lint looks at."""

    def __init__(self, draft: Draft) -> None:
        self.subject_der = draft.issuer
        self.not_before, self.not_after = draft.not_before, draft.not_after
        self.x509 = self
        self.extensions = self
        self.subject = None
        self.value = x509.BasicConstraints(ca=True, path_length=5)

    def get_extension_for_class(self, _: object) -> _Above:
        return self


def _builder(draft: Draft) -> x509.CertificateBuilder:
    profile = draft.profile
    identifier = profile.organisation_identifier
    key_usage = ("key_cert_sign", "crl_sign") if profile.usage is None else (profile.usage.key_usage,)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_parse(draft.subject.encode(organisation_identifier=identifier)))
        .issuer_name(_parse(draft.issuer))
        .public_key(draft.public_key.native)
        .serial_number(draft.serial)
        .not_valid_before(draft.not_before)
        .not_valid_after(draft.not_after)
        .add_extension(x509.SubjectKeyIdentifier(draft.public_key.identifier), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier(draft.issuer_key_identifier, None, None), critical=False)
        .add_extension(x509.BasicConstraints(profile.authority, profile.path_length), critical=True)
        .add_extension(bits_of(*key_usage), critical=True)
    )
    if profile.usage:
        purposes = x509.ExtendedKeyUsage([ObjectIdentifier(profile.usage.extended)])
        builder = builder.add_extension(purposes, critical=profile.code in {"timestamp", "mdoc"})
    if profile.identity and draft.subject.credit_code:
        value = b"\x13\x12" + str(draft.subject.credit_code).encode()
        extension = x509.UnrecognizedExtension(ObjectIdentifier(profile.identity), value)
        builder = builder.add_extension(extension, critical=False)
    if profile.no_check:
        return builder.add_extension(x509.OCSPNoCheck(), critical=False)
    return _with_pointers(builder) if draft.pointers else builder


def _with_pointers(builder: x509.CertificateBuilder) -> x509.CertificateBuilder:
    base, uri = "http://pki.example/base", x509.UniformResourceIdentifier
    access = [
        x509.AccessDescription(AuthorityInformationAccessOID.OCSP, uri(f"{base}/ocsp/enterprise")),
        x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, uri(f"{base}/ca/enterprise.cer")),
    ]
    point = x509.DistributionPoint([uri(f"{base}/crl/enterprise.crl")], None, None, None)
    return builder.add_extension(x509.CRLDistributionPoints([point]), critical=False).add_extension(
        x509.AuthorityInformationAccess(access), critical=False
    )
