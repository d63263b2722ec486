from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from world.desk import Desk, append_revision, plain_pdf, png, red_face
from world.pki import NOON

from signing.pdf import Seal, SealFace, attachments
from signing.pdf._pyhanko.parser import open_reader
from yinxin.base.errors import Conflict, MalformedInput, TooLarge, Unreachable, UsageError

pytestmark = pytest.mark.usefixtures("writer")


@pytest.fixture(scope="module")
def sealed(desk: Desk, pdf: bytes, writer: str) -> bytes:
    return desk.seal(pdf, reason="准予许可 Approved", location="津城")


def test_a_sealed_document_passes_and_says_who_and_when(desk: Desk, sealed: bytes) -> None:
    report = desk.verify(sealed)
    document = report.require()
    (signature,) = document.signatures
    assert signature.certificate == desk.agency.certificate
    assert (signature.usage, signature.reason, signature.location) == ("seal", "准予许可 Approved", "津城")
    assert signature.proved_at == NOON
    assert signature.certifies
    assert signature.covers_whole_file
    assert document.attachments == {"licence.json": b'{"number": "001"}'}
    (finding,) = report.findings["signatures"]
    assert finding["signer"]["name"] == "津城市场监管局 Market Bureau"
    assert finding["coverage"] == "whole_file"


def test_the_input_is_a_prefix_of_the_output(desk: Desk, pdf: bytes, sealed: bytes) -> None:
    assert sealed.startswith(pdf)
    assert attachments(sealed) == {"licence.json": b'{"number": "001"}'}
    assert attachments(pdf) == {}


def test_the_same_report_byte_for_byte(desk: Desk, sealed: bytes) -> None:
    revocation = desk.revocation()
    first, second = (desk.verify(sealed, revocation=revocation).to_json() for _ in range(2))
    assert first == second


def test_without_a_time_stamp_the_time_is_only_claimed(desk: Desk, pdf: bytes) -> None:
    (signature,) = desk.verify(desk.seal(pdf, stamped=False)).require().signatures
    assert signature.proved_at is None
    assert signature.claimed_at == NOON


@pytest.mark.parametrize("kind", ["P-256", "P-384", "P-521", "RSA-2048", "Ed25519"])
def test_every_kind_of_key_seals(desk: Desk, pdf: bytes, kind: str) -> None:
    signer = desk.pki.issuing.issue("任一机关 Any Agency", "seal", key_kind=kind)
    assert desk.verify(desk.seal(pdf, signer=signer)).passed


def test_one_signature_and_one_time_stamp_for_each_seal(desk: Desk, pdf: bytes) -> None:
    before = len(desk.tsa.answered)
    seal = Seal(desk.agency, timestamper=desk.tsa)
    sizes = [len(seal.apply(pdf, now=NOON)) for _ in range(3)]
    assert len(desk.tsa.answered) == before + 3
    assert sizes[1] < sizes[0]  # room is kept for the tokens that really come


def test_an_authority_with_large_tokens_gets_the_room_it_needs(desk: Desk, pdf: bytes) -> None:
    class Wordy:
        def stamp(self, digest: bytes, *, digest_algorithm: str = "sha256") -> bytes:
            return desk.tsa.stamp(digest, digest_algorithm=digest_algorithm)

    seal = Seal(desk.agency, timestamper=Wordy())
    seal._room = 1500
    assert desk.verify(seal.apply(pdf, now=NOON)).passed


def test_an_authority_that_does_not_answer_leaves_no_half_sealed_file(desk: Desk, pdf: bytes) -> None:
    class Silent:
        def stamp(self, _digest: bytes, **_: str) -> bytes:
            raise Unreachable("no answer")

    with pytest.raises(Unreachable):
        Seal(desk.agency, timestamper=Silent()).apply(pdf, now=NOON)


def test_a_seal_can_be_put_on_inside_a_running_event_loop(desk: Desk, pdf: bytes) -> None:
    async def route() -> bytes:
        return desk.seal(pdf)

    assert desk.verify(asyncio.run(route())).passed


def test_a_second_seal_and_a_citizen_s_signature_leave_the_first_seal_good(desk: Desk, sealed: bytes) -> None:
    signed = desk.seal(sealed, signer=desk.citizen, face=red_face(30, 15), at=(72, 72))
    third = desk.seal(signed)
    document = desk.verify(third).require()
    assert [item.usage for item in document.signatures] == ["seal", "signature", "seal"]
    assert [item.field for item in document.signatures] == ["Seal1", "Seal2", "Seal3"]
    assert [item.certifies for item in document.signatures] == [True, False, False]
    assert [item.covers_whole_file for item in document.signatures] == [False, False, True]


def test_an_approval_seal_when_not_certifying(desk: Desk, pdf: bytes) -> None:
    (signature,) = desk.verify(desk.seal(pdf, certify=False)).require().signatures
    assert not signature.certifies


