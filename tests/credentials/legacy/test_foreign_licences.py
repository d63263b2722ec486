"""What a province issued is known here and never made, sealed, changed or ended here, however it is tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.legacy import MAPPING, PROVINCE, old_row

from credentials import samples
from credentials.foreign.repository import ForeignRepository
from credentials.legacy.mapping_files import InvalidMapping
from credentials.legacy.results import Outcome
from credentials.licence import EndingKind
from credentials.office import WorkKind
from credentials.reading import OfficeReading
from yinxin.base.errors import Conflict, NotFound

if TYPE_CHECKING:
    from world.legacy import LegacyWorld

    from credentials.foreign.licence import ForeignLicence

NUMBER = "海药许20200001"


def drug_row(number: str = NUMBER, **changes: str) -> dict[str, str]:
    row = {
        "编号": number,
        "发证日期": "2020-05-01",
        "有效期至": "2030-04-30",
        "统一社会信用代码": samples.credit_code(7),
        "企业名称": "海河制药",
    }
    return {**row, **changes}


def known(office: LegacyWorld, number: str = NUMBER) -> list[ForeignLicence]:
    with office.database.reading() as session:
        return ForeignRepository(session).find(number)


def test_it_is_indexed_with_its_issuer_and_where_to_ask(everywhere: LegacyWorld) -> None:
    office = everywhere
    mapping = office.agreed(PROVINCE)
    _, (result,) = office.take([drug_row()], mapping)
    assert (result.outcome, result.licence) == (Outcome.NEW, None)
    (licence,) = known(office)
    said = licence.to_dict()
    assert said["issued_by"]["name"]["zh"] == "海河省药品监督管理局"
    assert said["verify_at"] == "https://mpa.haihe.example/verify"
    assert said["issued_here"] is False
    assert "海河制药" not in str(said)
    with office.database.reading() as session:
        holder = office.index.of("holder", samples.credit_code(7))
        assert ForeignRepository(session).of_holder(holder) == [licence]
    assert office.count() == 0
    reading = OfficeReading(office.agency.credit_code, office.database, clock=office.clock)
    with pytest.raises(NotFound, match=r"Haihe Province.*https://mpa\.haihe\.example"):
        reading.licence(NUMBER, actor=office.li)
    assert [one.outcome for one in office.take([drug_row()], mapping)[1]] == [Outcome.SAME]
    _, (renewed,) = office.take([drug_row(有效期至="2035-04-30")], mapping)
    assert renewed.outcome is Outcome.CHANGED
    assert str(known(office)[0].valid_until) == "2035-04-30"


def test_nothing_that_changes_licences_finds_it(office: LegacyWorld) -> None:
    office.take([drug_row()], office.agreed(PROVINCE))
    why = {"ground": "g", "document_number": "1", "actor": office.li}
    claims = samples.application("food-business-licence", 1)
    attempts = [
        lambda: office.issuer.document(NUMBER),
        lambda: office.issuer.first_use.seal(NUMBER, actor=office.li),
        lambda: office.issuer.change(NUMBER, claims, holder=None, **why),
        lambda: office.issuer.correct(NUMBER, claims, holder=None, **why),
        lambda: office.issuer.suspend(NUMBER, **why),
        lambda: office.issuer.end(NUMBER, EndingKind.REVOKED, **why),
    ]
    for attempt in attempts:
        with pytest.raises(NotFound):
            attempt()
    with pytest.raises(NotFound):
        office.desk.draft(
            "办-9",
            office.work(kind=WorkKind.REPLACE, licence=NUMBER, ground="g", document_number="1"),
            actor=office.li,
        )
    assert known(office)[0].to_dict()["issued_here"] is False


def as_ours(kind: str) -> str:
    """The province's register, under a type that we issue too."""
    return PROVINCE.replace("drug-production-licence", kind).replace("drug-province", "from-province")


def test_its_number_is_not_given_to_a_licence_of_ours(office: LegacyWorld) -> None:
    mapping = office.agreed(as_ours("food-business-licence"))
    office.take([drug_row("JY21201990000001")], mapping)  # what our own series gives next
    with pytest.raises(Conflict, match="another agency issued"):
        office.issue()
    number = old_row(1)["许可证编号"]
    office.take([drug_row(number)], mapping)
    _, (result,) = office.take([old_row(1)])
    assert result.outcome is Outcome.REFUSED
    assert office.count() == 0


def test_a_licence_of_ours_is_not_made_anothers(office: LegacyWorld) -> None:
    own = office.issue().licence
    mapping = office.agreed(as_ours("food-business-licence"))
    _, (result,) = office.take([drug_row(own.number)], mapping)
    assert result.outcome is Outcome.REFUSED
    assert known(office, own.number) == []
    with pytest.raises(InvalidMapping, match="this is the agency itself"):
        office.mapping(PROVINCE.replace("11120000000025153A", office.agency.credit_code))
    with pytest.raises(InvalidMapping, match="indexed only"):
        office.mapping(PROVINCE.replace("[foreign]", '[fields]\noperator_name = "企业名称"\n[foreign]'))


def test_a_register_does_not_turn_from_anothers_into_ours(office: LegacyWorld) -> None:
    office.take([drug_row()], office.agreed(PROVINCE))
    ours = office.mapping(MAPPING.replace("food-2012", "drug-province"))
    with pytest.raises(Conflict):
        office.registers.propose(ours, actor=office.li)
