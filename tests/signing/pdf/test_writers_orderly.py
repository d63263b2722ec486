"""Our writer of orderly files: later signatures, fields that wait, evidence and time-stamps over all."""

from __future__ import annotations

import io
import re
import subprocess
from shutil import which
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyhanko.pdf_utils.generic import StreamObject
from pyhanko.pdf_utils.reader import PdfFileReader
from world.desk import Desk, append_revision, plain_pdf, red_face
from world.mutants import Edit, drawn_edits, edited
from world.pdf_files import Kind, one_page, one_revision, streamed, with_form
from world.pdf_paper import Paper
from world.pdf_rich import rich
from world.pki import NOON

from signing.pdf import (
    Place,
    Seal,
    archive,
    countersign,
    extend,
    order_of_signing,
    prepare_joint,
    preparing,
    seal_as_agency,
    sign_as_citizen,
    sign_jointly,
    writers,
)
from signing.pdf.frame import Frame
from signing.pdf.parsing import Name, Ref
from signing.pdf.parsing.lexer import Budget, read_value
from signing.pdf.profiles.addition import Addition
from signing.pdf.store import Store
from signing.pdf.update import NotPlain, OrderlyEditing
from signing.pdf.update.values import written
from yinxin.base.errors import Conflict, YinxinError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DESK = Desk()
REVOCATION = DESK.revocation()
AGENCY = Seal(DESK.agency, face=red_face(), timestamper=DESK.tsa)
CITIZEN = Seal(DESK.citizen, face=red_face(30, 15))
THREE = [Place("甲方", 0, (50, 100)), Place("乙方", 0, (200, 100), 30, 15), Place("丙方")]
QUICK = settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
PAGE = b"<< /Type /Page /Parent 2 0 R /Contents 11 0 R >>"


def jointly() -> bytes:
    document = prepare_joint(plain_pdf(), THREE, left_open=("见证",))
    for place in THREE:
        document = sign_jointly(CITIZEN, document, field=place.name, now=NOON)
    return countersign(AGENCY, document, of="丙方", now=NOON, as_witness=True, field="见证")


def kept(pdf: bytes, times: int = 1) -> bytes:
    for _ in range(times):
        pdf = archive(pdf, DESK.trust, revocation=REVOCATION, timestamper=DESK.tsa, now=NOON)
    return pdf


def extended(pdf: bytes) -> bytes:
    return extend(pdf, DESK.trust, revocation=REVOCATION, now=NOON)


def twice(pdf: bytes) -> bytes:
    first = AGENCY.apply(pdf, now=NOON)
    return sign_as_citizen(CITIZEN, first, now=NOON, reason="同意", roles=("法定代表人",), at=(50, 60))


MADE: dict[str, Callable[[], bytes]] = {
    "a second signature": lambda: twice(plain_pdf()),
    "a second signature in a table of its own kind": lambda: twice(streamed(plain_pdf(), Kind())),
    "a second signature in a form": lambda: twice(
        with_form("/FT /Tx /T (a)", form="/DA (/Helv 0 Tf)", apart=True)
    ),
    "a second signature on a turned page": lambda: twice(one_page("/Rotate 90 /CropBox [10 10 500 800]")),
    "a second signature in an older file": lambda: twice(plain_pdf().replace(b"%PDF-1.7", b"%PDF-1.4")),
    "a joint signing with a witness": jointly,
    "evidence and a time-stamp": lambda: kept(AGENCY.apply(plain_pdf(), now=NOON)),
    "evidence alone": lambda: extended(DESK.seal(plain_pdf())),
    "evidence alone in a hybrid file": lambda: extended(DESK.seal(Paper(layout="hybrid").pdf)),
    "evidence behind evidence": lambda: kept(
        extended(DESK.seal(plain_pdf().replace(b"%PDF-1.7", b"%PDF-1.4")))
    ),
    "evidence for two": lambda: kept(twice(plain_pdf()), times=2),
    "a field of fields": lambda: twice(
        one_revision(
            with_form("/T (a) /Kids [22 0 R]", apart=True), {22: b"<< /FT /Tx /T (b) /Parent 20 0 R >>"}
        )
    ),
    "a file that was edited": lambda: twice(append_revision(plain_pdf(), {10: PAGE})),
    "a hybrid file": lambda: twice(Paper(layout="hybrid").pdf),
    "evidence in a hybrid file": lambda: kept(AGENCY.apply(Paper(layout="hybrid").pdf, now=NOON)),
    "a rich page": lambda: twice(rich().pdf),
    "evidence of a rich page": lambda: kept(AGENCY.apply(rich().pdf, now=NOON)),
    "a straddle seal": lambda: seal_as_agency(AGENCY, plain_pdf(pages=23), now=NOON, straddles=True),
    "annotations elsewhere": lambda: twice(one_revision(one_page("/Annots 20 0 R"), {20: b"[]"})),
    "a form that is drawn anew": lambda: twice(
        one_page(catalogue="/AcroForm << /Fields [] /NeedAppearances true >>")
    ),
}


