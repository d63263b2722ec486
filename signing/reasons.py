"""Every reason that a verification can give, in one registry.

A code is stable and never re-used. Each reason says what it means for the verdict, the clause it comes
from, what happened in both languages, and what to do next. `docs/reference/reason-codes.md` is made
from this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from signing.report import Indication
from yinxin.base.text import Text

_FAILED, _UNSURE = Indication.FAILED, Indication.INDETERMINATE


@dataclass(frozen=True, slots=True)
class _Row:
    indication: Indication
    clause: str
    text: Text
    next_step: Text


def _row(  # noqa: PLR0913, PLR0917 - a row of a table, its columns in order
    indication: Indication, clause: str, zh: str, en: str, next_zh: str, next_en: str
) -> _Row:
    return _Row(indication, clause, Text(zh, en), Text(next_zh, next_en))


class Reason(Enum):
    """Why a check did not pass. The member's name in lower case is its stable code."""

    # What was handed in
    FORMAT_FAILURE = _row(
        _FAILED, "EN 319 102-1, 5.2.2", "文件无法按其格式解析", "The file does not follow its format",
        "请索取原始文件，不要使用转换或另存的副本", "Ask for the original file, not a converted or re-saved copy",
    )  # fmt: skip
    TOO_LARGE = _row(
        _FAILED, "yinxin limits", "文件超出大小或复杂度限制", "The file exceeds the limits on size or complexity",
        "请提交更小的原始文件", "Hand in a smaller, original file",
    )  # fmt: skip
    TOO_SLOW = _row(
        _UNSURE, "yinxin limits", "文件在规定时间内未能检查完毕", "The file could not be checked within the time limit",
        "请提交未经改动的原始文件；仍不成功请联系服务运营方", "Hand in the unchanged original; if that fails too, tell the operator",
    )  # fmt: skip
    CHECK_ABORTED = _row(
        _UNSURE, "yinxin limits", "检查程序处理该文件时中止", "The check stopped while it handled this file",
        "请提交未经改动的原始文件；仍不成功请联系服务运营方", "Hand in the unchanged original; if that fails too, tell the operator",
    )  # fmt: skip
    NO_SIGNATURE = _row(
        _FAILED, "EN 319 102-1, 5.2.2", "文件没有任何电子签名或印章", "The file carries no signature or seal",
        "请索取加盖电子印章的原件", "Ask for the sealed original",
    )  # fmt: skip
    ENCRYPTED_DOCUMENT = _row(
        _FAILED, "ISO 32000-2, 7.6", "文件已加密，无法核验", "The document is encrypted and cannot be verified",
        "请索取未设密码的原始文件", "Ask for the original without a password",
    )  # fmt: skip

    # The signature itself
    HASH_FAILURE = _row(
        _FAILED, "EN 319 102-1, 5.2.7", "内容在签署之后被改动", "The content was changed after it was signed",
        "不要采信该文件，请向签发方核实", "Do not accept this file; ask the issuer",
    )  # fmt: skip
    SIGNED_DATA_NOT_FOUND = _row(
        _UNSURE, "EN 319 102-1, 5.2.7", "缺少被签署的文件", "The file that was signed is not there",
        "请一并提供原文件", "Give the original file along with its signature",
    )  # fmt: skip
    SIG_CRYPTO_FAILURE = _row(
        _FAILED, "EN 319 102-1, 5.2.7", "签名值验证不通过", "The signature value does not verify",
        "不要采信该文件，请向签发方核实", "Do not accept this file; ask the issuer",
    )  # fmt: skip
    ALGORITHM_NOT_ALLOWED = _row(
        _FAILED, "EN 319 102-1, 5.2.8", "签名算法不在允许范围内", "The signature algorithm is not allowed",
        "请签发方使用允许的算法重新签发", "Ask the issuer to issue it again with an allowed algorithm",
    )  # fmt: skip
    SIG_CONSTRAINTS_FAILURE = _row(
        _FAILED, "EN 319 102-1, 5.2.8", "签名不满足验证策略的要求", "The signature does not meet the policy",
        "请查看检查明细中未满足的要求", "See which requirement the failed check names",
    )  # fmt: skip
    LEVEL_NOT_REACHED = _row(
        _UNSURE, "EN 319 102-1, 5.2.8", "签名未达到验证策略要求的级别", "The signature does not reach the level that the policy demands",
        "请签发方补充长期验证所需的证书与吊销数据", "Ask the issuer to add what long-term validation needs",
    )  # fmt: skip
    COVERAGE_INCOMPLETE = _row(
        _FAILED, "ISO 32000-2, 12.8.1", "签名未覆盖整个文件", "The signature does not cover the whole file",
        "不要采信该文件，请向签发方核实", "Do not accept this file; ask the issuer",
    )  # fmt: skip
    DOCUMENT_CHANGED_AFTER_SIGNING = _row(
        _FAILED, "ISO 32000-2, 12.8.2.2", "文件在签署之后被追加了不允许的改动",
        "The file was changed after signing in a way that is not allowed",
        "请索取未经改动的原始文件", "Ask for the original file as it was signed",
    )  # fmt: skip
    SIGNATURE_SHARED = _row(
        _FAILED, "ISO 32000-2, 12.7.5.5", "同一签名被多个签名域引用", "One signature is shown by two signature fields",
        "不要采信该文件，请向签发方核实", "Do not accept this file; ask the issuer",
    )  # fmt: skip
    NAMED_SIGNATURE_MISSING = _row(
        _FAILED, "yinxin statement", "副签或见证所指的签名不在文件中", "A signature that another one names is not in the file",
        "请索取含有被副签或被见证签名的原始文件", "Ask for the original file with the signature that was confirmed",
    )  # fmt: skip
    SIGNED_OUT_OF_ORDER = _row(
        _FAILED, "yinxin statement", "联合签署未按约定的顺序进行", "The joint signers did not sign in the stated order",
        "请各签署方按约定顺序重新签署", "Ask the signers to sign anew in the stated order",
    )  # fmt: skip
    COPY_OF_ANOTHER = _row(
        _FAILED, "yinxin statement", "副本所载原件与其声明不符", "The original inside of the copy is not the one that it states",
        "请索取原件，或向制作副本的机关核实", "Ask for the original, or ask whoever made the copy",
    )  # fmt: skip
    UNSUPPORTED_SIGNATURE = _row(
        _UNSURE, "ISO 32000-2, 12.8.3", "文件含有本系统不支持的签名格式", "A signature has a form that is not supported here",
        "请签发方按 PAdES 格式重新签章", "Ask the issuer to seal it in the PAdES form",
    )  # fmt: skip

    # Who stands behind it
    SIGNING_CERTIFICATE_MISSING = _row(
        _UNSURE, "EN 319 102-1, 5.2.3", "找不到签名所指的签名证书", "The certificate that the signature names is not there",
        "请索取原始文件，或向签发方核实", "Ask for the original file, or ask the issuer",
    )  # fmt: skip
    NO_CERTIFICATE_CHAIN_FOUND = _row(
        _UNSURE, "EN 319 102-1, 5.2.6", "找不到通向信任锚的证书路径", "No path leads to a trust anchor",
        "如应当信任该签发方，请用 yinxin trust add 添加其根证书", "If this issuer should be trusted, add its root with `yinxin trust add`",
    )  # fmt: skip
    CHAIN_CONSTRAINTS_FAILURE = _row(
        _FAILED, "RFC 5280, 6.1", "证书路径违反规则", "The certificate path breaks a rule",
        "请签发方检查其证书", "Ask the issuer to check its certificates",
    )  # fmt: skip
    WRONG_KEY_USAGE = _row(
        _FAILED, "RFC 5280, 4.2.1.3", "证书不允许用于此用途", "The certificate may not be used for this purpose",
        "请签发方使用专用的签章证书", "Ask the issuer to sign with the certificate made for this use",
    )  # fmt: skip
    CERTIFICATE_NOT_YET_VALID = _row(
        _FAILED, "RFC 5280, 4.1.2.5", "签署时证书尚未生效", "The certificate was not yet valid",
        "请核对时间，或向签发方核实", "Check the time, or ask the issuer",
    )  # fmt: skip
    CERTIFICATE_EXPIRED = _row(
        _UNSURE, "EN 319 102-1, 5.2.6", "证书已过期，且无可信时间证明其签署时有效",
        "The certificate is out of date, and no trusted time proves an earlier signature",
        "请签发方换发带时间戳的文件", "Ask the issuer for a file with a time-stamp",
    )  # fmt: skip
    CERTIFICATE_REVOKED = _row(
        _FAILED, "EN 319 102-1, 5.2.6", "签署证书已被吊销", "The signing certificate is revoked",
        "不要采信该文件，请向签发方核实", "Do not accept this file; ask the issuer",
    )  # fmt: skip
    CERTIFICATE_ON_HOLD = _row(
        _UNSURE, "EN 319 102-1, 5.2.5", "证书处于冻结（暂停）状态", "The certificate is on hold",
        "请待证书恢复或正式吊销后再核验", "Verify again once the hold is lifted or has become a revocation",
    )  # fmt: skip
    REVOCATION_UNKNOWN = _row(
        _UNSURE, "EN 319 102-1, 5.2.6", "无法获知证书是否被吊销", "Whether the certificate is revoked is not known",
        "请稍后重试，或更新吊销数据", "Try again later, or refresh the revocation data",
    )  # fmt: skip
    REVOCATION_STALE = _row(
        _UNSURE, "EN 319 102-1, 5.2.5", "吊销数据已过时", "The revocation data are too old",
        "请更新吊销数据后重试", "Refresh the revocation data and try again",
    )  # fmt: skip

    # Time
    TIMESTAMP_INVALID = _row(
        _FAILED, "EN 319 102-1, 5.4", "时间戳无效", "The time-stamp is not valid",
        "请签发方重新加盖", "Ask the issuer to seal it again",
    )  # fmt: skip
    TIMESTAMP_NOT_TRUSTED = _row(
        _UNSURE, "EN 319 102-1, 5.4", "时间戳来自不受信任的时间戳机构", "The time-stamp comes from an authority that is not trusted",
        "如应当信任该时间戳机构，请将其根证书加入信任库", "If this authority should be trusted, add its root to the trust store",
    )  # fmt: skip
    TIMESTAMP_MISSING = _row(
        _UNSURE, "EN 319 142-1, 6.3", "缺少验证策略要求的时间戳", "A time-stamp that the policy demands is missing",
        "请签发方补加时间戳", "Ask the issuer to add a time-stamp",
    )  # fmt: skip
    NO_PROOF_OF_EXISTENCE = _row(
        _UNSURE, "EN 319 102-1, 5.6.2.2", "签发机构的证书已到期，而无可信时间证明其所签内容在到期前即已存在",
        "An authority's certificate has ended, and no trusted time proves that what it signed is older",
        "请签发方在时间戳到期前续加时间戳，或提供带归档时间戳的文件", "Ask for a file with an archive time-stamp, renewed before the former one ended",
    )  # fmt: skip
    AUTHORITY_REVOKED_WITHOUT_PROOF = _row(
        _UNSURE, "EN 319 102-1, 5.6.2.4", "签发机构的证书已被吊销，而无可信时间证明其所签内容早于吊销",
        "An authority's certificate is revoked, and no trusted time proves that what it signed is older",
        "请向签发方核实，或索取带归档时间戳的文件", "Ask the issuer, or ask for a file with an archive time-stamp from before",
    )  # fmt: skip
    ALGORITHM_ENDED = _row(
        _UNSURE, "EN 319 102-1, 5.6.2.2", "所用算法已不再可靠，而无可信时间证明相关证书或时间戳早于算法停用",
        "An algorithm no longer counts, and no trusted time proves that what was signed with it is older",
        "请索取在算法停用前续加时间戳的文件", "Ask for a file that was stamped again before the algorithm ended",
    )  # fmt: skip
    TIMESTAMP_ORDER = _row(
        _UNSURE, "EN 319 102-1, 5.5.4", "时间戳的先后顺序相互矛盾", "The times of the time-stamps contradict each other",
        "不要据此确定签署时间，请向签发方核实", "Do not rely on the time of signing; ask the issuer",
    )  # fmt: skip
    NOT_YET_VALID = _row(
        _FAILED, "RFC 7519, 4.1.5", "尚未到生效时间", "It is not yet in force",
        "请在生效日期之后再使用", "Use it after its first day",
    )  # fmt: skip
    EXPIRED = _row(
        _FAILED, "RFC 7519, 4.1.4", "已超过有效期", "It is past its last day",
        "请持有人办理延续或换发", "The holder should renew it",
    )  # fmt: skip

    # The licence's standing in its register
    LICENCE_UNKNOWN = _row(
        _UNSURE, "yinxin register", "证照库中没有该证照的记载", "The register has no such licence",
        "请核对编号，或向发证机关核实", "Check the number, or ask the issuing agency",
    )  # fmt: skip
    LICENCE_SUSPENDED = _row(
        _FAILED, "yinxin register", "证照已被暂停使用", "The licence is suspended",
        "请向发证机关了解何时恢复", "Ask the issuing agency when it resumes",
    )  # fmt: skip
    LICENCE_EXPIRED = _row(
        _FAILED, "行政许可法 第七十条", "证照已过有效期", "The licence is past its last day",
        "请持有人办理延续或换发", "The holder should renew it",
    )  # fmt: skip
    LICENCE_DEREGISTERED = _row(
        _FAILED, "行政许可法 第七十条", "证照已注销", "The licence is deregistered (注销)",
        "不再采信，请向发证机关核实", "Do not rely on it; ask the issuing agency",
    )  # fmt: skip
    LICENCE_ANNULLED = _row(
        _FAILED, "行政许可法 第六十九条", "证照已撤销，自始无效", "The licence is annulled (撤销), as if it had never been valid",
        "不要采信；依据它作出的决定也应复核", "Do not rely on it, and review what was decided on it",
    )  # fmt: skip
    LICENCE_WITHDRAWN = _row(
        _FAILED, "行政许可法 第八条", "证照已撤回", "The licence is withdrawn (撤回)",
        "不再采信，请向发证机关核实", "Do not rely on it; ask the issuing agency",
    )  # fmt: skip
    LICENCE_REVOKED = _row(
        _FAILED, "行政处罚法 第九条", "证照已被吊销", "The licence is revoked as a penalty (吊销)",
        "不再采信，请向发证机关核实", "Do not rely on it; ask the issuing agency",
    )  # fmt: skip
    LICENCE_SUPERSEDED = _row(
        _FAILED, "yinxin register", "证照真实，但已换发新版", "The licence is genuine, and superseded by a later version",
        "请持有人出示新版证照", "Ask the holder for the later version",
    )  # fmt: skip
    COMMITMENT_OVERDUE = _row(
        _UNSURE, "国办发〔2020〕42号", "告知承诺的履行期限已过，未见履行记录", "The day by which a commitment was due has passed, and nothing says it was met",
        "请向发证机关了解承诺履行情况", "Ask the issuing agency whether the commitment was met",
    )  # fmt: skip
    LICENCE_DIFFERS = _row(
        _FAILED, "yinxin register", "文件所载内容与证照库的记载不一致", "What the file says is not what the register says",
        "不要采信该文件，请向发证机关核实", "Do not accept this file; ask the issuing agency",
    )  # fmt: skip

    # SD-JWT VC
    WRONG_TYPE = _row(
        _FAILED, "SD-JWT VC, 2.2.1", "令牌类型不符，不是所要求的凭证", "The token is of another type than demanded",
        "请出示所要求类型的凭证", "Present a credential of the type demanded",
    )  # fmt: skip
    CLAIM_INVALID = _row(
        _FAILED, "SD-JWT VC, 2.2.2", "凭证缺少必需的声明，或其格式有误", "A required claim is missing or malformed",
        "请签发方重新签发凭证", "Ask the issuer to issue the credential again",
    )  # fmt: skip
    CLAIM_NOT_ALLOWED = _row(
        _FAILED, "SD-JWT VC, 2.2.2.3", "以可选择披露方式给出了不允许如此的声明",
        "A claim that may never be selectively disclosed is given as a disclosure",
        "不要采信该凭证，请向签发方核实", "Do not accept this credential; ask the issuer",
    )  # fmt: skip
    DISCLOSURE_INVALID = _row(
        _FAILED, "RFC 9901, 7.1", "披露内容与签发方签署的摘要不符", "A disclosure is not one that the issuer signed",
        "不要采信该出示，请持有人重新出示", "Do not accept this presentation; ask the holder to present again",
    )  # fmt: skip
    ISSUER_MISMATCH = _row(
        _FAILED, "SD-JWT VC, 2.5", "凭证所称签发方与签署证书不一致",
        "The issuer that the credential names is not the one of its certificate",
        "不要采信该凭证，请向签发方核实", "Do not accept this credential; ask the issuer",
    )  # fmt: skip
    ISSUER_KEYS_UNAVAILABLE = _row(
        _UNSURE, "SD-JWT VC, 4", "没有签发方近期公布的公钥", "The keys that the issuer publishes are not at hand, or were fetched too long ago",
        "请刷新签发方公钥后重试", "Fetch the issuer's keys again and try once more",
    )  # fmt: skip
    ISSUER_KEY_UNKNOWN = _row(
        _UNSURE, "SD-JWT VC, 4.2", "签发方公布的公钥中没有凭证所指的公钥", "The issuer publishes no such key as the credential names",
        "请刷新签发方公钥后重试；仍不符的凭证不要采信", "Fetch the issuer's keys again; do not accept the credential if that fails too",
    )  # fmt: skip
    TYPE_METADATA_UNAVAILABLE = _row(
        _UNSURE, "SD-JWT VC, 5.7", "没有该类凭证的类型元数据", "The metadata of this credential type is not at hand",
        "请获取该类型的元数据后重试", "Fetch the type's metadata and try again",
    )  # fmt: skip
    TYPE_METADATA_INVALID = _row(
        _FAILED, "SD-JWT VC, 5.7", "该类凭证的类型元数据无效，或与凭证所指的不是同一份",
        "The metadata of this credential type breaks a rule, or is not what the credential names",
        "不要采信该凭证，请向签发方核实", "Do not accept this credential; ask the issuer",
    )  # fmt: skip
    ISSUER_NOT_PERMITTED = _row(
        _FAILED, "SD-JWT VC, 7.7", "签发方无权签发该类凭证", "The issuer may not issue credentials of this type",
        "请核对该类证照的法定发证机关", "See which agency issues this type of licence",
    )  # fmt: skip
    ISSUER_PERMISSION_WITHDRAWN = _row(
        _UNSURE, "yinxin trust list", "签发方的签发权限现已撤销，且无可信时间证明该证照签发于撤销之前",
        "The issuer may no longer issue this type, and no trusted time proves that it was issued before",
        "请向该类证照现在的发证机关核实", "Ask the agency that issues this type now",
    )  # fmt: skip
    ISSUER_PERMISSION_SUSPENDED = _row(
        _UNSURE, "yinxin trust list", "签发方的签发权限现已暂停，且无可信时间证明该证照签发于暂停之前",
        "The issuer's permission is suspended, and no trusted time proves that it was issued before",
        "请待权限恢复后再核验，或向信任管理机构了解情况", "Verify again once the permission is restored, or ask the trust office",
    )  # fmt: skip
    TRUST_LIST_UNAVAILABLE = _row(
        _UNSURE, "yinxin trust list", "没有仍在有效期（含宽限期）内的信任列表", "No trust list is at hand that is in time or within its grace",
        "请获取最新的信任列表后重试", "Get the current trust list and try again",
    )  # fmt: skip
    KEY_BINDING_MISSING = _row(
        _FAILED, "RFC 9901, 7.3", "缺少持有人密钥证明", "The holder's proof of key possession is missing",
        "请持有人用其卡包重新出示", "Ask the holder to present with the wallet that holds the credential",
    )  # fmt: skip
    KEY_BINDING_INVALID = _row(
        _FAILED, "RFC 9901, 7.3", "持有人密钥证明无效", "The holder's proof of key possession is not valid",
        "不要采信该出示，请持有人重新出示", "Do not accept this presentation; ask the holder to present again",
    )  # fmt: skip
    KEY_BINDING_STALE = _row(
        _FAILED, "RFC 9901, 7.3", "出示时间不在允许范围内", "The presentation was not made just now",
        "请持有人重新出示，并核对设备时间", "Ask the holder to present again, and check the clocks",
    )  # fmt: skip
    WRONG_AUDIENCE = _row(
        _FAILED, "RFC 9901, 7.3", "该出示是给其他用证部门的", "The presentation was made for somebody else",
        "请持有人向本部门重新出示", "Ask the holder to present to this department",
    )  # fmt: skip
    WRONG_NONCE = _row(
        _FAILED, "RFC 9901, 7.3", "该出示不是对本次请求的答复", "The presentation does not answer this request",
        "请重新发起请求并由持有人出示", "Make a new request and have the holder present again",
    )  # fmt: skip
    TOKEN_REPLAYED = _row(
        _FAILED, "RFC 9901, 9.5", "该出示已被使用过", "The presentation was used before",
        "请重新发起请求并由持有人出示", "Make a new request and have the holder present again",
    )  # fmt: skip
    NONCE_UNKNOWN = _row(
        _FAILED, "RFC 9901, 9.5", "该随机数不是发给本部门的", "The nonce was not given out to this department",
        "请先申请随机数，再请持有人出示", "Ask for a nonce first, then have the holder present",
    )  # fmt: skip
    NONCE_EXPIRED = _row(
        _FAILED, "RFC 9901, 9.5", "该随机数已超过有效时间", "The nonce is past its lifetime",
        "请重新发起请求并由持有人出示", "Make a new request and have the holder present again",
    )  # fmt: skip

    QUERY_NOT_SATISFIED = _row(
        _FAILED, "OpenID4VP, 8.6", "出示的内容不符合请求", "What was shown is not what was asked for",
        "请持有人按请求重新出示", "Have the holder present again what was asked for",
    )  # fmt: skip
    TRANSACTION_DATA_MISMATCH = _row(
        _FAILED, "OpenID4VP, 8.4", "持有人确认的事项与请求不一致", "What the holder agreed to is not what was asked",
        "不要采信；请重新发起请求", "Do not rely on it; make a new request",
    )  # fmt: skip

    # Who acts for a holder
    DELEGATION_UNKNOWN = _row(
        _FAILED, "yinxin delegation", "没有该委托的记载，或委托链不完整", "There is no such delegation, or its chain is broken",
        "不要采信；请委托人核实委托书编号", "Do not rely on it; ask the principal for the delegation's number",
    )  # fmt: skip
    DELEGATION_MISSING = _row(
        _FAILED, "yinxin delegation", "出示的是经办人领取的证照副本，但未一并出示其委托凭证",
        "An agent's copy was shown without the delegation that it was given under",
        "请经办人将委托凭证与证照一并出示", "Have the agent show the delegation together with the licence",
    )  # fmt: skip
    DELEGATION_NOT_ACCEPTED = _row(
        _FAILED, "yinxin delegation", "经办人尚未接受委托，或已拒绝", "The agent has not accepted the delegation, or declined it",
        "请经办人先接受委托", "The agent accepts the delegation first",
    )  # fmt: skip
    DELEGATION_RECALLED = _row(
        _FAILED, "yinxin delegation", "委托已被收回，或经办人已辞任", "The delegation was recalled, or the agent resigned",
        "不要为该经办人办理；请委托人另行委托", "Do not act for this agent; the principal may appoint another",
    )  # fmt: skip
    DELEGATION_EXPIRED = _row(
        _FAILED, "yinxin delegation", "委托已到期", "The delegation is past its end",
        "请委托人重新委托", "The principal may appoint the agent again",
    )  # fmt: skip
    DELEGATION_EXCEEDED = _row(
        _FAILED, "yinxin delegation", "本事项或该类证照不在委托范围内", "The matter or the licence type is outside the delegation",
        "请委托人扩大委托范围，或由本人办理", "The principal widens the delegation, or comes themselves",
    )  # fmt: skip

    # Status of a credential
    STATUS_REFERENCE_INVALID = _row(
        _FAILED, "Token Status List, 8.3", "凭证的状态指向无效", "The status reference leads to no entry",
        "不要采信该凭证，请向签发方核实", "Do not accept this credential; ask the issuer",
    )  # fmt: skip
    STATUS_UNKNOWN = _row(
        _UNSURE, "Token Status List, 8.3", "无法获知凭证状态", "The status of the credential is not known",
        "请稍后重试，或向签发方核实", "Try again later, or ask the issuer",
    )  # fmt: skip
    STATUS_STALE = _row(
        _UNSURE, "Token Status List, 8.3", "凭证状态数据已过时", "The status data are too old",
        "请更新状态数据后重试", "Refresh the status data and try again",
    )  # fmt: skip
    CREDENTIAL_REVOKED = _row(
        _FAILED, "Token Status List, 7.1", "凭证已被吊销", "The credential is revoked",
        "不要采信该凭证；持有人可向发证机关查询", "Do not accept it; the holder can ask the issuing agency",
    )  # fmt: skip
    CREDENTIAL_SUSPENDED = _row(
        _FAILED, "Token Status List, 7.1", "凭证已被暂停使用", "The credential is suspended",
        "请持有人与发证机关联系，恢复后再办理", "The holder should contact the agency and come back afterwards",
    )  # fmt: skip

    # The code printed on paper
    PRINTED_CODE_MALFORMED = _row(
        _FAILED, "yinxin printed code", "二维码内容不完整、被改动，或不是证照二维码", "What was scanned is no code of a licence, or not all of it",
        "请重新扫描；仍不成功的不要采信，请向发证机关核实", "Scan it again; if that fails too, do not rely on it and ask the issuing agency",
    )  # fmt: skip
    ADDRESS_NOT_TRUSTED = _row(
        _FAILED, "yinxin printed code", "二维码指向的网址不在可信名单中", "The code leads to an address that is not in the list of trusted ones",
        "不要打开该网址；请向发证机关核实", "Do not open that address; ask the issuing agency",
    )  # fmt: skip
    STATUS_NOT_ASKED = _row(
        _UNSURE, "yinxin printed code", "未联网查询，证照当前状态未知", "Checked offline: how the licence stands today is not known",
        "如需当前状态，请联网查询证照库", "Where today's status matters, ask the register",
    )  # fmt: skip

    @property
    def code(self) -> str:
        """The stable code."""
        return self.name.lower()

    @property
    def indication(self) -> Indication:
        """What this reason makes of a verdict."""
        return self.value.indication

    @property
    def clause(self) -> str:
        """The clause of the standard behind it."""
        return self.value.clause

    @property
    def text(self) -> Text:
        """What happened."""
        return self.value.text

    @property
    def next_step(self) -> Text:
        """What a person can do."""
        return self.value.next_step

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "code": self.code,
            "indication": str(self.indication),
            "clause": self.clause,
            "text": self.text.to_dict(),
            "next_step": self.next_step.to_dict(),
        }
