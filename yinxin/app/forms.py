"""The forms of this home: filled for departments from the register, with the holder's consent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from credentials.sources.form_files import load_forms
from verify_api.forms.service import FormService
from verify_api.pages.scanned import origin_of

if TYPE_CHECKING:
    from fastapi import FastAPI, Request

    from credentials.blind_index import BlindIndex
    from credentials.catalogue import Catalogue
    from credentials.sources.form import FormBook
    from verify_api.http.limits import Limits
    from verify_api.presentations.service import PresentationService
    from verify_api.service import VerificationService
    from yinxin.access.accounts import SignedIn
    from yinxin.access.service import Access
    from yinxin.app.home import Home
    from yinxin.base.journal import Journal


def form_book(home: Home, catalogue: Catalogue) -> FormBook:
    """The forms of this installation, by matter."""
    return load_forms(home.settings.forms_directory, catalogue)


def add_forms(  # noqa: PLR0913 - what they stand on
    app: FastAPI,
    home: Home,
    service: VerificationService,
    *,
    presentations: PresentationService,
    journal: Journal,
    catalogue: Catalogue,
    index: BlindIndex,
    access: Access,
    limits: Limits,
) -> None:
    """Add the routes of forms, and their pages at the counter, to the verifier's application."""
    from verify_api.forms import pages  # noqa: PLC0415 - FastAPI takes a second
    from verify_api.http.forms import forms_router  # noqa: PLC0415 - the same
    from yinxin.access import pages as access_pages  # noqa: PLC0415 - the same

    forms = FormService(
        presentations,
        form_book(home, catalogue),
        catalogue=catalogue,
        database=home.database,
        journal=journal,
        index=index,
        clock=home.clock,
    )

    async def enter(request: Request) -> SignedIn:
        return await access_pages.require_visitor(request, access)

    app.include_router(forms_router(forms, service, limits=limits))
    origin = origin_of(service.url)
    app.include_router(pages.router(forms, presentations, service, enter=enter, origin=origin))
