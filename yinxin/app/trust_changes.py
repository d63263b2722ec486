"""What changes from one trust list to the next, in plain words: for those who sign it, and those who go by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signing.trust_list import TrustList
from signing.trust_list.envelope import MAX_BYTES, read_content
from yinxin.app.trust_documents import read_document
from yinxin.base.errors import MalformedInput
from yinxin.base.files import read_file
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from signing.trust_list import ListedIssuer, ListedType

_STATUS = {
    "granted": Text("可签发", "may issue"),
    "suspended": Text("暂停签发", "suspended for"),
    "withdrawn": Text("撤销签发权限", "withdrawn for"),
}


def draft_or_list(file: Path, *, now: datetime) -> TrustList:
    """What a list says, or a draft of it in TOML; no signature is looked at."""
    if file.suffix != ".toml":
        return TrustList.from_content(read_content(read_file(file, limit=MAX_BYTES)))
    content, _kind = read_document(file, now=now)
    if "issuers" not in content:
        raise MalformedInput("trust list", f"{file.name} is a root")
    return TrustList.from_content(content)


def changes(before: TrustList, after: TrustList) -> Iterator[tuple[str, Text]]:
    """Each change, with a + for what comes, a - for what goes and a ~ for what stays otherwise."""
    if before.version != after.version:
        yield (
            "~",
            Text(
                f"第 {before.version} 版 → 第 {after.version} 版",
                f"version {before.version} → {after.version}",
            ),
        )
    if after.version < before.version:
        yield "~", Text("版本变小：核验方不会采用", "the version is lower: nobody will take it")
    if before.next_update != after.next_update:
        yield (
            "~",
            Text(
                f"有效至 {after.next_update:%Y-%m-%d %H:%M}", f"until {after.next_update:%Y-%m-%d %H:%M} UTC"
            ),
        )
    yield from _anchors(before, after)
    old = {issuer.credit_code: issuer for issuer in before.listed}
    new = {issuer.credit_code: issuer for issuer in after.listed}
    for code in sorted(old.keys() | new.keys()):
        yield from _issuer(old.get(code), new.get(code))


def _anchors(before: TrustList, after: TrustList) -> Iterator[tuple[str, Text]]:
    old, new = before.trust, after.trust
    for sign, these, those in (("-", old, new), ("+", new, old)):
        for anchor in these.anchors:
            other = those.anchor_of(anchor.certificate)
            if other is None or other.usages != anchor.usages:
                name, uses = anchor.certificate.common_name, ", ".join(sorted(anchor.usages))
                fingerprint = anchor.certificate.fingerprint
                yield (
                    sign,
                    Text(
                        f"信任锚 {name}（{uses}）{fingerprint}", f"trust anchor {name} ({uses}) {fingerprint}"
                    ),
                )


def _issuer(before: ListedIssuer | None, after: ListedIssuer | None) -> Iterator[tuple[str, Text]]:
    known = after or before
    if known is None:
        return
    name = Text(f"{known.name.zh}（{known.credit_code}）", f"{known.name.en} ({known.credit_code})")
    if before is None or after is None:
        yield ("+" if before is None else "-"), Text(f"签发方 {name.zh}", f"issuer {name.en}")
    for sign, these, those in (("-", before, after), ("+", after, before)):
        if these is None:
            continue
        for row in (one for one in these.types if those is None or one not in those.types):
            yield sign, _type(name, row)
        for what in sorted(_reach(these) - (_reach(those) if those else set())):
            yield sign, Text(f"{name.zh}：{what}", f"{name.en}: {what}")


def _reach(issuer: ListedIssuer) -> set[str]:
    return {*issuer.subjects, *issuer.hosts}


def _type(name: Text, row: ListedType) -> Text:
    since, status = f"{row.since:%Y-%m-%d}", _STATUS[row.status]
    return Text(
        f"{name.zh}自 {since} 起{status.zh}：{row.vct}", f"{name.en} {status.en} {row.vct} since {since}"
    )
