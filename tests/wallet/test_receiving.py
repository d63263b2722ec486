"""A baker's wallet receives licences from the office: every way that an offer can go."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from world.office import URL, WHY
from world.receiving import Citizen, answered
from world.vci import REDIRECT, IssuingOffice, query_of

from credentials import samples
from credentials.licence import EndingKind
from credentials.oid4vci.offers import Flow
from credentials.repository import LicenceRepository
from credentials.sd_jwt import SdJwt
from signing.jose import parse_jws
from wallet.activity import ActivityKind
from wallet.keys import HolderKey
from wallet.receiving import IssuerRefused
from wallet.receiving.proofs import dpop_proof
from yinxin.base.errors import Conflict, NotFound, Unreachable, UsageError
from yinxin.base.randomness import SystemRandomness

if TYPE_CHECKING:
    from world.receiving import Asked

    from wallet.holder import HeldLicence
    from yinxin.base.outbound import Response

TOKEN, CREDENTIAL = "/oid4vci/token", "/oid4vci/credential"
NOTIFICATION = "/oid4vci/notification"


def receive(citizen: Citizen, **options: Any) -> HeldLicence:
    """The whole way with a pre-authorised offer."""
    offer = citizen.office.offer()
    considered = citizen.receiving.consider(offer.by_reference)
    (held,) = citizen.receiving.accept(considered, tx_code=offer.tx_code, **options)
    return held


def events(citizen: Citizen) -> list[str]:
    return [one.json["event"] for one in citizen.internet.to(NOTIFICATION)]


# The counter's offer: a code that was authorised before, and a number that was told apart


@pytest.mark.parametrize("by_value", [False, True], ids=["by reference", "by value"])
def test_a_pre_authorized_offer(office: IssuingOffice, stranger: Citizen, by_value: bool) -> None:  # noqa: FBT001 - a case
    offer = office.offer()
    considered = stranger.receiving.consider(offer.by_value if by_value else offer.by_reference)
    assert considered.issuer == URL
    assert considered.is_verified
    assert considered.needs_tx_code
    assert not considered.needs_sign_in
    assert not stranger.internet.to(TOKEN), "nothing is spent before the yes"
    assert "将领取：食品经营许可证" in considered.consent.zh
    assert "身份已核验" in considered.consent.zh
    assert "You receive: Food" in considered.consent.en
    (held,) = stranger.receiving.accept(considered, tx_code=offer.tx_code)
    assert held.id == office.licence.identifier
    assert (held.copies, held.unused, held.uses) == (5, 5, 0)
    assert held.can_refresh
    assert held.name.zh == "食品经营许可证"
    assert held.issuer == considered.issuer_name
    (entry,) = stranger.holder.activity()
    assert (entry.kind, entry.licence, entry.verified) == (ActivityKind.RECEIVED, held.id, True)
    assert entry.audience == URL
    assert events(stranger) == ["credential_accepted"]


def test_a_link_with_any_scheme_opens_the_same(office: IssuingOffice, stranger: Citizen) -> None:
    query = office.offer().by_reference.partition("?")[2]
    for scheme in ("openid-credential-offer://", "haip-vci://", "https://wallet.jincheng.example/receive"):
        assert stranger.receiving.consider(f"{scheme}?{query}").issuer == URL


def test_an_offer_without_tx_code(office: IssuingOffice, stranger: Citizen) -> None:
    offer = office.offer(with_tx_code=False)
    considered = stranger.receiving.consider(offer.by_reference)
    assert not considered.needs_tx_code
    assert stranger.receiving.accept(considered, tx_code="ignored")


@pytest.mark.parametrize("given", [None, "", "12345", "1234567", "abcdef", "12345\n6", "１２３４５６"])
def test_a_slip_with_the_tx_code_uses_up_no_try(
    office: IssuingOffice, stranger: Citizen, given: str | None
) -> None:
    offer = office.offer()
    considered = stranger.receiving.consider(offer.by_reference)
    with pytest.raises(UsageError):
        stranger.receiving.accept(considered, tx_code=given)
    assert not stranger.internet.to(TOKEN)
    assert stranger.receiving.accept(considered, tx_code=f" {offer.tx_code} ")


def test_a_wrong_tx_code_says_what_to_do_and_can_be_mended(office: IssuingOffice, stranger: Citizen) -> None:
    offer = office.offer()
    considered = stranger.receiving.consider(offer.by_reference)
    with pytest.raises(IssuerRefused) as refused:
        stranger.receiving.accept(considered, tx_code="000000" if offer.tx_code != "000000" else "111111")
    assert refused.value.error == "invalid_grant"
    assert "核对验证码" in refused.value.advice.zh
    assert stranger.holder.licences() == []
    assert stranger.receiving.accept(considered, tx_code=offer.tx_code)


def test_an_offer_can_be_taken_once(office: IssuingOffice, stranger: Citizen) -> None:
    offer = office.offer()
    considered = stranger.receiving.consider(offer.by_reference)
    stranger.receiving.accept(considered, tx_code=offer.tx_code)
    before = stranger.contents()
    with pytest.raises(IssuerRefused):
        stranger.receiving.accept(considered, tx_code=offer.tx_code)
    assert stranger.contents() == before


def test_several_licences_of_one_offer_come_together(office: IssuingOffice, stranger: Citizen) -> None:
    other = office.issuer.issue(
        "food-business-licence",
        {**samples.application("food-business-licence", 2), "credit_code": office.licence.holder_code},
        holder=None,
        actor=office.clerk,
    ).licence
    offer = office.offer(office.licence, other)
    considered = stranger.receiving.consider(offer.by_reference)
    held = stranger.receiving.accept(considered, tx_code=offer.tx_code, copies=2)
    assert {one.id for one in held} == {office.licence.identifier, other.identifier}
    assert [one.copies for one in held] == [2, 2]
    assert len(stranger.contents()["grants"]) == 1
    stranger.holder.remove(other.identifier)
    assert len(stranger.contents()["grants"]) == 1, "the other licence needs it"
    stranger.holder.remove(office.licence.identifier)
    assert stranger.contents()["grants"] == stranger.contents()["copies"] == stranger.contents()["keys"] == {}


# Keys, proofs, tokens


def test_every_copy_has_a_key_and_a_status_of_its_own(stranger: Citizen) -> None:
    held = receive(stranger, copies=4)
    rows = stranger.contents()["copies"].values()
    payloads = [SdJwt.parse(row["credential"]).payload for row in rows]
    assert len({one["cnf"]["jwk"]["x"] for one in payloads}) == len({row["key"] for row in rows}) == 4
    assert len({one["status"]["status_list"]["idx"] for one in payloads}) == held.copies == 4


def test_tokens_are_bound_to_a_key_and_the_nonce_is_learnt_once(stranger: Citizen) -> None:
    receive(stranger)
    tries = stranger.internet.to(TOKEN)
    assert [("nonce" in one.proof) for one in tries] == [False, True]
    (asked,) = stranger.internet.to(CREDENTIAL)
    assert asked.headers["Authorization"].startswith("DPoP ")
    assert {"ath", "nonce", "jti", "htm", "htu", "iat"} <= set(asked.proof)
    assert len({one.proof["jti"] for one in (*tries, asked)}) == 3


def test_an_anonymous_wallet_names_itself_nowhere(stranger: Citizen) -> None:
    receive(stranger)
    assert all("client_id" not in one.form for one in stranger.internet.to(TOKEN))
    assert all("wallet" not in one.headers.get("User-Agent", "") for one in stranger.internet.asked)


def test_a_nonce_that_ran_out_is_fetched_anew(office: IssuingOffice, stranger: Citizen) -> None:
    seen: list[str] = []

    def slow(asked: Asked, answer: Response) -> Response:
        if asked.path == "/oid4vci/nonce" and not seen:
            seen.append(asked.path)
            office.clock.advance(timedelta(minutes=4))  # the access token still lives
            office.clock.advance(timedelta(minutes=0, seconds=50))
            return answered({"c_nonce": "out-of-date"})
        return answer

    stranger.internet.twist = slow
    assert receive(stranger).copies == 5
    assert len(stranger.internet.to("/oid4vci/nonce")) == 2


def test_where_the_server_has_no_dpop_a_bearer_token_does(office: IssuingOffice, stranger: Citizen) -> None:
    def old(asked: Asked, answer: Response) -> Response:
        if asked.path.startswith("/.well-known/oauth"):
            document = json.loads(answer.body)
            del document["dpop_signing_alg_values_supported"]
            return answered(document)
        return answer

    stranger.internet.twist = old
    held = receive(stranger)
    assert not held.can_refresh, "the office gives no refresh token to a bearer"
    (asked,) = stranger.internet.to(CREDENTIAL)
    assert asked.headers["Authorization"].startswith("Bearer ")
    assert "DPoP" not in asked.headers


def test_the_issuer_may_give_fewer_copies(stranger: Citizen) -> None:
    def fewer(asked: Asked, answer: Response) -> Response:
        if asked.path != CREDENTIAL or answer.status != 200:
            return answer
        document = json.loads(answer.body)
        return answered({**document, "credentials": document["credentials"][:2]})

    stranger.internet.twist = fewer
    assert receive(stranger).copies == 2
    assert len(stranger.contents()["keys"]) == 2


# Signing in at the issuer: PAR, PKCE, DPoP, state, iss


def signed_in(citizen: Citizen, url: str, **changes: str) -> str:
    """What the browser brings back after the holder agreed on the issuer's page."""
    office = citizen.office
    code = office.server.login_codes.hand_out(office.holder_of(office.licence), actor=office.clerk)
    asked = query_of(url)
    form = {**asked, "login_code": code, "decision": "approve", **changes}
    answer = office.client.post("/oid4vci/authorize", data=form)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def test_the_code_flow(office: IssuingOffice, citizen: Citizen) -> None:
    offer = office.offer(flow=Flow.CODE)
    considered = citizen.receiving.consider(offer.by_reference)
    assert considered.needs_sign_in
    with pytest.raises(UsageError):
        citizen.receiving.accept(considered)
    url = citizen.receiving.begin_authorization(considered, redirect_uri=REDIRECT)
    assert set(query_of(url)) == {"client_id", "request_uri"}
    pushed = citizen.internet.to("/oid4vci/par")[-1]
    assert pushed.form["code_challenge_method"] == "S256"
    assert pushed.form["issuer_state"]
    assert json.loads(pushed.form["authorization_details"])[0]["type"] == "openid_credential"
    assert "DPoP" in pushed.headers
    (held,) = citizen.receiving.finish_authorization(signed_in(citizen, url))
    assert held.id == office.licence.identifier
    (asked,) = citizen.internet.to(CREDENTIAL)
    assert asked.json["credential_identifier"] == held.id, "8.2: the token response named identifiers"
    assert citizen.contents()["sign_ins"] == {}
    citizen.holder.begin_refresh(held.id)


