"""What each check of a report is called, and the clause of a standard that asks for it.

A report names a check by a short word, perhaps with the signature's field before it (`Seal1/coverage`). This
table says what that word means, so that a check that passed can be explained as well as one that did not.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from yinxin.base.text import Text

_TIMESTAMP_CLAUSE = "EN 319 102-1, 5.4"
# What a check of a time-stamp begins with, and whose it is.
_STAMPS = (
    ("timestamp_", Text("时间戳", "Time-stamp")),
    ("content_timestamp_", Text("内容时间戳", "Time-stamp over the content")),
    ("archive_timestamp_", Text("归档时间戳", "Archive time-stamp")),
)


@dataclass(frozen=True, slots=True)
class CheckKind:
    """What is looked at, in both languages, and by which clause.

    A reason is shared by several formats and names the clause of one; where `is_exact`, the check's own
    clause is told in its place.
    """

    text: Text
    clause: str
    is_exact: bool = False


def _row(zh: str, en: str, clause: str) -> CheckKind:
    return CheckKind(Text(zh, en), clause)


def _mdoc(zh: str, en: str, clause: str) -> CheckKind:
    return CheckKind(Text(zh, en), f"ISO/IEC 18013-5, {clause}", is_exact=True)


OTHER = _row("其他检查", "Another check", "")
CHECKS: dict[str, CheckKind] = {
    # What was handed in
    "document": _row("文件整体", "The file as a whole", "yinxin limits"),
    "encryption": _row("文件是否加密", "Encryption of the file", "ISO 32000-2, 7.6"),
    "format": _row("文件格式", "Format", "EN 319 102-1, 5.2.2"),
    "limits": _row("大小与复杂度", "Size and complexity", "yinxin limits"),
    "size": _row("文件大小", "Size of the file", "yinxin limits"),
    # The signature
    "algorithm": _row("签名算法", "Signature algorithm", "EN 319 102-1, 5.2.8"),
    "certificate": _row("签署证书", "Signer's certificate", "EN 319 102-1, 5.2.3"),
    "certificate_reference": _row(
        "签名所指的证书", "Certificate named by the signature", "EN 319 102-1, 5.2.3"
    ),
    "changes_after_signing": _row("签署后的改动", "Changes after signing", "ISO 32000-2, 12.8.2.2"),
    "later_signer": _row("后来的签署人", "The later signer who stands for changes", "ISO 32000-2, 12.8.2.2"),
    "content": _row("签署内容", "Signed content", "EN 319 102-1, 5.2.7"),
    "content_digest": _row("内容摘要", "Digest of the content", "EN 319 102-1, 5.2.7"),
    "coverage": _row("签名覆盖范围", "What the signature covers", "ISO 32000-2, 12.8.1"),
    "copy": _row("副本与原件", "Copy and original", "yinxin statement"),
    "named_signatures": _row("所副签或见证的签名", "Signatures that it names", "yinxin statement"),
    "signing_order": _row("联合签署的顺序", "Order of the joint signing", "yinxin statement"),
    "statement": _row("签名人的声明", "What the signer states", "yinxin statement"),
    "required_changes": _row("策略允许的改动", "Changes that the policy allows", "EN 319 102-1, 5.2.8"),
    "required_level": _row("策略要求的签名级别", "Level that the policy demands", "EN 319 102-1, 5.2.8"),
    "required_usage": _row("策略允许的证书用途", "Use that the policy allows", "EN 319 102-1, 5.2.8"),
    "signature": _row("签名", "Signature", "EN 319 102-1, 5.2.7"),
    "signature_format": _row("签名格式", "Form of the signature", "EN 319 102-1, 5.2.2"),
    "signature_value": _row("签名值", "Signature value", "EN 319 102-1, 5.2.7"),
    "signatures": _row("签名或印章", "Signatures and seals", "EN 319 102-1, 5.2.2"),
    "signing_time": _row("签署时间", "Time of signing", "EN 319 102-1, 5.2.8"),
    # Who stands behind it
    "certificate_algorithms": _row("证书使用的算法", "Algorithms of the certificates", "EN 319 102-1, 5.2.6"),
    "certificate_constraints": _row(
        "证书路径的约束", "Constraints along the certificate path", "RFC 5280, 6.1"
    ),
    "certificate_path": _row("证书路径", "Certificate path to a trusted authority", "EN 319 102-1, 5.2.6"),
    "certificate_revocation": _row("证书是否吊销", "Revocation of the certificate", "EN 319 102-1, 5.2.6"),
    "certificate_usage": _row("证书用途", "What the certificate may be used for", "RFC 5280, 4.2.1.3"),
    "certificate_validity": _row("证书有效期", "Validity of the certificates", "RFC 5280, 4.1.2.5"),
    "trust_anchor": _row("信任锚的期限", "When the trust anchor counts", "EN 319 102-1, 5.2.6"),
    # Time
    "timestamp": _row("时间戳", "Time-stamp", _TIMESTAMP_CLAUSE),
    "timestamp_imprint": _row("时间戳：所盖内容", "Time-stamp: what it covers", "RFC 3161, 2.4.2"),
    "timestamp_time": _row("时间戳：时间", "Time-stamp: its time", "RFC 3161, 2.4.2"),
    "timestamp_order": _row("时间戳的先后", "Order of the time-stamps", "EN 319 102-1, 5.5.4"),
    "content_timestamp": _row("内容时间戳", "Time-stamp over the content", "EN 319 122-1, 5.2.8"),
    "archive_timestamp": _row("归档时间戳", "Archive time-stamp", "EN 319 122-1, 5.5.3"),
    "proof_of_existence": _row("存在证明", "Proof of existence", "EN 319 102-1, 5.6.2.2"),
    "validity": _row("有效期", "Period of validity", "RFC 7519, 4.1.4"),
    # Credentials
    "always_visible_claims": _row("必须公开的内容", "Contents that are always visible", "SD-JWT VC, 2.2.2.3"),
    "audience": _row("出示对象", "For whom it was presented", "RFC 9901, 7.3"),
    "credential_audience": _row("凭证适用对象", "For whom the credential is", "RFC 7519, 4.1.3"),
    "credential_type": _row("凭证类型", "Type of the credential", "SD-JWT VC, 2.2.2"),
    "disclosures": _row("披露内容", "Disclosed contents", "RFC 9901, 7.1"),
    "issuer_keys": _row("签发方公布的公钥", "Keys that the issuer publishes", "SD-JWT VC, 4"),
    "issuer_name": _row("签发方名称", "Name of the issuer", "SD-JWT VC, 2.5"),
    "trust_list": _row("信任列表的期限", "Whether the trust list is in time", "yinxin trust list"),
    "issuer_permission": _row("签发权限", "Permission to issue", "SD-JWT VC, 7.7"),
    "key_binding": _row("持有人证明", "Proof of the holder", "RFC 9901, 7.3"),
    "key_binding_algorithm": _row("持有人签名算法", "Algorithm of the holder's signature", "RFC 9901, 7.3"),
    "key_binding_signature": _row("持有人签名", "Signature of the holder", "RFC 9901, 7.3"),
    "key_binding_type": _row("持有人证明的类型", "Type of the holder's proof", "RFC 9901, 7.3"),
    "nonce": _row("随机数", "Nonce", "RFC 9901, 7.3"),
    "query": _row("是否符合请求", "Whether it is what was asked for", "OpenID4VP, 8.6"),
    "response": _row("钱包的答复", "Answer of the wallet", "OpenID4VP, 8"),
    "sd_hash": _row("出示与证明的对应", "Proof bound to what was shown", "RFC 9901, 7.3"),
    "session": _row("本次请求", "This very request", "RFC 9901, 9.5"),
    "status": _row("凭证状态", "Status of the credential", "Token Status List, 8.3"),
    "subject": _row("持有主体", "Subject", "RFC 7519, 4.1.2"),
    "transaction_data": _row("持有人确认的事项", "What the holder agreed to", "OpenID4VP, 8.4"),
    "type": _row("令牌类型", "Type of the token", "SD-JWT VC, 2.2.1"),
    "type_metadata": _row("类型说明", "Description of the type", "SD-JWT VC, 5"),
    # Credentials in the form of an mdoc
    "document_type": _mdoc("文档类型", "Type of the document", "9.3.1"),
    "elements": _mdoc("披露的数据项", "Disclosed elements", "9.3.1"),
    "mdoc_validity": _mdoc("移动证照有效期", "Period of validity of the mdoc", "9.1.2.4"),
    "device_key": _mdoc("持有人设备的公钥", "Public key of the holder's device", "9.1.2.4"),
    "device_algorithm": _mdoc("持有人设备的签名算法", "Algorithm of the holder's device", "9.1.3"),
    "device_authentication": _mdoc("持有人设备证明", "Proof of the holder's device", "9.1.3"),
    "device_elements": _mdoc("持有人设备给出的内容", "Contents added by the device", "9.1.3"),
    # Who acts for a holder
    "delegation": _row("委托凭证", "Delegation of the agent", "yinxin delegation"),
    "delegation_chain": _row("委托链", "Chain of delegations", "yinxin delegation"),
    "delegation_principal": _row(
        "委托人与证照持有人", "Whether the principal holds the licence", "yinxin delegation"
    ),
    "delegation_scope": _row("委托范围", "What the delegation covers", "yinxin delegation"),
    "delegation_standing": _row("委托状态", "Standing of the delegation", "yinxin delegation"),
    "delegation_visit": _row("帮办限一次到访", "A helper's one visit", "yinxin delegation"),
    # The licence and its register
    "address": _row("二维码所指网址", "Address in the code", "yinxin printed code"),
    "licence file": _row("内嵌的证照数据", "Licence data inside the file", "GB/T 36903"),
    "licence_commitment": _row("告知承诺履行情况", "Whether a commitment was met", "国办发〔2020〕42号"),
    "licence_provenance": _row("资料来源：依据纸质档案录入", "Data from a paper register", "yinxin register"),
    "licence_standing": _row("证照状态", "Standing of the licence", "yinxin register"),
    "register content": _row("与证照库比对", "Comparison with the register", "yinxin register"),
    "seal of the agency": _row("发证机关印章", "Seal of the issuing agency", "yinxin register"),
}


@lru_cache(maxsize=1024)
def kind_of(name: str) -> CheckKind:
    """The row of a check; `OTHER` for a name that nothing of ours gives."""
    plain = name.rpartition("/")[2]
    if found := CHECKS.get(plain):
        return found
    for prefix, whose in _STAMPS:
        part = plain.removeprefix(prefix)
        found = CHECKS.get(part) or CHECKS.get(f"timestamp_{part}") if part != plain else None
        if found:
            what = Text(found.text.zh.removeprefix("时间戳："), found.text.en.removeprefix("Time-stamp: "))
            text = Text(f"{whose.zh}：{what.zh}", f"{whose.en}: {what.en[0].lower()}{what.en[1:]}")
            return CheckKind(text, _TIMESTAMP_CLAUSE)
    return OTHER
