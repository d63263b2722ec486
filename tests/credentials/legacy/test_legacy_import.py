"""An older register comes in: every row usable, fixable or refused, and the same again changes nothing."""

from __future__ import annotations

import io
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from world.legacy import MAPPING, csv_bytes, old_row

from credentials.legacy.judging import Verdict
from credentials.legacy.results import Outcome
from credentials.standing import State
from yinxin.base.errors import Conflict, NotPermitted, UsageError

if TYPE_CHECKING:
    from world.legacy import LegacyWorld


def outcomes(results: list) -> list[Outcome]:
    return [one.outcome for one in results]


def test_a_row_becomes_a_licence_that_says_where_it_came_from(everywhere: LegacyWorld) -> None:
    office = everywhere
    summary, (result,) = office.take([old_row(1)])
    licence = office.by_number("JY11201990000001（旧）")
    assert licence is not None
    assert (result.outcome, result.licence) == (Outcome.NEW, licence.identifier)
    assert summary.verdicts == {Verdict.USABLE: 1}
    assert licence.provenance is not None
    assert not licence.provenance.examined
    assert licence.pdf_sha256 is None
    assert licence.issued_on == date(2019, 1, 8)
    assert licence.recorded_at == office.now
    assert licence.valid_until == date(2019, 1, 8) + timedelta(days=3650)
    said = licence.to_dict()["provenance"]
    assert said["text"]["zh"].startswith("依据纸质档案录入，未经复核")
    assert said["text"]["en"].startswith("from the paper register, not re-examined")
    assert office.standing(licence.identifier).state is State.IN_FORCE


def test_the_same_file_again_changes_nothing(everywhere: LegacyWorld) -> None:
    office = everywhere
    rows = [old_row(index) for index in range(1, 8)]
    office.take(rows)
    before = [office.by_number(row["许可证编号"]) for row in rows]
    summary, results = office.take(rows)
    assert set(outcomes(results)) == {Outcome.SAME}
    assert summary.outcomes == {Outcome.SAME: 7}
    assert [office.by_number(row["许可证编号"]) for row in rows] == before


def test_a_check_changes_nothing_and_needs_no_agreement(office: LegacyWorld) -> None:
    results = office.check([old_row(1), old_row(2, 发证日期="昨天")])
    assert outcomes(results) == [Outcome.NEW, Outcome.REFUSED]
    assert office.count() == 0


def test_nobody_takes_rows_over_on_their_own_word(office: LegacyWorld) -> None:
    mapping = office.mapping()
    with pytest.raises(NotPermitted):
        office.take([old_row(1)], mapping)
    register = office.registers.propose(mapping, actor=office.li)
    with pytest.raises(NotPermitted):
        office.take([old_row(1)], mapping)
    assert register.consent is None
    agreed = office.agreed()
    office.take([old_row(1)], agreed)
    other = office.mapping(**{'"12315"': '"12345"'})  # the agreement was to other words
    with pytest.raises(NotPermitted):
        office.take([old_row(2)], other)
    assert office.count() == 1


def test_what_can_be_put_right_is_put_right_and_told(office: LegacyWorld) -> None:
    index = next(i for i in range(1, 99) if not old_row(i)["统一社会信用代码"].isdigit())
    row = old_row(
        index,
        发证日期="２０１９.1.8",
        有效期至="2029年1月8日",
        统一社会信用代码=f" {old_row(index)['统一社会信用代码'].lower()}　",
        法定代表人="王 小 明",
    )
    (result,) = office.check([row])
    assert result.judged is not None
    assert result.judged.verdict is Verdict.FIXABLE
    assert {(one.column, str(one.fix)) for one in result.judged.fixes} == {
        ("发证日期", "full_width"),
        ("发证日期", "date_form"),
        ("有效期至", "date_form"),
        ("统一社会信用代码", "spaces"),
        ("统一社会信用代码", "letter_case"),
        ("法定代表人", "spaces"),
    }
    entry = result.judged.entry
    assert entry is not None
    assert entry.issued_on == date(2019, 1, 8)
    assert entry.claims["responsible_person"] == "王小明"
    strict = office.mapping(MAPPING + "\n[fixes]\ndate_form = false\n")
    (refused,) = office.check([row], strict)
    assert refused.outcome is Outcome.REFUSED


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("许可证编号", ""),
        ("许可证编号", "A" * 121),
        ("发证日期", ""),
        ("发证日期", "2019-02-30"),
        ("发证日期", "2027-01-01"),
        ("发证日期", "1900-01-01"),
        ("有效期至", "2018-01-01"),
        ("更新时间", "昨天"),
        ("状态", "不明"),
        ("状态", "注销"),  # without the day
        ("统一社会信用代码", "91120199MA00000000"),
        ("主体业态", "摆摊"),
        ("经营者名称", ""),
        ("经营者名称", "=cmd|' /C calc'!A0\x07"),
        ("经营者名称", "长" * 81),
    ],
)
def test_what_cannot_be_right_is_refused_with_its_column(
    office: LegacyWorld, column: str, value: str
) -> None:
    good, bad = old_row(2), old_row(1, **{column: value})
    results = office.take([good, bad])[1]
    assert outcomes(results) == [Outcome.NEW, Outcome.REFUSED]
    faults = results[1].judged.faults if results[1].judged else ()
    assert {fault.column for fault in faults} & {column, "状态日期"}
    assert office.count() == 1


def test_a_number_in_use_is_refused(office: LegacyWorld) -> None:
    own = office.issue().licence.number
    results = office.take([old_row(1, 许可证编号=own), old_row(2), old_row(2, 备注="x")])[1]
    assert outcomes(results) == [Outcome.REFUSED, Outcome.NEW, Outcome.REFUSED]
    assert office.count() == 2


