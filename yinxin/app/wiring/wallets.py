"""The wallet that this home keeps for citizens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wallet.custody import Custody
from wallet.judge import Grounds, Judge
from wallet.wallets import Wallets
from yinxin.access.service import Access
from yinxin.app.refresh import Refresher
from yinxin.app.wiring.register import catalogue
from yinxin.app.wiring.stage import Stage, application, derived
from yinxin.base.text import Text

if TYPE_CHECKING:
    from fastapi import FastAPI

    from verify_api.documents import Snapshots
    from yinxin.app.home import Home

WALLETS = "wallets"


def wallet_app(home: Home, stage: Stage) -> FastAPI:
    """The wallet that this home keeps for citizens: its pages, and sign-in by passkey."""
    from verify_api.pages.frames import Frame, Scanner  # noqa: PLC0415 - FastAPI takes a second
    from wallet.pages import router  # noqa: PLC0415 - the same
    from yinxin.access import pages as access_pages  # noqa: PLC0415 - the same
    from yinxin.app import problems  # noqa: PLC0415 - the same

    refresher = Refresher(home, source=stage.shelf)
    latest = [refresher.snapshots()]
    origin = home.settings.wallet_url
    judge = Judge(
        _grounds(latest[0]),
        home.outbound,
        clock=home.clock,
        allow_http=origin.startswith("http://"),  # which `Access` takes on this machine only
    )

    def use(snapshots: Snapshots) -> None:
        latest[0] = snapshots
        judge.use(_grounds(snapshots))

    scanner = Scanner()
    stage.closing.callback(scanner.close)

    async def read_frame(width: int, height: int, luminance: bytes) -> list[str]:
        return await scanner.read(Frame(width, height, luminance))

    stage.snapshots, stage.unanswered = lambda: latest[0], refresher.unanswered
    stage.refreshers.append(lambda: use(refresher.snapshots()))
    refresher.start(use)
    stage.closing.callback(refresher.stop)
    custody = Custody(home.directory / WALLETS, derived(home, b"yinxin wallets 1"))
    wallets = Wallets(
        custody,
        judge,
        home.outbound,
        catalogue=catalogue(home),
        clock=home.clock,
        client_id=origin,
        delegations_at=home.settings.base_url,
    )
    access = Access(
        home.database,
        realm="holder",
        origin=origin,
        name=Text("证照夹", "Licence wallet"),
        clock=home.clock,
        secret=derived(home, b"yinxin access of holders 1"),
    )
    return application(
        "wallet",
        access_pages.router(access),
        router(wallets, access, origin=origin, row_of=problems.row_of, read_frame=read_frame),
    )


def _grounds(snapshots: Snapshots) -> Grounds:
    return Grounds(snapshots.trust, snapshots.revocation, snapshots.policy, snapshots.trust_list)
