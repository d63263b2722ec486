"""Until when a document is provable: the day before that it passes, the day after it does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from world.desk import Desk, plain_pdf
from world.pki import NOON, START
from world.tsa import MemoryTsa

from signing.pdf import archive
from signing.pdf.lasting import Lasting, lasting
from signing.policy import Policy
from signing.policy.levels import Level
from yinxin.base.errors import VerificationFailed

DAY = timedelta(days=1)
LATER = NOON + timedelta(days=300)


def ask(desk: Desk, pdf: bytes, *, now: datetime = NOON, **more: object) -> Lasting:
    return lasting(pdf, desk.trust, revocation=desk.revocation(now), now=now, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def younger(desk: Desk) -> MemoryTsa:
    """An authority whose certificate ends after that of the desk's own."""
    key = desk.pki.issuing.issue("Younger TSA", "timestamp", not_after=START + timedelta(days=3640))
    return MemoryTsa(key, LATER)


@pytest.fixture(scope="module")
def documents(desk: Desk, younger: MemoryTsa) -> dict[str, bytes]:
    stamped = desk.seal(plain_pdf())
    kept = archive(stamped, desk.trust, revocation=desk.revocation(LATER), timestamper=younger, now=LATER)
    two = desk.seal(desk.seal(plain_pdf()), signer=desk.citizen, stamped=False)
    return {
        "not stamped": desk.seal(plain_pdf(), stamped=False),
        "stamped": stamped,
        "kept": kept,
        "two": two,
    }


def test_what_carries_the_proof(desk: Desk, documents: dict[str, bytes], younger: MemoryTsa) -> None:
    agency, issuing = desk.agency.certificate, desk.pki.issuing.certificate
    found = {name: ask(desk, pdf, now=LATER) for name, pdf in documents.items()}
    for name, level in (("not stamped", Level.B_B), ("stamped", Level.B_T)):
        assert found[name] == Lasting(agency.not_after, "Seal1", agency.common_name, level)
    last = min((younger.signer.certificate, issuing), key=lambda one: one.not_after)
    assert found["kept"] == Lasting(last.not_after, "Seal1", last.common_name, Level.B_LTA)
    assert found["two"].until == min(agency.not_after, desk.citizen.certificate.not_after)


@pytest.mark.parametrize("name", ["not stamped", "stamped", "kept", "two"])
def test_the_verifier_says_the_same(desk: Desk, documents: dict[str, bytes], name: str) -> None:
    pdf = documents[name]
    until = ask(desk, pdf, now=LATER).until
    assert desk.verify(pdf, now=until - DAY).passed
    assert not desk.verify(pdf, now=until + DAY).passed


def test_an_algorithm_ends_before_the_certificate(desk: Desk, documents: dict[str, bytes]) -> None:
    end = datetime(2027, 12, 31, tzinfo=UTC)
    policy = Policy.default().with_changes(algorithm_ends=(("ES256", end),))
    found = ask(desk, documents["stamped"], policy=policy)
    assert found.until == end
    assert "ES256" in found.ends


def test_what_does_not_pass_lasts_no_longer(desk: Desk, documents: dict[str, bytes]) -> None:
    for pdf in (plain_pdf(), documents["stamped"] + b"x", b""):
        with pytest.raises(VerificationFailed):
            ask(desk, pdf)
