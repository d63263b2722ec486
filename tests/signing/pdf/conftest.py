from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.desk import Desk, plain_pdf

from signing.pdf import preparing, writers
from signing.pdf.update import NotPlain

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def desk() -> Desk:
    return Desk()


@pytest.fixture(scope="session")
def pdf() -> bytes:
    return plain_pdf(files={"licence.json": b'{"number": "001"}'})


@pytest.fixture(scope="session")
def sealed(desk: Desk, pdf: bytes) -> bytes:
    return desk.seal(pdf, reason="准予许可 Approved", location="津城")


@pytest.fixture(scope="module", params=["plain", "orderly", "pyhanko's"])
def writer(request: pytest.FixtureRequest) -> Iterator[str]:
    """Which of the writers seals: the same tests hold for all of them."""

    def refuse(_pdf: bytes) -> None:
        raise NotPlain

    with pytest.MonkeyPatch.context() as patch:
        if request.param != "plain":
            patch.setattr(preparing, "PlainEditing", refuse)
        if request.param == "pyhanko's":
            patch.setattr(writers, "OrderlyEditing", refuse)
        yield request.param
