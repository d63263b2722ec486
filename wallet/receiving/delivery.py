"""Credential requests, and the judgement on what comes back, before any of it is kept (8; appendix F).

An issuer is believed in nothing but what its certificate vouches for: each copy must be bound to the one key
that was made for it, be of the type that was announced, stand as a licence of an issuer that the wallet
trusts, and be linked to no other copy by a repeated key or status entry. All copies of a licence, in both
forms, say the same: what the holder reads is what every verifier is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from credentials.vocabulary import LICENCE_IDENTIFIER
from wallet.copies import ReadCopy, read_copy
from wallet.keys import HolderKey
from wallet.receiving.errors import DeliveryRefused, IssuerRefused
from wallet.receiving.proofs import key_proof
from wallet.sources import Arrival, Source, Way
from yinxin.base.errors import MalformedInput, Unreachable, VerificationFailed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from wallet.receiving.metadata import IssuerMetadata
    from wallet.receiving.wire import AccessToken, Wire
    from wallet.trusted import TrustedParties

MAX_NOTIFICATION_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """One licence to ask for, in one form. `licence` is the id that the wallet has it under already, if any.

    `source` is where it comes from, with the one `way` to it. `vcts` are the types that it may be of: what
    came is of one of them. `ended`: its issuer's status list says that the copies of it hold no longer.
    """

    source: Source
    vcts: frozenset[str]
    licence: str | None = None
    ended: bool = False

    @property
    def way(self) -> Way:
        """How it is asked for."""
        (way,) = self.source.ways
        return way


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one request brought, not yet judged. `keys` are those that proofs were made for."""

    wanted: Wanted
    credentials: tuple[str, ...]
    keys: tuple[HolderKey, ...]
    notification: str | None


def fetch(  # noqa: PLR0913 - what a request is made of
    wire: Wire,
    issuer: IssuerMetadata,
    token: AccessToken,
    wanted: Wanted,
    *,
    copies: int,
    client_id: str | None,
    now: datetime,
) -> Delivery:
    """Ask for copies of one licence, each for a fresh key.

    Asked once more, with another nonce, when the nonce is refused or the connection breaks: the code that
    opened the way is spent, and nothing else would bring it back.
    """
    keys = tuple(HolderKey.generate() for _ in range(min(copies, issuer.batch_size)))
    way = wanted.way
    body: dict[str, Any] = (
        {"credential_identifier": way.identifier}
        if way.identifier is not None
        else {"credential_configuration_id": way.configuration}
    )
    for last in (False, True):
        try:
            nonce = wire.nonce(issuer.nonce_endpoint) if issuer.nonce_endpoint else None
            proofs = [
                key_proof(key, issuer=issuer.issuer, now=now, nonce=nonce, client_id=client_id)
                for key in keys
            ]
            answer = wire.call(issuer.credential_endpoint, {**body, "proofs": {"jwt": proofs}}, token)
            break
        except IssuerRefused as refused:
            if last or refused.error != "invalid_nonce":
                raise
        except Unreachable:
            if last:
                raise
    return _read(answer, wanted, keys)


def judge_all(deliveries: Sequence[Delivery], trusted: TrustedParties) -> list[Arrival]:
    """The copies as they may be kept, or `DeliveryRefused`: all of them are good, or none is taken."""
    arrivals = [arrival for one in deliveries for arrival in judge(one, trusted)]
    places = [place for one in arrivals if (place := _place_of(one.copy)) is not None]
    if len(set(places)) != len(places):  # also of two forms: both would be seen in one list
        raise DeliveryRefused("two copies share a status entry, by which they could be linked")
    said: dict[str, Mapping[str, Any]] = {}
    for one in arrivals:
        if said.setdefault(one.licence, one.copy.content) != one.copy.content:
            raise DeliveryRefused("two copies of one licence do not say the same")
    return arrivals


