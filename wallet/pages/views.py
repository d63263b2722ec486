"""What the pages show of licences, requests and the log: plain values, already fit to be read."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from credentials.dcql import MDOC, SD_JWT_VC
from credentials.licence import CHINA
from credentials.vocabulary import LICENCE_IDENTIFIER
from wallet.names import readable
from wallet.states import LicenceState, State, state_of
from yinxin.base.errors import NotFound
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from credentials.copies import CopyForm
    from signing.certificates import Certificate
    from signing.reasons import Reason
    from wallet.activity import Activity
    from wallet.holder import HeldLicence
    from wallet.names import Item, Names
    from wallet.picks import Pick
    from wallet.present import Shared
    from wallet.presenting import Question
    from wallet.wallets import Wallet, Wallets

# How a state looks: the words of the style sheet.
LOOKS: Mapping[State, str] = {
    State.VALID: "passed",
    State.SUSPENDED: "failed",
    State.SUPERSEDED: "failed",
    State.REVOKED: "failed",
    State.EXPIRED: "failed",
    State.REFUSED: "failed",
    State.NOT_YET: "indeterminate",
    State.UNKNOWN: "indeterminate",
}
_FORM_NAMES: Mapping[CopyForm, Text] = {
    SD_JWT_VC: Text("SD-JWT VC 凭证", "SD-JWT VC"),
    MDOC: Text("移动证照（mdoc）", "mdoc"),
}


@dataclass(frozen=True, slots=True)
class Age:
    """A moment as people read it, and how long ago it was: a number and its unit's text."""

    iso: str
    shown: str
    number: int
    unit: str


@dataclass(frozen=True, slots=True)
class Card:
    """A licence in the list, or alone on its page. `ref` names it in addresses."""

    ref: str
    title: Text
    style: str
    number: Text | None
    holder: Text | None
    issuer: Text | None
    state: State
    look: str
    checked: Age | None
    reasons: tuple[Reason, ...]
    expires: str
    received: Age
    copies: int
    unused: int
    identifier: str
    forms: tuple[Text, ...]


def ref_of(licence_id: str) -> str:
    """How a licence is named in addresses: an identifier may hold any characters, its digest holds none."""
    return hashlib.sha256(licence_id.encode("utf-8", "replace")).hexdigest()[:32]


def find_licence(wallet: Wallet, ref: str) -> HeldLicence:
    """The licence of this wallet that an address names; `NotFound` for one that it does not hold."""
    for one in wallet.holder.licences():
        if ref_of(one.id) == ref:
            return one
    raise NotFound("the wallet has no such licence")


def cards(wallets: Wallets, wallet: Wallet, search: str = "") -> list[Card]:
    """The licences as cards, newest first; those whose claims contain `search`."""
    found = wallet.holder.licences(search)
    wallets.judge.statuses.warm(filter(None, (_status_list(one) for one in found)))
    reports = wallet.holder.examine(wallets.judge.examine)
    now = wallets.clock.now()
    return [
        _card(wallets.names, one, state_of(reports[one.id], one.id, held=reports), now)
        for one in found
        if one.id in reports
    ]


def card(wallets: Wallets, wallet: Wallet, licence: HeldLicence) -> Card:
    """One licence as a card."""
    reports = wallet.holder.examine(wallets.judge.examine)
    if licence.id not in reports:
        raise NotFound("the wallet has no such licence")
    state = state_of(reports[licence.id], licence.id, held=reports)
    return _card(wallets.names, licence, state, wallets.clock.now())


def items(wallets: Wallets, wallet: Wallet, licence: HeldLicence) -> list[Item]:
    """All that a licence says."""
    return wallets.names.items(licence.vct, licence.claims, wallet.holder.labels(licence.id))


def licence_page(wallets: Wallets, wallet: Wallet, licence: HeldLicence) -> dict[str, Any]:
    """What the page of one licence shows."""
    return {
        "card": card(wallets, wallet, licence),
        "items": items(wallets, wallet, licence),
        "can_refresh": licence.can_refresh,
        "printed": shown_moment(wallets.clock.now()),
        "current": "licences",
    }


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a certificate names, and who says so."""

    name: str
    subject: str
    issuer: str
    fingerprint: str


def identity_of(certificate: Certificate) -> Identity:
    """The names in a certificate; a CA of another place may write what ours refuses."""
    return Identity(
        readable(certificate.common_name) or readable(certificate.subject),
        readable(certificate.subject),
        readable(certificate.issuer),
        certificate.fingerprint,
    )


def age_of(moment: datetime, now: datetime) -> Age:
    """How long ago a moment was; one that lies ahead is now."""
    passed = max(timedelta(), now - moment)
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if passed.total_seconds() >= size:
            return Age(moment.isoformat(), shown_moment(moment), int(passed.total_seconds() // size), unit)
    return Age(moment.isoformat(), shown_moment(moment), int(passed.total_seconds()), "seconds")


def shown_moment(moment: datetime) -> str:
    """A moment in the country's time."""
    return f"{moment.astimezone(CHINA):%Y-%m-%d %H:%M}"


