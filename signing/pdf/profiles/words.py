"""What a signature states, in words for people: one line for each thing that its finding holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from signing.pdf.revisions.changes import legible
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_COMMITMENTS = {
    "origin": Text("承诺：本人制作、核准并发出", "commits to having made, approved and sent it"),
    "receipt": Text("承诺：已收到", "commits to having received it"),
    "delivery": Text("承诺：已送达", "commits to having delivered it"),
    "sender": Text("承诺：已发出", "commits to having sent it"),
    "approval": Text("承诺：认可内容", "commits to approving the content"),
    "creation": Text("承诺：本人制作", "commits to having made it"),
    "countersignature": Text("副签", "countersigns"),
    "witness": Text("见证", "witnesses"),
    "copy": Text("制作加注件", "made an annotated copy"),
}


def in_words(finding: Mapping[str, Any]) -> tuple[Text, ...]:
    """The lines for one signature of `findings["signatures"]`.

    Texts of the file are in them, with a mark for each character that is not seen.
    """
    return tuple(Text(legible(line.zh), legible(line.en)) for line in _lines(finding))


def _lines(finding: Mapping[str, Any]) -> Iterator[Text]:
    named = finding.get("names") or ()
    for kind in finding.get("commitments") or ():
        words = _COMMITMENTS.get(kind, Text(f"承诺类型 {kind}", f"commitment {kind}"))
        if named and kind in {"countersignature", "witness"}:
            words = Text(f"{words.zh}：{'、'.join(named)}", f"{words.en} {', '.join(named)}")
        yield words
    if roles := finding.get("roles"):
        yield Text(f"自称身份：{'、'.join(roles)}", f"claims to be: {', '.join(roles)}")
    if order := finding.get("order"):
        yield Text(f"联合签署顺序：{' → '.join(order)}", f"order of the joint signing: {' → '.join(order)}")
    if waiting := finding.get("waiting"):
        yield Text(f"尚待签署：{'、'.join(waiting)}", f"still to sign: {', '.join(waiting)}")
    if pages := finding.get("straddles"):
        yield Text(f"声明：骑缝章共 {pages} 页", f"states a straddle seal across {pages} pages")
    if finding.get("certifies") and finding.get("permission") == 1:
        yield Text("盖章后不得再有任何改动", "nothing may follow it")
    yield from _later(finding)
    if copy := finding.get("copy"):
        yield _copy(copy)


def _later(finding: Mapping[str, Any]) -> Iterator[Text]:
    for told in finding.get("unsigned") or ():
        yield _UNSIGNED[told["kind"]](told["name"], told["value"])
    for told in finding.get("signed_for") or ():
        yield _signed_for(told["kind"], told["name"], told["value"])


def _filled(name: str, value: str) -> Text:
    return Text(
        f"签署后填入，无人为此签名：{name} = {value}",
        f"filled in after signing, nobody signed for it: {name} = {value}",
    )


def _signed_for(kind: str, name: str, value: str) -> Text:
    zh, en = ("填入", "filled in") if kind == "filled" else ("改动", "changed")
    return Text(
        f"签署后{zh}，由后来的签署人负责：{name} = {value}",
        f"{en} after this signature, a later signer stands for it: {name} = {value}",
    )


def _noted(author: str, text: str) -> Text:
    zh, en = (f"{author}：", f"{author}: ") if author else ("", "")
    return Text(
        f"签署后加注，无人为此签名：{zh}{text}",
        f"a note was put on after signing, nobody signed for it: {en}{text}",
    )


def _ordered(_name: str, _value: str) -> Text:
    return Text(
        "签署后改动了表单域的跳转顺序，无人为此签名",
        "the order in which fields are reached was changed after signing, nobody signed for it",
    )


_UNSIGNED = {"filled": _filled, "noted": _noted, "ordered": _ordered}


def _copy(copy: Mapping[str, Any]) -> Text:
    day, digest = copy["made"][:10], copy["original"][:16]
    zh = "原件附后" if copy["embedded"] else "原件未附"
    en = "the original is inside" if copy["embedded"] else "the original is not inside"
    return Text(
        f"声明：加注件，{copy['maker']}于 {day} 为“{copy['purpose']}”制作；{zh}（{digest}…）",
        f"states that it is a copy by {copy['maker']} on {day} for {copy['purpose']}; {en} ({digest}…)",
    )
