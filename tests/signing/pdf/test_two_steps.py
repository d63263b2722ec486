"""Sealing in two steps with a key that is elsewhere."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from world.desk import Desk, append_revision, plain_pdf, red_face
from world.pki import NOON

from signing import cms
from signing.pdf import complete, complete_with_cms, dump_pending, load_pending, prepare
from signing.pdf.profiles.addition import Addition
from signing.raw_signatures import to_raw
from yinxin.base.errors import MalformedInput, TooLarge, UsageError, YinxinError

if TYPE_CHECKING:
    from signing.pdf import Pending

pytestmark = pytest.mark.usefixtures("writer")
FORM = b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [] >> >>"


@pytest.fixture(scope="module")
def pending(desk: Desk, pdf: bytes, writer: str) -> Pending:
    return prepare(pdf, chain=desk.agency.chain, now=NOON, face=red_face(), reason="准予许可")


@pytest.mark.parametrize("kind", ["P-256", "P-384", "RSA-2048", "Ed25519"])
def test_what_a_key_elsewhere_signs_passes(desk: Desk, pdf: bytes, kind: str) -> None:
    elsewhere = desk.pki.issuing.issue("远程机关 Remote Agency", "seal", key_kind=kind)
    waiting = prepare(pdf, chain=elsewhere.chain, now=NOON, location="津城")
    assert waiting.document.startswith(pdf)
    for asked in ({}, {"timestamper": desk.tsa}):
        sealed = complete(waiting, elsewhere.sign(waiting.to_sign), **asked)
        (signature,) = desk.verify(sealed).require().signatures
        assert signature.certificate == elsewhere.certificate
        assert (signature.location, signature.certifies, signature.covers_whole_file) == ("津城", True, True)
        assert (signature.proved_at == NOON) == bool(asked)
        assert len(sealed) == len(waiting.document)


def test_a_signature_of_r_and_s_side_by_side(desk: Desk, pending: Pending) -> None:
    raw = to_raw(desk.agency.sign(pending.to_sign), desk.agency.algorithm)
    assert desk.verify(complete(pending, raw)).passed


def test_the_hash_is_that_of_what_is_signed(desk: Desk, pdf: bytes, pending: Pending) -> None:
    assert pending.hash_to_sign == cms.hash_with("sha256", pending.to_sign)
    whole = desk.pki.issuing.issue("Ed25519 Agency", "seal", key_kind="Ed25519")
    with pytest.raises(UsageError):
        _ = prepare(pdf, chain=whole.chain, now=NOON).hash_to_sign


def test_a_certificate_that_comes_late(desk: Desk, pdf: bytes) -> None:
    waiting = prepare(pdf, now=NOON)
    for early in (lambda: waiting.to_sign, lambda: waiting.hash_to_sign, lambda: complete(waiting, b"x")):
        with pytest.raises(UsageError):
            early()
    known = waiting.with_chain(desk.agency.chain)
    sealed = complete(known, desk.agency.sign(known.to_sign), timestamper=desk.tsa)
    assert desk.verify(sealed).passed


def test_what_does_not_go_together_is_said_before_anything_is_signed(desk: Desk, pdf: bytes) -> None:
    waiting = prepare(pdf, now=NOON)
    other = desk.pki.issuing.issue("P-384 Agency", "seal", key_kind="P-384")
    with pytest.raises(UsageError, match="sha384"):
        waiting.with_chain(other.chain)
    with pytest.raises(UsageError):
        waiting.with_chain(desk.agency.chain, algorithm="RS256")
    with pytest.raises(UsageError):
        waiting.with_chain(())
    with pytest.raises(UsageError):
        prepare(pdf, now=NOON, digest_algorithm="sha1")
    fits = prepare(pdf, now=NOON, digest_algorithm="sha384").with_chain(other.chain)
    assert desk.verify(complete(fits, other.sign(fits.to_sign))).passed
    long = (desk.agency.certificate, *[desk.pki.issuing.certificate] * 15)
    with pytest.raises(TooLarge):
        replace(waiting, end=waiting.start + 9000).with_chain(long)


def test_a_token_larger_than_its_room_stands_beside_the_signature(desk: Desk, pdf: bytes) -> None:
    waiting = prepare(pdf, chain=desk.agency.chain, now=NOON)
    room = cms.chain_bound(desk.agency.chain)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("signing.pdf.two_steps.TOKEN_ROOM", 10)
        narrow = prepare(pdf, chain=desk.agency.chain, now=NOON)
    assert (narrow.room, waiting.room > narrow.room) == (room + 10, True)
    sealed = complete(narrow, desk.agency.sign(narrow.to_sign), timestamper=desk.tsa)
    signature = desk.verify(sealed).require().signatures[0]
    assert signature.proved_at == NOON


def test_a_whole_structure_of_the_other_side(desk: Desk, pdf: bytes) -> None:
    waiting = prepare(pdf, now=NOON)
    made = cms.sign(desk.agency, waiting.digest)
    assert desk.verify(complete_with_cms(waiting, made, now=NOON)).passed
    wrong = (
        cms.sign(desk.agency, b"\1" * 32),
        cms.sign(desk.agency, waiting.digest, content=b"x"),
        made[:-1] + bytes([made[-1] ^ 1]),
        b"",
    )
    for other in wrong:
        with pytest.raises(MalformedInput):
            complete_with_cms(waiting, other, now=NOON)
    stamped = cms.sign(desk.agency, waiting.digest, stamp=lambda _: b"\x30\x82\x75\x30" + bytes(30_000))
    with pytest.raises(YinxinError):
        complete_with_cms(waiting, stamped, now=NOON)


def test_what_a_profile_adds_is_signed(desk: Desk, pdf: bytes) -> None:
    waiting = prepare(pdf, chain=desk.agency.chain, now=NOON, addition=Addition("approval"))
    assert desk.verify(complete(waiting, desk.agency.sign(waiting.to_sign))).passed
    with pytest.raises(UsageError):
        complete_with_cms(waiting, cms.sign(desk.agency, waiting.digest), now=NOON)


def test_the_input_may_have_a_form(desk: Desk) -> None:
    waiting = prepare(append_revision(plain_pdf(), {1: FORM}), chain=desk.agency.chain, now=NOON)
    assert desk.verify(
        complete(load_pending(dump_pending(waiting)), desk.agency.sign(waiting.to_sign))
    ).passed


@pytest.mark.parametrize(
    "where", ["before", "after", "first", "last", "hole", "attributes", "chain", "algorithm"]
)
def test_a_prepared_document_that_was_changed_is_refused(desk: Desk, pending: Pending, where: str) -> None:
    signature, document = desk.agency.sign(pending.to_sign), pending.document
    place = {"before": pending.start - 60, "after": pending.end + 40, "first": 20, "last": len(document) - 9}
    if where in place:
        at = place[where]
        changed = replace(pending, document=document[:at] + bytes([document[at] ^ 1]) + document[at + 1 :])
    elif where == "hole":
        changed = replace(pending, start=pending.start - 2, end=pending.end - 2)
    elif where == "attributes":
        changed = replace(pending, attributes=(cms.attribute("1.2.840.113549.1.9.5", b"\5\0"),))
    elif where == "chain":
        changed = pending.with_chain((desk.citizen.certificate, *desk.agency.chain[1:]))
    else:
        changed = replace(
            pending, algorithm=desk.pki.issuing.issue("R", "seal", key_kind="RSA-2048").algorithm
        )
    with pytest.raises(MalformedInput):
        complete(changed, signature)


def test_what_is_kept_is_read_again(desk: Desk, pdf: bytes, pending: Pending) -> None:
    for one in (pending, prepare(pdf, now=NOON)):
        for secret in (None, b"of this service"):
            assert load_pending(dump_pending(one, secret=secret), secret=secret) == one


def test_what_is_kept_cannot_be_changed_without_the_secret(pending: Pending) -> None:
    kept = dump_pending(pending, secret=b"secret")
    for other in (None, b"another"):
        with pytest.raises(MalformedInput):
            load_pending(dump_pending(pending, secret=other), secret=b"secret")
    for place in (0, 30, 95, 200, len(kept) // 2, len(kept) - 1):
        with pytest.raises(MalformedInput):
            load_pending(kept[:place] + bytes([kept[place] ^ 1]) + kept[place + 1 :], secret=b"secret")


@pytest.mark.parametrize(
    "change",
    [
        (b'"hole": [', b'"hole": [1'),
        (b'"digest": "sha256"', b'"digest": "sha1"'),
        (b'"digest": "sha256"', b'"digest": "sha384"'),
        (b'"attributes": []', b'"attributes": 5'),
        (b'"algorithm": "ES256"', b'"algorithm": "RS256"'),
        (b'"algorithm": "ES256"', b'"algorithm": 7'),
        (b'"chain": ["', b'"chain": ["AAAA'),
        (b'"chain": ["', b'"chain": ["!'),
        (b'{"hole"', b'{"more": 1, "hole"'),
        (b"<00000000", b"<00000001"),
        (b"yinxin-pending-signature-1 -", b"yinxin-pending-signature-2 -"),
    ],
)
def test_what_is_not_what_was_kept_is_refused(pending: Pending, change: tuple[bytes, bytes]) -> None:
    kept = dump_pending(pending)
    assert change[0] in kept
    with pytest.raises(YinxinError):
        load_pending(kept.replace(*change, 1))


def test_a_hole_that_no_signature_has(pending: Pending) -> None:
    document = pending.document + b"<0000>"
    moved = replace(pending, document=document, start=len(pending.document), end=len(document))
    with pytest.raises(YinxinError):
        load_pending(dump_pending(moved))


@settings(deadline=None, max_examples=60)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.binary(max_size=80).map(lambda rest: b"yinxin-pending-signature-1 -\n" + rest),
    )
)
def test_only_our_errors_come_out(data: bytes) -> None:
    with pytest.raises(YinxinError):
        load_pending(data)
