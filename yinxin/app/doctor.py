"""Is this installation sound? Versions, optional parts, name clashes, engines, database, keys, readiness.

Every finding says what to do. Nothing here changes anything.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import platform
import sys
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from signing import sm2
from signing.jose import load_json_object
from yinxin.app.backup.mark import is_waiting
from yinxin.app.ceremony import BARE_KEYS, SERVICE_KEYS
from yinxin.app.observing import readiness
from yinxin.app.trust_lists import stands_on
from yinxin.base.errors import YinxinError
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from yinxin.app.home import Home
    from yinxin.base.clock import Clock

IMPORT_NAMES = ("ca", "credentials", "signing", "verify_api", "wallet", "yinxin")
LIBRARIES = (
    "cryptography",
    "pyHanko",
    "asn1crypto",
    "python-jose",
    "sqlmodel",
    "alembic",
    "typst",
    "urllib3",
)
OPTIONAL = {
    "service": ("fastapi", "uvicorn"),
    "postgres": ("psycopg",),
    "pkcs11": ("pkcs11",),
}
ISSUING = "issuing"
EXPIRY_NOTICE = timedelta(days=60)
SERVICES = {
    "ca": "ca_url",
    "issuer": "base_url",
    "verifier": "verify_url",
    "office": "office_url",
    "wallet": "wallet_url",
}
MAX_READINESS_BYTES = 64 * 1024
NOT_TRIED = Text("未提供口令，未尝试打开", "not opened without its passphrase")


class State(StrEnum):
    """How a finding came out."""

    GOOD = "good"
    NOTE = "note"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at, and what to do where it is not good."""

    subject: str
    state: State
    says: Text

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"subject": self.subject, "state": str(self.state), "says": self.says.to_dict()}


def examine(home: Home | None, *, clock: Clock, passphrase: str | None = None) -> list[Finding]:
    """Everything that can be said about this installation, and about a home folder where one is given."""
    findings = [*_python(), *_libraries(), *_optional(), *_names(), _sm2()]
    if home is not None:
        findings += [*_database(home), *_quarantine(home), *_keys(home, clock, passphrase)]
        findings += [*_standing(home, clock), *_gathered(home, clock), *_services(home)]
    return findings


def _python() -> Iterator[Finding]:
    version = platform.python_version()
    good = sys.version_info >= (3, 11)
    says = Text(f"Python {version}（{platform.system()}）", f"Python {version} on {platform.system()}")
    yield Finding("python", State.GOOD if good else State.FAULT, says)


def _libraries() -> Iterator[Finding]:
    for name in ("yinxin", *LIBRARIES):
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            yield Finding(
                name, State.FAULT, Text("未安装，请重新安装 yinxin", "not installed; install yinxin again")
            )
        else:
            yield Finding(name, State.GOOD, Text(f"版本 {version}", f"version {version}"))


def _optional() -> Iterator[Finding]:
    for extra, modules in OPTIONAL.items():
        missing = [name for name in modules if importlib.util.find_spec(name) is None]
        if missing:
            zh = f"缺少 {', '.join(missing)}；需要时执行 pip install 'yinxin[{extra}]'"
            en = f"{', '.join(missing)} missing; if you need it: pip install 'yinxin[{extra}]'"
            yield Finding(f"extra {extra}", State.NOTE, Text(zh, en))
        else:
            yield Finding(f"extra {extra}", State.GOOD, Text("已安装", "installed"))


def _names() -> Iterator[Finding]:
    """Our import names are plain words; another distribution may use one of them too."""
    owners = importlib.metadata.packages_distributions()
    here = Path(__file__).resolve().parents[2]
    for name in IMPORT_NAMES:
        others = sorted(set(owners.get(name, ())) - {"yinxin"})
        spec = importlib.util.find_spec(name)
        place = Path(spec.origin).resolve() if spec and spec.origin else None
        if others:
            zh = f"与 {', '.join(others)} 争用同一个导入名；请分装在不同的虚拟环境"
            en = f"{', '.join(others)} uses the same import name; install them in separate environments"
            yield Finding(f"import {name}", State.FAULT, Text(zh, en))
        elif place is None or here not in place.parents:
            zh = f"导入的不是本产品的模块，而是 {place}；请检查 PYTHONPATH 和当前目录"
            en = f"found at {place}, which is not ours; check PYTHONPATH and the current folder"
            yield Finding(f"import {name}", State.FAULT, Text(zh, en))
        else:
            yield Finding(f"import {name}", State.GOOD, Text("无冲突", "no clash"))


def _sm2() -> Finding:
    if sm2.engine() == "libcrypto":
        return Finding(
            "SM2", State.GOOD, Text("使用系统 libcrypto 验证", "verified by the system's libcrypto")
        )
    zh, en = (
        "系统 libcrypto 不支持 SM2，使用较慢的纯 Python 验证",
        "the system's libcrypto lacks SM2; the slower pure engine verifies",
    )
    return Finding("SM2", State.NOTE, Text(zh, en))


def _database(home: Home) -> Iterator[Finding]:
    try:
        is_newest = home.database.is_migrated()
    except YinxinError as error:
        says = Text(f"无法访问：{error.detail}", f"cannot be reached: {error.detail}")
        yield Finding("database", State.FAULT, says)
        return
    if is_newest:
        yield Finding(
            "database",
            State.GOOD,
            Text("可以访问，表结构为最新", "can be reached, its tables are the newest"),
        )
    else:
        says = Text(
            "可以访问，但表结构不是本版本的；启动服务时会升级",
            "can be reached, but its tables are of another version",
        )
        yield Finding("database", State.FAULT, says)


