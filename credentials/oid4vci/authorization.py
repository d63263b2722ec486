"""The authorization code flow: pushed requests, the person's decision, and the code's redemption.

PAR, PKCE S256 and DPoP are demanded of everybody, and answers name their issuer (RFC 9207), so that a code is
of use to nobody but the wallet that asked, and no other server's answer is taken for ours.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from credentials.gate import is_of
from credentials.oid4vci import vocabulary as names
from credentials.oid4vci.errors import Refused
from credentials.oid4vci.grants import Authority, actor_of, open_grant, revoke
from credentials.oid4vci.offering import REDEEMED, chosen, is_open
from credentials.oid4vci.offers import Flow
from credentials.oid4vci.pushed import PushedRequest, challenge_is_met, read_pushed_request
from credentials.oid4vci.repository import Authorization, IssuanceRepository, OfferedLicence, digest_of
from credentials.repository import LicenceRepository
from signing.base64url import encode_base64url
from yinxin.base import audit
from yinxin.base.actor import system
from yinxin.base.randomness import random_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from credentials.copies import CopyMaker
    from credentials.licence import Licence
    from credentials.oid4vci.clients import WalletClient
    from credentials.oid4vci.dpop import DpopProof
    from credentials.oid4vci.forms import CopyForms
    from credentials.oid4vci.login import SignedIn, SignIn
    from credentials.oid4vci.requests import CodeRequest
    from yinxin.base.database import Session

PUSHED, GRANTED, ENDED = "pushed", "granted", "ended"
_SYSTEM = system("oid4vci")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the person is asked: which wallet wants licences of which types, and where its answer goes."""

    request_uri: str
    client_id: str
    redirect_uri: str
    configurations: tuple[str, ...]
    tries_left: int


@dataclass(frozen=True, slots=True)
class Answered:
    """Where the browser goes next."""

    location: str


