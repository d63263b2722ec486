"""What lies in a wallet's store, and how it is changed: keys, copies, sources, grants, sign-ins, the log.

Functions over the decrypted contents, called inside one `Store.update` or on what `Store.read` gave. None
reads a clock or a file.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from credentials.dcql import SD_JWT_VC
from credentials.signed_tokens import is_date
from signing.base64url import decode_base64url, encode_base64url
from wallet.copies import FORMS, ReadCopy, read_copy
from wallet.keys import HolderKey
from wallet.sources import Grant, Source
from wallet.words import plain
from yinxin.base.errors import Conflict, NotFound, NotPermitted
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from credentials.copies import CopyForm
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
    its claims; `name` is what people call it. It is here in one or several `forms`: `uses` counts the
    presentations of all, `copies` and `unused` (that nobody saw yet) are of the form that is used up first.
    `issuer` is who it was received from, None where that is not known; with
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
    forms: tuple[CopyForm, ...] = (SD_JWT_VC,)

    @property
    def expires_at(self) -> datetime | None:
        """When it ends by its own words; None when it does not say."""
        end = self.claims.get("exp")
        return datetime.fromtimestamp(end, UTC) if is_date(end) else None


def held_licences(contents: Contents) -> list[HeldLicence]:
    """All licences, newest first."""
    rows: dict[str, dict[CopyForm, list[Mapping[str, Any]]]] = {}
    for row in contents.get("copies", {}).values():
        rows.setdefault(row["licence"], {}).setdefault(form_of(row), []).append(row)
    found = [_held(contents, forms) for forms in rows.values()]
    return sorted(found, key=lambda item: (item.received_at, item.id), reverse=True)


def held_licence(contents: Contents, licence_id: str) -> HeldLicence:
    """One licence; `NotFound` when the wallet has it not."""
    for item in held_licences(contents):
        if item.id == licence_id:
            return item
    raise NotFound("the wallet has no such licence")


def form_of(row: Mapping[str, Any]) -> CopyForm:
    """The form of a copy; wallets were written when there was one."""
    form: CopyForm = row.get("form", SD_JWT_VC)
    return form


def read_row(row: Mapping[str, Any]) -> ReadCopy:
    """What a copy says."""
    return read_copy(row["credential"], form_of(row))


def check_like(contents: Contents, copy: ReadCopy) -> None:
    """`Conflict` when a copy of the same licence that is here says otherwise."""
    rows = [row for row in contents.get("copies", {}).values() if row["licence"] == copy.licence]
    if any(read_row(row).content != copy.content for row in rows):
        raise Conflict("the wallet has a copy of this licence that says otherwise")


def add_copy(contents: Contents, copy: ReadCopy, key: PublicKey | None, licence: str, now: datetime) -> None:
    """Put in a copy for a key of ours that has none yet."""
    own = contents.get("keys", {}).get(key.thumbprint) if key else None
    if key is None or own is None:
        raise NotPermitted("the credential is bound to no key of this wallet")
    if own["copy"] is not None:
        raise Conflict("this key has its credential already")
    own["copy"] = copy.digest
    row = {"licence": licence, "form": copy.form, "credential": copy.text, "key": key.thumbprint, "uses": 0}
    contents.setdefault("copies", {})[copy.digest] = {**row, "received_at": now.isoformat()}


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


def next_copy(
    contents: Contents, licence_id: str, form: CopyForm | None = None
) -> tuple[str, dict[str, Any]]:
    """The copy of a form to show next: unlinkable as long as there is an unused one.

    Without a `form` it is of the first that there is. `NotFound` when there is none.
    """
    every = [item for item in contents.get("copies", {}).items() if item[1]["licence"] == licence_id]
    wanted = form or next((one for one in FORMS if any(form_of(row) == one for _, row in every)), None)
    copies = [item for item in every if form_of(item[1]) == wanted]
    if not copies:
        raise NotFound("the wallet has no such licence" + (" in this form" if every else ""))
    chosen: tuple[str, dict[str, Any]] = min(
        copies, key=lambda item: (item[1]["uses"], item[1]["received_at"], item[0])
    )
    return chosen


def copy_to_show(contents: Contents, licence_id: str, form: CopyForm) -> tuple[str, dict[str, Any]]:
    """As `next_copy`; `Conflict` for a licence that a newer version came instead of."""
    copy, row = next_copy(contents, licence_id, form)
    if row.get("replaced_by"):
        raise Conflict("a newer version of this licence is in the wallet: show that one")
    return copy, row


def copies_to_show(contents: Contents, *, now: datetime) -> Iterator[dict[str, Any]]:
    """Of each licence, the copy of each form that would be shown next; none where a newer version came.

    An mdoc ends with its signer's certificate, mostly before its licence: one that has ended is not offered.
    """
    for held in held_licences(contents):
        if held.replaced_by:
            continue
        for form in held.forms:
            row = next_copy(contents, held.id, form)[1]
            if form == SD_JWT_VC or now.timestamp() < read_row(row).claims["exp"]:
                yield row


def take_in(contents: Contents, arrivals: Sequence[Arrival], now: datetime) -> list[str]:
    """Put in copies that were judged, with their keys and sources; the ids of their licences.

    `Conflict` where another issuer, or another type, has that id already. Used copies of the same licence
    and form go: fresh ones came for them. So do those that say otherwise than the fresh ones.
    """
    fresh = {(item.licence, item.copy.form): item for item in arrivals}
    for (licence, form), item in fresh.items():
        _check_same(contents, licence, item)
        if item.instead_of == licence:
            _drop_copies(contents, licence)
        else:
            _drop_copies(contents, licence, used=form)
            _drop_unlike(contents, licence, item.copy)
        if item.instead_of not in {None, licence}:
            _mark_replaced(contents, str(item.instead_of), item)
    for item in arrivals:
        add_key(contents, item.key, now)
        add_copy(contents, item.copy, item.key.public_key, item.licence, now)
    _keep_sources(contents, fresh.values())
    drop_unused_grants(contents)
    return list(dict.fromkeys(licence for licence, _ in fresh))


def remove_licence(contents: Contents, licence_id: str) -> HeldLicence:
    """Take out a licence with its copies, keys, source and, where nothing else needs it, its grant."""
    gone = held_licence(contents, licence_id)
    _drop_copies(contents, licence_id)
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


def _held(contents: Contents, forms: Mapping[CopyForm, Sequence[Mapping[str, Any]]]) -> HeldLicence:
    """One licence, as its newest copy of the first form that there is tells it."""
    held = tuple(form for form in FORMS if form in forms)
    newest = max(forms[held[0]], key=lambda row: str(row["received_at"]))
    scarce = min(forms.values(), key=lambda rows: (_unused(rows), len(rows)))
    every = [row for rows in forms.values() for row in rows]
    read, source = read_row(newest), source_of(contents, newest["licence"])
    named = plain(read.claims.get("licence_name", read.type))
    return HeldLicence(
        newest["licence"],
        read.type,
        read.claims,
        max(datetime.fromisoformat(row["received_at"]) for row in every),
        len(scarce),
        sum(row["uses"] for row in every),
        _unused(scarce),
        source.name if source else Text(named, named),
        source.issuer_name if source else None,
        bool(source and source.grant in contents.get("grants", {})),
        newest.get("replaced_by"),
        held,
    )


def _unused(rows: Sequence[Mapping[str, Any]]) -> int:
    return sum(row["uses"] == 0 for row in rows)


def _check_same(contents: Contents, licence: str, item: Arrival) -> None:
    """A licence's copies are all of one issuer and of one type, whatever another issuer calls its own."""
    for row in contents.get("copies", {}).values():
        if row["licence"] == licence:
            known = read_row(row)
            if known.type != item.copy.type or not _is_same_issuer(known, item):
                raise Conflict("the wallet has another issuer's licence of this name")
    source = source_of(contents, licence)
    if source is not None and source.issuer != item.source.issuer:
        raise Conflict("the wallet has another issuer's licence of this name")


