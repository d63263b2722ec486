"""What attackers do to sealed PDFs. None of it passes, and each has its own stable reason."""

from __future__ import annotations

import re
import zlib
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ReasonFlags
from world.desk import Desk, append_revision, plain_pdf, red_face
from world.pki import NOON, Pki, TestAuthority
from world.tsa import MemoryTsa

from signing import cms, der
from signing.pdf import attachments
from signing.pdf._pyhanko import Reading
from signing.policy import Policy
from signing.reasons import Reason
from signing.report import Indication
from signing.revocation import RevocationSnapshot
from signing.trust import TrustAnchor, TrustStore
from yinxin.base.errors import MalformedInput

PAGE = b"/Type /Page /Parent 2 0 R /Resources << /Font << /F1 3 0 R >> >> /Contents 11 0 R"
WIDGET = b"/Type /Annot /Subtype /Widget /F 4 /P 10 0 R"
FAILED, UNSURE, PASSED = Indication.FAILED, Indication.INDETERMINATE, Indication.PASSED


def byte_range(pdf: bytes) -> tuple[int, int, int, int]:
    found = re.findall(rb"/ByteRange\s*\[\s*(\d+) (\d+) (\d+) (\d+)\s*\]", pdf)[-1]
    first, start, end, length = (int(number) for number in found)
    return first, start, end, length


def with_byte_range(pdf: bytes, *numbers: int) -> bytes:
    match = list(re.finditer(rb"/ByteRange\s*\[[^\]]*\] *", pdf))[-1]
    text = b"/ByteRange [%d %d %d %d]" % numbers
    return pdf[: match.start()] + text.ljust(match.end() - match.start()) + pdf[match.end() :]


def contents_of(pdf: bytes) -> bytes:
    _, start, end, _ = byte_range(pdf)
    return bytes.fromhex(pdf[start + 1 : end - 1].decode())


def with_contents(pdf: bytes, contents: bytes) -> bytes:
    _, start, end, _ = byte_range(pdf)
    return pdf[: start + 1] + contents.ljust((end - start - 2) // 2, b"\0").hex().encode() + pdf[end - 1 :]


def catalogue(pdf: bytes, **changes: str) -> bytes:
    """The body of the current catalogue of one of our sealed files, with some entries replaced."""
    (found,) = Reading(pdf).signatures()
    form = found.embedded.reader.root.raw_get("/AcroForm").idnum
    entries = {"Type": "/Catalog", "Pages": "2 0 R", "AcroForm": f"{form} 0 R"} | changes
    return ("<< " + " ".join(f"/{key} {value}" for key, value in entries.items()) + " >>").encode()


def test_content_changed_inside_the_signed_range(desk: Desk, sealed: bytes) -> None:
    report = desk.verify(sealed.replace(b"Licence 001", b"Licence 002"))
    assert report.indication is report.then is FAILED
    assert report.reasons == {Reason.HASH_FAILURE}


def test_page_content_replaced_in_a_later_revision(desk: Desk, sealed: bytes) -> None:
    content = b"BT /F1 24 Tf 72 700 Td (Licence 999) Tj ET"
    body = b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content)
    report = desk.verify(append_revision(sealed, {11: body}))
    assert report.indication is FAILED
    assert report.reasons == {Reason.DOCUMENT_CHANGED_AFTER_SIGNING}


def test_page_replaced_through_a_new_page_tree(desk: Desk, sealed: bytes) -> None:
    forged = {
        2: b"<< /Type /Pages /Kids [90 0 R] /Count 1 /MediaBox [0 0 595 842] >>",
        90: b"<< /Type /Page /Parent 2 0 R >>",
    }
    assert desk.verify(append_revision(sealed, forged)).reasons == {Reason.DOCUMENT_CHANGED_AFTER_SIGNING}


