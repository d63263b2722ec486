"""What a new version of a type changes, in plain words, and what that means for what is issued already.

    for one in differences(before, after):
        print(one.what.zh, one.means.zh)

Pure: two versions in, sentences out. A first version differs from nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credentials.fields import Field
    from credentials.licence_type import LicenceType

_OLD_STAY = Text("已发证照不受影响", "licences issued already stay as they are")
_NEXT_NEEDS = Text(
    "已发证照继续有效；下次变更或换发时须补填，此前其凭证不含该项",
    "licences issued already stay valid; their next replacement needs a value, and their credentials have "
    "none until then",
)
_NEXT_LOSES = Text(
    "已发证照及钱包中的凭证仍含该项；换发后不再有",
    "licences and credentials issued already keep it; replaced ones lose it",
)


@dataclass(frozen=True, slots=True)
class Difference:
    """One change: its kind, the field it is about (empty for the whole), what changes, what that means."""

    kind: str
    field: str
    what: Text
    means: Text

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "kind": self.kind,
            "field": self.field or None,
            "what": self.what.to_dict(),
            "means": self.means.to_dict(),
        }


def differences(before: LicenceType, after: LicenceType) -> list[Difference]:
    """Every change from one version to the next; fields first, then the whole."""
    return [*_fields(before, after), *_whole(before, after)]


def _fields(before: LicenceType, after: LicenceType) -> Iterator[Difference]:
    old = {one.name: one for one in before.fields}
    new = {one.name: one for one in after.fields}
    for name, field in new.items():
        if name not in old:
            yield _added(field)
        else:
            yield from _changed(old[name], field)
    for name, field in old.items():
        if name not in new:
            yield Difference("removed", name, _says(field, "删除", "is removed"), _NEXT_LOSES)


def _added(field: Field) -> Difference:
    if field.required:
        return Difference(
            "added_required", field.name, _says(field, "新增，必填", "is new, and required"), _NEXT_NEEDS
        )
    return Difference(
        "added_optional", field.name, _says(field, "新增，选填", "is new, and optional"), _OLD_STAY
    )


def _changed(old: Field, new: Field) -> Iterator[Difference]:
    if new.required != old.required:
        if new.required:
            yield Difference(
                "now_required", new.name, _says(new, "改为必填", "becomes required"), _NEXT_NEEDS
            )
        else:
            yield Difference("now_optional", new.name, _says(new, "改为选填", "becomes optional"), _OLD_STAY)
    if new.kind is not old.kind:
        yield Difference(
            "kind",
            new.name,
            _says(new, "字段类型改变", f"holds a {new.kind} instead of a {old.kind}"),
            _RECHECK,
        )
    for name, zh, en in _RULES:
        if getattr(old, name) != getattr(new, name):
            yield Difference(name, new.name, _says(new, zh, en), _RECHECK)
    if new.disclosure is not old.disclosure:
        can = new.disclosable
        zh, en = (
            ("可由持证人隐去", "may be kept back by the holder")
            if can
            else ("出示时总是可见", "is always shown")
        )
        yield Difference("disclosure", new.name, _says(new, zh, en), _CREDENTIALS)
    for name, zh, en in _WORDS:
        if getattr(old, name) != getattr(new, name):
            yield Difference(name, new.name, _says(new, zh, en), _OLD_STAY)


_RECHECK = Text(
    "已发证照不受影响；下次变更或换发时按新规则检查",
    "licences issued already stay as they are; their next replacement is checked by the new rule",
)
_CREDENTIALS = Text(
    "钱包中的旧凭证按旧规则出示，换领后按新规则",
    "credentials in wallets keep the old rule until they are renewed",
)
_RULES = (
    ("pattern", "格式要求改变", "has another required form"),
    ("choices", "可选值改变", "has other choices"),
    ("max_characters", "长度上限改变", "may have another length"),
)
_WORDS = (
    ("label", "名称改变", "is called otherwise"),
    ("source", "权威来源改变", "has another authoritative source"),
    ("personal", "个人信息标记改变", "is marked otherwise as personal data"),
    ("unit", "单位改变", "has another unit"),
    ("example", "示例改变", "has another example"),
)


def _whole(before: LicenceType, after: LicenceType) -> Iterator[Difference]:
    for name, zh, en, means in _PARTS:
        if getattr(before, name) != getattr(after, name):
            yield Difference(name, "", Text(zh, en), means)


_Part = tuple[str, str, str, Text]
_PARTS: tuple[_Part, ...] = (
    ("name", "证照名称改变", "the licence has another name", _OLD_STAY),
    (
        "vct",
        "凭证类型标识（vct）改变",
        "credentials have another type (vct)",
        Text(
            "旧凭证仍按旧标识核验；用证部门请求出示时新旧标识都会列出",
            "old credentials are verified under the old one; departments ask for both",
        ),
    ),
    ("defined_by", "定义机关名称改变", "the defining authority has another name", _OLD_STAY),
    ("legal_basis", "法律依据改变", "it rests on another law", _OLD_STAY),
    ("validity", "有效期规则改变", "the last day follows another rule", _OLD_STAY),
    (
        "numbering",
        "编号规则改变",
        "numbers are made otherwise",
        Text("已发证照换发时编号不变", "replacements of licences issued already keep their number"),
    ),
    ("holder_name", "持证主体名称取自另一字段", "another field names the holder", _RECHECK),
    ("holder_code", "持证主体代码取自另一字段", "another field has the holder's code", _RECHECK),
    ("commitment_due", "承诺期限取自另一字段", "another field says by when a commitment is due", _OLD_STAY),
    (
        "printed_code",
        "印刷二维码所含字段改变",
        "codes on paper carry other fields",
        Text("已印出的二维码仍可核验", "codes printed already are still verified"),
    ),
    (
        "page",
        "版式改变",
        "the page looks otherwise",
        Text("已盖章的文件不变", "documents sealed already do not change"),
    ),
)


def _says(field: Field, zh: str, en: str) -> Text:
    return Text(f"“{field.label.zh}”{zh}", f"{field.label.en!r} {en}")
