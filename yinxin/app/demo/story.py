"""The order of the story, and how long each chapter took."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from yinxin.app.demo import licences, setting_up
from yinxin.app.demo.both_forms import both_forms
from yinxin.app.demo.cast import Cast
from yinxin.app.serve import ROLES, bind_port
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from yinxin.app.console import Console

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Chapter:
    """One part of the story, and how many seconds it took."""

    title: Text
    seconds: float


def play(directory: Path, console: Console) -> tuple[Cast, list[Chapter]]:
    """Tell the whole story in a new folder; each chapter is announced when it is over."""
    cast = Cast(directory, console)
    told: list[Chapter] = []
    with ExitStack() as stage:
        # Bound before anything is made: certificates and credentials name these addresses.
        listeners = {role: bind_port(HOST, 0) for role in ROLES}
        for listener in listeners.values():
            stage.callback(listener.close)
        urls = {role: f"http://{HOST}:{listener.getsockname()[1]}" for role, listener in listeners.items()}
        acts: list[tuple[str, str, Callable[[], None]]] = [
            (
                "密钥仪式：根、签发机构、每种用途一把密钥",
                "The key ceremony: a root, an issuer, one key for each use",
                lambda: setting_up.ceremony(cast, urls),
            ),
            (
                "启动证书、签发、核验三个服务",
                "Three services start: certificates, issuer, verification",
                lambda: setting_up.serve(cast, stage, listeners),
            ),
            (
                "企业申请印章证书，他人核验并审批",
                "A company applies for a seal; others proof and approve",
                lambda: setting_up.company(cast),
            ),
            (
                "吊销列表、OCSP、时间戳经 HTTP 应答",
                "CRL, OCSP and time-stamps answer over HTTP",
                lambda: setting_up.certificate_services(cast),
            ),
            (
                "按申请表签发证照：版面、盖章、凭证、登记",
                "Licences are issued from a file of applications",
                lambda: licences.issue(cast),
            ),
            (
                "用证部门登记，两人审批",
                "A department is registered by two people",
                lambda: setting_up.department(cast),
            ),
            (
                "部门核验：文件、出示、编号",
                "The department verifies: file, presentation, number",
                lambda: licences.verify(cast),
            ),
            (
                "同一证照两种形式：SD-JWT VC 与 mdoc",
                "One licence in both forms: SD-JWT VC and mdoc",
                lambda: both_forms(cast),
            ),
            (
                "不该通过的都不通过，各有原因",
                "What must not pass does not, each for its own reason",
                lambda: licences.refuse(cast),
            ),
            (
                "暂停、吊销、撤销、换发，再问一遍",
                "Suspended, revoked, annulled, replaced: asked again",
                lambda: licences.endings(cast),
            ),
            ("为任意 PDF 盖章并核验", "Any PDF is sealed and verified", lambda: licences.any_pdf(cast)),
            ("审计日志：每一步都有证明", "The audit log proves each step", lambda: licences.audit_log(cast)),
        ]
        for zh, en, act in acts:
            begun = time.perf_counter()
            act()
            told.append(Chapter(Text(zh, en), time.perf_counter() - begun))
            number, took = len(told), told[-1].seconds
            console.say(f"✓ {number:2}  {zh}（{took:.1f} 秒）", f"✓ {number:2}  {en} ({took:.1f} s)")
    return cast, told
