"""A wallet's origin beside a city that asks, or beside an office that issues."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.holders import Site
from world.presentations import AskingCity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from world.holders import Person
    from world.vci import IssuingOffice


@pytest.fixture(scope="module")
def city() -> Iterator[AskingCity]:
    made = AskingCity()
    yield made
    made.close()


@pytest.fixture
def site(city: AskingCity, tmp_path: Path) -> Site:
    return Site.of_city(city, tmp_path)


@pytest.fixture
def li(site: Site) -> Person:
    return site.person("li")


@pytest.fixture
def wang(site: Site) -> Person:
    return site.person("wang")


@pytest.fixture
def desk(office: IssuingOffice, tmp_path: Path) -> Site:
    """The wallet's origin beside an issuer."""
    return Site.of_office(office, tmp_path)


@pytest.fixture
def baker(desk: Site) -> Person:
    return desk.person("baker")
