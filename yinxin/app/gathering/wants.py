"""What is wanted: for each certificate at hand, the places where its evidence or its issuer can be had."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from signing.path.facts import facts_of
from signing.places import places_of, places_of_list

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from signing.certificates import Certificate
    from signing.revocation import Crl
    from yinxin.app.gathering.hand import AtHand

MAX_ABOUT = 64  # certificates that one list is tried on


class Kind(StrEnum):
    """What an address is asked for."""

    ISSUER = "issuer"
    LIST = "list"
    DELTA = "delta"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True)
class Want:
    """One thing to be had. `urls` all lead to the same: the first that answers serves.

    `about` are certificates that it is wanted for. `issuer` is who answers for the one of an OCSP answer.
    `of_list` is a list whose signer is looked for.
    """

    kind: Kind
    urls: tuple[str, ...]
    about: tuple[Certificate, ...] = ()
    issuer: Certificate | None = None
    of_list: Crl | None = None

    @property
    def key(self) -> str:
        """The name that it is remembered by."""
        named = self.about[0].fingerprint if self.kind is Kind.ANSWER else self.urls[0]
        return f"{self.kind} {named}"


def wants_of(hand: AtHand, *, lists: Iterable[str], at: datetime) -> list[Want]:
    """Issuers and lists that the certificates at hand name, and the lists that the settings name.

    Certificates that are out of date have no news; what is never revoked has none either.
    """
    found = [Want(Kind.LIST, (url,)) for url in lists]
    loose = ((certificate, places_of(certificate).issuers) for certificate in hand.loose)
    found += [Want(Kind.ISSUER, places, (certificate,)) for certificate, places in loose if places]
    for certificate, _issuer in hand.rooted:
        if is_asked_about(certificate, at):
            named = places_of(certificate)
            found += [Want(Kind.LIST, urls, (certificate,)) for urls in named.lists]
            found += [Want(Kind.DELTA, urls, (certificate,)) for urls in named.deltas]
    return merged(found)


def wants_of_lists(lists: Mapping[str, Crl], wants: Iterable[Want]) -> list[Want]:
    """The delta lists that lists themselves name, for the certificates that those lists are wanted for."""
    about = {want.key: want.about for want in wants}
    found = [
        Want(Kind.DELTA, urls, about[key])
        for key, crl in lists.items()
        if key in about and not crl.is_delta
        for urls in places_of_list(crl).deltas
    ]
    return merged(found)


def answers_of(hand: AtHand, at: datetime) -> Iterator[Want]:
    """What responders can be asked, for each certificate that names one."""
    for certificate, issuer in hand.rooted:
        urls = places_of(certificate).answers
        if urls and is_asked_about(certificate, at):
            yield Want(Kind.ANSWER, urls, (certificate,), issuer)


def is_asked_about(certificate: Certificate, at: datetime) -> bool:
    """Whether its authority has anything to say of it today (RFC 6960, 4.2.2.2.1; RFC 9608)."""
    facts = facts_of(certificate)
    silent = facts.is_never_revoked or (facts.is_ocsp_no_check and not facts.is_authority)
    return not silent and certificate.is_valid_at(at)


def merged(wants: Iterable[Want]) -> list[Want]:
    """One want for each key, about all the certificates together."""
    found: dict[str, Want] = {}
    for want in wants:
        known = found.get(want.key)
        if known is None:
            found[want.key] = want
        elif len(known.about) < MAX_ABOUT:
            about = tuple(dict.fromkeys((*known.about, *want.about)))[:MAX_ABOUT]
            found[want.key] = replace(known, about=about, of_list=known.of_list or want.of_list)
    return list(found.values())
