"""Hostile PDFs over HTTP: a recognised document is a failed report, and only what is too large is a 4xx."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

import pytest
from world.pdf_hostile import BARE, behind
from world.pdf_paper import Paper

from verify_api.documents import MAX_DOCUMENT_BYTES

if TYPE_CHECKING:
    from world.departments import City

pytestmark = pytest.mark.timeout(120)
# What says in its first kilobyte that it is a PDF; the others are no documents that anybody recognises.
FILES = {name: make for name, make in BARE.items() if b"%PDF-" in make()[:1024]}


@pytest.fixture(scope="module")
def token(city: City) -> str:
    return city.token()


def ask(city: City, pdf: bytes, token: str | None) -> tuple[int, str, set[str]]:
    asked = {"document": b64encode(pdf).decode()}
    reply = city.ask(asked, token=token) if token else city.ask(asked, as_=None)
    assert b"Traceback" not in reply.body
    if reply.status != 200:
        return reply.status, "", set()
    return 200, reply.json["indication"], {one["code"] for one in reply.json.get("reasons", ())}


def test_each_is_a_failed_report(city: City, token: str) -> None:
    for name, make in FILES.items():
        status, indication, reasons = ask(city, make(), token)
        assert (status, indication) == (200, "failed"), (name, status, indication, reasons)
        assert reasons, name


def test_each_revision_behind_a_seal_is_a_failed_report(city: City, token: str) -> None:
    paper = Paper().sign(city.seal_signer)
    for name, make in behind(paper).items():
        status, indication, _ = ask(city, make(), token)
        assert (status, indication) == (200, "failed"), name


def test_anybody_hears_no_more_than_that(city: City) -> None:
    assert ask(city, BARE["encrypted"](), None)[:2] == (200, "failed")


def test_what_is_too_large_is_the_only_refusal(city: City, token: str) -> None:
    assert ask(city, b"%PDF-1.7\n" + bytes(MAX_DOCUMENT_BYTES), token)[0] == 413
    assert ask(city, b"%PDF-1.7\n" + bytes(1 << 20), token)[0] == 200


def test_the_service_goes_on(city: City, token: str) -> None:
    status, indication, _ = ask(city, city.pdf(None), token)
    assert (status, indication) == (200, "passed")
