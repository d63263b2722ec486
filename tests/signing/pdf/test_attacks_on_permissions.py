"""What a signer permits and what comes all the same: certifications, locks, and permissions made weaker.

Evil annotation and sneaky signature attacks live where a certification lets something in. A second signer
of the same trust signs in most rows: a signature does not permit what the certification forbids.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from world.pdf_bytes import byte_range
from world.pdf_paper import DRAWING, PADES, Paper, place_of, references, stream
from world.pdf_rich import ANNOTATION, check_box, drawn, rich, text_field
from world.pki import Pki

from signing.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from world.desk import Desk

    from signing.signers.file import FileSigner

CHANGED, COVERAGE = Reason.DOCUMENT_CHANGED_AFTER_SIGNING, Reason.COVERAGE_INCOMPLETE
NONE, FORMAT = Reason.NO_SIGNATURE, Reason.FORMAT_FAILURE
UNKNOWN = Reason.NO_CERTIFICATE_CHAIN_FOUND
ALL = b"<< /Type /SigFieldLock /Action /All >>"
NAMED = b"<< /Type /SigFieldLock /Action /Include /Fields [(Name)] >>"
OTHERS = b"<< /Type /SigFieldLock /Action /Exclude /Fields [(Agreed)] >>"


def locking(lock: bytes) -> dict[str, bytes]:
    """A signature that locks fields: the field says so, and the value repeats it (12.8.2.4)."""
    entries = lock[2:].replace(b"/Type /SigFieldLock", b"/Type /TransformParams /V /1.2")
    method = b"<< /Type /SigRef /TransformMethod /FieldMDP /TransformParams <<" + entries + b" >>"
    return {"lock": lock, "entries": b"/M (D:20261120120000Z) /Reference [" + method + b"]"}


def refused(desk: Desk, paper: Paper, reasons: set[Reason]) -> None:
    report = desk.verify(paper.pdf)
    assert not report.passed
    assert report.reasons & reasons, report.reasons
    assert report.reasons <= reasons | {CHANGED}, report.reasons


def certified(desk: Desk, permission: int) -> Paper:
    return rich().sign(desk.agency, permission=permission)


def fill(paper: Paper) -> Paper:
    return paper.write({30: text_field(b"Li", look=301), 301: drawn(b"Li")})


def tick(paper: Paper) -> Paper:
    return paper.write({32: check_box(b"Yes")})


def note(paper: Paper, kind: bytes = b"FreeText") -> Paper:
    body = b"<< %b /Subtype /%b /Rect [72 690 400 730] /AP << /N 201 0 R >> >>" % (ANNOTATION, kind)
    paper.notes.append(200)
    return paper.write({200: body, 201: DRAWING, 10: paper.entry(10, Annots=references(paper.notes))})


def also(paper: Paper, desk: Desk) -> Paper:
    return paper.sign(desk.citizen, "Second")


CERTIFIED: dict[str, Callable[[Desk], Paper]] = {
    "nothing is permitted, a field is filled in": lambda d: also(fill(certified(d, 1)), d),
    "nothing is permitted, a field is filled in by nobody": lambda d: fill(certified(d, 1)),
    "nothing is permitted, a box is ticked": lambda d: also(tick(certified(d, 1)), d),
    "nothing is permitted, somebody signs": lambda d: also(certified(d, 1), d),
    "nothing is permitted, a note": lambda d: note(certified(d, 1)),
    "nothing is permitted, the page is drawn anew": lambda d: certified(d, 1).write({11: stream(b"")}),
    "filling in is permitted, a note": lambda d: note(certified(d, 2)),
    "filling in is permitted, a note, somebody signs": lambda d: also(note(certified(d, 2)), d),
    "filling in is permitted, a stamp, somebody signs": lambda d: also(note(certified(d, 2), b"Stamp"), d),
    "filling in is permitted, a note is changed": lambda d: also(
        certified(d, 2).write({93: drawn(b"void")}), d
    ),
    "filling in is permitted, a page more": lambda d: also(
        certified(d, 2).write(
            {
                2: b"<< /Type /Pages /Kids [10 0 R 200 0 R] /Count 2 /MediaBox [0 0 595 842] >>",
                200: b"<< /Type /Page /Parent 2 0 R >>",
            }
        ),
        d,
    ),
    "notes are permitted, by nobody": lambda d: note(certified(d, 3)),
    "notes are permitted, one takes the words away": lambda d: note(certified(d, 3), b"Redact"),
    "notes are permitted, the page is drawn anew": lambda d: also(
        certified(d, 3).write({11: stream(b"")}), d
    ),
    "notes are permitted, a page is turned": lambda d: also(
        (paper := certified(d, 3)).write({10: paper.entry(10, Rotate=b"180")}), d
    ),
    "notes are permitted, a script": lambda d: also(
        (paper := certified(d, 3)).write({1: paper.entry(1, OpenAction=b"<< /S /JavaScript /JS (x) >>")}),
        d,
    ),
    "notes are permitted, a link leads elsewhere": lambda d: certified(d, 3).write(
        {91: b"<< /S /URI /URI (http://b.test) >>"}
    ),
    "a permission that does not exist, somebody fills in": lambda d: fill(certified(d, 9)),
}


@pytest.mark.parametrize("name", CERTIFIED)
def test_more_than_was_permitted(desk: Desk, name: str) -> None:
    refused(desk, CERTIFIED[name](desk), {CHANGED, FORMAT})


def value_again(paper: Paper, old: bytes, new: bytes) -> Paper:
    """The signature's value once more, a little different."""
    number = paper.fields[-1] + 1
    start = place_of(paper.pdf, number)
    body = paper.pdf[paper.pdf.index(b"<<", start) : paper.pdf.index(b"endobj", start)]
    assert old in body
    return paper.write({number: body.replace(old, new)})


