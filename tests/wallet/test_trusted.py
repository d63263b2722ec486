"""Evidence that a wallet fetches: for whom it trusts, from where certificates say, and for nobody else."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from world.credentials import CredentialWorld
from world.listed import GRANTED, WITHDRAWN, a_list
from world.pki import Pki
from world.requests import AskingCounter

from credentials.oid4vp.client_ids import ClientId
from credentials.oid4vp.refusal import RequestRefused
from credentials.sd_jwt import chain_header
from signing.jose import parse_jws, sign_jws
from signing.reasons import Reason
from signing.trust_list import ServingList
from wallet.copies import FORMS, read_copy
from wallet.trusted import MAX_LISTS, TrustedParties, crl_urls, is_trusted
from yinxin.base.errors import MalformedInput, Unreachable, VerificationFailed
from yinxin.base.outbound import Response

if TYPE_CHECKING:
    from signing.signers.file import FileSigner

LIST, ABOVE = "http://crl.jincheng.example/issuing.crl", "http://crl.jincheng.example/root.crl"


def named(*urls: str) -> Any:
    """The extension that says where lists lie."""
    points = [x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None) for url in urls]
    return ((x509.CRLDistributionPoints(points), False),)


@dataclass
class Lists:
    """Servers of lists; whoever is not here does not answer."""

    answers: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def get(self, url: str, **_: Any) -> Response:
        self.asked.append(url)
        if url not in self.answers:
            raise Unreachable(url)
        return Response(200, {}, self.answers[url])


@pytest.fixture
def world() -> CredentialWorld:
    """A city of its own, whose issuing authority says where the list above it lies."""
    pki = Pki()
    pki.issuing = type(pki.issuing)("列表机构", issuer=pki.root, path_length=0, extra=named(ABOVE))
    return CredentialWorld(pki)


@pytest.fixture
def lists(world: CredentialWorld) -> Lists:
    now = world.clock.now()
    found = Lists({LIST: world.pki.issuing.crl(now), ABOVE: world.pki.root.crl(now)})
    for uri in world.statuses.uris():
        found.answers[uri] = world.statuses.token(uri).encode()
    return found


def agency(world: CredentialWorld, *urls: str) -> FileSigner:
    return world.pki.issuing.issue("发证机关", "credential", extra=named(*(urls or (LIST,))))


def parties(world: CredentialWorld, lists: Lists, **changes: Any) -> TrustedParties:
    return TrustedParties(world.trust, lists, clock=world.clock, **changes)  # type: ignore[arg-type]  # what is used of it


def credential(world: CredentialWorld, signer: FileSigner) -> str:
    claims = {name: value for name, value in world.licence().items() if name != "status"}
    return world.issue(claims, signer=signer)


def test_lists_are_fetched_from_where_the_certificates_say(world: CredentialWorld, lists: Lists) -> None:
    signer = agency(world)
    found = parties(world, lists).verify_copy(read_copy(credential(world, signer)))
    assert found == signer.certificate
    assert lists.asked == [LIST, ABOVE]


def test_a_list_that_cannot_be_had_leaves_it_open(world: CredentialWorld, lists: Lists) -> None:
    for missing in (LIST, ABOVE):
        without = Lists({url: data for url, data in lists.answers.items() if url != missing})
        report = parties(world, without).examine(read_copy(credential(world, agency(world))))
        assert report.reasons == {Reason.REVOCATION_UNKNOWN}
        with pytest.raises(VerificationFailed):
            report.require()


def test_a_list_of_somebody_else_counts_for_nothing(world: CredentialWorld, lists: Lists) -> None:
    now = world.clock.now()
    for data in (Pki().issuing.crl(now), b"", b"\x30\x80", lists.answers[ABOVE]):
        lists.answers[LIST] = data
        report = parties(world, lists).examine(read_copy(credential(world, agency(world))))
        assert report.reasons == {Reason.REVOCATION_UNKNOWN}


def test_a_revoked_issuer_is_found_out(world: CredentialWorld, lists: Lists) -> None:
    signer = agency(world)
    now = world.clock.now()
    world.pki.issuing.revoke(signer.certificate, now - timedelta(hours=2))
    lists.answers[LIST] = world.pki.issuing.crl(now)
    report = parties(world, lists).examine(read_copy(credential(world, signer)))
    assert Reason.CERTIFICATE_REVOKED in report.reasons


def test_nobody_whom_we_do_not_trust_sends_us_anywhere(world: CredentialWorld, lists: Lists) -> None:
    stranger = Pki().issuing.issue("陌生机关", "credential", extra=named("http://10.0.0.1/internal"))
    for signer in (stranger, world.pki.issuing.issue("章", "seal", extra=named(LIST))):
        report = parties(world, lists).examine(read_copy(world.issue(signer=signer)))
        assert not report.passed
    assert lists.asked == []


def test_only_so_many_lists_and_only_from_the_web(world: CredentialWorld, lists: Lists) -> None:
    urls = [f"http://crl.jincheng.example/{number}.crl" for number in range(30)]
    signer = agency(world, "ldap://directory/", "file:///etc/passwd", *urls)
    assert crl_urls(signer.certificate) == tuple(urls[:2])
    parties(world, lists).examine(read_copy(credential(world, signer)))
    assert len(lists.asked) <= MAX_LISTS
    assert all(url.startswith("http://") for url in lists.asked)


def test_the_status_list_is_fetched_last_and_judged(world: CredentialWorld, lists: Lists) -> None:
    signer = agency(world)
    claims = world.licence()
    uri = claims["status"]["status_list"]["uri"]
    text = world.issue(claims, signer=signer)
    keys = world.pki.issuing.issue("状态", "status", extra=named(LIST))
    world.statuses._signer = keys
    lists.answers[uri] = world.statuses.token(uri).encode()
    assert parties(world, lists).examine(read_copy(text)).passed
    assert lists.asked == [LIST, ABOVE, uri, LIST, ABOVE], (
        "what it stands on, the list, and what that stands on"
    )
    world.set_status(claims, 1)
    lists.answers[uri] = world.statuses.token(uri).encode()
    assert Reason.CREDENTIAL_REVOKED in parties(world, lists).examine(read_copy(text)).reasons
    for bad in (b"", b"eyJ", "é".encode(), world.issue(signer=signer).encode()):
        lists.answers[uri] = bad
        assert parties(world, lists).examine(read_copy(text)).reasons == {Reason.STATUS_UNKNOWN}


def test_what_is_no_copy_reaches_nobody() -> None:
    for form in FORMS:
        for text in ("", "~", "eyJ.eyJ.eyJ~", "é~", "a" * 100):
            with pytest.raises(MalformedInput):
                read_copy(text, form)


def test_a_request_and_metadata_are_judged_the_same_way(lists: Lists, world: CredentialWorld) -> None:
    counter = AskingCounter(world.pki)
    signer = world.pki.issuing.issue("核验", "request", extra=named(LIST))
    name = str(ClientId.of(signer.certificate))
    text = counter.sign(counter.request(client_id=ClientId.of(signer.certificate)), signer=signer)
    now = counter.clock.now()
    assert parties(world, lists).read_request(text, client_id=name, now=now).certificate == signer.certificate
    with pytest.raises(RequestRefused):
        parties(world, Lists()).read_request(text, client_id=name, now=now)
    with pytest.raises(RequestRefused):
        parties(world, lists).read_request("no token", client_id=name, now=now)
    vouching = world.pki.issuing.issue("元数据", "metadata", extra=named(LIST))
    said = parse_jws(sign_jws({"a": 1}, vouching, headers={"typ": "x", **chain_header(vouching.chain)}))
    assert is_trusted(parties(world, lists).judge(said, usage="metadata"))
    assert not is_trusted(parties(world, lists).judge(said, usage="request"))
    broken = parse_jws(sign_jws({"a": 1}, vouching, headers={"typ": "x", "x5c": ["%%"]}))
    assert not is_trusted(parties(world, lists).judge(broken, usage="metadata"))


def test_a_wallet_goes_by_a_trust_list(world: CredentialWorld, lists: Lists) -> None:
    signer = agency(world)
    vct = world.licence()["vct"]
    cases = [
        (GRANTED, set()),
        ([], {Reason.ISSUER_NOT_PERMITTED}),
        (WITHDRAWN, {Reason.ISSUER_PERMISSION_WITHDRAWN}),
    ]
    text = credential(world, signer)
    for rows, reasons in cases:
        serving = a_list(signer.certificate, vct, rows)
        assert parties(world, lists, trust_list=serving).examine(read_copy(text)).reasons == reasons
    nothing = parties(world, lists, trust_list=ServingList(None))
    assert nothing.examine(read_copy(text)).reasons == {Reason.TRUST_LIST_UNAVAILABLE}
