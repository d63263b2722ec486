"""Receiving in steps, as pages do: look at an offer, ask the holder, accept.

Between the steps the offer lies in the holder's own store, with what the holder was told of it. Accepting
takes it, so that of two tabs one accepts; after a slip with the code it is put back, a few times. What the
issuer says of itself is read anew, and an issuer that has another name by then is a `Conflict`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from credentials.oid4vci.vocabulary import AUTHORIZATION_CODE, PRE_AUTHORIZED_CODE
from wallet.receiving.errors import IssuerRefused
from yinxin.base.errors import Conflict, UsageError
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wallet.holder import HeldLicence
    from wallet.pending import Pending
    from wallet.receiving.considered import ConsideredOffer
    from wallet.receiving.offers import CredentialOffer
    from wallet.receiving.service import Receiving

OFFER = "offer"
MAX_TRIES = 5
_SLIPS = frozenset(
    {"invalid_grant", "invalid_tx_code"}
)  # which of the two a wrong code is, is the issuer's taste


@dataclass(frozen=True, slots=True)
class SeenOffer:
    """An offer as the holder is asked about it."""

    id: str
    issuer: str
    issuer_name: Text
    is_verified: bool
    types: tuple[Text, ...]
    needs_sign_in: bool
    tx_code: Mapping[str, Any] | None
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Attempt:
    """How accepting went: the licences, or a slip with the code and where the offer waits for another try."""

    licences: tuple[HeldLicence, ...] = ()
    again: str = ""
    slip: str = ""


class Accepting:
    """The steps for one holder."""

    def __init__(self, pending: Pending, receiving: Receiving) -> None:
        """Keep who takes part."""
        self._pending = pending
        self._receiving = receiving

    def look(self, link: str) -> str:
        """Fetch what a link offers; the identifier that the next steps name it by. Nothing is spent.

        Errors as for `Receiving.consider`.
        """
        return self._pending.put(OFFER, _kept(self._receiving.consider(link)))

    def offer(self, name: str) -> SeenOffer:
        """What the holder is asked; `NotFound` when it was dealt with or ran out."""
        return _seen(name, self._pending.read(name, kind=OFFER))

    def accept(self, name: str, *, tx_code: str | None = None) -> Attempt:
        """Fetch and keep the licences, after the holder said yes.

        `Conflict` when the issuer is another one by now, `NotFound` when somebody
        was faster; else errors as for `Receiving.accept`.
        """
        kept = self._pending.take(name, kind=OFFER)
        considered = self._consider_again(kept)
        try:
            return Attempt(tuple(self._receiving.accept(considered, tx_code=tx_code)))
        except (IssuerRefused, UsageError) as exc:
            is_slip = isinstance(exc, UsageError) or exc.error in _SLIPS
            if kept["tx_code"] is None or not is_slip or kept["tries"] + 1 >= MAX_TRIES:
                raise
            again = self._pending.put(OFFER, {**kept, "tries": kept["tries"] + 1})
            return Attempt(again=again, slip=exc.detail)

    def begin_sign_in(self, name: str, *, redirect_uri: str) -> str:
        """Where the browser goes on, for an offer that asks for a sign-in at the issuer."""
        considered = self._consider_again(self._pending.take(name, kind=OFFER))
        return self._receiving.begin_authorization(considered, redirect_uri=redirect_uri)

    def finish_sign_in(self, callback: str) -> list[HeldLicence]:
        """Fetch and keep the licences with what the browser brought back from the issuer."""
        return self._receiving.finish_authorization(callback)

    def _consider_again(self, kept: Mapping[str, Any]) -> ConsideredOffer:
        considered = self._receiving.consider(kept["link"])
        fresh = _kept(considered)
        if any(fresh[part] != kept[part] for part in ("issuer", "issuer_name", "is_verified", "types")):
            raise Conflict("the issuer says something else of itself by now: open the offer again")
        return considered


def _kept(considered: ConsideredOffer) -> dict[str, Any]:
    code = considered.tx_code
    return {
        "link": _by_value(considered.offer),
        "issuer": considered.issuer,
        "issuer_name": considered.issuer_name.to_dict(),
        "is_verified": considered.is_verified,
        "types": [name.to_dict() for name in considered.names],
        "needs_sign_in": considered.needs_sign_in,
        "tx_code": None
        if code is None
        else {"is_numeric": code.is_numeric, "length": code.length, "description": code.description},
        "tries": 0,
    }


def _seen(name: str, kept: Mapping[str, Any]) -> SeenOffer:
    return SeenOffer(
        name,
        kept["issuer"],
        Text(**kept["issuer_name"]),
        kept["is_verified"],
        tuple(Text(**one) for one in kept["types"]),
        kept["needs_sign_in"],
        kept["tx_code"],
        kept["tries"],
    )


def _by_value(offer: CredentialOffer) -> str:
    """The offer as a link that holds it whole: what was agreed to is not fetched a second time."""
    grant: dict[str, Any] = {"authorization_server": offer.server} if offer.server else {}
    kind = AUTHORIZATION_CODE
    if offer.code is not None:
        kind = PRE_AUTHORIZED_CODE
        grant["pre-authorized_code"] = offer.code
        if offer.tx_code is not None:
            grant["tx_code"] = _tx_code(offer.tx_code)
    elif offer.issuer_state is not None:
        grant["issuer_state"] = offer.issuer_state
    document = {
        "credential_issuer": offer.issuer,
        "credential_configuration_ids": list(offer.configurations),
        "grants": {kind: grant},
    }
    return "openid-credential-offer://?" + urlencode(
        {"credential_offer": json.dumps(document, ensure_ascii=False)}
    )


def _tx_code(code: Any) -> dict[str, Any]:
    found = {
        "input_mode": "numeric" if code.is_numeric else "text",
        "length": code.length,
        "description": code.description or None,
    }
    return {name: value for name, value in found.items() if value is not None}
