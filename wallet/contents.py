"""What lies in a wallet's store, and how it is changed: keys, copies, sources, grants, sign-ins, the log.

Functions over the decrypted contents, called inside one `Store.update` or on what `Store.read` gave. None
reads a clock or a file.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from credentials.sd_jwt import SdJwt
from credentials.signed_tokens import is_date
from credentials.vocabulary import DELEGATION, LICENCE_IDENTIFIER
from signing.base64url import decode_base64url, encode_base64url
from wallet.keys import HolderKey
from wallet.sources import Grant, Source
from wallet.words import plain
from yinxin.base.errors import Conflict, NotFound, NotPermitted
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from signing.keys import PublicKey
    from wallet.activity import Activity
    from wallet.sources import Arrival

Contents = dict[str, Any]
MAX_SIGN_INS = 20
_UNNAMED = Text("证照", "licence")
REFRESH_PATIENCE = timedelta(minutes=5)  # a program that was killed while it refreshed blocks no longer


@dataclass(frozen=True, slots=True)
class HeldLicence:
    """A licence in the wallet, in one or more copies that cannot be linked to each other.

    `id` is its licence identifier, or the digest of the credential where it names none; `claims` are all
    its claims; `name` is what people call it. `uses` counts the presentations of all copies, `unused` the
    copies that nobody saw yet. `issuer` is who it was received from, None where that is not known; with
    `can_refresh` new copies can be had. `replaced_by` is the licence that came instead: this one is kept to
    be looked at, and shown no more.
    """

    id: str
    vct: str
    claims: Mapping[str, Any]
    received_at: datetime
    copies: int = 1
    uses: int = 0
    unused: int = 0
    name: Text = _UNNAMED
    issuer: Text | None = None
    can_refresh: bool = False
    replaced_by: str | None = None

    @property
    def expires_at(self) -> datetime | None:
        """When it ends by its own words; None when it does not say."""
        end = self.claims.get("exp")
        return datetime.fromtimestamp(end, UTC) if is_date(end) else None


def held_licences(contents: Contents) -> list[HeldLicence]:
    """All licences, newest first."""
    found: dict[str, HeldLicence] = {}
    for row in contents.get("copies", {}).values():
        one = _held(contents, row)
        known = found.get(one.id)
        if known:
            newest = max(known, one, key=lambda item: item.received_at)
            one = replace(
                newest,
                uses=known.uses + one.uses,
                copies=known.copies + 1,
                unused=known.unused + one.unused,
            )
        found[one.id] = one
    return sorted(found.values(), key=lambda item: (item.received_at, item.id), reverse=True)


def held_licence(contents: Contents, licence_id: str) -> HeldLicence:
    """One licence; `NotFound` when the wallet has it not."""
    for item in held_licences(contents):
        if item.id == licence_id:
            return item
    raise NotFound("the wallet has no such licence")


def licence_id_of(credential: str, claims: Mapping[str, Any]) -> str:
    """The name under which a credential is kept."""
    named, delegation = claims.get(LICENCE_IDENTIFIER), claims.get(DELEGATION)
    if isinstance(delegation, str) and delegation:  # an agent's copy is another one than the holder's own
        return f"{named or DELEGATION}#{delegation}"
    if isinstance(named, str) and named:
        return named
    return hashlib.sha256(credential.encode("ascii")).hexdigest()


def add_copy(contents: Contents, credential: str, key: PublicKey | None, licence: str, now: datetime) -> None:
    """Put in a copy for a key of ours that has none yet."""
    own = contents.get("keys", {}).get(key.thumbprint) if key else None
    if key is None or own is None:
        raise NotPermitted("the credential is bound to no key of this wallet")
    if own["copy"] is not None:
        raise Conflict("this key has its credential already")
    copy = hashlib.sha256(credential.encode("ascii")).hexdigest()
    own["copy"] = copy
    row = {"licence": licence, "credential": credential, "key": key.thumbprint, "uses": 0}
    contents.setdefault("copies", {})[copy] = {**row, "received_at": now.isoformat()}


def add_key(contents: Contents, key: HolderKey, now: datetime) -> None:
    """Put in a key that waits for its copy."""
    row = {"secret": encode_base64url(key.to_secret()), "made_at": now.isoformat(), "copy": None}
    contents.setdefault("keys", {})[key.public_key.thumbprint] = row


def unused_keys(contents: Contents) -> int:
    """How many keys wait for a copy."""
    return sum(row["copy"] is None for row in contents.get("keys", {}).values())


def key_of(contents: Contents, row: Mapping[str, Any]) -> HolderKey:
    """The key of a copy."""
    return HolderKey.from_secret(decode_base64url(contents["keys"][row["key"]]["secret"]))


def next_copy(contents: Contents, licence_id: str) -> tuple[str, dict[str, Any]]:
    """The copy to show next: unlinkable as long as there is an unused one."""
    copies = [item for item in contents.get("copies", {}).items() if item[1]["licence"] == licence_id]
    if not copies:
        raise NotFound("the wallet has no such licence")
    chosen: tuple[str, dict[str, Any]] = min(
        copies, key=lambda item: (item[1]["uses"], item[1]["received_at"], item[0])
    )
    return chosen


def copy_to_show(contents: Contents, licence_id: str) -> tuple[str, dict[str, Any]]:
    """As `next_copy`; `Conflict` for a licence that a newer version came instead of."""
    copy, row = next_copy(contents, licence_id)
    if row.get("replaced_by"):
        raise Conflict("a newer version of this licence is in the wallet: show that one")
    return copy, row


def take_in(contents: Contents, arrivals: Sequence[Arrival], now: datetime) -> list[str]:
    """Put in copies that were judged, with their keys and sources; the ids of their licences.

    `Conflict` where another issuer, or another type, has that id already. Used copies of the same licence
    go: fresh ones came for them.
    """
    fresh = {item.licence: item for item in arrivals}
    for licence, item in fresh.items():
        _check_same(contents, licence, item)
        _drop_copies(contents, licence, only_used=item.instead_of != licence)
        if item.instead_of not in {None, licence}:
            _mark_replaced(contents, str(item.instead_of), item)
    for item in arrivals:
        add_key(contents, item.key, now)
        add_copy(contents, item.credential, item.key.public_key, item.licence, now)
    for licence, item in fresh.items():
        contents.setdefault("sources", {})[licence] = item.source.to_dict()
    drop_unused_grants(contents)
    return list(fresh)


def remove_licence(contents: Contents, licence_id: str) -> HeldLicence:
    """Take out a licence with its copies, keys, source and, where nothing else needs it, its grant."""
    gone = held_licence(contents, licence_id)
    _drop_copies(contents, licence_id, only_used=False)
    contents.get("sources", {}).pop(licence_id, None)
    drop_unused_grants(contents)
    return gone


def source_of(contents: Contents, licence_id: str) -> Source | None:
    """Where a licence came from; None where that is not known."""
    row = contents.get("sources", {}).get(licence_id)
    return Source.from_dict(row) if row else None


def labels_of(contents: Contents) -> dict[str, dict[str, Text]]:
    """What issuers call the claims of their licences, by the id of the licence."""
    return {name: dict(Source.from_dict(row).labels) for name, row in contents.get("sources", {}).items()}


def take_grant(contents: Contents, licence_id: str, now: datetime) -> tuple[Source, Grant]:
    """Source and grant of a licence, held until `give_grant_back`, so that a token is not used twice."""
    source = source_of(contents, licence_id)
    row = contents.get("grants", {}).get(source.grant) if source and source.grant else None
    if source is None or source.grant is None or row is None:
        held_licence(contents, licence_id)
        raise NotFound("the issuer left no way to new copies; ask it for a new offer")
    busy = row.get("busy_until")
    if busy and now < datetime.fromisoformat(busy):
        raise Conflict("new copies of this licence are being fetched already; try again in some minutes")
    row["busy_until"] = (now + REFRESH_PATIENCE).isoformat()
    return source, Grant.from_dict(source.grant, row)


def give_grant_back(contents: Contents, grant_id: str) -> None:
    """Others may use the grant again."""
    row = contents.get("grants", {}).get(grant_id)
    if row is not None:
        row.pop("busy_until", None)


def keep_grant(contents: Contents, grant: Grant) -> None:
    """Put in a grant, or its renewed token; who holds it goes on holding it."""
    grants = contents.setdefault("grants", {})
    busy = {name: value for name, value in grants.get(grant.id, {}).items() if name == "busy_until"}
    grants[grant.id] = {**grant.to_dict(), **busy}


def drop_unused_grants(contents: Contents) -> None:
    """Throw away grants that no licence needs."""
    needed = {row.get("grant") for row in contents.get("sources", {}).values()}
    for name in set(contents.get("grants", {})) - needed:
        del contents["grants"][name]


def keep_sign_in(contents: Contents, state: str, row: Mapping[str, Any], now: datetime) -> None:
    """Put in a sign-in that was begun; those whose time is over, and the oldest beyond a bound, go."""
    kept = [
        item
        for item in contents.get("sign_ins", {}).items()
        if now < datetime.fromisoformat(item[1]["expires_at"])
    ]
    newest = sorted(kept, key=lambda item: str(item[1]["expires_at"]))[-(MAX_SIGN_INS - 1) :]
    contents["sign_ins"] = {**dict(newest), state: dict(row)}


def take_sign_in(contents: Contents, state: str, now: datetime) -> dict[str, Any]:
    """Take out a sign-in that was begun: its answer counts once."""
    row: dict[str, Any] | None = contents.get("sign_ins", {}).pop(state, None)
    if row is None or now >= datetime.fromisoformat(row["expires_at"]):
        raise NotFound("no sign-in waits for this answer; begin again")
    return row


def log(contents: Contents, entry: Activity) -> None:
    """Add a line to the log."""
    contents.setdefault("activity", []).append(entry.to_dict())


def _held(contents: Contents, row: Mapping[str, Any]) -> HeldLicence:
    claims = SdJwt.parse(row["credential"]).claims
    source = source_of(contents, row["licence"])
    named = plain(claims.get("licence_name", claims.get("vct")))
    return HeldLicence(
        row["licence"],
        str(claims.get("vct", "")),
        claims,
        datetime.fromisoformat(row["received_at"]),
        1,
        row["uses"],
        int(row["uses"] == 0),
        source.name if source else Text(named, named),
        source.issuer_name if source else None,
        bool(source and source.grant in contents.get("grants", {})),
        row.get("replaced_by"),
    )


def _check_same(contents: Contents, licence: str, item: Arrival) -> None:
    """A licence's copies are all of one issuer and of one type, whatever another issuer calls its own."""
    for row in contents.get("copies", {}).values():
        if row["licence"] == licence:
            known = SdJwt.parse(row["credential"]).payload
            if known.get("vct") != item.verified.vct or known.get("iss") != item.verified.claims.get("iss"):
                raise Conflict("the wallet has another issuer's licence of this name")
    source = source_of(contents, licence)
    if source is not None and source.issuer != item.source.issuer:
        raise Conflict("the wallet has another issuer's licence of this name")


def _mark_replaced(contents: Contents, old: str, item: Arrival) -> None:
    """Have the copies of a licence say what came instead, of the same issuer; its grant goes to that one."""
    for row in contents.get("copies", {}).values():
        if row["licence"] == old:
            if SdJwt.parse(row["credential"]).payload.get("iss") != item.verified.claims.get("iss"):
                raise Conflict("another issuer's licence does not take the place of this one")
            row["replaced_by"] = item.licence
    if source := contents.get("sources", {}).get(old):
        source["grant"] = None


def _drop_copies(contents: Contents, licence: str, *, only_used: bool) -> None:
    copies = contents.get("copies", {})
    for copy, row in list(copies.items()):
        if row["licence"] == licence and (row["uses"] or not only_used):
            contents["keys"].pop(copies.pop(copy)["key"], None)
