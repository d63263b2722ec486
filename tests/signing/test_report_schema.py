"""Reports of every kind follow the schema that is published, and what the schema forbids never leaves."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from world.credentials import COUNTER, NONCE, CredentialWorld
from world.desk import Desk, plain_pdf
from world.pki import NOON, Pki
from world.printed import Paper

from credentials.status_snapshot import verify_status_token
from signing import Check, Reason, Report, Scope, detached
from signing.policy import Policy
from signing.policy.levels import Demand, Level
from signing.report import Indication
from signing.report.checks import CHECKS, OTHER, kind_of
from signing.report.sub_indications import INDETERMINATE, STANDARD, TOTAL_FAILED, TOTAL_PASSED
from signing.trust import TrustStore
from verify_api.documents import Examined, Kind
from verify_api.receipts import sign_receipt, verify_receipt
from verify_api.verification import Moments, assess

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEMA = Path(__file__).parents[2] / "signing" / "report" / "report.schema.json"


@cache
def validator() -> Any:
    return jsonschema_rs.validator_for(json.loads(SCHEMA.read_text(encoding="utf-8")), validate_formats=True)


def follows(report: Report[Any]) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(report.to_json())
    errors = [f"{error.instance_path}: {error.message}" for error in validator().iter_errors(made)]
    assert errors == []
    return made


def sealed(desk: Desk) -> Report[Any]:
    return desk.verify(desk.seal(plain_pdf()))


def beside(desk: Desk, **changes: Any) -> Report[Any]:
    made = detached.sign(b"minutes", desk.agency, now=NOON, timestamper=desk.tsa)
    return detached.verify(made, b"minutes", desk.trust, revocation=desk.revocation(), now=NOON, **changes)


def receipt(desk: Desk) -> Report[Any]:
    signer = desk.pki.signer("receipt")
    texts = ("iss", "jti", "aud", "subject", "indication", "then", "purpose", "matter", "policy", "audit")
    content = {**dict.fromkeys(texts, "x"), "iat": int(NOON.timestamp()), "reasons": []}
    content["digest"] = {"algorithm": "sha-256", "value": "0" * 64}
    return verify_receipt(sign_receipt(content, signer), desk.trust, now=NOON, revocation=desk.revocation())


def number(_: Desk) -> Report[Any]:
    return assess(Examined(Kind.LICENCE, "0" * 64, ()), None, moments=Moments(NOON)).report


KINDS: dict[str, Callable[[Desk], Report[Any]]] = {
    "pdf": sealed,
    "pdf-unsigned": lambda desk: desk.verify(plain_pdf()),
    "pdf-broken": lambda desk: desk.verify(b"%PDF-1.7"),
    "pdf-changed": lambda desk: desk.verify(desk.seal(plain_pdf()).replace(b"Licence 001", b"Licence 002")),
    "pdf-untrusted": lambda desk: desk.verify(desk.seal(plain_pdf()), trust=TrustStore(())),
    "pdf-level": lambda desk: desk.verify(
        desk.seal(plain_pdf(), stamped=False), policy=Policy(demand=Demand(Level.B_LT))
    ),
    "cades": beside,
    "cades-empty": lambda desk: detached.verify(
        b"0\x00", None, desk.trust, revocation=desk.revocation(), now=NOON
    ),
    "receipt": receipt,
    "receipt-noise": lambda desk: verify_receipt("a.b.c", desk.trust, now=NOON),
    "licence": number,
}


@pytest.mark.parametrize("kind", KINDS)
def test_documents_and_receipts_follow_the_schema(kind: str) -> None:
    made = follows(KINDS[kind](Desk()))
    assert all(check["clause"] for check in made["checks"])


def test_credentials_lists_and_codes_follow_the_schema(pki: Pki) -> None:
    world, printed = CredentialWorld(pki), Paper()
    shown = world.present(world.issue())
    assert follows(world.examine(shown))["indication"] == "passed"
    follows(world.examine(shown, nonce="another"))
    follows(world.counter().verify("eyJ.~", audience=COUNTER, nonce=NONCE))
    follows(verify_status_token("x", world.trust, uri="https://x.example", at=NOON))
    assert follows(printed.verify(printed.code()))["subject"] == "printed-code"
    follows(printed.verify("https://elsewhere.example/q#x"))


checks = st.builds(
    Check,
    name=st.sampled_from([*CHECKS, "Seal1/coverage", "timestamp_certificate_path"]),
    reason=st.none() | st.sampled_from(list(Reason)),
    scope=st.sampled_from(Scope),
    detail=st.text(max_size=20),
    evidence=st.lists(
        st.binary(min_size=32, max_size=32).map(lambda data: f"crl:{data.hex()}"), max_size=2
    ).map(tuple),
)


@given(st.lists(checks, max_size=6))
def test_whatever_was_found_the_report_follows_the_schema(found: list[Check]) -> None:
    report: Report[Any] = Report("pdf", "00" * 32, NOON, NOON, tuple(found))
    made = follows(report)
    words = made["en_319_102_1"]
    if report.passed:
        assert words == {"indication": TOTAL_PASSED, "sub_indication": None}
    elif words:
        assert words["indication"] in {TOTAL_FAILED, INDETERMINATE}
        # What the standard fails, we never let pass.
        assert report.indication is not Indication.PASSED


@pytest.mark.parametrize(
    "change",
    [
        {"format": "yinxin-report/2"},
        {"indication": "fine"},
        {"digest": "x"},
        {"at": "yesterday"},
        {"reasons": [{"code": "x"}]},
        {"checks": [{"name": "x"}]},
        {"en_319_102_1": {"indication": "passed", "sub_indication": None}},
        {"subject": "anything"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_schema_refuses_what_is_no_report(change: dict[str, Any]) -> None:
    made = json.loads(Report[Any]("pdf", "00" * 32, NOON, NOON, (Check("format"),)).to_json())
    assert validator().is_valid(made)
    assert not validator().is_valid({**made, **change})
    assert not validator().is_valid({name: made[name] for name in made if name not in change})


def test_the_schema_knows_every_kind_of_document() -> None:
    kinds = json.loads(SCHEMA.read_text(encoding="utf-8"))["properties"]["subject"]["enum"]
    assert {str(kind) for kind in Kind} <= set(kinds)


def test_every_reason_of_the_standard_has_its_word() -> None:
    codes = {reason.code: reason for reason in Reason}
    assert STANDARD.keys() <= codes.keys()
    for code, (main, _) in STANDARD.items():
        # Ours is never milder than the standard's.
        if main == TOTAL_FAILED:
            assert codes[code].indication is Indication.FAILED
    about_signatures = {code for code, reason in codes.items() if reason.clause.startswith("EN 319 102-1, 5")}
    assert about_signatures - STANDARD.keys() <= {"no_signature"}


def test_every_check_is_told_with_its_clause() -> None:
    assert kind_of("nothing of ours") is OTHER
    assert kind_of("Seal1/timestamp_certificate_path").clause == "EN 319 102-1, 5.4"
    for name, kind in CHECKS.items():
        assert kind.clause, name


def test_a_check_of_an_mdoc_names_its_own_clause() -> None:
    """A reason is shared with SD-JWT VC, and names that format's clause."""
    for name in ("document_type", "mdoc_validity", "device_authentication"):
        assert Check(name, Reason.EXPIRED).clause == kind_of(name).clause
        assert kind_of(name).clause.startswith("ISO/IEC 18013-5, 9")
    assert Check("validity", Reason.EXPIRED).clause == Reason.EXPIRED.clause


def test_a_report_changes_no_more_than_its_inputs() -> None:
    later = follows(beside(Desk(), at=NOON + timedelta(days=1)))
    assert later["at"] != later["known_at"]
