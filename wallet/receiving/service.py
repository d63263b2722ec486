"""Receiving licences from issuers (OpenID4VCI 1.0, the wallet's side).

An offer is considered first, which spends nothing; what it leads to is named to the holder; after the yes the
licence is fetched, judged, and only then kept, in one step. Whatever goes wrong on the way leaves the wallet
as it was.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from signing.reasons import Reason
from wallet.keys import HolderKey
from wallet.receiving import delivery as deliveries
from wallet.receiving.authorization import (
    Pending,
    authorization_url,
    check_redirect_uri,
    code_of,
    state_of,
)
from wallet.receiving.considered import ConsideredOffer, consider_offer
from wallet.receiving.errors import IssuerRefused
from wallet.receiving.offers import CredentialOffer, OfferLink, read_identifier
from wallet.receiving.tokens import ask_for_tokens, code_form, pre_authorized_form, refresh_form
from wallet.receiving.wire import MAX_ANSWER_BYTES, Wire, read_json
from wallet.sources import Grant, Source, Way
from yinxin.base.clock import Clock, SystemClock
from yinxin.base.errors import UsageError, YinxinError
from yinxin.base.randomness import Randomness, SystemRandomness, random_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wallet.holder import HeldLicence, Holder
    from wallet.receiving.delivery import Delivery, Wanted
    from wallet.receiving.metadata import OfferedType
    from wallet.receiving.tokens import Tokens
    from wallet.trusted import TrustedParties
    from yinxin.base.outbound import Outbound

DEFAULT_COPIES = 5
ACCEPTED, FAILURE = "credential_accepted", "credential_failure"  # 11.1
DENIED = "credential_request_denied"  # 8.3.1.2: final


class Receiving:
    """The way of licences into one wallet.

    `client_id` is how issuers know this wallet, where they must (the code flow); without one it comes
    anonymously. `allow_http` lets it speak to a loopback address without TLS: for machines under test.
    """

    def __init__(  # noqa: PLR0913 - doors, with defaults
        self,
        holder: Holder,
        outbound: Outbound,
        *,
        trusted: TrustedParties,
        client_id: str | None = None,
        clock: Clock | None = None,
        randomness: Randomness | None = None,
        allow_http: bool = False,
    ) -> None:
        self._holder, self._outbound, self._trusted = holder, outbound, trusted
        self._client_id = client_id
        self._clock, self._randomness = clock or SystemClock(), randomness or SystemRandomness()
        self._allow_http = allow_http

    def consider(self, offer: str) -> ConsideredOffer:
        """What an offer's link leads to; ask the holder with `.consent`. Nothing is spent.

        `OfferRefused` when it, or what its issuer says of itself, is not in order; `Unreachable` and
        `TooLarge` as for any request.
        """
        link, wire = OfferLink.parse(offer, allow_http=self._allow_http), self._wire()
        document = link.document
        if document is None:
            document = read_json(wire.document(link.uri or "", max_bytes=MAX_ANSWER_BYTES))
        return self._consider(wire, CredentialOffer.from_document(document, allow_http=self._allow_http))

    def visit(self, issuer: str, types: Sequence[str]) -> ConsideredOffer:
        """The same without an offer: licence types (configurations) of an issuer that the holder names."""
        identifier = read_identifier(issuer, allow_http=self._allow_http)
        if not types:
            raise UsageError("name the licence types that are asked for")
        return self._consider(self._wire(), CredentialOffer(identifier, tuple(types)))

    def accept(
        self, considered: ConsideredOffer, *, tx_code: str | None = None, copies: int = DEFAULT_COPIES
    ) -> list[HeldLicence]:
        """Fetch, verify and keep what was offered, after the holder agreed.

        `UsageError` when the code of the offer is missing or has another form; `IssuerRefused` when the
        issuer says no; `DeliveryRefused` when what came is not in order. Nothing is kept then. Of several
        licences those come that the issuer does not deny.
        """
        offer = considered.offer
        _check_copies(copies)
        if offer.code is None:
            raise UsageError("this offer asks for a sign-in at the issuer: begin_authorization")
        form = pre_authorized_form(offer.code, _checked_tx_code(considered, tx_code))
        wire, key = self._wire(), HolderKey.generate() if considered.server.has_dpop else None
        tokens = ask_for_tokens(wire, considered.server, form, key=key, client_id=self._client_id)
        return self._collect(wire, considered, tokens, key=key, client_id=self._client_id, copies=copies)

    def begin_authorization(
        self, issuer: str | ConsideredOffer, types: Sequence[str] = (), *, redirect_uri: str
    ) -> str:
        """Where the holder's browser goes to sign in at an issuer, for an offer or for types of its own.

        The answer comes to `redirect_uri`, by which the issuer knows this wallet beside its `client_id`; hand
        it to `finish_authorization` within half an hour.
        """
        if self._client_id is None:
            raise UsageError("signing in at an issuer needs the client_id by which it knows this wallet")
        considered = issuer if isinstance(issuer, ConsideredOffer) else self.visit(issuer, types)
        pending = Pending.begin(
            considered,
            redirect_uri=check_redirect_uri(redirect_uri),
            client_id=self._client_id,
            now=self._clock.now(),
            randomness=self._randomness,
        )
        url = authorization_url(self._wire(), considered, pending)
        self._holder.remember_sign_in(pending.state, pending.to_dict())
        return url

    def finish_authorization(self, callback: str, *, copies: int = DEFAULT_COPIES) -> list[HeldLicence]:
        """Take the answer that the browser brought, and fetch, verify and keep the licences.

        `NotFound` for an answer to nothing that was begun, or that came before; `NotPermitted` for one from
        another server; else errors as in `accept`.
        """
        _check_copies(copies)
        pending = Pending.from_dict(self._holder.take_sign_in(state_of(callback)))
        wire = self._wire()
        offer = CredentialOffer(pending.issuer, pending.configurations, server=pending.server)
        considered = self._consider(wire, offer)
        code = code_of(callback, pending, names_itself=considered.server.names_itself)
        form = code_form(code, verifier=pending.verifier, redirect_uri=pending.redirect_uri)
        tokens = ask_for_tokens(wire, considered.server, form, key=pending.key, client_id=pending.client_id)
        return self._collect(
            wire, considered, tokens, key=pending.key, client_id=pending.client_id, copies=copies
        )

    def refresh(self, licence_id: str, *, copies: int = DEFAULT_COPIES) -> HeldLicence:
        """Fetch new copies of a licence by the grant that it came with; used ones are thrown away.

        So are all that its issuer ended. When a next version comes, the copies of the one before stay to be
        looked at and are shown no more.
        `NotFound` when the wallet has no grant for it, `Conflict` while another program does the same.
        """
        _check_copies(copies)
        source, grant = self._holder.begin_refresh(licence_id)
        try:
            return self._refresh(licence_id, source, grant, copies)
        finally:
            self._holder.end_refresh(grant.id)

    def swap(self, *, copies: int = DEFAULT_COPIES) -> list[HeldLicence]:
        """Refresh each licence whose copies its issuer ended: the next version comes, or nothing does."""
        fresh = []
        for held in self._holder.licences():
            if not held.can_refresh or held.replaced_by:
                continue
            if Reason.CREDENTIAL_REVOKED in self._holder.report(held.id, self._trusted).reasons:
                with suppress(IssuerRefused):  # it ended, and nothing took its place
                    fresh.append(self.refresh(held.id, copies=copies))
        return fresh

    def _refresh(self, licence_id: str, source: Source, grant: Grant, copies: int) -> HeldLicence:
        wire = self._wire()
        offer = CredentialOffer(grant.issuer, _configurations(source), server=grant.server)
        considered = self._consider(wire, offer)
        tokens = ask_for_tokens(
            wire,
            considered.server,
            refresh_form(grant.refresh_token),
            key=grant.key,
            client_id=grant.client_id,
        )
        if tokens.refresh is not None:  # the old one is spent: whatever happens next, the new one counts
            grant = replace(grant, refresh_token=tokens.refresh)
            self._holder.keep_grant(grant)
        ended = Reason.CREDENTIAL_REVOKED in self._holder.report(licence_id, self._trusted).reasons
        named = {way.configuration: way.identifier for way in source.ways}
        wanted = [
            deliveries.Wanted(
                self._source(considered, kind, named[kind.configuration], grant.id),
                _versions_of(kind, considered),
                licence_id,
                ended,
            )
            for kind in considered.types
        ]
        held = self._keep(
            wire, considered, tokens, wanted, grant=grant, client_id=grant.client_id, copies=copies
        )
        return held[0]

    def _consider(self, wire: Wire, offer: CredentialOffer) -> ConsideredOffer:
        return consider_offer(wire, offer, trusted=self._trusted, allow_http=self._allow_http)

    def _collect(  # noqa: PLR0913 - what came of the token request
        self,
        wire: Wire,
        considered: ConsideredOffer,
        tokens: Tokens,
        *,
        key: HolderKey | None,
        client_id: str | None,
        copies: int,
    ) -> list[HeldLicence]:
        grant = None
        if tokens.refresh is not None:
            identifier = random_text(self._randomness)
            server = considered.server.issuer
            grant = Grant(identifier, considered.issuer, server, tokens.refresh, key, client_id)
        wanted = [
            deliveries.Wanted(
                self._source(considered, kind, named, grant.id if grant else None),
                frozenset({kind.vct}),
            )
            for kind in considered.types
            for named in tokens.identifiers.get(kind.configuration, (None,))
        ]
        return self._keep(wire, considered, tokens, wanted, grant=grant, client_id=client_id, copies=copies)

    @staticmethod
    def _source(
        considered: ConsideredOffer, kind: OfferedType, identifier: str | None, grant: str | None
    ) -> Source:
        way = Way(kind.configuration, identifier, kind.form)
        return Source(considered.issuer, considered.issuer_name, (way,), kind.name, kind.labels, grant)

    def _keep(  # noqa: PLR0913 - what came of the token request
        self,
        wire: Wire,
        considered: ConsideredOffer,
        tokens: Tokens,
        wanted: Sequence[Wanted],
        *,
        grant: Grant | None,
        client_id: str | None,
        copies: int,
    ) -> list[HeldLicence]:
        """Fetch all, judge all, keep all in one step, and tell the issuer which way it went."""
        came: list[Delivery] = []
        try:
            came.extend(self._deliveries(wire, considered, tokens, wanted, client_id, copies))
            arrivals = deliveries.judge_all(came, self._trusted)
            held = self._holder.keep(arrivals, grant=grant)
        except YinxinError:
            self._tell(wire, considered, tokens, came, FAILURE)
            raise
        self._tell(wire, considered, tokens, came, ACCEPTED)
        return held

    def _deliveries(  # noqa: PLR0913, PLR0917 - as above
        self,
        wire: Wire,
        considered: ConsideredOffer,
        tokens: Tokens,
        wanted: Sequence[Wanted],
        client_id: str | None,
        copies: int,
    ) -> Iterator[Delivery]:
        """One after the other; what is denied is left out, unless nothing else came."""
        denied: IssuerRefused | None = None
        count = 0
        for one in wanted:
            try:
                brought = deliveries.fetch(
                    wire,
                    considered.metadata,
                    tokens.access,
                    one,
                    copies=copies,
                    client_id=client_id,
                    now=self._clock.now(),
                )
            except IssuerRefused as refused:
                if refused.error != DENIED:
                    raise
                denied = refused
            else:
                count += 1
                yield brought
        if denied is not None and not count:
            raise denied

    @staticmethod
    def _tell(
        wire: Wire, considered: ConsideredOffer, tokens: Tokens, came: Sequence[Delivery], event: str
    ) -> None:
        with suppress(YinxinError):  # a courtesy (11): the wallet's state does not hang on it
            deliveries.notify(wire, considered.metadata, tokens.access, came, event)

    def _wire(self) -> Wire:
        return Wire(self._outbound, clock=self._clock, randomness=self._randomness)


def _versions_of(kind: OfferedType, considered: ConsideredOffer) -> frozenset[str]:
    """The types that a licence's next copies may be of: its kind may have a new version since."""
    every = [one for one in considered.metadata.types.values() if one.form == kind.form]
    same = {one.vct for one in every if kind.scope is not None and one.scope == kind.scope}
    return frozenset({kind.vct, *same})


def _configurations(source: Source) -> tuple[str, ...]:
    return tuple(way.configuration for way in source.ways)


def _check_copies(copies: int) -> None:
    if copies < 1:
        raise UsageError("at least one copy is needed")


def _checked_tx_code(considered: ConsideredOffer, tx_code: str | None) -> str | None:
    """The code as it is sent; the form is checked here, so that a slip does not use up a try."""
    wanted = considered.tx_code
    if wanted is None:
        return None
    given = (tx_code or "").strip()
    if not given or len(given) > 64 or not given.isascii() or not given.isprintable():
        raise UsageError("this offer needs the code that the issuing authority gave you apart from the link")
    if wanted.length is not None and len(given) != wanted.length:
        raise UsageError(f"the code has {wanted.length} characters; check it and try again")
    if wanted.is_numeric and not given.isdigit():
        raise UsageError("the code has digits only; check it and try again")
    return given
