"""An mdoc from the agency to the counter, and the published one of ISO/IEC 18013-5, Annex D."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from world.credentials import COUNTER, ISSUER, NONCE
from world.mdocs import DOC_TYPE, ELEMENTS, NAMESPACE, TRANSCRIPT, VALID, MdocForger, MdocWorld
from world.pki import NOON

from credentials.mdoc import (
    MdocValidity,
    MdocVerifier,
    dc_api_transcript,
    issue_mdoc,
    mdoc_elements,
    openid4vp_transcript,
)
from credentials.mdoc.structures import read_issuer_signed
from credentials.vocabulary import INVALID, SUSPENDED
from signing.cbor import decode, encode
from signing.certificates import Certificate
from signing.keys import PublicKey
from signing.policy import Policy
from signing.reasons import Reason
from signing.report import Indication
from signing.report.checks import OTHER, kind_of
from signing.signers.file import FileSigner
from signing.trust import TrustStore
from yinxin.base.errors import InvalidClaims, NotFound, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from world.pki import Pki


@pytest.fixture(scope="module")
def world(pki: Pki) -> MdocWorld:
    return MdocWorld(pki)


def test_the_counter_learns_what_the_holder_shows_and_nothing_else(world: MdocWorld) -> None:
    response = world.show(world.issue_mdoc(), "name", "valid_until")
    shown = world.look_at(response).require()
    assert shown.doc_type == DOC_TYPE
    assert shown.elements == {NAMESPACE: {"name": "津城小麦面包坊", "valid_until": "2027-05-19"}}
    assert shown.issuer.common_name == "津城市市场监督管理局"
    assert shown.holder_key == world.baker.public_key
    for secret in ("91120101MA5K3WXY0T", "糕点"):
        assert secret.encode() not in response


def test_the_holder_reads_everything(world: MdocWorld) -> None:
    assert mdoc_elements(world.issue_mdoc()) == {NAMESPACE: {**ELEMENTS, "valid_until": "2027-05-19"}}


def test_nothing_may_be_shown_at_all(world: MdocWorld) -> None:
    report = world.look_at(world.show(None, disclose={}))
    assert report.require().elements == {}


def test_a_device_that_shows_nothing_of_a_namespace_leaves_it_out(world: MdocWorld) -> None:
    response = world.show(None, disclose={NAMESPACE: ()})
    assert b"nameSpaces" not in encode(decode(response, tags=(24,))["documents"][0]["issuerSigned"])
    assert world.look_at(response).passed


def test_numbers_of_digests_say_nothing_of_their_elements(world: MdocWorld) -> None:
    orders = {
        tuple(item.identifier for item in read_issuer_signed(world.issue_mdoc()).namespaces[NAMESPACE])
        for _ in range(12)
    }
    assert len(orders) > 1
    randoms = [decode(item.encoded, tags=(24, 0, 1004)) for item in _items(world)]
    assert len({decode(one.value, tags=(0, 1004))["random"] for one in randoms}) == len(ELEMENTS)


def _items(world: MdocWorld) -> Any:
    return read_issuer_signed(world.issue_mdoc()).namespaces[NAMESPACE]


def test_the_device_key_may_be_of_several_kinds(world: MdocWorld) -> None:
    for kind in ("P-384", "Ed25519"):
        holder = FileSigner.generate(kind)
        issued = world.issue_mdoc(holder_key=holder.public_key)
        assert world.look_at(world.show(issued, holder=holder)).passed
    with pytest.raises(UsageError, match="RSA"):
        world.issue_mdoc(holder_key=FileSigner.generate("RSA-2048").public_key)


def test_every_check_of_an_mdoc_has_a_name_and_a_clause(world: MdocWorld) -> None:
    report = world.look_at(world.show())
    names = {check.name for check in report.checks}
    assert {"document_type", "elements", "mdoc_validity", "device_authentication"} <= names
    assert not names & {"type", "validity", "disclosures", "key_binding"}, "those are of SD-JWT VC"
    assert OTHER not in {kind_of(name) for name in names}
    late = world.look_at(world.show(), now=VALID.ends_at + timedelta(days=1))
    (failed,) = [check for check in late.checks if check.reason is Reason.EXPIRED]
    assert (failed.name, failed.clause) == ("mdoc_validity", "ISO/IEC 18013-5, 9.1.2.4")


def test_without_device_authentication_nothing_is_said_of_who_shows_it(world: MdocWorld) -> None:
    forger = MdocForger(world)
    del forger.document["deviceSigned"]
    report = world.look_at(forger.bytes(), transcript=None, require_device_authentication=False)
    assert report.require().holder_key is None
    with pytest.raises(UsageError, match="transcript"):
        world.mdoc_counter().verify(forger.bytes())


def test_a_status_list_counts_as_it_does_for_other_credentials(world: MdocWorld) -> None:
    claims = world.licence()
    reference = claims["status"]["status_list"]
    response = world.show(world.issue_mdoc(status=(reference["uri"], reference["idx"])))
    assert world.look_at(response).reasons == {Reason.STATUS_UNKNOWN}
    for value, reasons in (
        (None, set()),
        (SUSPENDED, {Reason.CREDENTIAL_SUSPENDED}),
        (INVALID, {Reason.CREDENTIAL_REVOKED}),
    ):
        if value is not None:
            world.set_status(claims, value)
        counter = world.mdoc_counter(statuses=world.snapshots())
        assert counter.verify(response, transcript=TRANSCRIPT).reasons == reasons
    stale = world.mdoc_counter(statuses=world.snapshots())
    late = NOON + timedelta(days=3)
    assert Reason.CREDENTIAL_REVOKED in stale.verify(response, transcript=TRANSCRIPT, now=late).reasons


def test_a_withdrawn_agency_loses_its_mdocs(world: MdocWorld) -> None:
    signer = world.pki.signer("mdoc", "另一机关")
    response = world.show(world.issue_mdoc(signer=signer))
    assert world.look_at(response).passed
    world.pki.issuing.revoke(signer.certificate, NOON - timedelta(minutes=1))
    try:
        assert world.look_at(response).reasons == {Reason.CERTIFICATE_REVOKED}
    finally:
        del world.pki.issuing.revoked[signer.certificate.serial]


def test_who_may_issue_a_type_is_asked_where_it_is_said(world: MdocWorld) -> None:
    response, subject = world.show(), world.signer.certificate.subject
    for issuers, reasons in (
        ({DOC_TYPE: {subject}}, set()),
        ({"*": {subject}}, set()),
        ({DOC_TYPE: {"CN=another"}, "*": {subject}}, {Reason.ISSUER_NOT_PERMITTED}),
        ({}, {Reason.ISSUER_NOT_PERMITTED}),
    ):
        counter = world.mdoc_counter(issuers=issuers)
        assert counter.verify(response, transcript=TRANSCRIPT).reasons == reasons


def test_an_algorithm_that_the_policy_leaves_out_is_refused(world: MdocWorld) -> None:
    counter = world.mdoc_counter(policy=Policy(algorithms=frozenset({"ES384"})))
    assert Reason.ALGORITHM_NOT_ALLOWED in counter.verify(world.show(), transcript=TRANSCRIPT).reasons


def test_what_cannot_be_issued_is_said_before_signing(world: MdocWorld) -> None:
    with pytest.raises(InvalidClaims):
        issue_mdoc(
            DOC_TYPE,
            {NAMESPACE: {"photo": object()}},
            signer=world.signer,
            holder_key=world.baker.public_key,
            valid=VALID,
        )
    with pytest.raises(UsageError, match="elements"):
        issue_mdoc(DOC_TYPE, {}, signer=world.signer, holder_key=world.baker.public_key, valid=VALID)
    with pytest.raises(UsageError, match="order"):
        MdocValidity(NOON, NOON, NOON)


def test_what_cannot_be_shown_is_said_to_the_holder(world: MdocWorld) -> None:
    with pytest.raises(NotFound, match="no shoe_size"):
        world.show(None, "shoe_size")
    with pytest.raises(UsageError, match="another key"):
        world.show(holder=FileSigner.generate())


def test_handovers_are_those_of_the_specification(vectors: Path) -> None:
    published = json.loads((vectors / "openid4vp" / "handover-vectors.json").read_text())
    jwk = json.loads(published[0]["text"])
    key = PublicKey.from_jwk({name: jwk[name] for name in ("kty", "crv", "x", "y")})
    hexes = [one["hex"] for one in published if one["name"] == "`SessionTranscript` structure"]
    common: dict[str, Any] = {"nonce": "exc7gBkxjx1rdc9udRrveKvSsJIq80avlXeLHhGwqtA", "encryption_key": key}
    by_redirect = openid4vp_transcript(
        client_id="x509_san_dns:example.com", response_uri="https://example.com/response", **common
    )
    by_api = dc_api_transcript(origin="https://example.com", **common)
    assert [by_redirect.hex(), by_api.hex()] == hexes
    assert by_redirect != openid4vp_transcript(client_id=COUNTER, nonce=NONCE, response_uri=ISSUER)


class AnnexD:
    """The published response, its reader and its issuer."""

    def __init__(self, vectors: Path) -> None:
        found = json.loads((vectors / "mdoc" / "iso18013-5-annex-d.json").read_text())
        self.named = {name.removeprefix("ISO_18013_5_ANNEX_D_"): value for name, value in found.items()}
        self.response = self.named_bytes("DEVICE_RESPONSE")
        self.transcript = decode(self.named_bytes("SESSION_TRANSCRIPT_BYTES"), tags=(24,)).value
        self.reader = ec.derive_private_key(int(self.named["EPHEMERAL_READER_KEY_D"], 16), ec.SECP256R1())
        self.at = datetime(2020, 10, 2, tzinfo=UTC)

    def named_bytes(self, name: str) -> bytes:
        return bytes.fromhex(self.named[name])

    def verify(self, response: Any = None, **changes: Any) -> Any:
        trust = TrustStore([Certificate(self.named_bytes("DS_CERT"))])
        options = {"transcript": self.transcript, "reader_key": self.reader, "now": self.at}
        policy = Policy(revocation="if_available", strict_usage=False)
        return MdocVerifier(trust, policy=policy).verify(response or self.response, **{**options, **changes})


@pytest.fixture(scope="module")
def annex(vectors: Path) -> AnnexD:
    return AnnexD(vectors)


def test_the_published_mdoc_verifies_with_its_readers_key(annex: AnnexD) -> None:
    shown = annex.verify().require()
    assert shown.doc_type == "org.iso.18013.5.1.mDL"
    elements = shown.elements["org.iso.18013.5.1"]
    assert (elements["family_name"], elements["document_number"]) == ("Doe", "123456789")
    assert elements["issue_date"] == "2019-10-20"
    assert elements["portrait"].hex() == annex.named["DEVICE_RESPONSE_PORTRAIT_DATA"]


def test_the_published_mdoc_does_not_pass_elsewhere_or_at_another_time(annex: AnnexD) -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    assert annex.verify(reader_key=other).reasons == {Reason.KEY_BINDING_INVALID}
    assert annex.verify(reader_key=None).reasons == {Reason.KEY_BINDING_INVALID}
    assert annex.verify(transcript=TRANSCRIPT).reasons == {Reason.KEY_BINDING_INVALID}
    late = annex.verify(now=datetime(2021, 10, 2, tzinfo=UTC))
    assert late.indication is Indication.FAILED
    assert Reason.EXPIRED in late.reasons


def test_no_byte_of_the_published_mdoc_can_be_changed(annex: AnnexD) -> None:
    """Every 17th byte here; every bit of a response of ours is flipped in the campaign."""
    for place in range(0, len(annex.response), 17):
        changed = bytearray(annex.response)
        changed[place] ^= 0x01
        assert not annex.verify(bytes(changed)).passed, place


def test_a_reader_of_another_kind_of_key_gets_no_further(annex: AnnexD) -> None:
    other = ec.generate_private_key(ec.SECP384R1())
    assert annex.verify(reader_key=other).reasons == {Reason.FORMAT_FAILURE}
