"""What an operator can set: one TOML file, and environment variables above it.

A key is a field of `Settings`; its variable is the name in capitals after `YINXIN_`. Nothing here is
required, a key nobody knows is an error that names the nearest known one, and the reference page is made from
these fields. Passphrases and PINs are no settings.
"""

# ruff: noqa: RUF009 - `_setting` is `dataclasses.field` with its help
from __future__ import annotations

import difflib
import math
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

from yinxin.base.errors import UsageError
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PREFIX = "YINXIN_"
# Read elsewhere: by the command line, and by the tests.
OTHER_VARIABLES = frozenset(
    f"YINXIN_{name}"
    for name in (
        *("HOME", "LANG", "PASSPHRASE", "KEY_PASSPHRASE", "WALLET", "WALLET_PASSPHRASE"),
        *("VECTORS", "CAMPAIGN", "NODE", "SCREENSHOTS", "SWIFT"),
    )
)


def _setting(  # noqa: PLR0913 - what can be said of a setting
    default: Any,
    zh: str,
    en: str,
    *,
    at_least: float | None = None,
    one_of: tuple[str, ...] = (),
    shown: bool = True,
) -> Any:
    rules = {"help": Text(zh, en), "at_least": at_least, "one_of": one_of}
    return field(default=default, repr=shown, metadata=rules)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one installation; `Settings()` is a small one on this machine."""

    database_url: str = _setting(
        "sqlite:///yinxin.db",
        "数据库地址：sqlite:///文件，或 postgresql://用户@主机/库名",
        "the database: sqlite:///file, or postgresql://user@host/name",
        shown=False,
    )
    personal_data_keys: tuple[str, ...] = _setting(
        ("home:",),
        "数据库中个人信息的加密密钥，首个为现用：home:（由安装口令保护）或 file:路径（32 字节）",
        "keys of personal data, the current one first: home: (under the passphrase) or file:PATH (32 bytes)",
    )
    retention_file: Path | None = _setting(
        None,
        "个人信息保存期限规则（TOML）；不填则用内置规则",
        "how long personal data is kept (TOML); the built-in rules when not set",
    )
    trust_directory: Path = _setting(
        Path("trust"),
        "信任库目录（PEM 证书与 trust.toml）",
        "the trust store: PEM certificates and trust.toml",
    )
    trust_list: str | None = _setting(
        None,
        "信任列表的网址或文件：由它决定谁可签发何种证照；不填则仅用信任库",
        "the trust list, an address or a file: it says who may issue what; only the trust store when not set",
    )
    trust_list_root: Path | None = _setting(
        None,
        "信任列表的根文件，首次使用前须核对指纹（yinxin trust list fingerprint）",
        "the trust list's root; compare its fingerprint before first use (yinxin trust list fingerprint)",
    )
    trust_list_grace_hours: float = _setting(
        72.0,
        "信任列表过期后仍可沿用的小时数；报告和就绪检查会注明",
        "hours for which a list past its end goes on serving; reports and readiness say so",
        at_least=0,
    )
    catalogue_directory: Path | None = _setting(
        None,
        "证照目录（TOML）所在目录；不填则用内置目录",
        "the directory of the licence catalogue; the built-in one when not set",
    )
    forms_directory: Path | None = _setting(
        None,
        "事项表单（TOML）所在目录；不填则用内置表单",
        "the directory of the forms of matters (TOML); the built-in ones when not set",
    )
    subject_rules_file: Path | None = _setting(
        None,
        "主体变更规则文件（TOML）：何种事件对何种证照、证书、印章如何处理；不填则用内置规则",
        "rules for events of people and companies (TOML); the built-in ones when not set",
    )
    policy_file: Path | None = _setting(
        None, "验证策略文件；不填则用默认策略", "the validation policy; the default one when not set"
    )
    base_url: str = _setting(
        "http://127.0.0.1:8000",
        "签发服务的对外网址，写入凭证和打印码，签发后不宜更改",
        "the issuer's public address, written into credentials and printed codes: choose it for good",
    )
    ca_url: str = _setting(
        "http://127.0.0.1:8001",
        "证书服务的对外网址（CRL、OCSP、时间戳），写入证书",
        "the public address of the certificate service (CRL, OCSP, time-stamps); written into certificates",
    )
    verify_url: str = _setting(
        "http://127.0.0.1:8002",
        "核验服务的对外网址，写入回执",
        "the public address of the verification service; written into receipts",
    )
    presentation_client_id: str = _setting(
        "x509_hash",
        "向钱包自称的方式：x509_hash（证书摘要）或 x509_san_dns（证书中的域名）",
        "how the verifier names itself to wallets: x509_hash, or x509_san_dns (its host's name)",
    )
    wallet_url: str = _setting(
        "http://localhost:8003",
        "证照夹的对外网址；通行密钥绑定此域名，启用后不宜更改，且不能是 IP 地址",
        "the wallet's public address; passkeys are bound to its host: choose it for good, no bare IP address",
    )
    office_url: str = _setting(
        "http://localhost:8004",
        "制证窗口的网址，供本机关工作人员使用；通行密钥绑定此域名",
        "the issuing desk's address, for the agency's own staff; passkeys are bound to its host",
    )
    desk_required: bool = _setting(
        False,  # noqa: FBT003 - a default among defaults
        "制发、变更、终止证照只经制证窗口（多人办理）；yinxin licence 的相应命令随之停用",
        "licences are made, changed and ended by several people at the desk alone: `yinxin licence` refuses",
    )
    agency_name: str = _setting("未命名机关", "发证机关名称（中文）", "the issuing agency's name in Chinese")
    agency_name_en: str = _setting(
        "Unnamed agency", "发证机关名称（英文）", "the issuing agency's name in English"
    )
    agency_code: str = _setting(
        "", "发证机关统一社会信用代码", "the issuing agency's unified social credit code"
    )
    crl_urls: tuple[str, ...] = _setting(
        (),
        "核验服务定期获取的证书吊销列表地址",
        "certificate revocation lists that the verification service fetches",
    )
    status_urls: tuple[str, ...] = _setting(
        (),
        "核验服务定期获取的状态列表汇总地址（Token Status List 第 9 节）",
        "aggregations of status lists that the verification service fetches (Token Status List, 9)",
    )
    type_urls: tuple[str, ...] = _setting(
        (),
        "核验服务定期获取的证照类型目录地址（签发方的 /types）",
        "indexes of licence types that the verification service fetches (an issuer's /types)",
    )
    refresh_seconds: float = _setting(
        30.0,
        "刷新吊销与状态快照的间隔（秒）",
        "seconds between refreshes of revocation and status",
        at_least=1,
    )
    gather_seconds: float = _setting(
        900.0,
        "核验服务收集证书所指吊销列表、OCSP 应答和上级证书的间隔（秒）；"
        "0 表示不收集，改由 yinxin gather 定时执行",
        "seconds between rounds that gather the lists, OCSP answers and issuers that certificates name; "
        "0: none here, a timer runs `yinxin gather`",
        at_least=0,
    )
    host: str = _setting(
        "127.0.0.1",
        "监听地址；端口取自各服务的网址",
        "the address to listen on; each service's port is the one of its URL",
    )
    anonymous_requests_per_minute: int = _setting(
        30,
        "未认证调用方每分钟请求上限（每个地址）",
        "requests a minute from one address without authentication",
        at_least=1,
    )
    department_requests_per_minute: int = _setting(
        6000, "每个用证部门每分钟请求上限", "requests a minute from one department", at_least=1
    )
    audit_origin: str = _setting(
        "yinxin.local/audit",
        "审计日志的名称（检查点首行），启用后不可更改",
        "the audit log's name, first line of its checkpoints; never change it in use",
    )
    audit_interval_seconds: float = _setting(
        1.0, "审计日志定序间隔（秒）", "seconds between two rounds of the audit sequencer", at_least=0.01
    )
    outbound_allowed_private: tuple[str, ...] = _setting(
        (),
        "允许访问的内网地址：IP、IP:端口或网段",
        "private addresses that may be called: address, address:port or network",
    )
    outbound_timeout_seconds: float = _setting(
        5.0, "对外请求总时限（秒）", "seconds for a whole outbound request", at_least=0.1
    )
    outbound_max_bytes: int = _setting(
        4 << 20, "对外请求应答的最大字节数", "the largest outbound answer, in bytes", at_least=1024
    )
    outbound_https_only: bool = _setting(
        False,  # noqa: FBT003 - a default among defaults
        "对外请求只用 https；CRL 与 OCSP 多用 http，开启前请确认",
        "outbound requests by https only; CRLs and OCSP are mostly served by http",
    )
    timestamp_url: str | None = _setting(
        None, "时间戳服务地址（RFC 3161）", "the time-stamp authority (RFC 3161)"
    )
    trusted_hosts: tuple[str, ...] = _setting(
        (),
        "除本服务与签发服务外，其打印二维码可信的网址，如 https://licences.example.gov",
        "addresses whose printed codes are trusted beside our own, like https://licences.example.gov",
    )
    wallet_clients: tuple[str, ...] = _setting(
        (),
        "可用授权码流程领证的钱包，每项为“client_id redirect_uri”；不填则不提供该流程",
        "wallets that may use the authorization code flow, each `client_id redirect_uri`; none: not offered",
    )
    openid_issuer: str | None = _setting(
        None,
        "统一身份认证平台（OpenID Connect）的 issuer；不填则仅用通行密钥登录",
        "the issuer of the city's identity platform (OpenID Connect); passkeys only when not set",
    )
    openid_client_id: str | None = _setting(
        None, "在该平台登记的 client_id", "the client_id that the platform knows us by"
    )
    openid_client_secret_file: Path | None = _setting(
        None,
        "client_secret 所在文件；不填则以密钥证明身份（private_key_jwt，推荐）",
        "the file with the client's secret; a key proves who we are when not set (private_key_jwt, better)",
    )
    contacts_file: Path | None = _setting(
        None,
        "各机关联系方式文件（TOML），用于告知单与异议分派；不填则只有本机关",
        "the agencies' contacts (TOML), for slips and disputes; this agency only when not set",
    )
    supervision_rules: Path | None = _setting(
        None,
        "监察规则文件（TOML）；不填则用内置规则",
        "the rules of supervision (TOML); the built-in ones when not set",
    )
    dispute_accept_days: int = _setting(
        5,
        "收到证照异议后决定是否受理的期限（工作日）",
        "working days until a dispute is accepted or rejected",
        at_least=1,
    )
    dispute_answer_days: int = _setting(
        20,
        "收到证照异议后作出答复的期限（工作日）",
        "working days until a dispute is answered, from its receipt",
        at_least=1,
    )
    documents_url: str = _setting(
        "",
        "证照文件的存放处：s3://桶/前缀?endpoint=https://…；不填则存于本机文件夹",
        "where sealed documents are kept: s3://bucket/prefix?endpoint=https://…; a local folder when not set",
    )
    documents_keys_file: Path | None = _setting(
        None,
        "对象存储的密钥文件（TOML：access_key、secret_key），仅服务可读",
        "the object store's keys (TOML: access_key, secret_key), in a file that only the service reads",
    )
    log_format: str = _setting(
        "text",
        "服务日志的格式：text，或每行一个 JSON 对象的 json",
        "how services log: text, or json with one object on each line",
        one_of=("text", "json"),
    )
    metrics_listen: str = _setting(
        "",
        "Prometheus 指标的监听地址（主机:端口），与对外服务分开；不填则不提供",
        "host:port that serves metrics to Prometheus, apart from the services; not served when not set",
    )

    @classmethod
    def load(cls, path: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
        """The settings of a TOML file, with `environ` above it.

        `UsageError` names the file or variable and what is wrong with it.
        """
        values = dict(_from_file(path)) if path else {}
        values.update(_from_environment(environ or {}))
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Description:
    """One row of the reference page."""

    name: str
    variable: str
    kind: str
    default: str
    help: Text


def describe() -> tuple[Description, ...]:
    """Every setting, in the order of the fields."""
    kinds = get_type_hints(Settings)
    return tuple(
        Description(
            found.name,
            PREFIX + found.name.upper(),
            _kind(kinds[found.name]),
            _shown(found.default),
            found.metadata["help"],
        )
        for found in fields(Settings)
    )


def _from_file(path: Path) -> Iterator[tuple[str, Any]]:
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as exc:
        raise UsageError(f"{path} cannot be read: {exc.strerror}") from exc
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise UsageError(f"{path} is not TOML: {exc}") from exc
    for name, value in content.items():
        yield name, _checked(name, value, f"{path}: {name}")


def _from_environment(environ: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    for variable, text in environ.items():
        if variable.startswith(PREFIX) and variable not in OTHER_VARIABLES:
            name = variable[len(PREFIX) :].lower()
            yield name, _checked(name, text, variable)


def _checked(name: str, value: Any, where: str) -> Any:
    kinds = get_type_hints(Settings)
    if name not in kinds:
        near = difflib.get_close_matches(name, kinds, n=1, cutoff=0)[0]
        raise UsageError(f"{where}: no such setting; the nearest is {near}")
    known = next(found for found in fields(Settings) if found.name == name)
    try:
        # A variable is text whatever the setting is; a TOML value has a type that must fit.
        convert = _from_text if where.startswith(PREFIX) else _from_toml
        converted = convert(kinds[name], value)
    except ValueError as exc:
        raise UsageError(f"{where}: must be {_kind(kinds[name])}") from exc
    at_least = known.metadata["at_least"]
    if at_least is not None and not converted >= at_least:
        raise UsageError(f"{where}: must be at least {at_least}")
    one_of = known.metadata["one_of"]
    if one_of and converted not in one_of:
        raise UsageError(f"{where}: must be {' or '.join(one_of)}")
    return converted


def _from_text(kind: Any, text: str) -> Any:
    if kind == tuple[str, ...]:
        return tuple(item.strip() for item in text.split(",") if item.strip())
    if kind is bool:
        return _boolean(text.strip().lower())
    if kind in {int, float}:
        return _finite(kind(text))
    return _from_toml(kind, text)


def _from_toml(kind: Any, value: Any) -> Any:
    if kind == tuple[str, ...] and isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    if kind is float and type(value) in {int, float}:
        return _finite(float(value))
    if kind in {int, bool} and type(value) is kind:
        return value
    if kind in {str, str | None} and isinstance(value, str):
        return value
    if kind in {Path, Path | None} and isinstance(value, str) and value:
        return Path(value)
    raise ValueError(type(value).__name__)


def _boolean(text: str) -> bool:
    if text not in {"true", "yes", "on", "1", "false", "no", "off", "0"}:
        raise ValueError(text)
    return text in {"true", "yes", "on", "1"}


def _finite(number: float) -> float:
    if not math.isfinite(number):
        raise ValueError("not a number")
    return number


def _kind(kind: Any) -> str:
    names = {int: "an integer", float: "a number", bool: "true or false", tuple[str, ...]: "a list of texts"}
    return names.get(kind, "a path" if kind in {Path, Path | None} else "a text")


def _shown(default: Any) -> str:
    if default is None or default == ():
        return ""
    return str(default).lower() if isinstance(default, bool) else str(default)
