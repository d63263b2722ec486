"""Rows of an older register whose holder is recorded as dead or dissolved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.legacy import LegacyWorld, old_row

from credentials.documents import DocumentStore
from credentials.holders import HolderNotActive
from credentials.legacy.results import Outcome
from yinxin.base.database import Database
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from world.pki import Pki

    from yinxin.base.database import Session

WHY = Text("登记显示持有人已终止，不予制发", "the holder is recorded as dissolved")


class Gone:
    """A record of holders that a test writes in."""

    def __init__(self) -> None:
        self.codes: set[str] = set()

    def refusals(self, session: Session, codes: Collection[str]) -> Mapping[str, Text]:
        del session
        return {code: WHY for code in codes if code in self.codes}


@pytest.fixture
def gone() -> Gone:
    return Gone()


@pytest.fixture
def office(pki: Pki, gone: Gone, tmp_path: Path) -> Iterator[LegacyWorld]:
    kept = Database("sqlite://")
    kept.create_schema()
    yield LegacyWorld(pki, kept, documents=DocumentStore(tmp_path / "d", b"k" * 32), holders=gone)
    kept.close()


def code_of(index: int) -> str:
    return old_row(index)["统一社会信用代码"]


def test_a_new_row_is_refused_and_one_that_ended_there_is_kept(office: LegacyWorld, gone: Gone) -> None:
    gone.codes = {code_of(1), code_of(2)}
    rows = [old_row(1), old_row(2, 状态="注销", 状态日期="2021-05-06"), old_row(3)]
    _, results = office.take(rows)
    assert [one.outcome for one in results] == [Outcome.REFUSED, Outcome.NEW, Outcome.NEW]
    judged = results[0].judged
    assert judged is not None
    assert [fault.reason for fault in judged.faults] == [WHY]
    assert [one.outcome for one in office.check(rows)] == [Outcome.REFUSED, Outcome.SAME, Outcome.SAME]


def test_a_changed_row_is_for_a_clerk(office: LegacyWorld, gone: Gone) -> None:
    office.take([old_row(1)])
    gone.codes = {code_of(1)}
    _, (result,) = office.take([old_row(1, 住所="别处")])
    assert result.outcome is Outcome.CONFLICT


def test_nothing_is_sealed_at_first_use(office: LegacyWorld, gone: Gone) -> None:
    office.take([old_row(1)])
    licence = office.by_number(old_row(1)["许可证编号"])
    assert licence is not None
    gone.codes = {licence.holder_code}
    with pytest.raises(HolderNotActive):
        office.issuer.document(licence.identifier)
    done, refused = office.issuer.first_use.seal_all([licence.identifier], actor=office.li)
    assert (done, [type(one) for one in refused.values()]) == (0, [HolderNotActive])