def test_shadow_content_prepared_before_and_shown_after(desk: Desk) -> None:
    hidden = append_revision(plain_pdf(), {80: b"<< /Length 0 >>\nstream\n\nendstream"})
    sealed = desk.seal(hidden)
    assert desk.verify(sealed).passed
    page = b"<< /Type /Page /Parent 2 0 R /Resources << >> /Contents 80 0 R >>"
    assert desk.verify(append_revision(sealed, {10: page})).reasons == {Reason.DOCUMENT_CHANGED_AFTER_SIGNING}


def test_comment_put_over_the_page(desk: Desk, sealed: bytes) -> None:
    page = b"<< " + PAGE + b" /Annots [91 0 R] >>"
    note = b"<< /Type /Annot /Subtype /FreeText /Rect [70 690 300 730] /Contents (Licence 999) >>"
    report = desk.verify(append_revision(sealed, {10: page, 91: note}))
    assert report.reasons == {Reason.DOCUMENT_CHANGED_AFTER_SIGNING}


def test_empty_visible_field_put_over_the_page(desk: Desk, sealed: bytes) -> None:
    (found,) = Reading(sealed).signatures()
    form = found.embedded.reader.root.raw_get("/AcroForm").idnum
    old = found.embedded.reader.root["/AcroForm"].raw_get("/Fields")
    fields = " ".join(f"{item.idnum} 0 R" for item in list.__iter__(old))
    changed = {
        form: f"<< /Fields [{fields} 91 0 R] /SigFlags 3 >>".encode(),
        10: (
            b"<< /Type /Page /Parent 2 0 R /Resources << /Font << /F1 3 0 R >> >> /Contents 11 0 R"
            b" /Annots [%d 0 R 91 0 R] >>" % found.embedded.sig_field.container_ref.idnum
        ),
        91: b"<< /Type /Annot /Subtype /Widget /FT /Sig /T (Cover) /F 4 /P 10 0 R /Rect [70 690 300 730]"
        b" /AP << /N 92 0 R >> >>",
        92: b"<< /Subtype /Form /BBox [0 0 230 40] /Length 16 >>\nstream\n0 0 230 40 re f \nendstream",
    }
    assert desk.verify(append_revision(sealed, changed)).reasons == {Reason.DOCUMENT_CHANGED_AFTER_SIGNING}


def test_embedded_data_replaced_in_a_later_revision(desk: Desk, sealed: bytes) -> None:
    forged = b'<< /Type /EmbeddedFile /Length 17 >>\nstream\n{"number": "999"}\nendstream'
    changed = append_revision(sealed, {13: forged})
    assert desk.verify(changed).reasons == {Reason.DOCUMENT_CHANGED_AFTER_SIGNING}
    assert attachments(changed) == {"licence.json": b'{"number": "001"}'}


def test_fields_filled_after_the_last_seal(desk: Desk) -> None:
    form = append_revision(
        plain_pdf(),
        {
            1: b"<< /Type /Catalog /Pages 2 0 R /AcroForm 50 0 R >>",
            50: b"<< /Fields [51 0 R] /DA (/F1 12 Tf) /DR << /Font << /F1 3 0 R >> >> >>",
            51: b"<< " + WIDGET + b" /FT /Tx /T (Name) /Rect [72 600 300 620] >>",
            10: b"<< " + PAGE + b" /Annots [51 0 R] >>",
        },
    )
    sealed = desk.seal(form)
    assert desk.verify(sealed).passed
    filled = b"<< " + WIDGET + b" /FT /Tx /T (Name) /V (Mallory) /Rect [72 600 300 620] >>"
    changed = append_revision(sealed, {51: filled})
    assert desk.verify(changed).reasons == {Reason.DOCUMENT_CHANGED_AFTER_SIGNING}
    # A further signature stands for what was filled in before it.
    assert desk.verify(desk.seal(changed, signer=desk.citizen)).passed


def test_a_title_changed_after_the_seal(desk: Desk) -> None:
    info, here = b"<< /Title (%s) /ModDate (D:%s) >>", b" /Info 70 0 R"
    sealed = desk.seal(append_revision(plain_pdf(), {70: info % (b"Licence 001", b"2026")}, extra=here))
    assert desk.verify(append_revision(sealed, {70: info % (b"Licence 001", b"2027")}, extra=here)).passed
    changed = append_revision(sealed, {70: info % (b"Licence 999", b"2026")}, extra=here)
    assert desk.verify(changed).reasons == {Reason.DOCUMENT_CHANGED_AFTER_SIGNING}


