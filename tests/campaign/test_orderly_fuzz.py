"""Files that are changed at random are written behind by our writer, or refused in our own words."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from world.desk import Desk, plain_pdf, red_face
from world.mutants import Edit, edited
from world.pdf_files import Kind, streamed
from world.pdf_paper import Paper
from world.pdf_rich import rich
from world.pki import NOON

from signing.pdf import Place, Seal, prepare_joint
from signing.pdf.frame import Frame, NewField
from signing.pdf.store import Store
from signing.pdf.update import NotPlain, OrderlyEditing
from yinxin.base.errors import YinxinError

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS = ("set", "insert", "delete", "copy", "zero")
WORDS = (
    b"<<", b">>", b"/", b"[", b"(", b"% ", b"0", b"9", b" R ", b"endobj", b"\xff", b"null", b"-1", b"1.5",
    b"true", b"/Kids", b"/Parent 2 0 R", b"99999999999",
)  # fmt: skip


def changed(pdf: bytes, rng: random.Random) -> bytes:
    return edited(
        pdf,
        [
            Edit(
                rng.choice(KINDS),
                rng.randrange(1 << 20),
                rng.randint(1, 40),
                rng.randrange(1 << 20),
                rng.choice(WORDS),
            )
            for _ in range(rng.randint(1, 3))
        ],
    )


def written(pdf: bytes) -> bytes:
    """All that the writer does; the file with a signature's frame."""
    editing = OrderlyEditing(pdf)
    editing.page_taken(-1)
    editing.page_boxes()
    editing.locking_fields()
    editing.prepare_archive(Store((b"0",)), reserve=10)
    editing.add_fields([NewField("new", 0, (0, 0, 9, 9), ())])
    frame = Frame("a", 0, certify=False, appearance=None)
    return editing.prepare(frame, digest_algorithm="sha256", reserve=10).fill(b"")


@pytest.mark.campaign
def test_only_our_errors_come_out(rounds: Callable[[int, int], int]) -> None:
    seal = Seal(Desk().agency, face=red_face())
    bases = [
        seal.apply(plain_pdf(), now=NOON),
        seal.apply(rich().pdf, now=NOON),
        prepare_joint(plain_pdf(), [Place("a", 0, (5, 5)), Place("b")]),
        streamed(plain_pdf(), Kind()),
        Paper(layout="hybrid").pdf,
        Paper(layout="packed").pdf,
    ]
    rng, good = random.Random(20261123), 0  # noqa: S311 - the same files every time
    for number in range(rounds(120, 100_000)):
        pdf = changed(bases[number % len(bases)], rng)
        try:
            made = written(pdf)
        except (NotPlain, YinxinError):
            continue
        good += 1
        assert made.startswith(pdf)
        assert len(OrderlyEditing(made).signatures) == len(OrderlyEditing(pdf).signatures) + 1
    assert good