def judge(delivery: Delivery, trusted: TrustedParties) -> list[Arrival]:
    """The same of one delivery, whose copies are not yet compared with others."""
    texts, known = delivery.credentials, {key.public_key.thumbprint: key for key in delivery.keys}
    licence = delivery.wanted.licence
    arrivals: list[Arrival] = []
    for text in texts:
        copy = _read_copy(text, delivery.wanted)
        arrival = _verified(copy, _key_of(copy, known), delivery.wanted, licence, trusted)
        if arrivals and arrival.licence != licence:
            raise DeliveryRefused("the copies are of different licences")
        licence = arrival.licence
        arrivals.append(arrival)
    return arrivals


def _read(answer: Mapping[str, Any], wanted: Wanted, keys: tuple[HolderKey, ...]) -> Delivery:
    if "transaction_id" in answer and "credentials" not in answer:
        raise IssuerRefused("issuance_pending", "the licence is not ready; ask for a new offer later")
    rows = answer.get("credentials")
    if not isinstance(rows, list) or not rows:
        raise DeliveryRefused("OpenID4VCI, 8.3: the response holds no credentials")
    if len(rows) > len(keys):
        raise DeliveryRefused("more copies came than were asked for")
    texts = [row.get("credential") if isinstance(row, dict) else None for row in rows]
    if not all(isinstance(text, str) for text in texts):
        raise DeliveryRefused("OpenID4VCI, 8.3: a credential is no text")
    notification = answer.get("notification_id")
    is_text = isinstance(notification, str) and 0 < len(notification) <= MAX_NOTIFICATION_CHARACTERS
    return Delivery(wanted, tuple(map(str, texts)), keys, str(notification) if is_text else None)


def _read_copy(text: str, wanted: Wanted) -> ReadCopy:
    try:
        return read_copy(text, wanted.way.form)
    except MalformedInput as exc:
        raise DeliveryRefused(f"not a credential: {exc.detail}") from exc


def _place_of(copy: ReadCopy) -> tuple[str, str] | None:
    """The list and the entry of a copy that was verified, however its issuer wrote them down."""
    status = copy.claims.get("status")
    entry = status.get("status_list") if isinstance(status, dict) else None
    return (str(entry.get("uri")), str(entry.get("idx"))) if isinstance(entry, dict) else None


def _key_of(copy: ReadCopy, known: dict[str, HolderKey]) -> HolderKey:
    """The key of this copy, which no further copy may have."""
    try:
        bound = copy.key
    except MalformedInput as exc:
        raise DeliveryRefused(f"the credential's key cannot be read: {exc.detail}") from exc
    key = known.pop(bound.thumbprint, None) if bound else None
    if key is None:
        raise DeliveryRefused("a copy is bound to no key of ours, or two to the same")
    return key


def _verified(
    copy: ReadCopy, key: HolderKey, wanted: Wanted, licence: str | None, trusted: TrustedParties
) -> Arrival:
    try:
        certificate = trusted.verify_copy(copy)
    except VerificationFailed as exc:
        raise DeliveryRefused(f"the credential does not verify: {exc.detail}") from exc
    if copy.type not in wanted.vcts:
        raise DeliveryRefused("the credential is of another type than was asked for")
    named = copy.claims.get(LICENCE_IDENTIFIER)
    found = named if isinstance(named, str) and named else licence or copy.digest
    old = wanted.licence if wanted.ended or found != wanted.licence else None
    return Arrival(copy, certificate, key, found, wanted.source, old)


def notify(
    wire: Wire, issuer: IssuerMetadata, token: AccessToken, deliveries: Sequence[Delivery], event: str
) -> None:
    """Tell the issuer what became of its copies (11). `event` is a name of 11.1; errors are the caller's."""
    if issuer.notification_endpoint is None:
        return
    for delivery in deliveries:
        if delivery.notification is not None:
            body = {"notification_id": delivery.notification, "event": event}
            wire.call(issuer.notification_endpoint, body, token)