def test_a_time_stamp_stands_for_nothing_that_was_filled_in(desk: Desk, pdf: bytes) -> None:
    sealed = desk.seal(pdf)
    visible = desk.seal(sealed, signer=desk.citizen, face=red_face(20, 20))
    assert desk.verify(visible).passed
    as_stamp = visible[len(sealed) :].replace(b"/ETSI.CAdES.detached", b"/ETSI.RFC3161       ")
    report = desk.verify(sealed + as_stamp)
    assert Reason.DOCUMENT_CHANGED_AFTER_SIGNING in report.reasons


def test_byte_range_leaves_out_more_than_the_contents(desk: Desk, sealed: bytes) -> None:
    _, _, end, _ = byte_range(sealed)
    evil = b">/Evil (unsigned) /X <00>"
    wrapped = sealed[: end - len(evil)] + evil + sealed[end:]
    assert len(wrapped) == len(sealed)
    report = desk.verify(wrapped)
    assert report.indication is FAILED
    assert report.reasons == {Reason.COVERAGE_INCOMPLETE}


def test_byte_ranges_that_do_not_fit(desk: Desk, sealed: bytes) -> None:
    _, a, b, c = byte_range(sealed)
    for numbers in (
        (1, a - 1, b, c),
        (0, a, b, c + 1),
        (0, a + 1, b, c),
        (0, 0, b, c),
        (0, b, a, c),
        (0, a, b, 0),
        (0, a, 10**9, 0),
    ):
        assert Reason.COVERAGE_INCOMPLETE in desk.verify(with_byte_range(sealed, *numbers)).reasons, numbers


@pytest.mark.parametrize(
    "text", [b"/ByteRange null", b"/ByteRange [-1 2 3]", b"/ByteRange [(a) 1 2 3]", b"/Nothing 1"]
)
def test_byte_ranges_that_are_none(desk: Desk, sealed: bytes, text: bytes) -> None:
    match = next(re.finditer(rb"/ByteRange\s*\[[^\]]*\] *", sealed))
    forged = sealed[: match.start()] + text.ljust(match.end() - match.start()) + sealed[match.end() :]
    report = desk.verify(forged)
    assert report.indication is FAILED
    assert report.reasons & {Reason.COVERAGE_INCOMPLETE, Reason.FORMAT_FAILURE}


def test_contents_named_twice(desk: Desk, pdf: bytes) -> None:
    sealed = desk.seal(pdf, reason="X" * 40)
    twice = sealed.replace(b"/Reason (" + b"X" * 40 + b")", b"/Contents <00>".ljust(50))
    assert len(twice) == len(sealed)
    assert twice != sealed
    report = desk.verify(twice)
    assert report.reasons & {Reason.COVERAGE_INCOMPLETE, Reason.FORMAT_FAILURE}


def test_contents_of_another_file(desk: Desk, sealed: bytes) -> None:
    other = desk.seal(plain_pdf("Licence 777"))
    assert desk.verify(with_contents(sealed, contents_of(other))).reasons == {Reason.HASH_FAILURE}


def test_data_hidden_behind_the_signature(desk: Desk, sealed: bytes) -> None:
    contents = contents_of(sealed)
    report = desk.verify(with_contents(sealed, contents[:-4] + b"evil"))
    assert report.reasons == {Reason.FORMAT_FAILURE}


def test_one_signature_shown_by_two_fields(desk: Desk, pdf: bytes) -> None:
    sealed = desk.seal(pdf, certify=False)
    (found,) = Reading(sealed).signatures()
    form = found.embedded.reader.root.raw_get("/AcroForm").idnum
    first = found.embedded.sig_field.container_ref.idnum
    assert found.reference is not None
    changed = {
        form: f"<< /Fields [{first} 0 R 91 0 R] /SigFlags 3 >>".encode(),
        91: b"<< " + WIDGET + b" /FT /Sig /T (Twin) /Rect [0 0 0 0] /V %d 0 R >>" % found.reference[0],
    }
    report = desk.verify(append_revision(sealed, changed))
    assert report.indication is FAILED
    assert Reason.SIGNATURE_SHARED in report.reasons
    assert len(report.findings["signatures"]) == 2