WEAKER: dict[str, Callable[[Paper], Paper]] = {
    "the permission is 3 now": lambda p: value_again(p, b"/P 1", b"/P 3"),
    "the permission is gone": lambda p: value_again(p, b"/P 1", b""),
    "the transformation is another": lambda p: value_again(p, b"/DocMDP", b"/UR3"),
    "the reference is gone": lambda p: value_again(p, b"/Reference", b"/Nothing"),
    "the catalogue does not certify": lambda p: p.write(
        {1: {key: value for key, value in p.entry(1).items() if key != "Perms"}}
    ),
    "the catalogue certifies with nothing": lambda p: p.write({1: p.entry(1, Perms=b"<< >>")}),
    "the catalogue certifies with null": lambda p: p.write({1: p.entry(1, Perms=b"<< /DocMDP null >>")}),
    "the catalogue certifies with what is not there": lambda p: p.write(
        {1: p.entry(1, Perms=b"<< /DocMDP 77 0 R >>")}
    ),
    "the catalogue gives rights of use": lambda p: p.write(
        {1: p.entry(1, Perms=b"<< /UR3 %d 0 R >>" % (p.fields[-1] + 1))}
    ),
    "the catalogue names rights beside": lambda p: p.write(
        {1: p.entry(1, Perms=p.entry(1)["Perms"][:-2] + b" /UR3 77 0 R >>")}
    ),
}


@pytest.mark.parametrize("name", WEAKER)
def test_the_certification_is_made_weaker(desk: Desk, name: str) -> None:
    paper = WEAKER[name](certified(desk, 1))
    refused(desk, paper.copy(), {CHANGED, COVERAGE, FORMAT})
    refused(desk, fill(paper), {CHANGED, COVERAGE, FORMAT})


def locked(desk: Desk, lock: bytes) -> Paper:
    return rich().sign(desk.agency, **locking(lock))


LOCKED: dict[str, Callable[[Desk], Paper]] = {
    "all are locked, one is filled in": lambda d: fill(locked(d, ALL)),
    "all are locked, one is filled in, somebody signs": lambda d: also(fill(locked(d, ALL)), d),
    "all are locked, a box is ticked, somebody signs": lambda d: also(tick(locked(d, ALL)), d),
    "one is locked and filled in, somebody signs": lambda d: also(fill(locked(d, NAMED)), d),
    "all but one are locked, another is filled in, somebody signs": lambda d: also(
        fill(locked(d, OTHERS)), d
    ),
    "a locked one looks otherwise, somebody signs": lambda d: also(
        locked(d, NAMED).write({31: drawn(b"Li")}), d
    ),
    "the lock is taken off, one is filled in, somebody signs": lambda d: also(
        fill(
            (paper := locked(d, ALL)).write(
                {
                    paper.fields[-1]: b"<< /Type /Annot /Subtype /Widget /FT /Sig /T (Signature1) /P 10 0 R"
                    b" /V %d 0 R /Rect [0 0 0 0] /F 132 >>" % (paper.fields[-1] + 1)
                }
            )
        ),
        d,
    ),
    "the lock names others, one is filled in, somebody signs": lambda d: also(
        fill(value_again(locked(d, NAMED), b"(Name)", b"(None)")), d
    ),
}


@pytest.mark.parametrize("name", LOCKED)
def test_locked_fields_are_changed(desk: Desk, name: str) -> None:
    refused(desk, LOCKED[name](desk), {CHANGED, COVERAGE})


def shown(paper: Paper, signer: FileSigner, rectangle: bytes = b"[60 680 500 760]", **how: object) -> Paper:
    """A signature whose look lies over the page's words."""
    widget = b"/Rect %b /F 132 /AP << /N 210 0 R >>" % rectangle
    return paper.sign(signer, "Cover", widget=widget, more={210: drawn(b"Licence 999")}, **how)


