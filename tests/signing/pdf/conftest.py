from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.desk import Desk, plain_pdf

from signing.pdf import preparing
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


@pytest.fixture(scope="module", params=["our writer", "pyhanko's writer"])
def writer(request: pytest.FixtureRequest) -> Iterator[str]:
    """Which of the two writers seals plain files: the same tests hold for both."""

    def refuse(_pdf: bytes) -> None:
        raise NotPlain

    with pytest.MonkeyPatch.context() as patch:
        if request.param != "our writer":
            patch.setattr(preparing, "PlainEditing", refuse)
        yield request.param
