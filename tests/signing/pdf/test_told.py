"""What people are told of a file is true, on one line, and none of it is made up by the file's texts."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from world.pdf_forms import LOOK, NAME, name, signed, waiting, written
from world.pdf_paper import RFC3161, ROOM, SLOT, Paper, filled
from world.pdf_pictures_attacks import stamp_of
from world.pki import Pki

from signing import cms
from signing.pdf.profiles.statement import Statement, statement_attribute
from signing.pdf.profiles.words import in_words
from signing.reasons import Reason
from signing.report import Indication

if TYPE_CHECKING:
    from world.desk import Desk
    from world.pdf_paper import Body

    from signing.signers.file import FileSigner

CHANGED = {Reason.DOCUMENT_CHANGED_AFTER_SIGNING}
LOOKS = b"/AP << /N 31 0 R >>"


def drawn_by_readers(desk: Desk, value: bytes) -> Paper:
    """The name is filled in without a look: readers draw it themselves."""
    plain = name().replace(LOOKS, b"")
    paper = signed(desk, waiting({NAME: plain}))
    return paper.write({NAME: name(b"/V %b" % value).replace(LOOKS, b"")})


UNCERTAIN = {
    "letters that turn the line round": b"<FEFF202E003100300030>",
    "letters that are not seen": b"<FEFF0031200B0030>",
    "a control character": b"(1\\0002)",
    "a mark of a language": b"<FEFF001B0065006E001B0031>",
    "of the other order of octets": b"<FFFE31003000>",
    "of UTF-8, which not all readers know": b"<EFBBBFE4BDA0>",
}


@pytest.mark.parametrize("case", UNCERTAIN)
def test_a_value_that_reads_otherwise_than_it_is_told(desk: Desk, case: str) -> None:
    assert desk.verify(drawn_by_readers(desk, UNCERTAIN[case]).pdf).reasons == CHANGED


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (b"(1\\n\\nThe seal is good)", "1 The seal is good"),
        (b"(1%b VOID)" % (b" " * 400), "1 VOID"),
        (b"(10\\240)", "10€"),
        (b"<FEFF4F60597DD840DC00>", "你好\U00020000"),
    ],
)
def test_a_value_is_told_on_one_line(desk: Desk, value: bytes, said: str) -> None:
    report = desk.verify(drawn_by_readers(desk, value).pdf)
    assert report.passed
    assert [one["value"] for one in report.findings["signatures"][0]["unsigned"]] == [said]


def test_a_name_makes_no_lines(desk: Desk) -> None:
    """A field's name, a reason and a place are anybody's words."""
    entries = b"/M (D:20261120120000Z) /Reason (a\\n\\033[31mb) /Location <FEFF202E0031>"
    paper = Paper().sign(desk.agency, "A\\n\\033[1mB/coverage", entries=entries)
    report = desk.verify(paper.pdf)
    assert report.passed
    found = report.findings["signatures"][0]
    assert (found["field"], found["reason"], found["location"]) == ("A �[1mB/coverage", "a �[31mb", "�1")
    assert all(one.name.isprintable() for one in report.checks)


def overwritten(desk: Desk) -> Paper:
    """A certified form whose name was there, and is another one now."""
    before = waiting({NAME: name(b"/V (Zhang)"), LOOK: written(b"Zhang")})
    paper = signed(desk, before, permission=2)
    return paper.write({NAME: name(b"/V (Wang)", shown=231), 231: written(b"Wang")})


def test_what_a_later_signer_stands_for_is_told(desk: Desk) -> None:
    report = desk.verify(overwritten(desk).sign(desk.citizen, "Second").pdf)
    assert report.passed
    first, second = report.findings["signatures"]
    assert first["signed_for"] == [{"kind": "changed", "name": "Name", "value": "Wang"}]
    assert "signed_for" not in second
    assert [line.to_dict() for line in in_words(first)] == [
        {
            "zh": "签署后改动，由后来的签署人负责：Name = Wang",
            "en": "changed after this signature, a later signer stands for it: Name = Wang",
        }
    ]


def test_a_signer_whom_nobody_trusts_lends_nothing(desk: Desk) -> None:
    """The earlier signature is not told as good alone: what stands there now is nobody's."""
    stranger = Pki().signer("signature", "Stranger")
    report = desk.verify(overwritten(desk).sign(stranger, "Second").pdf)
    assert report.reasons == {Reason.NO_CERTIFICATE_CHAIN_FOUND}
    first, _ = report.findings["signatures"]
    assert first["indication"] != str(Indication.PASSED)


def test_a_file_makes_no_lines_of_words() -> None:
    lines = in_words({"roles": ["a\nb\x1b[1m"], "order": ["\u202ex", "y"]})
    assert [line.en for line in lines] == ["claims to be: a b�[1m", "order of the joint signing: �x → y"]


def test_words_beside_a_time_stamp_are_nobodys(desk: Desk) -> None:
    """Anybody may put a time-stamp behind a document, and write what they like beside it."""
    words = b"/Reason (approved by the mayor) /Location (court) /M (D:19990101000000Z)"
    paper = Paper().sign(desk.agency, permission=1)
    paper.sign(stamp_of(desk), "Stamp", kind=RFC3161, entries=words, permission=None)
    report = desk.verify(paper.pdf)
    assert report.passed
    stamp = report.findings["signatures"][1]
    assert {stamp[key] for key in ("reason", "location", "claimed_time", "permission")} == {None}


def signed_in(paper: Paper, number: int, name: bytes, signer: FileSigner, order: tuple[str, ...]) -> Paper:
    """A field that was there is signed, with an order that its signer states."""
    said = statement_attribute(Statement(order=order))
    value = b"<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached %b /Contents <%b> >>"
    home: dict[int, Body] = {
        number: b"<< /FT /Sig /T (%b) /V %d 0 R >>" % (name, number + 1),
        number + 1: value % (SLOT, b"00" * ROOM),
    }
    paper.write(home, plain=(number + 1,))
    digest = cms.cms_digest(signer.algorithm)
    paper.pdf = filled(
        paper.pdf,
        lambda data: cms.sign(signer, hashlib.new(digest, data).digest(), attributes=(said,)),
    )
    return paper


@pytest.mark.parametrize(("second", "reasons"), [(b"A", {Reason.SIGNED_OUT_OF_ORDER}), (b"C", set())])
def test_two_fields_of_one_name_keep_no_order(desk: Desk, second: bytes, reasons: set[Reason]) -> None:
    """Whose turn it was cannot be told of a name that two signatures have."""
    paper, names = Paper(), (b"A", second, b"B")
    order = tuple(dict.fromkeys(each.decode() for each in names))
    places = dict(zip((50, 52, 54), names, strict=True))
    paper.fields += places
    paper.write({**{one: b"<< /FT /Sig /T (%b) >>" % each for one, each in places.items()}, **paper._home()})
    for one, each in places.items():
        signed_in(paper, one, each, desk.agency, order)
    report = desk.verify(paper.pdf)
    assert report.reasons == reasons
