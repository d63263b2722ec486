"""Measure in rounds that take turns, by processor time, and print each row beside a floor or a peer.

A busy machine disturbs all rows alike, and the best round of each counts; so the ratios are what to quote.
"""

from __future__ import annotations

from time import process_time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def measure(
    rows: Mapping[str, Callable[[], object]], *, beside: str, rounds: int = 15, calls: int = 20
) -> dict[str, float]:
    """Seconds of each row, printed with how many times as long as the row `beside` it takes."""
    best = dict.fromkeys(rows, float("inf"))
    for _ in range(rounds):
        for label, work in rows.items():
            start = process_time()
            for _ in range(calls):
                work()
            best[label] = min(best[label], (process_time() - start) / calls)
    unit = best[beside]
    print(f"{'':<52}{'us':>10}{'per s':>10}{'ratio':>9}   (1.00 = {beside})")  # noqa: T201 - figures
    for label, seconds in best.items():
        row = f"{label:<52}{seconds * 1e6:>10,.0f}{1 / seconds:>10,.0f}{seconds / unit:>9.2f}"
        print(row)  # noqa: T201 - figures
    return best
