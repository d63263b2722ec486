"""Rules that are easily forgotten: who else stands in a chain, for whom a token is, what a key is for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from world.credentials import COUNTER, NONCE, SECONDS
from world.forgery import Forger
from world.hostile_presentations import CLAIM, FORMAT, Case, other, refuses
from world.mdocs import NAMESPACE, TRANSCRIPT, MdocWorld, forged, wrapped
from world.pki import NOON, Pki

from credentials.sd_jwt import SdJwt, chain_header
from credentials.status_list import StatusList
from credentials.status_snapshot import verify_status_token
from credentials.vocabulary import STATUS_LIST_CWT_TYP
from signing.cbor import decode, encode
from signing.cose import TYP, X5CHAIN, sign1, x5chain
from signing.reasons import Reason
from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    from collections.abc import Callable

STRANGERS = [*chain_header(Pki().signer("credential").chain)["x5c"]]


def jwk(forger: Forger, **members: str) -> dict[str, Any]:
    return {"cnf": {"jwk": {**forger.world.baker.public_key.to_jwk(), **members}}}


CASES = [
    Case(
        "a stranger's certificate behind the chain",
        "RFC 7515, 4.1.6",
        FORMAT,
        lambda f: f.shown(header={"x5c": [*sent(f), STRANGERS[0]]}),
    ),
    Case(
        "a stranger's certificate inside the chain",
        "RFC 7515, 4.1.6",
        FORMAT,
        lambda f: f.shown(header={"x5c": [sent(f)[0], STRANGERS[1], *sent(f)[1:]]}),
    ),
    Case(
        "a key, and an address of keys",
        "RFC 7800, 3.1",
        CLAIM,
        lambda f: other({"cnf": {**jwk(f)["cnf"], "jku": "https://keys.example"}})(f),
    ),
    Case("a key for encryption", "RFC 7517, 4.2", CLAIM, lambda f: other(jwk(f, use="enc"))(f)),
    Case("a key for another algorithm", "RFC 7517, 4.4", CLAIM, lambda f: other(jwk(f, alg="ES384"))(f)),
    Case("an integrity value that is a number", "SD-JWT VC, 6", CLAIM, other({"vct#integrity": 7})),
    Case("a subject that is a number", "RFC 7519, 4.1.2", CLAIM, other({"sub": 7})),
]


def sent(forger: Forger) -> list[str]:
    return chain_header(forger.world.agency.chain)["x5c"]


@pytest.fixture(scope="module")
def world() -> MdocWorld:
    return MdocWorld()


@pytest.fixture(scope="module")
def forger(world: MdocWorld) -> Forger:
    return Forger(world)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_is_refused(forger: Forger, case: Case) -> None:
    refuses(case, forger, forger.world.counter())


@pytest.mark.parametrize(
    ("claims", "behind", "reason"),
    [
        ({}, "junk", FORMAT),
        ({"cnf": "a key"}, "", CLAIM),
        ({"aud": "https://bank.example"}, "", Reason.WRONG_AUDIENCE),
    ],
)
def test_it_is_looked_at_without_key_binding_too(
    forger: Forger, claims: dict[str, Any], behind: str, reason: Reason
) -> None:
    shown = f"{forger.token(forger.payload(claims))}~{forger.name}~{behind}"
    report = forger.world.counter().verify(shown, require_key_binding=False)
    assert report.reasons == {reason}


class TestTheJsonForm:
    @staticmethod
    def of(forger: Forger, **more: Any) -> dict[str, Any]:
        token, *disclosures, binding = forger.shown().split("~")
        protected, payload, signature = token.split(".")
        header = {"disclosures": disclosures, "kb_jwt": binding, **more}
        return {"payload": payload, "protected": protected, "signature": signature, "header": header}

    def test_is_verified_as_the_compact_one_is(self, forger: Forger) -> None:
        counter = forger.world.counter()
        report = counter.verify(json.dumps(self.of(forger)), audience=COUNTER, nonce=NONCE)
        assert report.passed
        assert (
            report.require().claims
            == counter.verify(forger.shown(), audience=COUNTER, nonce=NONCE).require().claims
        )
        without = {**self.of(forger), "header": {"disclosures": []}}
        refused = counter.verify(json.dumps(without), audience=COUNTER, nonce=NONCE)
        assert refused.reasons == {Reason.KEY_BINDING_MISSING}

    def test_needs_no_header_of_its_own(self, forger: Forger) -> None:
        plain = {name: value for name, value in self.of(forger).items() if name != "header"}
        assert SdJwt.from_json(json.dumps(plain)).disclosures == ()

    @pytest.mark.parametrize("more", [{"alg": "none"}, {"typ": "x"}, {"kb_jwt": ""}, {"disclosures": "x"}])
    def test_says_nothing_twice(self, forger: Forger, more: dict[str, Any]) -> None:
        with pytest.raises(MalformedInput):
            SdJwt.from_json(json.dumps(self.of(forger, **more)))

    @pytest.mark.parametrize("header", [{"disclosures": ["x"]}, {"kb_jwt": "y"}, "z"])
    def test_has_disclosures_beside_the_first_signature_only(self, forger: Forger, header: Any) -> None:
        first = self.of(forger)
        payload = first.pop("payload")
        later = {name: first[name] for name in ("protected", "signature")} | {"header": header}
        with pytest.raises(MalformedInput):
            SdJwt.from_json(json.dumps({"payload": payload, "signatures": [first, later]}))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({5: SECONDS + 86400}, Reason.NOT_YET_VALID),
        ({3: "https://other.example"}, Reason.WRONG_AUDIENCE),
        ({65534: 0.5}, FORMAT),
    ],
)
def test_a_status_cwt_is_for_everybody_and_for_now(
    world: MdocWorld, changes: dict[int, Any], reason: Reason | None
) -> None:
    uri, signer = "https://licences.example/status/1", world.pki.signer("status")
    claims = {2: uri, 6: SECONDS, 4: SECONDS + 60, 65534: 60, 65533: StatusList(1024).to_cbor(), **changes}
    chain = x5chain(tuple(one for one in signer.chain if not one.is_self_issued))
    token = sign1(encode(claims), signer, protected={TYP: STATUS_LIST_CWT_TYP}, unprotected={X5CHAIN: chain})
    report = verify_status_token(token, world.trust, uri=uri, at=NOON, revocation=world.revocation)
    assert report.reasons == ({reason} if reason else set())


def an_update_at_no_time(forged: Any) -> None:
    forged.secured["validityInfo"]["expectedUpdate"] = "soon"


def a_namespace_twice(forged: Any) -> None:
    both = {"nameSpaces": [NAMESPACE], "dataElements": {NAMESPACE: ["a"]}}
    forged.secured["deviceKeyInfo"]["keyAuthorizations"] = both


def a_negative_number(forged: Any) -> None:
    forged.secured["valueDigests"][NAMESPACE][-5] = bytes(32)


@pytest.mark.parametrize(
    ("change", "sealed"),
    [
        (an_update_at_no_time, True),
        (a_namespace_twice, True),
        (a_negative_number, True),
    ],
)
def test_an_mdoc_keeps_its_form(world: MdocWorld, change: Callable[[Any], None], *, sealed: bool) -> None:
    """ISO/IEC 18013-5, 9.1.2.4."""
    assert world.look_at(forged(change, sealed=sealed)(world)).reasons == {FORMAT}


@pytest.mark.parametrize(("header", "reasons"), [("unprotected", set()), ("protected", {FORMAT})])
def test_an_mdocs_chain_stands_in_the_unprotected_header(
    world: MdocWorld, header: str, reasons: set[Reason]
) -> None:
    """ISO/IEC 18013-5, 9.1.2.4; all else is as it should be."""

    def signed_anew(forged: Any) -> None:
        chain = x5chain(tuple(one for one in world.signer.chain if not one.is_self_issued))
        where: dict[str, Any] = {header: {X5CHAIN: chain}}
        message = sign1(encode(wrapped(forged.secured)), world.signer, tagged=False, **where)
        forged.issuer_signed["issuerAuth"] = decode(message)

    assert world.look_at(forged(signed_anew)(world)).reasons == reasons


def test_an_mdocs_chain_has_no_strangers(world: MdocWorld) -> None:
    """RFC 9360, 2."""

    def stranger(forged: Any) -> None:
        chain = world.signer.chain
        forged.seal(chain=[chain[0].der, chain[1].der, Pki().signer("mdoc").chain[0].der])

    assert world.look_at(forged(stranger)(world)).reasons == {FORMAT}


@pytest.mark.parametrize("given", [None, "text", 7, b""])
def test_whatever_is_no_mdoc_is_a_report(world: MdocWorld, given: Any) -> None:
    counter = world.mdoc_counter(clock=world.clock)
    assert counter.verify(given, transcript=TRANSCRIPT).reasons == {FORMAT}
    assert counter.verify_issued(given, now=NOON).reasons == {FORMAT}
