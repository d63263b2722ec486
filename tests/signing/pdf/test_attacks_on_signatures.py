"""Signatures that attackers bend: what they leave out, what they are made of, and which fields show them.

The classes are those of the literature: universal signature forgery (a signature that nobody can check),
incremental saving, signature wrapping (the byte range moved around what was signed), and games with fields.
Each row names the attack and the reasons, one of which it has to be refused for.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from world.pdf_bytes import byte_range, with_byte_range
from world.pdf_paper import SLOT, Paper, filled, last_table, place_of, references, revised, stream

from signing.reasons import Reason
from signing.report import Indication

if TYPE_CHECKING:
    from collections.abc import Callable

    from world.desk import Desk

COVERAGE, FORMAT, NONE = Reason.COVERAGE_INCOMPLETE, Reason.FORMAT_FAILURE, Reason.NO_SIGNATURE
CHANGED, HASH, SHARED = Reason.DOCUMENT_CHANGED_AFTER_SIGNING, Reason.HASH_FAILURE, Reason.SIGNATURE_SHARED
ODD = Reason.UNSUPPORTED_SIGNATURE
BROKEN = {COVERAGE, FORMAT, HASH}
OTHER_TEXT = stream(b"BT /F1 24 Tf 72 700 Td (Licence 999) Tj ET")


@pytest.fixture(scope="module")
def paper(desk: Desk) -> Paper:
    """A page that the agency signed, without a certification."""
    return Paper().sign(desk.agency)


def refused(desk: Desk, pdf: bytes, reasons: set[Reason]) -> None:
    report = desk.verify(pdf)
    assert not report.passed
    assert report.indication is not Indication.PASSED
    assert report.then is not Indication.PASSED
    assert report.reasons & reasons, (report.reasons, [check.detail for check in report.checks])


def in_place(pdf: bytes, old: bytes, new: bytes) -> bytes:
    """The file with the last occurrence changed, nothing moved."""
    place = pdf.rindex(old)
    assert len(new) <= len(old)
    return pdf[:place] + new.ljust(len(old)) + pdf[place + len(old) :]


def value_with(paper: Paper, old: bytes, new: bytes) -> bytes:
    """A revision in which the signature's value is changed, as in incremental forgeries."""
    body = paper.pdf[place_of(paper.pdf, 41) :]
    body = body[body.index(b"<<") : body.index(b"endobj")]
    assert old in body
    return paper.copy().write({41: body.replace(old, new)}).pdf


# Universal signature forgery: a revision makes the value one that cannot be checked.
CONTENTS, RANGE = b"<the contents>", b"<the byte range>"
WITHOUT: dict[str, tuple[bytes, bytes]] = {
    "no contents": (b"/Contents " + CONTENTS, b""),
    "contents null": (CONTENTS, b"null"),
    "contents empty": (CONTENTS, b"<>"),
    "contents one zero": (CONTENTS, b"<00>"),
    "contents all zeros": (CONTENTS, b"<" + b"0" * 18000 + b">"),
    "contents no hex": (CONTENTS, b"<zz00>"),
    "contents a literal string": (CONTENTS, b"(" + b"\\060\\202" * 20 + b")"),
    "contents elsewhere": (CONTENTS, b"11 0 R"),
    "contents an array": (CONTENTS, b"[<00>]"),
    "no byte range": (b"/ByteRange", b"/NoRange"),
    "byte range null": (RANGE, b"/ByteRange null"),
    "byte range empty": (RANGE, b"/ByteRange []"),
    "byte range of zeros": (RANGE, b"/ByteRange [0 0 0 0]"),
    "byte range of two": (RANGE, b"/ByteRange [0 9999999]"),
    "byte range elsewhere": (RANGE, b"/ByteRange 11 0 R"),
    "byte range a name": (RANGE, b"/ByteRange /All"),
    "byte range with negatives": (RANGE, b"/ByteRange [0 -1 -1 -1]"),
    "byte range of huge numbers": (RANGE, b"/ByteRange [0 9 %d %d]" % (1 << 63, 1 << 64)),
    "byte range of huge digits": (RANGE, b"/ByteRange [0 9 " + b"9" * 900 + b" 1]"),
    "no subfilter": (b"/SubFilter /ETSI.CAdES.detached", b""),
    "subfilter a string": (b"/SubFilter /ETSI.CAdES.detached", b"/SubFilter (ETSI.CAdES.detached)"),
    "subfilter of an array": (b"/SubFilter /ETSI.CAdES.detached", b"/SubFilter [/ETSI.CAdES.detached]"),
    "subfilter of SHA-1": (b"/ETSI.CAdES.detached", b"/adbe.pkcs7.sha1"),
    "subfilter of raw RSA": (b"/ETSI.CAdES.detached", b"/adbe.x509.rsa_sha1"),
    "copied in a later revision": (b"/Type", b"/Type"),
}


