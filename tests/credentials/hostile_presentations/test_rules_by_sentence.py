# ruff: noqa: E501 - a case is a row of a table
"""Sentence by sentence through the texts: what each demands of a token, its claims, its list and its type."""

from __future__ import annotations

import gzip
import json
import zlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from world.credentials import COUNTER, NONCE, SECONDS, VCT
from world.forgery import ABSENT, Forger, changed, disclosure, jws
from world.hostile_presentations import (
    BINDING,
    CLAIM,
    DISCLOSURE,
    FORMAT,
    HIDDEN,
    SALT,
    Case,
    binding,
    header,
    hidden,
    other,
    refuses,
)
from world.mdocs import MdocWorld
from world.pki import NOON, TestAuthority

from credentials.known_types import KnownTypes
from credentials.sd_jwt import chain_header
from credentials.status_list import StatusList
from credentials.status_snapshot import verify_status_token
from credentials.status_tokens import sign_status_cwt, sign_status_jwt
from signing.base64url import encode_base64url
from signing.cbor import Tag, encode
from signing.cose import KID, TYP, X5CHAIN, sign1, x5chain
from signing.reasons import Reason
from signing.revocation import Crl, RevocationSnapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from signing.report import Report

EMPTY, ALGORITHM = zlib.compress(bytes(256)), Reason.ALGORITHM_NOT_ALLOWED


def jwk(**members: Any) -> Callable[[Forger], Any]:
    return lambda f: f.shown(
        f.payload({"cnf": {"jwk": {**f.world.baker.public_key.to_jwk(), **members}}}), f.name
    )


def status(**members: Any) -> Callable[[Forger], Any]:
    return lambda f: f.shown(f.payload({"status": {"status_list": {**f.status["status_list"], **members}}}))


def as_json(**more: Any) -> Callable[[Forger], Any]:
    return lambda f: json.dumps({**flattened(f), "header": {**flattened(f)["header"], **more}})


def flattened(forger: Forger) -> dict[str, Any]:
    token, *disclosures, bound = forger.shown().split("~")
    protected, payload, signature = token.split(".")
    unprotected = {"disclosures": disclosures, "kb_jwt": bound}
    return {"payload": payload, "protected": protected, "signature": signature, "header": unprotected}


def mixed(forger: Forger) -> str:
    one = flattened(forger)
    return json.dumps({"payload": one.pop("payload"), "signatures": [one], "protected": one["protected"]})


