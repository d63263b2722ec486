"""What a verifier makes of a response: the OpenID Foundation's verifier modules, and attackers' ideas."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world.requests import AskingCounter, dcql

from credentials import key_binding
from credentials.dcql import Query
from credentials.oid4vp.presentations import examine, settle, verify_response
from credentials.oid4vp.responses import Response, answer, decline, read_response, read_vp_token
from credentials.oid4vp.transactions import (
    ALGORITHM_CLAIM,
    DOCUMENT_TYPE,
    HASHES_CLAIM,
    MATTER_TYPE,
    TransactionData,
    binding_claims,
    read_binding,
)
from credentials.oid4vp.vocabulary import MAX_RESPONSE_CHARACTERS, ErrorCode, ResponseMode
from signing.base64url import encode_base64url
from signing.jose import dump_json
from signing.jwe import DecryptionKey, encrypt
from signing.reasons import Reason
from signing.signers.file import FileSigner
from yinxin.base.errors import MalformedInput, TooLarge, UsageError, YinxinError
from yinxin.base.text import Text

if TYPE_CHECKING:
    from world.pki import Pki

    from credentials.oid4vp.requests import AuthorizationRequest

PLAIN = ResponseMode.DIRECT_POST


@pytest.fixture(scope="module")
def counter(pki: Pki) -> AskingCounter:
    return AskingCounter(pki)


def shown(counter: AskingCounter, request: AuthorizationRequest, *disclose: str, **changes: Any) -> str:
    """The baker's presentation for this request."""
    credential = changes.pop("credential", None) or counter.issue()
    asked = {"audience": str(request.client_id), "nonce": request.nonce}
    return counter.present(credential, disclose or ("name",), **{**asked, **changes})


def judge(
    counter: AskingCounter, request: AuthorizationRequest, *texts: str, name: str = "licence"
) -> tuple[set[Reason], bool]:
    """Every reason there is, and whether the response is what was asked for."""
    response = Response({name: texts})
    check, found = verify_response(request, response, counter.counter(), now=counter.clock.now())
    reasons = {reason for item, report in found for reason in report.reasons}
    reasons |= {one.reason for item, _ in found for one in item.checks if one.reason}
    return reasons, check.reason is None


# happy-flow, minimal-cnf-jwk


@pytest.mark.parametrize("mode", list(ResponseMode))
def test_a_response_travels_and_is_verified(counter: AskingCounter, mode: ResponseMode) -> None:
    request = counter.request(response_mode=mode)
    form = answer(request, {"licence": [shown(counter, request)]})
    assert set(form) == ({"vp_token", "state"} if mode is PLAIN else {"response"})
    response = read_response(form, request, key=counter.key)
    check, ((item, report),) = verify_response(request, response, counter.counter(), now=counter.clock.now())
    assert check.reason is None
    assert not [one for one in item.checks if one.reason]
    assert report.require().claims["name"] == "津城小麦面包坊"


# invalid-kb-jwt-signature, -credential-signature, -sd-hash, -kb-jwt-nonce, -kb-jwt-aud, -iat-in-past, -future


def test_each_way_to_be_wrong_has_its_reason(counter: AskingCounter) -> None:
    request, thief = counter.request(), FileSigner.generate()
    good = shown(counter, request)
    other_holder = key_binding.present(
        counter.issue(holder_key=thief.public_key),
        disclose=["name"],
        holder=thief,
        audience=str(request.client_id),
        nonce=request.nonce,
        at=counter.clock.now(),
    )
    head, _, stolen = other_holder.rpartition("~")
    assert head
    credential, _, binding = good.rpartition("~")
    jwt, *disclosures = credential.split("~")
    cases: dict[str, Reason] = {
        f"{credential}~{stolen}": Reason.KEY_BINDING_INVALID,
        f"{credential}~": Reason.KEY_BINDING_MISSING,
        "~".join([jwt[:-8] + "AAAAAAAA", *disclosures, binding]): Reason.SIG_CRYPTO_FAILURE,
        shown(counter, request, nonce="another"): Reason.WRONG_NONCE,
        shown(counter, request, audience="x509_hash:another"): Reason.WRONG_AUDIENCE,
        shown(counter, request, audience=request.client_id.name): Reason.WRONG_AUDIENCE,  # without its prefix
        shown(counter, request, at=counter.clock.now() - timedelta(days=1)): Reason.KEY_BINDING_STALE,
        shown(counter, request, at=counter.clock.now() + timedelta(days=1)): Reason.KEY_BINDING_STALE,
        f"{jwt}~{binding}": Reason.KEY_BINDING_INVALID,  # a disclosure taken away: sd_hash
    }
    for text, reason in cases.items():
        reasons, whole = judge(counter, request, text)
        assert reason in reasons, reason
        assert not whole


