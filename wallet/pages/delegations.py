"""Pages of delegations: what was given and received, appointing somebody, accepting and recalling."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fastapi import Request, Response  # noqa: TC002 - FastAPI reads the annotations

from credentials.delegations.cards import read_card
from credentials.delegations.delegation import State
from credentials.delegations.terms import EVERY, KIND_NAMES, LIFE, Kind, Terms
from wallet.names import readable
from wallet.pages.views import Age, age_of
from yinxin.base.errors import MalformedInput, NotFound, UsageError
from yinxin.base.text import Text
from yinxin.web import see_other

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import APIRouter

    from wallet.delegations import Delegating
    from wallet.names import Names
    from wallet.pages.desk import Desk
    from wallet.wallets import Wallet, Wallets
    from yinxin.access.accounts import SignedIn

CURRENT = "delegations"
GIVEN_KINDS = (Kind.AGENT, Kind.ADMINISTRATOR, Kind.HELPER)
MAX_DAYS = 366
LOOKS = {
    State.ACCEPTED: "passed",
    State.PROPOSED: "indeterminate",
    State.WAITING: "indeterminate",
}
EVERYTHING = Text("全部（包括今后新增的）", "every one, later ones too")


@dataclass(frozen=True, slots=True)
class View:
    """A delegation as a page shows it."""

    id: str
    kind: Text
    principal: str
    agent: str
    matters: tuple[Text, ...]
    types: tuple[Text, ...]
    until: str
    state: Text
    look: str
    is_given: bool
    may_pass_on: bool
    is_open: bool
    waits: bool
    under: str


@dataclass(frozen=True, slots=True)
class UseView:
    """A use as a page shows it."""

    when: Age
    department: str
    matter: str
    licence: Text
    look: str


def add(routes: APIRouter, desk: Desk) -> None:
    """The routes."""
    wallets = desk.wallets

    async def overview(request: Request, who: SignedIn, *, card: str = "") -> Response:
        found = await desk.work(_listed, wallets, who.account.id)
        done = request.query_params.get("done", "")
        return desk.answer(
            request,
            "delegations.html",
            who,
            current=CURRENT,
            card=card,
            name=who.account.name,
            done=done if done in {"given", "accepted", "declined", "recalled"} else "",
            **found,
        )

    @routes.get("/delegations")
    async def listed(request: Request) -> Response:
        return await overview(request, await desk.visitor(request))

    @routes.post("/delegations/card")
    async def card(request: Request) -> Response:
        who = await desk.sender(request)
        name = (await desk.form(request)).get("name", "").strip()
        return await overview(request, who, card=await desk.work(_card, wallets, who.account.id, name))

    @routes.get("/delegations/give")
    async def form(request: Request) -> Response:
        who = await desk.visitor(request)
        ways = await desk.work(_ways, wallets, who.account.id)
        return desk.answer(
            request,
            "give.html",
            who,
            current=CURRENT,
            ways=ways,
            kinds=[(str(kind), KIND_NAMES[kind]) for kind in GIVEN_KINDS],
            types=[*wallets.names.types(), (EVERY, EVERYTHING)],
            most=MAX_DAYS,
        )

    @routes.post("/delegations/give")
    async def give(request: Request) -> Response:
        who = await desk.sender(request)
        await desk.work(_give, wallets, who.account.id, await desk.form(request))
        return see_other("/delegations?done=given")

    @routes.get("/delegations/{name}")
    async def one(request: Request, name: str) -> Response:
        who = await desk.visitor(request)
        found = await desk.work(_one, wallets, who.account.id, name)
        return desk.answer(request, "delegation.html", who, current=CURRENT, **found)

    @routes.post("/delegations/{name}/{step}")
    async def take(request: Request, name: str, step: str) -> Response:
        who = await desk.sender(request)
        await desk.work(_take, wallets, who.account.id, name, step)
        return see_other(f"/delegations?done={_DONE[step]}")


_DONE = {"accept": "accepted", "decline": "declined", "recall": "recalled"}


def _delegating(wallets: Wallets, account: str) -> Delegating:
    return _kept_at_an_issuer(wallets.open(account))


def _looking(wallets: Wallets, account: str) -> Delegating | None:
    """The same to look at only: an account that never had anything gets no store by it."""
    try:
        return _kept_at_an_issuer(wallets.find(account))
    except NotFound:
        return None


def _kept_at_an_issuer(wallet: Wallet) -> Delegating:
    if wallet.delegating is None:
        raise NotFound("this wallet is set up at no issuer that keeps delegations")
    return wallet.delegating


def _listed(wallets: Wallets, account: str) -> dict[str, list[View]]:
    delegating = _looking(wallets, account)
    found = delegating.listed() if delegating else {"given": [], "received": []}
    return {
        way: [view_of(one, wallets.names, is_given=way == "given") for one in found[way]]
        for way in ("given", "received")
    }


def _card(wallets: Wallets, account: str, name: str) -> str:
    if not name or len(name) > 80 or not name.isprintable():
        raise UsageError("a card has a name")
    return _delegating(wallets, account).card(name)


def _ways(wallets: Wallets, account: str) -> list[tuple[str, Text]]:
    """On what somebody can be appointed: licences that say who the holder is, delegations that allow it."""
    delegating, ways = _looking(wallets, account), list[tuple[str, Text]]()
    if delegating is None:
        return ways
    for licence in delegating.speaking():
        name, whose = wallets.names.title(licence.vct, licence.claims, licence.name), _holder(licence.claims)
        ways.append((f"licence:{licence.id}", Text(f"{name.zh}：{whose}", f"{name.en}: {whose}")))
    for one in delegating.listed()["received"]:
        view = view_of(one, wallets.names, is_given=False)
        if one.get("state") == "accepted" and (view.may_pass_on or one.get("kind") == "administrator"):
            ways.append(
                (
                    f"under:{view.id}",
                    Text(f"{view.kind.zh}：{view.principal}", f"{view.kind.en}: {view.principal}"),
                )
            )
    return ways


def _holder(claims: Mapping[str, Any]) -> str:
    named = claims.get("enterprise_name") or claims.get("operator_name") or claims.get("name") or ""
    return readable(str(named))


def _give(wallets: Wallets, account: str, form: Mapping[str, str]) -> None:
    delegating = _delegating(wallets, account)
    way, _, name = form.get("on", "").partition(":")
    if way not in {"licence", "under"} or not name:
        raise UsageError("say on what the appointment stands")
    under = name if way == "under" else None
    card = read_card(form.get("card", ""))
    delegating.give(card, _terms(form, delegating.now()), licence=None if under else name, under=under)


def _terms(form: Mapping[str, str], now: datetime) -> Terms:
    try:
        kind = Kind(form.get("kind", ""))
        days = int(form.get("days") or 0)
    except ValueError as exc:
        raise MalformedInput("form", "what it is for, or how long, cannot be read") from exc
    if kind not in GIVEN_KINDS or not 0 <= days <= MAX_DAYS:
        raise UsageError(f"a delegation lasts up to {MAX_DAYS} days")
    life = timedelta(days=days) if days and kind is not Kind.HELPER else LIFE[kind]
    types = [name.removeprefix("type-") for name in form if name.startswith("type-")]
    types = [EVERY] if EVERY in types else types
    matters = form.get("matters", "").replace("，", " ").replace(",", " ").split()
    return Terms(
        kind,
        tuple(matters),
        tuple(types),
        now,
        now + life,
        may_pass_on=form.get("pass_on") == "yes",
    )


def _one(wallets: Wallets, account: str, name: str) -> dict[str, Any]:
    delegating = _looking(wallets, account)
    if delegating is None:
        raise NotFound("no such delegation")
    found = delegating.listed()
    for way in ("given", "received"):
        for one in found[way]:
            if one.get("id") == name:
                uses = [use_of(use, wallets) for use in delegating.uses(name)]
                return {"one": view_of(one, wallets.names, is_given=way == "given"), "uses": uses}
    raise NotFound("no such delegation")


def _take(wallets: Wallets, account: str, name: str, step: str) -> None:
    delegating = _delegating(wallets, account)
    steps = {"accept": delegating.accept, "decline": delegating.decline, "recall": delegating.recall}
    if step not in steps:
        raise NotFound("no such step")
    steps[step](name)  # type: ignore[operator]  # each takes the id


def view_of(one: Mapping[str, Any], names: Names, *, is_given: bool) -> View:
    """What an issuer says of a delegation, fit to be read; `MalformedInput` when it says something else."""
    try:
        terms, state = one["terms"], State(one["state"])
        ancestors = one["ancestors"]
        return View(
            id=quote(str(one["id"]), safe=""),
            kind=KIND_NAMES[Kind(one["kind"])],
            principal=readable(str(one["principal"]["name"])),
            agent=readable(str(one["agent"]["name"])),
            matters=tuple(_every(str(item)) for item in terms["matters"]),
            types=tuple(
                EVERYTHING if item == EVERY else names.type_name(str(item)) for item in terms["types"]
            ),
            until=age_of(
                datetime.fromisoformat(terms["ends_at"]), datetime.fromisoformat(terms["ends_at"])
            ).shown,
            state=Text(readable(one["state_name"]["zh"]), readable(one["state_name"]["en"])),
            look=LOOKS.get(state, "failed"),
            is_given=is_given,
            may_pass_on=terms["may_pass_on"] is True,
            is_open=state in LOOKS,
            waits=state is State.PROPOSED,
            under=readable(str(ancestors[-1])) if ancestors else "",
        )
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as exc:
        raise MalformedInput("delegation", "the issuer's answer cannot be read") from exc


def use_of(use: Mapping[str, Any], wallets: Wallets) -> UseView:
    """What an issuer says of a use, fit to be read."""
    try:
        return UseView(
            when=age_of(datetime.fromisoformat(use["at"]), wallets.clock.now()),
            department=readable(str(use["department"])),
            matter=readable(str(use["matter"])),
            licence=wallets.names.type_name(str(use["licence_type"])),
            look=str(use["indication"]) if use["indication"] in {"passed", "failed"} else "indeterminate",
        )
    except (KeyError, TypeError, ValueError) as exc:
        raise MalformedInput("delegation", "the issuer's answer cannot be read") from exc


def _every(text: str) -> Text:
    shown = readable(text)
    return EVERYTHING if text == EVERY else Text(shown, shown)
