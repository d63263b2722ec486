"""The code flow and the refresh with a server that is another, forgets, or wants to be another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from world.hostile_issuers import (
    ISSUER,
    SERVER,
    TOKEN,
    change,
    deliver,
    forged,
)
from world.office import URL
from world.pki import Pki
from world.receiving import Citizen, answered
from world.vci import REDIRECT, IssuingOffice, query_of

from credentials.oid4vci.offers import Flow
from signing.trust import TrustStore
from wallet.receiving import DeliveryRefused, IssuerRefused, OfferRefused, Receiving
from yinxin.base.errors import NotFound, NotPermitted

if TYPE_CHECKING:
    from world.receiving import Asked

    from yinxin.base.outbound import Response


def begun(citizen: Citizen) -> str:
    considered = citizen.receiving.consider(citizen.office.offer(flow=Flow.CODE).by_reference)
    return citizen.receiving.begin_authorization(considered, redirect_uri=REDIRECT)


def state(citizen: Citizen) -> str:
    (found,) = citizen.contents()["sign_ins"]
    return str(found)


def back(**values: str) -> str:
    return f"{REDIRECT}?{urlencode(values)}"


def test_an_answer_to_nothing(citizen: Citizen) -> None:
    for callback in (back(code="c", iss=URL), back(code="c", state="", iss=URL), "", "https://["):
        with pytest.raises(NotPermitted):
            citizen.receiving.finish_authorization(callback)
    with pytest.raises(NotFound):
        citizen.receiving.finish_authorization(back(code="c", state="unknown", iss=URL))
    assert citizen.contents() == {}
    assert citizen.internet.asked == []


@pytest.mark.parametrize(
    "values",
    [
        {"code": "c", "iss": "https://evil.example"},
        {"code": "c", "iss": URL + "/"},
        {"code": "c"},
        {"iss": URL},
        {"error": "access_denied", "iss": "https://evil.example"},
    ],
    ids=str,
)
def test_an_answer_of_another_server(citizen: Citizen, values: dict[str, str]) -> None:
    begun(citizen)
    with pytest.raises(NotPermitted):
        citizen.receiving.finish_authorization(back(state=state(citizen), **values))
    assert not citizen.internet.to(TOKEN)
    assert citizen.contents() == {"sign_ins": {}}


def test_an_answer_counts_once(citizen: Citizen) -> None:
    begun(citizen)
    answer = back(state=state(citizen), code="guessed", iss=URL)
    with pytest.raises(IssuerRefused):
        citizen.receiving.finish_authorization(answer)
    with pytest.raises(NotFound):
        citizen.receiving.finish_authorization(answer)


def test_an_answer_at_another_address_or_with_repeated_parts(citizen: Citizen) -> None:
    begun(citizen)
    known = state(citizen)
    with pytest.raises(NotPermitted):
        citizen.receiving.finish_authorization(f"{REDIRECT}?state={known}&state={known}&code=c&iss={URL}")
    elsewhere = f"https://other.example/cb?{urlencode({'state': known, 'code': 'c', 'iss': URL})}"
    with pytest.raises(NotPermitted):
        citizen.receiving.finish_authorization(elsewhere)
    assert not citizen.internet.to(TOKEN), "the code goes nowhere"


def test_the_server_cannot_be_changed_while_the_holder_signs_in(citizen: Citizen) -> None:
    """Mix-up: between question and answer the metadata name another token endpoint's server."""
    begun(citizen)
    citizen.internet.twist = change(ISSUER, authorization_servers=["https://evil.example"])
    with pytest.raises(OfferRefused):
        citizen.receiving.finish_authorization(back(state=state(citizen), code="secret", iss=URL))
    assert all("secret" not in one.body.decode() for one in citizen.internet.asked)


@pytest.mark.parametrize(
    "members",
    [
        {"authorization_endpoint": None},
        {"code_challenge_methods_supported": ["plain"]},
        {"authorization_endpoint": "http://licences.jincheng.example/a"},
    ],
    ids=range(3),
)
def test_a_server_that_does_not_protect_its_codes(citizen: Citizen, members: dict[str, Any]) -> None:
    citizen.internet.twist = change(SERVER, **members)
    with pytest.raises(OfferRefused):
        begun(citizen)
    assert citizen.contents() == {}


@pytest.mark.parametrize("handle", [None, 7, "", "u" * 3000], ids=range(4))
def test_a_pushed_request_without_a_handle(citizen: Citizen, handle: Any) -> None:
    def twist(asked: Asked, answer: Response) -> Response:
        if asked.path != "/oid4vci/par" or answer.status != 201:
            return answer
        return answered({"expires_in": 5, "request_uri": handle}, status=201)

    citizen.internet.twist = twist
    with pytest.raises(OfferRefused):
        begun(citizen)
    assert citizen.contents() == {}


def test_a_handle_stays_one_parameter(citizen: Citizen) -> None:
    def twist(asked: Asked, answer: Response) -> Response:
        body = {"request_uri": "urn:x&redirect_uri=https://evil.example#", "expires_in": 5}
        return answered(body, status=201) if asked.path == "/oid4vci/par" and answer.status == 201 else answer

    citizen.internet.twist = twist
    url = begun(citizen)
    assert set(query_of(url)) == {"client_id", "request_uri"}
    assert "#" not in url


def test_only_so_many_sign_ins_wait(citizen: Citizen) -> None:
    considered = citizen.receiving.consider(citizen.office.offer(flow=Flow.CODE).by_reference)
    for _ in range(25):
        citizen.receiving.begin_authorization(considered, redirect_uri=REDIRECT)
    assert len(citizen.contents()["sign_ins"]) == 20


def test_a_hostile_refresh_leaves_the_copies(office: IssuingOffice, stranger: Citizen) -> None:
    offer = office.offer()
    (held,) = stranger.receiving.accept(
        stranger.receiving.consider(offer.by_reference), tx_code=offer.tx_code
    )
    copies = stranger.contents()["copies"]
    stranger.internet.twist = deliver(forged(Pki().signer("credential")))
    with pytest.raises(DeliveryRefused):
        stranger.receiving.refresh(held.id)
    stranger.internet.twist = change(ISSUER, credential_issuer="https://other.example")
    with pytest.raises(OfferRefused):
        stranger.receiving.refresh(held.id)
    stranger.internet.twist = lambda _, answer: answer
    after = stranger.contents()
    assert (after["copies"], len(after["keys"])) == (copies, len(copies))
    assert stranger.receiving.refresh(held.id).copies == 10


def test_the_wallet_trusts_whom_it_trusts_at_that_moment(office: IssuingOffice, stranger: Citizen) -> None:
    offer = office.offer()
    nobody = stranger.trusted(trust=TrustStore(()))
    receiving = Receiving(stranger.holder, stranger.outbound, trusted=nobody, clock=office.clock)
    considered = receiving.consider(offer.by_reference)
    assert not considered.is_verified
    with pytest.raises(DeliveryRefused):
        receiving.accept(considered, tx_code=offer.tx_code)
    assert stranger.contents() == {}
