# ruff: noqa: E501 - a case is a row of a table
"""mdocs that must not pass, each with its clause and the reason that the counter gives.

`sealed` cases are those of an agency's own key that signs what it must not; the others are what anybody
can do with a response in hand.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from world.credentials import COUNTER, NONCE
from world.mdocs import ELEMENTS, NAMESPACE, TRANSCRIPT, MdocForger, MdocWorld, forged, wrapped
from world.pki import NOON, Pki

from credentials.mdoc import dc_api_transcript, openid4vp_transcript
from credentials.mdoc.structures import (
    MAX_BYTES,
    TAGS,
    moment,
    read_issuer_signed,
    read_response,
    read_security_object,
)
from signing.cbor import Tag, decode, encode
from signing.cose import ALG, CRIT, KID, X5CHAIN, sign1, x5chain
from signing.cose.keys import key_to_cose
from signing.reasons import Reason
from signing.report import Indication
from signing.signers.file import FileSigner
from yinxin.base.errors import YinxinError

if TYPE_CHECKING:
    from collections.abc import Callable

OTHER_NAMESPACE = "cn.jincheng.tax.1"


class Case(NamedTuple):
    name: str
    clause: str
    reason: Reason
    make: Callable[[MdocWorld], bytes]


def item(**changes: Any) -> Callable[[MdocForger], None]:
    """Another first item, in place of the one that the agency signed."""

    def change(forger: MdocForger) -> None:
        forger.items[0].update(changes)
        forger.rewrite_items()

    return change


def unsigned_item(forger: MdocForger) -> None:
    new = {"digestID": 99, "random": bytes(16), "elementIdentifier": "tax_free", "elementValue": True}
    forger.items.append(new)
    forger.rewrite_items()


def foreign_namespace(forger: MdocForger) -> None:
    new = {"digestID": 0, "random": bytes(16), "elementIdentifier": "tax_free", "elementValue": True}
    forger.issuer_signed["nameSpaces"][OTHER_NAMESPACE] = [wrapped(new)]


def moved_namespace(forger: MdocForger) -> None:
    shown = forger.issuer_signed["nameSpaces"]
    shown[OTHER_NAMESPACE] = shown.pop(NAMESPACE)


def repeated_item(forger: MdocForger) -> None:
    forger.items.append(forger.items[0])
    forger.rewrite_items()


def repeated_element(forger: MdocForger) -> None:
    """The agency's own: two digests for one element, so that readers differ in which counts."""
    first = dict(forger.items[0], digestID=90, elementValue="另一个")
    forger.items.append(first)
    forger.rewrite_items()
    forger.secured["valueDigests"][NAMESPACE][90] = _digest(first)


def short_random(forger: MdocForger) -> None:
    forger.items[0]["random"] = bytes(15)
    forger.rewrite_items()
    forger.secured["valueDigests"][NAMESPACE][forger.items[0]["digestID"]] = _digest(forger.items[0])


def _digest(value: dict[str, Any]) -> bytes:
    return hashlib.sha256(encode(wrapped(value))).digest()


def secured(**changes: Any) -> Callable[[MdocForger], None]:
    """The agency signs this security object; None leaves a member out."""

    def change(forger: MdocForger) -> None:
        for name, value in changes.items():
            if value is None:
                forger.secured.pop(name)
            else:
                forger.secured[name] = value

    return change


def times(**changes: Any) -> Callable[[MdocForger], None]:
    def change(forger: MdocForger) -> None:
        forger.secured["validityInfo"].update(changes)

    return change


def doc_type(forger: MdocForger) -> None:
    forger.document["docType"] = "cn.jincheng.licence.bank.1"
    forger.authenticate()


def signed_by_a_stranger(forger: MdocForger) -> None:
    stranger = Pki().signer("mdoc", "津城市市场监督管理局")
    forger.seal(stranger)


def signed_by_a_stranger_under_our_chain(forger: MdocForger) -> None:
    chain = x5chain(forger.world.signer.chain[:2])
    forger.seal(FileSigner.generate(), chain=chain)


