"""What attackers make of the code printed on a licence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from world.pki import Pki
from world.printed import ADDRESS, CATALOGUE, Paper, sample_licence
from world.printed_forgery import (
    ADDRESSES,
    BAD_CLAIMS,
    NO_ADDRESSES,
    TRICKS,
    Forger,
    claims_of,
    content,
    printed,
)

from credentials import samples
from credentials.printed_code import (
    IssuerCertificate,
    IssuerCertificates,
    PrintedCodeVerifier,
    make,
    read,
)
from credentials.printed_code.code import FIELDS, ISS, LICENCE
from credentials.printed_code.issuers import kid_of
from signing import cbor
from signing.base64url import decode_base64url, encode_base64url
from signing.cose import ALG, CRIT, KID, SIGN1_TAG, Sign1, sign1
from signing.reasons import Reason
from signing.report import Indication
from signing.signers.file import FileSigner
from yinxin.base.errors import TooLarge

if TYPE_CHECKING:
    from collections.abc import Callable

    from signing.report import Report


PAPER = Paper()
FORGER = Forger(PAPER)
CODE = FORGER.code
OTHER = Pki()  # somebody else's authorities


def reasons(text: object, **how: Any) -> set[str]:
    return {reason.code for reason in PAPER.verify(text, **how).reasons}  # type: ignore[arg-type]


def test_swapped_fields_break_the_signature() -> None:
    mine, theirs = PAPER.code(), PAPER.code(sample_licence("food-business-licence", operator_name="别家餐馆"))
    head, _, payload, signature = content(mine).value.value
    other = content(theirs).value.value[2]
    swapped = cbor.encode(cbor.Tag(SIGN1_TAG, [head, {}, other, signature]))
    assert payload != other
    report = PAPER.verify(printed(swapped))
    assert report.reasons == {Reason.SIG_CRYPTO_FAILURE}
    assert report.findings == {}, "nothing of a forged code is shown"


def test_somebody_elses_key_under_the_agencys_kid() -> None:
    assert reasons(FORGER.forged(lambda _: None, signer=FileSigner.generate())) == {"sig_crypto_failure"}
    stranger = OTHER.signer("credential")
    text = make(
        sample_licence("food-business-licence"),
        CATALOGUE["food-business-licence"],
        address=ADDRESS,
        signer=stranger,
    )
    assert reasons(text) == {"signing_certificate_missing"}, "its certificate is on no list"
    listed = IssuerCertificate(samples.AGENCY.credit_code, stranger.chain)
    report = PAPER.verifier(listed).verify(text, now=PAPER.now)
    assert "no_certificate_chain_found" in {one.code for one in report.reasons}, "a list is no anchor"
    assert report.indication is Indication.INDETERMINATE
    assert report.then is Indication.INDETERMINATE


def test_another_agency_signs_no_licence_of_ours() -> None:
    neighbour = PAPER.pki.signer("credential", "邻区行政审批局 凭证签发")
    entry = IssuerCertificate("11120199MB0000001X", neighbour.chain)
    text = PAPER.code(signer=neighbour)
    report = PAPER.verifier(entry).verify(text, now=PAPER.now)
    assert "issuer_mismatch" in {one.code for one in report.reasons}
    assert (report.indication, report.findings) == (Indication.FAILED, {})


@pytest.mark.parametrize("use", ["status", "receipt", "seal", "client"])
def test_a_certificate_for_another_use_signs_no_codes(use: str) -> None:
    signer = PAPER.pki.signer(use)
    entry = IssuerCertificate(samples.AGENCY.credit_code, signer.chain)
    report = PAPER.verifier(entry).verify(PAPER.code(signer=signer), now=PAPER.now)
    assert "wrong_key_usage" in {one.code for one in report.reasons}
    assert report.indication is Indication.FAILED


def test_two_certificates_with_one_kid_are_both_tried() -> None:
    other = PAPER.pki.signer("credential")
    collided = IssuerCertificates(
        [*PAPER.issuers().entries, IssuerCertificate("11120199MB0000001X", other.chain)]
    )
    kid = kid_of(PAPER.signer.certificate)
    collided.__dict__["_by_kid"] = {kid: tuple(reversed(collided.entries))}
    assert len(collided.named(kid)) == 2
    both = PrintedCodeVerifier(
        PAPER.trust, issuers=collided, addresses=[ADDRESS], revocation=PAPER.revocation()
    )
    assert both.verify(CODE, now=PAPER.now).then is Indication.PASSED
    theirs = printed(sign1(cbor.encode(claims_of(CODE)), other, protected={KID: kid}))
    report = both.verify(theirs, now=PAPER.now)
    assert "issuer_mismatch" in {one.code for one in report.reasons}, "the other's key, the other's agency"


def test_algorithms_are_not_confused() -> None:
    kid = kid_of(PAPER.signer.certificate)
    assert PAPER.verify(FORGER.resigned({ALG: -7, KID: kid})).then is Indication.PASSED
    for number in (-35, -8, -37, -257, 5, 4, 0, -65535):
        assert reasons(FORGER.resigned({ALG: number, KID: kid})) == {"algorithm_not_allowed"}
    for head in ({KID: kid}, {ALG: "ES256", KID: kid}, {ALG: None, KID: kid}, {ALG: -7.5, KID: kid}):
        assert reasons(FORGER.resigned(head)) == {"printed_code_malformed"}


def test_headers_are_the_two_and_no_other() -> None:
    kid = kid_of(PAPER.signer.certificate)
    for head in (
        {ALG: -7, KID: kid, CRIT: [KID]},
        {ALG: -7, KID: kid, 99: 1},
        {ALG: -7},
        {ALG: -7, KID: kid[:7]},
        {ALG: -7, KID: kid + b"\0"},
    ):
        assert reasons(FORGER.resigned(head)) == {"printed_code_malformed"}
    head, _, payload, signature = content(CODE).value.value
    outside = cbor.encode(cbor.Tag(SIGN1_TAG, [head, {99: 1}, payload, signature]))
    detached = cbor.encode(cbor.Tag(SIGN1_TAG, [head, {}, None, signature]))
    for message in (outside, detached):
        assert reasons(printed(message)) == {"printed_code_malformed"}


def test_a_code_has_one_encoding() -> None:
    raw = decode_base64url(CODE.partition("#")[2])
    payload = content(CODE).value.value[2]
    place = raw.index(payload)
    longer = bytearray(raw)
    longer[place - 2 : place] = b"\x5a" + len(payload).to_bytes(4, "big")  # a length in a longer form
    for changed in (
        raw + b"\0",
        raw[3:],
        raw[2:],
        b"\xd8\x3e" + raw[2:],
        raw[:2] + raw[2:3] * 2 + raw[3:],
        b"\xd9\xd9\xf7" + raw,
        bytes(longer),
        raw.replace(b"\x84\x4d", b"\x9f\x4d", 1) + b"\xff",
    ):
        assert changed != raw
        assert reasons(f"{ADDRESS}#{encode_base64url(changed)}") == {"printed_code_malformed"}
    text = CODE.partition("#")[2]
    for spelling in (
        text + "=",
        text + "==",
        text.replace(text[20], "+"),
        text + "\n",
        " " + text,
        text + "#",
    ):
        assert reasons(f"{ADDRESS}#{spelling}") == {"printed_code_malformed"}


def test_repeated_keys_in_claims_are_refused_even_when_signed() -> None:
    payload = cbor.encode(claims_of(CODE))
    doubled = bytes([payload[0] + 1]) + cbor.encode(ISS) + cbor.encode("11120199MB0000001X") + payload[1:]
    kid = kid_of(PAPER.signer.certificate)
    text = printed(sign1(doubled, PAPER.signer, protected={KID: kid}))
    assert Sign1.parse(cbor.encode(content(text).value)).is_signed_by(PAPER.signer.public_key)
    assert reasons(text) == {"printed_code_malformed"}


@pytest.mark.parametrize("change", BAD_CLAIMS.values(), ids=BAD_CLAIMS)
def test_claims_of_another_form_are_refused_even_when_signed(
    change: Callable[[dict[int, Any]], object],
) -> None:
    assert reasons(FORGER.forged(change)) == {"printed_code_malformed"}


@pytest.mark.parametrize(
    "text", TRICKS, ids=[f"U+{max(map(ord, one[1:3])):04X}-{n}" for n, one in enumerate(TRICKS)]
)
def test_texts_that_turn_or_hide_letters_are_refused_even_when_signed(text: str) -> None:
    for value in (text, ["ok", text], {1: text, 2: bytes(12)}):
        changed = FORGER.forged(
            lambda claims, value=value: claims[LICENCE][FIELDS].update(operator_name=value)
        )
        assert reasons(changed) == {"printed_code_malformed"}


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_genuine_code_behind_another_address_is_refused(address: str) -> None:
    report = PAPER.verify(CODE.replace(ADDRESS, address))
    assert report.reasons == {Reason.ADDRESS_NOT_TRUSTED}
    assert (report.indication, report.findings) == (Indication.FAILED, {})
    assert all(check.detail.isascii() or "\ufffd" in check.detail for check in report.checks)


@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_what_is_no_address_is_refused(address: str) -> None:
    assert reasons(address + "#" + CODE.partition("#")[2]) == {"printed_code_malformed"}


@pytest.mark.parametrize(
    "text", ["", "#", ADDRESS, ADDRESS + "#", None, 7, b"x", "\ud800", ADDRESS + "#\ud800"]
)
def test_what_is_no_code_is_a_report(text: object) -> None:
    assert reasons(text) == {"printed_code_malformed"}


def test_limits() -> None:
    assert reasons(f"{ADDRESS}#{'A' * 1000}") == {"printed_code_malformed"}
    deep = b"\xd8\x3d" * 1 + b"\x81" * 20 + b"\x00"
    assert reasons(f"{ADDRESS}#{encode_base64url(deep)}") == {"printed_code_malformed"}
    with pytest.raises(TooLarge):
        read(f"{ADDRESS}#{'A' * 1000}")


@given(st.binary(max_size=400))
@settings(deadline=None)
def test_arbitrary_bytes_are_a_report(data: bytes) -> None:
    report = PAPER.verify(f"{ADDRESS}#{encode_base64url(data)}")
    assert report.indication is Indication.FAILED


@given(st.text(max_size=200))
@settings(deadline=None)
def test_arbitrary_texts_are_a_report(text: str) -> None:
    for one in (text, f"{ADDRESS}#{text}"):
        assert PAPER.verify(one).indication is Indication.FAILED


@given(st.integers(0, 10_000), st.integers(1, 255))
@settings(deadline=None)
def test_every_changed_byte_is_noticed(place: int, change: int) -> None:
    raw = bytearray(decode_base64url(CODE.partition("#")[2]))
    raw[place % len(raw)] ^= change
    report: Report[Any] = PAPER.verify(f"{ADDRESS}#{encode_base64url(bytes(raw))}")
    assert report.then is not Indication.PASSED
    assert report.findings == {}
