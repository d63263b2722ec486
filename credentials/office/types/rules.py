"""What a new version of a type must keep to, beside what its own file must: the line of versions, and others.

`credentials.type_rules` judges a file by itself. Here it is judged beside the version before and the other
types of the catalogue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from credentials.type_metadata import describe
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from credentials.catalogue import Catalogue
    from credentials.licence_type import LicenceType


def faults_beside(new: LicenceType, catalogue: Catalogue, *, today: date) -> Iterator[tuple[str, Text]]:
    """Key and what to do, for each rule that a new version breaks."""
    versions = catalogue.versions(new.code)
    previous = versions[-1] if versions else None
    yield from _line(new, previous, today)
    if previous is not None:
        yield from _same_thing(new, previous)
    for other in catalogue.every_version():
        if other.code != new.code:
            for key in ("number", "vct"):
                if getattr(other, key) == getattr(new, key):
                    yield key, Text(f"与 {other.code} 重复", f"the same as of {other.code}")
        elif other.vct == new.vct and is_stricter(new, other):
            yield (
                "vct",
                Text(
                    f"第 {other.version} 版的凭证不合新规则，须换用新的 vct（如末位加一）",
                    f"credentials of version {other.version} would break the new rules: give another vct",
                ),
            )


def is_stricter(new: LicenceType, old: LicenceType) -> bool:
    """Whether a credential that keeps the old version's type metadata may break the new one's."""
    before = {claim["path"][0]: claim for claim in describe(old)["claims"]}
    for claim in describe(new)["claims"]:
        known = before.get(claim["path"][0])
        if claim["mandatory"] and not (known and known["mandatory"]):
            return True
        if known and known["sd"] != claim["sd"]:
            return True
    return False


def _line(new: LicenceType, previous: LicenceType | None, today: date) -> Iterator[tuple[str, Text]]:
    wanted = previous.version + 1 if previous else 1
    if new.version != wanted:
        yield "version", Text(f"应为 {wanted}", f"must be {wanted}")
    if new.until_day is not None:
        yield "until_day", Text("废止须另行提出", "propose an abolition for that")
    if new.from_day is None:
        yield "from_day", Text("须写明启用日", "say from which day it is in force")
    elif new.from_day < today:
        yield "from_day", Text("启用日不得早于今天", "the first day cannot be in the past")
    elif previous and previous.from_day and new.from_day <= previous.from_day:
        yield (
            "from_day",
            Text(
                f"须晚于上一版启用日 {previous.from_day}",
                f"must be after the first day of the version before, {previous.from_day}",
            ),
        )


def _same_thing(new: LicenceType, previous: LicenceType) -> Iterator[tuple[str, Text]]:
    """A version is about the same licence: its type code, and what its holder is known by, stay."""
    if new.number != previous.number:
        yield "number", Text("类型代码不得改变", "the type code stays the same in every version")
    before, after = (one.field(one.holder_code).kind for one in (previous, new))
    if before is not after:
        yield (
            "holder.code",
            Text(
                "持证主体代码的类型不得改变",
                "the holder's code stays of the same kind",
            ),
        )
