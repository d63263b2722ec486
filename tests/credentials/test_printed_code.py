"""The code printed on a licence: what it says, who it convinces, and what attackers make of it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pypdfium2
import pytest
import segno
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from world.pki import Pki
from world.printed import ADDRESS, CATALOGUE, ISSUED, KINDS, Paper, sample_licence
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
from credentials.face.page import Typesetter
from credentials.licence import EndingKind, Event, EventKind
from credentials.printed_code import (
    MAX_CHARACTERS,
    Excerpt,
    IssuerCertificate,
    IssuerCertificates,
    PrintedCodeVerifier,
    RegisterAnswer,
    make,
    printed_fields,
    read,
    verify,
)
from credentials.printed_code.code import FIELDS, ISS, LICENCE
from credentials.printed_code.issuers import addresses_from_json, kid_of
from credentials.printed_code.published import published_list
from credentials.standing import standing, unknown
from signing import cbor
from signing.base64url import decode_base64url, encode_base64url
from signing.cose import ALG, CRIT, KID, SIGN1_TAG, Sign1, sign1
from signing.jose import dump_json
from signing.policy import Policy
from signing.reasons import Reason
from signing.report import Indication
from signing.signers.file import FileSigner
from signing.trust import TrustStore
from yinxin.base.errors import InvalidClaims, MalformedInput, TooLarge, UsageError, VerificationFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from credentials.licence import Licence
    from signing.report import Report

PAPER = Paper()
FORGER = Forger(PAPER)
CODE = FORGER.code
OTHER = Pki()  # somebody else's authorities


def reasons(text: object, **how: Any) -> set[str]:
    return {reason.code for reason in PAPER.verify(text, **how).reasons}  # type: ignore[arg-type]


def answer(licence: Licence, *events: Event, at: datetime | None = None) -> RegisterAnswer:
    moment = at or PAPER.now
    return RegisterAnswer(standing(licence, events, as_of=moment, known_at=moment), licence)


def event(kind: EndingKind | EventKind, replaced_by: str | None = None) -> Event:
    day = ISSUED + timedelta(minutes=10)
    return Event(kind, day, day, "《食品安全法》", "津城监罚〔2026〕7号", "staff:clerk-17", replaced_by)


# What a code says


@pytest.mark.parametrize("code", KINDS)
def test_a_code_names_its_licence_and_carries_the_catalogues_fields(code: str) -> None:
    licence, kind = sample_licence(code), CATALOGUE[code]
    found = read(PAPER.code(licence))
    assert (str(found.identifier), found.agency, found.address) == (
        licence.identifier,
        samples.AGENCY.credit_code,
        ADDRESS,
    )
    assert found.issued_at == int(licence.issued_at.timestamp())
    assert found.expires_at == (int(licence.ends_at.timestamp()) if licence.ends_at else None)
    assert set(found.fields) == set(printed_fields(kind)) & set(licence.claims)
    assert found.fields[kind.holder_name] == licence.holder_name
    assert all(found.fields[name] == licence.claims[name] for name in found.fields), "these are short enough"


@pytest.mark.parametrize("code", KINDS)
def test_a_code_is_small(code: str) -> None:
    text = PAPER.code(code)
    assert len(text) <= MAX_CHARACTERS
    made = segno.make(text, error="m", boost_error=False, micro=False)
    assert made.version <= 17
    modules = made.symbol_size(border=0)[0]
    assert 40 / modules >= 0.47, "the width of a module on 40 mm of paper"


@pytest.mark.parametrize("code", KINDS)
def test_the_page_says_what_its_code_says(code: str) -> None:
    licence, kind = sample_licence(code), CATALOGUE[code]
    page = Typesetter().typeset(licence, kind, code=PAPER.code(licence))
    document = pypdfium2.PdfDocument(page.pdf)[0]
    (scanned,) = zxingcpp.read_barcodes(document.render(scale=150 / 72).to_pil())
    report = PAPER.verify(scanned.text)
    assert report.then is Indication.PASSED
    words = re.sub(r"[\s\u200b\u0002]", "", document.get_textpage().get_text_bounded())
    for name, value in read(scanned.text).fields.items():
        assert not isinstance(value, Excerpt)
        shown = re.sub(r"\s", "", kind.field(name).shown(value).zh)
        assert shown in words, (name, shown)
    assert report.findings["licence"] in words


def test_on_the_page_the_code_is_forty_millimetres_wide() -> None:
    for code in KINDS:
        licence = sample_licence(code)
        page = Typesetter().typeset(licence, CATALOGUE[code], code=PAPER.code(licence))
        picture = pypdfium2.PdfDocument(page.pdf)[0].render(scale=300 / 72).to_pil()
        (found,) = zxingcpp.read_barcodes(picture)
        width = found.position.top_right.x - found.position.top_left.x
        assert width / 300 * 25.4 == pytest.approx(40, abs=0.5), code


def test_long_fields_become_excerpts_that_still_bind() -> None:
    name = "津城区第一实验小学教学楼及附属体育馆地下停车场新建工程（一期）施工总承包项目"
    licence = sample_licence("construction-permit", project_name=name, project_address=name[::-1])
    text = PAPER.code(licence)
    assert len(text) <= MAX_CHARACTERS
    found = read(text).fields
    excerpts = {field: value for field, value in found.items() if isinstance(value, Excerpt)}
    assert excerpts
    for field, value in excerpts.items():
        whole = licence.claims[field]
        assert str(whole).startswith(value.start)
        assert value.fits(whole)
        assert not value.fits(str(whole) + "。")
    assert PAPER.verify(text, registered=answer(licence)).passed
    other = replace(licence, claims={**licence.claims, "project_name": name + "二"})
    assert reasons(text, registered=answer(other)) == {"licence_differs"}


def test_lists_and_excerpts_of_lists() -> None:
    scope = [f"第{number}专业执业范围" for number in range(30)]
    licence = sample_licence("physician-certificate", practice_scope=scope)
    found = read(PAPER.code(licence)).fields["practice_scope"]
    assert isinstance(found, Excerpt)
    assert found.fits(scope)
    assert read(PAPER.code("physician-certificate")).fields["practice_scope"] == ["内科专业"]


def test_what_does_not_fit_is_told_before_anything_is_printed() -> None:
    address = "https://" + "a" * 260 + ".example/q"
    kind = CATALOGUE["food-business-licence"]
    with pytest.raises(UsageError, match="do not fit"):
        make(sample_licence(kind.code), kind, address=address, signer=PAPER.signer)
    for value in ("甲\u202e乙", "甲\u200b乙", "甲\ue000"):
        with pytest.raises(InvalidClaims):
            PAPER.code(sample_licence(kind.code, operator_name=value))
    with pytest.raises(UsageError, match="agency"):
        make(sample_licence(kind.code), CATALOGUE["business-licence"], address=ADDRESS, signer=PAPER.signer)


def test_nothing_that_is_not_listed_gets_into_a_code() -> None:
    text = str(claims_of(PAPER.code("no-record-certificate")))
    licence = sample_licence("no-record-certificate")
    assert licence.holder_code not in text, "no citizen number"
    assert set(claims_of(CODE)[LICENCE][FIELDS]) == set(printed_fields(CATALOGUE["food-business-licence"]))


# Who it convinces


def test_offline_it_is_genuine_and_todays_status_is_not_known() -> None:
    report = PAPER.verify(CODE)
    assert (report.then, report.indication) == (Indication.PASSED, Indication.INDETERMINATE)
    assert {check.name for check in report.checks if check.reason} == {"licence_standing"}
    assert report.reasons == {Reason.STATUS_NOT_ASKED}
    assert report.findings["fields"]["operator_name"] == sample_licence("food-business-licence").holder_name
    with pytest.raises(VerificationFailed):
        report.require()


def test_the_registers_answer_makes_it_pass() -> None:
    licence = sample_licence("food-business-licence")
    evidence = PAPER.verify(CODE, registered=answer(licence)).require()
    assert (evidence.identifier, evidence.issuer) == (licence.identifier, PAPER.signer.certificate)
    assert evidence.fields["operator_name"] == licence.holder_name


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (EndingKind.REVOKED, "licence_revoked"),
        (EndingKind.DEREGISTERED, "licence_deregistered"),
        (EndingKind.WITHDRAWN, "licence_withdrawn"),
        (EndingKind.ANNULLED, "licence_annulled"),
        (EventKind.SUSPENDED, "licence_suspended"),
    ],
)
def test_what_became_of_the_licence_since(kind: EndingKind | EventKind, reason: str) -> None:
    report = PAPER.verify(CODE, registered=answer(sample_licence("food-business-licence"), event(kind)))
    assert {one.code for one in report.reasons} == {reason}
    assert report.indication is Indication.FAILED
    assert (report.then is Indication.PASSED) is (kind is not EndingKind.ANNULLED)


def test_the_code_of_an_older_version_is_superseded() -> None:
    old, new = (sample_licence("food-business-licence", version=version) for version in (1, 2))
    ended = answer(old, event(EndingKind.SUPERSEDED, new.identifier))
    assert reasons(PAPER.code(old), registered=ended) == {"licence_superseded"}
    assert not reasons(PAPER.code(new), registered=answer(new))


def test_a_register_that_knows_no_such_licence_or_another_one() -> None:
    none = RegisterAnswer(unknown(as_of=PAPER.now, known_at=PAPER.now), None)
    assert reasons(CODE, registered=none) == {"licence_unknown"}
    other = sample_licence("food-business-licence", business_premises="津城市津城区别处1号")
    report = PAPER.verify(CODE, registered=answer(other))
    assert {one.code for one in report.reasons} == {"licence_differs"}
    assert [check.detail for check in report.checks if check.reason] == ["business_premises"]
    assert "identifier" in {
        name
        for check in PAPER.verify(CODE, registered=answer(sample_licence("business-licence"))).checks
        for name in check.detail.split(", ")
    }


def test_times() -> None:
    licence = sample_licence("food-business-licence")
    assert licence.ends_at
    late = Paper(PAPER.pki)
    late.signer = PAPER.pki.issuing.issue("long", "credential", not_after=datetime(2035, 1, 1, tzinfo=UTC))
    text = late.code(licence)
    assert late.verify(text, now=licence.ends_at - timedelta(seconds=1)).then is Indication.PASSED
    ended = late.verify(text, now=licence.ends_at)
    assert {one.code for one in ended.reasons} == {"expired", "status_not_asked"}
    assert (ended.indication, ended.then) == (Indication.FAILED, Indication.PASSED)
    before = ISSUED - timedelta(minutes=6)
    assert "not_yet_valid" in {one.code for one in late.verify(text, now=before).reasons}
    later = replace(licence, valid_from=date(2027, 1, 1))
    assert "not_yet_valid" in reasons(PAPER.code(later))
    assert read(PAPER.code(later)).not_before == int(later.starts_at.timestamp())


def test_a_revoked_certificate_fails_the_code_now() -> None:
    paper = Paper(Pki())
    text = paper.code()
    paper.pki.issuing.revoke(paper.signer.certificate, ISSUED + timedelta(hours=1))
    report = paper.verify(text)
    assert "certificate_revoked" in {one.code for one in report.reasons}
    assert report.indication is Indication.FAILED


def test_a_certificate_that_has_run_out_proves_nothing_now() -> None:
    paper = Paper(Pki())
    paper.signer = paper.pki.issuing.issue("short", "credential", not_after=ISSUED + timedelta(days=30))
    text = paper.code()
    report = paper.verify(text, now=ISSUED + timedelta(days=31))
    assert report.indication is Indication.INDETERMINATE
    assert "certificate_expired" in {one.code for one in report.reasons}


def test_revocation_that_is_not_known_is_no_pass() -> None:
    bare = PrintedCodeVerifier(PAPER.trust, issuers=PAPER.issuers(), addresses=[ADDRESS])
    assert {one.code for one in bare.verify(CODE, now=PAPER.now).reasons} == {
        "revocation_unknown",
        "status_not_asked",
    }


def test_the_function_says_what_the_class_says() -> None:
    how: Any = {"issuers": PAPER.issuers(), "revocation": PAPER.revocation(), "addresses": [ADDRESS]}
    ours = PrintedCodeVerifier(PAPER.trust, **how).verify(CODE, now=PAPER.now)
    assert verify(CODE, PAPER.trust, now=PAPER.now, **how).to_json() == ours.to_json()
    strict = Policy.default().with_changes(algorithms=frozenset({"ES384"}))
    refused = verify(CODE, PAPER.trust, now=PAPER.now, policy=strict, **how)
    assert refused.reasons == {Reason.ALGORITHM_NOT_ALLOWED}


@pytest.mark.parametrize("kind", ["P-384", "Ed25519"])
def test_other_keys_sign_codes_too(kind: str) -> None:
    paper = Paper(Pki())
    paper.signer = paper.pki.issuing.issue("other", "credential", key_kind=kind)
    assert paper.verify(paper.code("no-record-certificate")).then is Indication.PASSED


# What attackers make of it


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


TEXTS = st.text(st.characters(categories=("Lu", "Ll", "Lo", "Nd", "Po")), min_size=1, max_size=80)


@given(TEXTS, TEXTS)
@settings(deadline=None, max_examples=60)
def test_whatever_is_made_is_read_again_and_fits(name: str, premises: str) -> None:
    licence = sample_licence("food-business-licence", operator_name=name, business_premises=premises)
    try:
        text = PAPER.code(licence)
    except InvalidClaims:
        return
    assert len(text) <= MAX_CHARACTERS
    assert PAPER.verify(text, registered=answer(licence)).passed


# The certificates behind it


def test_a_set_of_issuers_is_content() -> None:
    one, other = (
        PAPER.issuers(),
        PAPER.issuers(IssuerCertificate("11120199MB0000001X", OTHER.signer("credential").chain)),
    )
    assert one.snapshot_id == PAPER.issuers().snapshot_id != other.snapshot_id
    assert len(one.merged_with(other)) == len(other) == 2
    assert not one.named(b"nobody!!")
    with pytest.raises(UsageError):
        IssuerCertificate("11120199MB0000001X", ())
    with pytest.raises(MalformedInput):
        IssuerCertificate.of(PAPER.signer.chain)  # it names no agency, and nobody else does


def test_the_published_list_is_read_again() -> None:
    made = published_list(PAPER.verifier(), CATALOGUE, now=PAPER.now)
    data = dump_json(made)
    assert IssuerCertificates.from_json(data).snapshot_id == PAPER.issuers().snapshot_id
    assert addresses_from_json(data) == {ADDRESS}
    assert made["issuers"][0]["reasons"] == []
    assert made["expires_at"] - made["made_at"] == 86400, "a day, or until a revocation list ends"
    assert "d" not in made["issuers"][0]["jwk"]


def test_the_published_list_says_what_is_wrong_with_a_certificate() -> None:
    paper = Paper(Pki())
    paper.pki.issuing.revoke(paper.signer.certificate, ISSUED)
    (row,) = published_list(paper.verifier(), CATALOGUE, now=paper.now)["issuers"]
    assert "certificate_revoked" in row["reasons"]
    untrusted = PrintedCodeVerifier(TrustStore(()), issuers=PAPER.issuers(), addresses=[ADDRESS])
    (row,) = published_list(untrusted, CATALOGUE, now=PAPER.now)["issuers"]
    assert row["reasons"] == ["no_certificate_chain_found"]
    short = PAPER.verifier(now=PAPER.now - timedelta(hours=20))
    assert published_list(short, CATALOGUE, now=PAPER.now)["expires_at"] == int(
        (PAPER.now + timedelta(hours=4)).timestamp()
    )


@pytest.mark.parametrize(
    "data",
    [
        b"", b"[]", b"{}", b'{"issuers":7}', b'{"issuers":[7]}', b'{"issuers":[{"agency":"x"}]}',
        b'{"issuers":[{"agency":"x","x5c":[]}]}', b'{"issuers":[{"agency":"x","x5c":["%"]}]}',
        b'{"issuers":[{"agency":"x","x5c":[7]}]}', b'{"issuers":[{"agency":"x","x5c":["AAAA"]}]}',
    ],
)  # fmt: skip
def test_what_is_no_list_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedInput):
        IssuerCertificates.from_json(data)
    if b"issuers" in data:
        with pytest.raises(MalformedInput):
            addresses_from_json(data)
