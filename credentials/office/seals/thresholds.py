"""When alarms stop a grant: numbers that an office may change, read strictly from a file."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from credentials.office.seals.grants import ANYONE, ROLE, Refusal
from yinxin.base.errors import MalformedInput
from yinxin.base.files import read_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from credentials.office.seals.grants import GrantTerms

BUILT_IN = Path(__file__).parent / "thresholds.toml"
_TABLE = "stops_grant_after"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """How many alarms of a kind on one day end a grant; kinds that are not named end none."""

    stops_grant_after: Mapping[Refusal, int]

    @classmethod
    def load(cls, path: Path = BUILT_IN) -> Thresholds:
        """Read a file; `MalformedInput` for an unknown kind or a number below one."""
        try:
            table = tomllib.loads(read_file(path).decode("utf-8"))
            found = {Refusal(name): number for name, number in table.pop(_TABLE, {}).items()}
        except (ValueError, AttributeError) as exc:
            raise MalformedInput("thresholds", str(exc)[:200]) from exc
        if table or not all(type(number) is int and number > 0 for number in found.values()):
            raise MalformedInput("thresholds", f"a table [{_TABLE}] of kinds and numbers from 1")
        return cls(found)

    def stops(self, terms: GrantTerms, kind: Refusal, alarms: int) -> bool:
        """Whether so many alarms of this kind end a grant of these terms."""
        of_one = terms.grantee != ANYONE and not terms.grantee.startswith(ROLE)
        limit = self.stops_grant_after.get(kind)
        return of_one and limit is not None and alarms >= limit