def signed_with(use: str) -> Callable[[MdocForger], None]:
    return lambda forger: forger.seal(forger.world.pki.signer(use, "津城市市场监督管理局"))


def self_signed(forger: MdocForger) -> None:
    forger.seal(FileSigner.generate(), chain=forger.world.pki.root.certificate.der)


def authentication(index: int, value: Any) -> Callable[[MdocForger], None]:
    def change(forger: MdocForger) -> None:
        forger.issuer_signed["issuerAuth"][index] = value

    return change


def unprotected(changes: dict[Any, Any]) -> Callable[[MdocForger], None]:
    return lambda forger: forger.issuer_signed["issuerAuth"][1].update(changes)


def protected(header: Any) -> Callable[[MdocForger], None]:
    return authentication(0, encode(header))


def device(**options: Any) -> Callable[[MdocForger], None]:
    return lambda forger: forger.authenticate(**options)


def by_another_device(forger: MdocForger) -> None:
    forger.authenticate(FileSigner.generate())


def proof(value: Any) -> Callable[[MdocForger], None]:
    def change(forger: MdocForger) -> None:
        forger.document["deviceSigned"]["deviceAuth"] = value

    return change


def both_proofs(forger: MdocForger) -> None:
    found = forger.device_signed["deviceAuth"]
    found["deviceMac"] = [encode({1: 5}), {}, None, bytes(32)]


def attached_proof(forger: MdocForger) -> None:
    """The device's message brings its own content: what it signed is not this session."""
    message = sign1(b"another session", forger.world.baker, tagged=False)
    forger.document["deviceSigned"]["deviceAuth"] = {"deviceSignature": decode(message)}


def without(name: str) -> Callable[[MdocForger], None]:
    return lambda forger: forger.document.pop(name)


def response(**changes: Any) -> Callable[[MdocForger], None]:
    return lambda forger: forger.response.update(changes)


def two_documents(forger: MdocForger) -> None:
    forger.response["documents"].append(forger.document)


def other_holders_elements(forger: MdocForger) -> None:
    """Elements of one licence under the agency's signature of another one."""
    other = MdocForger(forger.world)
    forger.issuer_signed["nameSpaces"] = other.issuer_signed["nameSpaces"]


def other_licence(forger: MdocForger) -> None:
    """The whole of another holder's licence, under this device's signature."""
    neighbour = FileSigner.generate()
    issued = forger.world.issue_mdoc(holder_key=neighbour.public_key)
    theirs = read_issuer_signed(issued)
    assert theirs.namespaces
    forger.document["issuerSigned"] = decode(issued, tags=TAGS)


def cut(size: int) -> Callable[[MdocForger], bytes]:
    return lambda forger: forger.bytes()[:size]


def raw(data: bytes) -> Callable[[MdocForger], bytes]:
    return lambda _: data


def longer_form(forger: MdocForger) -> bytes:
    """A longer form of a length: the same content, another encoding."""
    good = forger.bytes()
    assert good[0] == 0xA3
    return b"\xb8\x03" + good[1:]


def device_key(value: Any) -> Callable[[MdocForger], None]:
    return secured(deviceKeyInfo={"deviceKey": value})


POINT = dict(key_to_cose(FileSigner.generate().public_key))
LATER = NOON + timedelta(days=1)

