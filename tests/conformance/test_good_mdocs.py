# ruff: noqa: E501 - a case is a row of a table
"""Good mdocs: whoever refuses one of these is stricter than the standards (clauses of ISO/IEC 18013-5).

Each row names the clause that allows it. What must not pass stands in `tests/credentials`.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from world.credentials import COUNTER, NONCE
from world.good_credentials import FairWorld, Good, rewritten
from world.mdocs import ELEMENTS, NAMESPACE, TRANSCRIPT, MdocForger, wrapped
from world.pki import NOON

from credentials.mdoc import dc_api_transcript, openid4vp_transcript
from credentials.mdoc.device_key import mac_key
from credentials.mdoc.presenting import device_authentication
from credentials.mdoc.structures import moment
from signing.base64url import encode_base64url
from signing.cbor import Tag, decode, encode
from signing.cose import KID, X5CHAIN, sign1, x5chain
from signing.cose.keys import key_to_cose
from signing.signers.file import FileSigner

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from signing.report import Report


def several_namespaces(forger: MdocForger) -> None:
    """A second namespace with elements of its own, numbered as the first one is."""
    more = {"digestID": 0, "random": bytes(range(32)), "elementIdentifier": "name", "elementValue": "另一个"}
    forger.issuer_signed["nameSpaces"]["org.example.2"] = [wrapped(more)]
    forger.secured["valueDigests"]["org.example.2"] = {
        0: hashlib.sha256(encode(wrapped(more))).digest(),
        9: bytes(32),
    }


def digests_by(name: str) -> Callable[[MdocForger], None]:
    def change(forger: MdocForger) -> None:
        forger.secured["digestAlgorithm"] = name
        rewritten(forger, name.replace("-", "").lower())

    return change


def secured(**changes: Any) -> Callable[[MdocForger], None]:
    return lambda forger: forger.secured.update(changes)


def device_key(**members: Any) -> Callable[[MdocForger], None]:
    numbers = {"kid": 2, "alg": 3, "key_ops": 4}

    def change(forger: MdocForger) -> None:
        key = {
            **key_to_cose(forger.world.baker.public_key),
            **{numbers[name]: value for name, value in members.items()},
        }
        forger.secured["deviceKeyInfo"]["deviceKey"] = key

    return change


def authorised(**parts: Any) -> Callable[[MdocForger], None]:
    def change(forger: MdocForger) -> None:
        forger.secured["deviceKeyInfo"]["keyAuthorizations"] = parts
        forger.authenticate(namespaces={NAMESPACE: {"mood": "good"}})

    return change


def sealed_by(kind: str, number: int | None = None) -> Callable[[FairWorld], Report[Any]]:
    """An agency's key of another kind, or the same algorithm by its newer number (RFC 9864)."""

    def show(w: FairWorld) -> Report[Any]:
        forger = MdocForger(w)
        signer = w.pki.issuing.issue("津城市市场监督管理局", "mdoc", key_kind=kind)
        if number is not None:
            signer.algorithm = replace(signer.algorithm, cose=(number,))
        forger.seal(signer)
        return w.look_at(forger.bytes())

    return show


def with_headers(
    *,
    protected: Mapping[Any, Any] | None = None,
    unprotected: Mapping[Any, Any] | None = None,
    root: bool = False,
) -> Callable[[FairWorld], Report[Any]]:
    def show(w: FairWorld) -> Report[Any]:
        forger = MdocForger(w)
        chain = w.signer.chain if root else tuple(one for one in w.signer.chain if not one.is_self_issued)
        header = {X5CHAIN: x5chain(chain), **(unprotected or {})}
        message = sign1(
            encode(wrapped(forger.secured)), w.signer, protected=protected, unprotected=header, tagged=False
        )
        forger.issuer_signed["issuerAuth"] = decode(message)
        return w.look_at(forger.bytes())

    return show


def by_code(w: FairWorld) -> Report[Any]:
    """The device authenticates by a code under a key that it and the reader agree on."""
    reader, forger = ec.generate_private_key(ec.SECP256R1()), MdocForger(w)
    namespaces = encode(wrapped({}))
    signed = device_authentication(TRANSCRIPT, forger.document["docType"], namespaces)
    code = HMAC(mac_key(reader, w.baker.public_key, TRANSCRIPT), SHA256())
    code.update(encode(["MAC0", encode({1: 5}), b"", signed]))
    forger.document["deviceSigned"]["deviceAuth"] = {"deviceMac": [encode({1: 5}), {}, None, code.finalize()]}
    return w.look_at(forger.bytes(), reader_key=reader)


