"""Options that several commands share."""

from __future__ import annotations

import getpass
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from signing.signer import open_signer
from signing.signers.file import FileSigner
from yinxin.app.phrases import phrase
from yinxin.base.actor import Actor, staff
from yinxin.base.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from signing.signer import Signer
    from yinxin.app.home import Home


def clerk_of(home: Home, name: str) -> Actor:
    """Who acts at the command line: a clerk of the home's own agency."""
    return staff(name, agency=home.settings.agency_code or None)


def actor_option(role: str) -> Callable[[Any], Any]:
    """`--actor`: who does it; the operating system's user unless named."""
    says = phrase(
        f"操作人（角色 {role}），默认为系统用户", f"who acts (as {role}); the system's user by default"
    )
    return click.option("--actor", default=getpass.getuser, help=says)


def home_option(*, required: bool = True) -> Callable[[Any], Any]:
    """`--home`: the folder of an installation, also `YINXIN_HOME`."""
    says = phrase(
        "安装目录（由 yinxin ca init 或 yinxin demo 建立）",
        "the installation's folder (made by `yinxin ca init` or `yinxin demo`)",
    )
    place = click.Path(file_okay=False, path_type=str)
    return click.option(
        "--home", envvar="YINXIN_HOME", type=place, required=required, help=says, show_envvar=True
    )


def passphrase_option(function: Any) -> Any:
    """`--passphrase-file`: where the keys' passphrase is read from; `YINXIN_PASSPHRASE` serves too."""
    says = phrase(
        "密钥口令所在文件（或用环境变量 YINXIN_PASSPHRASE）",
        "file that holds the keys' passphrase (or set YINXIN_PASSPHRASE)",
    )
    return click.option("--passphrase-file", type=click.Path(dir_okay=False), help=says)(function)


# What a verdict stands on: whom to trust, which lists are known, what is demanded.
trust_option = click.option(
    "--trust",
    type=click.Path(file_okay=False, path_type=Path),
    help=phrase("信任锚目录（PEM）", "folder of trust anchors (PEM)"),
)
crl_option = click.option(
    "--crl",
    "crls",
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help=phrase("吊销列表文件，可多次给出", "a CRL file; may be given again"),
)
policy_option = click.option(
    "--policy",
    type=click.Path(dir_okay=False, path_type=Path),
    help=phrase("验证策略文件（TOML）", "the validation policy (TOML)"),
)


def read_passphrase(file: str | None, *, required: bool = True) -> str | None:
    """The passphrase from the file, the environment or a prompt; None only when it is not required."""
    if file:
        return _secret_in(file)
    if found := os.environ.get("YINXIN_PASSPHRASE"):
        return found
    if not required:
        return None
    return str(click.prompt(phrase("密钥口令", "Passphrase of the keys"), hide_input=True))


def key_option(function: Any) -> Any:
    """`--key` and `--key-passphrase-file`: the key that a person agrees with; `agreement` uses it."""
    says = phrase(
        "本人的签名密钥：加密的 PEM 文件，或 pkcs11: 地址",
        "your own key to agree with: an encrypted PEM file, or a pkcs11: URI",
    )
    return click.option("--key", required=True, help=says)(key_passphrase_option(function))


def key_passphrase_option(function: Any) -> Any:
    """`--key-passphrase-file`: where a person's own passphrase is read from."""
    says = phrase(
        "本人密钥口令所在文件（或用环境变量 YINXIN_KEY_PASSPHRASE）",
        "file that holds the passphrase of your own key (or set YINXIN_KEY_PASSPHRASE)",
    )
    place = click.Path(dir_okay=False)
    return click.option("--key-passphrase-file", type=place, help=says)(function)


def read_key_passphrase(file: str | None) -> str:
    """A person's own passphrase from the file, the environment or a prompt."""
    if file:
        return _secret_in(file)
    if found := os.environ.get("YINXIN_KEY_PASSPHRASE"):
        return found
    return str(click.prompt(phrase("本人密钥的口令", "Passphrase of your own key"), hide_input=True))


def open_key(key: str, key_passphrase_file: str | None) -> Signer:
    """A person's own signer; `SignerUnavailable` when it does not open."""
    secret = read_key_passphrase(key_passphrase_file)
    if key.startswith("pkcs11:"):
        return open_signer(key, secret=secret)
    return FileSigner.open(key, passphrase=secret)


def agreement(digest: bytes, actor: Actor, *, key: str, key_passphrase_file: str | None) -> dict[str, Any]:
    """The proof that this person agrees to a digest, by their own key."""
    from credentials.office.proofs import KeyProofs  # noqa: PLC0415 - the office brings the database

    return KeyProofs.make(digest, actor, open_key(key, key_passphrase_file))


class Moment(click.ParamType[datetime]):
    """A date (the end of that day) or a time with its offset, ISO 8601."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """An aware time in UTC."""
        if isinstance(value, datetime):
            return value
        try:
            when = datetime.fromisoformat(value)
            if len(value) == 10:
                when = when.replace(hour=23, minute=59, second=59)
            return when.astimezone(UTC)
        except (ValueError, OverflowError):  # the second: the year 1 or 9999, west or east of Greenwich
            self.fail(phrase(f"{value} 不是 ISO 8601 时间", f"{value} is not an ISO 8601 time"), param, ctx)


def _secret_in(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise UsageError(f"cannot read the passphrase file {file}") from exc