def test_the_query_is_looked_at_again(counter: AskingCounter) -> None:
    """14.11: what a wallet says that it matched is no proof."""
    request = counter.request(dcql("name", "credit_code"))
    assert judge(counter, request, shown(counter, request)) == ({Reason.QUERY_NOT_SATISFIED}, False)
    assert judge(counter, request, shown(counter, request, "name", "credit_code")) == (set(), True)
    assert judge(counter, request, shown(counter, request, "name", "credit_code", "address")) == (set(), True)
    values = dcql(claims=[{"path": ["name"], "values": ["别家"]}])
    request = counter.request(values)
    assert judge(counter, request, shown(counter, request)) == ({Reason.QUERY_NOT_SATISFIED}, False)
    request = counter.request(dcql("name", meta={"vct_values": ["urn:other"]}))
    assert judge(counter, request, shown(counter, request)) == ({Reason.QUERY_NOT_SATISFIED}, False)
    request = counter.request(dcql("name", trusted_authorities=[{"type": "aki", "values": ["AAAA"]}]))
    assert judge(counter, request, shown(counter, request)) == ({Reason.QUERY_NOT_SATISFIED}, False)


def test_a_second_choice_is_as_good(counter: AskingCounter) -> None:
    claims = [{"id": "a", "path": ["name"]}, {"id": "b", "path": ["credit_code"]}]
    request = counter.request(dcql(claims=claims, claim_sets=[["a", "b"], ["b"]]))
    assert judge(counter, request, shown(counter, request, "credit_code")) == (set(), True)
    assert judge(counter, request, shown(counter, request, "name")) == ({Reason.QUERY_NOT_SATISFIED}, False)


def test_one_bad_presentation_is_dropped_and_the_rest_must_do(counter: AskingCounter) -> None:
    """8.6: of alternatives one that passes is enough; of two that are needed it is not."""
    first, second = dcql("name")["credentials"][0], {**dcql("name")["credentials"][0], "id": "other"}
    either = {"credentials": [first, second], "credential_sets": [{"options": [["licence"], ["other"]]}]}
    for query, whole in ((either, True), ({"credentials": [first, second]}, False)):
        request = counter.request(query)
        texts = {"licence": (shown(counter, request),), "other": (shown(counter, request, nonce="x"),)}
        check, _ = verify_response(request, Response(texts), counter.counter(), now=counter.clock.now())
        assert (check.reason is None) is whole


@pytest.mark.parametrize(
    ("other", "whole"),
    [
        ({"name": "别家"}, False),
        ({"exp": 1_900_000_000, "credit_code": "91120101MA5K3WXY0T"}, True),
        ({"licence_identifier": "another", "name": "别家"}, True),
    ],
    ids=["another name", "another end, and what is not shown", "another licence"],
)
def test_copies_of_one_licence_say_the_same(
    counter: AskingCounter, other: dict[str, Any], *, whole: bool
) -> None:
    """Each is genuine by itself; together they would let somebody choose what they say."""
    first = dcql("name")["credentials"][0]
    request = counter.request({"credentials": [first, {**first, "id": "other"}]})
    named = {**counter.licence(), "licence_identifier": "one"}
    texts = {
        name: (shown(counter, request, credential=counter.issue(claims)),)
        for name, claims in (("licence", named), ("other", {**named, **other}))
    }
    check, found = verify_response(request, Response(texts), counter.counter(), now=counter.clock.now())
    assert all(report.passed for _, report in found)
    assert (check.reason is None) is whole


def test_several_of_a_kind_when_asked_for(counter: AskingCounter) -> None:
    request = counter.request(dcql("name", multiple=True))
    texts = [shown(counter, request) for _ in range(2)]
    response = read_response(answer(request, {"licence": texts}), request, key=counter.key)
    assert settle(request, examine(request, response)).reason is None
    single = replace(request, query=Query.parse(dcql("name")))
    with pytest.raises(MalformedInput):
        read_response(answer(request, {"licence": texts}), single, key=counter.key)


