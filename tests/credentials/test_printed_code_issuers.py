"""The certificates behind printed codes: sets of issuers, and the published list."""

from __future__ import annotations

from datetime import timedelta

import pytest
from world.pki import Pki
from world.printed import ADDRESS, CATALOGUE, ISSUED, Paper
from world.printed_forgery import (
    Forger,
)

from credentials.printed_code import (
    IssuerCertificate,
    IssuerCertificates,
    PrintedCodeVerifier,
)
from credentials.printed_code.issuers import addresses_from_json
from credentials.printed_code.published import published_list
from signing.jose import dump_json
from signing.trust import TrustStore
from yinxin.base.errors import MalformedInput, UsageError

PAPER = Paper()
FORGER = Forger(PAPER)
CODE = FORGER.code
OTHER = Pki()  # somebody else's authorities


def test_a_set_of_issuers_is_content() -> None:
    one, other = (
        PAPER.issuers(),
        PAPER.issuers(IssuerCertificate("11120199MB0000001X", OTHER.signer("credential").chain)),
    )
    assert one.snapshot_id == PAPER.issuers().snapshot_id != other.snapshot_id
    assert len(one.merged_with(other)) == len(other) == 2
    assert not one.named(b"nobody!!")
    with pytest.raises(UsageError):
        IssuerCertificate("11120199MB0000001X", ())
    with pytest.raises(MalformedInput):
        IssuerCertificate.of(PAPER.signer.chain)  # it names no agency, and nobody else does


def test_the_published_list_is_read_again() -> None:
    made = published_list(PAPER.verifier(), CATALOGUE, now=PAPER.now)
    data = dump_json(made)
    assert IssuerCertificates.from_json(data).snapshot_id == PAPER.issuers().snapshot_id
    assert addresses_from_json(data) == {ADDRESS}
    assert made["issuers"][0]["reasons"] == []
    assert made["expires_at"] - made["made_at"] == 86400, "a day, or until a revocation list ends"
    assert "d" not in made["issuers"][0]["jwk"]


def test_the_published_list_says_what_is_wrong_with_a_certificate() -> None:
    paper = Paper(Pki())
    paper.pki.issuing.revoke(paper.signer.certificate, ISSUED)
    (row,) = published_list(paper.verifier(), CATALOGUE, now=paper.now)["issuers"]
    assert "certificate_revoked" in row["reasons"]
    untrusted = PrintedCodeVerifier(TrustStore(()), issuers=PAPER.issuers(), addresses=[ADDRESS])
    (row,) = published_list(untrusted, CATALOGUE, now=PAPER.now)["issuers"]
    assert row["reasons"] == ["no_certificate_chain_found"]
    short = PAPER.verifier(now=PAPER.now - timedelta(hours=20))
    assert published_list(short, CATALOGUE, now=PAPER.now)["expires_at"] == int(
        (PAPER.now + timedelta(hours=4)).timestamp()
    )


@pytest.mark.parametrize(
    "data",
    [
        b"", b"[]", b"{}", b'{"issuers":7}', b'{"issuers":[7]}', b'{"issuers":[{"agency":"x"}]}',
        b'{"issuers":[{"agency":"x","x5c":[]}]}', b'{"issuers":[{"agency":"x","x5c":["%"]}]}',
        b'{"issuers":[{"agency":"x","x5c":[7]}]}', b'{"issuers":[{"agency":"x","x5c":["AAAA"]}]}',
    ],
)  # fmt: skip
def test_what_is_no_list_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedInput):
        IssuerCertificates.from_json(data)
    if b"issuers" in data:
        with pytest.raises(MalformedInput):
            addresses_from_json(data)
