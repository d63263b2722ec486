"""The wallet modules of the OpenID Foundation's conformance suite, by their names.

The verifier is the test's own. Where a module expects an answer, the verifier verifies it; where it expects
a refusal, nothing leaves the wallet and its log shows no presentation. Which modules are here and which
cannot be: docs/reference/conformance.md.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from world.pki import Pki
from world.requests import HOST, RESPONSE_URI, AskingCounter, dcql

from credentials.oid4vp.client_ids import ClientId, Prefix
from credentials.oid4vp.presentations import verify_response
from credentials.oid4vp.refusal import RequestRefused
from credentials.oid4vp.requests import Encryption
from credentials.oid4vp.responses import read_response
from credentials.oid4vp.transactions import MATTER_TYPE
from credentials.oid4vp.vocabulary import ErrorCode, ResponseMode
from credentials.sd_jwt import SdJwt
from signing.base64url import encode_base64url
from signing.jose import dump_json
from signing.signers.file import FileSigner
from signing.trust import TrustStore
from wallet.activity import ActivityKind
from wallet.exchange import Fetched
from wallet.holder import Holder
from wallet.invitation import Invitation
from yinxin.base.errors import NotFound

if TYPE_CHECKING:
    from pathlib import Path

    from credentials.oid4vp.request_objects import VerifiedRequest

REQUEST_URI = f"https://{HOST}/oid4vp/requests/r1"


@pytest.fixture(scope="module")
def counter() -> AskingCounter:
    return AskingCounter(Pki())


@pytest.fixture
def holder(counter: AskingCounter, tmp_path: Path) -> Holder:
    """A wallet with one food licence."""
    made = Holder.create(tmp_path, "面包 bread", clock=counter.clock, scrypt_cost=1 << 4)
    made.receive(counter.issue(holder_key=made.new_key()))
    return made


def shows(counter: AskingCounter, holder: Holder, verified: VerifiedRequest, **options: Any) -> list[Any]:
    """The wallet answers, and the verifier finds all that it asked for; the claims of each credential."""
    answering = holder.consider_presentation(verified, **options)
    reply = holder.answer_presentation(answering)
    assert reply.url == verified.request.response_uri
    response = read_response(reply.form, verified.request, key=counter.key)
    verifier = counter.counter()
    check, found = verify_response(verified.request, response, verifier, now=counter.clock.now())
    assert check.reason is None
    assert all(not one.reason for item, _ in found for one in item.checks)
    return [dict(report.require().claims) for _, report in found]


def refuses(counter: AskingCounter, holder: Holder, text: str, **changes: Any) -> ErrorCode:
    """The wallet reads the request no further, and nothing was shown."""
    with pytest.raises(RequestRefused) as refused:
        counter.read(text, **changes)
    assert ActivityKind.SHOWN not in {one.kind for one in holder.activity()}
    return refused.value.error


@pytest.mark.parametrize("mode", list(ResponseMode))
def test_happy_flow(counter: AskingCounter, holder: Holder, mode: ResponseMode) -> None:
    verified = counter.read(counter.sign(counter.request(response_mode=mode)))
    (claims,) = shows(counter, holder, verified)
    assert claims["name"] == "津城小麦面包坊"


def test_alternate_happy_flow(counter: AskingCounter, holder: Holder) -> None:
    """The other way through: a verifier named by its host, no state, A256GCM, members nobody knows."""
    name = ClientId(Prefix.SAN_DNS, HOST)
    encryption = Encryption((counter.key.to_jwk(),), ("A256GCM",))
    request = counter.request(client_id=name, encryption=encryption)
    text = counter.sign(request, claims={"state": None, "something_new": True, "iss": "somebody"})
    shows(counter, holder, counter.read(text, client_id=str(name)))


def test_request_uri_method_post(counter: AskingCounter, holder: Holder) -> None:
    link = (
        f"openid4vp://?client_id={ClientId.of(counter.asker.certificate)}&request_uri={REQUEST_URI}"
        "&request_uri_method=post"
    )
    invitation = Invitation.parse(link)
    assert invitation.by_post
    assert "wallet_nonce=wallet-nonce-1" in invitation.form("wallet-nonce-1").decode()
    text = counter.sign(wallet_nonce="wallet-nonce-1")
    fetched = Fetched(text, invitation.client_id, "wallet-nonce-1")
    shows(counter, holder, fetched.read(counter.reader(), now=counter.clock.now()))


def test_fewer_claims_than_available(counter: AskingCounter, holder: Holder) -> None:
    (claims,) = shows(counter, holder, counter.read(counter.sign(counter.request(dcql("name")))))
    assert "name" in claims
    assert "credit_code" not in claims


def test_no_claims_in_dcql_query(counter: AskingCounter, holder: Holder) -> None:
    """6.4.1: no claims asked for means that nothing selectively disclosable is shown."""
    (claims,) = shows(counter, holder, counter.read(counter.sign(counter.request(dcql()))))
    assert {"name", "credit_code"}.isdisjoint(claims)


def test_optional_credential_set(counter: AskingCounter, holder: Holder) -> None:
    first = dcql("name")["credentials"][0]
    other = {**first, "id": "other", "meta": {"vct_values": ["urn:driving-licence"]}}
    query = {
        "credentials": [first, other],
        "credential_sets": [{"options": [["licence"]]}, {"options": [["other"]], "required": False}],
    }
    verified = counter.read(counter.sign(counter.request(query)))
    assert len(shows(counter, holder, verified, optional=True)) == 1


def test_ignores_unusable_encryption_key(counter: AskingCounter, holder: Holder) -> None:
    good = counter.key.to_jwk()
    unknown = {"kty": "EC", "crv": "P-999", "kid": "1", "alg": "ECDH-ES", "use": "enc", "x": "AA", "y": "AA"}
    signing = {**good, "kid": "2", "use": "sig"}
    metadata = {"jwks": {"keys": [unknown, signing, good]}}
    verified = counter.read(counter.sign(claims={"client_metadata": metadata}))
    assert verified.request.encryption
    assert verified.request.encryption.keys == (good,)
    shows(counter, holder, verified)


# The negative modules


def test_negative_missing_nonce(counter: AskingCounter, holder: Holder) -> None:
    assert refuses(counter, holder, counter.sign(claims={"nonce": None})) is ErrorCode.INVALID_REQUEST


def test_negative_mismatched_client_id(counter: AskingCounter, holder: Holder) -> None:
    assert refuses(counter, holder, counter.sign(), client_id="x509_hash:other") is ErrorCode.INVALID_CLIENT


@pytest.mark.parametrize("prefix", ["", "x509_san_ip:", "origin:", "redirect_uri:"])
def test_negative_invalid_client_id_prefix(counter: AskingCounter, holder: Holder, prefix: str) -> None:
    name = f"{prefix}{RESPONSE_URI}"
    text = counter.sign(claims={"client_id": name})
    assert refuses(counter, holder, text, client_id=name) is ErrorCode.INVALID_CLIENT


def test_negative_invalid_request_object_signature(counter: AskingCounter, holder: Holder) -> None:
    head, body, signature = counter.sign().split(".")
    turned = ("B" if signature[0] == "A" else "A") + signature[1:]
    assert refuses(counter, holder, f"{head}.{body}.{turned}") is ErrorCode.INVALID_CLIENT


def test_negative_redirect_uri_with_direct_post(counter: AskingCounter, holder: Holder) -> None:
    text = counter.sign(claims={"redirect_uri": RESPONSE_URI})
    assert refuses(counter, holder, text) is ErrorCode.INVALID_REQUEST


def test_negative_response_uri_not_client_id(counter: AskingCounter, holder: Holder) -> None:
    name = ClientId(Prefix.SAN_DNS, HOST)
    text = counter.sign(counter.request(client_id=name, response_uri="https://elsewhere.example/r"))
    assert refuses(counter, holder, text, client_id=str(name)) is ErrorCode.INVALID_CLIENT


def test_negative_unknown_transaction_data_type(counter: AskingCounter, holder: Holder) -> None:
    text = counter.sign(claims={"transaction_data": [transaction(type="payment")]})
    assert refuses(counter, holder, text) is ErrorCode.INVALID_TRANSACTION_DATA


def test_negative_required_non_matching_credential(counter: AskingCounter, holder: Holder) -> None:
    """6.4.2: one of two that are required is not there, so nothing at all is shown."""
    first = dcql("name")["credentials"][0]
    other = {**first, "id": "other", "meta": {"vct_values": ["urn:driving-licence"]}}
    verified = counter.read(counter.sign(counter.request({"credentials": [first, other]})))
    with pytest.raises(NotFound):
        holder.consider_presentation(verified)
    assert ActivityKind.SHOWN not in {one.kind for one in holder.activity()}


def test_negative_wrong_expected_origins(counter: AskingCounter, holder: Holder) -> None:
    """The Digital Credentials API is not spoken: any request for it is refused."""
    claims = {"response_mode": "dc_api.jwt", "expected_origins": ["https://elsewhere.example"]}
    assert refuses(counter, holder, counter.sign(claims=claims)) is ErrorCode.INVALID_REQUEST


def test_reject_unsigned_request(counter: AskingCounter, holder: Holder) -> None:
    _, body, _ = counter.sign().split(".")
    head = encode_base64url(dump_json({"alg": "none", "typ": "oauth-authz-req+jwt"}))
    assert refuses(counter, holder, f"{head}.{body}.") is ErrorCode.INVALID_REQUEST
    with pytest.raises(RequestRefused):  # and parameters in the link itself are no request
        Invitation.parse(
            f"openid4vp://?client_id=x509_hash:a&response_type=vp_token&response_uri={RESPONSE_URI}"
        )


def test_reject_untrusted_ca(counter: AskingCounter, holder: Holder) -> None:
    trust = TrustStore([Pki().root.certificate])
    assert refuses(counter, holder, counter.sign(), trust=trust) is ErrorCode.INVALID_CLIENT


def test_reject_expired_certificate(counter: AskingCounter, holder: Holder) -> None:
    ended = counter.clock.now() - timedelta(seconds=1)
    old = counter.pki.issuing.issue("old", "request", not_after=ended)
    name = ClientId.of(old.certificate)
    text = counter.sign(counter.request(client_id=name), signer=old)
    assert refuses(counter, holder, text, client_id=str(name)) is ErrorCode.INVALID_CLIENT


def test_reject_wallet_nonce_mismatch(counter: AskingCounter, holder: Holder) -> None:
    text = counter.sign(wallet_nonce="another")
    assert refuses(counter, holder, text, wallet_nonce="mine") is ErrorCode.INVALID_REQUEST
    assert refuses(counter, holder, counter.sign(), wallet_nonce="mine") is ErrorCode.INVALID_REQUEST


def test_reject_missing_holder_binding(counter: AskingCounter, holder: Holder) -> None:
    """5.3: without holder binding a request needs a state; what is bound is shown bound all the same."""
    query = dcql("name", require_cryptographic_holder_binding=False)
    text = counter.sign(counter.request(query), claims={"state": None})
    assert refuses(counter, holder, text) is ErrorCode.INVALID_REQUEST
    verified = counter.read(counter.sign(counter.request(query)))
    reply = holder.answer_presentation(holder.consider_presentation(verified))
    response = read_response(reply.form, verified.request, key=counter.key)
    assert SdJwt.parse(response.presentations["licence"][0]).key_binding


def test_reject_cleartext_response(counter: AskingCounter, holder: Holder) -> None:
    """Where encryption is asked for and no key serves, nothing is sent in clear."""
    assert refuses(counter, holder, counter.sign(claims={"client_metadata": None}))
    verified = counter.read(counter.sign())
    reply = holder.answer_presentation(holder.consider_presentation(verified))
    assert set(reply.form) == {"response"}


def test_reject_weak_hash(counter: AskingCounter, holder: Holder) -> None:
    data = transaction(transaction_data_hashes_alg=["sha-1"])
    text = counter.sign(claims={"transaction_data": [data]})
    assert refuses(counter, holder, text) is ErrorCode.INVALID_TRANSACTION_DATA


def test_reject_weak_curve(counter: AskingCounter, holder: Holder) -> None:
    weak = {**counter.key.to_jwk(), "crv": "P-192"}
    text = counter.sign(claims={"client_metadata": {"jwks": {"keys": [weak]}}})
    assert refuses(counter, holder, text) is ErrorCode.INVALID_REQUEST
    own = FileSigner.generate()
    unsigned = counter.sign(signer=own, headers={"x5c": None, "jwk": own.public_key.to_jwk()})
    assert refuses(counter, holder, unsigned) is ErrorCode.INVALID_CLIENT


def transaction(**changes: Any) -> str:
    body = {
        "type": MATTER_TYPE,
        "credential_ids": ["licence"],
        "statement": {"zh": "提交申请", "en": "I apply"},
        "matter": "440103001000",
    }
    return encode_base64url(dump_json({**body, **changes}))