def test_a_credential_bound_to_nobody(counter: AskingCounter) -> None:
    request = counter.request(dcql(require_cryptographic_holder_binding=False))
    loose = counter.issue(holder_key=None, disclosable=())
    assert judge(counter, request, loose) == (set(), True)
    bound = counter.request(dcql())
    reasons, whole = judge(counter, bound, loose)
    assert Reason.KEY_BINDING_MISSING in reasons
    assert not whole


# The form


def test_a_response_of_another_session_or_mode_is_refused(counter: AskingCounter) -> None:
    request = counter.request()
    plain = replace(request, response_mode=PLAIN, encryption=None)
    token = {"licence": [shown(counter, request)]}
    text = dump_json(token).decode()
    good = answer(request, token)["response"]
    other_state = replace(request, state="other")
    other_key = DecryptionKey.generate()
    body = dump_json({"vp_token": token, "state": request.state})
    bad: list[tuple[dict[str, str], Any]] = [
        ({"vp_token": text, "state": "s" * 22}, request),  # cleartext where encryption was asked for
        ({"response": good, "vp_token": text}, request),
        ({"response": good, "state": "other"}, request),
        ({"response": good, "error": "access_denied", "state": "s" * 22}, request),
        ({"response": good}, other_state),  # answered elsewhere: state inside
        ({"response": good}, plain),
        ({"response": encrypt(body, other_key.to_jwk(), encryption="A128GCM")}, request),
        ({"response": encrypt(b"[]", counter.key.to_jwk(), encryption="A128GCM")}, request),
        ({"response": encrypt(b"{}", counter.key.to_jwk(), encryption="A128GCM")}, request),
        ({"response": text}, request),
        ({}, request),
        ({"vp_token": text}, plain),  # no state
        ({"vp_token": text, "state": "other"}, plain),
        ({"vp_token": text, "state": "é"}, plain),
        ({"vp_token": "[]", "state": "s" * 22}, plain),
        ({"vp_token": '{"licence":["a"],"licence":["b"]}', "state": "s" * 22}, plain),  # duplicate names
        ({"error": "access_denied"}, request),
        ({"error": "access_denied", "state": "other"}, request),
    ]
    for form, asked in bad:
        with pytest.raises(MalformedInput):
            read_response(form, asked, key=counter.key)
    assert read_response({"response": good, "state": "s" * 22}, request, key=counter.key)
    with pytest.raises(TooLarge):
        read_response({"vp_token": "x" * (MAX_RESPONSE_CHARACTERS + 1)}, plain, key=None)
    with pytest.raises(MalformedInput):
        read_response({"response": good}, request, key=None)


@pytest.mark.parametrize(
    "token",
    [
        None,
        [],
        {},
        {"other": ["a"]},
        {"licence": []},
        {"licence": "a"},
        {"licence": [7]},
        {"licence": [{"a": 1}]},
        {"licence": ["a", "b"]},
        {"licence": ["a"], "other": ["a"]},
    ],
)
def test_a_token_of_another_shape_is_refused(token: Any) -> None:
    with pytest.raises(MalformedInput):
        read_vp_token(token, Query.parse(dcql("name")))


def test_presentations_are_counted_and_never_the_same_twice() -> None:
    query = Query.parse(dcql("name", multiple=True))
    with pytest.raises(TooLarge):
        read_vp_token({"licence": [str(number) for number in range(17)]}, query)
    with pytest.raises(MalformedInput):
        read_vp_token({"licence": ["a", "a"]}, query)


def test_a_wallet_may_say_no(counter: AskingCounter) -> None:
    request = counter.request()
    said = read_response(decline(request, ErrorCode.ACCESS_DENIED), request, key=counter.key)
    assert said == Response({}, "access_denied")
    body = dump_json({"error": "something_else", "state": request.state})
    sealed = {"response": encrypt(body, counter.key.to_jwk(), encryption="A256GCM")}
    assert read_response(sealed, request, key=counter.key).error == "access_denied"
    stateless = replace(request, state=None)
    assert decline(stateless, ErrorCode.WALLET_UNAVAILABLE) == {"error": "wallet_unavailable"}
    with pytest.raises(UsageError):
        answer(replace(request, encryption=None), {"licence": ["x"]})