def refuse(*_: object) -> None:
    raise NotPlain


@pytest.fixture
def by_the_library(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], bytes]], bytes]:
    """What pyHanko's writer makes."""

    def make(work: Callable[[], bytes]) -> bytes:
        with monkeypatch.context() as patch:
            patch.setattr(preparing, "PlainEditing", refuse)
            patch.setattr(writers, "OrderlyEditing", refuse)
            return work()

    return make


@pytest.fixture
def ours(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], bytes]], bytes]:
    """What our writers make, without pyHanko's."""

    def make(work: Callable[[], bytes]) -> bytes:
        def forbidden(*_: object) -> None:
            raise AssertionError("pyHanko was asked")

        with monkeypatch.context() as patch:
            patch.setattr("signing.pdf._pyhanko.Editing", forbidden)
            return work()

    return make


def facts(pdf: bytes) -> list[Any]:
    """What a file says of its signatures: numbers of objects, lengths, values of signatures aside."""
    reader = PdfFileReader(io.BytesIO(pdf))
    form = reader.root["/AcroForm"]
    told: list[Any] = [
        sorted(reader.root),
        sorted(form),
        form["/SigFlags"],
        str(reader.root.get("/Extensions")),
        str(reader.root.get("/Version")),
        {key: len(reader.root["/DSS"][key]) for key in reader.root["/DSS"] if key != "/Type"}
        if "/DSS" in reader.root
        else None,
    ]
    for found in reader.embedded_signatures:
        field, value = found.sig_field, found.sig_object
        told.append(
            (
                field["/T"],
                sorted(field),
                [round(float(side), 2) for side in field["/Rect"]],
                field["/F"],
                {
                    key: str(value[key])
                    for key in value
                    if key in {"/Type", "/SubFilter", "/Filter", "/M", "/Reason"}
                },
                [_reference(one) for one in value.get("/Reference", ())],
                _drawn(field),
            )
        )
    for page in reader.root["/Pages"]["/Kids"]:
        shown = page.get_object()
        there = shown["/Annots"] if "/Annots" in shown else ()  # noqa: SIM401 - `get` follows no reference
        notes = [note.get_object() for note in there]
        told.append([(note["/Subtype"], note["/F"], _drawn(note)) for note in notes])
    return told


def _reference(reference: Any) -> tuple[str, ...]:
    parameters = reference["/TransformParams"]
    return (reference["/TransformMethod"], *(f"{key} {parameters[key]}" for key in sorted(parameters)))


def _drawn(field: Any) -> Any:
    if "/AP" not in field:
        return None
    look = field["/AP"]["/N"]
    if not isinstance(look, StreamObject):
        return sorted(look)
    numbers = [
        [round(float(one), 2) for one in look.get(key, (1, 0, 0, 1, 0, 0))] for key in ("/BBox", "/Matrix")
    ]
    words = [
        round(float(word), 2) if re.fullmatch(rb"-?[\d.]+", word) else word for word in look.data.split()
    ]
    return numbers, words


@pytest.mark.parametrize("name", MADE)
def test_both_writers_say_the_same_and_what_they_say_holds(
    name: str,
    ours: Callable[[Callable[[], bytes]], bytes],
    by_the_library: Callable[[Callable[[], bytes]], bytes],
) -> None:
    made, theirs = ours(MADE[name]), by_the_library(MADE[name])
    assert facts(made) == facts(theirs)
    for document in (made, theirs):
        report = DESK.verify(document)
        assert report.passed, report.reasons


