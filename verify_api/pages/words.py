"""What the checks of a report are called on a page, and how old its evidence is, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verify_api.presentations.sessions import State
from yinxin.base.text import Text

if TYPE_CHECKING:
    from datetime import timedelta

_CHECKS = {
    "address": Text("二维码所指网址", "Address in the code"),
    "algorithm": Text("签名算法", "Signature algorithm"),
    "always_visible_claims": Text("必须公开的内容", "Contents that are always visible"),
    "audience": Text("出示对象", "For whom it was presented"),
    "certificate": Text("签署证书", "Signer's certificate"),
    "certificate_algorithms": Text("证书使用的算法", "Algorithms of the certificates"),
    "certificate_constraints": Text("证书路径的约束", "Constraints along the certificate path"),
    "certificate_path": Text("证书路径", "Certificate path to a trusted authority"),
    "certificate_reference": Text("签名所指的证书", "Certificate named by the signature"),
    "certificate_revocation": Text("证书是否吊销", "Revocation of the certificate"),
    "certificate_usage": Text("证书用途", "What the certificate may be used for"),
    "certificate_validity": Text("证书有效期", "Validity of the certificates"),
    "changes_after_signing": Text("签署后的改动", "Changes after signing"),
    "content": Text("签署内容", "Signed content"),
    "content_digest": Text("内容摘要", "Digest of the content"),
    "coverage": Text("签名覆盖范围", "What the signature covers"),
    "credential_audience": Text("凭证适用对象", "For whom the credential is"),
    "credential_type": Text("凭证类型", "Type of the credential"),
    "delegation": Text("委托凭证", "Delegation of the agent"),
    "delegation_chain": Text("委托链", "Chain of delegations"),
    "delegation_principal": Text("委托人与证照持有人", "Whether the principal holds the licence"),
    "delegation_scope": Text("委托范围", "What the delegation covers"),
    "delegation_standing": Text("委托状态", "Standing of the delegation"),
    "delegation_visit": Text("帮办限一次到访", "A helper's one visit"),
    "disclosures": Text("披露内容", "Disclosed contents"),
    "document": Text("文件整体", "The file as a whole"),
    "encryption": Text("文件是否加密", "Encryption of the file"),
    "format": Text("文件格式", "Format"),
    "issuer_name": Text("签发方名称", "Name of the issuer"),
    "issuer_permission": Text("签发权限", "Permission to issue"),
    "key_binding": Text("持有人证明", "Proof of the holder"),
    "key_binding_algorithm": Text("持有人签名算法", "Algorithm of the holder's signature"),
    "key_binding_signature": Text("持有人签名", "Signature of the holder"),
    "key_binding_type": Text("持有人证明的类型", "Type of the holder's proof"),
    "licence file": Text("内嵌的证照数据", "Licence data inside the file"),
    "licence_commitment": Text("告知承诺履行情况", "Whether a commitment was met"),
    "licence_provenance": Text("资料来源：依据纸质档案录入", "Data from a paper register"),
    "licence_standing": Text("证照状态", "Standing of the licence"),
    "limits": Text("大小与复杂度", "Size and complexity"),
    "nonce": Text("随机数", "Nonce"),
    "query": Text("是否符合请求", "Whether it is what was asked for"),
    "register content": Text("与证照库比对", "Comparison with the register"),
    "response": Text("钱包的答复", "Answer of the wallet"),
    "sd_hash": Text("出示与证明的对应", "Proof bound to what was shown"),
    "seal of the agency": Text("发证机关印章", "Seal of the issuing agency"),
    "session": Text("本次请求", "This very request"),
    "signature": Text("签名", "Signature"),
    "signature_format": Text("签名格式", "Form of the signature"),
    "signature_value": Text("签名值", "Signature value"),
    "signatures": Text("签名或印章", "Signatures and seals"),
    "signing_time": Text("签署时间", "Time of signing"),
    "status": Text("凭证状态", "Status of the credential"),
    "subject": Text("持有主体", "Subject"),
    "timestamp": Text("时间戳", "Time-stamp"),
    "timestamp_imprint": Text("时间戳：所盖内容", "Time-stamp: what it covers"),
    "timestamp_time": Text("时间戳：时间", "Time-stamp: its time"),
    "transaction_data": Text("持有人确认的事项", "What the holder agreed to"),
    "type": Text("令牌类型", "Type of the token"),
    "type_metadata": Text("类型说明", "Description of the type"),
    "validity": Text("有效期", "Period of validity"),
}
_PROGRESS = {
    State.OPEN: Text("等待钱包打开请求", "Waiting for a wallet to open the request"),
    State.FETCHED: Text(
        "钱包已打开请求，等待持有人同意", "The wallet has the request; waiting for the holder to agree"
    ),
    State.RECEIVED: Text("已收到，正在核验", "Received, being verified"),
    State.ANSWERED: Text(
        "已核验，等待持有人的浏览器返回", "Verified; waiting for the holder's browser to come back"
    ),
    State.RETURNED: Text("已完成", "Done"),
    State.DECLINED: Text(
        "持有人未同意出示，未收到任何内容", "The holder did not agree; nothing was received"
    ),
    State.CLOSED: Text("请求已作废，请重新发起", "The request was closed; begin again"),
    State.EXPIRED: Text("请求已过期，请重新发起", "The request has run out; begin again"),
}
_TIMESTAMP = "timestamp_"
_OTHER = Text("其他检查", "Another check")
_UNITS = (
    (86400, "天", "day"),
    (3600, "小时", "hour"),
    (60, "分钟", "minute"),
)


def check_name(name: str) -> Text:
    """What a check is called; the name of a signature's field stands before it in the report, not here."""
    plain = name.rpartition("/")[2]
    if (
        plain not in _CHECKS
        and plain.startswith(_TIMESTAMP)
        and (part := _CHECKS.get(plain.removeprefix(_TIMESTAMP)))
    ):
        return Text(f"时间戳：{part.zh}", f"Time-stamp: {part.en[0].lower()}{part.en[1:]}")
    return _CHECKS.get(plain, _OTHER)


def progress(state: str) -> Text:
    """How a presentation stands."""
    return _PROGRESS[State(state)]


def age(passed: timedelta) -> Text:
    """How long ago, in the largest unit that fits."""
    seconds = max(0, int(passed.total_seconds()))
    for size, zh, en in _UNITS:
        count = seconds // size
        if count:
            return Text(f"{count} {zh}前", f"{count} {en}{'s' if count > 1 else ''} ago")
    return Text("刚刚", "just now")
