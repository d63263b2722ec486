"""The gate and the verifier over files of chance: a verdict for each, no hang, no growth, nothing false.

A file that passes must show what the signed one showed: another maker's library (pikepdf) reads both and
tells. A file takes at most some seconds of the processor (a hang is stopped there), and reading ten thousand
leaves no more memory behind than reading a few.
"""

from __future__ import annotations

import io
import random
import re
import resource
import signal
from collections import Counter
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

import pikepdf
import pytest
from world.desk import Desk, plain_pdf, red_face
from world.mutants import edited, random_edits
from world.pdf_hostile import BARE, behind
from world.pdf_paper import DRAWING, Paper, encoded, revised, stream
from world.pdf_rich import THINGS, drawn, rich, text_field

from signing.pdf import attachments, certificate_chains
from signing.pdf.gate import Gap, examine
from signing.report import Indication
from yinxin.base.errors import YinxinError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CPU_SECONDS = 5.0
GROWTH_BYTES = 300 << 20
DESK = Desk()
REVOCATION = DESK.revocation()
KEYS = re.findall(
    rb"\w+",
    b"""Type Pages Kids Count Parent Contents Resources Annots AcroForm Fields V T FT AP N AS Rect F DR DA
    SigFlags Perms DocMDP DSS Certs CRLs Names EmbeddedFiles Length Filter Root Prev Size Index W XRefStm
    First ByteRange SubFilter Reference TransformParams P Lock OpenAction Rotate MediaBox Metadata Info
    Extensions StructTreeRoot OCProperties""",
)
SHORT = re.findall(
    rb"\S+", b"1.5 null true (text) <00ff> () <> [] <<>> /Sig /Widget /Tx /Page /Catalog /XRef /ObjStm"
)
WORDS = (b"", *re.findall(rb"\S+", b"<< >> [ ] ( ) endobj stream obj R % #"))
GATE = (
    *re.findall(rb"\S+", b"<00ff> < > >> << endobj ( ) [ ] % /#43ontents"),
    b"/Contents ",
    b"\n",
    b"%%EOF\n",
)
GATE += (b"7 0 obj", b"stream\n", b"/M 1 ", DRAWING)


class Hang(BaseException):
    """Out of everybody's hands: nothing of ours catches it."""


@contextmanager
def stopped_when_hanging() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise Hang

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@cache
def seeds() -> tuple[bytes, ...]:
    """Sound files of many kinds, which chance starts from."""
    papers = [
        Paper(layout=layout).sign(DESK.agency, permission=2) for layout in ("table", "packed", "hybrid")
    ]
    papers += [rich().sign(DESK.agency, permission=level) for level in (1, 2, 3)]
    filled = rich().sign(DESK.agency).write({30: text_field(b"Li"), 31: drawn(b"Li")})
    papers += [filled.sign(DESK.citizen, "Second")]
    documents = [paper.pdf for paper in papers]
    documents += [DESK.seal(plain_pdf(files={"licence.json": b"{}"}), face=red_face())]
    return (*documents, DESK.seal(documents[-1], signer=DESK.citizen))


SIGNATURE = "a signature"


def tree(value: object, seen: dict[tuple[int, int], int], depth: int = 0) -> object:
    """What an object comes to, references followed once."""
    if not isinstance(value, (pikepdf.Dictionary, pikepdf.Array, pikepdf.Stream)) or depth > 60:
        return repr(value)
    if value.is_indirect:
        if value.objgen in seen:
            return ("again", seen[value.objgen])
        seen[value.objgen] = len(seen)
    if isinstance(value, pikepdf.Array):
        return [one for item in value if (one := tree(item, seen, depth + 1)) != SIGNATURE]
    if value.get("/FT") == "/Sig" or value.get("/Type") in {"/Sig", "/DocTimeStamp"}:
        return SIGNATURE
    data = value.read_raw_bytes() if isinstance(value, pikepdf.Stream) else None
    return data, {key: tree(item, seen, depth + 1) for key, item in value.items() if key != "/Length"}


BESIDE = ("/AcroForm", "/Perms", "/DSS", "/Extensions", "/Version")


def shown(pdf: bytes) -> object:
    """What a reader shows, signatures and archive data aside."""
    with pikepdf.open(io.BytesIO(pdf), suppress_warnings=True) as document:
        root = document.Root
        for key in BESIDE:
            if key in root:
                del root[key]
        for page in document.pages:
            if "/Annots" in page and not list(page.Annots):
                del page["/Annots"]
        return tree(root, {})


@cache
def shown_of_seed(number: int) -> object:
    return shown(seeds()[number])


def value(source: random.Random, depth: int = 0) -> bytes:
    """Any object of PDF, most often one that leads somewhere."""
    kind = source.randrange(9 if depth < 4 else 6)
    if kind < 2:
        return b"%d 0 R" % source.choice((1, 2, 3, 10, 11, 20, 30, 31, 40, 41, 60, 95, 96, 200, 999))
    if kind < 6:
        number = b"%d" % source.choice((0, 1, -1, 2, 9, 255, 65536, 1 << 31, 1 << 64))
        return source.choice((number, b"/" + source.choice(KEYS), source.choice(SHORT)))
    if kind == 6:
        return b"[" + b" ".join(value(source, depth + 1) for _ in range(source.randrange(5))) + b"]"
    if kind == 7 and not depth:
        return stream(source.randbytes(source.randrange(60)), b"/Type " + value(source, 4))
    keys = [source.choice(KEYS) for _ in range(source.randrange(6))]
    return b"<< " + b" ".join(b"/%b %b" % (key, value(source, depth + 1)) for key in keys) + b" >>"


