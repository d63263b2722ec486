"""Trust lists over one agency and one type of licence, and what verdicts follow from them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from credentials import samples
from signing.reasons import Reason
from signing.trust_list import ListedIssuer, ListedType, ServingList, TrustList
from world.pki import NOON
from world.printed import CATALOGUE
from yinxin.base.text import Text

if TYPE_CHECKING:
    from signing.certificates import Certificate

DAY = timedelta(days=1)
KIND = "food-business-licence"
CODE = CATALOGUE[KIND].number
LONG_AGO, TODAY = datetime(2020, 1, 1, tzinfo=UTC), NOON
Rows = list[tuple[Literal["granted", "suspended", "withdrawn"], datetime]]
GRANTED: Rows = [("granted", LONG_AGO)]
WITHDRAWN: Rows = [*GRANTED, ("withdrawn", TODAY)]
SUSPENDED: Rows = [*GRANTED, ("suspended", TODAY)]


def a_list(
    signer: Certificate,
    vct: str,
    rows: Rows,
    *,
    agency: str = samples.AGENCY.credit_code,
    ends: timedelta = DAY,
) -> ServingList:
    types = tuple(ListedType(vct, status, since, CODE) for status, since in rows)
    issuer = ListedIssuer(Text("局", "bureau"), agency, (signer.subject,), ("q.city.example",), types)
    listed = TrustList("city", 1, 1, NOON - 2 * DAY, NOON + ends, (), (issuer,), "ab" * 32)
    return ServingList(listed, timedelta(0))


OTHER = "1112010090000202XD"
CASES: list[tuple[Rows, dict[str, Any], set[Reason]]] = [
    (GRANTED, {}, set()),
    ([], {}, {Reason.ISSUER_NOT_PERMITTED}),
    ([("granted", NOON + DAY)], {}, {Reason.ISSUER_NOT_PERMITTED}),
    (WITHDRAWN, {}, {Reason.ISSUER_PERMISSION_WITHDRAWN}),
    (SUSPENDED, {}, {Reason.ISSUER_PERMISSION_SUSPENDED}),
    ([*SUSPENDED, ("withdrawn", LONG_AGO)], {}, {Reason.ISSUER_NOT_PERMITTED}),
    (GRANTED, {"agency": OTHER}, {Reason.ISSUER_MISMATCH}),
    (GRANTED, {"ends": -DAY}, {Reason.TRUST_LIST_UNAVAILABLE}),
]
IDS = ["granted", "never", "later", "withdrawn", "suspended", "long ago", "of another agency", "old list"]
