from __future__ import annotations

import pytest
from world.desk import Desk, plain_pdf


@pytest.fixture(scope="session")
def desk() -> Desk:
    return Desk()


@pytest.fixture(scope="session")
def pdf() -> bytes:
    return plain_pdf(files={"licence.json": b'{"number": "001"}'})


@pytest.fixture(scope="session")
def sealed(desk: Desk, pdf: bytes) -> bytes:
    return desk.seal(pdf, reason="准予许可 Approved", location="津城")