CASES = [
    Case("an audience that is a number among others", "RFC 7519, 4.1.3", CLAIM, other({"aud": [COUNTER, 7]})),
    Case("an audience that is null", "RFC 7519, 4.1.3", CLAIM, other({"aud": None})),
    Case("no audience in the list", "RFC 7519, 4.1.3", Reason.WRONG_AUDIENCE, other({"aud": []})),
    Case("a hidden audience", "RFC 9901, 7.1 (6)", Reason.WRONG_AUDIENCE, hidden(SALT, "aud", "https://a.example")),
    Case("an identifier that is a number", "RFC 7519, 4.1.7", CLAIM, other({"jti": 7})),
    Case("a hidden subject that is a number", "RFC 7519, 4.1.2", CLAIM, hidden(SALT, "sub", 7)),
    Case("an end that is null", "RFC 7519, 2", CLAIM, other({"exp": None})),
    Case("a beginning that is false", "RFC 7519, 2", CLAIM, other({"nbf": False})),
    Case("a hidden time of issue to come", "RFC 7519, 4.1.6", Reason.NOT_YET_VALID, lambda f: f.shown(f.payload({"iat": ABSENT}, hide=(text := disclosure(SALT, "iat", SECONDS + 9999),)), text)),
    Case("a type with a space", "SD-JWT VC, 2.2.2.1", CLAIM, other({"vct": "food licence"})),
    Case("another type that is empty", "SD-JWT VC, 2.2.2.2", CLAIM, other({"aka_vcts": [""]})),
    Case("other types in a disclosure", "SD-JWT VC, 2.2.2.3", HIDDEN, hidden(SALT, "aka_vcts", ["urn:example:1"])),
    Case("integrity that is none", "SD-JWT VC, 6", CLAIM, other({"vct#integrity": "nonsense"})),
    Case("integrity that is null", "SD-JWT VC, 6", CLAIM, other({"vct#integrity": None})),
    Case("a thumbprint of another certificate", "RFC 7515, 4.1.8", FORMAT, header({"x5t#S256": "A" * 43})),
    Case("an old thumbprint of another certificate", "RFC 7515, 4.1.7", FORMAT, header({"x5t": "A" * 27})),
    Case("a thumbprint that is null", "RFC 7515, 4.1.8", FORMAT, header({"x5t#S256": None})),
    Case("a key's name that is a number", "RFC 7515, 4.1.4", FORMAT, header({"kid": 7})),
    Case("a key that is a text", "RFC 7515, 4.1.3", FORMAT, header({"jwk": "x"})),
    Case("an address that is a number", "RFC 7515, 4.1.2", FORMAT, header({"jku": 7})),
    Case("a content type that is a list", "RFC 7515, 4.1.10", FORMAT, header({"cty": ["json"]})),
    Case("a known header called critical", "RFC 7515, 4.1.11", FORMAT, header({"crit": ["alg"]})),
    Case("an algorithm in small letters", "RFC 7515, 4.1.1", ALGORITHM, header({"alg": "es256"})),
    Case("a typ in large letters", "SD-JWT VC, 2.2.1", Reason.WRONG_TYPE, header({"typ": "DC+SD-JWT"})),
    Case("a typ with its tree", "SD-JWT VC, 2.2.1", Reason.WRONG_TYPE, header({"typ": "application/dc+sd-jwt"})),
    Case("a hash in large letters", "RFC 9901, 4.1.1", ALGORITHM, other({"_sd_alg": "SHA-256"})),
    Case("a truncated hash", "RFC 9901, 9.4", ALGORITHM, other({"_sd_alg": "sha-256-128"})),
    Case("a hash that is null", "RFC 9901, 4.1.1", ALGORITHM, other({"_sd_alg": None})),
    Case("a hash deep in a disclosure", "RFC 9901, 4.1.1", DISCLOSURE, hidden(SALT, "rank", {"_sd_alg": "sha-256"})),
    Case("digests in a disclosure that are a text", "RFC 9901, 4.2.4.1", DISCLOSURE, hidden(SALT, "rank", {"_sd": "x"})),
    Case("a salt that is a number", "RFC 9901, 4.2.1", DISCLOSURE, hidden(7, "rank", 1)),
    Case("two keys", "RFC 7800, 3.1", CLAIM, other({"cnf": {"jwk": {}, "jwe": "x"}})),
    Case("a key to sign with", "RFC 7517, 4.3", CLAIM, jwk(key_ops=["sign"])),
    Case("operations that are a text", "RFC 7517, 4.3", CLAIM, jwk(key_ops="verify")),
    Case("a status that is null", "TSL, 6.2", Reason.STATUS_REFERENCE_INVALID, other({"status": None})),
    Case("a status by another mechanism", "TSL, 6.2", Reason.STATUS_UNKNOWN, other({"status": {"x": {}}})),
    Case("an index with a fraction", "TSL, 6.2", Reason.STATUS_REFERENCE_INVALID, status(idx=1.0)),
    Case("an index that is true", "TSL, 6.2", Reason.STATUS_REFERENCE_INVALID, status(idx=True)),
    Case("an address of a list that is none", "RFC 3986, 3", Reason.STATUS_REFERENCE_INVALID, status(uri="a list")),
    Case("a binding whose identifier is a number", "RFC 7519, 4.1.7", BINDING, binding({"jti": 7})),
    Case("a binding from null", "RFC 7519, 4.1.5", BINDING, binding({"nbf": None})),
    Case("a binding without critical headers in a list", "RFC 7515, 4.1.11", BINDING, binding(header={"crit": []})),
    Case("a binding with typ in large letters", "RFC 9901, 4.3", BINDING, binding(header={"typ": "KB+JWT"})),
    Case("critical headers that nobody signs", "RFC 7515, 4.1.11", FORMAT, as_json(crit=["x"], x=1)),
    Case("an unencoded payload that nobody signs", "RFC 7797, 6", FORMAT, as_json(b64=False)),
    Case("disclosures that are null", "RFC 9901, 8.1", FORMAT, as_json(disclosures=None)),
    Case("both JSON forms at once", "RFC 7515, 7.2", FORMAT, mixed),
    Case("a signature that is a number", "RFC 7515, 7.2.1", FORMAT, lambda f: json.dumps({**flattened(f), "signature": 7})),
    Case("a name twice in the JSON form", "RFC 7515, 4", FORMAT, lambda f: json.dumps(flattened(f))[:-1] + ',"payload":""}'),
]  # fmt: skip


