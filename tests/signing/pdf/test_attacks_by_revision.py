"""Revisions that an attacker puts behind a seal: each is named, and none of them passes.

The seal is intact in every one of these files. What is shown would be another document: through a page, what
a page inherits, what it draws with, what lies over it, what a reader does when it opens the file, or through
the table that says where objects are.
"""

from __future__ import annotations

import pytest
from world.desk import Desk, append_revision, plain_pdf

from signing.pdf._pyhanko.parser import open_reader
from signing.reasons import Reason
from signing.report import Indication

HEAD = b"<< /Type /Page /Parent 2 0 R /Contents 11 0 R"
FONTS = b" /Resources << /Font << /F1 3 0 R >> >>"
TREE = b"<< /Type /Pages /Kids [10 0 R] /Count 1 /MediaBox [0 0 595 842]"
DRAWN = b"<< /Subtype /Form /BBox [0 0 9 9] /Length 12 >>\nstream\n0 0 9 9 re f\nendstream"
PAGES: dict[str, dict[int, bytes]] = {
    "the page is turned upside down": {10: HEAD + FONTS + b" /Rotate 180 >>"},
    "the page is cropped to what suits": {10: HEAD + FONTS + b" /CropBox [0 0 300 300] >>"},
    "the page gets a user unit": {10: HEAD + FONTS + b" /UserUnit 3 >>"},
    "the page draws more": {
        10: HEAD.replace(b"11 0 R", b"[11 0 R 90 0 R]") + FONTS + b" >>",
        90: b"<< /Length 14 >>\nstream\n0 0 99 99 re f\nendstream",
    },
    "the page draws nothing": {10: b"<< /Type /Page /Parent 2 0 R" + FONTS + b" >>"},
    "the page gets other fonts": {
        10: HEAD + b" /Resources << /Font << /F1 90 0 R >> >> >>",
        90: b"<< /Type /Font /Subtype /Type1 /BaseFont /Symbol >>",
    },
    "the page acts when it is opened": {10: HEAD + FONTS + b" /AA << /O << /S /JavaScript /JS (x) >> >> >>"},
    "the page has a group that blends": {10: HEAD + FONTS + b" /Group << /S /Transparency /K true >> >>"},
    "the font is swapped": {3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Symbol >>"},
    "the font gets another encoding": {
        3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica"
        b" /Encoding << /Differences [48 /nine /eight] >> >>"
    },
    "all pages inherit another size": {2: TREE.replace(b"842", b"99") + b" >>"},
    "all pages inherit a turn": {2: TREE + b" /Rotate 90 >>"},
    "a page is put before": {
        2: TREE.replace(b"[10 0 R] /Count 1", b"[90 0 R 10 0 R] /Count 2") + b" >>",
        90: b"<< /Type /Page /Parent 2 0 R >>",
    },
    "a page is shown twice": {2: TREE.replace(b"[10 0 R] /Count 1", b"[10 0 R 10 0 R] /Count 2") + b" >>"},
    "every page is taken out": {2: b"<< /Type /Pages /Kids [] /Count 0 >>"},
    "a text lies over the page": {
        10: HEAD + FONTS + b" /Annots [90 0 R] >>",
        90: b"<< /Type /Annot /Subtype /FreeText /Rect [9 9 99 99] /Contents (no) /AP << /N 91 0 R >> >>",
        91: DRAWN,
    },
    "a stamp lies over the page": {
        10: HEAD + FONTS + b" /Annots [90 0 R] >>",
        90: b"<< /Type /Annot /Subtype /Stamp /Rect [9 9 99 99] /AP << /N 91 0 R >> >>",
        91: DRAWN,
    },
    "a link leads elsewhere": {
        10: HEAD + FONTS + b" /Annots [90 0 R] >>",
        90: b"<< /Type /Annot /Subtype /Link /Rect [9 9 99 99] /A << /S /URI /URI (http://a.test) >> >>",
    },
    "a strike through the text": {
        10: HEAD + FONTS + b" /Annots [90 0 R] >>",
        90: b"<< /Type /Annot /Subtype /StrikeOut /Rect [70 690 300 730] /QuadPoints [70 690 300 730] >>",
    },
    "a page's picture of content is redefined": {11: b"<< /Length 0 >>\nstream\n\nendstream"},
}
CATALOGUE: dict[str, bytes] = {
    "a script that runs when the file is opened": b" /OpenAction << /S /JavaScript /JS (x) >>",
    "a program that starts when the file is opened": b" /OpenAction << /S /Launch /F (x) >>",
    "actions of the whole document": b" /AA << /WP << /S /JavaScript /JS (x) >> >>",
    "scripts by name": b" /Names << /JavaScript << /Names [(a) << /S /JavaScript /JS (x) >>] >> >>",
    "a file put in": b" /Names << /EmbeddedFiles << /Names [(a) << /Type /Filespec /F (a) >>] >> >>",
    "layers that hide": b" /OCProperties << /OCGs [] /D << /BaseState /OFF >> >>",
    "other words for each page": b" /PageLabels << /Nums [0 << /P (page 7 of ) >>] >>",
    "a collection in place of the document": b" /Collection << /View /H >>",
    "a reader's preferences": b" /ViewerPreferences << /HideToolbar true >>",
}


def keeping_the_form(sealed: bytes) -> bytes:
    """What the catalogue must say so that the seal is still found."""
    reader = open_reader(sealed)
    root = reader.root
    permissions = root["/Perms"].raw_get("/DocMDP").idnum
    form = root.raw_get("/AcroForm").idnum
    return b" /AcroForm %d 0 R /Perms << /DocMDP %d 0 R >>" % (form, permissions)


@pytest.fixture(scope="module")
def bare(desk: Desk) -> bytes:
    return desk.seal(plain_pdf(), stamped=False)


@pytest.mark.parametrize("name", PAGES)
def test_what_is_shown_is_changed(desk: Desk, bare: bytes, name: str) -> None:
    report = desk.verify(append_revision(bare, PAGES[name]))
    assert report.indication is Indication.FAILED
    assert report.reasons == {Reason.DOCUMENT_CHANGED_AFTER_SIGNING}


@pytest.mark.parametrize("name", CATALOGUE)
def test_what_the_document_does_is_changed(desk: Desk, bare: bytes, name: str) -> None:
    body = b"<< /Type /Catalog /Pages 2 0 R" + keeping_the_form(bare) + CATALOGUE[name] + b" >>"
    report = desk.verify(append_revision(bare, {1: body}))
    assert report.indication is Indication.FAILED
    assert report.reasons == {Reason.DOCUMENT_CHANGED_AFTER_SIGNING}


def test_a_page_freed(desk: Desk, bare: bytes) -> None:
    start = len(bare)
    previous = int(bare[bare.rindex(b"startxref") + 9 :].split()[0])
    freed = b"xref\n11 1\n0000000000 00001 f \ntrailer\n<< /Size 40 /Root 1 0 R /Prev %d >>\n" % previous
    report = desk.verify(bare + freed + b"startxref\n%d\n%%%%EOF\n" % start)
    assert report.indication is Indication.FAILED


def test_a_table_that_leads_back_to_an_older_content(desk: Desk) -> None:
    hidden = plain_pdf("Licence 999")
    older = hidden.index(b"11 0 obj")
    content = b"BT /F1 24 Tf 72 700 Td (Licence 001) Tj ET"
    shown = append_revision(
        hidden, {11: b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content)}
    )
    sealed = desk.seal(shown, stamped=False)
    previous = int(sealed[sealed.rindex(b"startxref") + 9 :].split()[0])
    back = b"xref\n11 1\n%010d 00000 n \ntrailer\n<< /Size 40 /Root 1 0 R /Prev %d >>\n" % (older, previous)
    report = desk.verify(sealed + back + b"startxref\n%d\n%%%%EOF\n" % len(sealed))
    assert desk.verify(sealed).passed
    assert report.reasons == {Reason.DOCUMENT_CHANGED_AFTER_SIGNING}