def test_the_code_flow_without_an_offer(office: IssuingOffice, citizen: Citizen) -> None:
    url = citizen.receiving.begin_authorization(URL, ["food-business-licence"], redirect_uri=REDIRECT)
    (held,) = citizen.receiving.finish_authorization(signed_in(citizen, url))
    assert held.id == office.licence.identifier


def test_by_scope_where_the_server_has_no_details(citizen: Citizen) -> None:
    def old(asked: Asked, answer: Response) -> Response:
        if asked.path.startswith("/.well-known/oauth"):
            document = json.loads(answer.body)
            del document["authorization_details_types_supported"]
            return answered(document)
        return answer

    citizen.internet.twist = old
    url = citizen.receiving.begin_authorization(URL, ["food-business-licence"], redirect_uri=REDIRECT)
    assert citizen.internet.to("/oid4vci/par")[-1].form["scope"] == "food-business-licence"
    assert citizen.receiving.finish_authorization(signed_in(citizen, url))
    (asked,) = citizen.internet.to(CREDENTIAL)
    assert asked.json["credential_configuration_id"] == "food-business-licence"


def test_a_sign_in_needs_a_name_and_a_way_back(stranger: Citizen, citizen: Citizen) -> None:
    with pytest.raises(UsageError):
        stranger.receiving.begin_authorization(URL, ["food-business-licence"], redirect_uri=REDIRECT)
    for wrong in ("", "https://a.example/cb?x=1", "https://a.example/#f", "https://a.example/ b", "ü://x"):
        with pytest.raises(UsageError):
            citizen.receiving.begin_authorization(URL, ["food-business-licence"], redirect_uri=wrong)
    with pytest.raises(UsageError):
        citizen.receiving.begin_authorization(URL, redirect_uri=REDIRECT)


