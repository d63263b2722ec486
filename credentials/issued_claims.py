"""Claims as they were issued, looked for by path (SD-JWT VC, 5.6 and 5.6.1): for rules of types.

Elements of arrays that are withheld keep their positions and count as there. Work is bounded: rules and
credential may come from others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from yinxin.base.errors import TooLarge

if TYPE_CHECKING:
    from credentials.claim_paths import Path
    from credentials.disclosures import Revealed

MAX_STEPS = 200_000  # elements looked at for all rules together


class IssuedClaims:
    """One credential's claims; `count` raises `TooLarge` once it looked at `MAX_STEPS` of them."""

    def __init__(self, revealed: Revealed) -> None:
        self.revealed = revealed
        self._left = MAX_STEPS

    def count(self, path: Path) -> tuple[int, int] | None:
        """How many claims a path selects: shown ones, and elements of arrays that are withheld.

        Positions count as issued. None is the error of 5.6.1: a step into something of another form.
        """
        selected: list[tuple[Any, Path]] = [(self.revealed.claims, ())]
        withheld = 0
        for step in path:
            kind = dict if isinstance(step, str) else list
            self._spend(len(selected))
            if not all(isinstance(value, kind) for value, _ in selected):
                return None
            if isinstance(step, str):
                selected = [(value[step], (*place, step)) for value, place in selected if step in value]
                withheld = 0  # nothing is selected inside a withheld one
                continue
            elements = [self._elements(value, place, step) for value, place in selected]
            selected = [one for shown, _ in elements for one in shown]
            withheld = sum(missing for _, missing in elements)
        return len(selected), withheld

    def _elements(
        self, value: list[Any], place: Path, step: int | None
    ) -> tuple[list[tuple[Any, Path]], int]:
        """The elements of an array that a step selects, with their place; how many are withheld."""
        missing = self.revealed.withheld.get(place, frozenset())
        if step is not None:
            self._spend(len(missing))
            at = step - sum(one < step for one in missing)  # where it stands now, if it does
            is_shown = step not in missing and at < len(value)
            return [(value[at], (*place, step))] if is_shown else [], int(step in missing)
        self._spend(len(value) + len(missing))
        positions = (one for one in range(len(value) + len(missing)) if one not in missing)
        return [(one, (*place, at)) for at, one in zip(positions, value, strict=True)], len(missing)

    def _spend(self, steps: int) -> None:
        self._left -= steps
        if self._left < 0:
            raise TooLarge("type metadata", f"its rules look at over {MAX_STEPS} claims")