@pytest.mark.parametrize("name", WITHOUT)
def test_a_value_that_cannot_be_checked(desk: Desk, paper: Paper, name: str) -> None:
    old, new = WITHOUT[name]
    ranges: list[bytes] = re.findall(rb"/ByteRange \[[^\]]*\]", paper.pdf)
    _, start, end, _ = byte_range(paper.pdf)
    old = old.replace(RANGE, ranges[-1]).replace(CONTENTS, paper.pdf[start:end])
    refused(desk, value_with(paper, old, new), {*BROKEN, ODD, CHANGED})


FIELD = b"<< /Type /Annot /Subtype /Widget /FT /Sig /T (Signature1) /P 10 0 R %b /Rect [0 0 0 0] /F 132 >>"
FIELDS: dict[str, tuple[Callable[[Paper], Paper], set[Reason]]] = {
    "the value is null": (lambda p: p.write({40: FIELD % b"/V null"}), {NONE, FORMAT}),
    "the value is gone": (lambda p: p.write({40: FIELD % b""}), {NONE}),
    "the value is freed": (lambda p: p.write({}, freed=(41,)), {NONE} | BROKEN),
    "the field is freed": (lambda p: p.write({}, freed=(40,)), {NONE} | BROKEN),
    "the form is freed": (lambda p: p.write({}, freed=(20,)), {NONE} | BROKEN),
    "the value is a number": (lambda p: p.write({40: FIELD % b"/V 7"}), {ODD, NONE} | BROKEN),
    "the value is a dictionary in the field": (
        lambda p: p.write({40: FIELD % (b"/V << /Type /Sig /Contents <00> >>")}),
        {ODD} | BROKEN,
    ),
    "the value is an array": (lambda p: p.write({40: FIELD % b"/V [41 0 R]"}), {ODD, NONE} | BROKEN),
    "the value is another object": (lambda p: p.write({40: FIELD % b"/V 11 0 R"}), {ODD} | BROKEN),
    "the field is a text now": (
        lambda p: p.write({40: FIELD.replace(b"/Sig", b"/Tx") % b"/V 41 0 R"}),
        {NONE, CHANGED},
    ),
    "the field has no kind": (
        lambda p: p.write({40: FIELD.replace(b"/FT /Sig", b"") % b"/V 41 0 R"}),
        {NONE, CHANGED},
    ),
    "the form lists no fields": (lambda p: p.write({20: {"Fields": b"[]", "SigFlags": b"3"}}), {NONE}),
    "the form is an array": (lambda p: p.write({20: b"[40 0 R]"}), {NONE}),
    "the field is renamed": (
        lambda p: p.write({40: FIELD.replace(b"Signature1", b"Another") % b"/V 41 0 R"}),
        {CHANGED},
    ),
    "the signature stands in a second field of its name": (
        lambda p: p.write({20: {"Fields": b"[40 0 R 60 0 R]", "SigFlags": b"3"}, 60: FIELD % b"/V 41 0 R"}),
        {SHARED},
    ),
    "one field is listed twice": (
        lambda p: p.write({20: {"Fields": b"[40 0 R 40 0 R]", "SigFlags": b"3"}}),
        {SHARED},
    ),
    "the field hangs below another now": (
        lambda p: p.write(
            {
                20: {"Fields": b"[60 0 R]", "SigFlags": b"3"},
                60: b"<< /T (Up) /Kids [40 0 R] >>",
                40: FIELD % b"/V 41 0 R /Parent 60 0 R",
            }
        ),
        {CHANGED},
    ),
    "the field is its own kid": (
        lambda p: p.write({40: FIELD % b"/V 41 0 R /Kids [40 0 R]"}),
        {Reason.TOO_LARGE, SHARED, CHANGED, FORMAT},
    ),
    "a copy of the value in another field": (
        lambda p: p.write(
            {
                20: {"Fields": b"[40 0 R 60 0 R]", "SigFlags": b"3"},
                60: FIELD.replace(b"Signature1", b"Twin") % b"/V 61 0 R",
                61: p.pdf[
                    p.pdf.rindex(b"41 0 obj") + 8 : p.pdf.rindex(b"endobj", 0, p.pdf.rindex(b"xref\n"))
                ],
            }
        ),
        {COVERAGE},
    ),
}