def test_a_signature_of_an_unknown_form_is_reported_not_dropped(desk: Desk, pdf: bytes) -> None:
    sealed = desk.seal(pdf)
    odd = sealed.replace(b"/ETSI.CAdES.detached", b"/adbe.x509.rsa_sha1 ")
    report = desk.verify(odd)
    assert report.indication is UNSURE
    assert report.reasons == {Reason.UNSUPPORTED_SIGNATURE}
    two = desk.seal(odd.replace(b"/DocMDP", b"/DocXXX"), signer=desk.citizen, certify=False)
    assert Reason.UNSUPPORTED_SIGNATURE in desk.verify(two).reasons


def test_truncated_files(desk: Desk, sealed: bytes) -> None:
    for size in (len(sealed) - 1, len(sealed) - 7, len(sealed) - 300, len(sealed) // 2, 100, 5, 1):
        report = desk.verify(sealed[:size])
        assert report.indication is FAILED, size
        expected = {Reason.FORMAT_FAILURE, Reason.COVERAGE_INCOMPLETE, Reason.NO_SIGNATURE}
        assert report.reasons & expected, size


def test_empty_and_unsigned_files(desk: Desk, pdf: bytes) -> None:
    assert desk.verify(b"").reasons == {Reason.FORMAT_FAILURE}
    assert desk.verify(b"PK\x03\x04 not a pdf").reasons == {Reason.FORMAT_FAILURE}
    assert desk.verify(pdf).reasons == {Reason.NO_SIGNATURE}


def test_the_seal_cut_off_again(desk: Desk, pdf: bytes, sealed: bytes) -> None:
    assert desk.verify(sealed[: len(pdf)]).reasons == {Reason.NO_SIGNATURE}


@pytest.mark.parametrize(
    "garbage", [b"\n", b"garbage", b"%%EOF\n", b"\0" * 3000, b"9 0 obj\n<< >>\nendobj\n%%EOF\n"]
)
def test_bytes_appended(desk: Desk, sealed: bytes, garbage: bytes) -> None:
    report = desk.verify(sealed + garbage)
    assert report.indication is FAILED
    assert report.reasons & {Reason.DOCUMENT_CHANGED_AFTER_SIGNING, Reason.FORMAT_FAILURE}


def test_an_old_cross_reference_pointed_to_again(desk: Desk, sealed: bytes) -> None:
    place = int(sealed[sealed.rindex(b"startxref") + 9 :].split()[0])
    report = desk.verify(sealed + b"startxref\n%d\n%%%%EOF\n" % place)
    assert report.reasons == {Reason.DOCUMENT_CHANGED_AFTER_SIGNING}


def test_a_second_cross_reference_that_hides_the_seal(desk: Desk, sealed: bytes) -> None:
    hidden = append_revision(sealed, {1: b"<< /Type /Catalog /Pages 2 0 R >>"})
    assert desk.verify(hidden).reasons == {Reason.NO_SIGNATURE}


def test_a_field_removed_while_the_catalogue_still_names_it(desk: Desk, sealed: bytes) -> None:
    (found,) = Reading(sealed).signatures()
    assert found.reference is not None
    permissions = f"<< /DocMDP {found.reference[0]} 0 R >>"
    body = f"<< /Type /Catalog /Pages 2 0 R /Perms {permissions} >>".encode()
    report = desk.verify(append_revision(sealed, {1: body}))
    assert report.reasons == {Reason.NO_SIGNATURE, Reason.COVERAGE_INCOMPLETE}


def test_stripped_time_stamp(desk: Desk, sealed: bytes) -> None:
    contents = contents_of(sealed)
    outer, _ = der.read(contents)
    token = cms.parse(contents, padded=True).unsigned[cms.TIMESTAMP_TOKEN][0]
    group = der.tlv(0xA1, cms.attribute(cms.TIMESTAMP_TOKEN, token))
    bare = resized(outer, group)
    demanding = Policy(require_timestamp=True)
    assert desk.verify(sealed, policy=demanding).passed
    report = desk.verify(with_contents(sealed, bare), policy=demanding)
    assert report.indication is UNSURE
    assert report.reasons == {Reason.TIMESTAMP_MISSING}
    # Without a demand the seal still holds today, but nothing proves when it was put on.
    assert desk.verify(with_contents(sealed, bare)).require().signatures[0].proved_at is None


def resized(element: der.Element, without: bytes) -> bytes:
    """The element without some encoding deep in it, all lengths set right."""
    if element.encoded == without:
        return b""
    if not element.tag & 0x20 or without not in element.encoded:
        return element.encoded
    return der.tlv(element.tag, *(resized(child, without) for child in der.children(element)))


def test_time_stamp_of_another_signature(desk: Desk, sealed: bytes) -> None:
    class Replayed:
        def stamp(self, _digest: bytes, **_: str) -> bytes:
            return desk.tsa.stamp(bytes(32))

    report = desk.verify(desk.seal(plain_pdf(), timestamper=Replayed()))
    assert report.reasons == {Reason.TIMESTAMP_INVALID}


def test_time_stamp_of_an_unknown_authority(desk: Desk, pdf: bytes) -> None:
    stranger = MemoryTsa(Pki().signer("timestamp"))
    report = desk.verify(desk.seal(pdf, timestamper=stranger))
    assert report.indication is UNSURE
    assert report.reasons == {Reason.TIMESTAMP_NOT_TRUSTED}
    assert report.findings["signatures"][0]["proved_time"] is None


def test_time_stamp_from_tomorrow(desk: Desk, pdf: bytes) -> None:
    early = MemoryTsa(desk.tsa.signer, at=NOON + timedelta(days=1))
    report = desk.verify(desk.seal(pdf, timestamper=early))
    assert report.reasons == {Reason.TIMESTAMP_INVALID}


def test_an_unknown_authority_cannot_move_a_seal_back_in_time(desk: Desk, pdf: bytes) -> None:
    agency = desk.pki.issuing.issue("失效机关", "seal", not_after=NOON - timedelta(days=1))
    backdated = MemoryTsa(Pki().signer("timestamp"), at=NOON - timedelta(days=2))
    report = desk.verify(desk.seal(pdf, signer=agency, timestamper=backdated))
    assert report.indication is UNSURE
    assert report.reasons == {Reason.TIMESTAMP_NOT_TRUSTED, Reason.CERTIFICATE_EXPIRED}


def test_a_self_made_chain_with_the_same_names(desk: Desk, pdf: bytes) -> None:
    twin = Pki()
    forged = desk.seal(pdf, signer=twin.signer("seal", "津城市场监管局 Market Bureau"), stamped=False)
    report = desk.verify(forged)
    assert report.indication is UNSURE
    assert report.reasons == {Reason.NO_CERTIFICATE_CHAIN_FOUND}


def test_a_seal_by_nobody_s_authority(desk: Desk, pdf: bytes) -> None:
    lone = TestAuthority("自签 Self-made")
    report = desk.verify(desk.seal(pdf, signer=lone.issue("Anyone", "seal"), stamped=False))
    assert report.reasons == {Reason.NO_CERTIFICATE_CHAIN_FOUND}


def test_expired_certificate(desk: Desk, pdf: bytes) -> None:
    agency = desk.pki.issuing.issue("过期机关", "seal", not_after=NOON - timedelta(days=1))
    report = desk.verify(desk.seal(pdf, signer=agency, stamped=False))
    assert report.indication is UNSURE
    assert report.reasons == {Reason.CERTIFICATE_EXPIRED}


def test_a_time_stamp_carries_a_seal_past_its_certificate(desk: Desk, pdf: bytes) -> None:
    agency = desk.pki.issuing.issue("到期机关", "seal", not_after=NOON + timedelta(days=1))
    stamped, bare = desk.seal(pdf, signer=agency), desk.seal(pdf, signer=agency, stamped=False)
    archived = desk.revocation(NOON)
    later = NOON + timedelta(days=40)
    assert desk.verify(stamped, now=later, revocation=archived).passed
    assert Reason.CERTIFICATE_EXPIRED in desk.verify(bare, now=later).reasons


def test_revoked_before_sealing(desk: Desk, pdf: bytes) -> None:
    pki = Pki()
    own = Desk(pki)
    pki.issuing.revoke(own.agency.certificate, NOON - timedelta(days=1))
    for stamped in (True, False):
        report = own.verify(own.seal(pdf, stamped=stamped))
        assert report.indication is report.then is FAILED
        assert report.reasons == {Reason.CERTIFICATE_REVOKED}


def test_revoked_after_a_proved_time(pdf: bytes) -> None:
    pki = Pki()
    own = Desk(pki)
    stamped, bare = own.seal(pdf), own.seal(pdf, stamped=False)
    pki.issuing.revoke(own.agency.certificate, NOON + timedelta(days=1), ReasonFlags.key_compromise)
    later = NOON + timedelta(days=2)
    report = own.verify(stamped, now=later)
    assert (report.then, report.indication) == (PASSED, FAILED)
    assert report.reasons == {Reason.CERTIFICATE_REVOKED}
    # Asked about the day before the revocation, or told of nothing later, it holds.
    assert own.verify(stamped, now=later, at=NOON + timedelta(hours=1)).passed
    unproved = own.verify(bare, now=later)
    assert unproved.then is unproved.indication is FAILED


def test_a_certificate_for_another_use(desk: Desk, pdf: bytes) -> None:
    for use in ("credential", "timestamp", "client"):
        report = desk.verify(desk.seal(pdf, signer=desk.pki.signer(use), stamped=False))
        assert report.indication is FAILED
        assert report.reasons == {Reason.WRONG_KEY_USAGE}


def test_an_anchor_that_is_trusted_for_another_use(desk: Desk, sealed: bytes) -> None:
    narrow = TrustStore([TrustAnchor(desk.pki.root.certificate, frozenset({"credential", "timestamp"}))])
    assert not desk.verify(sealed, trust=narrow).passed


def test_revocation_not_known(desk: Desk, sealed: bytes) -> None:
    report = desk.verify(sealed, revocation=RevocationSnapshot())
    assert report.indication is UNSURE
    lax = Policy(revocation="if_available")
    assert desk.verify(sealed, revocation=RevocationSnapshot(), policy=lax).passed


def test_an_algorithm_that_the_policy_does_not_allow(desk: Desk, sealed: bytes) -> None:
    report = desk.verify(sealed, policy=Policy(algorithms=frozenset({"RS256"})))
    assert Reason.ALGORITHM_NOT_ALLOWED in report.reasons


def test_a_certificate_swapped_for_another_of_the_same_key(desk: Desk, pdf: bytes) -> None:
    """The certificate reference binds the signature to one certificate (RFC 5035, 1)."""
    sealed = desk.seal(pdf, stamped=False)
    contents = contents_of(sealed)
    own = desk.agency.certificate
    twin = x509.CertificateBuilder(
        issuer_name=own.x509.issuer,
        subject_name=own.x509.subject,
        public_key=own.x509.public_key(),
        serial_number=own.serial,
        not_valid_before=own.not_before,
        not_valid_after=own.not_after,
        extensions=list(own.x509.extensions),
    ).sign(desk.pki.issuing.signer._private_key, own.x509.signature_hash_algorithm)
    swapped = replaced(der.read(contents)[0], own.der, twin.public_bytes(Encoding.DER))
    report = desk.verify(with_contents(sealed, swapped))
    assert report.reasons == {Reason.SIGNING_CERTIFICATE_MISSING}


def replaced(element: der.Element, old: bytes, new: bytes) -> bytes:
    if element.encoded == old:
        return new
    if not element.tag & 0x20 or old not in element.encoded:
        return element.encoded
    return der.tlv(element.tag, *(replaced(child, old, new) for child in der.children(element)))


def test_a_document_signed_by_a_stranger_too_is_not_settled(desk: Desk, sealed: bytes) -> None:
    report = desk.verify(desk.seal(sealed, signer=Pki().signer("signature"), stamped=False))
    assert report.indication is UNSURE
    assert [item["indication"] for item in report.findings["signatures"]] == ["passed", "indeterminate"]


def test_too_large_and_too_many(desk: Desk, sealed: bytes) -> None:
    assert desk.verify(sealed, max_bytes=1000).reasons == {Reason.TOO_LARGE}
    with pytest.raises(MalformedInput):
        attachments(sealed, max_bytes=1000)


def test_files_that_make_endless_work_are_given_up(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signing.pdf._pyhanko.parser.MAX_WORK", 100_000)
    plain = plain_pdf()
    chain = {number: b"[%d 0 R %d 0 R]" % (number + 1, number + 1) for number in range(100, 160)}
    many_paths = append_revision(
        plain, {1: b"<< /Type /Catalog /Pages 2 0 R /X 100 0 R >>", 160: b"null", **chain}
    )
    claims = zlib.compress(b"")
    stream = (
        b"%%PDF-1.7\n1 0 obj\n<< /Type /XRef /Size 1000000000 /W [0 0 0] /Root 2 0 R /Filter /FlateDecode"
        b" /Length %d >>\nstream\n%s\nendstream\nendobj\nstartxref\n9\n%%%%EOF\n" % (len(claims), claims)
    )
    for name, pdf in {
        "a string without end": append_revision(
            plain, {1: b"<< /Type /Catalog /X (" + b"a" * 200_000 + b") >>"}
        ),
        "a number without end": append_revision(
            plain, {1: b"<< /Type /Catalog /X " + b"9" * 200_000 + b" >>"}
        ),
        "a table of objects that are not there": stream,
        "more paths than can be followed": append_revision(desk.seal(many_paths), {90: b"null", 10: b"null"}),
        "a signature of megabytes": append_revision(
            plain,
            {
                1: b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [60 0 R] >> >>",
                60: b"<< /FT /Sig /T (x) /V 61 0 R >>",
                61: b"<< /Type /Sig /SubFilter /ETSI.CAdES.detached /Contents <"
                + b"30" * 1_200_000
                + b"> >>",
            },
        ),
    }.items():
        assert desk.verify(pdf).reasons == {Reason.TOO_LARGE}, name


def test_deep_and_circular_structures(desk: Desk) -> None:
    deep = plain_pdf().replace(b"/Type /Catalog", b"/X " + b"[" * 5000 + b"]" * 5000 + b" /Type /Catalog")
    assert desk.verify(deep).indication is FAILED
    circular = append_revision(
        plain_pdf(),
        {
            1: b"<< /Pages 2 0 R /AcroForm << /Fields [60 0 R] >> /Names << /EmbeddedFiles 61 0 R >> >>",
            60: b"<< /T (a) /Kids [60 0 R] >>",
            61: b"<< /Kids [61 0 R] >>",
        },
    )
    assert desk.verify(circular).reasons == {Reason.TOO_LARGE}


def test_many_fields(desk: Desk) -> None:
    fields = {1: b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [" + b"60 0 R " * 6000 + b"] >> >>"}
    assert desk.verify(append_revision(plain_pdf(), fields | {60: b"<< /T (a) >>"})).reasons == {
        Reason.TOO_LARGE
    }


def test_two_embedded_files_of_one_name(desk: Desk) -> None:
    twins = append_revision(
        plain_pdf(files={"licence.json": b"1"}),
        {1: b"<< /Pages 2 0 R /Names << /EmbeddedFiles << /Names [(a) 12 0 R (b) 12 0 R] >> >> >>"},
    )
    assert desk.verify(desk.seal(twins)).reasons == {Reason.FORMAT_FAILURE}
