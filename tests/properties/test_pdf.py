"""Whatever the bytes: no exception but ours, and nothing passes whose signed bytes were changed."""

from __future__ import annotations

import contextlib
import io
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world.desk import Desk, append_revision, plain_pdf, png
from world.mutants import Edit, drawn_edits, edited, signed_part_is_unchanged
from world.pki import NOON

from signing import cms
from signing.pdf import attachments, verify
from signing.pdf._pyhanko import parser
from signing.pdf.face import read_png
from signing.pdf.gate import Gap, examine
from signing.timestamp import TimestampRequest, parse_token, read_request, token_of_reply
from yinxin.base.errors import Unreachable, YinxinError

if TYPE_CHECKING:
    from collections.abc import Callable

DESK = Desk()
SEALED = DESK.seal(plain_pdf(files={"licence.json": b"{}"}), reason="Approved")
TWICE = DESK.seal(SEALED, signer=DESK.citizen)
TOKEN = DESK.tsa.stamp(bytes(32))
REVOCATION = DESK.revocation()
QUICK = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])

edits = drawn_edits(most=4)


@QUICK
@given(edits, st.booleans())
def test_a_changed_document_never_passes_and_never_raises(changes: list[Edit], twice: bool) -> None:  # noqa: FBT001 - drawn
    original = TWICE if twice else SEALED
    changed = edited(original, changes)
    report = verify(changed, DESK.trust, revocation=REVOCATION, now=NOON)
    assert report.to_json()
    if report.passed:
        assert signed_part_is_unchanged(original, changed)


@QUICK
@given(st.binary(max_size=400))
def test_arbitrary_bytes(data: bytes) -> None:
    for pdf in (data, b"%PDF-1.7\n" + data, b"%PDF-1.7\n" + data + b"\nstartxref\n9\n%%EOF\n"):
        assert not verify(pdf, DESK.trust, revocation=REVOCATION, now=NOON).passed
        for use in (attachments, lambda document: DESK.seal(document, stamped=False)):
            with contextlib.suppress(YinxinError):
                use(pdf)


pdf_values = st.recursive(
    st.one_of(
        st.integers(-10, 1 << 40).map(str),
        st.sampled_from(
            ["null", "true", "/Sig", "/Widget", "10 0 R", "60 0 R", "999 0 R", "(text)", "<0a>", "1.5"]
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda items: f"[{' '.join(items)}]"),
        st.dictionaries(
            st.sampled_from(
                [
                    "Fields",
                    "Kids",
                    "T",
                    "FT",
                    "V",
                    "Contents",
                    "ByteRange",
                    "SubFilter",
                    "Type",
                    "Names",
                    "EmbeddedFiles",
                    "UF",
                    "F",
                    "EF",
                    "M",
                    "Reason",
                    "Reference",
                    "TransformParams",
                    "TransformMethod",
                    "P",
                    "Lock",
                    "Perms",
                    "DocMDP",
                    "AcroForm",
                    "Parent",
                    "Rotate",
                    "MediaBox",
                ]
            ),
            inner,
            max_size=5,
        ).map(lambda items: "<< " + " ".join(f"/{key} {value}" for key, value in items.items()) + " >>"),
    ),
    max_leaves=12,
)


@QUICK
@given(pdf_values, pdf_values, pdf_values, st.sampled_from(["AcroForm", "Names", "Perms", "Pages"]))
def test_arbitrary_structures(catalogue: str, field: str, value: str, key: str) -> None:
    root = f"<< /Type /Catalog /Pages 2 0 R /{key} {catalogue} /AcroForm << /Fields [60 0 R] >> >>"
    objects = {1: root.encode(), 60: field.encode(), 61: value.encode()}
    for base in (plain_pdf(), SEALED):
        pdf = append_revision(base, objects)
        assert not verify(pdf, DESK.trust, revocation=REVOCATION, now=NOON).passed
        for use in (attachments, lambda document: DESK.seal(document, stamped=False)):
            with contextlib.suppress(YinxinError):
                use(pdf)


@QUICK
@given(edits)
def test_signatures_and_tokens_of_arbitrary_bytes(changes: list[Edit]) -> None:
    seal = cms.sign(DESK.agency, bytes(32), stamp=DESK.tsa.stamp)
    for read, data in (
        (cms.parse, seal),
        (parse_token, TOKEN),
        (read_request, TimestampRequest("sha256", bytes(32), 5).to_der()),
    ):
        with contextlib.suppress(YinxinError):
            read(edited(data, changes))
    with contextlib.suppress(YinxinError, Unreachable):
        token_of_reply(edited(TOKEN, changes), TimestampRequest("sha256", bytes(32)))


@QUICK
@given(edits)
def test_pictures_of_arbitrary_bytes(changes: list[Edit]) -> None:
    with contextlib.suppress(YinxinError):
        read_png(edited(png(), changes))


@QUICK
@given(
    st.binary(max_size=60).map(lambda data: data + b"/Contents <00ff>%%EOF"),
    st.lists(st.integers(-5, 90), max_size=5),
    st.integers(-5, 90),
)
def test_the_gate_never_raises_and_never_opens_wide(pdf: bytes, numbers: list[int], offset: int) -> None:
    gap = examine(pdf, byte_range=numbers, contents=b"\0\xff", offset=offset)
    if isinstance(gap, Gap):
        assert pdf[gap.start : gap.end] == b"<00ff>"


@QUICK
@given(st.binary(max_size=200), st.binary(max_size=6))
def test_hex_strings_are_read_as_the_library_reads_them(data: bytes, noise: bytes) -> None:
    text = data.hex().encode()
    for source in (b"<" + text + b">", b"<" + text[:50] + noise + text[50:] + b"> 7", b"<" + text):
        quick, slow = io.BytesIO(source), io.BytesIO(source)
        assert outcome(parser.read_hex, quick) == outcome(parser.SLOW_HEX, slow)


def outcome(read: Callable[[io.BytesIO], object], stream: io.BytesIO) -> tuple[object, int]:
    """What was read and up to where, or the kind of failure."""
    try:
        return read(stream), stream.tell()
    except Exception as exc:  # noqa: BLE001 - whatever the library raises
        return type(exc), 0