@pytest.mark.parametrize("name", FIELDS)
def test_fields_that_show_the_signature_otherwise(desk: Desk, paper: Paper, name: str) -> None:
    change, reasons = FIELDS[name]
    refused(desk, change(paper.copy()).pdf, reasons)


def moved_behind(paper: Paper, evil: bytes) -> bytes:
    """Wrapping: what was signed behind the gap moves to the end, and the attacker's bytes take its place."""
    pdf = paper.pdf
    _, start, end, length = byte_range(pdf)
    tail = pdf[end:]
    forged = pdf[:end] + evil
    forged = forged.ljust(len(forged) + 10) + tail
    return with_byte_range(forged, 0, start, len(forged) - length, length)


def gap_larger(paper: Paper, evil: bytes) -> bytes:
    """Wrapping: the string ends early, and objects stand where its padding was."""
    _, start, end, _ = byte_range(paper.pdf)
    text = paper.pdf[start:end]
    short = text[:-1].rstrip(b"0")
    short += b"0" * (len(short) % 2 == 0) + b">"
    return paper.pdf[:start] + (short + evil).ljust(len(text)) + paper.pdf[end:]


EVIL = b"\n11 0 obj\n" + OTHER_TEXT + b"\nendobj\n"
WRAPPED: dict[str, Callable[[Paper], bytes]] = {
    "what was signed moves behind an object": lambda p: moved_behind(p, EVIL),
    "what was signed moves behind spaces": lambda p: moved_behind(p, b"  "),
    "what was signed moves behind a second string": lambda p: moved_behind(p, b"/Contents <00>"),
    "what was signed moves behind a table": lambda p: moved_behind(
        p, EVIL + b"xref\n0 0\ntrailer\n<< >>\nstartxref\n0\n%%EOF\n"
    ),
    "an object in the padding": lambda p: gap_larger(p, EVIL + b"<"),
    "a comment in the padding": lambda p: gap_larger(p, b"% more <00>"),
    "spaces in the padding": lambda p: gap_larger(p, b" " * 20 + b">"),
    "an entry in the padding": lambda p: gap_larger(p, b"/Evil (x) /Contents2 <00>"),
    "the gap begins before the string": lambda p: moved(p, -9, 0, 0),
    "the gap begins behind the opening": lambda p: moved(p, 1, 0, 0),
    "the gap ends before the closing": lambda p: moved(p, 0, -1, 1),
    "the gap ends behind the closing": lambda p: moved(p, 0, 1, -1),
    "the last bytes are left out": lambda p: moved(p, 0, 0, -6),
    "the range is longer than the file": lambda p: moved(p, 0, 0, 1),
    "the second range lies before the first": lambda p: with_range(p, b"[%d %d 0 %d]", (2, 3, 1)),
    "a third range": lambda p: with_range(p, b"[0 %d %d %d 0 0]", (1, 2, 3)),
    "real numbers": lambda p: with_range(p, b"[0. %d %d %d]", (1, 2, 3)),
    "texts for numbers": lambda p: with_range(p, b"[0 %d %d (%d)]", (1, 2, 3)),
    "ranges that overlap": lambda p: with_range(p, b"[0 %d %d %d]", (2, 1, 3)),
}


