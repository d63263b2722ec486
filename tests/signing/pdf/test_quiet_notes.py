"""Notes behind a certification that permits comments (DocMDP 3): small ones are told, others are refused.

The attacks on certified documents put what looks like content into comments: text, stamps, covers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.pdf_paper import Paper, references, stream
from world.pdf_rich import ANNOTATION, rich

from signing.pdf.profiles.words import in_words
from signing.policy import Policy
from signing.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from world.desk import Desk
    from world.pdf_paper import Body

CHANGED = {Reason.DOCUMENT_CHANGED_AFTER_SIGNING}
NOTE = b"<< %b /Subtype /Text /T (Li) /Contents (please check) /Rect [100 600 124 624] %%b >>" % ANNOTATION
POPUP = b"<< %b /Subtype /Popup /Parent 200 0 R /Rect [300 500 500 600] %%b >>" % ANNOTATION
LOOK = stream(b"0 0 9 9 re f", b"/Subtype /Form /BBox [0 0 24 24]")


def put(paper: Paper, notes: dict[int, Body]) -> Paper:
    """Put annotations on the page; those of a high number are things that belong to them."""
    paper.notes += [number for number in notes if number < 250]
    return paper.write({**notes, 10: paper.entry(10, Annots=references(paper.notes))})


def certified(desk: Desk, permission: int | None = 3) -> Paper:
    return rich().sign(desk.agency, permission=permission)


def one(body: bytes, more: dict[int, Body] | None = None) -> Callable[[Desk], Paper]:
    return lambda desk: put(certified(desk), {200: body, **(more or {})})


GOOD: dict[str, Callable[[Desk], Paper]] = {
    "a note": one(NOTE % b""),
    "a note with an icon and a colour": one(NOTE % b"/Name /Comment /C [1 1 0] /CA 0.5 /NM (a) /M (D:2026)"),
    "a note with its window": lambda d: put(certified(d), {200: NOTE % b"/Popup 201 0 R", 201: POPUP % b""}),
    "a note that says nothing of its page": one(NOTE.replace(b"/P 10 0 R", b"") % b""),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_note_is_told(desk: Desk, name: str) -> None:
    report = desk.verify(GOOD[name](desk).pdf)
    assert report.passed, [(check.name, check.detail) for check in report.checks if check.reason]
    finding = report.findings["signatures"][0]
    assert finding["changes_after"] == "permitted"
    says = [line.en for line in in_words(finding)]
    assert "a note was put on after signing, nobody signed for it: Li: please check" in says


def test_a_note_behind_which_somebody_signs(desk: Desk) -> None:
    paper = put(certified(desk), {200: NOTE % b""}).sign(desk.citizen, "Second")
    report = desk.verify(paper.pdf)
    assert report.passed
    assert report.findings["signatures"][0]["unsigned"][0]["value"] == "please check"


KINDS = (
    "FreeText Stamp Redact Highlight Underline StrikeOut Squiggly Square Circle Line Ink Polygon PolyLine"
    " Caret FileAttachment Sound Movie Screen Link Widget Watermark 3D RichMedia PrinterMark TrapNet Other"
)
BAD: dict[str, Callable[[Desk], Paper]] = {
    **{f"a {kind}": one(NOTE.replace(b"/Text", b"/" + kind.encode()) % b"") for kind in KINDS.split()},
    "a note with a look": one(NOTE % b"/AP << /N 260 0 R >>", {260: LOOK}),
    "a note with an appearance by state": one(NOTE % b"/AS /On"),
    "a note as large as the page": one(NOTE.replace(b"100 600 124 624", b"0 0 595 842") % b""),
    "a note that is long": one(NOTE.replace(b"100 600 124 624", b"72 690 400 720") % b""),
    "a note without a place": one(NOTE.replace(b"/Rect [100 600 124 624]", b"") % b""),
    "a note that is open": one(NOTE % b"/Open true"),
    "a note with an icon of its own": one(NOTE % b"/Name /Digit9"),
    "a note that does something": one(NOTE % b"/A << /S /URI /URI (http://a.test) >>"),
    "a note that does more": one(NOTE % b"/AA << /E << /S /JavaScript /JS (0) >> >>"),
    "a note on a layer": one(NOTE % b"/OC 80 0 R"),
    "a note in rich text": one(NOTE % b"/RC (<p>void</p>)"),
    "an answer to another note": one(NOTE % b"/IRT 92 0 R /RT /Group"),
    "a note of another page": one(NOTE.replace(b"/P 10 0 R", b"/P 2 0 R") % b""),
    "a note with odd flags": one(NOTE.replace(b"/F 4", b"/F 4294967296") % b""),
    "a window that is open": lambda d: put(
        certified(d), {200: NOTE % b"/Popup 201 0 R", 201: POPUP % b"/Open true"}
    ),
    "a window of a comment that was there": one(POPUP.replace(b"200", b"92") % b""),
    "a window of nothing": one(POPUP.replace(b"/Parent 200 0 R", b"") % b""),
    "a window of itself": one(POPUP % b""),
    "a note and a stamp": lambda d: put(
        certified(d), {200: NOTE % b"", 201: NOTE.replace(b"/Text", b"/Stamp") % b""}
    ),
    "a note, and another one is changed": lambda d: put(certified(d), {200: NOTE % b""}).write(
        {92: NOTE % b""}
    ),
    "so many notes that they cover the page": lambda d: put(
        certified(d), {200 + n: NOTE.replace(b"please", b"please %d" % n) % b"" for n in range(9)}
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_any_other_comment_is_refused(desk: Desk, name: str) -> None:
    assert desk.verify(BAD[name](desk).pdf).reasons == CHANGED


@pytest.mark.parametrize("permission", [None, 1, 2])
def test_a_note_that_nobody_permits(desk: Desk, permission: int | None) -> None:
    assert desk.verify(put(certified(desk, permission), {200: NOTE % b""}).pdf).reasons == CHANGED


def test_a_policy_that_permits_no_notes(desk: Desk) -> None:
    made = put(certified(desk), {200: NOTE % b""}).pdf
    assert desk.verify(made, policy=Policy(allowed_changes="form")).reasons == CHANGED
    assert desk.verify(made, policy=Policy(allowed_changes="annotation")).passed


def test_notes_that_say_the_same_are_many_all_the_same(desk: Desk) -> None:
    made = put(certified(desk), {200 + n: NOTE % b"" for n in range(9)})
    assert desk.verify(made.pdf).reasons == CHANGED
    assert desk.verify(put(certified(desk), {200 + n: NOTE % b"" for n in range(8)}).pdf).passed
