"""Read the TOML files of the catalogue strictly, and say plainly what is wrong with one.

Every key that a file may hold is a row of `KEYS`; the reader and the reference page are both made from
it. A fault names file, key and what to do; all faults of all files come out at once. What the values
mean is said in `credentials.catalogue`.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from credentials.catalogue import InvalidCatalogue, LicenceType, Numbering, PageDesign, Validity, ValidityRule
from credentials.fields import Choice, Disclosure, Field, FieldKind
from yinxin.base.errors import MalformedInput
from yinxin.base.identifiers import CreditCode
from yinxin.base.text import Text

DESIGNS = ("licence", "booklet", "letter")
MAX_FILE_BYTES = 256 * 1024
MAX_TYPES = 2000
NUMBER_PART = re.compile(r"\{(?P<name>year|date|serial)(?::(?P<width>[1-9][0-9]?))?\}")
PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
STANDARD_ITEMS = ("number", "agency", "issued_on", "valid_from", "valid_until", "holder", "type")
"""What a letter's body may name beside the type's own fields."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a type file, for the reader and for the reference page."""

    path: str
    form: str  # text | words | choice | flag | whole | names | texts | colour | pattern
    means: Text
    required: bool = False
    choices: tuple[str, ...] = ()


KEYS: tuple[Key, ...] = (
    Key("code", "text", Text("类型的机器名，小写英文和连字符", "machine name of the type: lower case and hyphens"), True),
    Key("number", "text", Text("GB/T 36904 证照类型代码：定义机关信用代码加三位数字", "type code of GB/T 36904: credit code of the defining authority and three digits"), True),
    Key("name", "words", Text("证照名称", "what people call the licence"), True),
    Key("vct", "text", Text("SD-JWT VC 类型标识", "the SD-JWT VC type"), True),
    Key("defined_by", "words", Text("证照定义机关", "the authority that defined the type"), True),
    Key("legal_basis", "words", Text("法律依据", "the law that it rests on"), True),
    Key("printed_code", "names", Text("印刷二维码所含字段", "the fields that a printed code carries"), True),
    Key("commitment_due", "text", Text("承诺履行期限所在的日期字段", "the date field by when a commitment must be fulfilled")),
    Key("holder.name", "text", Text("持证主体名称所在字段", "the field that names the holder"), True),
    Key("holder.code", "text", Text("持证主体代码所在字段", "the field with the holder's code"), True),
    Key("numbering.pattern", "text", Text("证照编号的编排，可用 {year} {date} {serial:6}", "how the number is made, with {year}, {date}, {serial:6}")),
    Key("numbering.field", "text", Text("直接作为证照编号的字段", "the field that is the number itself")),
    Key("validity.rule", "choice", Text("有效期规则", "how the last day follows"), True, tuple(ValidityRule)),
    Key("validity.years", "whole", Text("固定期限：年", "years of a fixed term")),
    Key("validity.months", "whole", Text("固定期限：月", "months of a fixed term")),
    Key("validity.days", "whole", Text("固定期限：日", "days of a fixed term")),
    Key("validity.from_field", "text", Text("起始日所在的日期字段，缺省为签发日", "the date field with the first day; else the day of issue")),
    Key("validity.until_field", "text", Text("截止日所在的日期字段，空值为长期", "the date field with the last day; empty means unlimited")),
    Key("page.design", "choice", Text("版式", "the page design"), True, DESIGNS),
    Key("page.orientation", "choice", Text("纸张方向", "which way the paper lies"), True, ("landscape", "portrait")),
    Key("page.colour", "colour", Text("边框颜色", "colour of the frame"), True),
    Key("page.accent", "colour", Text("标题颜色", "colour of the title"), True),
    Key("page.paper", "colour", Text("底色", "colour of the paper"), True),
    Key("page.columns", "whole", Text("栏数：1 或 2", "columns: 1 or 2")),
    Key("page.fields", "names", Text("版面上的字段及次序，缺省为全部", "fields on the page, in order; all by default")),
    Key("page.left_fields", "names", Text("对开版式左页的字段", "fields on the left page of a booklet")),
    Key("page.emphasis", "names", Text("突出显示的字段", "fields set larger")),
    Key("page.subtitle", "words", Text("标题下的小字", "the line below the title")),
    Key("page.number_label", "words", Text("编号前的文字", "the words before the number")),
    Key("page.note", "words", Text("页脚说明", "the note at the foot")),
    Key("page.salutation", "words", Text("公文的抬头，可含 {字段}", "a letter's first line, with {fields}")),
    Key("page.body", "texts", Text("公文的正文各段，可含 {字段}", "a letter's paragraphs, with {fields}")),
    Key("fields.name", "text", Text("字段的机器名，小写英文和下划线", "machine name: lower case and underscores"), True),
    Key("fields.label", "words", Text("字段名称", "what people read"), True),
    Key("fields.kind", "choice", Text("字段类型", "what it holds"), True, tuple(FieldKind)),
    Key("fields.source", "words", Text("权威数据源（一数一源）", "the one authority that the datum comes from"), True),
    Key("fields.required", "flag", Text("是否必填，缺省为是", "whether it must be there; yes by default")),
    Key("fields.disclosure", "choice", Text("出示时能否隐去", "whether the holder may keep it back"), False, tuple(Disclosure)),
    Key("fields.personal", "flag", Text("是否个人信息", "whether it is personal data")),
    Key("fields.max_characters", "whole", Text("最多字符数", "most characters")),
    Key("fields.pattern", "pattern", Text("整体匹配的正则表达式", "a regular expression that the whole value matches")),
    Key("fields.pattern_text", "words", Text("不匹配时的说明", "what to say when it does not match")),
    Key("fields.choices", "table", Text("可选值：值 = { zh, en }", "allowed values: value = { zh, en }")),
    Key("fields.unit", "words", Text("单位", "the unit")),
    Key("fields.example", "text", Text("示例", "an example")),
)  # fmt: skip
_BY_PATH = {key.path: key for key in KEYS}


