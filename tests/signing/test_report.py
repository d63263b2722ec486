"""Reports: two verdicts, deterministic JSON, and evidence that nothing else can make."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from signing import Check, Evidence, Indication, Reason, Report, Scope
from signing.report import EvidenceKey, worst
from yinxin.base.errors import VerificationFailed

if TYPE_CHECKING:
    from collections.abc import Callable

WHEN = datetime(2026, 11, 20, tzinfo=UTC)
FAILED, UNSURE = Check("signature", Reason.SIG_CRYPTO_FAILURE), Check("revocation", Reason.REVOCATION_UNKNOWN)
FINE = Check("format")


@dataclass(frozen=True, slots=True)
class Proof(Evidence):
    what: str = "a licence"


def report(*checks: Check, make: Callable[[EvidenceKey], Proof] | None = Proof, **more: Any) -> Report[Proof]:
    return Report("pdf", "00" * 32, WHEN, WHEN, checks, make_evidence=make, **more)


def test_the_worst_check_is_the_verdict() -> None:
    assert report(FINE).indication is Indication.PASSED
    assert report(FINE, UNSURE).indication is Indication.INDETERMINATE
    assert report(FINE, UNSURE, FAILED).indication is Indication.FAILED
    assert report().indication is Indication.INDETERMINATE


def test_then_and_now_are_two_verdicts() -> None:
    revoked = Check("revocation", Reason.CERTIFICATE_REVOKED, Scope.NOW)
    both = report(FINE, Check("revocation", None, Scope.THEN), revoked)
    assert (both.then, both.indication) == (Indication.PASSED, Indication.FAILED)
    assert both.reasons == {Reason.CERTIFICATE_REVOKED}
    only_then = report(Check("format", None, Scope.THEN))
    assert (only_then.then, only_then.indication) == (Indication.PASSED, Indication.INDETERMINATE)
    assert worst([revoked], Scope.THEN) is Indication.INDETERMINATE


def test_evidence_comes_from_a_passed_report_only() -> None:
    assert report(FINE).require().what == "a licence"
    for other in (report(FINE, UNSURE), report(FINE, FAILED), report(), report(FINE, make=None)):
        with pytest.raises(VerificationFailed) as caught:
            other.require()
        assert caught.value.report is other
    for forged in (EvidenceKey(), None, object()):
        with pytest.raises(TypeError):
            Proof(forged)  # type: ignore[arg-type]


def test_json_is_deterministic_and_speaks_both_languages() -> None:
    one = report(FINE, FAILED, UNSURE, findings={"b": 1, "a": "印"}, snapshots={"trust": "x"})
    two = report(FINE, FAILED, UNSURE, findings={"a": "印", "b": 1}, snapshots={"trust": "x"})
    assert one.to_json() == two.to_json()
    read = json.loads(one.to_json())
    assert read["indication"] == "failed"
    assert [reason["code"] for reason in read["reasons"]] == ["revocation_unknown", "sig_crypto_failure"]
    assert all(reason["text"]["zh"] and reason["next_step"]["en"] for reason in read["reasons"])


def test_every_reason_has_a_code_of_its_own_and_speaks_both_languages() -> None:
    # Enum makes two members with equal values one: as many names as members means that no row is a copy.
    assert len({reason.code for reason in Reason}) == len(Reason.__members__)
    for reason in Reason:
        assert reason.indication in {Indication.FAILED, Indication.INDETERMINATE}
        assert reason.clause
        assert any("\u4e00" <= letter <= "\u9fff" for letter in reason.text.zh + reason.next_step.zh)
        assert json.dumps(reason.to_dict())


def test_a_digest_that_is_put_off_is_the_same() -> None:
    at = WHEN
    told: dict[str, Any] = {
        "subject": "thing",
        "at": at,
        "known_at": at,
        "checks": (Check("format"),),
        "policy": "p",
        "snapshots": {},
        "findings": {},
        "make_evidence": None,
    }
    for thing in ("文 \ud800", b"\x00\xff"):
        data = thing if isinstance(thing, bytes) else thing.encode("utf-8", "replace")
        late: Report[Evidence] = Report.about(thing, **told)
        soon: Report[Evidence] = Report(digest=hashlib.sha256(data).hexdigest(), **told)
        assert late == soon
        assert late.to_json() == soon.to_json()
        assert repr(late) == repr(soon)
    with pytest.raises(AttributeError):
        _ = late.nothing  # type: ignore[attr-defined]
