"""The one tree of errors.

Every error that leaves a public function of ours is a `YinxinError`. It carries a stable `code`
(snake_case, never re-used) for programs and a `detail` for people. HTTP knows nothing of this file:
the table of statuses is `yinxin.app.problems`. A third party's exception is translated in the
module that calls it, with `raise … from exc`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta


class YinxinError(Exception):
    """Root of our errors. `title` says the kind in both languages, `detail` says this case."""

    code: ClassVar[str] = "error"
    title: ClassVar[Text] = Text("操作未完成", "The operation was not completed")

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail)
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}" if self.detail else self.code


class UsageError(YinxinError):
    """The caller asked for something that cannot be meant."""

    code = "usage_error"
    title = Text("调用方式有误", "The call is not right")


class UnknownAlgorithm(UsageError):
    """No row of the algorithm table has this name, identifier or key."""

    code = "unknown_algorithm"
    title = Text("未知的算法", "Unknown algorithm")


class UnknownProfile(UsageError):
    """No certificate profile of this name."""

    code = "unknown_profile"
    title = Text("未知的证书模板", "Unknown certificate profile")


class UnknownLicenceType(UsageError):
    """The catalogue has no such licence type."""

    code = "unknown_licence_type"
    title = Text("证照目录中没有该类型", "The catalogue has no such licence type")


class InvalidClaims(UsageError):
    """Data for a licence or a certificate break its rules; `.faults` names each field and why."""

    code = "invalid_claims"
    title = Text("填报内容不符合要求", "The data do not satisfy the rules")

    def __init__(self, detail: str = "", *, faults: Sequence[tuple[str, Text]] = ()) -> None:
        super().__init__(detail or "; ".join(f"{field}: {why.en}" for field, why in faults))
        self.faults = tuple(faults)


class MalformedInput(YinxinError):
    """Bytes or text from outside do not parse; `.kind` says as what (pdf, jwt, der, crl …)."""

    code = "malformed_input"
    title = Text("无法解析输入", "The input cannot be read")

    def __init__(self, kind: str, detail: str = "") -> None:
        super().__init__(f"{kind}: {detail}" if detail else kind)
        self.kind = kind


class TooLarge(MalformedInput):
    """An input or what it unpacks to exceeds a stated limit."""

    code = "too_large"
    title = Text("输入超出大小限制", "The input exceeds the size limit")


class Unauthenticated(YinxinError):
    """Nobody we know is asking: no token, or one that does not verify."""

    code = "unauthenticated"
    title = Text("未通过身份认证", "The caller is not authenticated")


class NotPermitted(YinxinError):
    """The actor is known, and may not do this."""

    code = "not_permitted"
    title = Text("无权执行此操作", "The actor may not do this")


class TooManyRequests(YinxinError):
    """A rate limit is reached; `.retry_after` says how long to wait."""

    code = "too_many_requests"
    title = Text("请求过于频繁", "Too many requests")

    def __init__(self, detail: str = "", *, retry_after: timedelta) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class SignerUnavailable(YinxinError):
    """A private key cannot be used: locked, absent, or its certificate is out of date."""

    code = "signer_unavailable"
    title = Text("签名密钥不可用", "The signing key cannot be used")


class IssuanceRefused(YinxinError):
    """A certificate or licence was not issued; `.reasons` says why (lint, policy, approval, identity)."""

    code = "issuance_refused"
    title = Text("不予签发", "Issuance is refused")

    def __init__(self, detail: str = "", *, reasons: Sequence[str] = ()) -> None:
        super().__init__(detail or "; ".join(reasons))
        self.reasons = tuple(reasons)


class VerificationFailed(YinxinError):
    """A report that had to pass did not; it is in `.report`, its causes are `.report.reasons`."""

    code = "verification_failed"
    title = Text("核验未通过", "Verification failed")

    def __init__(self, report: Any) -> None:
        super().__init__(", ".join(sorted(reason.code for reason in report.reasons)))
        self.report = report


class NotFound(YinxinError):
    """There is no such thing here."""

    code = "not_found"
    title = Text("未找到", "Not found")


class Conflict(YinxinError):
    """The state of things does not allow this: done already, or changed by somebody else meanwhile."""

    code = "conflict"
    title = Text("与当前状态冲突", "Conflicts with the current state")


class Unreachable(YinxinError):
    """A time-stamp authority, OCSP responder, list or remote signer did not answer."""

    code = "unreachable"
    title = Text("无法连接外部服务", "An outside service cannot be reached")

    def __init__(self, detail: str = "", *, retry_after: timedelta | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