ANYBODY = [
    Case("another value", "9.3.1, 3", Reason.DISCLOSURE_INVALID, forged(item(elementValue="银行"))),
    Case("another name", "9.3.1, 3", Reason.DISCLOSURE_INVALID, forged(item(elementIdentifier="bank"))),
    Case("another random", "9.3.1, 3", Reason.DISCLOSURE_INVALID, forged(item(random=bytes(16)))),
    Case("a member more", "9.3.1, 3", Reason.DISCLOSURE_INVALID, forged(item(extra=1))),
    Case("a number of nothing", "9.3.1, 3", Reason.DISCLOSURE_INVALID, forged(item(digestID=77))),
    Case("a negative number", "9.1.2.5", Reason.DISCLOSURE_INVALID, forged(item(digestID=-1))),
    Case("a number that is true", "9.1.2.5", Reason.DISCLOSURE_INVALID, forged(item(digestID=True))),
    Case("a number too large", "9.1.2.5", Reason.DISCLOSURE_INVALID, forged(item(digestID=1 << 31))),
    Case("an element without a name", "8.3.2.1.2.2", Reason.FORMAT_FAILURE, forged(item(elementIdentifier=""))),
    Case("an element more", "9.3.1, 3", Reason.DISCLOSURE_INVALID, forged(unsigned_item)),
    Case("a namespace of nobody", "9.3.1, 3", Reason.DISCLOSURE_INVALID, forged(foreign_namespace)),
    Case("a namespace renamed", "9.3.1, 3", Reason.DISCLOSURE_INVALID, forged(moved_namespace)),
    Case("one item twice", "9.1.2.5", Reason.DISCLOSURE_INVALID, forged(repeated_item)),
    Case("elements of another licence", "9.3.1, 3", Reason.DISCLOSURE_INVALID, forged(other_holders_elements)),
    Case("another's licence", "9.1.3", Reason.KEY_BINDING_INVALID, forged(other_licence)),
    Case("another type outside", "9.3.1, 4", Reason.WRONG_TYPE, forged(doc_type)),
    Case("a stranger's agency", "9.3.1, 1", Reason.NO_CERTIFICATE_CHAIN_FOUND, forged(signed_by_a_stranger)),
    Case("a stranger's signature", "9.3.1, 2", Reason.SIG_CRYPTO_FAILURE, forged(signed_by_a_stranger_under_our_chain)),
    Case("the root's certificate", "9.3.1, 2", Reason.SIG_CRYPTO_FAILURE, forged(self_signed)),
    Case("a seal's key", "B.1.4", Reason.WRONG_KEY_USAGE, forged(signed_with("seal"))),
    Case("a key of SD-JWT VC", "B.1.4", Reason.WRONG_KEY_USAGE, forged(signed_with("credential"))),
    Case("a key of status lists", "B.1.4", Reason.WRONG_KEY_USAGE, forged(signed_with("status"))),
    Case("no signature", "9.3.1, 2", Reason.SIG_CRYPTO_FAILURE, forged(authentication(3, b""))),
    Case("zeros for a signature", "9.3.1, 2", Reason.SIG_CRYPTO_FAILURE, forged(authentication(3, bytes(64)))),
    Case("no content", "9.1.2.4", Reason.SIG_CRYPTO_FAILURE, forged(authentication(2, None))),
    Case("another content", "9.3.1, 2", Reason.SIG_CRYPTO_FAILURE, forged(authentication(2, b"\xf6"))),
    Case("no algorithm", "RFC 9052, 3.1", Reason.ALGORITHM_NOT_ALLOWED, forged(protected({}))),
    Case("algorithm none", "RFC 9052, 3.1", Reason.ALGORITHM_NOT_ALLOWED, forged(protected({ALG: 0}))),
    Case("another algorithm", "RFC 9053, 2.1", Reason.SIG_CRYPTO_FAILURE, forged(protected({ALG: -35}))),
    Case("an algorithm of codes", "RFC 9053, 3.1", Reason.ALGORITHM_NOT_ALLOWED, forged(protected({ALG: 5}))),
    Case("crit that nobody knows", "RFC 9052, 3.1", Reason.FORMAT_FAILURE, forged(protected({ALG: -7, CRIT: ["x"], "x": 1}))),
    Case("crit unprotected", "RFC 9052, 3.1", Reason.FORMAT_FAILURE, forged(unprotected({CRIT: [ALG]}))),
    Case("the algorithm twice", "RFC 9052, 3", Reason.FORMAT_FAILURE, forged(unprotected({ALG: -7}))),
    Case("kid that is a text", "RFC 9052, 3.1", Reason.FORMAT_FAILURE, forged(unprotected({KID: "k"}))),
    Case("no chain", "9.1.2.4", Reason.SIGNING_CERTIFICATE_MISSING, forged(authentication(1, {}))),
    Case("an empty chain", "RFC 9360, 2", Reason.FORMAT_FAILURE, forged(authentication(1, {X5CHAIN: []}))),
    Case("a chain of texts", "RFC 9360, 2", Reason.FORMAT_FAILURE, forged(authentication(1, {X5CHAIN: ["x", "y"]}))),
    Case("a chain in a map", "RFC 9360, 2", Reason.FORMAT_FAILURE, forged(authentication(1, {X5CHAIN: {}}))),
    Case("a chain of chains", "RFC 9360, 2", Reason.FORMAT_FAILURE, forged(authentication(1, {X5CHAIN: [[b""], [b""]]}))),
    Case("one certificate in a list", "RFC 9360, 2", Reason.FORMAT_FAILURE, forged(lambda f: f.seal(chain=[f.world.signer.chain[0].der]))),
    Case("a chain of empty strings", "RFC 9360, 2", Reason.FORMAT_FAILURE, forged(authentication(1, {X5CHAIN: [b"", b""]}))),
    Case("no certificate", "RFC 9360, 2", Reason.FORMAT_FAILURE, forged(authentication(1, {X5CHAIN: b"\x30\x00"}))),
    Case("a chain too long", "limits", Reason.TOO_LARGE, forged(authentication(1, {X5CHAIN: [b"\x30\x00"] * 9}))),
    Case("three parts", "RFC 9052, 4.2", Reason.FORMAT_FAILURE, forged(lambda f: f.issuer_signed.update(issuerAuth=[b"", {}, b""]))),
    Case("another device", "9.1.3.4", Reason.KEY_BINDING_INVALID, forged(by_another_device)),
    Case("another nonce", "OpenID4VP, B.2.6", Reason.KEY_BINDING_INVALID, forged(device(
        transcript=openid4vp_transcript(client_id=f"x509_san_dns:{COUNTER}", nonce="another", response_uri=COUNTER)))),
    Case("another verifier", "OpenID4VP, B.2.6", Reason.KEY_BINDING_INVALID, forged(device(
        transcript=openid4vp_transcript(client_id="x509_san_dns:evil.example", nonce=NONCE, response_uri=COUNTER)))),
    Case("another address", "OpenID4VP, B.2.6", Reason.KEY_BINDING_INVALID, forged(device(
        transcript=openid4vp_transcript(client_id=f"x509_san_dns:{COUNTER}", nonce=NONCE, response_uri="https://evil.example")))),
    Case("the API's handover", "OpenID4VP, B.2.6", Reason.KEY_BINDING_INVALID, forged(device(
        transcript=dc_api_transcript(origin=COUNTER, nonce=NONCE)))),
    Case("no device at all", "9.1.3", Reason.KEY_BINDING_MISSING, forged(without("deviceSigned"))),
    Case("no proof", "9.1.3.4", Reason.FORMAT_FAILURE, forged(proof({}))),
    Case("two proofs", "9.1.3.4", Reason.FORMAT_FAILURE, forged(both_proofs)),
    Case("a code for nobody", "9.1.3.5", Reason.KEY_BINDING_INVALID, forged(proof({"deviceMac": [encode({1: 5}), {}, None, bytes(32)]}))),
    Case("the device's own content", "9.1.3.4", Reason.KEY_BINDING_INVALID, forged(attached_proof)),
    Case("a proof that is a text", "9.1.3.4", Reason.FORMAT_FAILURE, forged(proof({"deviceSignature": "yes"}))),
    Case("elements of the device", "9.1.2.4", Reason.CLAIM_NOT_ALLOWED, forged(device(namespaces={NAMESPACE: {"name": "银行"}}))),
    Case("two documents", "OpenID4VP, B.2", Reason.FORMAT_FAILURE, forged(two_documents)),
    Case("no document", "OpenID4VP, B.2", Reason.FORMAT_FAILURE, forged(response(documents=[]))),
    Case("an error for an answer", "8.3.2.1.2.3", Reason.FORMAT_FAILURE, forged(response(status=10))),
    Case("a status that is false", "8.3.2.1.2.3", Reason.FORMAT_FAILURE, forged(response(status=False))),
    Case("another version", "8.3.2.1.2.2", Reason.FORMAT_FAILURE, forged(response(version="1.1"))),
    Case("documents that are a map", "8.3.2.1.2.2", Reason.FORMAT_FAILURE, forged(response(documents={}))),
    Case("elements under another name", "8.3.2.1.2.2", Reason.FORMAT_FAILURE, forged(lambda f: f.issuer_signed.update(x=f.issuer_signed.pop("nameSpaces")))),
    Case("no issuer", "8.3.2.1.2.2", Reason.FORMAT_FAILURE, forged(without("issuerSigned"))),
    Case("no type", "8.3.2.1.2.2", Reason.FORMAT_FAILURE, forged(without("docType"))),
    Case("nothing", "8.3.2.1.2.2", Reason.FORMAT_FAILURE, forged(raw(b""))),
    Case("a text", "8.3.2.1.2.2", Reason.FORMAT_FAILURE, forged(raw(encode("mdoc")))),
    Case("cut off", "RFC 8949, 3", Reason.FORMAT_FAILURE, forged(cut(300))),
    Case("a byte more", "RFC 8949, 3", Reason.FORMAT_FAILURE, forged(lambda forger: forger.bytes() + b"\0")),
    Case("a longer form", "RFC 8949, 4.2.1", Reason.FORMAT_FAILURE, forged(longer_form)),
    Case("a key twice", "RFC 8949, 5.6", Reason.FORMAT_FAILURE, forged(raw(b"\xa2\x66status\x00\x66status\x00"))),
    Case("an endless array", "RFC 8949, 3.2", Reason.FORMAT_FAILURE, forged(raw(b"\x9f" * 50))),
    Case("nested deeply", "limits", Reason.TOO_LARGE, forged(raw(b"\x81" * 200 + b"\0"))),
    Case("too many bytes", "limits", Reason.TOO_LARGE, forged(raw(bytes(MAX_BYTES + 1)))),
    Case("a tag that is not expected", "RFC 8949, 3.4", Reason.FORMAT_FAILURE, forged(raw(encode(Tag(37, b""))))),
]  # fmt: skip