def by_revision(source: random.Random, pdf: bytes) -> bytes:
    """A revision of objects of chance, or of true ones with an entry changed."""
    objects: dict[int, bytes] = {}
    real: dict[int, object] = {number: body for number, body, _ in THINGS.values()}
    for _ in range(source.choice((1, 1, 2, 3))):
        number = source.choice((1, 2, 3, 10, 11, 20, 30, 31, 32, 40, 41, 60, 74, 81, 95, 96, 97, 200, 201))
        body = real.get(number)
        objects[number] = encoded(body) if body and source.random() < 0.3 else value(source)  # type: ignore[arg-type]
    layout = source.choice(("table", "table", "stream", "packed", "hybrid"))
    trailer = b" /%b %b" % (source.choice(KEYS), value(source)) if source.random() < 0.2 else b""
    freed = (source.choice((3, 10, 11, 20, 60, 200)),) if source.random() < 0.1 else ()
    return revised(pdf, objects, layout=layout, trailer=trailer, freed=freed)


def by_words(source: random.Random, pdf: bytes) -> bytes:
    """A word of the file becomes another word of it, of the same length or not."""
    start = pdf.rindex(b"%%EOF", 0, -10) if source.random() < 0.3 and pdf.count(b"%%EOF") > 1 else 0
    place = source.randrange(start, len(pdf))
    begin = pdf.rfind(b" ", 0, place) + 1
    end = pdf.find(b" ", place)
    words = (value(source), *WORDS)
    return pdf[:begin] + source.choice(words) + pdf[end if end > 0 else len(pdf) :]


def by_bytes(source: random.Random, pdf: bytes) -> bytes:
    return edited(pdf, random_edits(source, [source.randrange(len(pdf)) for _ in range(4)]))


def by_cutting(source: random.Random, pdf: bytes) -> bytes:
    other = source.choice(seeds())
    return pdf[: source.randrange(len(pdf))] + other[source.randrange(len(other)) :]


WAYS = {"revisions": by_revision, "words": by_words, "bytes": by_bytes, "cuts": by_cutting}


@pytest.mark.campaign
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("way", WAYS)
def test_files_of_chance(rounds: Callable[[int, int], int], way: str) -> None:
    source, outcomes = random.Random(f"yinxin {way}"), Counter[Indication]()  # noqa: S311 - the same files every time
    memory = 0
    count = rounds(60, 12_000)
    for number in range(count):
        index = source.randrange(len(seeds()))
        changed = WAYS[way](source, seeds()[index])
        if source.random() < 0.2:
            changed = WAYS[source.choice(("words", "bytes", "cuts"))](source, changed)
        with stopped_when_hanging():
            report = DESK.verify(changed, revocation=REVOCATION)
            for read in (attachments, certificate_chains) if number % 8 == 0 else ():
                try:
                    read(changed)
                except YinxinError:
                    continue
        outcomes[report.indication] += 1
        if report.passed:
            assert shown(changed) == shown_of_seed(index), (way, number)
        if number == min(count, 500) - 1:
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert outcomes.total() == count
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) << 10 < GROWTH_BYTES


@pytest.mark.campaign
@pytest.mark.timeout(3600)
def test_hostile_files_changed_by_chance(rounds: Callable[[int, int], int]) -> None:
    source = random.Random("yinxin hostile")  # noqa: S311 - the same files every time
    files = [make() for make in (*BARE.values(), *behind(Paper().sign(DESK.agency)).values())]
    files = [one for one in files if 10 < len(one) < 60_000]
    for _ in range(rounds(40, 6_000)):
        changed = WAYS[source.choice(("words", "bytes"))](source, source.choice(files))
        with stopped_when_hanging():
            report = DESK.verify(changed, revocation=REVOCATION)
        assert report.indication in Indication


@pytest.mark.campaign
@pytest.mark.timeout(3600)
def test_the_gate_alone(rounds: Callable[[int, int], int]) -> None:
    """Whatever numbers and words stand there: a gap, or in words why not."""
    source = random.Random("yinxin gate")  # noqa: S311 - the same files every time
    for _ in range(rounds(2_000, 400_000)):
        pdf = b"7 0 obj<<" + b"".join(source.choice(GATE) for _ in range(source.randrange(30))) + b"%%EOF"
        numbers = [source.choice((0, 9, len(pdf), -1, source.randrange(len(pdf) + 2))) for _ in range(4)]
        if source.random() < 0.7:
            place = pdf.find(b"<00ff>")
            numbers = [0, place, place + 6, len(pdf) - place - 6]
        with stopped_when_hanging():
            found = examine(
                pdf, byte_range=numbers, contents=b"\0\xff", offset=source.choice((0, 0, 1, None))
            )
        assert isinstance(found, (Gap, str))
        if isinstance(found, Gap):
            assert pdf[found.start : found.end] == b"<00ff>"
            assert 0 < found.start < found.end <= found.covered <= len(pdf)