def test_the_holder_who_refuses_there_receives_nothing(citizen: Citizen) -> None:
    url = citizen.receiving.begin_authorization(URL, ["food-business-licence"], redirect_uri=REDIRECT)
    with pytest.raises(IssuerRefused) as refused:
        citizen.receiving.finish_authorization(signed_in(citizen, url, decision="refuse"))
    assert refused.value.error == "access_denied"
    assert citizen.holder.licences() == []


def test_a_sign_in_that_took_too_long(office: IssuingOffice, citizen: Citizen) -> None:
    url = citizen.receiving.begin_authorization(URL, ["food-business-licence"], redirect_uri=REDIRECT)
    back = signed_in(citizen, url)
    office.clock.advance(timedelta(minutes=31))
    with pytest.raises(NotFound):
        citizen.receiving.finish_authorization(back)


# New copies


def test_new_copies_come_and_used_ones_go(office: IssuingOffice, stranger: Citizen) -> None:
    held = receive(stranger, copies=2)
    first = stranger.contents()["grants"]
    for _ in range(2):
        stranger.holder.present(held.id, disclose=["operator_name"], audience="a", nonce="n")
    assert stranger.holder.licence(held.id).unused == 0
    office.clock.advance(timedelta(hours=1))
    fresh = stranger.receiving.refresh(held.id, copies=3)
    assert (fresh.copies, fresh.unused, fresh.uses) == (3, 3, 0)
    second = stranger.contents()["grants"]
    assert set(first) == set(second)
    (name,) = first
    assert first[name]["refresh_token"] != second[name]["refresh_token"], "it was rotated"
    assert "busy_until" not in second[name]
    assert len(stranger.contents()["keys"]) == 3
    assert stranger.receiving.refresh(held.id).unused == 8
    kinds = [one.kind for one in stranger.holder.activity()]
    assert kinds.count(ActivityKind.REFRESHED) == 2