def read_folder(directory: Path) -> list[LicenceType]:
    """Every type of a folder; `InvalidCatalogue` with all faults of all files."""
    try:
        paths = sorted(directory.glob("*.toml"))
    except OSError:
        paths = []
    faults: list[tuple[str, Text]] = []
    if not paths:
        faults.append((str(directory), Text("文件夹中没有 .toml 类型文件", "the folder holds no .toml type file")))
    if len(paths) > MAX_TYPES:
        raise InvalidCatalogue([(str(directory), Text(f"超过 {MAX_TYPES} 个文件", f"more than {MAX_TYPES} files"))])
    types: list[tuple[str, LicenceType]] = []
    for path in paths:
        try:
            types.append((path.name, read_type(path.read_bytes(), path.name)))
        except InvalidCatalogue as exc:
            faults.extend(exc.faults)
        except OSError as exc:
            faults.append((path.name, Text("无法读取文件", f"the file cannot be read: {exc.strerror}")))
    faults += _clashes(types)
    if faults:
        raise InvalidCatalogue(faults)
    return [one for _, one in types]


def read_type(data: bytes, file: str) -> LicenceType:
    """One type from a file's bytes; `file` is what faults call it."""
    if len(data) > MAX_FILE_BYTES:
        raise InvalidCatalogue([(file, Text("文件过大", f"the file is larger than {MAX_FILE_BYTES} bytes"))])
    try:
        table = tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as exc:
        raise InvalidCatalogue([(file, Text("文件应为 UTF-8 编码", "save the file as UTF-8"))]) from exc
    except (tomllib.TOMLDecodeError, RecursionError) as exc:
        raise InvalidCatalogue([(file, Text(f"不是合法的 TOML：{exc}", f"not TOML: {exc}"))]) from exc
    return _Reader(file).read(table)


