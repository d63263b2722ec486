"""The profiles of the domain: agency seal, citizen's signature, joint signing, counter-signature, witness."""

from __future__ import annotations

import pytest
from world.desk import Desk, plain_pdf, red_face
from world.pki import NOON

from signing.pdf import (
    Place,
    Seal,
    countersign,
    order_of_signing,
    prepare_joint,
    seal_as_agency,
    sign_as_citizen,
    sign_jointly,
)
from signing.pdf._pyhanko.parser import open_reader
from signing.pdf.reading import Reading
from signing.reasons import Reason
from yinxin.base.errors import Conflict, NotFound, UsageError

THREE = (Place("甲方", 0, (50, 100)), Place("乙方", 0, (200, 100)), Place("丙方"))


@pytest.fixture(scope="module")
def agency(desk: Desk) -> Seal:
    return Seal(desk.agency, face=red_face(), timestamper=desk.tsa)


@pytest.fixture(scope="module")
def citizen(desk: Desk) -> Seal:
    return Seal(desk.citizen)


@pytest.fixture(scope="module")
def form(pdf: bytes) -> bytes:
    return prepare_joint(pdf, THREE, left_open=("见证",))


@pytest.fixture(scope="module")
def signed_by_one(agency: Seal, form: bytes) -> bytes:
    return sign_jointly(agency, form, field="甲方", now=NOON)


@pytest.mark.parametrize("is_final", [False, True])
def test_an_agency_certifies_and_says_what_may_follow(
    desk: Desk, agency: Seal, pdf: bytes, *, is_final: bool
) -> None:
    report = desk.verify(seal_as_agency(agency, pdf, now=NOON, is_final=is_final, reason="准予许可"))
    (finding,) = report.findings["signatures"]
    assert report.passed
    assert finding["certifies"]
    assert finding["permission"] == (1 if is_final else 2)
    assert finding["reason"] == "准予许可"


def test_nothing_follows_a_final_seal(agency: Seal, citizen: Seal, pdf: bytes) -> None:
    final = seal_as_agency(agency, pdf, now=NOON, is_final=True)
    with pytest.raises(Conflict):
        sign_as_citizen(citizen, final, now=NOON)


def test_an_agency_s_seal_comes_first_or_not_at_all(agency: Seal, sealed: bytes) -> None:
    with pytest.raises(Conflict):
        seal_as_agency(agency, sealed, now=NOON)
    with pytest.raises(Conflict):
        seal_as_agency(agency, sealed, now=NOON, straddles=True)


def test_a_citizen_commits_in_a_role_for_a_reason(desk: Desk, citizen: Seal, sealed: bytes) -> None:
    signed = sign_as_citizen(citizen, sealed, now=NOON, roles=("法定代表人", "经办人"), reason="同意")
    report = desk.verify(signed)
    _, signature = report.require().signatures
    assert (signature.commitments, signature.roles) == (("approval",), ("法定代表人", "经办人"))
    assert signature.reason == "同意"
    finding = report.findings["signatures"][1]
    assert (finding["commitments"], finding["roles"]) == (["approval"], ["法定代表人", "经办人"])
    # EN 319 142-1, 6.3: no entry Reason beside a commitment
    assert "/Reason" not in open_reader(signed).embedded_signatures[1].sig_object


