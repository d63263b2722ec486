"""The reader of looks, fed with anything: it tells what is drawn, or that it cannot tell."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from world.pdf_forms import FRAME, look
from world.pdf_paper import Paper

from signing.pdf.parsing import Document, Ref
from signing.pdf.revisions.looks import MAX_OPERATIONS, Look, read_letters, read_look

WORDS = st.sampled_from(
    (
        b"q Q BT ET Tf Td TD Tm T* Tj TJ ' \" Tc Tw Tz Tr Ts TL re m l c h W W* n f F f* S s B b* g rg k G RG"
        b" K cs CS sc scn SCN cm gs Do BI sh BMC BDC EMC MP d w J j M i ri BX EX /F1 /OC /DeviceRGB (a) <41>"
        b" [(a) -9] 0 1 12 -3 .5 9999999999 1e5 true null << >> [ ] ( ) < > %x"
    ).split(b" ")
)


def drawn(content: bytes, more: bytes = b"") -> Look | None:
    document = Document(Paper().write({5: look(content, more=more)}).pdf)
    return read_look(document, document.load(Ref(5, 0)))


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60) | st.lists(WORDS, max_size=40).map(b" ".join))
def test_anything_is_read_or_not_told(content: bytes) -> None:
    content = content.replace(b"endstream", b"")
    found = drawn(content)
    assert found is None or found.box == (0, 0, 200, 20)
    document = Document(Paper().pdf)
    letters = read_letters(document, content)
    assert letters is None or letters.size >= 0


def test_what_is_drawn_is_told_in_its_order() -> None:
    found = drawn(FRAME + b" q 1 0 0 1 3 4 cm BT /F1 9 Tf 0.5 g 1 2 Td [(a) 9 (b)] TJ 0 9 -9 TD (c) ' ET Q")
    assert found is None  # the second line begins to the left and above: nobody reads like that
    found = drawn(FRAME + b" q 1 0 0 1 3 4 cm BT /F1 9 Tf 0.5 g 1 2 Td [(a) 9 (b)] TJ 0 -2 TD (c) Tj ET Q")
    assert found is not None
    assert [piece.text for piece in found.shown] == [b"ab", b"c"]
    assert [piece.place for piece in found.shown] == [(4, 6), (4, 4)]
    assert {piece.lightness for piece in found.shown} == {0.5}
    assert [mark.operator for mark in found.painted] == ["f", "S"]
    assert not found.is_blank


def test_what_is_not_read_at_all() -> None:
    document = Document(Paper().pdf)
    for value in (None, b"x", 3, [], {}, Ref(9, 9), document.load(Ref(11, 0)), document.root):
        assert read_look(document, value) is None
    assert read_letters(document, None) is None
    assert drawn(b"q Q " * (MAX_OPERATIONS // 2 - 1)) is not None
    assert drawn(b"q Q " * MAX_OPERATIONS) is None
    assert drawn(b"q " * 99) is None
    assert drawn(b"Q") is None