@pytest.mark.peer
@pytest.mark.parametrize("name", MADE)
def test_programs_of_other_makers_accept_them(
    name: str, ours: Callable[[Callable[[], bytes]], bytes], tmp_path: Path
) -> None:
    if which("pdfsig") is None or which("qpdf") is None:
        pytest.skip("no pdfsig or no qpdf: apt-get install poppler-utils qpdf")
    document, file = ours(MADE[name]), tmp_path / "made.pdf"
    file.write_bytes(document)
    said = subprocess.run(["pdfsig", "-nocert", file], capture_output=True, check=True).stdout.decode()
    assert said.count("Signature is Valid.") == said.count("ETSI.CAdES.detached") > 0, said
    # Evidence stands behind the last signature, and is covered by none.
    assert ("- Total document signed" in said) is ("evidence alone" not in name)
    checked = subprocess.run(["qpdf", "--check", file], capture_output=True, check=True).stdout
    assert b"No syntax or stream encoding errors found" in checked
    if "hybrid" in name:
        return  # pyHanko does not look at signatures there
    for embedded in PdfFileReader(io.BytesIO(document), strict=True).embedded_signatures:
        embedded.compute_integrity_info()
        assert embedded.compute_digest()


def test_evidence_that_is_there_is_not_put_in_again() -> None:
    once = kept(AGENCY.apply(plain_pdf(), now=NOON))
    again = kept(once)
    stores = [PdfFileReader(io.BytesIO(one)).root["/DSS"] for one in (once, again)]
    assert [[len(store[key]) for key in ("/Certs", "/CRLs")] for store in stores] == [[4, 2], [4, 2]]
    assert len(again) - len(once) < len(once) - len(AGENCY.apply(plain_pdf(), now=NOON))


def test_nothing_that_was_there_is_written_anew_but_what_changes() -> None:
    first = AGENCY.apply(plain_pdf(), now=NOON)
    second = sign_as_citizen(CITIZEN, first, now=NOON, field="Mine")
    table = int(re.findall(rb"startxref\n(\d+)\n%%EOF\n", second)[-1])
    rows = [int(number) for number in re.findall(rb"(\d+) 1\n\d{10} 00000 n \n", second[table:])]
    written_anew = [number for number in rows if b"\n%d 0 obj" % number in first]
    form = re.search(rb"/AcroForm (\d+) 0 R", first)
    assert form is not None
    assert sorted(written_anew) == sorted([10, int(form[1])])  # the page and the form; not the catalogue


@pytest.mark.parametrize("named", [b"12 0 R", b"[/A << /B 12 0 R >>]"])
def test_no_new_object_becomes_one_that_was_missing(named: bytes) -> None:
    pdf = append_revision(plain_pdf(), {}, extra=b" /More " + named)
    assert b"/Size 12 " in pdf
    made = CITIZEN.apply(pdf, now=NOON)
    assert not re.search(rb"\n12 0 obj", made)
    assert DESK.verify(made).passed


def test_the_order_of_a_joint_signing_is_read_by_both(
    by_the_library: Callable[[Callable[[], Any]], Any],
) -> None:
    document = prepare_joint(plain_pdf(), THREE)
    for place in (None, *THREE):
        if place is not None:
            document = sign_jointly(CITIZEN, document, field=place.name, now=NOON)
        assert by_the_library(lambda pdf=document: order_of_signing(pdf)) == order_of_signing(document)  # type: ignore[misc]


def test_what_an_earlier_signature_locks_stays_locked() -> None:
    document = prepare_joint(plain_pdf(), THREE)
    for place in THREE:
        document = sign_jointly(CITIZEN, document, field=place.name, now=NOON)
    with pytest.raises(Conflict, match="locks"):
        AGENCY.apply(document, now=NOON, field="丁方")


def test_a_straddle_seal_comes_with_the_first_signature() -> None:
    first = sign_as_citizen(CITIZEN, plain_pdf(pages=3), now=NOON)
    with pytest.raises(Conflict, match="straddle"):
        AGENCY.apply(first, now=NOON, addition=Addition(across=red_face()))


