"""A status list signed elsewhere than below the issuer's authority: whom the trust list names (TSL, 11.3)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from world.credentials import COUNTER, NONCE
from world.forgery import Forger
from world.listed import LONG_AGO
from world.mdocs import MdocWorld
from world.pki import NOON, TestAuthority

from credentials import samples
from credentials.status_list import StatusList
from credentials.status_snapshot import StatusSnapshot
from credentials.status_tokens import sign_status_jwt
from signing.reasons import Reason
from signing.revocation import Crl, RevocationSnapshot
from signing.trust_list import ListedIssuer, ListedType, ServingList, TrustList
from yinxin.base.text import Text

HOST = "licences.jincheng.example"


@pytest.mark.parametrize(
    ("hosts", "names_signer", "reasons"),
    [
        ((), False, {Reason.STATUS_UNKNOWN}),
        (("other.jincheng.example",), False, {Reason.STATUS_UNKNOWN}),
        ((HOST,), False, set()),
        ((), True, set()),
    ],
)
def test_it_counts_where_the_trust_list_names_who_signed_it_or_where_it_stands(
    hosts: tuple[str, ...], reasons: set[Reason], *, names_signer: bool
) -> None:
    world = MdocWorld()
    other = TestAuthority("另一签发机构", issuer=world.pki.root)
    signer, forger = other.issue("状态", "status"), Forger(world)
    revocation = RevocationSnapshot(
        Crl.from_der(one.crl(NOON)) for one in (world.pki.root, world.pki.issuing, other)
    )
    payload = forger.payload()
    agency = world.agency.certificate.subject
    subjects = (agency, signer.certificate.subject) if names_signer else (agency,)
    types = (ListedType(payload["vct"], "granted", LONG_AGO, samples.AGENCY.credit_code),)
    named = ListedIssuer(Text("局", "bureau"), _agency_in(payload), subjects, hosts, types)
    day = timedelta(days=1)
    listed = TrustList("city", 1, 1, NOON - day, NOON + day, (), (named,), "ab" * 32)
    uri = payload["status"]["status_list"]["uri"]
    token = sign_status_jwt(StatusList(1024), signer, uri=uri, at=NOON, ttl=day, lifetime=day).decode()
    snapshot = StatusSnapshot.from_token(token, world.trust, uri=uri, at=NOON, revocation=revocation)
    counter = world.counter(
        statuses={uri: snapshot}, revocation=revocation, trust_list=ServingList(listed, timedelta(0))
    )
    report = counter.verify(forger.shown(payload), audience=COUNTER, nonce=NONCE)
    assert report.reasons == reasons


def _agency_in(payload: dict[str, str]) -> str:
    """The agency in the licence's identifier."""
    return payload["licence_identifier"].split(".")[5]