def _quarantine(home: Home) -> Iterator[Finding]:
    """A node that was restored serves nobody until it is released."""
    try:
        waits = is_waiting(home)
    except YinxinError:  # the database says already what is wrong
        return
    if waits:
        says = Text(
            "从备份恢复，处于隔离状态；由另一人执行 yinxin restore --release",
            "restored from a backup, in quarantine; a second person runs yinxin restore --release",
        )
        yield Finding("quarantine", State.FAULT, says)


def _standing(home: Home, clock: Clock) -> Iterator[Finding]:
    """What verification stands on, as it lies in the home: anchors and revocation lists."""
    try:
        kept = stands_on(home)
    except YinxinError as error:
        yield Finding(
            "trust", State.FAULT, Text(f"无法读取：{error.detail}", f"cannot be read: {error.detail}")
        )
        return
    now = clock.now()
    found = list(readiness.snapshots_check(lambda: kept, lists=False, unanswered=tuple)(now))
    for reason in found:
        # Services fetch the lists themselves; the ones in the folder are for the command line.
        is_note = reason is readiness.REVOCATION_STALE or not reason.stops
        state = State.NOTE if is_note else State.FAULT
        yield Finding(
            "trust" if reason is not readiness.REVOCATION_STALE else "revocation", state, reason.says
        )
    if not found:
        age = max(readiness.ages(kept, now).values(), default=0.0) / 3600
        says = Text(
            f"信任锚 {len(kept.trust.anchors)} 个，吊销列表最旧 {age:.1f} 小时",
            f"{len(kept.trust.anchors)} trust anchors; the oldest revocation list is {age:.1f} hours old",
        )
        yield Finding("trust", State.GOOD, says)


def _gathered(home: Home, clock: Clock) -> Iterator[Finding]:
    """What `yinxin gather` left, and whom it left without evidence."""
    for reason in readiness.gathering_check(home.library.read)(clock.now()):
        state = State.FAULT if reason.stops else State.NOTE
        names = "" if reason is not readiness.EVIDENCE_MISSING else ", ".join(home.library.read().missing)
        says = Text(f"{reason.says.zh}：{names}", f"{reason.says.en}: {names}") if names else reason.says
        yield Finding("gathered", state, says)


def _services(home: Home) -> Iterator[Finding]:
    """What the services of this home say of themselves, where they run."""
    for name, setting in SERVICES.items():
        url = getattr(home.settings, setting)
        try:
            answer = home.outbound.get(f"{url}/readyz", max_bytes=MAX_READINESS_BYTES)
            reasons = load_json_object(answer.body).get("reasons", [])
            says = [Text(str(one["says"]["zh"]), str(one["says"]["en"])) for one in reasons]
        except (YinxinError, KeyError, TypeError):
            yield Finding(
                f"service {name}", State.NOTE, Text("未运行或无法访问", "does not run, or cannot be reached")
            )
            continue
        if answer.status == 200:
            yield Finding(f"service {name}", State.GOOD, Text("就绪", "ready"))
        else:
            zh, en = "；".join(one.zh for one in says), "; ".join(one.en for one in says)
            yield Finding(f"service {name}", State.FAULT, Text(f"未就绪：{zh}", f"not ready: {en}"))


def _keys(home: Home, clock: Clock, passphrase: str | None) -> Iterator[Finding]:
    opens = bool(passphrase) or home.has_passphrase
    for name in home.key_names():
        yield _certified_key(home, name, clock.now(), opens=opens)
    yield from _keys_to_make(home)
    for name in BARE_KEYS:
        yield _bare_key(f"key {name}", partial(home.signer, name), opens=opens)
    yield _bare_key("key documents", home.document_key, opens=opens)


def _keys_to_make(home: Home) -> Iterator[Finding]:
    """A home that was made by an older version has no key for what came since."""
    if ISSUING not in home.key_names():
        return
    for name in SERVICE_KEYS:
        if name not in home.key_names():
            command = f"yinxin ca renew {name}"
            says = Text(f"尚无此密钥；执行 {command} 制作", f"there is none yet; {command} makes it")
            yield Finding(f"key {name}", State.NOTE, says)


def _certified_key(home: Home, name: str, now: datetime, *, opens: bool) -> Finding:
    subject = f"key {name}"
    try:
        certificate = home.chain(name)[0]
        if opens:
            home.signer(name)
    except YinxinError as error:
        return _closed(subject, error)
    until = certificate.not_after.date().isoformat()
    if certificate.not_after < now:
        says = Text(f"证书已于 {until} 到期，请换发", f"its certificate ended on {until}; renew it")
        return Finding(subject, State.FAULT, says)
    if certificate.not_after - now < EXPIRY_NOTICE:
        says = Text(
            f"证书将于 {until} 到期，请及时换发", f"its certificate ends on {until}; renew it in time"
        )
        return Finding(subject, State.NOTE, says)
    if not opens:
        zh, en = f"证书有效期至 {until}；", f"certificate until {until}; "
        return Finding(subject, State.NOTE, Text(zh + NOT_TRIED.zh, en + NOT_TRIED.en))
    return Finding(
        subject, State.GOOD, Text(f"可以打开，证书有效期至 {until}", f"opens; certificate until {until}")
    )


def _bare_key(subject: str, open_it: Callable[[], object], *, opens: bool) -> Finding:
    if not opens:
        return Finding(subject, State.NOTE, NOT_TRIED)
    try:
        open_it()
    except YinxinError as error:
        return _closed(subject, error)
    return Finding(subject, State.GOOD, Text("可以打开", "opens"))


def _closed(subject: str, error: YinxinError) -> Finding:
    return Finding(subject, State.FAULT, Text(f"无法打开：{error.detail}", f"does not open: {error.detail}"))
