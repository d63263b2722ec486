"""The city with forms: a department renews food licences, and the baker has two licences to fill in from."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from credentials import samples
from credentials.catalogue import Catalogue
from credentials.repository import LicenceRepository
from credentials.sources.form_files import load_forms
from signing.jose import dump_json
from signing.signers.file import FileSigner
from verify_api.departments import Grant
from verify_api.forms.pages import router
from verify_api.forms.service import FormService
from verify_api.http.forms import forms_router
from world.departments import AGENCY_CODE, FORM, Reply, claims_of_the_bakery
from world.office import INDEX
from world.presentations import AskingCity
from yinxin.access.accounts import Account, How, SignedIn
from yinxin.base.actor import ActorKind
from yinxin.base.errors import Unauthenticated
from yinxin.base.identifiers import LicenceIdentifier

if TYPE_CHECKING:
    from fastapi import FastAPI, Request

    from credentials.licence import Licence
    from wallet import Holder

MATTER = "food-business-renewal"
RENEWALS = "urn:jincheng:renewals"
FOOD, BUSINESS = "food-business-licence", "business-licence"
GRANTED = {
    FOOD: frozenset({"operator_name", "credit_code", "business_premises", "business_items", "domicile"}),
    BUSINESS: frozenset({"enterprise_name", "credit_code", "legal_representative", "domicile"}),
}
FORM_FIELDS = frozenset(
    {"operator_name", "credit_code", "responsible_person", "domicile", "business_premises", "business_items"}
)
_serials = itertools.count(700)


def business_claims(code: str, **changes: Any) -> dict[str, Any]:
    return {
        "credit_code": code,
        "enterprise_name": "津城小麦面包坊",
        "enterprise_type": "有限责任公司",
        "legal_representative": "王小麦",
        "business_scope": ["食品销售"],
        "registered_capital": "500000.00",
        "established_on": "2019-05-06",
        "domicile": "津城市和平路 18 号",
        **changes,
    }


@dataclass
class FormCity(AskingCity):
    """A city whose department for renewals fills forms."""

    def make_app(self) -> FastAPI:
        app = super().make_app()
        self.catalogue = Catalogue.load()
        self.forms = FormService(
            self.presentations,
            load_forms(None, self.catalogue),
            catalogue=self.catalogue,
            database=self.database,
            journal=self.journal,
            index=INDEX,
            clock=self.clock,
        )
        app.include_router(forms_router(self.forms, self.service, limits=self.limits))
        app.include_router(
            router(self.forms, self.presentations, self.service, enter=self._enter, origin=self.url)
        )
        self.keys[RENEWALS] = FileSigner.generate()
        self.register(
            RENEWALS,
            self.keys[RENEWALS],
            grants=(Grant("renewal", MATTER, GRANTED),),
        )
        return app

    async def _enter(self, request: Request) -> SignedIn:
        """Whoever the header names is signed in as a clerk of the organisation that it names."""
        name, _, agency = request.headers.get("x-clerk", "").partition(" ")
        if not name:
            raise Unauthenticated("nobody is here")
        account = Account(name, ActorKind.STAFF, name, name, agency or AGENCY_CODE, frozenset({"clerk"}))
        return SignedIn(account, How.PASSKEY, self.clock.now(), "s")

    def page(self, path: str, form: Any = None, *, clerk: str = "clerk-17", origin: str = "") -> Reply:
        """A page as a clerk sees it; with a form it is posted."""
        headers = {"x-clerk": clerk, "Accept": "text/html", "Origin": origin or self.url}
        if form is None:
            return self.call("GET", path, None, headers)
        return self.call("POST", path, urlencode(form, doseq=True).encode(), {**headers, **FORM})

    def registered(self, licence: Licence) -> Licence:
        with self.database.transaction() as session:
            LicenceRepository(session, index=INDEX).index_holders()
        return licence

    def another(self) -> FormCity:
        """The same city, where somebody else comes in."""
        self.code = samples.credit_code(next(_serials))
        return self

    def business(self, *, holder: str | None = None, **claims: Any) -> Licence:
        """A business licence of who comes in, in the register."""
        code = holder or self.code
        serial = f"{next(_serials):09d}"
        kind = self.catalogue[BUSINESS]
        identifier = LicenceIdentifier.make(kind.number, AGENCY_CODE, serial, "001")
        return self.registered(
            self.licence(
                serial,
                identifier=str(identifier),
                type_code=BUSINESS,
                type_name=kind.name,
                number=code,
                holder_code=code,
                claims=business_claims(code, **claims),
                valid_until=None,
            )
        )

    def food(self, holder: Holder, **claims: Any) -> Licence:
        """A food licence in the register and in a wallet."""
        serial = f"{next(_serials):09d}"
        own = {**claims_of_the_bakery(), "credit_code": self.code, **claims}
        licence = self.licence(serial, claims=own, holder_code=self.code)
        self.provide(holder, licence=licence)
        return self.registered(licence)

    # The department's side

    def send(self, method: str, path: str, body: Any = None, *, as_: str | None = RENEWALS) -> Reply:
        headers = {"Content-Type": "application/json"}
        if as_:
            headers["Authorization"] = f"Bearer {self.token(as_)}"
        return self.call(method, path, dump_json(body) if body is not None else None, headers)

    def asked(self, *, as_: str = RENEWALS, **body: Any) -> dict[str, Any]:
        reply = self.send("POST", f"/v1/forms/{MATTER}/consents", body, as_=as_)
        assert reply.status == 200, reply.body
        return dict(reply.json)

    def filled(self, consent: str, *, as_: str | None = RENEWALS, matter: str = MATTER) -> Reply:
        return self.send("GET", f"/v1/forms/{matter}?consent={consent}", as_=as_)

    def pass_minutes(self, minutes: float) -> None:
        self.clock.advance(timedelta(minutes=minutes))