SEALED = AGENCY.apply(plain_pdf(), now=NOON)
FIELD = "/FT /Sig /T (Mine)"
NOT_ORDERLY = {
    "something before": b"\n" + plain_pdf(),
    "something behind": plain_pdf() + b"0",
    "an encrypted file": one_page(trailer="/Encrypt 9 0 R"),
    "a table that lies": plain_pdf().replace(b"0000000015", b"0000000016"),
    "a hybrid file without its stream": one_page(trailer="/XRefStm 9"),
    "an object beyond the size": plain_pdf().replace(b"/Size 12", b"/Size 11"),
    "a catalogue with a key twice": one_page(catalogue="/Lang (a) /Lang (b)"),
    "a page with a key twice": one_page("/Tabs /S /Tabs /R"),
    "another parent": one_page().replace(b"/Parent 2 0 R", b"/Parent 1 0 R"),
    "no number of pages": one_page().replace(b"/Count 1", b"/Comte 1"),
    "half a turn": one_page("/Rotate 0.5"),
    "a field with demands": with_form(f"{FIELD} /SV << >>"),
    "a field that is signed elsewhere": with_form(f"{FIELD} /Kids [10 0 R]"),
    "a field that locks in a new way": with_form(f"{FIELD} /Lock << /Action /All /P 2 >>"),
    "a field of another kind": with_form("/FT /Tx /T (Mine)"),
    "two fields of one name": one_revision(
        one_page(catalogue="/AcroForm << /Fields [20 0 R 21 0 R] >>"),
        {20: b"<< /FT /Sig /T (Mine) >>", 21: b"<< /FT /Sig /T (Mine) >>"},
    ),
    "an extension that is none": one_page(catalogue="/Extensions << /ESIC 3 >>"),
    "a version to come": one_page(catalogue="/Version /2.1"),
    "an identity of one": one_page(trailer="/ID [<00>]"),
    "a signature that is not known": SEALED.replace(b"/ETSI.CAdES.detached", b"/ETSI.CAdES.detachee"),
    "nothing": b"",
}


@pytest.mark.parametrize("name", NOT_ORDERLY)
def test_what_is_not_orderly_is_left_to_the_library(name: str) -> None:
    frame = Frame("Mine", 0, certify=False, appearance=None)

    def work() -> None:
        editing = OrderlyEditing(NOT_ORDERLY[name])
        editing.page_box(0)
        editing.prepare(frame, digest_algorithm="sha256", reserve=10)

    with pytest.raises(NotPlain):
        work()


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.binary(max_size=20)
    | st.builds(Name, st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=12))
    | st.builds(Ref, st.integers(0, 10**9), st.integers(0, 65535)),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.builds(Name, st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=8)),
            inner.filter(lambda one: one is not None),
            max_size=4,
        )
    ),
    max_leaves=12,
)


@QUICK
@given(values)
def test_what_is_written_is_read_again(value: Any) -> None:
    data = written(value) + b" "
    assert read_value(data, 0, len(data), Budget())[::2] == (value, False)


BASES = [SEALED, kept(SEALED), prepare_joint(plain_pdf(), THREE), streamed(plain_pdf(), Kind())]


@QUICK
@given(
    st.integers(0, len(BASES) - 1),
    drawn_edits(b"<<", b">>", b"/", b"[", b"(", b"% ", b"0", b"9", b" R ", b"endobj", b"\xff"),
)
def test_whatever_is_read_only_our_errors_come_out(base: int, changes: list[Edit]) -> None:
    pdf = edited(BASES[base], changes)
    try:
        editing = OrderlyEditing(pdf)
        editing.page_taken(-1)
        made = editing.prepare(
            Frame("甲方", 0, certify=False, appearance=None), digest_algorithm="sha256", reserve=10
        ).fill(b"")
        editing.prepare_archive(Store((b"0",), (), ()), reserve=10)
        editing.locking_fields()
    except (NotPlain, YinxinError):
        return
    assert made.startswith(pdf)
    assert len(OrderlyEditing(made).signatures) == len(OrderlyEditing(pdf).signatures) + 1
