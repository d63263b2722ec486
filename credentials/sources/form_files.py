"""Read the TOML files of forms strictly, and say plainly what is wrong with one.

    matter = "food-business-renewal"
    name = { zh = "食品经营许可延续申请表", en = "Renewal of a food business licence" }
    [[fields]]
    name = "operator"
    label = { zh = "申请人", en = "Applicant" }
    kind = "text"
    from = ["business-licence.enterprise_name", "food-business-licence.operator_name"]

`form_faults` judges a form beside the catalogue: the first place of a field is where its datum begins.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from credentials.fields import FieldKind
from credentials.licence_type import InvalidCatalogue
from credentials.sources.form import Form, FormBook, FormField, Place
from credentials.sources.rules import is_own
from credentials.type_forms import WrongForm, read_value
from credentials.type_keys import Key
from yinxin.base.errors import UnknownLicenceType
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credentials.catalogue import Catalogue

BUILT_IN = Path(__file__).parent / "forms"
MAX_FILE_BYTES, MAX_FORMS, MAX_FIELDS, MAX_PLACES = 128 * 1024, 500, 100, 8
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")  # as matters are written in grants
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_PLACE = re.compile(r"([a-z][a-z0-9-]{0,79})\.([a-z][a-z0-9_]{0,39})")
_HEAD = {
    "matter": Key("matter", "text", Text("事项编码", "the matter"), required=True),
    "name": Key("name", "words", Text("表单名称", "the form's name"), required=True),
}
_FIELD = {
    "name": Key("name", "text", Text("字段机器名", "machine name"), required=True),
    "label": Key("label", "words", Text("字段名称", "what people read"), required=True),
    "kind": Key("kind", "choice", Text("字段类型", "what it holds"), required=True, choices=tuple(FieldKind)),
    "required": Key("required", "flag", Text("是否必填", "whether it must be there")),
}
Fault = tuple[str, Text]


def load_forms(directory: str | Path | None, catalogue: Catalogue) -> FormBook:
    """Every form of a folder, else the built-in ones; `InvalidCatalogue` with all faults of all files."""
    paths = sorted(Path(directory or BUILT_IN).glob("*.toml"))
    if len(paths) > MAX_FORMS:
        raise InvalidCatalogue([(str(directory), Text("文件过多", f"more than {MAX_FORMS} files"))])
    forms: dict[str, Form] = {}
    faults: list[Fault] = []
    for path in paths:
        try:
            made = read_form_file(path.read_bytes(), path.name)
        except InvalidCatalogue as exc:
            faults += exc.faults
            continue
        except OSError as exc:
            faults.append((path.name, Text("无法读取文件", f"the file cannot be read: {exc.strerror}")))
            continue
        if made.matter in forms:
            faults.append((f"{path.name}: matter", Text("该事项已有表单", "this matter has a form already")))
        forms[made.matter] = made
        faults += [(f"{path.name}: {place}", what) for place, what in form_faults(made, catalogue)]
    if faults:
        raise InvalidCatalogue(faults)
    return FormBook(forms.values())


def read_form_file(data: bytes, file: str) -> Form:
    """One form from a file's bytes; `file` is what faults call it."""
    if len(data) > MAX_FILE_BYTES:
        raise InvalidCatalogue([(file, Text("文件过大", f"the file is larger than {MAX_FILE_BYTES} bytes"))])
    try:
        table = tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as exc:
        raise InvalidCatalogue([(file, Text("文件应为 UTF-8 编码", "save the file as UTF-8"))]) from exc
    except (tomllib.TOMLDecodeError, RecursionError) as exc:
        raise InvalidCatalogue([(file, Text(f"不是合法的 TOML：{exc}", f"not TOML: {exc}"))]) from exc
    faults: list[Fault] = []
    head = _section({k: v for k, v in table.items() if k != "fields"}, _HEAD, "", faults)
    fields = _fields(table.get("fields"), faults)
    if not faults and not _WORD.fullmatch(head["matter"]):
        faults.append(("matter", Text("用字母、数字和连字符", "use letters, digits and hyphens")))
    if faults:
        raise InvalidCatalogue([(f"{file}: {place}", what) for place, what in faults])
    return Form(head["matter"], head["name"], tuple(fields))


