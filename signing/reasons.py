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


def _row(indication: Indication, clause: str, zh: str, en: str, next_zh: str, next_en: str) -> _Row:
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
    NO_SIGNATURE = _row(
        _FAILED, "EN 319 102-1, 5.2.2", "文件没有任何电子签名或印章", "The file carries no signature or seal",
        "请索取加盖电子印章的原件", "Ask for the sealed original",
    )  # fmt: skip

    # The signature itself
    HASH_FAILURE = _row(
        _FAILED, "EN 319 102-1, 5.2.7", "内容在签署之后被改动", "The content was changed after it was signed",
        "不要采信该文件，请向签发方核实", "Do not accept this file; ask the issuer",
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

    # Who stands behind it
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
    TIMESTAMP_MISSING = _row(
        _UNSURE, "EN 319 142-1, 6.3", "缺少验证策略要求的时间戳", "A time-stamp that the policy demands is missing",
        "请签发方补加时间戳", "Ask the issuer to add a time-stamp",
    )  # fmt: skip
    NOT_YET_VALID = _row(
        _FAILED, "RFC 7519, 4.1.5", "尚未到生效时间", "It is not yet in force",
        "请在生效日期之后再使用", "Use it after its first day",
    )  # fmt: skip
    EXPIRED = _row(
        _FAILED, "RFC 7519, 4.1.4", "已超过有效期", "It is past its last day",
        "请持有人办理延续或换发", "The holder should renew it",
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
