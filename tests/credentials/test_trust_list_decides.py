"""A trust list says whose licences count: credentials and codes on paper."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from world.credentials import COUNTER, NONCE, CredentialWorld
from world.listed import CASES, CODE, DAY, GRANTED, IDS, KIND, Rows, a_list
from world.mdocs import DOC_TYPE, TRANSCRIPT, MdocWorld
from world.pki import NOON, Pki
from world.printed import CATALOGUE, Paper, sample_licence

from credentials import samples
from credentials.mdoc import MdocValidity
from credentials.vocabulary import LICENCE_IDENTIFIER
from signing.reasons import Reason
from signing.report import Indication
from signing.trust_list import ServingList
from yinxin.base.identifiers import LicenceIdentifier

if TYPE_CHECKING:
    from signing.report import Report


@pytest.fixture(scope="module")
def world() -> CredentialWorld:
    return CredentialWorld()


@pytest.fixture(scope="module")
def mdocs() -> MdocWorld:
    return MdocWorld()


@pytest.fixture(scope="module")
def paper() -> Paper:
    return Paper(Pki())


class TestCredentials:
    def examine(self, world: CredentialWorld, serving: ServingList, **claims: Any) -> Report[Any]:
        number = str(LicenceIdentifier.make(CODE, samples.AGENCY.credit_code, "7K2M9Q4TZ8X1B5CV3N6L"))
        made = {"iat": int((NOON - 2 * DAY).timestamp()), LICENCE_IDENTIFIER: number, **claims}
        credential = world.issue(world.licence(**made))
        verifier = world.counter(trust_list=serving)
        return verifier.verify(world.present(credential), audience=COUNTER, nonce=NONCE)

    @pytest.mark.parametrize(("rows", "how", "reasons"), CASES, ids=IDS)
    def test_count_as_the_list_says(
        self, world: CredentialWorld, rows: Rows, how: dict[str, Any], reasons: set[Reason]
    ) -> None:
        vct = world.licence()["vct"]
        serving = a_list(world.agency.certificate, vct, rows, **how)
        report = self.examine(world, serving)
        assert report.reasons == reasons
        assert report.snapshots["trust_list"] == "ab" * 32
        if reasons <= {Reason.ISSUER_PERMISSION_WITHDRAWN, Reason.ISSUER_PERMISSION_SUSPENDED}:
            assert report.then is Indication.PASSED

    def test_of_a_type_that_is_not_listed_do_not_count(self, world: CredentialWorld) -> None:
        serving = a_list(world.agency.certificate, "urn:city:other", GRANTED)
        assert self.examine(world, serving).reasons == {Reason.ISSUER_NOT_PERMITTED}

    def test_without_any_list_that_is_demanded_do_not_count(self, world: CredentialWorld) -> None:
        assert self.examine(world, ServingList(None)).reasons == {Reason.TRUST_LIST_UNAVAILABLE}


class TestMdocs:
    def examine(self, world: MdocWorld, serving: ServingList) -> Report[Any]:
        number = str(LicenceIdentifier.make(CODE, samples.AGENCY.credit_code, "7K2M9Q4TZ8X1B5CV3N6L"))
        valid = MdocValidity(NOON - 2 * DAY, NOON - 2 * DAY, NOON + 9 * DAY)
        issued = world.issue_mdoc(elements={LICENCE_IDENTIFIER: number}, valid=valid)
        verifier = world.mdoc_counter(trust_list=serving)
        return verifier.verify(world.show(issued, LICENCE_IDENTIFIER), transcript=TRANSCRIPT)

    @pytest.mark.parametrize(("rows", "how", "reasons"), CASES, ids=IDS)
    def test_count_as_the_list_says(
        self, mdocs: MdocWorld, rows: Rows, how: dict[str, Any], reasons: set[Reason]
    ) -> None:
        report = self.examine(mdocs, a_list(mdocs.signer.certificate, DOC_TYPE, rows, **how))
        assert report.reasons == reasons
        assert report.snapshots["trust_list"] == "ab" * 32

    def test_of_a_type_that_is_not_listed_do_not_count(self, mdocs: MdocWorld) -> None:
        serving = a_list(mdocs.signer.certificate, "urn:city:other", GRANTED)
        assert self.examine(mdocs, serving).reasons == {Reason.ISSUER_NOT_PERMITTED}


class TestCodesOnPaper:
    @pytest.mark.parametrize(("rows", "how", "reasons"), CASES, ids=IDS)
    def test_count_as_the_list_says(
        self, paper: Paper, rows: Rows, how: dict[str, Any], reasons: set[Reason]
    ) -> None:
        licence = sample_licence(KIND, issued=NOON - 2 * DAY)
        text = paper.code(licence)
        verifier = paper.verifier()
        verifier.trust_list = a_list(paper.signer.certificate, CATALOGUE[KIND].vct, rows, **how)
        report = verifier.verify(text, now=NOON)
        assert report.reasons - {Reason.STATUS_NOT_ASKED} == reasons

    def test_of_an_issuer_that_is_not_listed_do_not_count(self, paper: Paper) -> None:
        verifier = paper.verifier()
        serving = a_list(paper.signer.certificate, CATALOGUE[KIND].vct, GRANTED)
        assert serving.listed is not None
        verifier.trust_list = replace(serving, listed=replace(serving.listed, listed=()))
        text = paper.code(sample_licence(KIND, issued=NOON - 2 * DAY))
        assert Reason.ISSUER_NOT_PERMITTED in verifier.verify(text, now=NOON).reasons