@pytest.fixture(scope="module")
def world() -> MdocWorld:
    return MdocWorld()


@pytest.fixture(scope="module")
def forger(world: MdocWorld) -> Forger:
    return Forger(world)


@pytest.fixture(scope="module")
def counter(forger: Forger) -> Any:
    return forger.world.counter()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_counter_refuses(case: Case, forger: Forger, counter: Any) -> None:
    refuses(case, forger, counter)


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"_sd_alg": "md5"}, ALGORITHM),
        ({"cnf": None}, CLAIM),
        ({"cnf": {"jwk": {"kty": "oct", "k": "AA"}}}, CLAIM),
        ({"cnf": {"jku": "https://a.example", "jwe": "x"}}, CLAIM),
    ],
)
def test_it_is_refused_where_no_binding_is_demanded(
    forger: Forger, counter: Any, claims: dict[str, Any], reason: Reason
) -> None:
    """Nothing is disclosed, nobody proves a key: the rules hold all the same."""
    report = counter.verify(f"{forger.token(forger.payload(claims))}~", require_key_binding=False)
    assert report.reasons == {reason}


@pytest.mark.parametrize(
    ("names", "iss"),
    [
        ([x509.DNSName("licences.jincheng.example")], "https://evil.example"),
        ([x509.DNSName("licences.jincheng.example")], "http://licences.jincheng.example"),
        ([x509.DNSName("licences.jincheng.example")], "https://licences.jincheng.example.evil.example"),
        ([x509.DNSName("licences.jincheng.example")], "https://evil.example\\@licences.jincheng.example"),
        ([x509.DNSName("licences.jincheng.example")], "https://licences.jincheng.example@evil.example"),
        ([x509.DNSName("licences.jincheng.example")], "did:web:licences.jincheng.example"),
        ([x509.UniformResourceIdentifier("https://a.example")], "https://a.example/other"),
    ],
)
def test_an_issuer_is_at_a_host_of_its_certificate(
    world: MdocWorld, forger: Forger, counter: Any, names: list[x509.GeneralName], iss: str
) -> None:
    signer = world.pki.issuing.issue(
        "津城市市场监督管理局", "credential", extra=((x509.SubjectAlternativeName(names), False),)
    )
    presentation = forger.shown(forger.payload({"iss": iss}), signer=signer)
    report = counter.verify(presentation, audience=COUNTER, nonce=NONCE)
    assert report.reasons == {Reason.ISSUER_MISMATCH}


