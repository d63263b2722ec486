"""Files that are made to keep us busy: they are given up within bounds."""

from __future__ import annotations

import zlib

import pytest
from world.desk import Desk, append_revision, plain_pdf

from signing.pdf import attachments
from signing.reasons import Reason
from signing.report import Indication
from yinxin.base.errors import MalformedInput

FAILED = Indication.FAILED


def test_too_large_and_too_many(desk: Desk, sealed: bytes) -> None:
    assert desk.verify(sealed, max_bytes=1000).reasons == {Reason.TOO_LARGE}
    with pytest.raises(MalformedInput):
        attachments(sealed, max_bytes=1000)


def test_files_that_make_endless_work_are_given_up(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signing.pdf.parsing.lexer.MAX_WORK", 100_000)
    plain = plain_pdf()
    packed = zlib.compress(bytes(3_000_000))
    stream = (
        b"%%PDF-1.7\n1 0 obj\n<< /Type /XRef /Size 1000000 /W [1 1 1] /Root 2 0 R /Filter /FlateDecode"
        b" /Length %d >>\nstream\n%s\nendstream\nendobj\nstartxref\n9\n%%%%EOF\n" % (len(packed), packed)
    )
    for name, pdf in {
        "values without end": append_revision(
            plain, {1: b"<< /Type /Catalog /X [" + b"0 " * 200_000 + b"] >>"}
        ),
        "a number without end": append_revision(
            plain, {1: b"<< /Type /Catalog /X " + b"9" * 200_000 + b" >>"}
        ),
        "a table of objects that are not there": stream,
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


def test_more_paths_than_can_be_followed_are_not_followed(desk: Desk) -> None:
    chain = {number: b"[%d 0 R %d 0 R]" % (number + 1, number + 1) for number in range(100, 160)}
    many_paths = append_revision(
        plain_pdf(), {1: b"<< /Type /Catalog /Pages 2 0 R /X 100 0 R >>", 160: b"null", **chain}
    )
    sealed = desk.seal(many_paths)
    assert desk.verify(append_revision(sealed, {90: b"null"})).passed  # nothing leads there
    changed = append_revision(sealed, {160: b"(now)"})
    assert desk.verify(changed).reasons == {Reason.DOCUMENT_CHANGED_AFTER_SIGNING}


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
