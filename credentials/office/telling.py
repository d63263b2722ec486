"""A work as people read it before they agree: nothing that they sign is hidden."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from credentials.licence import CAUSE_NAMES, KIND_NAMES, Cause, EndingKind, agency_time
from credentials.office.cases import KINDS
from credentials.office.details import read_details
from signing.keys import PublicKey
from yinxin.base.errors import YinxinError
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from credentials.licence_type import LicenceType
    from credentials.office.cases import Work

DETAIL_NAMES: Mapping[str, Text] = {
    "effective_from": Text("生效时间", "Effective from"),
    "cause": Text("原因", "Cause"),
    "ending": Text("终止类型", "Kind of ending"),
    "into": Text("并入的证照", "Merged into"),
    "parts": Text("分立的其他证照", "The other parts"),
    "goes_on": Text("首份沿用原编号", "The first goes on with the number"),
    "event": Text("撤回的登记", "The event that is undone"),
}


def rows_of(work: Work, kind: LicenceType | None) -> list[tuple[Text, Text]]:
    """All that a work says, a row for each: what is to be done to what and why, then claims and details.

    `kind` is its licence type, None for one that is not known any more: claims stand under their names then.
    """
    rows = [
        (Text("事项", "What is done"), KINDS[work.kind].name),
        (Text("证照类型", "Licence type"), _both(work.type_code, kind.name if kind else None)),
    ]
    rows += [(Text("所涉证照", "Licence"), _same(one)) for one in work.licences]
    if work.licences:
        rows += [
            (Text("法律依据", "Legal ground"), _same(work.ground)),
            (Text("文号", "Document"), _same(work.document_number)),
        ]
    rows += _claims(work.claims, kind)
    rows += [(DETAIL_NAMES.get(name, _same(name)), said) for name, said in details_of(work).items()]
    if work.holder_key:
        rows.append((Text("持有人密钥", "Holder's key"), _same(_thumbprint(work.holder_key))))
    return rows


def details_of(work: Work) -> dict[str, Text]:
    """The details in words, with the code that is signed behind a word; what has none as it is signed."""
    plain = {name: _same(_plain(value)) for name, value in work.details.items()}
    try:
        read = read_details(work)
    except YinxinError:  # a draft may say what no desk would take
        return plain
    if read.ending:
        plain["ending"] = _both(read.ending, KIND_NAMES[EndingKind(read.ending)])
    if read.cause:
        plain["cause"] = _both(read.cause, CAUSE_NAMES[Cause(read.cause)])
    if read.effective_from:
        plain["effective_from"] = _same(agency_time(read.effective_from))
    return plain


def _claims(claims: Mapping[str, Any], kind: LicenceType | None) -> list[tuple[Text, Text]]:
    known = {one.name: one for one in kind.fields} if kind else {}
    named = [name for name in known if name in claims]
    rest = [name for name in claims if name not in known]
    return [(known[name].label, known[name].shown(claims[name])) for name in named] + [
        (_same(name), _same(_plain(claims[name]))) for name in rest
    ]


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)


def _same(text: str) -> Text:
    return Text(text or "–", text or "–")


def _both(code: str, words: Text | None) -> Text:
    return Text(f"{words.zh}（{code}）", f"{words.en} ({code})") if words else _same(code)


def _thumbprint(jwk: Mapping[str, str]) -> str:
    try:
        return PublicKey.from_jwk(dict(jwk)).thumbprint
    except YinxinError:
        return _plain(dict(jwk))
