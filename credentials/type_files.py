"""Read the TOML files of the catalogue strictly, and say plainly what is wrong with one.

Every key that a file may hold is a row of `credentials.type_keys`. A fault names file, key and what to do;
all faults of all files come out at once. What the values mean is said in `credentials.catalogue`.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from typing import TYPE_CHECKING, Any

from credentials.fields import Disclosure, Field, FieldKind
from credentials.licence_type import (
    InvalidCatalogue,
    LicenceType,
    Numbering,
    PageDesign,
    Validity,
    ValidityRule,
)
from credentials.sources.rules import source_faults
from credentials.type_forms import WrongForm, read_value
from credentials.type_keys import KEYS, Key
from credentials.type_rules import faults_of
from yinxin.base.text import Text

if TYPE_CHECKING:
    from pathlib import Path

MAX_FILE_BYTES = 256 * 1024
MAX_TYPES = 2000


def read_folder(directory: Path) -> list[LicenceType]:
    """Every type of a folder; `InvalidCatalogue` with all faults of all files."""
    try:
        paths = sorted(directory.glob("*.toml"))
    except OSError:
        paths = []
    faults: list[tuple[str, Text]] = []
    if not paths:
        faults.append(
            (str(directory), Text("文件夹中没有 .toml 类型文件", "the folder holds no .toml type file"))
        )
    if len(paths) > MAX_TYPES:
        raise InvalidCatalogue(
            [(str(directory), Text(f"超过 {MAX_TYPES} 个文件", f"more than {MAX_TYPES} files"))]
        )
    types: list[tuple[str, LicenceType]] = []
    for path in paths:
        try:
            types.append((path.name, read_type(path.read_bytes(), path.name)))
        except InvalidCatalogue as exc:
            faults.extend(exc.faults)
        except OSError as exc:
            faults.append((path.name, Text("无法读取文件", f"the file cannot be read: {exc.strerror}")))
    faults += _clashes(types)
    faults += _lost_sources(types)
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
        for place, what in faults_of(made):
            self._fault(place, what.zh, what.en)
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
            return read_value(key, value)
        except WrongForm as exc:
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
            self._fault(
                place + "choices",
                "选项类型（choice）且仅该类型须列出 choices",
                "list choices for the kind choice, and for no other",
            )
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", values["name"]):
            self._fault(
                place + "name",
                "用小写英文、数字和下划线，字母开头",
                "use lower-case letters, digits and underscores, a letter first",
            )
        if values["name"] in RESERVED_CLAIMS:
            self._fault(
                place + "name",
                "该名称在凭证中另有含义，请换一个",
                "this name means something else in a credential; take another",
            )
        personal, disclosure = values.get("personal", False), values.get("disclosure", Disclosure.SELECTIVE)
        if personal and disclosure == Disclosure.ALWAYS:
            self._fault(
                place + "disclosure",
                "个人信息必须可以隐去（selective）",
                "personal data must be selective: the holder may keep it back",
            )
        return Field(
            **{
                **values,
                "kind": kind,
                "choices": choices,
                "disclosure": Disclosure(disclosure),
                "personal": personal,
            }
        )


RESERVED_CLAIMS = frozenset(
    # RFC 7519, RFC 9901, SD-JWT VC and our own members of a credential.
    [
        "iss",
        "sub",
        "aud",
        "exp",
        "nbf",
        "iat",
        "jti",
        "cnf",
        "vct",
        "vct_integrity",
        "status",
        "_sd",
        "_sd_alg",
        "licence_identifier",
        "licence_number",
        "licence_version",
        "licence_name",
        "licence_provenance",
        "issuing_authority",
        "issuing_authority_code",
        "issued_on",
        "valid_from",
        "valid_until",
    ]
)
_TABLES = ("holder", "numbering", "validity", "page")
_SECTIONS = {*_TABLES, "fields"}


def _is_in(path: str, prefix: str) -> bool:
    return path.startswith(prefix) if prefix else "." not in path


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


def _lost_sources(types: list[tuple[str, LicenceType]]) -> list[tuple[str, Text]]:
    newest = {made.code: made for _, made in sorted(types, key=lambda one: one[1].version)}
    files = {(made.code, made.version): file for file, made in types}
    return [
        (f"{files[made.code, made.version]}: {place}", what)
        for made in newest.values()
        for place, what in source_faults(made, newest.values())
        if place != "fields"  # said of the type that names the source
    ]


def _clashes(types: list[tuple[str, LicenceType]]) -> list[tuple[str, Text]]:
    """Two files of one version, and a number or vct that two kinds share; versions of one may share both."""
    faults = []
    for key in ("code", "number", "vct"):
        seen: dict[object, tuple[str, LicenceType]] = {}
        for file, made in types:
            other, first = seen.setdefault(_name(made, key), (file, made))
            is_next = key != "code" and first.code == made.code and first.version != made.version
            if other != file and not is_next:
                faults.append((f"{file}: {key}", Text(f"与 {other} 重复", f"the same as in {other}")))
    return faults


def _name(made: LicenceType, key: str) -> object:
    return (made.code, made.version) if key == "code" else getattr(made, key)
