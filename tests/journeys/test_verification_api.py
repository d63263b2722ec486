"""A department's working day through its own client, over loopback HTTP, with a real receipt at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world.departments import BUREAU, GRANTED, MATTER, PURPOSE, URL, City, claims_of_the_bakery

from credentials.licence import EndingKind
from signing.signers.file import FileSigner
from signing.trust import TrustStore
from verify_api.client import Client
from verify_api.receipts import verify_receipt
from yinxin.base.errors import (
    Conflict,
    NotFound,
    NotPermitted,
    TooLarge,
    Unauthenticated,
    Unreachable,
    UsageError,
    VerificationFailed,
)
from yinxin.base.outbound import Outbound

if TYPE_CHECKING:
    from collections.abc import Iterator

STATED = {"purpose": PURPOSE, "matter": MATTER}


@pytest.fixture(scope="module")
def city() -> Iterator[City]:
    made = City()
    yield made
    made.close()


def client(city: City, *, signer: FileSigner | None = None, trust: TrustStore | None = None) -> Client:
    host, port = city.address
    return Client(
        f"http://{host}:{port}",
        BUREAU,
        signer or city.keys[BUREAU],
        Outbound(allowed_private=[f"{host}:{port}"], timeout_seconds=30),
        trust=city.trust if trust is None else trust,
        revocation=city.snapshots().revocation,
        audience=URL,
        clock=city.clock,
    )


def test_a_day_at_the_market_bureau(city: City) -> None:
    bureau = client(city)
    licence, pdf = city.issue("000000001")

    # The baker hands in the PDF, shows the wallet, and reads the number out.
    sealed = bureau.verify_pdf(pdf, **STATED)
    assert sealed.passed
    assert sealed.claims == {name: claims_of_the_bakery()[name] for name in GRANTED}

    made = bureau.nonce()
    presentation = city.present(city.credential(licence), made["nonce"], audience=made["audience"])
    shown = bureau.verify_presentation(presentation, nonce=made["nonce"], **STATED)
    assert shown.passed
    assert set(shown.claims) == {"operator_name"}

    told = bureau.verify_licence(licence.number, claims=["credit_code"], **STATED)
    assert set(told.claims) == {"credit_code"}

    # The receipt goes to another department, which has the same PDF and trusts the same root.
    report = verify_receipt(
        sealed.receipt_token, city.trust, now=city.clock.now(), revocation=city.snapshots().revocation,
        digest=sealed.content["digest"]["value"],
    )  # fmt: skip
    assert report.require().indication == "passed"
    assert bureau.record(sealed.receipt.id)["audit"] == sealed.receipt.audit_entry

    # The licence is revoked; the morning's answer stays right for the morning.
    noon = city.clock.now()
    city.happen(licence, EndingKind.REVOKED)
    after = bureau.verify_pdf(pdf, **STATED)
    assert not after.passed
    assert after.reasons == ("licence_revoked",)
    before = bureau.verify_pdf(pdf, as_of=noon.replace(hour=noon.hour - 1), **STATED)
    assert (before.receipt.indication, before.receipt.then) == ("failed", "passed")


def test_a_department_hears_what_became_of_what_it_accepted(city: City) -> None:
    bureau = client(city)
    licence, pdf = city.issue("000000007")
    stranger, _ = city.issue("000000008")
    assert bureau.verify_pdf(pdf, **STATED).passed
    for one in (licence, stranger):
        city.happen(one, EndingKind.WITHDRAWN)
    after = bureau.verify_pdf(pdf, **STATED)
    assert not after.passed
    found = [one for one in bureau.notices() if one["licence"] in {licence.identifier, stranger.identifier}]
    assert [(one["licence"], one["event"]["kind"]) for one in found] == [(licence.identifier, "withdrawn")]
    for _ in range(2):
        bureau.acknowledge(found[0]["id"])
    assert found[0]["id"] not in {one["id"] for one in bureau.notices()}
    for wrong in ("nothing", "../../token", "a" * 22):
        with pytest.raises(NotFound):
            bureau.acknowledge(wrong)
    with pytest.raises(UsageError):
        bureau.notices(limit=0)


def test_what_the_client_raises(city: City) -> None:
    bureau = client(city)
    with pytest.raises(NotPermitted):
        bureau.verify_licence("x", purpose="curiosity", matter=MATTER)
    with pytest.raises(UsageError):
        bureau.verify_licence("", **STATED)
    with pytest.raises(NotFound):
        bureau.record("../../token")
    with pytest.raises((TooLarge, Unreachable)):  # the service may hang up before all is sent
        bureau.verify_pdf(b"%PDF-" + b"0" * (28 << 20), **STATED)
    bureau.verify_licence("x", idempotency_key="the-key", **STATED)
    with pytest.raises(Conflict):
        bureau.verify_licence("y", idempotency_key="the-key", **STATED)


def test_a_client_with_the_wrong_key(city: City) -> None:
    with pytest.raises(Unauthenticated):
        client(city, signer=FileSigner.generate()).nonce()


def test_a_receipt_of_somebody_untrusted_is_not_believed(city: City) -> None:
    with pytest.raises(VerificationFailed):
        client(city, trust=TrustStore([])).verify_licence("x", **STATED)


def test_a_service_that_is_not_there() -> None:
    nobody = Client(
        "http://127.0.0.1:9",
        BUREAU,
        FileSigner.generate(),
        Outbound(allowed_private=["127.0.0.1:9"]),
        trust=TrustStore([]),
    )
    with pytest.raises(Unreachable):
        nobody.nonce()
