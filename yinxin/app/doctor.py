"""Is this installation sound? Versions, optional parts, name clashes, engines, database, keys.

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
from pathlib import Path
from typing import TYPE_CHECKING, Any

from signing import sm2
from yinxin.base.errors import YinxinError
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

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
EXPIRY_NOTICE = timedelta(days=60)


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
        findings += [*_database(home), *_keys(home, clock, passphrase)]
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
        with home.database.reading():
            pass
    except YinxinError as error:
        says = Text(f"无法访问：{error.detail}", f"cannot be reached: {error.detail}")
        yield Finding("database", State.FAULT, says)
    else:
        yield Finding("database", State.GOOD, Text("可以访问", "can be reached"))


def _keys(home: Home, clock: Clock, passphrase: str | None) -> Iterator[Finding]:
    for name in home.key_names():
        subject = f"key {name}"
        try:
            signer = home.signer(name) if passphrase or home.has_passphrase else None
            certificate = home.chain(name)[0]
        except YinxinError as error:
            yield Finding(
                subject, State.FAULT, Text(f"无法打开：{error.detail}", f"does not open: {error.detail}")
            )
            continue
        left = certificate.not_after - clock.now()
        until = certificate.not_after.date().isoformat()
        if left < timedelta(0):
            says = Text(f"证书已于 {until} 到期，请换发", f"its certificate ended on {until}; renew it")
            yield Finding(subject, State.FAULT, says)
        elif left < EXPIRY_NOTICE:
            says = Text(f"证书将于 {until} 到期", f"its certificate ends on {until}")
            yield Finding(subject, State.NOTE, says)
        elif signer is None:
            says = Text(
                f"证书有效期至 {until}；未提供口令，未尝试打开",
                f"certificate until {until}; not opened without its passphrase",
            )
            yield Finding(subject, State.NOTE, says)
        else:
            yield Finding(
                subject,
                State.GOOD,
                Text(f"可以打开，证书有效期至 {until}", f"opens; certificate until {until}"),
            )
