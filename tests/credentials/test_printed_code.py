"""The code printed on a licence: what it says, and who it convinces."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pypdfium2
import pytest
import segno
from hypothesis import given, settings
from hypothesis import strategies as st
from world.codes import read_codes
from world.pki import Pki
from world.printed import ADDRESS, CATALOGUE, ISSUED, KINDS, Paper, sample_licence
from world.printed_forgery import (
    Forger,
    claims_of,
)

from credentials import samples
from credentials.face.page import Typesetter
from credentials.licence import EndingKind, Event, EventKind
from credentials.printed_code import (
    MAX_CHARACTERS,
    Excerpt,
    PrintedCodeVerifier,
    RegisterAnswer,
    make,
    printed_fields,
    read,
    verify,
)
from credentials.printed_code.code import FIELDS, LICENCE
from credentials.standing import standing, unknown
from signing.policy import Policy
from signing.reasons import Reason
from signing.report import Indication
from yinxin.base.errors import InvalidClaims, UsageError, VerificationFailed

if TYPE_CHECKING:
    from credentials.licence import Licence


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
    (scanned,) = read_codes(document.render(scale=150 / 72).to_pil())
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
        (found,) = read_codes(picture)
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
