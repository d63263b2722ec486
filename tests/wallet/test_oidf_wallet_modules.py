"""The wallet modules of the OpenID Foundation's conformance suite, by their names, as far as we reach.

Each goes the whole way: link, request, consent, answer. A negative module ends with nothing sent to the
verifier and nothing in the wallet's log. Not mirrored: `multisigned_*` and `wrong_expected_origins` belong to
the browser's Digital Credentials API, which this wallet has not; what it does with them stands in
`reject_response_modes_of_the_browser`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode

import pytest
from world.pki import Pki
from world.receiving import FAST, SECRET
from world.requests import HOST, RESPONSE_URI, AskingCounter, dcql

from credentials.key_binding import present
from credentials.oid4vp.client_ids import ClientId, Prefix
from credentials.oid4vp.presentations import verify_response
from credentials.oid4vp.refusal import RequestRefused
from credentials.oid4vp.responses import read_response
from credentials.oid4vp.transactions import MATTER_TYPE
from credentials.oid4vp.vocabulary import ResponseMode
from credentials.sd_jwt import SdJwt
from signing.base64url import encode_base64url
from signing.jose import dump_json
from signing.signers.file import FileSigner
from signing.trust import TrustStore
from wallet.exchange import fetch, send
from wallet.holder import Holder
from wallet.invitation import Invitation
from wallet.trusted import TrustedParties
from yinxin.base.errors import NotFound, YinxinError
from yinxin.base.outbound import Response

if TYPE_CHECKING:
    from pathlib import Path

    from credentials.oid4vp.requests import AuthorizationRequest

REQUEST_URI = f"https://{HOST}/oid4vp/requests/r1"
ONWARD = f"https://{HOST}/done?response_code=abc"


@dataclass
class Suite:
    """The suite's verifier, and the wallet under test."""

    counter: AskingCounter
    holder: Holder
    trust: TrustStore
    request: AuthorizationRequest | None = None
    sign: dict[str, Any] = field(default_factory=dict)
    posted: list[dict[str, str]] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)
    keeps_nonce: bool = True

    def get(self, url: str, **options: Any) -> Response:
        assert url == REQUEST_URI
        assert options["follow"] is False
        self.methods.append("GET")
        return self._object(self._signed())

    def post(self, url: str, body: bytes, **_: Any) -> Response:
        form = {name: value for name, (value,) in parse_qs(body.decode()).items()}
        if url == REQUEST_URI:
            self.methods.append("POST")
            nonce = form["wallet_nonce"] if self.keeps_nonce else "another"
            return self._object(self._signed(wallet_nonce=nonce))
        assert url == RESPONSE_URI
        self.posted.append(form)
        return Response(200, {"content-type": "application/json"}, dump_json({"redirect_uri": ONWARD}))

    def run(self, *, client_id: str | None = None, by_post: bool = False, **outside: str) -> str | None:
        """The wallet's whole way, with a holder who agrees; where the browser goes on."""
        name = client_id or str((self.request or self.counter.request()).client_id)
        values = {"client_id": name, "request_uri": REQUEST_URI, **outside}
        if by_post:
            values["request_uri_method"] = "post"
        trusted = TrustedParties(
            self.trust,
            self,  # type: ignore[arg-type]  # the two methods that are used
            revocation=self.counter.revocation,
            clock=self.counter.clock,
        )
        fetched = fetch(Invitation.parse(f"openid4vp://?{urlencode(values)}"), self)  # type: ignore[arg-type]  # the same
        verified = trusted.read_request(
            fetched.text,
            client_id=fetched.client_id,
            now=self.counter.clock.now(),
            wallet_nonce=fetched.wallet_nonce,
        )
        answering = self.holder.consider_presentation(verified)
        return send(self.holder.answer_presentation(answering), self)  # type: ignore[arg-type]  # the same

    def refuses(self, kind: type[YinxinError] = RequestRefused, **options: Any) -> YinxinError:
        before = self.holder._store.read()
        with pytest.raises(kind) as caught:
            self.run(**options)
        assert self.posted == [], "nothing is sent to who asked wrongly"
        assert self.holder._store.read() == before
        return caught.value

    def claims(self) -> list[dict[str, Any]]:
        """What the suite's verifier finds in the answer."""
        request = self.request or self.counter.request()
        response = read_response(self.posted[-1], request, key=self.counter.key)
        check, found = verify_response(
            request, response, self.counter.counter(), now=self.counter.clock.now()
        )
        assert check.reason is None
        return [dict(report.require().claims) for _, report in found]

    def _signed(self, **more: Any) -> str:
        return self.counter.sign(self.request, **{**self.sign, **more})

    @staticmethod
    def _object(text: str) -> Response:
        return Response(200, {"content-type": "application/oauth-authz-req+jwt"}, text.encode())