class TestAList:
    """Token Status List, 5, 8.3 and 11.3."""

    @staticmethod
    def judged(
        world: MdocWorld, forger: Forger, token: str | bytes, *authorities: TestAuthority
    ) -> Report[Any]:
        every = (world.pki.root, world.pki.issuing, *authorities)
        revocation = RevocationSnapshot(Crl.from_der(one.crl(NOON)) for one in every)
        uri = forger.status["status_list"]["uri"]
        return verify_status_token(token, world.trust, uri=uri, at=NOON, revocation=revocation)

    def reasons(
        self,
        world: MdocWorld,
        forger: Forger,
        signer: Any,
        value: int,
        form: str,
        *authorities: TestAuthority,
    ) -> set[Reason]:
        """What the counter says of a licence whose entry has this value."""
        statuses, place = StatusList(1024), forger.status["status_list"]
        statuses.set(place["idx"], value)
        times: dict[str, Any] = {"at": NOON, "ttl": timedelta(minutes=1), "lifetime": timedelta(hours=1)}
        sign = sign_status_jwt if form == "jwt" else sign_status_cwt
        token: Any = sign(statuses, signer, uri=place["uri"], **times)
        listed = self.judged(world, forger, token.decode() if form == "jwt" else token, *authorities)
        counter = world.counter(statuses={place["uri"]: listed.require()})
        return set(counter.verify(forger.shown(), audience=COUNTER, nonce=NONCE).reasons)

    @pytest.mark.parametrize(
        ("value", "reason"), [(0, None), (1, Reason.CREDENTIAL_REVOKED), (3, Reason.STATUS_UNKNOWN)]
    )
    def test_is_of_the_authority_that_certified_the_issuer(
        self, world: MdocWorld, forger: Forger, value: int, reason: Reason | None
    ) -> None:
        own = self.reasons(world, forger, world.pki.signer("status"), value, "jwt")
        assert own == ({reason} if reason else set())
        other = TestAuthority("另一签发机构", issuer=world.pki.root)
        foreign = self.reasons(world, forger, other.issue("状态", "status"), value, "jwt", other)
        assert foreign == {Reason.STATUS_UNKNOWN}

    def test_of_a_credential_in_json_is_in_json(self, world: MdocWorld, forger: Forger) -> None:
        """SD-JWT VC, 2.2.2.3; that something is revoked counts in any form."""
        signer = world.pki.signer("status")
        assert self.reasons(world, forger, signer, 0, "cwt") == {Reason.STATUS_UNKNOWN}
        assert self.reasons(world, forger, signer, 1, "cwt") == {Reason.CREDENTIAL_REVOKED}

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"status_list": {"bits": 2, "lst": encode_base64url(EMPTY), "aggregation_uri": 7}}, FORMAT),
            ({"status_list": {"bits": 2.0, "lst": encode_base64url(EMPTY)}}, FORMAT),
            ({"status_list": {"bits": True, "lst": encode_base64url(EMPTY)}}, FORMAT),
            ({"status_list": {"bits": 2, "lst": encode_base64url(gzip.compress(bytes(256)))}}, FORMAT),
            ({"status_list": {"bits": 2, "lst": encode_base64url(EMPTY[2:-4])}}, FORMAT),
            ({"status_list": {"bits": 2, "lst": encode_base64url(EMPTY + b"x")}}, FORMAT),
            ({"status_list": {"bits": 2, "lst": encode_base64url(EMPTY[:-1] + b"\xff")}}, FORMAT),
            ({"status_list": {"bits": 2, "lst": encode_base64url(zlib.compress(b""))}}, FORMAT),
            ({"status_list": {"bits": 2, "lst": ""}}, FORMAT),
            ({"ttl": 0}, CLAIM),
            ({"ttl": "60"}, CLAIM),
            ({"ttl": True}, CLAIM),
            ({"ttl": None}, CLAIM),
            ({"iat": ABSENT}, CLAIM),
            ({"iss": 7}, CLAIM),
            ({"jti": 7}, CLAIM),
            ({"nbf": SECONDS + 9999}, Reason.NOT_YET_VALID),
            ({"aud": "https://a.example"}, Reason.WRONG_AUDIENCE),
            ({"sub": "https://a.example/"}, Reason.STATUS_REFERENCE_INVALID),
        ],
    )
    def test_that_breaks_a_rule_is_none(
        self, world: MdocWorld, forger: Forger, changes: dict[str, Any], reason: Reason
    ) -> None:
        signer, uri = world.pki.signer("status"), forger.status["status_list"]["uri"]
        claims = {"sub": uri, "iat": SECONDS, "exp": SECONDS + 60, "ttl": 60}
        claims["status_list"] = StatusList(1024).to_claim()
        head = {"alg": "ES256", "typ": "statuslist+jwt", **chain_header(signer.chain)}
        assert self.judged(world, forger, jws(head, claims, signer)).passed
        report = self.judged(world, forger, jws(head, changed(claims, changes), signer))
        assert report.reasons == {reason}

    @pytest.mark.parametrize(
        ("claims", "headers", "reason"),
        [
            ({2: b"bytes"}, {}, Reason.STATUS_REFERENCE_INVALID),
            ({6: "now"}, {}, CLAIM),
            ({4: Tag(1, SECONDS + 60)}, {}, CLAIM),
            ({65534: 0}, {}, CLAIM),
            ({65534: True}, {}, FORMAT),
            ({65533: {"bits": 2, "lst": "text"}}, {}, FORMAT),
            ({65533: {"bits": -2, "lst": EMPTY}}, {}, FORMAT),
            ({65533: {"bits": 2, "lst": EMPTY, "aggregation_uri": 7}}, {}, FORMAT),
            ({}, {34: [-16, bytes(32)]}, FORMAT),
            ({}, {34: bytes(32)}, FORMAT),
            ({}, {34: [-999, b""]}, FORMAT),
        ],
    )
    def test_as_cwt_that_breaks_a_rule_is_none(
        self,
        world: MdocWorld,
        forger: Forger,
        claims: dict[int, Any],
        headers: dict[int | str, Any],
        reason: Reason,
    ) -> None:
        uri = forger.status["status_list"]["uri"]
        base = {2: uri, 6: SECONDS, 4: SECONDS + 60, 65534: 60, 65533: StatusList(1024).to_cbor()}
        assert self.judged(world, forger, self.cwt(world, base, {})).passed
        assert self.judged(world, forger, self.cwt(world, {**base, **claims}, headers)).reasons == {reason}

    @staticmethod
    def cwt(world: MdocWorld, claims: dict[int, Any], headers: dict[int | str, Any]) -> bytes:
        signer = world.pki.signer("status")
        chain = x5chain(tuple(one for one in signer.chain if not one.is_self_issued))
        named: dict[int | str, Any] = {TYP: "application/statuslist+cwt", KID: b"1"}
        return sign1(encode(claims), signer, protected=named, unprotected={X5CHAIN: chain, **headers})


