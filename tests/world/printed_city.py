"""The city with the page that the codes printed on its licences lead to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from credentials import samples
from credentials.printed_code import IssuerCertificate, IssuerCertificates, code_address, code_addresses
from verify_api.pages.printed import LIST_PATH, printed_router
from world.counters import CounterCity
from world.departments import AGENCY_CODE
from world.printed import CATALOGUE, Paper

if TYPE_CHECKING:
    from fastapi import FastAPI

    from world.asgi import Answer


class PrintedCity(CounterCity):
    """Two agencies print codes here: the one whose register this is, and the sample agency."""

    def make_app(self) -> FastAPI:
        app = super().make_app()
        self.issuers = IssuerCertificates(
            [IssuerCertificate(AGENCY_CODE, self.pki.signer("credential").chain)]
        )
        app.include_router(
            printed_router(
                self.service,
                issuers=lambda: self.issuers,
                addresses=code_addresses(self.url, "https://licences.jincheng.example"),
                catalogue=CATALOGUE,
            )
        )
        return app

    def paper(self) -> Paper:
        """Paper of the sample agency, whose certificate is on the list from now on."""
        made = Paper(self.pki, address=code_address(self.url))
        entry = IssuerCertificate(samples.AGENCY.credit_code, made.signer.chain)
        self.issuers = self.issuers.merged_with(IssuerCertificates([entry]))
        return made

    def list(self, **headers: str) -> Answer:
        """What the page fetches."""
        return self.browser().get(LIST_PATH, headers=headers)
