"""What a department may ask a holder for: its grants, as presentation templates, and a wish among them.

A template names the licence types and fields of one grant, for its purpose and matter. A wish takes of it
what the case at hand needs; nothing outside the grant can be wished for. What becomes of it on the wire is
`verify_api.presentations.queries`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from yinxin.base.errors import UnknownLicenceType

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from credentials.catalogue import Catalogue, LicenceType
    from verify_api.departments import Department
    from yinxin.base.text import Text

MAX_TYPES, MAX_STATEMENT = 8, 200
AS_SD_JWT_VC, AS_MDOC = "sd-jwt-vc", "mdoc"


@dataclass(frozen=True, slots=True)
class Transaction:
    """What the holder shall agree to beside showing: a type of `credentials.oid4vp.transactions`."""

    type: str
    statement: Text
    details: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a department asks one holder for.

    `types` are codes of licence types: all of them, or with `any_type` one of them, the first best. `claims`
    narrows the fields (None: all of the grant). `reason` is what the holder is told it is for. With
    `same_device` the wallet is on the machine that shows the page, and the holder's browser goes back to
    `return_url`, or to ours without one; else the link is shown as a QR code. With `agents` an agent may show
    the licences for their holder, together with the delegation; agents' copies are SD-JWT VC always. `forms`
    are those in which a licence may be shown, the preferred one first.
    """

    purpose: str
    matter: str
    types: tuple[str, ...]
    any_type: bool = False
    claims: tuple[str, ...] | None = None
    reason: Text | None = None
    same_device: bool = False
    return_url: str | None = None
    encrypted: bool = True
    transaction: Transaction | None = None
    agents: bool = False
    forms: tuple[str, ...] = (AS_SD_JWT_VC,)


def templates_of(department: Department, catalogue: Catalogue) -> list[dict[str, Any]]:
    """What the department may ask for, as JSON: purpose and matter with types and fields."""
    return [
        {
            "purpose": grant.purpose,
            "matter": grant.matter,
            "types": [
                _describe(kind, names)
                for code, names in grant.fields.items()
                if (kind := _find(catalogue, code)) is not None
            ],
        }
        for grant in department.grants
    ]


def _describe(kind: LicenceType, names: Collection[str]) -> dict[str, Any]:
    fields = [
        {"name": one.name, "label": one.label.to_dict(), "required": one.required}
        for one in kind.fields
        if one.name in names
    ]
    return {"type": kind.code, "name": kind.name.to_dict(), "vct": kind.vct, "fields": fields}


def _find(catalogue: Catalogue, code: str) -> LicenceType | None:
    try:
        return catalogue[code]
    except UnknownLicenceType:
        return None