@pytest.fixture(scope="module")
def counter(pki: Pki) -> AskingCounter:
    return AskingCounter(pki)


@pytest.fixture
def suite(counter: AskingCounter, tmp_path: Path) -> Suite:
    holder = Holder.create(tmp_path, SECRET, clock=counter.clock, **FAST)
    for _ in range(2):
        holder.receive(counter.issue(holder_key=holder.new_key()))
    return Suite(counter, holder, counter.trust)


def test_happy_flow(suite: Suite) -> None:
    assert suite.run() == ONWARD
    assert suite.methods == ["GET"]
    assert set(suite.posted[0]) == {"response"}
    assert suite.claims()[0]["name"] == "津城小麦面包坊"


def test_alternate_happy_flow(suite: Suite) -> None:
    """direct_post, and x509_san_dns."""
    name = ClientId(Prefix.SAN_DNS, HOST)
    suite.request = suite.counter.request(client_id=name, response_mode=ResponseMode.DIRECT_POST)
    assert suite.run() == ONWARD
    assert set(suite.posted[0]) == {"vp_token", "state"}
    assert suite.claims()


def test_request_uri_method_post(suite: Suite) -> None:
    assert suite.run(by_post=True) == ONWARD
    assert suite.methods == ["POST"]


def test_fewer_claims_than_available(suite: Suite) -> None:
    suite.run()
    (claims,) = suite.claims()
    assert {"credit_code", "address"}.isdisjoint(claims)


def test_no_claims_in_dcql_query(suite: Suite) -> None:
    suite.request = suite.counter.request(dcql())
    suite.run()
    (claims,) = suite.claims()
    assert {"name", "credit_code", "address"}.isdisjoint(claims)


def test_optional_credential_set(suite: Suite) -> None:
    first = dcql("name")["credentials"][0]
    other = {**first, "id": "other", "meta": {"vct_values": ["urn:other"]}}
    sets = [{"options": [["licence"]]}, {"options": [["other"]], "required": False}]
    suite.request = suite.counter.request({"credentials": [first, other], "credential_sets": sets})
    suite.run()
    assert len(suite.claims()) == 1


