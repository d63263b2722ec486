# ruff: noqa: E501 - a case is a row of a table
"""Sentence by sentence through ISO/IEC 18013-5, RFC 9052 and RFC 8949: what an mdoc must not be.

Further rows of `test_hostile_mdocs`: forms that some readers let pass because nobody asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from world.good_credentials import rewritten
from world.mdocs import NAMESPACE, TRANSCRIPT, MdocForger, MdocWorld, forged, wrapped

from signing.cbor import Tag, decode, encode
from signing.cose import X5CHAIN, sign1, x5chain
from signing.cose.keys import key_to_cose
from signing.reasons import Reason
from signing.report import Indication
from signing.signers.file import FileSigner

if TYPE_CHECKING:
    from collections.abc import Callable

FORMAT, CLAIM, ELEMENT = Reason.FORMAT_FAILURE, Reason.CLAIM_INVALID, Reason.DISCLOSURE_INVALID
REFERENCE, BINDING = Reason.STATUS_REFERENCE_INVALID, Reason.KEY_BINDING_INVALID
POINT = dict(key_to_cose(FileSigner.generate().public_key))


class Case(NamedTuple):
    name: str
    clause: str
    reason: Reason
    make: Callable[[MdocWorld], bytes]


def signed(change: Callable[[MdocForger], Any]) -> Callable[[MdocWorld], bytes]:
    """The agency signs it so."""
    return forged(change, sealed=True)


def secured(**changes: Any) -> Callable[[MdocWorld], bytes]:
    return signed(lambda forger: forger.secured.update(changes))


def key(**members: Any) -> Callable[[MdocWorld], bytes]:
    numbers = {"kid": 2, "alg": 3, "key_ops": 4}
    made = {**POINT, **{numbers[name]: value for name, value in members.items()}}
    return secured(deviceKeyInfo={"deviceKey": made})


def element(value: Any) -> Callable[[MdocWorld], bytes]:
    return signed(lambda forger: rewritten(forger, elementValue=value))


def time(**changes: Any) -> Callable[[MdocWorld], bytes]:
    return signed(lambda forger: forger.secured["validityInfo"].update(changes))


def anybody(change: Callable[[MdocForger], Any]) -> Callable[[MdocWorld], bytes]:
    return forged(lambda forger: change(forger) and None)


def response(**changes: Any) -> Callable[[MdocWorld], bytes]:
    return forged(lambda forger: forger.response.update(changes))


def document(**changes: Any) -> Callable[[MdocWorld], bytes]:
    return forged(lambda forger: forger.document.update(changes))


def unwrapped(forger: MdocForger) -> None:
    """A security object that is not encoded twice."""
    chain = x5chain(tuple(one for one in forger.world.signer.chain if not one.is_self_issued))
    message = sign1(encode(forger.secured), forger.world.signer, unprotected={X5CHAIN: chain}, tagged=False)
    forger.issuer_signed["issuerAuth"] = decode(message)


def proof(place: int, value: Any) -> Callable[[MdocWorld], bytes]:
    def change(forger: MdocForger) -> None:
        forger.device_signed["deviceAuth"]["deviceSignature"][place] = value

    return forged(change)


def algorithm_unsigned(forger: MdocForger) -> None:
    found = forger.device_signed["deviceAuth"]["deviceSignature"]
    found[0] = b""
    found[1][1] = -7


def device_says(value: Any) -> Callable[[MdocWorld], bytes]:
    def change(forger: MdocForger) -> None:
        forger.device_signed["nameSpaces"] = value

    return forged(change)


def issuer_header(value: Any) -> Callable[[MdocWorld], bytes]:
    return forged(lambda forger: forger.authentication[1].update({34: value}))


CASES = [
    Case("no digest in any namespace", "9.1.2.4", FORMAT, secured(valueDigests={})),
    Case("a namespace without digests", "9.1.2.4", FORMAT, signed(lambda f: f.secured["valueDigests"].update({"x": {}}))),
    Case("a hash in small letters", "9.1.2.5", Reason.ALGORITHM_NOT_ALLOWED, secured(digestAlgorithm="sha-256")),
    Case("a type that is empty", "9.1.2.4", FORMAT, secured(docType="")),
    Case("a version that is a number", "9.1.2.4", FORMAT, secured(version=1)),
    Case("a security object encoded once", "9.1.2.4", FORMAT, forged(unwrapped)),
    Case("a tagged signature of the issuer", "8.3.2.1.2.2", FORMAT, forged(lambda f: f.issuer_signed.update(issuerAuth=Tag(18, f.authentication)))),
    Case("a tagged signature of the device", "8.3.2.1.2.2", FORMAT, forged(lambda f: f.device_signed["deviceAuth"].update(deviceSignature=Tag(18, f.device_signed["deviceAuth"]["deviceSignature"])))),
    Case("a status that is null", "TSL, 6.3", REFERENCE, secured(status=None)),
    Case("a status that is empty", "TSL, 6.3", REFERENCE, secured(status={})),
    Case("a status that is a list", "TSL, 6.3", REFERENCE, secured(status=[])),
    Case("an address in bytes", "TSL, 6.3", REFERENCE, secured(status={"status_list": {"idx": 1, "uri": b"https://a.example"}})),
    Case("an index that is true", "TSL, 6.3", REFERENCE, secured(status={"status_list": {"idx": True, "uri": "https://a.example"}})),
    Case("a status of another kind alone", "TSL, 6.3", Reason.STATUS_UNKNOWN, secured(status={"identifier_list": {"id": b"1", "uri": "https://a.example"}})),
    Case("a key for another algorithm", "RFC 9052, 7.1", CLAIM, key(alg=-35)),
    Case("a key for no known algorithm", "RFC 9052, 7.1", CLAIM, key(alg=-999)),
    Case("a key's algorithm that is a text", "RFC 9052, 7.1", CLAIM, key(alg="ES256")),
    Case("a key to sign with", "RFC 9052, 7.1", CLAIM, key(key_ops=[1])),
    Case("a key's operations that are a number", "RFC 9052, 7.1", CLAIM, key(key_ops=2)),
    Case("a key's name that is a text", "RFC 9052, 7.1", CLAIM, key(kid="1")),
    Case("keyInfo that is a number", "9.1.2.4", FORMAT, secured(deviceKeyInfo={"deviceKey": POINT, "keyInfo": 7})),
    Case("the thirtieth of February", "RFC 8943, 1.1", ELEMENT, element(Tag(1004, "2027-02-30"))),
    Case("a day with a time", "RFC 8943, 1.1", ELEMENT, element(Tag(1004, "2027-02-28T00:00:00Z"))),
    Case("a day that is a number", "RFC 8943, 1.1", ELEMENT, element(Tag(1004, 7))),
    Case("a time without a zone", "RFC 3339, 5.6", ELEMENT, element(Tag(0, "2027-02-28T10:00:00"))),
    Case("a time in words", "RFC 8949, 3.4.1", ELEMENT, element(Tag(0, "tomorrow"))),
    Case("seconds that are true", "RFC 8949, 3.4.2", ELEMENT, element(Tag(1, True))),
    Case("no day deep inside", "RFC 8943, 1.1", ELEMENT, element([{"a": Tag(1004, "2027-13-01")}])),
    Case("encoded CBOR that is a text", "RFC 8949, 3.4.5.1", ELEMENT, element(Tag(24, "x"))),
    Case("two names that are one in JSON", "RFC 8949, 6.1", FORMAT, element({1: "a", "1": "b"})),
    Case("a leap second", "9.1.2.4", FORMAT, time(validUntil=Tag(0, "2027-01-01T00:00:60Z"))),
    Case("the hour twenty-four", "9.1.2.4", FORMAT, time(validUntil=Tag(0, "2027-01-01T24:00:00Z"))),
    Case("a zone in small letters", "9.1.2.4", FORMAT, time(validUntil=Tag(0, "2027-01-01T00:00:00z"))),
    Case("digits of another script", "9.1.2.4", FORMAT, time(validUntil=Tag(0, "２０２７-01-01T00:00:00Z"))),
    Case("the year nought", "9.1.2.4", FORMAT, time(signed=Tag(0, "0000-01-01T00:00:00Z"))),
    Case("an update that is null", "9.1.2.4", FORMAT, time(expectedUpdate=None)),
    Case("an end in bytes", "9.1.2.4", FORMAT, time(validUntil=b"2027-01-01T00:00:00Z")),
    Case("errors that are a text", "8.3.2.1.2.3", FORMAT, response(documentErrors="10")),
    Case("no error in the errors", "8.3.2.1.2.3", FORMAT, response(documentErrors=[])),
    Case("an error that is true", "8.3.2.1.2.3", FORMAT, document(errors={NAMESPACE: {"age": True}})),
    Case("errors of elements in a list", "8.3.2.1.2.3", FORMAT, document(errors=[NAMESPACE])),
    Case("a member more around it", "8.3.2.1.2.2", FORMAT, response(extra=1)),
    Case("a member more in the document", "8.3.2.1.2.2", FORMAT, document(extra=1)),
    Case("no state", "8.3.2.1.2.2", FORMAT, anybody(lambda f: f.response.pop("status"))),
    Case("no version", "8.3.2.1.2.2", FORMAT, anybody(lambda f: f.response.pop("version"))),
    Case("a namespace without elements", "8.3.2.1.2.2", FORMAT, forged(lambda f: f.issuer_signed["nameSpaces"].update({"x": []}))),
    Case("the device's elements encoded once", "9.1.3.4", FORMAT, device_says({})),
    Case("the device's elements in a text", "9.1.3.4", FORMAT, device_says(wrapped("x"))),
    Case("the device's namespace twice", "RFC 8949, 5.6", FORMAT, device_says(Tag(24, b"\xa2\x61a\xa0\x61a\xa0"))),
    Case("the device says nothing in a namespace", "9.1.3.4", FORMAT, forged(lambda f: f.authenticate(namespaces={"x": {}}))),
    Case("the device's empty content", "9.1.3.4", BINDING, proof(2, b"")),
    Case("the device's zeros", "9.1.3.4", BINDING, proof(3, bytes(64))),
    Case("no algorithm of the device", "RFC 9052, 3.1", Reason.ALGORITHM_NOT_ALLOWED, proof(0, encode({}))),
    Case("the device's algorithm unsigned", "RFC 9052, 3.1", Reason.ALGORITHM_NOT_ALLOWED, forged(algorithm_unsigned)),
    Case("a session of nothing", "9.1.5.1", BINDING, forged(lambda f: f.authenticate(transcript=encode([None, None, None])))),
    Case("a thumbprint of another certificate", "RFC 9360, 2", FORMAT, issuer_header([-16, bytes(32)])),
    Case("a thumbprint alone", "RFC 9360, 2", FORMAT, issuer_header(bytes(32))),
    Case("a thumbprint by an unknown hash", "RFC 9360, 2", FORMAT, issuer_header([-999, bytes(32)])),
]  # fmt: skip


@pytest.fixture(scope="module")
def world() -> MdocWorld:
    return MdocWorld()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_it_does_not_pass_and_says_why(world: MdocWorld, case: Case) -> None:
    report = world.look_at(case.make(world))
    assert report.indication is case.reason.indication is not Indication.PASSED
    assert case.reason in report.reasons, report.to_json()
    report.to_json()


@pytest.mark.parametrize("given", [None, 7, b"\xff", b"", "x", "AA==", "\ud800"])
def test_whatever_is_no_text_of_an_mdoc_is_a_report(world: MdocWorld, given: Any) -> None:
    report = world.mdoc_counter().verify_text(given, transcript=TRANSCRIPT)
    assert report.reasons == {FORMAT}


def test_the_table_is_long_and_every_row_names_its_clause() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 55
    assert all(case.clause for case in CASES)
