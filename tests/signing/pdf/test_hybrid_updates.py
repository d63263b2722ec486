"""Updates with a table and a stream beside it (ISO 32000-2, 7.5.8.4): some readers see the table alone.

Each half of the readers must see what the signature permits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.pdf_forms import NAME, name
from world.pdf_forms import signed as signed_form
from world.pdf_paper import Body, Paper, _reference_stream, _table, encoded, last_table, stream
from world.pdf_rich import rich

from signing.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from world.desk import Desk

Rows = dict[int, tuple[int, int, int]]
LAYOUTS = ("table", "stream", "packed", "hybrid")
BESIDE, HIDDEN = 300, 5
EVIL = stream(b"BT /F1 24 Tf 72 700 Td (Licence 999) Tj ET")


def beside(
    paper: Paper,
    objects: dict[int, Body],
    table: Callable[[Rows], Rows],
    hidden: Callable[[Rows], Rows],
    more: bytes = b"",
    also: bytes = b"",
) -> Paper:
    """A revision with these objects; which of them the table and the stream name is said by two functions."""
    out, places = bytearray(paper.pdf), {}
    for number, body in objects.items():
        places[number] = (1, len(out), 0)
        out += b"%d 0 obj\n%b\nendobj\n" % (number, encoded(body))
    place = len(out)
    rows = {**hidden(places), BESIDE: (1, place, 0)}
    out += b"%d 0 obj\n%b\nendobj\n" % (BESIDE, _reference_stream(rows, BESIDE + 1, more))
    start = len(out)
    ends = b"/Size %d /Root 1 0 R /Prev %d /XRefStm %d%b" % (BESIDE + 1, last_table(paper.pdf), place, also)
    out += (
        b"xref\n" + _table(table(places)) + b"trailer\n<< " + ends + b" >>\nstartxref\n%d\n%%%%EOF\n" % start
    )
    paper.pdf = bytes(out)
    return paper


def whole(rows: Rows) -> Rows:
    return rows


def only(*numbers: int) -> Callable[[Rows], Rows]:
    return lambda rows: {number: row for number, row in rows.items() if number in numbers}


def freed(*numbers: int) -> Callable[[Rows], Rows]:
    return lambda rows: {**rows, **dict.fromkeys(numbers, (0, 0, 1))}


def signed(desk: Desk) -> Paper:
    return Paper().sign(desk.agency)


def store(paper: Paper) -> dict[int, Body]:
    return {1: paper.entry(1, DSS=b"200 0 R"), 200: b"<< /Type /DSS /Certs [] >>"}


@pytest.mark.parametrize("first", LAYOUTS)
def test_somebody_signs_in_a_hybrid_update(desk: Desk, first: str) -> None:
    paper = Paper(layout=first).sign(desk.agency)
    paper.layout = "hybrid"
    report = desk.verify(paper.sign(desk.citizen, "Second").pdf)
    assert report.passed, [(check.name, check.detail) for check in report.checks if check.reason]
    assert len(report.require().signatures) == 2


def test_a_rich_page_is_signed_in_a_hybrid_update(desk: Desk) -> None:
    paper = rich().sign(desk.agency, permission=2)
    paper.layout = "hybrid"
    assert desk.verify(paper.sign(desk.citizen, "Second").pdf).passed


GOOD: dict[str, Callable[[Paper], Paper]] = {
    "both tables name all": lambda p: beside(p, store(p), whole, whole),
    "both name all, and how to read on": lambda p: beside(
        p, store(p), whole, whole, b"/Root 1 0 R /Prev %d" % (last_table(p.pdf) or 0)
    ),
    "the stream names nothing": lambda p: beside(p, store(p), whole, only()),
    "the stream names what the table frees": lambda p: beside(
        p, store(p), lambda r: freed(200)(only(1)(r)), whole
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_tables_that_agree(desk: Desk, name: str) -> None:
    report = desk.verify(GOOD[name](signed(desk)).pdf)
    assert report.passed, [(check.name, check.detail) for check in report.checks if check.reason]


def moved(number: int, to: int) -> Callable[[Rows], Rows]:
    """A number whose entry leads to where another object stands."""
    return lambda rows: {**rows, number: rows[to]}


BAD: dict[str, Callable[[Paper], Paper]] = {
    "the page is drawn anew for one half": lambda p: beside(p, {**store(p), 11: EVIL}, only(1, 200), whole),
    "the page is drawn anew for the other half": lambda p: beside(
        p, {**store(p), 11: EVIL}, whole, only(1, 200)
    ),
    "the page's drawing is free for one half": lambda p: beside(p, store(p), whole, freed(11)),
    "the page's drawing is free for the other half": lambda p: beside(p, store(p), freed(11), whole),
    "the tables name two places": lambda p: beside(p, {**store(p), 201: EVIL}, whole, moved(200, 201)),
    "the stream frees what the table names": lambda p: beside(p, store(p), whole, freed(200)),
    "the stream leads elsewhere": lambda p: beside(p, store(p), whole, whole, b"/Prev 9"),
    "the stream has another catalogue": lambda p: beside(
        p, {**store(p), 202: p.entry(1, Pages=b"203 0 R")}, whole, whole, b"/Root 202 0 R"
    ),
    "the stream has a stream beside it": lambda p: beside(p, store(p), whole, whole, b"/XRefStm 9"),
    "the stream is encrypted": lambda p: beside(p, store(p), whole, whole, b"/Encrypt << >>"),
    "the stream names an object twice": lambda p: beside(
        p, store(p), whole, whole, b"/Index [1 1 200 1 200 1 300 1]"
    ),
    "the stream is packed in an odd way": lambda p: beside(p, store(p), whole, whole, b"/F (a)"),
    "the stream stands before the signature": lambda p: p.write(
        store(p), trailer=b" /XRefStm %d" % p.pdf.index(b"300 0 obj")
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_tables_that_do_not(desk: Desk, name: str) -> None:
    paper = Paper()
    if "before the signature" in name:
        beside(paper, {6: b"<< >>", 201: EVIL}, whole, whole)
    report = desk.verify(BAD[name](paper.sign(desk.agency)).pdf)
    assert not report.passed
    assert report.reasons <= {
        Reason.DOCUMENT_CHANGED_AFTER_SIGNING,
        Reason.FORMAT_FAILURE,
        Reason.ENCRYPTED_DOCUMENT,
    }, report.reasons


def test_a_field_that_says_one_thing_to_each_half(desk: Desk) -> None:
    """Either value is permitted for itself; the stream is behind the table, and readers choose."""
    paper = signed_form(desk)
    old = last_table(paper.pdf)
    both = beside(paper, {NAME: name(b"/V (100)")}, whole, only())
    assert desk.verify(both.pdf).passed
    paper = signed_form(desk)
    objects: dict[int, Body] = {NAME: name(b"/V (100)"), 250: name(b"/V (900)")}
    assert old == last_table(paper.pdf)
    torn = beside(paper, objects, only(NAME), lambda rows: {NAME: rows[250]})
    assert not desk.verify(torn.pdf).passed
