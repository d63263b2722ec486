"""A document whose revocation data are missing is told of, so that they are gathered for the next time."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from world.departments import GRANTED, TYPE
from world.desk import plain_pdf
from world.mdoc_city import MDOC_ID, MdocCity
from world.pki import NOON, Pki

from signing.pdf import Seal
from signing.revocation import RevocationSnapshot
from signing.trust import TrustStore
from verify_api.lacking import MAX_TOLD
from yinxin.app.home import Home
from yinxin.app.rounds import Notes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from world.departments import City

    from signing.certificates import Certificate


@pytest.fixture
def told(city: City) -> Iterator[list[Certificate]]:
    """What the service of the city tells while it has no revocation data."""
    found: list[Certificate] = []
    before, kept = city.service._examiner, city.service.snapshots
    city.service._examiner = replace(before, tell_lacking=found.extend)
    city.service.use(replace(kept, revocation=RevocationSnapshot()))
    yield found
    city.service._examiner = before
    city.service.use(city.snapshots())


def ask(city: City, pdf: bytes) -> set[str]:
    reply = city.ask({"document": b64encode(pdf).decode()})
    city.service._readers.submit(list).result()  # what is told is told in a thread
    return {reason["code"] for reason in reply.json["reasons"]}


def test_the_certificates_of_a_document_without_evidence_are_told(
    city: City, told: list[Certificate], serial: str
) -> None:
    _, pdf = city.issue(serial)
    assert "revocation_unknown" in ask(city, pdf)
    assert set(told) >= set(city.seal_signer.chain[:2])
    assert len(told) <= MAX_TOLD


def test_nothing_is_told_of_strangers_or_when_nothing_lacks(
    city: City, told: list[Certificate], serial: str
) -> None:
    stranger = Seal(Pki().signer("seal")).apply(plain_pdf(), now=NOON)
    assert "no_certificate_chain_found" in ask(city, stranger)
    city.service.use(city.snapshots())
    _, pdf = city.issue(serial)
    ask(city, pdf)
    assert told == []


def test_a_presentation_is_told_of_too(city: City, told: list[Certificate], serial: str) -> None:
    licence, _ = city.issue(serial)
    credential, nonce = city.credential(licence), city.nonce()
    city.service.use(replace(city.snapshots(), revocation=RevocationSnapshot()))
    city.ask({"presentation": city.present(credential, nonce), "nonce": nonce})
    city.service._readers.submit(list).result()
    assert city.credential_signer.chain[0] in told


@pytest.mark.parametrize("form", ["sd-jwt-vc", "mdoc"])
def test_what_is_shown_in_a_session_is_told_of_too(form: str, serial: str) -> None:
    city = MdocCity()
    found: list[Certificate] = []
    city.service._examiner = replace(city.service._examiner, tell_lacking=found.extend)
    licence = city.licence(serial)
    started, verified = city.asked(forms=[form])
    if form == "mdoc":
        signer, shown = city.mdoc_signer, city.response(city.mdoc(licence), verified)
    else:
        signer, request = city.credential_signer, verified.request
        options = {"audience": str(request.client_id)}
        shown = city.present(city.credential(licence), request.nonce, *GRANTED, **options)
    city.service.use(replace(city.snapshots(), revocation=RevocationSnapshot()))
    city.send(verified, shown, query=MDOC_ID if form == "mdoc" else TYPE)
    city.service._readers.submit(list).result()
    assert city.outcome(started["id"]).json["reasons"] == ["revocation_unknown"]
    assert signer.chain[0] in found
    city.close()


def test_what_is_told_is_noted_once_and_only_below_an_anchor(tmp_path: Path, pki: Pki) -> None:
    (tmp_path / "yinxin.toml").write_text("", "utf-8")

    TrustStore([pki.root.certificate]).save(tmp_path / "trust")
    home = Home.open(tmp_path)
    leaf, stranger = pki.signer("seal").certificate, Pki().signer("seal").certificate
    notes = Notes(home)
    notes([leaf, stranger, pki.issuing.certificate])
    assert set(home.library.seen()) == {leaf, pki.issuing.certificate}
    home.library.forget([leaf])
    notes([leaf])
    assert home.library.seen() == [pki.issuing.certificate], "it was heard of before"
    (tmp_path / "trust" / "trust.toml").write_text("half edi", "utf-8")
    notes([pki.signer("seal").certificate])  # nobody waits for it, so it raises nothing