def test_an_empty_field_can_be_filled_and_a_filled_one_not(desk: Desk, sealed: bytes) -> None:
    named = desk.seal(sealed, field="复核章")
    assert [item.field for item in desk.verify(named).require().signatures] == ["Seal1", "复核章"]
    with pytest.raises(Conflict):
        desk.seal(named, field="复核章")
    with pytest.raises(UsageError):
        desk.seal(named, field="a.b")


@pytest.mark.parametrize("apart", [False, True])
def test_a_field_that_waits_for_a_seal(desk: Desk, apart: bool) -> None:  # noqa: FBT001 - a parameter of the test
    widget = b"/Type /Annot /Subtype /Widget /F 4 /P 10 0 R /Rect [300 100 420 220]"
    field = (
        b"<< /FT /Sig /T (Office) /Kids [52 0 R] >>"
        if apart
        else b"<< /FT /Sig /T (Office) " + widget + b" >>"
    )
    form = append_revision(
        plain_pdf(),
        {
            1: b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [51 0 R] >> >>",
            10: b"<< /Type /Page /Parent 2 0 R /Contents 11 0 R /Annots [%d 0 R] >>" % (52 if apart else 51),
            51: field,
            52: b"<< /Parent 51 0 R " + widget + b" >>",
        },
    )
    sealed = desk.seal(form, field="Office", face=red_face())
    assert [item.field for item in desk.verify(sealed).require().signatures] == ["Office"]
    (found,) = open_reader(sealed).embedded_signatures
    shown = found.sig_field["/Kids"][0] if apart else found.sig_field
    assert "/N" in shown["/AP"]
    assert shown["/Rect"][0] == 300


def test_sealing_changes_no_metadata_and_reads_no_clock(desk: Desk, pdf: bytes) -> None:
    update = desk.seal(pdf, stamped=False)[len(pdf) :]
    assert b"/ModDate" not in update
    assert b"/Producer" not in update
    assert b"20261120120000" in update


def test_a_face_stands_where_it_was_asked_for(desk: Desk, pdf: bytes) -> None:
    sealed = desk.seal(pdf, face=red_face(), at=(100, 200))
    side = 42 * 72 / 25.4
    (found,) = open_reader(sealed).embedded_signatures
    rectangle = [float(value) for value in found.sig_field["/Rect"]]
    assert rectangle == pytest.approx([100, 200, 100 + side, 200 + side], abs=0.01)
    assert b"/SMask" in sealed


def test_without_a_face_nothing_is_seen(desk: Desk, sealed: bytes) -> None:
    (found,) = open_reader(sealed).embedded_signatures
    assert [float(value) for value in found.sig_field["/Rect"]] == [0, 0, 0, 0]
    assert found.sig_field["/F"] & 0b100  # PDF/A wants the print flag


@pytest.mark.parametrize("asked", [{"page": 1}, {"page": -2}, {"at": (500, 700)}, {"at": (-1, 0)}])
def test_a_page_or_place_that_is_not_there(desk: Desk, pdf: bytes, asked: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        desk.seal(pdf, face=red_face(), **asked)


def test_pages_count_from_both_ends(desk: Desk) -> None:
    three = plain_pdf(pages=3)
    for page in (0, 2, -3):
        assert desk.verify(desk.seal(three, face=red_face(), page=page)).passed


@pytest.mark.parametrize("bad", [b"", b"%PDF-1.7", b"not a pdf", b"%PDF-1.7\n" + b"\0" * 5000])
def test_what_is_no_pdf_is_not_sealed(desk: Desk, bad: bytes) -> None:
    with pytest.raises(MalformedInput):
        desk.seal(bad)


def test_a_document_locked_by_an_earlier_signature_is_not_sealed(desk: Desk, sealed: bytes) -> None:
    place = sealed.index(b"/P 2")
    locked = sealed[:place] + b"/P 1" + sealed[place + 4 :]
    with pytest.raises(Conflict):
        desk.seal(locked)


def test_faces_of_each_kind_of_png(desk: Desk, pdf: bytes) -> None:
    for kind in (0, 2, 4, 6):
        face = SealFace(png(16, 9, kind=kind), 40, 30)
        assert (face.picture.alpha is not None) == (kind in {4, 6})
        assert desk.verify(desk.seal(pdf, face=face)).passed


def test_pngs_that_are_not_taken(desk: Desk) -> None:
    good = png()
    for bad in (b"", good[:-20], good[:40] + b"X" + good[41:], b"GIF89a"):
        with pytest.raises(MalformedInput):
            _ = SealFace(bad, 40, 40).picture
    with pytest.raises(TooLarge):
        _ = SealFace(png(9000, 1), 40, 40).picture
    with pytest.raises(UsageError):
        SealFace(good, 0.5, 40)


def test_a_seal_after_the_certificate_s_last_day_does_not_pass(desk: Desk, pdf: bytes) -> None:
    late = desk.agency.certificate.not_after + timedelta(days=1)
    assert not desk.verify(desk.seal(pdf, stamped=False, now=late), now=late).passed