AGENCY = [
    Case("one element under two numbers", "8.3.2.1.2.2", Reason.DISCLOSURE_INVALID, forged(repeated_element, sealed=True)),
    Case("a short random", "9.1.2.5", Reason.DISCLOSURE_INVALID, forged(short_random, sealed=True)),
    Case("another type inside", "9.3.1, 4", Reason.WRONG_TYPE, forged(secured(docType="cn.jincheng.licence.bank.1"), sealed=True)),
    Case("SHA-1", "9.1.2.5", Reason.ALGORITHM_NOT_ALLOWED, forged(secured(digestAlgorithm="SHA-1"), sealed=True)),
    Case("another digest than named", "9.1.2.5", Reason.DISCLOSURE_INVALID, forged(secured(digestAlgorithm="SHA-512"), sealed=True)),
    Case("another version inside", "9.1.2.4", Reason.FORMAT_FAILURE, forged(secured(version="0.9"), sealed=True)),
    Case("no digests", "9.1.2.4", Reason.FORMAT_FAILURE, forged(secured(valueDigests=None), sealed=True)),
    Case("digests in a list", "9.1.2.4", Reason.FORMAT_FAILURE, forged(secured(valueDigests={NAMESPACE: [b""]}), sealed=True)),
    Case("digests that are texts", "9.1.2.4", Reason.FORMAT_FAILURE, forged(secured(valueDigests={NAMESPACE: {0: ""}}), sealed=True)),
    Case("empty digests", "9.3.1, 3", Reason.DISCLOSURE_INVALID, forged(secured(valueDigests={NAMESPACE: dict.fromkeys(range(9), b"")}), sealed=True)),
    Case("no times", "9.1.2.4", Reason.FORMAT_FAILURE, forged(secured(validityInfo=None), sealed=True)),
    Case("ended", "9.3.1, 5", Reason.EXPIRED, forged(times(validUntil=moment(NOON - timedelta(seconds=1))), sealed=True)),
    Case("not begun", "9.3.1, 5", Reason.NOT_YET_VALID, forged(times(validFrom=moment(LATER)), sealed=True)),
    Case("signed tomorrow", "9.1.2.4", Reason.CLAIM_INVALID, forged(times(signed=moment(LATER), validFrom=moment(LATER)), sealed=True)),
    Case("signed after it begins", "9.1.2.4", Reason.CLAIM_INVALID, forged(times(validFrom=moment(NOON - timedelta(days=2))), sealed=True)),
    Case("ends before it begins", "9.1.2.4", Reason.CLAIM_INVALID, forged(times(validUntil=moment(NOON - timedelta(days=3))), sealed=True)),
    Case("signed before the certificate", "9.3.1, 1", Reason.CERTIFICATE_NOT_YET_VALID, forged(
        times(signed=moment(NOON - timedelta(days=900)), validFrom=moment(NOON - timedelta(days=900))), sealed=True)),
    Case("a time with a fraction", "7.2.1", Reason.FORMAT_FAILURE, forged(times(validUntil=Tag(0, "2027-01-01T00:00:00.5Z")), sealed=True)),
    Case("a time of another zone", "7.2.1", Reason.FORMAT_FAILURE, forged(times(validUntil=Tag(0, "2027-01-01T00:00:00+08:00")), sealed=True)),
    Case("a time without a tag", "7.2.1", Reason.FORMAT_FAILURE, forged(times(validUntil="2027-01-01T00:00:00Z"), sealed=True)),
    Case("a time of seconds", "7.2.1", Reason.FORMAT_FAILURE, forged(times(validUntil=Tag(1, 1798761600)), sealed=True)),
    Case("the thirteenth month", "7.2.1", Reason.FORMAT_FAILURE, forged(times(validUntil=Tag(0, "2027-13-01T00:00:00Z")), sealed=True)),
    Case("the thirty-first of February", "7.2.1", Reason.FORMAT_FAILURE, forged(times(validUntil=Tag(0, "2027-02-31T00:00:00Z")), sealed=True)),
    Case("another device key", "9.1.3.4", Reason.KEY_BINDING_INVALID, forged(device_key(POINT), sealed=True)),
    Case("no device key", "9.1.2.4", Reason.FORMAT_FAILURE, forged(secured(deviceKeyInfo={}), sealed=True)),
    Case("a private device key", "RFC 9053, 7.1", Reason.CLAIM_INVALID, forged(device_key({**POINT, -4: bytes(32)}), sealed=True)),
    Case("a point of no curve", "RFC 9053, 7.1", Reason.CLAIM_INVALID, forged(device_key({**POINT, -3: bytes(32)}), sealed=True)),
    Case("a short coordinate", "RFC 9053, 7.1", Reason.CLAIM_INVALID, forged(device_key({**POINT, -2: bytes(31)}), sealed=True)),
    Case("a compressed point of another key", "9.1.3.4", Reason.KEY_BINDING_INVALID, forged(device_key({**POINT, -3: True}), sealed=True)),
    Case("a sign bit that is a number", "RFC 9053, 7.1.1", Reason.CLAIM_INVALID, forged(device_key({**POINT, -3: 1}), sealed=True)),
    Case("a curve of nobody", "RFC 9053, 7.1", Reason.CLAIM_INVALID, forged(device_key({**POINT, -1: 99}), sealed=True)),
    Case("a symmetric key", "RFC 9053, 7.3", Reason.CLAIM_INVALID, forged(device_key({1: 4, -1: bytes(32)}), sealed=True)),
    Case("a device key that is a list", "RFC 9053, 7.1", Reason.CLAIM_INVALID, forged(device_key([]), sealed=True)),
    Case("a status that leads nowhere", "TSL, 6.3", Reason.STATUS_REFERENCE_INVALID, forged(secured(status={"status_list": {}}), sealed=True)),
    Case("a status of a negative place", "TSL, 6.3", Reason.STATUS_REFERENCE_INVALID, forged(
        secured(status={"status_list": {"uri": "https://a.example", "idx": -1}}), sealed=True)),
    Case("a status that nobody has", "TSL, 8.3", Reason.STATUS_UNKNOWN, forged(
        secured(status={"status_list": {"uri": "https://a.example", "idx": 1}}), sealed=True)),
    Case("authorisations in a list", "9.1.2.4", Reason.FORMAT_FAILURE, forged(
        secured(deviceKeyInfo={"deviceKey": POINT, "keyAuthorizations": []}), sealed=True)),
]  # fmt: skip

