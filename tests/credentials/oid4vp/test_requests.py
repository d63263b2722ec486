"""What a wallet makes of a request: the OpenID Foundation's wallet modules, and attackers' ideas."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st
from world.pki import Pki
from world.requests import ABOUT, HOST, RESPONSE_URI, AskingCounter, dcql

from credentials.oid4vp.client_ids import ClientId, Prefix, dns_names
from credentials.oid4vp.refusal import RequestRefused
from credentials.oid4vp.request_objects import RequestReader
from credentials.oid4vp.requests import AuthorizationRequest, check_url
from credentials.oid4vp.transactions import MATTER_TYPE, TransactionData
from credentials.oid4vp.vocabulary import ErrorCode, ResponseMode
from signing.base64url import encode_base64url
from signing.jose import dump_json
from signing.jwe import DecryptionKey
from signing.signers.file import FileSigner
from signing.trust import TrustStore
from yinxin.base.errors import MalformedInput
from yinxin.base.text import Text


@pytest.fixture(scope="module")
def counter(pki: Pki) -> AskingCounter:
    return AskingCounter(pki)


def refusal(counter: AskingCounter, text: str, **changes: Any) -> ErrorCode:
    with pytest.raises(RequestRefused) as refused:
        counter.read(text, **changes)
    return refused.value.error


def transaction(**changes: Any) -> str:
    body = {
        "type": MATTER_TYPE,
        "credential_ids": ["licence"],
        "statement": {"zh": "提交申请", "en": "I apply"},
        "matter": "440103001000",
    }
    return encode_base64url(dump_json({k: v for k, v in {**body, **changes}.items() if v is not None}))


# happy-flow, alternate-happy-flow, request-uri-method-post


@pytest.mark.parametrize("mode", list(ResponseMode))
def test_a_request_in_order_is_read_as_it_was_written(counter: AskingCounter, mode: ResponseMode) -> None:
    asked = counter.request(response_mode=mode)
    found = counter.read(counter.sign(asked))
    assert found.request == asked
    assert found.certificate == counter.asker.certificate
    assert found.expires_at == counter.clock.now() + timedelta(seconds=120)


def test_a_verifier_named_by_its_host(counter: AskingCounter) -> None:
    name = ClientId(Prefix.SAN_DNS, HOST)
    found = counter.read(counter.sign(counter.request(client_id=name)), client_id=str(name))
    assert found.request.client_id == name


def test_a_request_is_bound_to_the_nonce_that_the_wallet_sent(counter: AskingCounter) -> None:
    text = counter.sign(wallet_nonce="w1")
    assert counter.read(text, wallet_nonce="w1")
    assert (
        refusal(counter, text, wallet_nonce="w2") is ErrorCode.INVALID_REQUEST
    )  # reject-wallet-nonce-mismatch
    assert refusal(counter, counter.sign(), wallet_nonce="w1") is ErrorCode.INVALID_REQUEST


# ignores-unusable-encryption-key, weak-curve


def test_keys_that_cannot_be_used_are_ignored(counter: AskingCounter) -> None:
    good = counter.key.to_jwk()
    p384 = {**FileSigner.generate("P-384").public_key.to_jwk(), "kid": "1", "alg": "ECDH-ES", "use": "enc"}
    weak = {**good, "crv": "P-192", "kid": "2"}
    metadata = {"jwks": {"keys": [7, {}, p384, weak, {**good, "alg": "RSA-OAEP"}, good]}}
    found = counter.read(counter.sign(claims={"client_metadata": metadata}))
    assert found.request.encryption
    assert found.request.encryption.keys == (good,)
    assert found.request.encryption.encryptions == ("A128GCM",)  # what counts when nothing is said
    for bad in ([p384], [weak], [], [{**good, "y": good["x"]}]):
        text = counter.sign(claims={"client_metadata": {"jwks": {"keys": bad}}})
        assert refusal(counter, text) is ErrorCode.INVALID_REQUEST
    weak_content = {**metadata, "encrypted_response_enc_values_supported": ["A128CBC-HS256"]}
    assert (
        refusal(counter, counter.sign(claims={"client_metadata": weak_content})) is ErrorCode.INVALID_REQUEST
    )


# the negative modules, and their neighbours

WRONG: list[tuple[dict[str, Any], ErrorCode]] = [
    ({"nonce": None}, ErrorCode.INVALID_REQUEST),
    ({"nonce": ""}, ErrorCode.INVALID_REQUEST),
    ({"nonce": "with space"}, ErrorCode.INVALID_REQUEST),
    ({"nonce": "n\n"}, ErrorCode.INVALID_REQUEST),
    ({"nonce": 7}, ErrorCode.INVALID_REQUEST),
    ({"client_id": "x509_hash:other"}, ErrorCode.INVALID_CLIENT),
    ({"client_id": None}, ErrorCode.INVALID_CLIENT),
    ({"redirect_uri": "https://verify.jincheng.example/"}, ErrorCode.INVALID_REQUEST),
    ({"response_uri": None}, ErrorCode.INVALID_REQUEST),
    ({"response_uri": "http://verify.jincheng.example/r"}, ErrorCode.INVALID_REQUEST),
    ({"response_uri": "https://user@verify.jincheng.example/r"}, ErrorCode.INVALID_REQUEST),
    ({"response_uri": "https://verify.jincheng.example/r#f"}, ErrorCode.INVALID_REQUEST),
    ({"response_uri": "javascript:alert(1)"}, ErrorCode.INVALID_REQUEST),
    ({"response_uri": ["https://verify.jincheng.example/r"]}, ErrorCode.INVALID_REQUEST),
    ({"response_type": "code"}, ErrorCode.INVALID_REQUEST),
    ({"response_type": "vp_token id_token"}, ErrorCode.INVALID_REQUEST),
    ({"response_mode": None}, ErrorCode.INVALID_REQUEST),
    ({"response_mode": "fragment"}, ErrorCode.INVALID_REQUEST),
    (
        {"response_mode": "dc_api.jwt", "expected_origins": ["https://evil.example"]},
        ErrorCode.INVALID_REQUEST,
    ),
    ({"dcql_query": None}, ErrorCode.INVALID_REQUEST),
    ({"dcql_query": "{}"}, ErrorCode.INVALID_REQUEST),
    ({"dcql_query": None, "scope": "licence"}, ErrorCode.INVALID_SCOPE),
    ({"scope": "licence"}, ErrorCode.INVALID_REQUEST),
    ({"client_metadata": None}, ErrorCode.INVALID_REQUEST),  # encrypted, and no key to encrypt to
    ({"client_metadata": []}, ErrorCode.INVALID_REQUEST),
    ({"client_metadata": {"vp_formats_supported": {"mso_mdoc": {}}}}, ErrorCode.VP_FORMATS_NOT_SUPPORTED),
    ({"state": 7}, ErrorCode.INVALID_REQUEST),
    ({"verifier_info": {}}, ErrorCode.INVALID_REQUEST),
    ({"transaction_data": []}, ErrorCode.INVALID_TRANSACTION_DATA),
    ({"transaction_data": "x"}, ErrorCode.INVALID_TRANSACTION_DATA),
    ({"transaction_data": ["%%%"]}, ErrorCode.INVALID_TRANSACTION_DATA),
    ({"transaction_data": [transaction(type="payment")]}, ErrorCode.INVALID_TRANSACTION_DATA),
    ({"transaction_data": [transaction(type=None)]}, ErrorCode.INVALID_TRANSACTION_DATA),
    ({"transaction_data": [transaction(statement=None)]}, ErrorCode.INVALID_TRANSACTION_DATA),
    ({"transaction_data": [transaction(matter=None)]}, ErrorCode.INVALID_TRANSACTION_DATA),
    (
        {"transaction_data": [transaction(statement={"zh": "办证\n将出示：无", "en": "x"})]},
        ErrorCode.INVALID_TRANSACTION_DATA,
    ),
    ({"transaction_data": [transaction(credential_ids=[])]}, ErrorCode.INVALID_TRANSACTION_DATA),
    ({"transaction_data": [transaction(credential_ids=["other"])]}, ErrorCode.INVALID_TRANSACTION_DATA),
    (
        {"transaction_data": [transaction(transaction_data_hashes_alg=["sha-1"])]},
        ErrorCode.INVALID_TRANSACTION_DATA,
    ),
    ({"transaction_data": [transaction()] * 2}, ErrorCode.INVALID_TRANSACTION_DATA),
    (
        {"transaction_data": [transaction(matter=str(n)) for n in range(9)]},
        ErrorCode.INVALID_TRANSACTION_DATA,
    ),
    ({"exp": 1}, ErrorCode.INVALID_CLIENT),
    ({"exp": "never"}, ErrorCode.INVALID_CLIENT),
    ({"iat": 9_000_000_000}, ErrorCode.INVALID_CLIENT),
    ({"nbf": 9_000_000_000}, ErrorCode.INVALID_CLIENT),
]


@pytest.mark.parametrize(("claims", "error"), WRONG, ids=range(len(WRONG)))
def test_a_request_that_breaks_a_rule_is_refused(
    counter: AskingCounter, claims: dict[str, Any], error: ErrorCode
) -> None:
    assert refusal(counter, counter.sign(claims=claims)) is error


@pytest.mark.parametrize(
    "name",
    [
        "redirect_uri:https://verify.jincheng.example/cb",
        "origin:https://verify.jincheng.example",
        "decentralized_identifier:did:example:123",
        "verifier_attestation:verifier",
        "openid_federation:https://federation.example",
        "https://verify.jincheng.example",
        "verify.jincheng.example",
        "x509_hash:",
        "X509_HASH:abc",
        "",
    ],
)
def test_other_kinds_of_clients_are_refused(counter: AskingCounter, name: str) -> None:
    text = counter.sign(claims={"client_id": name})
    assert refusal(counter, text, client_id=name) is ErrorCode.INVALID_CLIENT


def test_the_client_inside_is_the_client_outside(counter: AskingCounter) -> None:
    assert refusal(counter, counter.sign(), client_id="x509_hash:another") is ErrorCode.INVALID_CLIENT


def test_the_answer_goes_to_the_host_that_is_named(counter: AskingCounter) -> None:
    """response-uri-not-client-id: a stolen request cannot send the answer elsewhere."""
    name = ClientId(Prefix.SAN_DNS, HOST)
    elsewhere = ("https://evil.example/r", f"https://{HOST}.evil.example/r", "https://jincheng.example/r")
    for place in elsewhere:
        text = counter.sign(counter.request(client_id=name, response_uri=place))
        assert refusal(counter, text, client_id=str(name)) is ErrorCode.INVALID_CLIENT


def test_a_name_that_is_not_in_the_certificate(counter: AskingCounter) -> None:
    name = ClientId(Prefix.SAN_DNS, "other.example")
    text = counter.sign(counter.request(client_id=name, response_uri="https://other.example/r"))
    assert refusal(counter, text, client_id=str(name)) is ErrorCode.INVALID_CLIENT
    wild = x509.SubjectAlternativeName([x509.DNSName("*.jincheng.example")])
    signer = counter.pki.issuing.issue("wild", "request", extra=((wild, False),))
    assert dns_names(signer.certificate) == ()
    assert dns_names(counter.pki.signer("request").certificate) == ()


def test_an_unsigned_or_forged_request_is_refused(counter: AskingCounter) -> None:
    """reject-unsigned-request, invalid-request-object-signature."""
    good = counter.sign()
    head, body, signature = good.split(".")
    none = encode_base64url(dump_json({"alg": "none", "typ": "oauth-authz-req+jwt"}))
    swapped = encode_base64url(dump_json({**counter.request().to_claims(), "nonce": "mine"}))
    for text in (
        f"{none}.{body}.",
        f"{head}.{body}.",
        f"{head}.{body}.{'A' * len(signature)}",
        f"{head}.{swapped}.{signature}",
        good + ".",
        "",
        "{}",
        "x" * (256 * 1024 + 1),
    ):
        refusal(counter, text)
    other = counter.sign(signer=FileSigner.generate().with_chain(()))
    assert refusal(counter, other) is ErrorCode.INVALID_CLIENT


@pytest.mark.parametrize("typ", [None, "JWT", "oauth-authz-req+JWT", "dc+sd-jwt", "kb+jwt"])
def test_a_token_of_another_type_is_no_request(counter: AskingCounter, typ: str | None) -> None:
    head = {"typ": typ or "x"}
    assert refusal(counter, counter.sign(headers=head)) is ErrorCode.INVALID_REQUEST


def test_unknown_critical_headers_are_refused(counter: AskingCounter) -> None:
    assert refusal(counter, counter.sign(headers={"crit": ["x"], "x": 1})) is ErrorCode.INVALID_REQUEST


def test_a_verifier_whom_nobody_vouches_for_is_refused(counter: AskingCounter) -> None:
    """reject-untrusted-ca, reject-expired-certificate, revoked, and a key for another use."""
    stranger = Pki()
    assert (
        refusal(counter, counter.sign(), trust=TrustStore([stranger.root.certificate]))
        is ErrorCode.INVALID_CLIENT
    )
    old = counter.pki.issuing.issue("old", "request", not_after=counter.clock.now() - timedelta(seconds=1))
    revoked = counter.pki.issuing.issue("revoked", "request")
    counter.pki.issuing.revoke(revoked.certificate, counter.clock.now() - timedelta(days=1))
    credential, bare = counter.agency, FileSigner.generate()
    for signer in (old, revoked, credential):
        name = ClientId.of(signer.certificate)
        text = counter.sign(counter.request(client_id=name), signer=signer)
        assert refusal(counter, text, client_id=str(name)) is ErrorCode.INVALID_CLIENT
    text = counter.sign(signer=bare, headers={"x5c": None, "jwk": bare.public_key.to_jwk()})
    assert refusal(counter, text) is ErrorCode.INVALID_CLIENT


def test_a_request_runs_out(counter: AskingCounter) -> None:
    text = counter.sign(expires_at=counter.clock.now() - timedelta(seconds=1))
    assert refusal(counter, text) is ErrorCode.INVALID_CLIENT


def test_a_credential_without_holder_binding_needs_a_state(counter: AskingCounter) -> None:
    """reject-missing-holder-binding and 5.3."""
    query = dcql("name", require_cryptographic_holder_binding=False)
    without = counter.sign(counter.request(query), claims={"state": None})
    assert refusal(counter, without) is ErrorCode.INVALID_REQUEST
    assert counter.read(counter.sign(counter.request(query)))
    assert counter.read(counter.sign(claims={"state": None})).request.state is None


def test_what_is_not_known_is_ignored(counter: AskingCounter) -> None:
    more = {
        "aud": "https://verify.jincheng.example/request",
        "iss": "somebody",
        "verifier_info": [{"format": "jwt", "data": "eyJ"}, 7],
        "something_new": True,
    }
    assert counter.read(counter.sign(claims=more)).request.about is None


@pytest.mark.parametrize(
    "data",
    [
        7,
        {},
        {**ABOUT.to_dict(), "match_code": "007"},
        {**ABOUT.to_dict(), "match_code": 7},
        {**ABOUT.to_dict(), "matter": ""},
        {**ABOUT.to_dict(), "name": {"zh": "只有中文"}},
        {**ABOUT.to_dict(), "purpose": {"zh": "办证\n将出示：无", "en": "x"}},  # a line of our consent page
        {**ABOUT.to_dict(), "name": {"zh": "x\u202e", "en": "x"}},
        {**ABOUT.to_dict(), "matter": "x" * 2001},
    ],
)
def test_what_the_holder_would_read_is_plain(counter: AskingCounter, data: Any) -> None:
    info = [{"format": "urn:yinxin:verifier-info:1", "data": data}]
    assert refusal(counter, counter.sign(claims={"verifier_info": info})) is ErrorCode.INVALID_REQUEST


def test_a_transaction_is_read_as_sent(counter: AskingCounter) -> None:
    made = TransactionData.make(
        MATTER_TYPE, Text("提交申请", "I apply"), credential_ids=("licence",), details={"matter": "1"}
    )
    found = counter.read(counter.sign(counter.request(transactions=(made,))))
    assert found.request.transactions == (made,)
    spaced = encode_base64url(
        b'{ "type":"' + MATTER_TYPE.encode() + b'", "credential_ids":["licence"], '
        b'"statement":{"zh":"a","en":"b"}, "matter":"1" }'
    )
    (other,) = counter.read(counter.sign(claims={"transaction_data": [spaced]})).request.transactions
    assert other.encoded == spaced


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example\\@b.example/",
        "https://a.example/\n",
        "https://[::1",
        "https://a:99999/",
        "//a",
        7,
        "",
    ],
)
def test_addresses_are_read_strictly(url: Any) -> None:
    with pytest.raises(MalformedInput):
        check_url(url)


def test_plain_http_is_for_loopback_and_only_when_allowed() -> None:
    assert check_url("http://127.0.0.1:8002/r", allow_http=True)
    for url in ("http://127.0.0.1:8002/r", "http://localhost.evil.example/"):
        with pytest.raises(MalformedInput):
            check_url(url, allow_http=url.startswith("http://localhost"))


_KEY = DecryptionKey.generate()
GOOD: dict[str, Any] = {
    "client_id": "x509_hash:abc",
    "response_type": "vp_token",
    "response_mode": "direct_post.jwt",
    "response_uri": RESPONSE_URI,
    "nonce": "n",
    "dcql_query": dcql("name"),
    "client_metadata": {"jwks": {"keys": [_KEY.to_jwk()]}},
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)
NAMES = st.sampled_from([*GOOD, "state", "scope", "transaction_data", "verifier_info", "redirect_uri"])


@given(st.dictionaries(NAMES, JSON, max_size=4))
def test_any_claims_are_a_request_or_refused(claims: dict[str, Any]) -> None:
    assert AuthorizationRequest.from_claims(GOOD)
    for value in (claims, GOOD | claims):
        try:
            AuthorizationRequest.from_claims(value)
        except RequestRefused:
            continue


@given(text=st.text() | st.builds("{}.{}.{}".format, *[st.text("AQgwe", max_size=9)] * 3))
def test_any_text_is_refused(counter: AskingCounter, text: str) -> None:
    reader = RequestReader(counter.trust)
    with pytest.raises(RequestRefused):
        reader.read(text, client_id="x509_hash:abc", now=counter.clock.now())


def test_the_request_is_a_value(counter: AskingCounter) -> None:
    asked = counter.request()
    assert replace(asked, nonce="other") != asked
    assert AuthorizationRequest.from_claims(asked.to_claims()) == asked