def wearing(paper: Paper, look: bytes, more: bytes = b"/Rect [0 0 0 0] /F 132") -> Paper:
    """The signed field with another look."""
    number = paper.fields[-1]
    body = b"<< /Type /Annot /Subtype /Widget /FT /Sig /T (Cover) /P 10 0 R /V %d 0 R %b %b >>"
    return paper.write({number: body % (number + 1, more, look), 210: drawn(b"Licence 777")})


SNEAKY: dict[str, tuple[Callable[[Desk], Paper], set[Reason]]] = {
    "a stranger's signature covers the page": (
        lambda d: shown(certified(d, 2), Pki().signer("signature")),
        {UNKNOWN},
    ),
    "a stranger certifies once more": (
        lambda d: certified(d, 2).sign(Pki().signer("seal"), "Second", permission=3),
        {UNKNOWN, CHANGED, COVERAGE},
    ),
    "a broken signature covers the page": (
        lambda d: shown(certified(d, 2), lambda _: b"\x30\x00"),  # type: ignore[arg-type]
        {FORMAT},
    ),
    "an empty signature covers the page": (
        lambda d: certified(d, 2).slot(
            "Cover", widget=b"/Rect [60 680 500 760] /AP << /N 210 0 R >>", more={210: drawn(b"999")}
        ),
        {COVERAGE, FORMAT},
    ),
    "a field that nobody signed covers the page": (
        lambda d: certified(d, 2).form(
            {
                200: b"<< %b /Subtype /Widget /FT /Sig /T (Cover) /Rect [60 680 500 760]" % ANNOTATION
                + b" /AP << /N 210 0 R >> >>"
            },
            {210: drawn(b"Licence 999")},
        ),
        {CHANGED},
    ),
    "a seal looks otherwise afterwards": (
        lambda d: shown(rich(), d.agency).write({210: drawn(b"Licence 777")}),
        {CHANGED},
    ),
    "a seal looks otherwise afterwards, somebody signs": (
        lambda d: also(shown(rich(), d.agency).write({210: drawn(b"Licence 777")}), d),
        {CHANGED},
    ),
    "an unseen signature is seen afterwards": (
        lambda d: wearing(rich().sign(d.agency, "Cover"), b"/AP << /N 210 0 R >>", b"/Rect [60 680 500 760]"),
        {CHANGED},
    ),
    "a seal is moved afterwards": (
        lambda d: wearing(shown(rich(), d.agency), b"/AP << /N 210 0 R >>", b"/Rect [300 9 500 99] /F 132"),
        {CHANGED},
    ),
    "a seal is hidden afterwards": (
        lambda d: wearing(shown(rich(), d.agency), b"/AP << /N 210 0 R >>", b"/Rect [60 680 500 760] /F 2"),
        {CHANGED},
    ),
    "a seal has a caption afterwards": (
        lambda d: wearing(
            shown(rich(), d.agency),
            b"/AP << /N 210 0 R >> /MK << /CA (void) >>",
            b"/Rect [60 680 500 760] /F 132",
        ),
        {CHANGED},
    ),
    "a time-stamp that nobody signs with fills in": (
        lambda d: fill(rich().sign(d.agency)).sign(
            lambda signed: stamp_of(d, signed), "Stamp", kind=b"/ETSI.RFC3161", entries=b""
        ),
        {CHANGED},
    ),
    "a seal as a time-stamp": (
        lambda d: rich().sign(d.agency, kind=b"/ETSI.RFC3161", entries=b""),
        {Reason.TIMESTAMP_INVALID, NONE, FORMAT},
    ),
    "a time-stamp as a seal": (
        lambda d: rich().sign(lambda signed: stamp_of(d, signed), kind=PADES),
        {FORMAT, Reason.WRONG_KEY_USAGE, Reason.HASH_FAILURE},
    ),
}


def stamp_of(desk: Desk, signed: bytes) -> bytes:
    return desk.tsa.stamp(hashlib.sha256(signed).digest())


@pytest.mark.parametrize("name", SNEAKY)
def test_signatures_that_cover_and_pretend(desk: Desk, name: str) -> None:
    make, reasons = SNEAKY[name]
    refused(desk, make(desk), reasons)


def test_what_is_permitted_passes(desk: Desk) -> None:
    """The same moves where they are permitted: so it is the permission that refuses them above."""
    for paper in (
        certified(desk, 1),
        also(certified(desk, 2), desk),
        also(fill(certified(desk, 2)), desk),
        also(tick(fill(certified(desk, 3))), desk),
        locked(desk, ALL),
        also(locked(desk, NAMED), desk),
        also(tick(locked(desk, NAMED)), desk),
        shown(certified(desk, 2), desk.citizen, b"[300 209 500 299]"),
    ):
        assert desk.verify(paper.pdf).passed, desk.verify(paper.pdf).reasons
    assert byte_range(certified(desk, 2).pdf)[0] == 0
