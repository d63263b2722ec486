"""Read a mapping file strictly, and say plainly what is wrong with it: all faults at once.

What the values mean is `credentials.legacy.mapping`.
"""

from __future__ import annotations

import difflib
import hashlib
import re
import tomllib
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from credentials.fields import FieldKind
from credentials.legacy.mapping import (
    BY_DEFAULT,
    Column,
    DateForm,
    Fix,
    ForeignIssuer,
    LegacyMapping,
    OnChange,
    StateColumn,
)
from credentials.legacy.repairs import plain_heading
from credentials.licence import EndingKind
from yinxin.base.errors import MalformedInput, UsageError
from yinxin.base.identifiers import CreditCode
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from credentials.catalogue import Catalogue
    from credentials.licence_type import LicenceType

MAX_FILE_BYTES = 256 * 1024
IN_FORCE = "in_force"
_ENCODINGS = ("utf-8", "gb18030")
_SEPARATORS = (",", ";", "\t", "|")
_TOP = {
    "register": True,
    "source": True,
    "type": True,
    "encoding": False,
    "separator": False,
    "on_change": False,
    "licence": True,
    "fields": False,
    "fixes": False,
    "foreign": False,
}
_LICENCE = {
    "number": True,
    "issued_on": True,
    "valid_from": False,
    "valid_until": False,
    "changed_at": False,
    "state": False,
}
_FOREIGN = {"issuer": True, "issuer_code": True, "type_name": True, "verify_at": True, "holder_code": True}
_STATE = {"column": True, "values": True, "since": True}
_COLUMN = {"column": False, "constant": False, "values": False, "separator": False, "dates": False}
_STATES = (IN_FORCE, *(str(kind) for kind in EndingKind if kind is not EndingKind.SUPERSEDED))


class InvalidMapping(UsageError):
    """A mapping file breaks the rules; `.faults` has (file and key, what to do) for each fault."""

    code = "invalid_mapping"
    title = Text("对照文件有误", "A mapping file is not right")

    def __init__(self, faults: Iterable[tuple[str, Text]]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(f"{place}: {what.en} / {what.zh}" for place, what in self.faults))


def read_mapping(data: bytes, file: str, catalogue: Catalogue, *, agency: str) -> LegacyMapping:
    """The mapping in a file's bytes; `file` is what faults call it, `agency` the credit code of whose it is.

    `InvalidMapping` has every fault at once.
    """
    if len(data) > MAX_FILE_BYTES:
        raise InvalidMapping([(file, Text("文件过大", f"the file is larger than {MAX_FILE_BYTES} bytes"))])
    try:
        table = tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as exc:
        raise InvalidMapping([(file, Text("文件应为 UTF-8 编码", "save the file as UTF-8"))]) from exc
    except (tomllib.TOMLDecodeError, RecursionError) as exc:
        raise InvalidMapping([(file, Text(f"不是合法的 TOML：{exc}", f"not TOML: {exc}"))]) from exc
    return _Reader(file, catalogue, agency).read(table, hashlib.sha256(data).hexdigest())


