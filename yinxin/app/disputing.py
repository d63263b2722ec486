"""Disputes of this home, and what stands of them beside its verification service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from credentials.office.disputes.holding import Holding
from credentials.office.disputes.service import Disputes, Terms
from verify_api.documents import Material, examine_presentation
from yinxin.app import slips
from yinxin.app.trust_lists import stands_on
from yinxin.base.errors import NotPermitted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from fastapi import APIRouter, Request

    from credentials.licence_type import LicenceType
    from verify_api.documents import Snapshots
    from verify_api.service import VerificationService
    from yinxin.app.home import Home
    from yinxin.base.actor import Actor


def make_disputes(home: Home, *, snapshots: Callable[[], Snapshots] | None = None) -> Disputes:
    """Disputes about this agency's licences; `snapshots` are what presentations are verified against."""
    settings = home.settings

    def shown(presentation: str, nonce: str) -> str:
        examined = examine_presentation(
            presentation,
            Material(snapshots() if snapshots else stands_on(home)),
            audience=settings.verify_url.rstrip("/"),
            nonce=nonce,
            now=home.clock.now(),
        )
        # A licence that was suspended or ended is still held, and may be wrong.
        if examined.licence is None:
            raise NotPermitted("the presentation shows no licence for this slip")
        return examined.licence

    return Disputes(
        home.database,
        agencies={settings.agency_code},
        contacts=slips.contacts(home),
        slips=slips.make_slips(home),
        holding=Holding(home.database, shown=shown),
        terms=Terms(settings.dispute_accept_days, settings.dispute_answer_days),
        clock=home.clock,
    )


def public_routers(
    home: Home, service: VerificationService, types: Iterable[LicenceType]
) -> Sequence[APIRouter]:
    """Slips and disputes for departments and for anybody, beside the verification service."""
    from credentials.office.disputes import http, pages  # noqa: PLC0415 - FastAPI takes a second
    from verify_api.http.routes import bearer  # noqa: PLC0415 - the same
    from verify_api.pages.scanned import origin_of  # noqa: PLC0415 - the same

    disputes = make_disputes(home, snapshots=lambda: service.snapshots)
    made, authenticate = slips.make_slips(home), bearer(service)

    async def department_of(request: Request) -> Actor | None:
        found = await authenticate(request)
        return found.actor if found else None

    return [
        http.public_router(disputes, made, department_of=department_of, clock=home.clock),
        pages.public_router(
            disputes,
            made,
            types=[(one.code, one.name) for one in types],
            agencies=[slips.contacts(home).operator],
            origin=origin_of(service.url),
            clock=home.clock,
        ),
    ]