def _is_same_issuer(known: ReadCopy, item: Arrival) -> bool:
    """An mdoc does not say who issued it: it came from the issuer that its source names."""
    if known.form == item.copy.form:
        return known.issuer == item.copy.issuer
    named = known.issuer if item.copy.issuer is None else item.copy.issuer
    return named == item.source.issuer


def _mark_replaced(contents: Contents, old: str, item: Arrival) -> None:
    """Have the copies of a licence say what came instead, of the same issuer; its grant goes to that one."""
    for row in contents.get("copies", {}).values():
        if row["licence"] == old:
            source = source_of(contents, old)
            is_same = source is None or source.issuer == item.source.issuer
            if not is_same or not _is_same_issuer(read_row(row), item):
                raise Conflict("another issuer's licence does not take the place of this one")
            row["replaced_by"] = item.licence
    if source := contents.get("sources", {}).get(old):
        source["grant"] = None


def _keep_sources(contents: Contents, arrivals: Iterable[Arrival]) -> None:
    """The newest source of each licence, beside what is known of its other forms."""
    for item in arrivals:
        known = source_of(contents, item.licence)
        source = item.source.beside(known) if known else item.source
        contents.setdefault("sources", {})[item.licence] = source.to_dict()


def _drop_unlike(contents: Contents, licence: str, copy: ReadCopy) -> None:
    """Throw away copies of a licence that do not say what this one says."""
    copies = contents.get("copies", {})
    for name, row in list(copies.items()):
        if row["licence"] == licence and read_row(row).content != copy.content:
            contents["keys"].pop(copies.pop(name)["key"], None)


def _drop_copies(contents: Contents, licence: str, *, used: CopyForm | None = None) -> None:
    """Throw away all copies of a licence, or those of one form that were used."""
    copies = contents.get("copies", {})
    for copy, row in list(copies.items()):
        if row["licence"] == licence and (used is None or (row["uses"] and form_of(row) == used)):
            contents["keys"].pop(copies.pop(copy)["key"], None)
