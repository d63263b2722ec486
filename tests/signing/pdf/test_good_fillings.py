"""Empty fields that are filled in behind the last signature: it passes, and people are told of it.

ISO 32000-2, 12.8.2.2: filling in is permitted unless a certification forbids it or a lock holds the field.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.pdf_forms import BOX, FRAME, KIND, NAME, box, fill_name, kind, look, name, signed, waiting, written

from signing.pdf.profiles.words import in_words
from signing.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Callable

    from world.desk import Desk
    from world.pdf_paper import Paper

OTHERS = b"<< /Type /SigFieldLock /Action /Include /Fields [(Kind)] >>"
CHINESE = (
    b"<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H /DescendantFonts ["
    b"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light"
    b" /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 4 >> >>] >>"
)
LI = "李华".encode("utf-16-be")


def told(desk: Desk, paper: Paper) -> list[tuple[str, str]]:
    """What the report of a file that passes tells of fillings."""
    report = desk.verify(paper.pdf)
    assert report.passed, [(check.name, check.detail) for check in report.checks if check.reason]
    assert report.findings["signatures"][0]["changes_after"] == "permitted"
    return [(one["name"], one["value"]) for one in report.findings["signatures"][0]["unsigned"]]


FILLINGS: dict[str, tuple[Callable[[Paper], Paper], tuple[str, str]]] = {
    "a name": (fill_name, ("Name", "Li Hua")),
    "a name in several pieces": (
        lambda p: fill_name(p, b"Li Hua", written(b"Li ) Tj 14 0 Td (Hua")),
        ("Name", "Li Hua"),
    ),
    "a name with kerning": (
        lambda p: fill_name(
            p, b"Li Hua", look(FRAME + b" /Tx BMC BT /F1 9 Tf 0 g 2 5 Td [(L) 20 (i) -278 (Hua)] TJ ET EMC")
        ),
        ("Name", "Li Hua"),
    ),
    "a name on two lines": (
        lambda p: fill_name(p, b"Li\\rHua", written(b"Li) Tj 0 -9 Td (Hua", how=b"/F1 9 Tf 0 g 2 11 Td")),
        ("Name", "Li Hua"),
    ),
    "a name in colour, placed by a matrix": (
        lambda p: fill_name(p, b"Li", written(b"Li", how=b"/F1 10 Tf 0 0 0.5 rg 1 0 0 1 2 5 Tm")),
        ("Name", "Li"),
    ),
    "a value whose look is not drawn yet": (lambda p: p.write({NAME: name(b"/V (Li)")}), ("Name", "Li")),
    "a font that every reader has": (
        lambda p: p.write(
            {
                NAME: name(b"/V (Li)", shown=131),
                131: look(
                    FRAME + b" BT /He 9 Tf 0 g 2 5 Td (Li) Tj ET",
                    more=b"/Resources << /Font << /He << /Type /Font /Subtype /Type1 /BaseFont /Helvetica"
                    b" /Encoding << /Differences [39 /quotesingle 96 /grave 228 /adieresis] >> >> >> >>",
                ),
            }
        ),
        ("Name", "Li"),
    ),
    "a font that is nowhere": (
        lambda p: fill_name(p, b"Li", look(FRAME + b" BT /Ti 9 Tf 0 g 2 5 Td (Li) Tj ET", more=b"")),
        ("Name", "Li"),
    ),
    "a font of the page": (
        lambda p: fill_name(p, b"Li", look(FRAME + b" BT /F1 9 Tf 0 g 2 5 Td (Li) Tj ET", more=b"")),
        ("Name", "Li"),
    ),
    "a Chinese name": (
        lambda p: p.write(
            {
                NAME: name(b"/V <feff%b>" % LI.hex().encode(), shown=131),
                131: look(
                    FRAME + b" BT /Song 12 Tf 0 g 2 5 Td <%b> Tj ET" % LI.hex().encode(),
                    more=b"/Resources << /Font << /Song 132 0 R >> >>",
                ),
                132: CHINESE,
            }
        ),
        ("Name", "李华"),
    ),
    "a choice": (
        lambda p: p.write({KIND: kind(b"/V (2) /I [1]", shown=131), 131: written(b"wine")}),
        ("Kind", "2 (wine)"),
    ),
    "a box is ticked": (lambda p: p.write({BOX: box(b"Yes")}), ("Agreed", "Yes")),
}


@pytest.mark.parametrize("filling", FILLINGS)
@pytest.mark.parametrize("permission", [None, 2, 3])
def test_an_empty_field_may_be_filled_in(desk: Desk, filling: str, permission: int | None) -> None:
    fill, says = FILLINGS[filling]
    assert told(desk, fill(signed(desk, permission=permission))) == [says]


def test_a_field_without_a_look_gets_one(desk: Desk) -> None:
    bare = name().replace(b"/AP << /N 31 0 R >>", b"")
    paper = signed(desk, waiting({NAME: bare}))
    assert told(desk, fill_name(paper, shown=written(b"Li Hua", b""))) == [("Name", "Li Hua")]
    line = b"q 1 w 0.5 0.5 199 19 re s Q"
    paper = signed(desk, waiting({NAME: bare}))
    assert told(desk, fill_name(paper, shown=written(b"Li Hua", line))) == [("Name", "Li Hua")]


def test_fillings_one_after_another_are_all_told(desk: Desk) -> None:
    paper = fill_name(signed(desk)).write({BOX: box(b"Yes")})
    assert told(desk, paper) == [("Name", "Li Hua"), ("Agreed", "Yes")]


def test_a_filling_is_told_in_words(desk: Desk) -> None:
    finding = desk.verify(fill_name(signed(desk)).pdf).findings["signatures"][0]
    assert [line.to_dict() for line in in_words(finding)] == [
        {
            "zh": "签署后填入，无人为此签名：Name = Li Hua",
            "en": "filled in after signing, nobody signed for it: Name = Li Hua",
        }
    ]


def test_somebody_who_signs_behind_it_signs_for_it(desk: Desk) -> None:
    report = desk.verify(fill_name(signed(desk)).sign(desk.citizen, "Second").pdf)
    assert report.passed
    assert [one.get("unsigned") for one in report.findings["signatures"]] == [None, None]


def test_a_lock_on_other_fields_leaves_this_one_open(desk: Desk) -> None:
    assert told(desk, fill_name(signed(desk, lock=OTHERS))) == [("Name", "Li Hua")]


@pytest.mark.parametrize(
    ("allowed", "passes"), [("archive", False), ("form", False), ("permitted", True), ("filled", True)]
)
def test_a_policy_says_whether_it_passes(desk: Desk, allowed: str, passes: bool) -> None:  # noqa: FBT001 - a row
    policy = Policy(allowed_changes=allowed)  # type: ignore[arg-type]
    assert desk.verify(fill_name(signed(desk)).pdf, policy=policy).passed is passes