def test_the_refresh_token_lies_on_the_disk_encrypted(stranger: Citizen) -> None:
    receive(stranger)
    (grant,) = stranger.contents()["grants"].values()
    data = b"".join(path.read_bytes() for path in stranger.directory.iterdir())
    assert grant["refresh_token"].encode() not in data
    assert grant["refresh_token"] not in repr(stranger.holder.begin_refresh(stranger.holder.licences()[0].id))


def test_two_programs_do_not_spend_one_token_twice(stranger: Citizen) -> None:
    held = receive(stranger)
    stranger.holder.begin_refresh(held.id)
    with pytest.raises(Conflict):
        stranger.receiving.refresh(held.id)
    stranger.office.clock.advance(timedelta(minutes=6))  # the other one was killed
    assert stranger.receiving.refresh(held.id)


def test_a_licence_that_was_handed_in_has_no_way_to_new_copies(
    office: IssuingOffice, stranger: Citizen
) -> None:
    made = office.issuer.issue(
        "food-business-licence",
        samples.application("food-business-licence", 3),
        holder=stranger.holder.new_key(),
        actor=office.clerk,
    )
    held = stranger.holder.receive(made.credential or "")
    assert not held.can_refresh
    with pytest.raises(NotFound):
        stranger.receiving.refresh(held.id)
    with pytest.raises(NotFound):
        stranger.receiving.refresh("no such licence")


def test_a_replaced_licence_comes_as_its_next_version(office: IssuingOffice, stranger: Citizen) -> None:
    held = receive(stranger)
    claims = samples.application("food-business-licence", 1)
    made = office.issuer.replace(held.id, claims, holder=None, actor=office.clerk, **WHY)
    fresh = stranger.receiving.refresh(held.id)
    assert fresh.id == made.licence.identifier != held.id
    assert {one.id for one in stranger.holder.licences()} == {held.id, fresh.id}
    old = stranger.holder.licence(held.id)
    assert (old.replaced_by, old.can_refresh, fresh.can_refresh) == (fresh.id, False, True)
    with pytest.raises(Conflict, match="newer version"):
        stranger.holder.present(held.id, disclose=["operator_name"], audience="a", nonce="n")
    assert stranger.holder.present(fresh.id, disclose=["operator_name"], audience="a", nonce="n")


def test_a_wallet_swaps_what_its_issuer_superseded(office: IssuingOffice, stranger: Citizen) -> None:
    """The status list tells it, and its refresh brings the next version; the office marks the old copies."""
    held = receive(stranger, copies=2)
    assert stranger.receiving.swap() == []
    claims = {**samples.application("food-business-licence", 1), "business_premises": "新华路 9 号"}
    made = office.issuer.correct(held.id, claims, actor=office.clerk, **WHY).licence
    office.clock.advance(timedelta(minutes=2))
    (fresh,) = stranger.receiving.swap()
    assert (fresh.id, fresh.claims["business_premises"]) == (made.identifier, "新华路 9 号")
    assert stranger.receiving.swap() == [], "what is replaced is not asked for again"
    with office.database.reading() as session:
        copies = LicenceRepository(session)
        assert [one.retired_by for one in copies.copies(held.id)] == ["superseded"] * 2
        assert [one.retired_by for one in copies.copies(made.identifier)] == [None] * 5