def test_ignores_unusable_encryption_key(suite: Suite) -> None:
    good = suite.counter.key.to_jwk()
    keys = [{**good, "kid": "w", "crv": "P-192"}, {"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "r"}, good]
    suite.sign = {"claims": {"client_metadata": {"jwks": {"keys": keys}}}}
    suite.run()
    assert suite.claims()


def test_required_non_matching_credential(suite: Suite) -> None:
    first = dcql("name")["credentials"][0]
    other = {**first, "id": "other", "meta": {"vct_values": ["urn:other"]}}
    suite.request = suite.counter.request({"credentials": [first, other]})
    suite.refuses(NotFound)


def transaction(**changes: Any) -> str:
    body = {
        "type": MATTER_TYPE,
        "credential_ids": ["licence"],
        "statement": {"zh": "提交申请", "en": "I apply"},
        "matter": "440103001000",
    }
    return encode_base64url(dump_json({**body, **changes}))


NEGATIVE: dict[str, dict[str, Any]] = {
    "missing_nonce": {"nonce": None},
    "mismatched_client_id": {"client_id": "x509_hash:other"},
    "redirect_uri_with_direct_post": {"redirect_uri": f"https://{HOST}/cb"},
    "unknown_transaction_data_type": {"transaction_data": [transaction(type="urn:payment")]},
    "reject_weak_hash": {"transaction_data": [transaction(transaction_data_hashes_alg=["sha-1"])]},
    "reject_cleartext_response": {"client_metadata": {}},
    "reject_insecure_origin": {"response_uri": f"http://{HOST}/oid4vp/responses/r1"},
    "reject_response_modes_of_the_browser": {"response_mode": "dc_api", "expected_origins": ["https://x.example"]},
    "reject_expired_request": {"exp": 1},
    "reject_request_of_the_future": {"iat": 9_000_000_000},
}  # fmt: skip


@pytest.mark.parametrize("name", NEGATIVE)
def test_negative(suite: Suite, name: str) -> None:
    suite.sign = {"claims": NEGATIVE[name]}
    suite.refuses()


@pytest.mark.parametrize(
    "prefix", ["redirect_uri:https://x.example", "origin:https://x.example", "did:example:1", "x509_hash:"]
)
def test_negative_invalid_client_id_prefix(suite: Suite, prefix: str) -> None:
    suite.sign = {"claims": {"client_id": prefix}}
    suite.refuses(client_id=prefix)
    assert suite.methods == [], "it is not even fetched"


def test_negative_invalid_request_object_signature(suite: Suite) -> None:
    good = suite.counter.sign()
    turned = good[:-8] + ("AAAAAAAA" if good[-8:] != "AAAAAAAA" else "BBBBBBBB")
    suite._signed = lambda **_: turned  # type: ignore[method-assign]  # the suite lies
    suite.refuses()


def test_negative_response_uri_not_client_id(suite: Suite) -> None:
    name = ClientId(Prefix.SAN_DNS, HOST)
    suite.request = suite.counter.request(client_id=name, response_uri="https://evil.example/r")
    suite.refuses()


def test_reject_unsigned_request(suite: Suite) -> None:
    head, body, _ = suite.counter.sign().split(".")
    none = encode_base64url(dump_json({"alg": "none", "typ": "oauth-authz-req+jwt"}))
    for text in (
        f"{none}.{body}.",
        f"{head}.{body}.",
        dump_json(suite.counter.request().to_claims()).decode(),
    ):
        suite._signed = lambda text=text, **_: text  # type: ignore[method-assign]  # the suite lies
        suite.refuses()
    with pytest.raises(RequestRefused):  # in the link itself
        Invitation.parse("openid4vp://?" + urlencode({"client_id": "x509_hash:a", "nonce": "n"}))


def test_reject_untrusted_ca(suite: Suite) -> None:
    suite.trust = TrustStore([Pki().root.certificate])
    suite.refuses()


def test_reject_expired_certificate(suite: Suite) -> None:
    now = suite.counter.clock.now()
    old = suite.counter.pki.issuing.issue("old", "request", not_after=now - timedelta(seconds=1))
    suite.request = suite.counter.request(client_id=ClientId.of(old.certificate))
    suite.sign = {"signer": old}
    suite.refuses()


def test_reject_revoked_certificate(suite: Suite) -> None:
    revoked = suite.counter.pki.issuing.issue("revoked", "request")
    suite.counter.pki.issuing.revoke(revoked.certificate, suite.counter.clock.now() - timedelta(days=1))
    suite.request = suite.counter.request(client_id=ClientId.of(revoked.certificate))
    suite.sign = {"signer": revoked}
    suite.refuses()


def test_reject_wallet_nonce_mismatch(suite: Suite) -> None:
    suite.keeps_nonce = False
    suite.refuses(by_post=True)


def test_reject_missing_holder_binding(suite: Suite) -> None:
    """A credential that is bound is shown with its proof, also to who would do without."""
    query = dcql("name", require_cryptographic_holder_binding=False)
    suite.request = suite.counter.request(query, response_mode=ResponseMode.DIRECT_POST)
    suite.run()
    response = read_response(suite.posted[0], suite.request, key=None)
    (presentation,) = response.presentations["licence"]
    assert SdJwt.parse(presentation).key_binding is not None


def test_reject_weak_curve(suite: Suite) -> None:
    weak = {**suite.counter.key.to_jwk(), "crv": "P-192"}
    suite.sign = {"claims": {"client_metadata": {"jwks": {"keys": [weak]}}}}
    suite.refuses()


def test_reject_credential_of_another_holder(suite: Suite) -> None:
    """What is not bound to a key of ours never goes out, whatever lies in the file."""
    with pytest.raises(YinxinError):
        present(
            suite.counter.issue(), disclose=(), holder=FileSigner.generate(), audience="a", nonce="n",
            at=suite.counter.clock.now(),
        )  # fmt: skip
