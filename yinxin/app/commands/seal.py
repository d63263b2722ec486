"""`yinxin seal FILE`: seal any PDF, or any file beside it; the input is never changed.

`yinxin seal VERB …` is the register of seals.
"""

from __future__ import annotations

import hashlib
import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from yinxin.app.commands.seal_options import page_option, place_option
from yinxin.app.commands.seal_tools import Tools, tool_options
from yinxin.app.console import ExitCode, console_of
from yinxin.app.phrases import phrase
from yinxin.base.clock import SystemClock
from yinxin.base.errors import NotFound, UsageError
from yinxin.base.files import write_new_file

if TYPE_CHECKING:
    from typing import Unpack

    from yinxin.app.commands.seal_tools import ToolWords

_HELP = phrase(
    "为一个 PDF 加盖电子印章，写入新文件；加 --beside 则为任意文件签名，签名写入旁边的 .p7s 文件。\n\n默认使用安装目录中机关的印章；也可用 --key 指定密钥，如 file:seal.pem?chain=seal-chain.pem。",
    "Seal a PDF into a new file; with --beside any file, by a signature (.p7s) that lies beside it.\n\nThe "
    "installation's agency seal is used, or the key that --key names, such as "
    "file:seal.pem?chain=seal-chain.pem.",
)


_REGISTER = (
    "register", "requests", "approve", "refuse", "make", "file", "begin", "stop", "resume", "cancel", "remake",
    "list",
)  # fmt: skip
# verb → its module, which is imported when the verb is asked for: sealing one file needs no register
_VERBS: dict[str, str] = {
    **dict.fromkeys(_REGISTER, "seal_register"),
    **dict.fromkeys(("grant", "stop-grant", "show", "uses"), "seal_uses"),
    **dict.fromkeys(("compromise", "credential-key"), "seal_lost"),
    **dict.fromkeys(("batch", "state"), "seal_batch"),
    **dict.fromkeys(("certify", "sign", "joint", "confirm", "copy"), "seal_profiles"),
    "stamp": "seal_stamp",
    "expiring": "seal_expiring",
    **dict.fromkeys(("prepare", "complete"), "seal_two_steps"),
}


class _Seal(click.Group):
    """A group whose every first word that is no verb begins the sealing of a file."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """`yinxin seal letter.pdf` is `yinxin seal pdf letter.pdf`, and `--batch` the verb `batch`."""
        if "--batch" in args:
            args = ["batch", *(one for one in args if one != "--batch")]
        is_verb = bool(args) and (args[0] in self.list_commands(ctx) or args[0] in {"-h", "--help"})
        return super().parse_args(ctx, args if is_verb or not args else ["pdf", *args])

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All verbs."""
        return sorted({*super().list_commands(ctx), *_VERBS})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb's command, from its own module."""
        if cmd_name not in _VERBS:
            return super().get_command(ctx, cmd_name)
        module = importlib.import_module(f"yinxin.app.commands.{_VERBS[cmd_name]}")
        found: tuple[click.Command, ...] = module.COMMANDS
        return next(one for one in found if one.name == cmd_name)


@click.group(
    "seal",
    cls=_Seal,
    help=phrase(
        "电子印章：为 PDF 盖章；印章登记、用印授权与日志、密钥失密处置。\n\nyinxin seal 文件.pdf 即 yinxin seal pdf 文件.pdf。",
        "Seals: seal a PDF; the register, grants and log of uses; what to do about a lost key.\n\n"
        "`yinxin seal FILE.pdf` is `yinxin seal pdf FILE.pdf`.",
    ),
)
def command() -> None:
    """Group."""


@command.command("pdf", help=_HELP)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help=phrase(
        "新文件（默认 原名.sealed.pdf，加 --beside 时为 原文件名.p7s）",
        "the new file (NAME.sealed.pdf by default, with --beside FILE.p7s)",
    ),
)
@click.option(
    "--beside",
    is_flag=True,
    help=phrase(
        "为任意文件签名，签名另存（CAdES，.p7s）", "sign any file; the signature lies beside it (CAdES, .p7s)"
    ),
)
@page_option
@place_option
@click.option("--reason", help=phrase("盖章事由", "why it is sealed"))
@tool_options
@click.pass_context
def seal_pdf(
    context: click.Context,
    file: Path,
    output: Path | None,
    *,
    beside: bool,
    page: int,
    at: tuple[float, float] | None,
    reason: str | None,
    **words: Unpack[ToolWords],
) -> int:
    """Write the sealed copy and say where it is."""
    console, tools = console_of(context), Tools.open(words)
    if beside:
        if words["face"] or at or reason or page != -1:
            raise UsageError(
                phrase(
                    "旁签不显示印模，也不写事由", "a signature beside a file shows no face and says no reason"
                )
            )
        target = output or file.with_name(f"{file.name}.p7s")
        _beside(file, target, tools)
    else:
        target = output or file.with_name(f"{file.stem}.sealed.pdf")
        _inside(file, target, tools, {"page": page, "at": at, "reason": reason})
    console.say(f"已盖章：{target}", f"sealed: {target}")
    size = target.stat().st_size
    console.result({"sealed": str(target), "signer": tools.signer.certificate.common_name, "bytes": size})
    return ExitCode.DONE


def _inside(file: Path, target: Path, tools: Tools, asked: dict[str, Any]) -> None:
    """Seal a PDF. Leave comes before it; its use is written down before the new file has its name."""
    from signing.pdf.files import sealing_file  # noqa: PLC0415 - signatures beside files need no PDF

    permit = tools.ask()
    with sealing_file(tools.seal_for(file), file, target, now=SystemClock().now(), **asked) as sealed:
        tools.write_down(permit, hashlib.file_digest(sealed, "sha256").hexdigest())


def _beside(file: Path, target: Path, tools: Tools) -> None:
    """Sign a file, which is read in pieces."""
    from signing import detached  # noqa: PLC0415 - most seals lie in their files

    permit, now = tools.ask(), SystemClock().now()
    try:
        with file.open("rb") as content:
            made = detached.sign(content, tools.signer, now=now, timestamper=tools.timestamper)
            content.seek(0)
            digest = hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as exc:
        raise NotFound(f"{file}: {exc.strerror}") from exc
    tools.write_down(permit, digest)
    write_new_file(target, made)