def form_faults(form: Form, catalogue: Catalogue) -> Iterator[Fault]:
    """What does not hold beside the catalogue: unknown places, other kinds, a first one that is no source."""
    for field in form.fields:
        for index, place in enumerate(field.places):
            for what in _place_faults(field, place, catalogue, is_first=index == 0):
                yield f"fields[{field.name}].from", what


def _place_faults(field: FormField, place: Place, catalogue: Catalogue, *, is_first: bool) -> Iterator[Text]:
    try:
        kind = catalogue[place.type_code]
    except UnknownLicenceType:
        yield Text(f"目录中没有类型 {place.type_code}", f"the catalogue has no type {place.type_code}")
        return
    found = next((one for one in kind.fields if one.name == place.field), None)
    if found is None:
        yield Text(f"没有字段 {place}", f"there is no field {place}")
    elif found.kind is not field.kind:
        yield Text(
            f"{place} 的类型不同（{found.kind}）", f"{place} holds another kind of value ({found.kind})"
        )
    elif is_first and not is_own(kind, found) and found.source.type_code in {one.code for one in catalogue}:
        source = f"{found.source.type_code}.{found.source.field}"
        yield Text(f"应先写权威来源 {source}", f"name the authoritative source first: {source}")


def _fields(tables: Any, faults: list[Fault]) -> list[FormField]:
    if not isinstance(tables, list) or not 0 < len(tables) <= MAX_FIELDS:
        faults.append(("fields", Text(f"应有 1 至 {MAX_FIELDS} 个字段", f"give 1 to {MAX_FIELDS} fields")))
        return []
    found: list[FormField] = []
    for index, table in enumerate(tables, start=1):
        before = len(faults)
        if not isinstance(table, dict):
            faults.append((f"fields[{index}]", Text("应写成一节", "write it as a section")))
            continue
        place = f"fields[{table.get('name', index)}]."
        values = _section({k: v for k, v in table.items() if k != "from"}, _FIELD, place, faults)
        places = _places(table.get("from", []), place, faults)
        if len(faults) == before:
            found.append(FormField(**{**values, "kind": FieldKind(values["kind"])}, places=places))
    names = [one.name for one in found]
    if len(set(names)) != len(names) or not all(map(_NAME.fullmatch, names)):
        what = Text("字段名重复或不合规", "a field's name comes twice, or is no plain word")
        faults.append(("fields", what))
    return found


def _places(value: Any, place: str, faults: list[Fault]) -> tuple[Place, ...]:
    matches = (
        [_PLACE.fullmatch(one) for one in value if isinstance(one, str)] if isinstance(value, list) else []
    )
    good = [Place(found[1], found[2]) for found in matches if found]
    if not isinstance(value, list) or len(good) != len(value) or len(set(good)) != len(good):
        faults.append((place + "from", Text('应写成 ["类型.字段"]', 'write it as ["type.field"]')))
    elif len(good) > MAX_PLACES:
        faults.append((place + "from", Text("来源过多", f"more than {MAX_PLACES} places")))
    return tuple(good)


def _section(table: dict[str, Any], keys: dict[str, Key], place: str, faults: list[Fault]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in table.items():
        key = keys.get(name)
        if key is None:
            faults.append((place + name, Text("没有这个键", "there is no such key")))
            continue
        try:
            found[name] = read_value(key, value)
        except WrongForm as exc:
            faults.append((place + name, exc.text))
    for name, key in keys.items():
        if key.required and name not in table:
            says = Text(f"缺少该键：{key.means.zh}", f"the key is missing: {key.means.en}")
            faults.append((place + name, says))
    return found
