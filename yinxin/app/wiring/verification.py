"""The verification service: what it stands on, its counter, and how it asks wallets."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from credentials.office.disputes.slips import SlipKind
from credentials.office.notices import NoticeQueue
from credentials.oid4vp.client_ids import Prefix
from verify_api.delegates import Delegates
from verify_api.notices import DepartmentNotices
from verify_api.pages.scanned import origin_of
from verify_api.presentations.service import PresentationService
from verify_api.register import RepositoryRegister
from verify_api.service import VerificationService
from yinxin.access.service import Access
from yinxin.app import rounds
from yinxin.app.refresh import Refresher
from yinxin.app.sign_in import openid_provider
from yinxin.app.wiring.register import catalogue, holder_index
from yinxin.app.wiring.stage import Stage, derived
from yinxin.base.errors import UsageError
from yinxin.base.journal import Journal
from yinxin.base.text import Text

if TYPE_CHECKING:
    from fastapi import FastAPI

    from yinxin.app.home import Home

REQUEST_KEY = "request"


def verifier_app(home: Home, stage: Stage) -> FastAPI:
    """The verification service, with a thread that refreshes what it stands on."""
    from verify_api.http.app import create_app  # noqa: PLC0415 - FastAPI takes a second
    from verify_api.http.limits import Limits  # noqa: PLC0415 - the same
    from yinxin.app import problems, slips  # noqa: PLC0415 - the same
    from yinxin.app.disputing import public_routers  # noqa: PLC0415 - the same
    from yinxin.app.forms import add_forms  # noqa: PLC0415 - the same
    from yinxin.app.verifier_pages import add_pages  # noqa: PLC0415 - the same

    refresher = Refresher(home, source=stage.shelf)
    journal = stage.closing.enter_context(Journal(home.database))
    stage.journals.append(journal)
    service = VerificationService(
        url=home.settings.verify_url,
        database=home.database,
        journal=journal,
        register=RepositoryRegister(home.database),
        snapshots=refresher.snapshots(),
        receipt_signer=home.signer("receipt"),
        token_signer=home.signer("token"),
        clock=home.clock,
        delegates=Delegates(home.database, holder_index(home)),
        count_verdict=stage.count_verdict,
        slip_of=slips.verdicts(home),
        tell_lacking=rounds.Notes(home),
    )
    stage.snapshots, stage.unanswered = lambda: service.snapshots, refresher.unanswered
    stage.refreshers.append(lambda: service.use(refresher.snapshots()))
    refresher.start(service.use)
    stage.closing.callback(refresher.stop)
    if stage.shelf is None:  # else one process gathers for all (`yinxin.app.duties`)
        rounds.repeat_rounds(home, stage)
    settings = home.settings
    limits = Limits.of(settings.anonymous_requests_per_minute, settings.department_requests_per_minute)
    presentations = _presentations(home, service, journal)
    notices = DepartmentNotices(NoticeQueue(clock=home.clock), journal, catalogue(home))
    app = create_app(
        service,
        install_problems=partial(problems.install, slip_of=slips.refusals(home, SlipKind.USE)),
        limits=limits,
        presentations=presentations,
        notices=notices,
        tidies=stage.shelf is None,
    )
    for router in public_routers(home, service, catalogue(home)):
        app.include_router(router)
    add_pages(
        app,
        service,
        settings=settings,
        catalogue=catalogue(home),
        access=staff_access(home),
        presentations=presentations,
        notices=notices,
        issuers=lambda: home.issuer_certificates,
        closing=stage.closing,
    )
    if presentations:
        add_forms(
            app,
            home,
            service,
            presentations=presentations,
            journal=journal,
            catalogue=catalogue(home),
            index=holder_index(home),
            access=staff_access(home),
            limits=limits,
        )
    return app


def staff_access(home: Home, *, origin: str | None = None, name: Text | None = None) -> Access:
    """Who of the staff may come in: at the counter, unless another place is named."""
    return Access(
        home.database,
        realm="staff",
        origin=origin_of(origin or home.settings.verify_url),
        name=name or Text("电子证照核验", "Licence verification"),
        clock=home.clock,
        openid=openid_provider(home),
        secret=derived(home, b"yinxin access of staff 1"),
    )


def _presentations(home: Home, service: VerificationService, journal: Journal) -> PresentationService | None:
    """Asks wallets; a home that was made before it had a key for requests does without."""
    if REQUEST_KEY not in home.key_names():
        return None
    return PresentationService(
        service,
        database=home.database,
        journal=journal,
        request_signer=home.signer(REQUEST_KEY),
        catalogue=catalogue(home),
        secret=home.document_key(),
        clock=home.clock,
        prefix=client_id_prefix(home.settings.presentation_client_id),
    )


def client_id_prefix(name: str) -> Prefix:
    """How the verifier names itself to wallets, as the settings say."""
    if name not in set(Prefix):
        raise UsageError(f"presentation_client_id is {' or '.join(Prefix)}, not {name!r}")
    return Prefix(name)
