"""Content that is changed behind a signature: every thing of a rich page, with and without another signature.

A second signature stands for fields that were filled in before it, and for nothing else: what the first one
covers stays as it is, whoever signs later. The shadow attacks (hide, replace, both) are among these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.pdf_paper import DRAWING, Body, Paper, references
from world.pdf_rich import (
    ANNOTATION,
    FIELDS,
    LOOKS,
    THINGS,
    check_box,
    choice,
    drawn,
    rich,
    text_field,
)

from signing.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from world.desk import Desk

CHANGED, FORMAT = Reason.DOCUMENT_CHANGED_AFTER_SIGNING, Reason.FORMAT_FAILURE


@pytest.fixture(scope="module")
def paper(desk: Desk) -> Paper:
    return rich().sign(desk.agency)


def refused(desk: Desk, paper: Paper, *, followed: bool) -> None:
    """With `followed` a citizen signs behind it: what is refused then, is refused without as well."""
    if followed:
        paper.sign(desk.citizen, "Second")
    report = desk.verify(paper.pdf)
    assert not report.passed
    assert report.reasons <= {CHANGED, FORMAT}, report.reasons
    assert report.reasons


@pytest.mark.parametrize("name", THINGS)
def test_a_thing_is_swapped(desk: Desk, paper: Paper, name: str) -> None:
    number, _, evil = THINGS[name]
    refused(desk, paper.copy().write({number: evil}), followed=True)


@pytest.mark.parametrize("name", THINGS)
def test_a_thing_is_freed(desk: Desk, paper: Paper, name: str) -> None:
    refused(desk, paper.copy().write({}, freed=(THINGS[name][0],)), followed=False)


@pytest.mark.parametrize("name", THINGS)
def test_a_thing_is_prepared_and_shown_later(desk: Desk, name: str) -> None:
    """Both were in the file before it was signed; a table of one row leads to the other."""
    number, _, evil = THINGS[name]
    shadow = rich()
    good = shadow.objects[number]
    shadow.write({number: evil})
    place = shadow.pdf.rindex(b"%d 0 obj" % number)
    shadow.write({number: good}).sign(desk.agency)
    assert desk.verify(shadow.pdf).passed
    refused(desk, shadow.write({}, moved={number: place}), followed=False)


NOTE = b"<< %b /Subtype /%%b /Rect [72 690 400 730] /Contents (no) /AP << /N 201 0 R >> >>" % ANNOTATION


def noted(paper: Paper, body: bytes) -> Paper:
    notes = references([*paper.notes, 200])
    return paper.write({200: body, 201: DRAWING, 10: paper.entry(10, Annots=notes)})


def filled_in(paper: Paper, number: int, body: Body, more: dict[int, Body] | None = None) -> Paper:
    return paper.write({number: body, **(more or {})})


ALTERED: dict[str, Callable[[Paper], Paper]] = {
    **{
        f"an annotation of kind {kind}": lambda p, kind=kind: noted(p, NOTE % kind.encode())  # type: ignore[misc]
        for kind in (
            "FreeText",
            "Stamp",
            "Redact",
            "Square",
            "Ink",
            "Highlight",
            "Popup",
            "Watermark",
            "Screen",
        )
    },
    "a widget without a field": lambda p: noted(p, NOTE % b"Widget"),
    "a widget of a field that is in no form": lambda p: noted(
        p, NOTE.replace(b"/Contents", b"/FT /Tx /T") % b"Widget"
    ),
    "an annotation is gone": lambda p: p.write({10: p.entry(10, Annots=references(p.notes[1:]))}),
    "annotations in another order": lambda p: p.write({10: p.entry(10, Annots=references(p.notes[::-1]))}),
    "an action on a field": lambda p: p.write(
        {30: text_field(more=b"/AA << /F << /S /JavaScript /JS (x) >> >>")}
    ),
    "an action on a box": lambda p: p.write({32: check_box(more=b"/A << /S /Launch /F (x) >>")}),
    "a field is moved": lambda p: p.write(
        {30: text_field().replace(b"[72 600 272 620]", b"[72 700 272 720]")}
    ),
    "a field is hidden": lambda p: p.write({30: text_field().replace(b"/F 4", b"/F 2")}),
    "a field has other letters": lambda p: p.write({30: text_field().replace(b"/F1 12", b"/F9 12")}),
    "a field looks otherwise, its value the same": lambda p: p.write({31: drawn(b"Li")}),
    "a field has another look, its value the same": lambda p: p.write(
        {30: text_field(look=201), 201: drawn(b"Li")}
    ),
    "a box's look is switched, its value the same": lambda p: p.write(
        {32: check_box().replace(b"/AS /Off", b"/AS /Yes")}
    ),
    "a box's states are swapped": lambda p: p.write(
        {32: check_box().replace(b"/Yes 33 0 R /Off 34 0 R", b"/Yes 34 0 R /Off 33 0 R")}
    ),
    "the form's letters are swapped": lambda p: p.write(
        {
            20: p.entry(20, DR=b"<< /Font << /F1 200 0 R >> >>"),
            200: b"<< /Type /Font /Subtype /Type1 /BaseFont /Symbol >>",
        }
    ),
    "a field is renamed": lambda p: p.write({30: text_field().replace(b"(Name)", b"(Maker)")}),
    "a field is of another kind": lambda p: p.write({30: text_field().replace(b"/FT /Tx", b"/FT /Btn")}),
    "a field is on another page": lambda p: p.write({30: text_field().replace(b"/P 10 0 R", b"/P 2 0 R")}),
    "a field is gone": lambda p: p.write({20: p.entry(20, Fields=references(p.fields[1:]))}),
    "a field is freed": lambda p: p.write({}, freed=(30,)),
    "a box's state looks otherwise": lambda p: p.write({34: LOOKS[33]}),
    "a choice has other options": lambda p: p.write({35: choice().replace(b"[(a) (b)]", b"[[(a) (b)] (b)]")}),
    "a field of rich text": lambda p: p.write({30: text_field(more=b"/RV (<p>no</p>) /Ff 33554432")}),
    "the form computes": lambda p: p.write({20: p.entry(20, CO=b"[30 0 R]")}),
    "the form is one of XFA": lambda p: p.write({20: p.entry(20, XFA=b"201 0 R"), 201: DRAWING}),
    "the page's resources are others": lambda p: p.write({10: p.entry(10, Resources=b"<< >>")}),
    "the page is larger": lambda p: p.write({10: p.entry(10, MediaBox=b"[0 0 9999 9999]")}),
    "the page is turned": lambda p: p.write({10: p.entry(10, Rotate=b"180")}),
    "the page is in a thread": lambda p: p.write({10: p.entry(10, B=b"[200 0 R]"), 200: b"<< >>"}),
    "the page transits": lambda p: p.write({10: p.entry(10, Trans=b"<< /S /Blinds >>", Dur=b"1")}),
    "the catalogue names other layers": lambda p: p.write(
        {1: p.entry(1, OCProperties=b"<< /OCGs [80 0 R] /D << /BaseState /OFF >> >>")}
    ),
    "the catalogue has no layers": lambda p: p.write(
        {1: {key: value for key, value in p.entry(1).items() if key != "OCProperties"}}
    ),
    "the catalogue opens another page": lambda p: p.write(
        {1: p.entry(1, OpenAction=b"[10 0 R /FitR 0 0 9 9]")}
    ),
    "the catalogue has another base of links": lambda p: p.write(
        {1: p.entry(1, URI=b"<< /Base (http://b.test) >>")}
    ),
    "the catalogue is in another language": lambda p: p.write({1: p.entry(1, Lang=b"(xx)")}),
    "the catalogue has a reader's wishes": lambda p: p.write(
        {1: p.entry(1, ViewerPreferences=b"<< /NonFullScreenPageMode /UseOC >>")}
    ),
    "the catalogue has other names": lambda p: p.write({1: p.entry(1, Names=b"<< /Dests 84 0 R >>")}),
    "the catalogue has associated files": lambda p: p.write({1: p.entry(1, AF=b"[85 0 R]")}),
    "the catalogue demands": lambda p: p.write(
        {1: p.entry(1, Requirements=b"[<< /S /EnableJavaScripts >>]")}
    ),
    "the catalogue needs another reader": lambda p: p.write({1: p.entry(1, NeedsRendering=b"true")}),
    "the structure says otherwise": lambda p: p.write(
        {1: p.entry(1, StructTreeRoot=b"200 0 R"), 200: b"<< /Type /StructTreeRoot >>"}
    ),
}


@pytest.mark.parametrize("name", ALTERED)
def test_a_thing_is_altered(desk: Desk, paper: Paper, name: str) -> None:
    refused(desk, ALTERED[name](paper.copy()), followed=True)


# What only somebody's signature can stand for, and what a look may not say against the value.
UNFOLLOWED: dict[str, Callable[[Paper], Paper]] = {
    "a text is filled in": lambda p: p.write({30: text_field(b"Li"), 31: drawn(b"Li")}),
    "a box is ticked": lambda p: p.write({32: check_box(b"Yes")}),
    "another is chosen": lambda p: p.write({35: choice(b"(b)"), 36: drawn(b"b")}),
    "looks are made anew by each reader": lambda p: p.write({20: p.entry(20, NeedAppearances=b"true")}),
    "an empty field for a signature": lambda p: p.form(
        {
            200: b"<< %b /Subtype /Widget /FT /Sig /T (Later) /Rect [72 690 400 730] /AP << /N 201 0 R >> >>"
            % ANNOTATION
        },
        {201: DRAWING},
    ),
    "a new field of a text": lambda p: p.form(
        {200: text_field(look=201).replace(b"(Name)", b"(New)")}, {201: DRAWING}
    ),
    "a new title": lambda p: p.write({200: b"<< /Title (Licence 999) >>"}, trailer=b" /Info 200 0 R"),
    "new metadata": lambda p: p.write({200: DRAWING, 1: p.entry(1, Metadata=b"200 0 R")}),
}


@pytest.mark.parametrize("name", UNFOLLOWED)
def test_nobody_stands_for_it(desk: Desk, paper: Paper, name: str) -> None:
    refused(desk, UNFOLLOWED[name](paper.copy()), followed=False)


def test_the_page_itself_is_good(desk: Desk, paper: Paper) -> None:
    assert desk.verify(paper.pdf).passed
    assert desk.verify(paper.copy().sign(desk.citizen, "Second").pdf).passed
    assert set(FIELDS) < set(paper.objects)