@dataclass(frozen=True, slots=True)
class Choice:
    """A licence that would answer a part of the request."""

    licence: str
    title: Text
    number: Text
    chosen: bool


@dataclass(frozen=True, slots=True)
class Part:
    """One licence that would be shown: what of it, what not, and which others would do."""

    query: str
    title: Text
    style: str
    choices: tuple[Choice, ...]
    shared: tuple[tuple[Text, Text], ...]
    always: tuple[tuple[Text, Text], ...]
    withheld: tuple[Text, ...]
    statements: tuple[Text, ...]
    warning: State | None
    reused: bool


def parts(wallets: Wallets, wallet: Wallet, question: Question) -> list[Part]:
    """What a yes would show, licence by licence."""
    if question.answering is None:
        return []
    held, picks = {one.id: one for one in wallet.holder.licences()}, question.answering.picks
    # Of the form that would be shown: an mdoc ends, or is not believed any more, by itself.
    reports = wallet.holder.examine_picks(picks, wallets.judge.examine)
    states = [
        state_of(report, pick.licence, held=held).state for pick, report in zip(picks, reports, strict=True)
    ]
    return [_part(wallets.names, pick, held, state) for pick, state in zip(picks, states, strict=True)]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the activity log."""

    when: Age
    kind: str
    title: Text
    requester: Text | None
    purpose: Text | None
    matter: str
    claims: tuple[Text, ...]
    audience: str
    presentation: str


def lines(wallets: Wallets, wallet: Wallet) -> list[Line]:
    """The log, newest first."""
    now, labels = wallets.clock.now(), wallets.names.labels()
    held = {one.id: one.name for one in wallet.holder.licences()}
    return [
        _line(wallets.names, one, labels.get(one.vct, {}), held.get(one.licence), now)
        for one in reversed(wallet.holder.activity())
    ]


def _card(names: Names, licence: HeldLicence, state: LicenceState, now: datetime) -> Card:
    kind, claims = names.kind(licence.vct), licence.claims
    ends = licence.expires_at

    def said(name: str) -> Text | None:
        return names.value(licence.vct, name, claims[name]) if claims.get(name) else None

    return Card(
        ref=ref_of(licence.id),
        title=names.title(licence.vct, claims, licence.name),
        style=names.style(licence.vct),
        number=said("licence_number"),
        holder=said(kind.holder_name if kind else "name"),
        issuer=said("issuing_authority") or licence.issuer or said("iss"),
        state=state.state,
        look=LOOKS[state.state],
        checked=age_of(state.as_of, now) if state.as_of else None,
        reasons=state.reasons,
        expires=f"{(ends - timedelta(seconds=1)).astimezone(CHINA):%Y-%m-%d}" if ends else "",
        received=age_of(licence.received_at, now),
        copies=licence.copies,
        unused=licence.unused,
        identifier=readable(str(claims.get(LICENCE_IDENTIFIER, ""))),
        forms=tuple(_FORM_NAMES[form] for form in licence.forms),
    )


def _status_list(licence: HeldLicence) -> str | None:
    status = licence.claims.get("status")
    entry = status.get("status_list") if isinstance(status, dict) else None
    uri = entry.get("uri") if isinstance(entry, dict) else None
    return uri if isinstance(uri, str) else None


def _part(names: Names, pick: Pick, held: Mapping[str, HeldLicence], state: State) -> Part:
    def pair(one: Shared) -> tuple[Text, Text]:
        top = one.path[0] if one.path else ""
        value = (
            names.value(pick.vct, str(top), one.value)
            if len(one.path) == 1
            else names.value("", "", one.value)
        )
        return one.label, value

    licences = (pick.licence, *pick.others)
    return Part(
        query=pick.query_id,
        title=names.title(pick.vct, held[pick.licence].claims, held[pick.licence].name),
        style=names.style(pick.vct),
        choices=tuple(
            Choice(
                ref_of(one),
                names.title(held[one].vct, held[one].claims, held[one].name),
                names.value(held[one].vct, "licence_number", held[one].claims.get("licence_number", one)),
                one == pick.licence,
            )
            for one in sorted(licences)
            if one in held
        ),
        shared=tuple(map(pair, pick.shares.shared)),
        always=tuple(map(pair, pick.shares.always)),
        withheld=tuple(one.label for one in pick.shares.withheld),
        statements=tuple(one.statement for one in pick.agreed),
        warning=state if state is not State.VALID else None,
        reused=pick.reused,
    )


def _line(
    names: Names, entry: Activity, labels: Mapping[str, Text], held: Text | None, now: datetime
) -> Line:
    return Line(
        when=age_of(entry.at, now),
        kind=str(entry.kind),
        title=names.title(entry.vct, learnt=held),
        requester=entry.requester,
        purpose=entry.purpose,
        matter=readable(entry.matter),
        claims=tuple(labels.get(one) or Text(readable(one), readable(one)) for one in entry.claims),
        audience=readable(entry.audience),
        presentation=entry.presentation,
    )