# Transactions


def transaction(matter: str = "440103001000", *ids: str) -> TransactionData:
    text = Text("提交申请", "I apply")
    return TransactionData.make(
        MATTER_TYPE, text, credential_ids=ids or ("licence",), details={"matter": matter}
    )


def test_what_the_holder_agreed_to_is_looked_at(counter: AskingCounter) -> None:
    one, other = transaction(), transaction("another")
    request = counter.request(transactions=(one,))
    wrong = Reason.TRANSACTION_DATA_MISMATCH

    def says(agreed: dict[str, Any]) -> tuple[set[Reason], bool]:
        return judge(counter, request, shown(counter, request, agreed=agreed))

    assert says(binding_claims((one,))) == (set(), True)
    assert says({**binding_claims((one,)), ALGORITHM_CLAIM: "sha-256"}) == (set(), True)
    for agreed in (
        {},
        binding_claims((other,)),
        binding_claims((one, other)),
        {HASHES_CLAIM: []},
        {HASHES_CLAIM: one.hash},
        {HASHES_CLAIM: [one.hash, one.hash]},
        {HASHES_CLAIM: [7]},
        {**binding_claims((one,)), ALGORITHM_CLAIM: "sha-1"},  # weak-hash
    ):
        assert says(agreed) == ({wrong}, False), agreed


def test_a_transaction_is_agreed_to_once(counter: AskingCounter) -> None:
    first = dcql("name")["credentials"][0]
    one = transaction("1", "licence", "other")
    query = {"credentials": [first, {**first, "id": "other"}]}
    request = counter.request(query, transactions=(one,))

    def whole(licence: dict[str, Any], other: dict[str, Any]) -> bool:
        texts = {
            "licence": (shown(counter, request, agreed=licence),),
            "other": (shown(counter, request, agreed=other),),
        }
        check, _ = verify_response(request, Response(texts), counter.counter(), now=counter.clock.now())
        return check.reason is None

    agreed = binding_claims((one,))
    assert whole(agreed, {})
    assert whole({}, agreed)
    assert not whole(agreed, agreed)
    assert not whole({}, {})


def test_a_document_is_named_by_its_digest() -> None:
    details = {"digest": "ab" * 32, "name": "申请书.pdf"}
    made = TransactionData.make(DOCUMENT_TYPE, Text("签署", "Sign"), credential_ids=("a",), details=details)
    assert made.details == details
    assert binding_claims(()) == {}
    stated = TransactionData.parse(
        encode_base64url(
            dump_json(
                {
                    "type": DOCUMENT_TYPE,
                    "credential_ids": ["a"],
                    "statement": {"zh": "a", "en": "b"},
                    "transaction_data_hashes_alg": ["sha-512", "sha-256"],
                    **details,
                }
            )
        )
    )
    assert binding_claims((stated,))[ALGORITHM_CLAIM] == "sha-256"


@given(st.text() | st.binary().map(encode_base64url))
def test_any_transaction_is_read_or_malformed(text: str) -> None:
    with pytest.raises(YinxinError):
        TransactionData.parse(text)


@given(st.dictionaries(st.sampled_from([HASHES_CLAIM, ALGORITHM_CLAIM]), st.text() | st.lists(st.text())))
def test_any_binding_is_read_or_malformed(claims: dict[str, Any]) -> None:
    with suppress(MalformedInput):
        assert all(isinstance(one, str) for one in read_binding(claims))


FORMS = st.dictionaries(st.sampled_from(["response", "vp_token", "state", "error"]), st.text(max_size=40))


@given(form=FORMS)
def test_any_form_is_a_response_or_malformed(counter: AskingCounter, form: dict[str, str]) -> None:
    for request in (counter.request(), counter.request(response_mode=PLAIN)):
        try:
            read_response(form, request, key=counter.key)
        except MalformedInput:
            continue


@given(
    text=st.text(max_size=60) | st.builds("{}~{}~".format, st.text("eyJ.A", max_size=20), st.text(max_size=9))
)
def test_any_presentation_is_examined(counter: AskingCounter, text: str) -> None:
    (item,) = examine(counter.request(), Response({"licence": (text,)}))
    assert item.checks[0].reason is Reason.QUERY_NOT_SATISFIED