def test_a_changed_row_becomes_the_next_version(everywhere: LegacyWorld) -> None:
    office = everywhere
    office.take([old_row(1)])
    first = office.by_number(old_row(1)["许可证编号"])
    assert first is not None
    office.clock.advance(timedelta(days=1))
    known_before = office.now
    office.clock.advance(timedelta(days=1))
    moved = old_row(1, 经营场所="津城市津城区新址路1号", 更新时间="2026-11-20 09:00:00")
    _, (result,) = office.take([moved])
    assert result.outcome is Outcome.CHANGED
    now = office.by_number(first.number)
    assert now is not None
    assert (now.version, now.replaces, now.identifier) == (2, first.identifier, result.licence)
    assert now.claims["business_premises"] == "津城市津城区新址路1号"
    assert office.standing(first.identifier).state is State.SUPERSEDED
    past = office.standing(first.identifier, as_of=known_before, known_at=known_before)
    assert past.state is State.IN_FORCE
    assert outcomes(office.take([moved])[1]) == [Outcome.SAME]
    # A column that no field comes from is nothing that changed.
    assert outcomes(office.take([{**moved, "备注": "归档"}])[1]) == [Outcome.SAME]


def test_by_rule_a_changed_row_waits_for_a_clerk(office: LegacyWorld) -> None:
    careful = MAPPING.replace('on_change = "version"', 'on_change = "conflict"')
    office.take([old_row(1)], office.agreed(careful))
    _, (result,) = office.take([old_row(1, 住所="别处")], office.agreed(careful))
    assert result.outcome is Outcome.CONFLICT
    licence = office.by_number(old_row(1)["许可证编号"])
    assert licence is not None
    assert licence.version == 1


def test_a_licence_that_was_changed_here_is_no_longer_the_old_systems(office: LegacyWorld) -> None:
    office.take([old_row(1)])
    licence = office.by_number(old_row(1)["许可证编号"])
    assert licence is not None
    claims = {**licence.claims, "domicile": "津城市津城区和平路2号"}
    office.issuer.change(
        licence.identifier, claims, holder=None, ground="申请变更", document_number="1", actor=office.li
    )
    _, (result,) = office.take([old_row(1, 住所="别处")])
    assert result.outcome is Outcome.CONFLICT
    current = office.by_number(licence.number)
    assert current is not None
    assert current.claims["domicile"] == "津城市津城区和平路2号"
    assert current.provenance is None


def test_what_ended_in_the_old_system_has_ended_here(everywhere: LegacyWorld) -> None:
    office = everywhere
    gone = {"状态": "注销", "状态日期": "2021-05-06"}
    office.take([old_row(1, **gone), old_row(2)])
    first, second = (office.by_number(old_row(index)["许可证编号"]) for index in (1, 2))
    assert first is not None
    assert second is not None
    assert office.standing(first.identifier).state is State.DEREGISTERED
    assert office.standing(second.identifier).state is State.IN_FORCE
    _, results = office.take([old_row(1), old_row(2, **gone)])  # one came to life again, the other ended
    assert outcomes(results) == [Outcome.CONFLICT, Outcome.CHANGED]
    assert office.standing(first.identifier).state is State.DEREGISTERED
    assert office.standing(second.identifier).state is State.DEREGISTERED


def test_every_night_what_changed_since(everywhere: LegacyWorld) -> None:
    office = everywhere
    office.take([old_row(index) for index in range(1, 5)], catch_up=True)
    register = office.registers.register("food-2012", actor=office.li)
    assert register.cursor is not None
    assert register.cursor.isoformat() == "2026-10-01T00:04:00+00:00"
    late = [
        old_row(1, 住所="别处", 更新时间="2026-10-01 07:00:00"),
        old_row(9, 更新时间="2026-10-02 01:00:00"),
    ]
    summary, results = office.take(late, catch_up=True)
    assert outcomes(results) == [Outcome.BEFORE, Outcome.NEW]
    # A clock of the old system that is ahead of ours does not hide what comes next.
    office.take([old_row(10, 更新时间="2099-01-01 00:00:00")], catch_up=True)
    after = office.registers.register("food-2012", actor=office.li)
    assert after.cursor == office.now
    assert summary.rows == 2
    plain = MAPPING.replace('changed_at = "更新时间"', "")
    with pytest.raises(UsageError):
        office.take([old_row(1)], office.agreed(plain), catch_up=True)


def test_after_the_cut_off_the_old_register_may_not_add(office: LegacyWorld) -> None:
    office.take([old_row(1)])
    office.registers.close("food-2012", cut_off=date(2026, 11, 10), actor=office.zhao)
    rows = [
        old_row(1, 住所="别处", 更新时间="2026-11-12 00:00:00"),
        old_row(2, 更新时间="2026-11-09 00:00:00"),
        old_row(3, 更新时间="2026-11-11 00:00:00"),
    ]
    assert outcomes(office.take(rows)[1]) == [Outcome.CONFLICT, Outcome.NEW, Outcome.REFUSED]
    office.clock.advance(timedelta(days=40))  # a row that says it is old is not believed for ever
    assert outcomes(office.take([old_row(4)])[1]) == [Outcome.REFUSED]
    with pytest.raises(Conflict):
        office.registers.close("food-2012", cut_off=date(2027, 1, 1), actor=office.zhao)


def test_a_cell_of_the_wrong_bytes_spoils_its_row_only(office: LegacyWorld) -> None:
    data = csv_bytes([old_row(1), old_row(2)]).replace("第2分店".encode(), b"\xff\xfe")
    results: list = []
    office.imports.check(io.BytesIO(data), office.mapping(), actor=office.li, each=results.append)
    assert outcomes(results) == [Outcome.NEW, Outcome.REFUSED]