def test_after_an_undone_ending_new_copies_come_with_new_indexes(
    office: IssuingOffice, stranger: Citizen
) -> None:
    held = receive(stranger, copies=2)
    office.issuer.end(held.id, EndingKind.REVOKED, actor=office.clerk, **WHY)
    office.clock.advance(timedelta(minutes=2))
    assert stranger.receiving.swap() == [], "it ended, and the wallet keeps what it has"
    office.issuer.undo(held.id, 1, actor=office.clerk, **WHY)
    office.clock.advance(timedelta(minutes=2))
    (fresh,) = stranger.receiving.swap()
    assert (fresh.id, fresh.copies, fresh.unused) == (held.id, 5, 5), "the old copies went"
    report = stranger.holder.report(fresh.id, stranger.trusted())
    assert report.passed
    with office.database.reading() as session:
        copies = LicenceRepository(session).copies(held.id)
    assert len({(one.status_uri, one.status_index) for one in copies}) == 7, "no index is given twice"


def test_of_a_merged_licence_the_one_that_took_its_place_comes(
    office: IssuingOffice, stranger: Citizen
) -> None:
    held = receive(stranger)
    claims = samples.application("food-business-licence", 1)
    other = office.issuer.issue("food-business-licence", claims, holder=None, actor=office.clerk).licence
    made = office.issuer.merge([held.id, other.identifier], claims, actor=office.clerk, **WHY).licence
    office.clock.advance(timedelta(minutes=2))
    (fresh,) = stranger.receiving.swap()
    assert fresh.id == made.identifier


def test_of_a_licence_that_ended_no_copies_come(office: IssuingOffice, stranger: Citizen) -> None:
    held = receive(stranger)
    before = stranger.contents()
    office.issuer.end(held.id, EndingKind.REVOKED, effective_from=office.now, actor=office.clerk, **WHY)
    with pytest.raises(IssuerRefused) as refused:
        stranger.receiving.refresh(held.id)
    assert refused.value.error == "credential_request_denied"
    after = stranger.contents()
    assert after["copies"] == before["copies"]
    assert after["grants"] != before["grants"], "the rotated token is kept"


def test_no_copy_for_nothing(office: IssuingOffice, stranger: Citizen) -> None:
    offer = office.offer(with_tx_code=False)
    considered = stranger.receiving.consider(offer.by_reference)
    with pytest.raises(UsageError):
        stranger.receiving.accept(considered, copies=0)
    assert stranger.receiving.accept(considered), "the code was not spent on it"


def test_of_several_licences_those_come_that_are_not_denied(office: IssuingOffice, stranger: Citizen) -> None:
    other = office.issuer.issue(
        "food-business-licence",
        {**samples.application("food-business-licence", 2), "credit_code": office.licence.holder_code},
        holder=None,
        actor=office.clerk,
    ).licence
    offer = office.offer(office.licence, other, with_tx_code=False)
    considered = stranger.receiving.consider(offer.by_reference)
    office.issuer.end(
        other.identifier, EndingKind.REVOKED, effective_from=office.now, actor=office.clerk, **WHY
    )
    (held,) = stranger.receiving.accept(considered)
    assert held.id == office.licence.identifier


def test_names_of_claims_come_from_the_issuer(stranger: Citizen) -> None:
    held = receive(stranger)
    assert stranger.holder.labels(held.id)["credit_code"].zh == "统一社会信用代码"
    assert [one.id for one in stranger.holder.licences("食品经营")] == [held.id]


def test_a_delivery_that_broke_off_is_asked_for_once_more(stranger: Citizen) -> None:
    broken: list[str] = []

    def twist(asked: Asked, answer: Response) -> Response:
        if asked.path == CREDENTIAL and not broken:
            broken.append(asked.path)
            raise Unreachable("the connection broke off")
        return answer

    stranger.internet.twist = twist
    assert receive(stranger).copies == 5


def test_a_proof_names_the_address_without_its_query() -> None:
    """RFC 9449, 4.2."""
    key, url = HolderKey.generate(), "https://issuer.example/token"
    at = datetime(2026, 11, 20, tzinfo=UTC)
    text = dpop_proof(key, url=f"{url}?tenant=1", now=at, randomness=SystemRandomness())
    token = parse_jws(text)
    assert token.claims()["htu"] == url
    assert token.header["jwk"] == key.public_key.to_jwk()
    assert token.verify(key.public_key, algorithms={"ES256"})