class AuthorizationDesk:
    """Where wallets ask and holders answer."""

    def __init__(
        self,
        copies: CopyMaker,
        forms: CopyForms,
        *,
        clients: Mapping[str, WalletClient],
        sign_in: SignIn,
    ) -> None:
        self._url, self._database, self._agency = copies.url, copies.database, copies.agency
        self._clock, self._randomness = copies.clock, copies.randomness
        self._forms = forms
        self._clients, self._sign_in, self._index = clients, sign_in, copies.index

    def push(self, session: Session, form: Mapping[str, str], proof: DpopProof | None) -> dict[str, Any]:
        """Keep a request and name it (RFC 9126, 2.2)."""
        request = read_pushed_request(
            form,
            clients=self._clients,
            configurations=self._forms,
            proven_key=proof.thumbprint if proof else None,
        )
        handle, now = random_text(self._randomness, 32), self._clock.now()
        repository = IssuanceRepository(session)
        offer = self._offer_of(repository, request, now)
        repository.add(
            Authorization(
                id=random_text(self._randomness),
                request=digest_of(handle),
                state=PUSHED,
                client_id=request.client_id,
                redirect_uri=request.redirect_uri,
                client_state=request.state,
                challenge=request.challenge,
                key_thumbprint=request.key_thumbprint,
                wanted=request.wanted,
                by_details=request.by_details,
                expires_at=now + names.REQUEST_LIFE,
                offer=offer,
            )
        )
        life = int(names.REQUEST_LIFE.total_seconds())
        return {"request_uri": names.REQUEST_URI_PREFIX + handle, "expires_in": life}

    def ask(self, query: Mapping[str, str]) -> Asked:
        """What to ask the person; looking changes nothing. `Refused` when there is no such request."""
        with self._database.reading() as session:
            found = self._find(session, query, lock=False)
        return Asked(
            query["request_uri"],
            found.client_id,
            found.redirect_uri,
            found.wanted,
            names.LOGIN_TRIES - found.tries,
        )

    def answer(self, form: Mapping[str, str]) -> Asked | Answered:
        """The person's decision: where to go, or the same question again after a wrong sign-in."""
        with self._database.transaction() as session:
            found = self._find(session, form, lock=True)
            if form.get("decision") != "approve":
                return self._end(session, found)
            person = self._sign_in.authenticate(session, form.get("login_code", ""), now=self._clock.now())
            if person is not None:
                return self._approve(session, found, person)
            if found.tries + 1 >= names.LOGIN_TRIES:
                return self._end(session, found)
            IssuanceRepository(session).change_authorization(found.id, tries=found.tries + 1)
        return self.ask(form)

    def redeem(self, session: Session, request: CodeRequest, proof: DpopProof) -> dict[str, Any] | Refused:
        """The token response for a code, once. A code that comes twice ends what it opened (RFC 6749, 4.1.2).

        Only who shows the right client, key and verifier learns or changes anything.
        """
        repository, now = IssuanceRepository(session), self._clock.now()
        found = repository.authorization_by_code(request.code)
        if found is None or not _belongs(found, request, proof):
            return _wrong_code()
        if found.state == REDEEMED and found.grant_id:
            revoke(session, found.grant_id, reason="authorization code used twice", now=now)
        if found.state != GRANTED or found.expires_at <= now or not self._take_offer(repository, found, now):
            return _wrong_code()
        authority = Authority(
            found.holder or "", found.method or "", found.licences or (), found.by_details, found.client_id
        )
        grant, answer = open_grant(session, authority, proof, now=now, randomness=self._randomness)
        # Kept for a day: until then a second redemption is noticed.
        repository.change_authorization(
            found.id, state=REDEEMED, grant_id=grant.id, expires_at=now + names.COPIES_PERIOD
        )
        if found.offer:
            repository.change_offer(found.offer, state=REDEEMED, grant_id=grant.id)
        audit.record(
            session,
            action="oid4vci.redeem",
            subject=f"grant:{grant.id}",
            actor=actor_of(grant.id),
            at=now,
            details={"authorization": found.id, "authentication": grant.method, "bound": True},
        )
        return answer

    def _find(self, session: Session, values: Mapping[str, str], *, lock: bool) -> Authorization:
        handle = values.get("request_uri", "").removeprefix(names.REQUEST_URI_PREFIX)
        found = IssuanceRepository(session).authorization_by_request(handle, lock=lock)
        is_right = found is not None and found.client_id == values.get("client_id")
        if found is None or not is_right or found.state != PUSHED or found.expires_at <= self._clock.now():
            raise Refused("invalid_request_uri", "this request is unknown, answered, or out of date")
        return found

    def _offer_of(self, repository: IssuanceRepository, request: PushedRequest, now: datetime) -> str | None:
        """The id of the offer that the issuer's state names; it is untrusted, and only ever narrows."""
        if request.issuer_state is None:
            return None
        offer = repository.offer_by_code(request.issuer_state)
        if offer is None or offer.flow != Flow.CODE or not is_open(offer, now):
            raise Refused("invalid_request", "issuer_state is not ours, used, or out of date")
        if not chosen(offer.licences, request.wanted):
            raise Refused("invalid_request", "issuer_state stands for other licences")
        return offer.id

    def _take_offer(self, repository: IssuanceRepository, found: Authorization, now: datetime) -> bool:
        if found.offer is None:
            return True
        offer = repository.offer(found.offer)
        return offer is not None and is_open(offer, now)

    def _approve(self, session: Session, found: Authorization, person: SignedIn) -> Answered:
        licences = self._licences(session, found, person)
        if not licences:
            return self._end(session, found)
        code, now = random_text(self._randomness, 32), self._clock.now()
        IssuanceRepository(session).change_authorization(
            found.id,
            state=GRANTED,
            code=digest_of(code),
            holder=person.holder,
            method=person.method,
            licences=licences,
            expires_at=now + names.CODE_LIFE,
        )
        self._record(session, "oid4vci.authorize", found, {"authentication": person.method})
        return self._redirect(found, {"code": code})

    def _licences(
        self, session: Session, found: Authorization, person: SignedIn
    ) -> tuple[OfferedLicence, ...]:
        repository, now = LicenceRepository(session, index=self._index), self._clock.now()
        if found.offer:
            offer = IssuanceRepository(session).offer(found.offer)
            if offer is None or offer.holder != person.holder:
                return ()
            return tuple(one for one in chosen(offer.licences, found.wanted) if self._is_own(repository, one))
        held = repository.of_holder(person.holder)
        offered = (
            form
            for one in held
            if is_of(one, self._agency) and _holds(repository, one, now)
            for form in self._forms.of(one)
        )
        return tuple(one for one in offered if one.configuration in found.wanted)[: names.MAX_OFFERED]

    def _is_own(self, repository: LicenceRepository, one: OfferedLicence) -> bool:
        licence = repository.by_identifier(one.licence)
        return licence is not None and is_of(licence, self._agency)

    def _end(self, session: Session, found: Authorization) -> Answered:
        IssuanceRepository(session).change_authorization(found.id, state=ENDED)
        self._record(session, "oid4vci.refuse", found, {})
        return self._redirect(found, {"error": "access_denied"})

    def _record(
        self, session: Session, action: str, found: Authorization, details: Mapping[str, str]
    ) -> None:
        audit.record(
            session,
            action=action,
            subject=f"authorization:{found.id}",
            actor=_SYSTEM,
            at=self._clock.now(),
            details={"client": found.client_id, **details},
        )

    def _redirect(self, found: Authorization, answer: Mapping[str, str]) -> Answered:
        values = {**answer, "iss": self._url}
        if found.client_state is not None:
            values["state"] = found.client_state
        joint = "&" if "?" in found.redirect_uri else "?"
        return Answered(found.redirect_uri + joint + urlencode(values))


def _belongs(found: Authorization, request: CodeRequest, proof: DpopProof) -> bool:
    digest = encode_base64url(hashlib.sha256(request.verifier.encode("ascii")).digest())
    return (
        found.client_id == request.client_id
        and request.redirect_uri in {None, found.redirect_uri}
        and challenge_is_met(found.challenge, digest)
        and found.key_thumbprint in {None, proof.thumbprint}
    )


def _holds(repository: LicenceRepository, licence: Licence, now: datetime) -> bool:
    return repository.standing(licence.identifier, as_of=now, known_at=now).holds


def _wrong_code() -> Refused:
    return Refused("invalid_grant", "the code is unknown, used, out of date, or another wallet's")