def in_session(transcript: bytes) -> Callable[[FairWorld], Report[Any]]:
    return lambda w: w.look_at(w.show(None, "name", transcript=transcript), transcript=transcript)


def held_by(kind: str, *, halved: bool = False) -> Callable[[FairWorld], Report[Any]]:
    """A device's key of another kind, or with y as its sign bit alone."""

    def show(w: FairWorld) -> Report[Any]:
        holder, forger = FileSigner.generate(kind), MdocForger(w)  # type: ignore[arg-type]
        key = dict(key_to_cose(holder.public_key))
        if halved:
            key[-3] = bool(key[-3][-1] & 1)
        forger.secured["deviceKeyInfo"]["deviceKey"] = key
        forger.seal()
        forger.authenticate(holder)
        return w.look_at(forger.bytes())

    return show


def with_status(form: str) -> Callable[[FairWorld], Report[Any]]:
    def show(w: FairWorld) -> Report[Any]:
        reference = w.status["status_list"]
        response = w.show(w.issue_mdoc(status=(reference["uri"], reference["idx"])), "name")
        counter = w.mdoc_counter(statuses={reference["uri"]: w.listed(form=form).require()})
        return counter.verify(response, transcript=TRANSCRIPT)

    return show


def as_text(w: FairWorld) -> Report[Any]:
    return w.mdoc_counter().verify_text(encode_base64url(w.show(None, "name")), transcript=TRANSCRIPT)


def numbered(number: int) -> Callable[[MdocForger], None]:
    return lambda forger: rewritten(forger, digestID=number)


KEY = FileSigner.generate().public_key
TWO_DAYS = {
    "signed": moment(NOON - timedelta(days=1)),
    "validFrom": moment(NOON),
    "validUntil": moment(NOON + timedelta(days=1)),
}