CASES = [*ANYBODY, *AGENCY]


@pytest.fixture(scope="module")
def world(pki: Pki) -> MdocWorld:
    return MdocWorld(pki)


@pytest.fixture(scope="module")
def good(world: MdocWorld) -> bytes:
    """A response that passes."""
    return world.show(None, *ELEMENTS)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_it_does_not_pass_and_says_why(world: MdocWorld, case: Case) -> None:
    report = world.look_at(case.make(world))
    assert report.indication is not Indication.PASSED
    assert case.reason in report.reasons, report.to_json()


def test_every_case_has_a_name_of_its_own() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


def test_what_the_forger_leaves_alone_passes(world: MdocWorld) -> None:
    for sealed in (False, True):
        response = forged(lambda _: None, sealed=sealed)(world)
        assert world.look_at(response).passed
    assert world.look_at(forged(device())(world)).passed


@pytest.mark.parametrize("allowed", [{"nameSpaces": [NAMESPACE]}, {"dataElements": {NAMESPACE: ["mood"]}}])
def test_a_device_says_what_the_issuer_let_it_say(world: MdocWorld, allowed: dict[str, Any]) -> None:
    def let(forger: MdocForger) -> None:
        forger.secured["deviceKeyInfo"]["keyAuthorizations"] = allowed
        forger.authenticate(namespaces={NAMESPACE: {"mood": "good"}})

    report = world.look_at(forged(let, sealed=True)(world))
    assert "mood" not in report.require().elements[NAMESPACE]  # said by the device, not by the agency


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_flipped_bit_fails(world: MdocWorld, good: bytes, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(good) * 8 - 1))
    changed = bytearray(good)
    changed[place // 8] ^= 1 << place % 8
    assert not world.look_at(bytes(changed)).passed


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=200))
def test_only_our_errors_come_out_of_any_bytes(data: bytes) -> None:
    for read in (read_response, read_issuer_signed):
        with pytest.raises(YinxinError):
            read(data)
    with pytest.raises(YinxinError):
        read_security_object(Tag(24, data))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.binary(max_size=4) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.integers(-4, 4) | st.text(max_size=3), inner, max_size=3)
        | st.builds(Tag, st.sampled_from((0, 24, 1004)), inner)
    ),
    max_leaves=5,
)
NAMES = st.sampled_from(
    ("documents", "docType", "issuerSigned", "deviceSigned", "nameSpaces", "issuerAuth", "status", "version")
)


@settings(max_examples=150, deadline=None)
@given(name=NAMES, value=VALUES)
def test_any_value_in_any_place_becomes_a_verdict(
    world: MdocWorld, good: bytes, name: str, value: Any
) -> None:
    response = decode(good, tags=TAGS)
    document = response["documents"][0]
    for place in (response, document, document["issuerSigned"], document["deviceSigned"]):
        if name in place:
            place[name] = value
    report = world.mdoc_counter().verify(encode(response), transcript=TRANSCRIPT)
    assert not report.passed or response == decode(good, tags=TAGS)