class _Reader:
    """Reads one file and gathers its faults."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._faults: list[tuple[str, Text]] = []

    def read(self, table: dict[str, Any]) -> LicenceType:
        top = {name: value for name, value in table.items() if name not in _SECTIONS}
        head = self._section(top, "", "")
        parts = {name: self._section(self._table(table, name), name + ".", name + ".") for name in _TABLES}
        fields = self._fields(table.get("fields"))
        if self._faults:
            raise InvalidCatalogue(self._faults)
        made = _build(head, parts, fields)
        self._check(made)
        if self._faults:
            raise InvalidCatalogue(self._faults)
        return made

    def _fault(self, place: str, zh: str, en: str) -> None:
        self._faults.append((f"{self._file}: {place}", Text(zh, en)))

    def _table(self, table: dict[str, Any], name: str) -> dict[str, Any]:
        value = table.get(name, {})
        if isinstance(value, dict):
            return value
        self._fault(name, f"应写成 [{name}] 一节", f"write it as a section [{name}]")
        return {}

    def _section(self, table: dict[str, Any], prefix: str, place: str) -> dict[str, Any]:
        """The values of one table, each in its form; unknown and missing keys are faults."""
        known = {key.path[len(prefix) :]: key for key in KEYS if _is_in(key.path, prefix)}
        found: dict[str, Any] = {}
        for name, value in table.items():
            if name in known:
                found[name] = self._value(known[name], value, place + name)
            else:
                near = difflib.get_close_matches(name, known, n=1)
                hint = (f"，是否应为 {near[0]}？", f"; did you mean {near[0]!r}?") if near else ("", "")
                self._fault(place + name, "没有这个键" + hint[0], "there is no such key" + hint[1])
        for name, key in known.items():
            if key.required and name not in table:
                self._fault(place + name, f"缺少该键：{key.means.zh}", f"the key is missing: {key.means.en}")
        return found

    def _value(self, key: Key, value: Any, place: str) -> Any:
        try:
            return _FORMS[key.form](key, value)
        except _Wrong as exc:
            self._fault(place, exc.text.zh, exc.text.en)
            return None

    def _fields(self, tables: Any) -> list[Field]:
        if not isinstance(tables, list) or not tables or not all(isinstance(one, dict) for one in tables):
            self._fault("fields", "至少写一个 [[fields]] 一节", "write at least one [[fields]] section")
            return []
        fields = []
        for index, table in enumerate(tables, start=1):
            before = len(self._faults)
            place = f"fields[{table.get('name', index)}]."
            values = self._section(table, "fields.", place)
            if len(self._faults) == before:
                fields.append(self._field(values, place))
        return fields

    def _field(self, values: dict[str, Any], place: str) -> Field:
        kind = FieldKind(values["kind"])
        choices = tuple(values.pop("choices", ()))
        if (kind is FieldKind.CHOICE) != bool(choices):
            self._fault(place + "choices", "选项类型（choice）且仅该类型须列出 choices", "list choices for the kind choice, and for no other")
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", values["name"]):
            self._fault(place + "name", "用小写英文、数字和下划线，字母开头", "use lower-case letters, digits and underscores, a letter first")
        if values["name"] in RESERVED_CLAIMS:
            self._fault(place + "name", "该名称在凭证中另有含义，请换一个", "this name means something else in a credential; take another")
        personal, disclosure = values.get("personal", False), values.get("disclosure", Disclosure.SELECTIVE)
        if personal and disclosure == Disclosure.ALWAYS:
            self._fault(place + "disclosure", "个人信息必须可以隐去（selective）", "personal data must be selective: the holder may keep it back")
        return Field(
            **{**values, "kind": kind, "choices": choices, "disclosure": Disclosure(disclosure), "personal": personal}
        )

    def _check(self, made: LicenceType) -> None:
        """What can be judged only on the whole."""
        self._check_codes(made)
        kinds = {one.name: one.kind for one in made.fields}
        if len(kinds) != len(made.fields):
            self._fault("fields", "有重复的字段名", "two fields have the same name")
        dates = {name for name, kind in kinds.items() if kind is FieldKind.DATE}
        for place, name in _references(made):
            if name not in kinds:
                self._fault(place, f"没有名为 {name} 的字段", f"there is no field {name!r}")
        for place in ("commitment_due", "validity.from_field", "validity.until_field"):
            name = _reach(made, place)
            if name in kinds and name not in dates:
                self._fault(place, f"字段 {name} 应为日期类型", f"the field {name!r} must be of the kind date")
        required = {one.name for one in made.fields if one.required}
        for place in ("holder_name", "holder_code", "commitment_due"):
            name = getattr(made, place)
            if name in kinds and name not in required:
                self._fault(place.replace("holder_", "holder."), f"字段 {name} 必须为必填", f"the field {name!r} must be required")
        self._check_validity(made.validity)
        self._check_page(made, set(kinds))

    def _check_codes(self, made: LicenceType) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", made.code):
            self._fault("code", "用小写英文、数字和连字符，如 food-business-licence", "use lower-case letters, digits and hyphens, as in food-business-licence")
        try:
            CreditCode.parse(made.number[:18])
        except MalformedInput:
            self._fault("number", "前 18 位不是有效的统一社会信用代码", "its first 18 characters are not a valid credit code")
        if not re.fullmatch(r"[0-9A-Z]{18}\d{3}", made.number):
            self._fault("number", "应为 18 位信用代码加三位数字", "give 18 characters of credit code and three digits")
        if not re.fullmatch(r"(urn:[a-z0-9][a-z0-9-]{0,31}:\S+|https://\S+)", made.vct):
            self._fault("vct", "应为 urn: 或 https:// 开头的标识", "give a name that begins with urn: or https://")
        numbering = made.numbering
        if bool(numbering.pattern) == bool(numbering.field):
            self._fault("numbering", "pattern 与 field 二者取一", "give either pattern or field")
        rest = NUMBER_PART.sub("", numbering.pattern)
        if numbering.pattern and ("{serial" not in numbering.pattern or "{" in rest or "}" in rest):
            self._fault("numbering.pattern", "须含 {serial:位数}，另可用 {year} {date}", "it must hold {serial:digits}, and may hold {year} and {date}")

    def _check_validity(self, validity: Validity) -> None:
        term = validity.years or validity.months or validity.days
        if (validity.rule is ValidityRule.TERM) != bool(term):
            self._fault("validity", "固定期限（term）且仅此规则须写 years、months 或 days", "give years, months or days for the rule term, and for no other")
        if (validity.rule is ValidityRule.FIELD) != bool(validity.until_field):
            self._fault("validity.until_field", "规则 field 且仅此规则须写 until_field", "give until_field for the rule field, and for no other")

    def _check_page(self, made: LicenceType, names: set[str]) -> None:
        page = made.page
        if page.columns not in {1, 2}:
            self._fault("page.columns", "只能为 1 或 2", "must be 1 or 2")
        if (page.design == "letter") != bool(page.body):
            self._fault("page.body", "公文版式（letter）且仅此版式须写正文", "give a body for the design letter, and for no other")
        if (page.design == "booklet") != bool(page.left_fields):
            self._fault("page.left_fields", "对开版式（booklet）且仅此版式须写 left_fields", "give left_fields for the design booklet, and for no other")
        for text in (*page.body, *((page.salutation,) if page.salutation else ())):
            for name in PLACEHOLDER.findall(text.zh + text.en):
                if name not in names and name not in STANDARD_ITEMS:
                    self._fault("page.body", f"没有名为 {{{name}}} 的字段", f"there is no field {{{name}}}")


RESERVED_CLAIMS = frozenset(
    # RFC 7519, RFC 9901, SD-JWT VC and our own members of a credential.
    "iss sub aud exp nbf iat jti cnf vct vct_integrity status _sd _sd_alg licence_identifier licence_number "
    "licence_version licence_name issuing_authority issuing_authority_code issued_on valid_from valid_until".split()
)
_TABLES = ("holder", "numbering", "validity", "page")
_SECTIONS = {*_TABLES, "fields"}


class _Wrong(Exception):  # noqa: N818 - internal signal
    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.text = Text(zh, en)


def _is_in(path: str, prefix: str) -> bool:
    return path.startswith(prefix) if prefix else "." not in path


def _as_text(_key: Key, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _Wrong("应为非空文字", "give a text")
    return value.strip()


def _as_words(_key: Key, value: Any) -> Text:
    wanted = isinstance(value, dict) and set(value) == {"zh", "en"}
    if not wanted or not all(isinstance(one, str) and one.strip() for one in value.values()):
        raise _Wrong('应写成 { zh = "…", en = "…" }', 'write it as { zh = "…", en = "…" }')
    return Text(value["zh"].strip(), value["en"].strip())


def _as_choice(key: Key, value: Any) -> str:
    if value not in key.choices:
        raise _Wrong(f"应为以下之一：{'、'.join(key.choices)}", f"must be one of: {', '.join(key.choices)}")
    return str(value)


def _as_flag(_key: Key, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _Wrong("应为 true 或 false", "must be true or false")
    return value


def _as_whole(_key: Key, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= 10_000:
        raise _Wrong("应为 1 到 10000 的整数", "must be a whole number from 1 to 10000")
    return value


def _as_names(_key: Key, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(one, str) for one in value):
        raise _Wrong('应写成 ["字段", "字段"]', 'write it as ["field", "field"]')
    if len(set(value)) != len(value):
        raise _Wrong("有重复的字段", "a field stands in it twice")
    return tuple(value)


def _as_texts(key: Key, value: Any) -> tuple[Text, ...]:
    if not isinstance(value, list) or not value:
        raise _Wrong('应写成 [{ zh = "…", en = "…" }]', 'write it as [{ zh = "…", en = "…" }]')
    return tuple(_as_words(key, one) for one in value)


def _as_colour(_key: Key, value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"#[0-9a-fA-F]{6}", value):
        raise _Wrong("应为 #rrggbb 颜色", "give a colour as #rrggbb")
    return value.lower()


def _as_pattern(_key: Key, value: Any) -> re.Pattern[str]:
    try:
        return re.compile(value)
    except (re.error, TypeError, RecursionError, OverflowError) as exc:
        raise _Wrong("不是有效的正则表达式", "not a regular expression") from exc


def _as_choices(key: Key, value: Any) -> tuple[Choice, ...]:
    if not isinstance(value, dict) or not value:
        raise _Wrong("应写成 值 = { zh, en } 的表", "write it as a table of value = { zh, en }")
    return tuple(Choice(name, _as_words(key, words)) for name, words in value.items())


_FORMS = {
    "text": _as_text,
    "words": _as_words,
    "choice": _as_choice,
    "flag": _as_flag,
    "whole": _as_whole,
    "names": _as_names,
    "texts": _as_texts,
    "colour": _as_colour,
    "pattern": _as_pattern,
    "table": _as_choices,
}


def _build(head: dict[str, Any], parts: dict[str, dict[str, Any]], fields: list[Field]) -> LicenceType:
    page = parts["page"]
    page.setdefault("columns", 1)
    page.setdefault("fields", tuple(one.name for one in fields))
    validity = {**parts["validity"], "rule": ValidityRule(parts["validity"]["rule"])}
    return LicenceType(
        **head,
        fields=tuple(fields),
        validity=Validity(**validity),
        numbering=Numbering(**parts["numbering"]),
        page=PageDesign(**page),
        holder_name=parts["holder"]["name"],
        holder_code=parts["holder"]["code"],
    )


def _references(made: LicenceType) -> list[tuple[str, str]]:
    """Every place that names a field, and the name."""
    single = ("holder.name", "holder.code", "commitment_due", "numbering.field", "validity.from_field", "validity.until_field")
    named = [(place, _reach(made, place)) for place in single]
    for place in ("printed_code", "page.fields", "page.left_fields", "page.emphasis"):
        named += [(place, name) for name in _reach(made, place)]
    return [(place, name) for place, name in named if name]


def _reach(made: LicenceType, place: str) -> Any:
    """The value at a key such as `validity.from_field`."""
    if place.startswith("holder."):
        return getattr(made, place.replace(".", "_"))
    value: Any = made
    for step in place.split("."):
        value = getattr(value, step)
    return value


def _clashes(types: list[tuple[str, LicenceType]]) -> list[tuple[str, Text]]:
    faults = []
    for key in ("code", "number", "vct"):
        seen: dict[str, str] = {}
        for file, made in types:
            value = getattr(made, key)
            if value in seen:
                faults.append((f"{file}: {key}", Text(f"与 {seen[value]} 重复", f"the same as in {seen[value]}")))
            seen[value] = file
    return faults