class TestAType:
    """SD-JWT VC, 5.6: rules for claims that are deep inside, and for elements that are withheld."""

    @pytest.mark.parametrize(
        ("rules", "disclose", "is_kept"),
        [
            ([{"path": ["scopes", None], "sd": "never"}], (), False),
            ([{"path": ["scopes", 1], "sd": "never"}], (), False),
            ([{"path": ["scopes", 3], "sd": "never"}], (), True),
            ([{"path": ["scopes", 2], "sd": "always", "mandatory": True}], (("scopes", 2),), True),
            ([{"path": ["scopes", 0], "sd": "never"}], (("scopes", 2),), False),
            ([{"path": ["scopes", None, "x"], "sd": "never"}], (), True),
            ([{"path": ["scopes", None, "x"]}], (("scopes", 1),), False),
            ([{"path": ["scopes", "x"]}], (), False),
            ([{"path": ["iss", "x"]}], (), False),
            ([{"path": ["iss", None]}], (), False),
            ([{"path": ["address", 0]}], ("address",), False),
            ([{"path": ["address", 0]}], (), True),
            ([{"path": ["colour", "x", None, 0]}], (), True),
        ],
    )
    def test_counts_elements_as_issued_and_steps_into_nothing_else(
        self, world: MdocWorld, rules: list[dict[str, Any]], disclose: Any, *, is_kept: bool
    ) -> None:
        document = json.dumps({"vct": VCT, "claims": rules}).encode()
        credential = world.issue(disclosable=("address", *(("scopes", place) for place in range(3))))
        counter = world.counter(types=KnownTypes({VCT: [document]}))
        report = counter.verify(world.present(credential, disclose), audience=COUNTER, nonce=NONCE)
        assert report.reasons == (set() if is_kept else {CLAIM}), report.to_json()

    def test_is_given_up_where_its_rules_look_at_too_much(self, world: MdocWorld) -> None:
        """Some thousand steps here, and none after the limit: by the reason, no time is measured."""
        rules = [{"path": ["many", None, f"name{number}"]} for number in range(400)]
        document = json.dumps({"vct": VCT, "claims": rules}).encode()
        credential = world.issue({**world.licence(), "many": [{}] * 1000})
        counter = world.counter(types=KnownTypes({VCT: [document]}))
        report = counter.verify(world.present(credential), audience=COUNTER, nonce=NONCE)
        assert report.reasons == {Reason.TOO_LARGE}

    @pytest.mark.parametrize(
        "changes",
        [
            {"claims": [{"path": ["a"], "svg_id": "1a"}]},
            {"claims": [{"path": ["a"], "svg_id": 7}]},
            {"claims": [{"path": ["a"], "svg_id": "x"}, {"path": ["b"], "svg_id": "x"}]},
            {"claims": [{"path": ["a"], "display": [{"locale": "en", "label": "A", "description": 7}]}]},
            {"name": 7},
            {"description": []},
            {"display": [{"locale": "en", "name": "A", "rendering": "red"}]},
            {"extends": "urn:above", "extends#integrity": None},
            {"extends": "urn:above", "extends#integrity": "sha256"},
            {"extends": "urn:above", "extends#integrity": "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk="},
        ],
    )
    def test_is_read_completely_or_not_at_all(self, world: MdocWorld, changes: dict[str, Any]) -> None:
        above = b'{"vct":"urn:above"}'
        document = json.dumps({"vct": VCT, **changes}).encode()
        counter = world.counter(types=KnownTypes({VCT: [document], "urn:above": [above]}))
        report = counter.verify(world.present(world.issue()), audience=COUNTER, nonce=NONCE)
        assert report.reasons == {Reason.TYPE_METADATA_INVALID}


def test_the_table_is_long_and_every_row_names_its_clause() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 45
    assert all(case.clause for case in CASES)
