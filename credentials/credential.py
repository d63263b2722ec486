"""What the machine form of a licence says: the claims of its SD-JWT VC.

Signing and hiding are `credentials.sd_jwt`; the status entry is handed in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from credentials.vocabulary import LICENCE_IDENTIFIER, PROVENANCE
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from credentials.catalogue import LicenceType
    from credentials.licence import Licence


# What every credential of ours says beside its type's own fields, and what people call it.
COMMON_CLAIMS: Mapping[str, Text] = {
    "licence_name": Text("证照名称", "Licence"),
    "licence_number": Text("证照编号", "Licence number"),
    "issuing_authority": Text("发证机关", "Issuing authority"),
    "issuing_authority_code": Text("发证机关代码", "Code of the authority"),
    "issued_on": Text("发证日期", "Date of issue"),
    "valid_from": Text("有效期自", "Valid from"),
    "valid_until": Text("有效期至", "Valid until"),
    "licence_version": Text("版本", "Version"),
    PROVENANCE: Text("资料来源", "Source of the data"),
    LICENCE_IDENTIFIER: Text("电子证照标识", "Licence identifier"),
}
SOMETIMES = frozenset({"valid_until", PROVENANCE})
"""Those of them that not every licence has."""


def credential_claims(
    licence: Licence, kind: LicenceType, *, url: str, status: tuple[str, int]
) -> dict[str, Any]:
    """The claims of a licence's credential, without the holder's key.

    `url` is the issuer, `status` the list's address and the index in it. `exp` is the first moment after
    the last day; a licence without a last day has none. The type's own fields stand beside the registered
    claims under their own names.
    """
    claims: dict[str, Any] = {
        "iss": url,
        "vct": kind.vct,
        "iat": int(licence.issued_at.timestamp()),
        "nbf": int(licence.starts_at.timestamp()),
        "status": {"status_list": {"uri": status[0], "idx": status[1]}},
        LICENCE_IDENTIFIER: licence.identifier,
        "licence_number": licence.number,
        "licence_version": f"{licence.version:03}",
        "licence_name": licence.type_name.zh,
        "issuing_authority": licence.agency.name.zh,
        "issuing_authority_code": licence.agency.credit_code,
        "issued_on": licence.issued_on.isoformat(),
        "valid_from": licence.valid_from.isoformat(),
        **licence.claims,
    }
    if licence.provenance:
        claims[PROVENANCE] = licence.provenance.words.zh
    if licence.valid_until and licence.ends_at:
        claims["valid_until"] = licence.valid_until.isoformat()
        claims["exp"] = int(licence.ends_at.timestamp())
    return claims
