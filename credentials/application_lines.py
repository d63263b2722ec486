"""Read applications from JSON lines: one strict JSON object in each line, as a system writes them.

    {"case": "办-1", "type": "food-business-licence", "claims": {…}, "holder_key": {…}}

`case` and `holder_key` may be absent, `type` where all lines have one type. Faults are told by line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from credentials.applications import (
    MAX_BYTES,
    MAX_ROWS,
    ApplicationRow,
    Applications,
    RowFault,
    unless_seen,
)
from signing.jose import load_json_object
from signing.keys import PublicKey
from yinxin.base.errors import InvalidClaims, MalformedInput, TooLarge, UnknownLicenceType
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from credentials.catalogue import Catalogue
    from credentials.licence_type import LicenceType

MAX_LINE_BYTES = 64 * 1024
_MEMBERS = {"case": str, "type": str, "claims": dict, "holder_key": dict}
_NO_OBJECT = Text("不是有效的 JSON 对象", "not a JSON object")
_TOO_LONG = Text("行过长", "the line is too long")
_NO_TYPE = Text("证照目录中没有该类型", "the catalogue has no such licence type")
_OTHER_TYPE = Text("与本批次的证照类型不同", "not of the type of this file")
_NO_MEMBER = Text("不允许出现此项，或其取值类型不符", "this name, or such a value, is not allowed here")
_NO_KEY = Text("不是可用的公钥（JWK）", "not a public key (JWK)")


def read_lines(data: bytes, catalogue: Catalogue, *, type_code: str | None = None) -> Applications:
    """The applications of JSON lines; a blank line is none. `TooLarge` when there are too many."""
    if len(data) > MAX_BYTES:
        raise TooLarge("json lines", f"over {MAX_BYTES} bytes")
    if type_code is not None:
        _ = catalogue[type_code]
    rows: list[ApplicationRow] = []
    faults: list[RowFault] = []
    seen: dict[str, int] = {}
    total = 0
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line.strip():
            continue
        total += 1
        if total > MAX_ROWS:
            raise TooLarge("json lines", f"over {MAX_ROWS} lines")
        found = _read(number, line, catalogue, type_code)
        if isinstance(found, ApplicationRow):
            found = unless_seen(found, seen)
        if isinstance(found, ApplicationRow):
            rows.append(found)
        else:
            faults += found
    return Applications(tuple(rows), tuple(faults), total)


def _read(
    number: int, line: bytes, catalogue: Catalogue, type_code: str | None
) -> ApplicationRow | list[RowFault]:
    try:
        if len(line) > MAX_LINE_BYTES:
            raise TooLarge("line")
        said = load_json_object(line)
    except MalformedInput as exc:
        return [RowFault(number, "", _TOO_LONG if isinstance(exc, TooLarge) else _NO_OBJECT)]
    if faults := [RowFault(number, name[:80], _NO_MEMBER) for name in said if not _is_known(name, said)]:
        return faults
    try:
        kind = _kind(said, catalogue, type_code)
        claims, holder = kind.check(said.get("claims", {})), _key(said.get("holder_key"))
    except InvalidClaims as exc:
        return [RowFault(number, name, why) for name, why in exc.faults]
    return ApplicationRow(number, kind, claims, {}, said.get("case", "").strip(), holder)


def _kind(said: Mapping[str, Any], catalogue: Catalogue, type_code: str | None) -> LicenceType:
    code = said.get("type", type_code)
    if type_code is not None and code != type_code:
        raise InvalidClaims(faults=[("type", _OTHER_TYPE)])
    try:
        return catalogue[str(code)]
    except UnknownLicenceType as exc:
        raise InvalidClaims(faults=[("type", _NO_TYPE)]) from exc


def _is_known(name: str, said: Mapping[str, Any]) -> bool:
    return name in _MEMBERS and isinstance(said[name], _MEMBERS[name])


def _key(jwk: dict[str, Any] | None) -> PublicKey | None:
    try:
        return PublicKey.from_jwk(jwk) if jwk is not None else None
    except MalformedInput as exc:
        raise InvalidClaims(faults=[("holder_key", _NO_KEY)]) from exc
