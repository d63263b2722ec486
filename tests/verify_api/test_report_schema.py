"""The schema of reports, as the service hands it out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from world.departments import City

ROOT = Path(__file__).parents[2]


def test_it_is_the_one_that_the_program_keeps(city: City) -> None:
    served = city.call("GET", "/v1/report.schema.json")
    assert served.status == 200
    for folder in ("signing/report", "docs/reference"):
        kept = json.loads((ROOT / folder / "report.schema.json").read_text(encoding="utf-8"))
        assert served.json == kept
