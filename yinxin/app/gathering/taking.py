"""What is taken of what addresses answer, and what is refused: somebody may stand on the way.

Addresses are mostly plain http. A signature says whose word an answer is, and dates say which word is newer;
so what is refused here is what is nobody's word, an older word, or a word about something else. What was
taken before stays then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from signing.path.facts import facts_of
from signing.places import read_bag
from yinxin.app.gathering.hand import is_issued_by
from yinxin.base.errors import Conflict, MalformedInput, NotFound, NotPermitted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from signing.certificates import Certificate
    from signing.revocation import Crl, OcspAnswer

MAX_ISSUERS = 16


def take_list(
    crl: Crl,
    *,
    kept: Crl | None,
    signers: Iterable[Certificate],
    about: Collection[Certificate],
    latest: datetime,
) -> None:
    """Refuse a list that must not take the place of `kept`.

    `signers` are the certificates at hand that have the name of its issuer; where they are none and nobody
    said which certificates it is about, the list is judged when it is used. `latest` is the newest date that
    an honest list can have.
    """
    if crl.this_update > latest:
        raise MalformedInput("crl", "made in the future")
    known = list(signers)
    if known and not any(crl.is_signed_by(one) for one in known):
        raise MalformedInput("crl", "not signed by the authority that it names")
    if not known and about:
        raise NotFound("the certificate of its signer is not at hand")
    if crl.problem:
        raise MalformedInput("crl", crl.problem)
    if about and not any(crl.reasons_for(one) for one in about):
        raise Conflict("a list of other certificates")
    _check_against(crl, kept, about=about)


def _check_against(crl: Crl, kept: Crl | None, *, about: Collection[Certificate]) -> None:
    if kept is None:
        return
    # An old list that is still in time would give back a certificate that is revoked meanwhile.
    if crl.this_update < kept.this_update or crl.issuer_der != kept.issuer_der:
        raise Conflict("older than the list at hand, or another authority's")
    if crl.is_delta != kept.is_delta or (not about and crl.scope != kept.scope):
        raise Conflict("a list of another kind than the one at hand")


def take_answer(
    answer: OcspAnswer,
    *,
    kept: OcspAnswer | None,
    certificate: Certificate,
    issuer: Certificate,
    latest: datetime,
) -> None:
    """Refuse an answer that is not the issuer's newest word about this certificate."""
    single = answer.about(certificate, issuer)
    if single is None:
        raise NotFound("the responder says nothing of this certificate")
    if not answer.is_signed_for(issuer):
        raise MalformedInput("ocsp", "not signed by the issuer or a responder of its own")
    if single.this_update > latest:
        raise MalformedInput("ocsp", "made in the future")
    if single.status == "unknown":
        raise NotFound("the responder does not know this certificate")
    before = kept.about(certificate, issuer) if kept else None
    if before and single.this_update < before.this_update:
        raise Conflict("older than the answer at hand")


def take_issuers(
    data: bytes, *, below: Collection[Certificate], of_list: Crl | None = None
) -> tuple[Certificate, ...]:
    """The certificates of a bag that did sign what their address stands in; `NotPermitted` when none did."""
    taken = []
    for candidate in read_bag(data)[:MAX_ISSUERS]:
        signs = facts_of(candidate).is_authority and any(is_issued_by(one, candidate) for one in below)
        signs = signs or (of_list is not None and of_list.is_signed_by(candidate))
        # A root is trusted by decision: one that the network brings leads nowhere.
        if signs and not is_issued_by(candidate, candidate):
            taken.append(candidate)
    if not taken:
        raise NotPermitted("no certificate there signed what points to it")
    return tuple(taken)
