"""A service that goes by a trust list: whose sealed pages and credentials it takes, and what it says."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

import pytest
from world.departments import AGENCY_CODE, City
from world.sealing import plain_pdf
from world.tsa import MemoryTsa

from credentials.face.page import licence_json
from signing.pdf import Seal
from signing.reasons import Reason
from signing.trust_list import ListedIssuer, ListedType, ServingList, TrustList
from verify_api.documents import Material, Snapshots, examine_pdf, read_pdf_outcome
from verify_api.workers import Outcome, OutcomeState
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from verify_api.documents import Examined

VCT = "urn:yinxin:licence:food-business-licence:1"
DAY = timedelta(days=1)
Status = Literal["granted", "suspended", "withdrawn"]


def going_by(city: City, *rows: tuple[Status, timedelta], subjects: Any = None) -> Snapshots:
    """The city's snapshots with a list: each row as long ago as it says."""
    now, kind = city.clock.now(), city.kind.number
    types = tuple(ListedType(VCT, status, now - ago, kind) for status, ago in rows)
    known = (city.credential_signer.certificate.subject,) if subjects is None else subjects
    issuer = ListedIssuer(Text("津城市市场监督管理局", "bureau"), AGENCY_CODE, known, (), types)
    listed = TrustList("city", 3, 1, now - DAY, now + DAY, (), (issuer,), digest="cd" * 32)
    return replace(city.snapshots(), trust_list=ServingList(listed))


GRANTED: tuple[Status, timedelta] = ("granted", 100 * DAY)
WITHDRAWN: tuple[Status, timedelta] = ("withdrawn", timedelta(0))


@pytest.fixture
def kept(city: City) -> Iterator[City]:
    yield city
    city.service.use(city.snapshots())


def heard(reply: Any) -> tuple[str, str, set[str]]:
    said = reply.json
    return said["indication"], said["then"], {reason["code"] for reason in said["reasons"]}


def test_a_department_hears_who_may_issue(kept: City, serial: str) -> None:
    city = kept
    licence, pdf = city.issue(serial)
    page = {"document": b64encode(pdf).decode()}
    credential = city.credential(licence)

    def asked() -> list[tuple[str, str, set[str]]]:
        nonce = city.nonce()
        shown = city.present(credential, nonce)
        return [heard(city.ask(page)), heard(city.ask({"presentation": shown, "nonce": nonce}))]

    city.service.use(going_by(city, GRANTED))
    assert asked() == [("passed", "passed", set())] * 2
    reply = city.ask(page)
    assert reply.json["snapshots"]["trust_list"] == "cd" * 32
    # The page was sealed this moment; the credential says that it is a minute older, and cannot prove it.
    city.service.use(going_by(city, GRANTED, WITHDRAWN))
    late = ("failed", "failed", {"issuer_not_permitted"})
    assert asked() == [late, ("indeterminate", "passed", {"issuer_permission_withdrawn"})]
    city.service.use(going_by(city))
    assert asked() == [("failed", "failed", {"issuer_not_permitted"})] * 2
    city.service.use(replace(city.snapshots(), trust_list=ServingList(None)))
    assert asked() == [("indeterminate", "indeterminate", {"trust_list_unavailable"})] * 2


class TestSealedPages:
    def look(self, city: City, kept: Snapshots, *, stamped: datetime | None = None, **said: Any) -> Examined:
        licence, _ = city.issue(f"{next(_SERIALS):09d}")
        content = licence_json(licence, city.kind)
        for old, new in said.items():
            content = content.replace(old, str(new))
        tsa = MemoryTsa(city.pki.signer("timestamp"), at=stamped) if stamped else None
        seal = Seal(city.seal_signer, timestamper=tsa)
        now = city.clock.now()
        pdf = seal.apply(plain_pdf(files={"licence.json": content.encode()}), now=stamped or now - 2 * DAY)
        material = Material(kept)
        answer = examine_pdf(material.shared.value, pdf, now)
        return read_pdf_outcome(pdf, Outcome(OutcomeState.DONE, answer), material)

    def reasons(self, *given: Any, **more: Any) -> set[Reason]:
        return {check.reason for check in self.look(*given, **more).checks if check.reason}

    def test_with_a_trusted_time_outlive_the_permission(self, city: City) -> None:
        kept = going_by(city, GRANTED, WITHDRAWN)
        assert self.reasons(city, kept) == {Reason.ISSUER_PERMISSION_WITHDRAWN}
        assert self.reasons(city, kept, stamped=city.clock.now() - 2 * DAY) == set()

    def test_made_after_the_end_never_count(self, city: City) -> None:
        kept = going_by(city, GRANTED, ("withdrawn", 3 * DAY))
        for stamped in (None, city.clock.now() - 2 * DAY):
            assert self.reasons(city, kept, stamped=stamped) == {Reason.ISSUER_NOT_PERMITTED}

    def test_of_others_or_of_other_types_do_not_count(self, city: City) -> None:
        kept = going_by(city, GRANTED)
        assert self.reasons(city, kept) == set()
        assert self.reasons(city, going_by(city, GRANTED, subjects=("CN=other",))) == {
            Reason.ISSUER_NOT_PERMITTED
        }
        assert self.reasons(city, kept, **{city.kind.number: "11100000900001017N999"}) == {
            Reason.ISSUER_NOT_PERMITTED
        }
        # A bureau seals what says that it is another agency's licence.
        assert self.reasons(city, kept, **{AGENCY_CODE: "91120101MA5K3WXY0T"}) == {
            Reason.ISSUER_NOT_PERMITTED
        }

    def test_that_are_no_licence_only_tell_the_age_of_the_list(self, city: City) -> None:
        kept = going_by(city)
        pdf = Seal(city.seal_signer).apply(plain_pdf("A letter"), now=city.clock.now())
        material = Material(kept)
        answer = examine_pdf(material.shared.value, pdf, city.clock.now())
        found = read_pdf_outcome(pdf, Outcome(OutcomeState.DONE, answer), material)
        assert not any(check.reason for check in found.checks)
        assert [check.detail for check in found.checks if check.name == "trust_list"] == ["city, version 3"]


_SERIALS = iter(range(700_000, 700_100))
