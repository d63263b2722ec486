"""Why somebody is trusted or is not, in plain words: whose certificate leads where, and what a list says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cryptography.x509.oid import NameOID

from signing.report import Indication
from signing.trust_list import Freshness, Issued
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from signing.certificates import Certificate
    from signing.report import Report
    from signing.trust import TrustAnchor, TrustStore
    from signing.trust_list import ListedIssuer, ListedType, ServingList

_CREDIT_CODE = "NTRCN-"
_STATUS = {
    "granted": Text("可签发", "may issue"),
    "suspended": Text("暂停签发", "may not issue for now:"),
    "withdrawn": Text("已撤销签发权限", "may no longer issue"),
}
_CONCLUSIONS = {
    Indication.PASSED: Text("结论：可信。", "Conclusion: trusted."),
    Indication.FAILED: Text("结论：不可信，不应采信。", "Conclusion: not trusted; do not accept it."),
    Indication.INDETERMINATE: Text(
        "结论：目前无法判断是否可信，补齐下列事项前不应采信。",
        "Conclusion: open. Do not accept it before what follows is settled.",
    ),
}


def explain_chain(chain: Sequence[Certificate], trust: TrustStore) -> Text:
    """Where one signer's certificate leads."""
    leaf, last = chain[0], chain[-1]
    anchor = trust.anchor_of(last)
    if anchor is None:
        who = last.issuer
        return Text(
            f"“{leaf.common_name}”的证书链止于“{last.common_name}”，其签发者“{who}”不在信任库中。"
            "如应信任，请先通过其他渠道核对其根证书指纹，再用 yinxin trust add 加入。",
            f"The certificates of {leaf.common_name} end at {last.common_name}; its issuer {who} is no trust "
            "anchor. If it should be, compare its root's fingerprint through another channel, then add it with "
            "yinxin trust add.",
        )
    uses = _uses(anchor)
    return Text(
        f"“{leaf.common_name}”的证书链到达信任锚“{last.common_name}”，该锚{uses.zh}。",
        f"The certificates of {leaf.common_name} lead to the trust anchor {last.common_name}, {uses.en}.",
    )


def explain_list(serving: ServingList, *, now: datetime) -> Text:
    """Which list it is, and whether it is in time."""
    listed, age = serving.listed, serving.freshness(now)
    if listed is None:
        return Text(
            "应当使用信任列表，但手头没有可用的列表；请获取最新列表。",
            "A trust list is demanded and none is at hand: get the current one.",
        )
    name, ends = f"{listed.name} {listed.version}", f"{listed.next_update:%Y-%m-%d}"
    words = {
        Freshness.FRESH: Text(f"在有效期内（至 {ends}）", f"in time (until {ends})"),
        Freshness.STALE: Text(f"已于 {ends} 到期，正在宽限期内", f"past its end ({ends}), within its grace"),
        Freshness.OVER: Text(f"已于 {ends} 到期，不再作数", f"past its end ({ends}); it no longer counts"),
    }[age]
    return Text(f"信任列表“{name}”{words.zh}。", f"The trust list {name} is {words.en}.")


def explain_issuer(leaf: Certificate, serving: ServingList, *, now: datetime) -> Iterator[Text]:
    """What the list says of a signer."""
    if serving.listed is None:
        return
    found = serving.issuer(Issued(None, subject=leaf.subject, credit_codes=credit_codes(leaf)))
    if found is None:
        yield Text(
            f"信任列表中没有“{leaf.common_name}”：列表未授予其签发任何证照的权限。"
            "如应列入，请联系信任管理机构。",
            f"{leaf.common_name} is not in the trust list: it may issue nothing. If it should be there, ask the "
            "trust office.",
        )
        return
    for vct in dict.fromkeys(row.vct for row in found.types):
        row = found.standing(vct, now)
        if row is not None:
            yield _standing(found, row)


def conclusion(report: Report[Any]) -> Iterator[Text]:
    """The verdict in a sentence, then what happened and what to do, for each reason."""
    yield _CONCLUSIONS[report.indication]
    for reason in sorted(report.reasons, key=lambda reason: reason.code):
        yield Text(
            f"原因：{reason.text.zh}。怎么办：{reason.next_step.zh}。",
            f"Why: {reason.text.en}. What to do: {reason.next_step.en}.",
        )


def credit_codes(certificate: Certificate) -> list[str]:
    """The credit codes in a certificate's subject (EN 319 412-1, 5.1.4: NTRCN-…)."""
    found = certificate.x509.subject.get_attributes_for_oid(NameOID.ORGANIZATION_IDENTIFIER)
    values = [str(attribute.value) for attribute in found]
    return [value.removeprefix(_CREDIT_CODE) for value in values if value.startswith(_CREDIT_CODE)]


def _standing(issuer: ListedIssuer, row: ListedType) -> Text:
    since, status = f"{row.since:%Y-%m-%d}", _STATUS[row.status]
    return Text(
        f"信任列表载明：{issuer.name.zh}（{issuer.credit_code}）自 {since} 起{status.zh}：{row.vct}。",
        f"The trust list says: {issuer.name.en} ({issuer.credit_code}) {status.en} {row.vct} since {since}.",
    )


def _uses(anchor: TrustAnchor) -> Text:
    if not anchor.usages:
        return Text("未限定用途", "for every use")
    bounds = {row.usage: row for row in anchor.periods}
    names = [f"{use}{_bounds(bounds.get(use))}" for use in sorted(anchor.usages)]
    return Text(f"可用于：{'、'.join(names)}", f"for: {', '.join(names)}")


def _bounds(row: Any) -> str:
    if row is None:
        return ""
    until = f"{row.until:%Y-%m-%d}" if row.until else "…"
    return f" ({row.since:%Y-%m-%d} – {until})"
