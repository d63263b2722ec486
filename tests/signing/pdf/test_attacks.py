"""What attackers do to sealed PDFs. None of it passes, and each has its own stable reason."""

from __future__ import annotations

import re

import pytest
from world.desk import Desk, append_revision, plain_pdf, red_face
from world.pdf_bytes import byte_range, contents_of, with_byte_range, with_contents

from signing.pdf import attachments
from signing.pdf._pyhanko.parser import open_reader
from signing.pdf.reading import Reading
from signing.policy import Policy
from signing.reasons import Reason
from signing.report import Indication

PAGE = b"/Type /Page /Parent 2 0 R /Resources << /Font << /F1 3 0 R >> >> /Contents 11 0 R"
WIDGET = b"/Type /Annot /Subtype /Widget /F 4 /P 10 0 R"
FAILED, UNSURE = Indication.FAILED, Indication.INDETERMINATE


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
    (found,) = open_reader(sealed).embedded_signatures
    form = found.reader.root.raw_get("/AcroForm").idnum
    old = found.reader.root["/AcroForm"].raw_get("/Fields")
    fields = " ".join(f"{item.idnum} 0 R" for item in list.__iter__(old))
    changed = {
        form: f"<< /Fields [{fields} 91 0 R] /SigFlags 3 >>".encode(),
        10: (
            b"<< /Type /Page /Parent 2 0 R /Resources << /Font << /F1 3 0 R >> >> /Contents 11 0 R"
            b" /Annots [%d 0 R 91 0 R] >>" % found.sig_field.container_ref.idnum
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
    report = desk.verify(changed)
    assert report.passed  # and people are told
    assert report.findings["signatures"][0]["unsigned"][0]["value"] == "Mallory"
    strict = Policy(allowed_changes="form")
    assert desk.verify(changed, policy=strict).reasons == {Reason.DOCUMENT_CHANGED_AFTER_SIGNING}
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
    said = re.search(rb"/Reason *<[0-9A-Fa-f]+>", sealed)
    assert said is not None
    twice = sealed.replace(said[0], b"/Contents <00>".ljust(len(said[0])))
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
    (found,) = open_reader(sealed).embedded_signatures
    form = found.reader.root.raw_get("/AcroForm").idnum
    first = found.sig_field.container_ref.idnum
    value = found.sig_field.raw_get("/V").idnum
    changed = {
        form: f"<< /Fields [{first} 0 R 91 0 R] /SigFlags 3 >>".encode(),
        91: b"<< " + WIDGET + b" /FT /Sig /T (Twin) /Rect [0 0 0 0] /V %d 0 R >>" % value,
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
    "garbage", [b"\n\0", b"garbage", b"%%EOF\n", b"\0" * 3000, b"9 0 obj\n<< >>\nendobj\n%%EOF\n"]
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
