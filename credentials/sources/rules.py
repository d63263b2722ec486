"""One source per datum (一数一源): whether the sources that fields name exist, and are where a datum begins.

A field may name the licence type and field that its datum is taken from. That field is then the one source:
it is there, holds the same kind of value, and takes its own datum from nowhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from credentials.fields import Field, Source
    from credentials.licence_type import LicenceType

Faults = list[tuple[str, Text]]


def source_faults(new: LicenceType, others: Iterable[LicenceType]) -> Faults:
    """Key and what to do, for each source that does not hold once `new` stands among the others.

    Of each other type the version that counts is handed in.
    """
    known = {one.code: one for one in others} | {new.code: new}
    faults: Faults = []
    for field in new.fields:
        place = f"fields[{field.name}].source"
        faults += [(place, why) for why in _of_field(new, field, known)]
    for other in known.values():
        if other.code != new.code:
            faults += _left_alone(new, other, known)
    return faults


def is_own(kind: LicenceType, field: Field) -> bool:
    """Whether a datum begins with this very field: it names no other one."""
    source = field.source
    return source.type_code is None or (source.type_code, source.field) == (kind.code, field.name)


def _of_field(kind: LicenceType, field: Field, known: Mapping[str, LicenceType]) -> Iterator[Text]:
    source = field.source
    if source.type_code is None or is_own(kind, field) or source.type_code not in known:
        return  # a type that is not kept here is another authority's to say
    origin = known[source.type_code]
    found = _field(origin, source)
    if found is None:
        yield Text(f"{origin.code} 没有字段 {source.field}", f"{origin.code} has no field {source.field!r}")
    elif found.kind is not field.kind:
        yield Text(
            f"类型与来源字段不同（{found.kind}）", f"its source holds another kind of value ({found.kind})"
        )
    elif not is_own(origin, found):
        step = f"{found.source.type_code}.{found.source.field}"
        yield Text(f"应直接指向源头 {step}", f"name the first source itself: {step}")


def _left_alone(new: LicenceType, other: LicenceType, known: Mapping[str, LicenceType]) -> Faults:
    """Fields of other types that would lose their source."""
    return [
        (
            "fields",
            Text(
                f"{other.code} 的 {field.name} 以本类型为来源：{why.zh}",
                f"{field.name} of {other.code} has its source here: {why.en}",
            ),
        )
        for field in other.fields
        if field.source.type_code == new.code
        for why in _of_field(other, field, known)
    ]


def _field(kind: LicenceType, source: Source) -> Field | None:
    return next((one for one in kind.fields if one.name == source.field), None)
