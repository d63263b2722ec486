"""The gate reads the signature dictionary as readers of PDF do: texts are texts, names may be escaped."""

from __future__ import annotations

import pytest
from world.desk import Desk, plain_pdf

from signing.pdf.gate import Gap, examine

TEXTS = [
    "see /Contents here",
    "/Contents <00>",
    "endobj",
    "a endobj b /Contents",
    "(((",
    ")",
    "\\",
    "\r\n",
    "% a comment",
    ">>",
    "准 endobj /Contents ",
]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("key", ["reason", "location"])
def test_a_text_may_say_anything(desk: Desk, key: str, text: str) -> None:
    sealed = desk.seal(plain_pdf(), stamped=False, **{key: text})
    (signature,) = desk.verify(sealed).require().signatures
    assert getattr(signature, key) == text
    assert sealed.count(b"endobj") == plain_pdf().count(b"endobj") + 5  # no text looks like structure


def gate(
    before: bytes, after: bytes, *, contents: bytes = b"<00ff>", opening: bytes = b"7 0 obj\n<<"
) -> Gap | str:
    """What the gate says of one object with a gap."""
    head = b"%PDF-1.7\n" + opening + before
    tail = after + b"\nendobj\n%%EOF\n"
    pdf = head + contents + tail
    numbers = (0, len(head), len(head) + len(contents), len(tail))
    return examine(pdf, byte_range=numbers, contents=b"\0\xff", offset=9)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"/Contents", b">>"),
        (b"/Type /Sig /Contents \r\n", b"/M (D:2026)>>"),
        (b"/Reason (see /Contents here) /Contents ", b">>"),
        (b"/Reason (a \\) /Contents ( endobj ) >>) /Contents ", b"/Location (>> endobj /Contents) >>"),
        (b"% /Contents endobj >>\n/Contents ", b"% /Contents\n>> % once more"),
        (b"/Reference [<</Contents (of another)>>] /Contents ", b"/Prop_Build <</Contents <00>>> >>"),
        (b"/ContentsOf 1 /Contents ", b"/Contents2 (x) /Content#20s 1 >>"),
        (b"/Reason <FEFF> /V 1 0 R /Flag true /N -1.5 /Contents ", b"/Null null >>"),
    ],
)
def test_a_signature_dictionary_as_makers_write_it(before: bytes, after: bytes) -> None:
    assert isinstance(gate(before, after), Gap)


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        (b"/Contents ", b"/Contents <00> >>", "twice"),
        (b"/Contents <00> /Contents ", b">>", "twice"),
        (b"/Contents ", b"/Cont#65nts <00> >>", "twice"),
        (b"/#43ontents <00> /Contents ", b">>", "twice"),
        (b"/Contents ", b"/Reason (endobj) /Contents <00> >>", "twice"),
        (b"/Cont#65nts ", b">>", "not the contents"),
        (b"/Reason (/Contents ", b") /Contents <00ff> >>", "not the contents"),
        (b"% /Contents ", b"\n/Contents <00ff> >>", "not the contents"),
        (b"/Inner << /Contents ", b">> >>", "not the contents"),
        (b"/Inner [ /Contents ", b"] >>", "not the contents"),
        (b"/A 1 >>\nendobj\n8 0 obj\n<< /Contents ", b">>", "not the contents"),
        (b"/Contents ", b">> /A 1", "not an object"),
        (b"/Contents ", b">>\nstream\n>>", "not an object"),
        (b"/Contents ", b"/Reason (open >>", "cannot be read"),
        (b"/Contents ", b"/Array [ >>", "cannot be read"),
        (b"/Contents ", b"/Odd { } >>", "cannot be read"),
        (b"/Contents ", b"/Hex <0g> >>", "cannot be read"),
        (b"/Contents\x0b", b">>", "not the contents"),
        (b"/Long (" + bytes(1 << 18) + b") /Contents ", b">>", "too long"),
    ],
)
def test_what_is_no_signature_dictionary_of_its_own(before: bytes, after: bytes, why: str) -> None:
    said = gate(before, after)
    assert isinstance(said, str)
    assert why in said


def test_an_object_begins_where_it_is_said_to() -> None:
    for opening in (b"<<", b"7 0 obj [", b"7 obj <<", b"obj <<"):
        assert gate(b"/Contents ", b">>", opening=opening) == (
            "the gap is not the contents of the signature dictionary"
        )