def moved(paper: Paper, start: int, end: int, length: int) -> bytes:
    first, begin, finish, size = byte_range(paper.pdf)
    return with_byte_range(paper.pdf, first, begin + start, finish + end, size + length)


def with_range(paper: Paper, form: bytes, which: tuple[int, ...]) -> bytes:
    numbers = byte_range(paper.pdf)
    said = b"/ByteRange " + form % tuple(numbers[one] for one in which)
    return in_place(paper.pdf, re.findall(rb"/ByteRange \[[^\]]*\] *", paper.pdf)[-1], said)


@pytest.mark.parametrize("name", WRAPPED)
def test_the_byte_range_is_bent(desk: Desk, paper: Paper, name: str) -> None:
    refused(desk, WRAPPED[name](paper), BROKEN)


# The signer signs these: what is in the file is made before, and the byte range is not what it says.
def odd_slot(desk: Desk, place: bytes, contents: bytes | None = None, **how: object) -> bytes:
    how = {"place": place, **({"contents": contents} if contents else {}), **how}
    return Paper().sign(desk.agency, **how).pdf  # type: ignore[arg-type]


def twins(desk: Desk) -> bytes:
    """Two fields have the value from the first moment on."""
    paper = Paper()
    twin = {60: FIELD.replace(b"Signature1", b"Twin") % b"/V 41 0 R"}
    paper.fields, paper.notes = [60], [60]
    return paper.sign(desk.agency, more=twin).pdf


def nested(desk: Desk) -> bytes:
    """A second signature's dictionary is written into the padding of the first, and signed as well."""
    paper = Paper().sign(desk.agency)
    _, _, end, _ = byte_range(paper.pdf)
    inner = b"<00> >>\nendobj\n60 0 obj\n<< /Type /Sig >>"
    return paper.pdf[: end - len(inner) - 1] + inner + b">" + paper.pdf[end:]


def fake_end(desk: Desk, text: bytes) -> bytes:
    """The range goes up to something that only looks like the end of a revision."""
    paper = Paper().slot(before=text)
    until = paper.pdf.index(b"%%EOF", paper.pdf.rindex(b"41 0 obj")) + 6
    return filled(paper.pdf, desk.agency, until=until)


ZEROS = b"<" + b"00" * 9000 + b">"
SIGNED_ODDLY: dict[str, Callable[[Desk], bytes]] = {
    "contents named twice, empty first": lambda d: odd_slot(d, SLOT, b"/Contents <> /Contents " + ZEROS),
    "contents named twice, empty last": lambda d: odd_slot(d, SLOT, b"/Contents " + ZEROS + b" /Contents <>"),
    "contents escaped beside": lambda d: odd_slot(d, SLOT, b"/Contents " + ZEROS + b" /#43ontents <00>"),
    "contents escaped only": lambda d: odd_slot(d, SLOT, b"/Conten#74s " + ZEROS),
    "contents in an inner dictionary": lambda d: odd_slot(d, SLOT, b"/Inner << /Contents " + ZEROS + b" >>"),
    "contents in a text": lambda d: odd_slot(d, SLOT, b"/Contents <00> /Text (/Contents " + ZEROS + b")"),
    "contents behind a comment": lambda d: odd_slot(d, SLOT, b"/Contents <00> % /Contents " + ZEROS + b"\n"),
    "byte range named twice": lambda d: odd_slot(d, b"/ByteRange [0 1 2 3] " + SLOT),
    "byte range named twice, escaped": lambda d: odd_slot(d, b"/#42yteRange [0 1 2 3] " + SLOT),
    "two subfilters": lambda d: odd_slot(d, b"/SubFilter /adbe.x509.rsa_sha1 " + SLOT),
    "two signatures of one value": twins,
    "an earlier signature lies in a later one's gap": nested,
    "signed up to a comment that looks like the end": lambda d: fake_end(d, b"% %%EOF\n"),
    "signed up to an end inside a stream": lambda d: fake_end(
        d, b"90 0 obj\n" + stream(b"%%EOF\n") + b"\nendobj\n"
    ),
}