@pytest.mark.parametrize(
    "asked",
    [
        {"commitment": "love"},
        {"roles": ("",)},
        {"roles": ("r" * 121,)},
        {"roles": ("r",) * 9},
        {"roles": ("\ud800",)},
        {"reason": "r" * 1001},
        {"reason": ""},
    ],
)
def test_what_cannot_be_said_is_not_signed(citizen: Seal, pdf: bytes, asked: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        sign_as_citizen(citizen, pdf, now=NOON, **asked)  # type: ignore[arg-type]


@pytest.mark.parametrize(("as_witness", "word"), [(True, "witness"), (False, "countersignature")])
def test_a_later_signature_names_earlier_ones(
    desk: Desk, citizen: Seal, sealed: bytes, *, as_witness: bool, word: str
) -> None:
    signed = sign_as_citizen(citizen, sealed, now=NOON)
    confirmed = countersign(citizen, signed, of=("Seal1", "Seal2"), now=NOON, as_witness=as_witness)
    *_, last = desk.verify(confirmed).require().signatures
    assert last.commitments == (word,)
    assert last.names == ("Seal1", "Seal2")


def test_who_names_nobody_s_signature_does_not_sign(citizen: Seal, sealed: bytes) -> None:
    for field in ("Seal9", ""):
        with pytest.raises(NotFound):
            countersign(citizen, sealed, of=field, now=NOON)


def test_a_confirmation_moved_to_another_document_does_not_pass(
    desk: Desk, citizen: Seal, pdf: bytes, sealed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = desk.seal(pdf, reason="another")
    monkeypatch.setattr("signing.pdf.profiles.kinds.Reading", lambda _pdf: Reading(other))
    report = desk.verify(countersign(citizen, sealed, of="Seal1", now=NOON))
    assert report.reasons == {Reason.NAMED_SIGNATURE_MISSING}


def test_three_sign_in_their_order(
    desk: Desk, agency: Seal, citizen: Seal, form: bytes, signed_by_one: bytes
) -> None:
    assert order_of_signing(form) == (("甲方", False), ("乙方", False), ("丙方", False))
    first = desk.verify(signed_by_one)
    assert first.passed
    assert first.findings["signatures"][0]["order"] == ["甲方", "乙方", "丙方"]
    assert first.findings["signatures"][0]["waiting"] == ["乙方", "丙方"]
    two = sign_jointly(citizen, signed_by_one, field="乙方", now=NOON)
    three = sign_jointly(agency, two, field="丙方", now=NOON)
    assert order_of_signing(three) == (("甲方", True), ("乙方", True), ("丙方", True))
    report = desk.verify(three)
    assert [one.field for one in report.require().signatures] == ["甲方", "乙方", "丙方"]
    assert all("waiting" not in one for one in report.findings["signatures"])
    witnessed = countersign(citizen, three, of="丙方", now=NOON, as_witness=True, field="见证")
    assert desk.verify(witnessed).passed


def test_who_is_not_next_does_not_sign(agency: Seal, form: bytes, signed_by_one: bytes) -> None:
    for document, field in ((form, "乙方"), (signed_by_one, "丙方"), (signed_by_one, "甲方")):
        with pytest.raises(Conflict):
            sign_jointly(agency, document, field=field, now=NOON)
    with pytest.raises(NotFound):
        sign_jointly(agency, form, field="丁方", now=NOON)


def test_who_signed_out_of_turn_is_seen(desk: Desk, agency: Seal, signed_by_one: bytes) -> None:
    jumped = agency.apply(signed_by_one, field="丙方", now=NOON)
    assert desk.verify(jumped).reasons == {Reason.SIGNED_OUT_OF_ORDER}
    with pytest.raises(Conflict):
        sign_jointly(agency, jumped, field="乙方", now=NOON)


def test_a_joint_signer_locks_all_but_the_later_ones(agency: Seal, signed_by_one: bytes) -> None:
    with pytest.raises(Conflict):
        agency.apply(signed_by_one, now=NOON)  # a field of its own, which nobody left open
    with pytest.raises(Conflict):
        agency.apply(signed_by_one, now=NOON, field="甲方")


def test_an_order_is_stated_before_anybody_signs(pdf: bytes, sealed: bytes, form: bytes) -> None:
    with pytest.raises(Conflict):
        prepare_joint(sealed, THREE)
    with pytest.raises(Conflict):
        prepare_joint(form, THREE)
    for wrong in (
        THREE[:1],
        (THREE[0], THREE[0]),
        (THREE[0], Place("a.b")),
        (THREE[0], Place("x", 0, (500, 0))),
    ):
        with pytest.raises(UsageError):
            prepare_joint(pdf, wrong)
    with pytest.raises(UsageError):
        prepare_joint(pdf, [Place(str(number)) for number in range(17)])


def test_a_file_without_an_order_has_none(pdf: bytes, sealed: bytes, agency: Seal) -> None:
    assert order_of_signing(pdf) == order_of_signing(sealed) == ()
    with pytest.raises(NotFound):
        sign_jointly(agency, sealed, field="Seal1", now=NOON)


@pytest.mark.parametrize("pages", [1, 2, 7, 20, 45])
def test_each_page_bears_its_slice(desk: Desk, agency: Seal, pages: int) -> None:
    document = seal_as_agency(agency, plain_pdf(pages=pages), now=NOON, straddles=True)
    report = desk.verify(document)
    assert report.passed
    assert report.findings["signatures"][0].get("straddles") == (pages if pages > 1 else None)
    root = open_reader(document).root
    widths = []
    kids = root["/Pages"]["/Kids"]
    for number in range(len(kids)):
        annotations = kids[number].get("/Annots", ())
        found = [annotations[index] for index in range(len(annotations))]
        slices = [one for one in found if one["/Subtype"] == "/Stamp"]
        assert len(slices) == (pages > 1)
        for one in slices:
            left, _, right, _ = map(float, one["/Rect"])
            assert one["/F"] == 708
            assert right == pytest.approx(595, abs=0.01)
            widths.append(right - left)
    if pages > 1:
        faces = -(-pages // 20)
        assert sum(widths) == pytest.approx(faces * 42 * 72 / 25.4, rel=1e-3)


def test_a_straddle_seal_needs_a_face_and_room_on_every_page(desk: Desk, agency: Seal) -> None:
    with pytest.raises(UsageError):
        seal_as_agency(Seal(desk.agency), plain_pdf(pages=2), now=NOON, straddles=True)
    low = plain_pdf(pages=2).replace(b"[0 0 595 842]", b"[0 0 595 100]")
    with pytest.raises(UsageError):
        seal_as_agency(agency, low, now=NOON, straddles=True)


def test_a_page_exchanged_under_a_straddle_seal_is_seen(desk: Desk, agency: Seal) -> None:
    document = seal_as_agency(agency, plain_pdf(pages=3), now=NOON, straddles=True)
    assert not desk.verify(document.replace(b"(Licence 001)", b"(Licence 002)", 1)).passed


@pytest.mark.parametrize("pages", [1, 3])
def test_a_second_face_stands_beside_the_first(desk: Desk, agency: Seal, pages: int) -> None:
    document = seal_as_agency(agency, plain_pdf(pages=pages), now=NOON, straddles=True)
    for number in range(1, 6):
        document = countersign(agency, document, of=f"Seal{number}", now=NOON)
    report = desk.verify(document)
    assert report.passed, report.reasons
    assert len(report.require().signatures) == 6


def test_a_face_does_not_lie_over_what_a_certified_document_has(agency: Seal, pdf: bytes) -> None:
    sealed = seal_as_agency(agency, pdf, now=NOON, at=(300, 300))
    with pytest.raises(Conflict):
        countersign(agency, sealed, of="Seal1", now=NOON, at=(310, 290))
    assert countersign(agency, sealed, of="Seal1", now=NOON, at=(400, 300)).startswith(sealed)
