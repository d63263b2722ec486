"""What a verification says of a licence from an older register, and what no file can make of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest
from world.printed import sample_licence

from credentials.licence import Provenance
from signing.reasons import Reason
from verify_api.departments import Grant
from verify_api.documents import Examined, Kind
from verify_api.register import RegisterEntry, Version
from verify_api.verification import Moments, assess, reduce
from yinxin.base.clock import FixedClock

if TYPE_CHECKING:
    from credentials.licence import Licence
    from verify_api.verification import Assessment

NOW = FixedClock(2026, 11, 23, 4).now()
FOOD = "food-business-licence"


def older(*, pdf_sha256: str | None) -> Licence:
    provenance = Provenance("旧系统", "0" * 64, NOW, date(2022, 3, 1))
    licence = sample_licence(FOOD)
    return replace(licence, provenance=provenance, pdf_sha256=pdf_sha256, recorded_at=licence.issued_at)


def assessed(licence: Licence, *, kind: Kind = Kind.LICENCE, digest: str = "") -> Assessment:
    version = Version(licence, ())
    named = {"signed_by": (licence.agency.credit_code,), "claims": dict(licence.claims)}
    examined = Examined(kind, digest, (), licence=licence.identifier, **named)
    return assess(examined, RegisterEntry((version,), version), moments=Moments(NOW))


def test_a_report_says_that_nobody_re_examined_it() -> None:
    licence = older(pdf_sha256=None)
    found = assessed(licence)
    (check,) = [one for one in found.report.checks if one.name == "licence_provenance"]
    assert check.reason is None
    assert "未经复核" in check.detail
    grant = Grant("purpose", "matter", {FOOD: frozenset({"operator_name"})})
    said = reduce(found, grant)
    assert said["licence"]["provenance"]["en"] == "from the paper register, not re-examined"
    assert "旧系统" not in str(said)
    plain = assessed(replace(licence, provenance=None))
    assert "licence_provenance" not in {one.name for one in plain.report.checks}


@pytest.mark.parametrize("sealed", [None, "a" * 64])
def test_another_file_under_the_agencys_seal_is_not_it(sealed: str | None) -> None:
    """A letter that the agency sealed, with the data of a licence inside that has no document yet."""
    found = assessed(older(pdf_sha256=sealed), kind=Kind.PDF, digest="b" * 64)
    assert Reason.LICENCE_DIFFERS in found.report.reasons
    genuine = assessed(older(pdf_sha256="b" * 64), kind=Kind.PDF, digest="b" * 64)
    assert Reason.LICENCE_DIFFERS not in genuine.report.reasons
