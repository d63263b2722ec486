"""The activity log: who asked for what, when and why; to look at and to take along."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import Request, Response

from wallet.activity import export_json
from wallet.pages import views
from yinxin.base.errors import NotFound

if TYPE_CHECKING:
    from fastapi import APIRouter

    from wallet.pages.desk import Desk
    from wallet.wallets import Wallets

MAX_LINES = 200


def add(routes: APIRouter, desk: Desk) -> None:
    """The routes."""

    @routes.get("/activity")
    async def log(request: Request) -> Response:
        who = await desk.visitor(request)
        lines = await desk.work(_lines, desk.wallets, who.account.id)
        return desk.answer(
            request,
            "activity.html",
            who,
            current="activity",
            lines=lines[:MAX_LINES],
            more=max(0, len(lines) - MAX_LINES),
        )

    @routes.get("/activity.json")
    async def export(request: Request) -> Response:
        who = await desk.visitor(request)
        text = await desk.work(_export, desk.wallets, who.account.id)
        headers = {
            "Cache-Control": "no-store",
            "Content-Disposition": 'attachment; filename="wallet-activity.json"',
            "X-Content-Type-Options": "nosniff",
        }
        return Response(text, media_type="application/json", headers=headers)


def _lines(wallets: Wallets, account: str) -> list[views.Line]:
    try:
        return views.lines(wallets, wallets.find(account))
    except NotFound:  # nothing happened yet
        return []


def _export(wallets: Wallets, account: str) -> str:
    try:
        return wallets.find(account).holder.export_activity()
    except NotFound:
        return export_json(())