MDOCS = [
    Good("one element", "8.3.2.1.2.2", lambda w: w.look_at(w.show(None, "name"))),
    Good("every element", "8.3.2.1.2.2", lambda w: w.look_at(w.show(None, *ELEMENTS))),
    Good("no element", "8.3.2.1.2.2", lambda w: w.look_at(w.show(None, disclose={}))),
    Good("several namespaces", "9.1.2.5", lambda w: w.mdoc(several_namespaces)),
    *(Good(f"digests by {name}", "9.1.2.5", lambda w, name=name: w.mdoc(digests_by(name))) for name in ("SHA-256", "SHA-384", "SHA-512")),
    *(Good(f"an agency with {kind}", "9.1.2.4", sealed_by(kind)) for kind in ("P-256", "P-384", "P-521", "Ed25519")),
    *(Good(f"an agency with {kind} by the number {number}", "RFC 9864, 2", sealed_by(kind, number)) for kind, number in (("P-256", -9), ("P-384", -51), ("P-521", -52), ("Ed25519", -19))),
    *(Good(f"a device with {kind}", "9.1.3.4", held_by(kind)) for kind in ("P-384", "P-521", "Ed25519")),
    *(Good(f"a device with half a point on {kind}", "RFC 9053, 7.1.1", held_by(kind, halved=True)) for kind in ("P-256", "P-384", "P-521")),
    Good("a code in place of a signature", "9.1.3.5", by_code),
    Good("a session through the browser's interface", "OpenID4VP, B.2.6.2", in_session(dc_api_transcript(origin=COUNTER, nonce=NONCE, encryption_key=KEY))),
    Good("a session through the browser, unencrypted", "OpenID4VP, B.2.6.2", in_session(dc_api_transcript(origin=COUNTER, nonce=NONCE))),
    Good("an encrypted session", "OpenID4VP, B.2.6.1", in_session(openid4vp_transcript(client_id="x", nonce=NONCE, response_uri=COUNTER, encryption_key=KEY))),
    *(Good(f"an element that is {name}", "7.2.1", lambda w, value=value: w.element(value)) for name, value in (
        ("a day", Tag(1004, "2028-02-29")), ("a time", Tag(0, "2027-01-01T00:00:00Z")), ("a time elsewhere", Tag(0, "2027-01-01T00:00:00.25+08:00")), ("seconds", Tag(1, 1.5)), ("encoded CBOR", Tag(24, b"\xa1\x61a\x01")),
        ("an address", Tag(32, "https://a.example")), ("an identifier", Tag(37, bytes(16))), ("days", Tag(100, 20000)), ("a large number", Tag(2, b"\1" + bytes(20))), ("a large number below zero", Tag(3, b"\1" + bytes(20))),
        ("a part of ten", Tag(4, [-2, 314])), ("a set", Tag(258, [1, 2])), ("a tag in a tag", {"a": [Tag(55799, Tag(1004, "2027-01-01"))]}), ("a tag of nobody", Tag(2**64 - 1, {})),
        ("nothing", None), ("a number", 2**64 - 1), ("below zero", -(2**64)), ("a fraction", 1.1), ("a photograph", b"\xff\xd8" * 80_000), ("an empty text", ""),
        ("nested", {"a": [1, {"b": [b"x", {"c": Tag(1004, "2027-01-01")}]}], "d": {}}), ("numbered", {1: "a", -2: ["b"]}), ("a long text", "面包" * 5000),
    )),
    Good("a long random", "9.1.2.5", lambda w: w.mdoc(lambda f: rewritten(f, random=bytes(48)))),
    *(Good(f"the digest's number {number}", "9.1.2.5", lambda w, number=number: w.mdoc(numbered(number))) for number in (23, 24, 255, 256, 2**31 - 1)),
    Good("an item with a member more", "8.3.2.1.2.2", lambda w: w.mdoc(lambda f: rewritten(f, extra=[1]))),
    Good("the device says what it may, by namespace", "9.1.2.4", lambda w: w.mdoc(authorised(nameSpaces=[NAMESPACE]))),
    Good("the device says what it may, by element", "9.1.2.4", lambda w: w.mdoc(authorised(dataElements={NAMESPACE: ["mood", "x"]}))),
    Good("a key with a name and a use", "RFC 9052, 7.1", lambda w: w.mdoc(device_key(kid=b"1", alg=-7, key_ops=[2]))),
    Good("a key to agree with", "RFC 9053, 6.3.1", lambda w: w.mdoc(device_key(key_ops=[]))),
    Good("an update expected", "9.1.2.4", lambda w: w.mdoc(lambda f: f.secured["validityInfo"].update(expectedUpdate=moment(NOON)))),
    Good("it begins now", "9.3.1, 5", lambda w: w.mdoc(secured(validityInfo=TWO_DAYS))),
    Good("it ends now", "9.3.1, 5", lambda w: w.mdoc(lambda f: f.secured["validityInfo"].update(validUntil=moment(NOON)))),
    Good("members that nobody knows", "9.1.2.4", lambda w: w.mdoc(secured(future={"x": 1}))),
    Good("keyInfo", "9.1.2.4", lambda w: w.mdoc(lambda f: f.secured["deviceKeyInfo"].update(keyInfo={1: "x"}))),
    Good("digests of what is not shown", "9.1.2.5", lambda w: w.mdoc(lambda f: f.secured["valueDigests"].update({"org.example.9": {0: bytes(32)}}))),
    Good("an error for another document", "8.3.2.1.2.3", lambda w: w.mdoc(lambda f: f.response.update(documentErrors=[{"org.iso.18013.5.1.mDL": 10}]), sealed=False)),
    Good("an element that it has not", "8.3.2.1.2.3", lambda w: w.mdoc(lambda f: f.document.update(errors={NAMESPACE: {"age": 0}}), sealed=False)),
    Good("the root sent too", "RFC 9360, 2", with_headers(root=True)),
    Good("a key's name beside the chain", "RFC 9052, 3.1", with_headers(unprotected={KID: b"1"})),
    Good("a label that nobody knows", "RFC 9052, 3.1", with_headers(protected={"x": 1}, unprotected={99: [1]})),
    Good("a status in a list as JWT", "TSL, 6.3", with_status("jwt")),
    Good("a status in a list as CWT", "TSL, 6.3", with_status("cwt")),
    Good("as it travels", "OpenID4VP, B.2.5", as_text),
    Good("as its issuer delivers it", "OpenID4VCI, A.2.4", lambda w: w.mdoc_counter().verify_issued(w.issue_mdoc())),
]  # fmt: skip


@pytest.fixture(scope="module")
def world() -> FairWorld:
    return FairWorld()


@pytest.mark.parametrize("good", MDOCS, ids=lambda good: good.name.replace(" ", "-"))
def test_it_passes(world: FairWorld, good: Good) -> None:
    report = good.show(world)
    assert report.passed, report.to_json()
    report.require()


def test_the_table_is_long_and_every_row_names_its_clause() -> None:
    assert len(MDOCS) >= 50
    assert all(row.clause for row in MDOCS)