@pytest.mark.parametrize("name", SIGNED_ODDLY)
def test_signatures_that_were_made_odd(desk: Desk, name: str) -> None:
    refused(desk, SIGNED_ODDLY[name](desk), {*BROKEN, SHARED, CHANGED})


# Incremental saving: something comes behind the signature, more or less like a revision.
def without(pdf: bytes, paper: Paper, what: bytes) -> bytes:
    return pdf[: len(paper.pdf)] + pdf[len(paper.pdf) :].replace(what, b"")


def saved(paper: Paper, **how: object) -> bytes:
    return paper.copy().write({11: OTHER_TEXT}, **how).pdf


SAVED: dict[str, Callable[[Paper], bytes]] = {
    "a whole revision": saved,
    "a revision with a stream of references": lambda p: saved(p, layout="stream"),
    "a revision of packed objects": lambda p: (
        p.copy().write({10: p.entry(10, Rotate=b"90")}, layout="packed").pdf
    ),
    "a hybrid revision": lambda p: p.copy().write({10: p.entry(10, Rotate=b"90")}, layout="hybrid").pdf,
    "an object alone": lambda p: p.pdf + b"11 0 obj\n" + OTHER_TEXT + b"\nendobj\n",
    "an object and a trailer": lambda p: (
        p.pdf + b"11 0 obj\n" + OTHER_TEXT + b"\nendobj\ntrailer\n<< /Root 1 0 R /Size 50 >>\n"
    ),
    "an object and an end": lambda p: p.pdf + b"11 0 obj\n" + OTHER_TEXT + b"\nendobj\n%%EOF\n",
    "no table": lambda p: (
        p.pdf
        + b"11 0 obj\n%b\nendobj\ntrailer\n<< /Root 1 0 R /Size 50 /Prev %d >>\nstartxref\n%d\n%%%%EOF\n"
        % (OTHER_TEXT, last_table(p.pdf) or 0, last_table(p.pdf) or 0)
    ),
    "a table without startxref": lambda p: re.sub(rb"startxref\n\d+\n%%EOF\n\Z", b"", saved(p)),
    "a table that begins anew": lambda p: re.sub(rb" /Prev \d+", b"", saved(p)),
    "a table without a trailer": lambda p: without(saved(p), p, b"trailer"),
    "a whole second document": lambda p: p.pdf + Paper().pdf,
    "the same document once more": lambda p: p.pdf + p.pdf,
    "an end only": lambda p: p.pdf + b"%%EOF\n",
    "a comment": lambda p: p.pdf + b"% nothing\n",
    "spaces": lambda p: p.pdf + b" " * 100,
    "an empty revision with other roots": lambda p: revised(
        p.pdf, {60: b"<< /Type /Catalog /Pages 2 0 R >>"}, root=60
    ),
    "a copy of the catalogue without the form": lambda p: (
        p.copy().write({1: {"Type": b"/Catalog", "Pages": b"2 0 R"}}).pdf
    ),
}


@pytest.mark.parametrize("name", SAVED)
def test_something_is_saved_behind(desk: Desk, paper: Paper, name: str) -> None:
    refused(desk, SAVED[name](paper), {CHANGED, FORMAT, COVERAGE, NONE})


def test_the_page_that_all_these_start_from_is_good(desk: Desk, paper: Paper) -> None:
    assert desk.verify(paper.pdf).passed
    assert references(paper.fields) == b"[40 0 R]"
