"""A licence in both forms before its holder: one card, one question, and the state of what is shown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from world.databases import with_tables
from world.holders import Site
from world.requests import AskingCounter, dcql
from world.vci import IssuingOffice

from credentials.oid4vp.client_ids import ClientId
from credentials.vocabulary import SUSPENDED
from wallet.activity import ActivityKind
from wallet.contents import form_of, read_row
from wallet.pages.views import ref_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from world.asgi import Answer
    from world.holders import Person
    from world.pki import Pki

MDOC, SD_JWT = "mso_mdoc", "dc+sd-jwt"


@dataclass
class Baker:
    """Somebody with one licence in both forms, and a counter that asks."""

    office: IssuingOffice
    person: Person
    counter: AskingCounter
    licence: str
    vct: str

    def ask(self, *forms: str) -> str:
        """The path of the consent page of a request for any of these forms."""
        claims = [{"path": [self.vct, "operator_name"]}]
        every = {
            MDOC: {"id": MDOC, "format": MDOC, "meta": {"doctype_value": self.vct}, "claims": claims},
            SD_JWT: {**dcql("operator_name", meta={"vct_values": [self.vct]})["credentials"][0], "id": "sd"},
        }
        asked: dict[str, Any] = {"credentials": [every[form] for form in forms]}
        if len(forms) > 1:
            asked["credential_sets"] = [{"options": [[one["id"]] for one in asked["credentials"]]}]
        signed = self.counter.sign(self.counter.request(asked))
        client = str(ClientId.of(self.counter.asker.certificate))
        return self.person.open_request(f"openid4vp://?{urlencode({'client_id': client, 'request': signed})}")

    def suspend(self, form: str) -> None:
        """The copies of one form alone: another of them would do."""
        rows = self.person.wallet.holder._store.read()["copies"].values()
        with self.office.database.transaction() as session:
            for row in (one for one in rows if form_of(one) == form):
                entry = read_row(row).claims["status"]["status_list"]
                self.office.status.set(session, entry["uri"], entry["idx"], SUSPENDED)
        self.office.clock.advance(timedelta(minutes=2))
        site = self.person.site
        site.judge.use(site.grounds())


@pytest.fixture
def baker(pki: Pki, tmp_path: Path) -> Iterator[Baker]:
    database = with_tables()
    office = IssuingOffice(pki, database, mdoc=True, metadata_signer=pki.signer("metadata", "签发服务"))
    counter = AskingCounter(pki)
    counter.clock = office.clock
    person = Site.of_office(office, tmp_path).person("baker")
    held = person.receive()
    yield Baker(office, person, counter, held.id, str(held.vct))
    database.close()


def text_of(answer: Answer) -> str:
    assert answer.status_code == 200, answer.text
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


def test_one_licence_is_one_card_in_both_forms(baker: Baker) -> None:
    assert baker.person.get("/").text.count('class="licence-card"') == 1
    page = text_of(baker.person.get(f"/licences/{ref_of(baker.licence)}"))
    assert "Can be shown as SD-JWT VC , mdoc" in page.replace(",", " ,").replace("  ", " ")


def test_either_form_is_one_question_about_one_licence(baker: Baker) -> None:
    page = baker.person.get(baker.ask(SD_JWT, MDOC)).text
    assert page.count('class="card part') == 1
    assert "choice-" not in page.partition('class="card decide"')[0], "there is nothing to choose"


@pytest.mark.parametrize("suspended", [MDOC, SD_JWT])
def test_the_question_warns_of_the_form_that_would_be_shown(baker: Baker, suspended: str) -> None:
    baker.suspend(suspended)
    for form in (MDOC, SD_JWT):
        page = text_of(baker.person.get(baker.ask(form)))
        assert ("suspended" in page) == (form == suspended), form


def test_a_wallet_that_has_neither_names_the_kind_once(baker: Baker) -> None:
    path = baker.ask(SD_JWT, MDOC)
    baker.person.wallet.holder.remove(baker.licence)
    page = baker.person.get(path).text
    assert page.count("<li><bdi>") == 1
    baker.person.post(path, decision="refuse")
    entry = baker.person.wallet.holder.activity()[-1]
    assert (entry.kind, entry.claims) == (ActivityKind.REFUSED, ("operator_name",))