class _Reader:
    """Reads one file and gathers its faults."""

    def __init__(self, file: str, catalogue: Catalogue, agency: str) -> None:
        self._file, self._catalogue, self._agency = file, catalogue, agency
        self._faults: list[tuple[str, Text]] = []

    def read(self, table: dict[str, Any], digest: str) -> LegacyMapping:
        self._keys(table, _TOP, "")
        licence = self._table(table, "licence")
        self._keys(licence, _LICENCE, "licence.")
        foreign = self._foreign(table)
        kind = self._kind(table, foreign)
        made = LegacyMapping(
            register=self._register(table),
            source=self._text(table, "source", "", most=120),
            type_code=str(table.get("type", "")),
            number=self._text(licence, "number", "licence."),
            issued_on=self._column(licence.get("issued_on"), "licence.issued_on", FieldKind.DATE),
            valid_from=self._day(licence, "valid_from"),
            valid_until=self._day(licence, "valid_until"),
            changed_at=self._text(licence, "changed_at", "licence.") or None,
            state=self._state(licence),
            fields=self._fields(table, kind),
            fixes=self._fixes(table),
            on_change=OnChange(self._one_of(table, "on_change", tuple(OnChange)) or OnChange.CONFLICT),
            encoding=self._one_of(table, "encoding", _ENCODINGS) or "utf-8",
            separator=self._one_of(table, "separator", _SEPARATORS) or ",",
            foreign=foreign,
            digest=digest,
        )
        if self._faults:
            raise InvalidMapping(self._faults)
        return made

    def _fault(self, place: str, zh: str, en: str) -> None:
        self._faults.append((f"{self._file}: {place}", Text(zh, en)))

    def _keys(self, table: Mapping[str, Any], known: Mapping[str, bool], prefix: str) -> None:
        for name in table:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = (f"，是否应为 {near[0]}？", f"; did you mean {near[0]!r}?") if near else ("", "")
                self._fault(prefix + name, "没有这个键" + hint[0], "there is no such key" + hint[1])
        for name, required in known.items():
            if required and name not in table:
                self._fault(prefix + name, "缺少该键", "the key is missing")

    def _table(self, table: Mapping[str, Any], name: str) -> dict[str, Any]:
        value = table.get(name, {})
        if isinstance(value, dict):
            return value
        self._fault(name, f"应写成 [{name}] 一节", f"write it as a section [{name}]")
        return {}

    def _text(self, table: Mapping[str, Any], name: str, prefix: str, *, most: int = 80) -> str:
        if name not in table:
            return ""
        value = table[name]
        if not isinstance(value, str) or not 0 < len(plain_heading(value)) <= most or not value.isprintable():
            self._fault(
                prefix + name, f"应为 1 到 {most} 个字的文字", f"give a text of 1 to {most} characters"
            )
            return ""
        return plain_heading(value)

    def _one_of(self, table: Mapping[str, Any], name: str, choices: tuple[str, ...]) -> str:
        value = table.get(name)
        if value is None or value in choices:
            return str(value or "")
        said = ", ".join(map(repr, map(str, choices)))
        self._fault(name, f"应为以下之一：{said}", f"must be one of: {said}")
        return ""

    def _register(self, table: Mapping[str, Any]) -> str:
        value = table.get("register", "")
        if "register" in table and not (
            isinstance(value, str) and re.fullmatch(r"[a-z][a-z0-9-]{0,39}", value)
        ):
            self._fault(
                "register",
                "用小写英文、数字和连字符，字母开头，最多 40 个字符",
                "use lower-case letters, digits and hyphens, a letter first, 40 characters at most",
            )
        return str(value)

    def _kind(self, table: Mapping[str, Any], foreign: ForeignIssuer | None) -> LicenceType | None:
        wanted = table.get("type")
        if "foreign" in table or foreign:
            if not (isinstance(wanted, str) and re.fullmatch(r"[a-z][a-z0-9-]{0,79}", wanted)):
                self._fault("type", "用小写英文和连字符", "use lower-case letters and hyphens")
            return None
        found = next((one for one in self._catalogue if one.code == wanted), None)
        if found is None and "type" in table:
            known = "、".join(one.code for one in self._catalogue)
            self._fault("type", f"证照目录中没有该类型；有：{known}", f"no such licence type; known: {known}")
        return found

    def _column(self, value: Any, place: str, kind: FieldKind, choices: Collection[str] = ()) -> Column:
        if isinstance(value, str):
            return Column(self._text({"": value}, "", place))
        if value is None:
            return Column()
        if not isinstance(value, dict):
            self._fault(
                place, '应写成 "列名" 或 { column = "列名" }', 'write "heading" or { column = "heading" }'
            )
            return Column()
        self._keys(value, _COLUMN, place + ".")
        heading = self._text(value, "column", place + ".")
        constant = self._text(value, "constant", place + ".", most=1000)
        if ("column" in value) == ("constant" in value):
            self._fault(place, "column 与 constant 恰写其一", "give either column or constant")
        if "values" in value and "constant" in value:
            self._fault(place, "固定值不用 values", "a constant needs no values")
        return Column(
            heading,
            constant if "constant" in value else None,
            self._values(value, place, choices),
            self._part(value, "separator", place, kind is FieldKind.LIST),
            self._dates(value, place, kind),
        )

    def _values(
        self, value: Mapping[str, Any], place: str, choices: Collection[str]
    ) -> dict[str, str] | None:
        found = value.get("values")
        if found is None:
            return None
        if (
            not isinstance(found, dict)
            or not found
            or not all(isinstance(one, str) for one in found.values())
        ):
            self._fault(f"{place}.values", '应写成 { "旧值" = "新值" }', 'write it as { "old" = "new" }')
            return None
        for one in dict.fromkeys(found.values()):
            if choices and one not in choices:
                said = "、".join(choices)
                self._fault(
                    f"{place}.values", f"没有选项 {one}；有：{said}", f"no choice {one!r}; known: {said}"
                )
        return {plain_heading(old): new for old, new in found.items()}

    def _part(self, value: Mapping[str, Any], name: str, place: str, fits: bool) -> str:  # noqa: FBT001 - private
        if name not in value:
            return ""
        if not fits or not isinstance(value[name], str) or not 0 < len(value[name]) <= 5:
            self._fault(f"{place}.{name}", "只用于列表，1 到 5 个字符", "for lists only, 1 to 5 characters")
            return ""
        return str(value[name])

    def _dates(self, value: Mapping[str, Any], place: str, kind: FieldKind) -> DateForm:
        if "dates" not in value:
            return DateForm.YEAR_FIRST
        if kind is not FieldKind.DATE or value["dates"] not in tuple(DateForm):
            said = ", ".join(DateForm)
            self._fault(f"{place}.dates", f"只用于日期：{said}", f"for dates only: {said}")
            return DateForm.YEAR_FIRST
        return DateForm(value["dates"])

    def _day(self, licence: Mapping[str, Any], name: str) -> Column | None:
        if name not in licence:
            return None
        return self._column(licence[name], f"licence.{name}", FieldKind.DATE)

    def _state(self, licence: Mapping[str, Any]) -> StateColumn | None:
        if "state" not in licence:
            return None
        table, place = licence["state"], "licence.state"
        if not isinstance(table, dict):
            self._fault(
                place,
                "应写成 { column, values, since }",
                "write it as { column, values, since }",
            )
            return None
        self._keys(table, _STATE, place + ".")
        values = self._values(table, place, _STATES) or {}
        ended = {
            old: None if new == IN_FORCE else EndingKind(new) for old, new in values.items() if new in _STATES
        }
        heading, since = (self._text(table, one, place + ".") for one in ("column", "since"))
        return StateColumn(heading, ended, since)

    def _fields(self, table: Mapping[str, Any], kind: LicenceType | None) -> dict[str, Column]:
        given = self._table(table, "fields")
        if kind is None:
            if given and "foreign" in table:
                self._fault(
                    "fields",
                    "其他机关的证照只建索引，不录入内容",
                    "licences of others are indexed only, without data",
                )
            return {}
        known = {one.name: one for one in kind.fields}
        self._keys(given, {name: one.required for name, one in known.items()}, "fields.")
        return {
            name: self._column(
                value,
                f"fields.{name}",
                known[name].kind,
                [choice.value for choice in known[name].choices],
            )
            for name, value in given.items()
            if name in known
        }

    def _fixes(self, table: Mapping[str, Any]) -> frozenset[Fix]:
        given = self._table(table, "fixes")
        self._keys(given, {str(one): False for one in Fix}, "fixes.")
        rules = set(BY_DEFAULT)
        for name, wanted in given.items():
            if not isinstance(wanted, bool):
                self._fault(f"fixes.{name}", "应为 true 或 false", "must be true or false")
            elif name in set(Fix):
                (rules.add if wanted else rules.discard)(Fix(name))
        return frozenset(rules)

    def _foreign(self, table: Mapping[str, Any]) -> ForeignIssuer | None:
        if "foreign" not in table:
            return None
        given = self._table(table, "foreign")
        self._keys(given, _FOREIGN, "foreign.")
        code = self._issuer_code(given.get("issuer_code"))
        return ForeignIssuer(
            name=self._words(given.get("issuer"), "foreign.issuer"),
            code=code,
            type_name=self._words(given.get("type_name"), "foreign.type_name"),
            verify_at=self._address(given.get("verify_at")),
            holder_code=self._text(given, "holder_code", "foreign."),
        )

    def _issuer_code(self, value: Any) -> str:
        if value is None:
            return ""
        try:
            code = str(CreditCode.parse(value, strict=False))
        except MalformedInput:
            self._fault("foreign.issuer_code", "应为统一社会信用代码", "must be a unified social credit code")
            return ""
        if code == self._agency:
            self._fault(
                "foreign.issuer_code",
                "这是本机关：自己的证照不能登记为其他机关的",
                "this is the agency itself: its own licences are not another's",
            )
        return code

    def _words(self, value: Any, place: str) -> Text:
        if value is None:
            return Text("—", "—")
        if isinstance(value, dict) and set(value) == {"zh", "en"}:
            zh, en = (self._text(value, one, place + ".", most=200) for one in ("zh", "en"))
            return Text(zh or "—", en or "—")
        self._fault(place, '应写成 { zh = "…", en = "…" }', 'write it as { zh = "…", en = "…" }')
        return Text("—", "—")

    def _address(self, value: Any) -> str:
        if value is None:
            return ""
        try:
            parts = urlsplit(value) if isinstance(value, str) and value.isprintable() else None
        except ValueError:
            parts = None
        if parts is None or parts.scheme != "https" or not parts.hostname or len(value) > 200:
            self._fault("foreign.verify_at", "应为 https 网址", "must be an https address")
            return ""
        return str(value)
