"""Every key that a type file of the catalogue may hold: for the reader, and for the reference page.

`credentials.type_files` checks files against these rows; `documentation()` prints them.
"""

from __future__ import annotations

from dataclasses import dataclass

from credentials.fields import Disclosure, FieldKind
from credentials.licence_type import ValidityRule
from yinxin.base.text import Text

DESIGNS = {"licence": ("landscape", "portrait"), "booklet": ("landscape",), "letter": ("portrait",)}
"""The page designs of `credentials.face`, and which way their paper may lie."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key: its path, the form of its value, what it means."""

    path: str
    form: str
    means: Text
    required: bool = False
    choices: tuple[str, ...] = ()


FORMS = {
    "text": Text("文字", "text"),
    "words": Text("{ zh, en }", "{ zh, en }"),
    "choice": Text("选项", "one of the choices"),
    "flag": Text("true 或 false", "true or false"),
    "whole": Text("正整数", "whole number above 0"),
    "names": Text("字段名列表", "list of field names"),
    "texts": Text("{ zh, en } 列表", "list of { zh, en }"),
    "colour": Text("#rrggbb", "#rrggbb"),
    "pattern": Text("正则表达式", "regular expression"),
    "source": Text(
        "{ zh, en } 及可选的 authority、type、field", "{ zh, en }, and perhaps authority, type, field"
    ),
    "day": Text("日期 2027-01-01", "day, 2027-01-01"),
    "table": Text("值 = { zh, en } 的表", "table of value = { zh, en }"),
}


def _optional(path: str, form: str, zh: str, en: str, *, choices: tuple[str, ...] = ()) -> Key:
    return Key(path, form, Text(zh, en), choices=choices)


def _required(path: str, form: str, zh: str, en: str, *, choices: tuple[str, ...] = ()) -> Key:
    return Key(path, form, Text(zh, en), required=True, choices=choices)


KEYS: tuple[Key, ...] = (
    _required(
        "code", "text", "类型的机器名，小写英文和连字符", "machine name of the type: lower case and hyphens"
    ),
    _required(
        "number",
        "text",
        "GB/T 36904 证照类型代码：定义机关信用代码加三位数字",
        "type code of GB/T 36904: credit code of the defining authority and three digits",
    ),
    _required("name", "words", "证照名称", "what people call the licence"),
    _required("vct", "text", "SD-JWT VC 类型标识", "the SD-JWT VC type"),
    _required("defined_by", "words", "证照定义机关", "the authority that defined the type"),
    _required("legal_basis", "words", "法律依据", "the law that it rests on"),
    _required("printed_code", "names", "印刷二维码所含字段", "the fields that a printed code carries"),
    _optional(
        "commitment_due",
        "text",
        "承诺履行期限所在的日期字段",
        "the date field by when a commitment must be fulfilled",
    ),
    _optional("version", "whole", "类型版本，缺省为 1", "version of the type; 1 by default"),
    _optional("from_day", "day", "本版本启用日", "the first day of this version"),
    _optional("until_day", "day", "最后可签发日（废止）", "the last day of issuing (abolished)"),
    _required("holder.name", "text", "持证主体名称所在字段", "the field that names the holder"),
    _required("holder.code", "text", "持证主体代码所在字段", "the field with the holder's code"),
    _optional(
        "numbering.pattern",
        "text",
        "证照编号的编排，可用 {year} {date} {serial:6}",
        "how the number is made, with {year}, {date}, {serial:6}",
    ),
    _optional("numbering.field", "text", "直接作为证照编号的字段", "the field that is the number itself"),
    _required(
        "validity.rule", "choice", "有效期规则", "how the last day follows", choices=tuple(ValidityRule)
    ),
    _optional("validity.years", "whole", "固定期限：年", "years of a fixed term"),
    _optional("validity.months", "whole", "固定期限：月", "months of a fixed term"),
    _optional("validity.days", "whole", "固定期限：日", "days of a fixed term"),
    _optional(
        "validity.from_field",
        "text",
        "起始日所在的日期字段，缺省为签发日",
        "the date field with the first day; else the day of issue",
    ),
    _optional(
        "validity.until_field",
        "text",
        "截止日所在的日期字段，空值为长期",
        "the date field with the last day; empty means unlimited",
    ),
    _required("page.design", "choice", "版式", "the page design", choices=tuple(DESIGNS)),
    _required(
        "page.orientation",
        "choice",
        "纸张方向",
        "which way the paper lies",
        choices=("landscape", "portrait"),
    ),
    _required("page.colour", "colour", "边框颜色", "colour of the frame"),
    _required("page.accent", "colour", "标题颜色", "colour of the title"),
    _required("page.paper", "colour", "底色", "colour of the paper"),
    _optional("page.columns", "whole", "栏数：1 或 2", "columns: 1 or 2"),
    _optional(
        "page.fields",
        "names",
        "版面上的字段及次序，缺省为全部",
        "fields on the page, in order; all by default",
    ),
    _optional("page.left_fields", "names", "对开版式左页的字段", "fields on the left page of a booklet"),
    _optional("page.emphasis", "names", "突出显示的字段", "fields set larger"),
    _optional("page.subtitle", "words", "标题下的小字", "the line below the title"),
    _optional("page.number_label", "words", "编号前的文字", "the words before the number"),
    _optional("page.note", "words", "页脚说明", "the note at the foot"),
    _optional("page.salutation", "words", "公文的抬头，可含 {字段}", "a letter's first line, with {fields}"),
    _optional("page.body", "texts", "公文的正文各段，可含 {字段}", "a letter's paragraphs, with {fields}"),
    _required(
        "fields.name", "text", "字段的机器名，小写英文和下划线", "machine name: lower case and underscores"
    ),
    _required("fields.label", "words", "字段名称", "what people read"),
    _required("fields.kind", "choice", "字段类型", "what it holds", choices=tuple(FieldKind)),
    _required(
        "fields.source",
        "source",
        "权威数据源（一数一源）：名称、机关信用代码、证照类型与字段",
        "the one source of the datum: name, credit code of the authority, licence type and field",
    ),
    _optional("fields.required", "flag", "是否必填，缺省为是", "whether it must be there; yes by default"),
    _optional(
        "fields.disclosure",
        "choice",
        "出示时能否隐去",
        "whether the holder may keep it back",
        choices=tuple(Disclosure),
    ),
    _optional("fields.personal", "flag", "是否个人信息", "whether it is personal data"),
    _optional("fields.max_characters", "whole", "最多字符数", "most characters"),
    _optional(
        "fields.pattern",
        "pattern",
        "整体匹配的正则表达式",
        "a regular expression that the whole value matches",
    ),
    _optional("fields.pattern_text", "words", "不匹配时的说明", "what to say when it does not match"),
    _optional("fields.choices", "table", "可选值：值 = { zh, en }", "allowed values: value = { zh, en }"),
    _optional("fields.unit", "words", "单位", "the unit"),
    _optional("fields.example", "text", "示例", "an example"),
)


def documentation() -> list[dict[str, object]]:
    """The rows of the reference page on type files: path, form, required, choices and meaning."""
    return [
        {
            "key": key.path,
            "form": FORMS[key.form].to_dict(),
            "required": key.required,
            "choices": list(key.choices),
            "means": key.means.to_dict(),
        }
        for key in KEYS
    ]
