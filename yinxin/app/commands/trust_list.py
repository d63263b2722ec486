"""`yinxin trust list sign | show | diff | fingerprint`: what a trust office does, and how others look at it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from signing.signer import open_signer
from signing.trust_list import Freshness, TrustList, TrustRoot, add_signature, sign_content
from signing.trust_list.envelope import MAX_BYTES
from yinxin.app.commands.options import passphrase_option, read_passphrase
from yinxin.app.console import ExitCode, console_of
from yinxin.app.phrases import phrase
from yinxin.app.trust_changes import changes, draft_or_list
from yinxin.app.trust_documents import read_document
from yinxin.base.clock import SystemClock
from yinxin.base.files import READABLE, read_file, replace_file

if TYPE_CHECKING:
    from datetime import datetime

    from yinxin.app.console import Console

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group(
    "list",
    help=phrase(
        "信任列表：由信任管理机构多人签名，列明各发证机关可签发的证照类型。",
        "Trust lists: signed by several people of a trust office; who may issue what.",
    ),
)
def trust_list() -> None:
    """Group."""


@trust_list.command(
    "sign",
    help=phrase(
        "签署根文件或信任列表：首次由 TOML 生成，其后在同一文件上加签。",
        "Sign a root or a list: from TOML the first time, then add to the signed file.",
    ),
)
@click.argument("source", type=_FILE)
@click.option(
    "--key", required=True, help=phrase("签名密钥（PEM 文件或 URI）", "the key: a PEM file or a URI")
)
@click.option("-o", "--output", required=True, type=_FILE, help=phrase("签署后的文件", "the signed file"))
@passphrase_option
@click.pass_context
def sign(context: click.Context, source: Path, key: str, output: Path, passphrase_file: str | None) -> int:
    """Write it with one signature more."""
    console = console_of(context)
    place = f"file:{key}" if ":" not in key else key
    signer = open_signer(place, secret=lambda: str(read_passphrase(passphrase_file)))
    if source.suffix == ".toml":
        content, kind = read_document(source, now=SystemClock().now())
        envelope = sign_content(content, kind, [signer])
    else:
        envelope = add_signature(read_file(source, limit=MAX_BYTES), signer)
    replace_file(output, envelope, mode=READABLE)
    console.say(f"已签署：{output}", f"signed: {output}")
    console.result({"file": str(output), "key": signer.public_key.thumbprint})
    return ExitCode.DONE


@trust_list.command(
    "fingerprint",
    help=phrase(
        "显示根文件的指纹；首次采用前请通过其他渠道核对。",
        "Show a root's fingerprint; compare it through another channel before using it.",
    ),
)
@click.argument("root", type=_FILE)
@click.pass_context
def fingerprint(context: click.Context, root: Path) -> int:
    """The fingerprint, and whose keys decide."""
    console = console_of(context)
    found = TrustRoot.read(read_file(root, limit=MAX_BYTES))
    console.say(found.fingerprint, found.fingerprint)
    console.say(
        f"{found.name} 第 {found.version} 版：{len(found.keys)} 把密钥中须有 {found.threshold} 把签名",
        f"{found.name}, version {found.version}: {found.threshold} of {len(found.keys)} keys have to sign",
    )
    console.result({"fingerprint": found.fingerprint, "version": found.version, "threshold": found.threshold})
    return ExitCode.DONE


@trust_list.command(
    "show",
    help=phrase(
        "核验并显示信任列表：签名、期限、发证机关及其证照类型。",
        "Verify a trust list and show it: signatures, dates, issuers and their types.",
    ),
)
@click.argument("file", type=_FILE)
@click.option(
    "--root", required=True, type=_FILE, help=phrase("已核对指纹的根文件", "the root, compared before")
)
@click.option(
    "--next-root", "roots", multiple=True, type=_FILE, help=phrase("其后各版根文件", "the roots after it")
)
@click.pass_context
def show(context: click.Context, file: Path, root: Path, roots: tuple[Path, ...]) -> int:
    """A table of issuers; an error tells why a list is refused."""
    console, now = console_of(context), SystemClock().now()
    envelopes = [read_file(path, limit=MAX_BYTES) for path in roots]
    newest = TrustRoot.read(read_file(root, limit=MAX_BYTES)).followed_by(envelopes, now=now)
    listed = TrustList.read(read_file(file, limit=MAX_BYTES), newest, now=now)
    console.say(
        f"{listed.name} 第 {listed.version} 版，有效至 {listed.next_update:%Y-%m-%d %H:%M}",
        f"{listed.name}, version {listed.version}, until {listed.next_update:%Y-%m-%d %H:%M} UTC",
    )
    rows = _rows(listed, console, now)
    console.table(
        [("发证机关", "issuer"), ("信用代码", "credit code"), ("证照类型", "type"), ("状态", "status")], rows
    )
    console.result({**listed.to_content(), "freshness": str(Freshness.FRESH), "sha256": listed.digest})
    return ExitCode.DONE


@trust_list.command(
    "diff",
    help=phrase(
        "比较两版信任列表（已签署的文件或 TOML 草稿）的内容；不核验签名。",
        "Compare what two lists say, signed ones or drafts in TOML; signatures are not looked at.",
    ),
)
@click.argument("before", type=_FILE)
@click.argument("after", type=_FILE)
@click.pass_context
def diff(context: click.Context, before: Path, after: Path) -> int:
    """Each change in a line; exit 1 when there is one."""
    console, now = console_of(context), SystemClock().now()
    found = list(changes(*(draft_or_list(file, now=now) for file in (before, after))))
    for sign, says in found:
        console.say(f"{sign} {says.zh}", f"{sign} {says.en}")
    console.result({"changes": [{"sign": sign, **says.to_dict()} for sign, says in found]})
    return ExitCode.FAILED if found else ExitCode.DONE


def _rows(listed: TrustList, console: Console, now: datetime) -> list[tuple[Any, ...]]:
    granted, other = console.text("可签发", "may issue"), console.text("不可签发", "may not issue")
    return [
        (
            issuer.name.in_language(console.language),
            issuer.credit_code,
            vct,
            granted if vct in issuer.may_issue(now) else other,
        )
        for issuer in listed.listed
        for vct in sorted({row.vct for row in issuer.types})
    ]
