"""`yinxin seal FILE`: seal any PDF, or any file beside it; the input is never changed.

`yinxin seal VERB …` is the register of seals.
"""

from __future__ import annotations

import hashlib
import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from signing.signer import open_signer
from signing.timestamp import HttpTimestamper
from signing.timestamp_pool import any_of
from yinxin.app.commands.options import (
    actor_option,
    clerk_of,
    home_option,
    passphrase_option,
    read_passphrase,
)
from yinxin.app.commands.seal_options import (
    face_option,
    invisible_option,
    page_option,
    place_option,
    private_option,
    signer_option,
    tsa_option,
)
from yinxin.app.console import ExitCode, console_of
from yinxin.app.phrases import phrase
from yinxin.base.clock import SystemClock, pause
from yinxin.base.errors import NotFound, UsageError
from yinxin.base.files import read_file, write_new_file
from yinxin.base.outbound import Outbound

if TYPE_CHECKING:
    from signing.pdf import SealFace
    from signing.signer import Signer
    from signing.timestamp import Timestamper
    from yinxin.app.home import Home
    from yinxin.app.seal_batches.leave import Leave

_HELP = phrase(
    "为一个 PDF 加盖电子印章，写入新文件；加 --beside 则为任意文件签名，签名写入旁边的 .p7s 文件。\n\n默认使用安装目录中机关的印章；也可用 --key 指定密钥，如 file:seal.pem?chain=seal-chain.pem。",
    "Seal a PDF into a new file; with --beside any file, by a signature (.p7s) that lies beside it.\n\nThe "
    "installation's agency seal is used, or the key that --key names, such as "
    "file:seal.pem?chain=seal-chain.pem.",
)


LARGE_BYTES = 32 << 20  # of a file for which memory is left free: its face is drawn elsewhere
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
@signer_option
@face_option
@invisible_option
@page_option
@place_option
@click.option("--reason", help=phrase("盖章事由", "why it is sealed"))
@tsa_option
@private_option
@actor_option("clerk")
@home_option(required=False)
@passphrase_option
@click.pass_context
def seal_pdf(
    context: click.Context,
    file: Path,
    output: Path | None,
    key: str | None,
    face: Path | None,
    *,
    beside: bool,
    invisible: bool,
    page: int,
    at: tuple[float, float] | None,
    reason: str | None,
    tsas: tuple[str, ...],
    allow_private: tuple[str, ...],
    actor: str,
    home: str | None,
    passphrase_file: str | None,
) -> int:
    """Write the sealed copy and say where it is."""
    console = console_of(context)
    if not key and not home:
        raise UsageError(
            phrase(
                "请用 --home 或 --key 指明印章；可先运行 yinxin ca init",
                "name a seal by --home or --key; `yinxin ca init` makes one",
            )
        )
    passphrase = read_passphrase(passphrase_file, required=not home)
    place = _home(home, passphrase) if home else None
    signer = place.signer("seal") if place and not key else open_signer(key or "", secret=passphrase)
    outbound = place.outbound if place and not allow_private else Outbound(allowed_private=allow_private)
    asked_in_order = {tsa: HttpTimestamper(tsa, outbound) for tsa in tsas}
    timestamper = any_of(asked_in_order, clock=SystemClock(), wait=pause) if tsas else None
    leave = _leave(place, signer, actor)
    if beside:
        if face or at or reason or page != -1:
            raise UsageError(
                phrase(
                    "旁签不显示印模，也不写事由", "a signature beside a file shows no face and says no reason"
                )
            )
        target = output or file.with_name(f"{file.name}.p7s")
        _beside(file, target, signer, timestamper, leave)
    else:
        asked = {"page": page, "at": at, "reason": reason}
        target = output or file.with_name(f"{file.stem}.sealed.pdf")
        shown = None if invisible else _face(place, face, file)
        _inside(file, target, (signer, shown, timestamper), leave, asked)
    console.say(f"已盖章：{target}", f"sealed: {target}")
    size = target.stat().st_size
    console.result({"sealed": str(target), "signer": signer.certificate.common_name, "bytes": size})
    return ExitCode.DONE


def _home(folder: str, passphrase: str | None) -> Home:
    from yinxin.app.home import Home  # noqa: PLC0415 - it brings the database

    return Home.open(folder, passphrase=passphrase)


def _face(place: Home | None, file: Path | None, sealed: Path) -> SealFace | None:
    from signing.pdf import SealFace  # noqa: PLC0415 - it brings pyHanko

    if file:
        return SealFace(read_file(file), 42, 42)
    if place is None:
        return None
    if sealed.is_file() and sealed.stat().st_size > LARGE_BYTES:
        from yinxin.app.seal_batches.faces import draw_apart  # noqa: PLC0415 - it brings processes

        return draw_apart(place.settings.agency_name, place.settings.agency_code[8:17])
    from yinxin.app import wiring  # noqa: PLC0415 - it brings every room

    return wiring.seal(place).face


def _leave(place: Home | None, signer: Signer, actor: str) -> Leave | None:
    """What the register of the home says about this key; there is none for a key without a home."""
    if place is None:
        return None
    from yinxin.app.seal_batches.leave import Leave  # noqa: PLC0415 - it brings the register

    return Leave.of(place, signer, clerk_of(place, actor))


def _inside(
    file: Path,
    target: Path,
    tools: tuple[Signer, SealFace | None, Timestamper | None],
    leave: Leave | None,
    asked: dict[str, Any],
) -> None:
    """Seal a PDF. Leave comes before it; its use is written down before the new file has its name."""
    from signing.pdf import Seal  # noqa: PLC0415 - it brings pyHanko
    from signing.pdf.files import sealing_file  # noqa: PLC0415 - see above

    signer, shown, timestamper = tools
    permit = leave.ask(1) if leave else None
    seal = Seal(signer, face=shown, timestamper=timestamper)
    with sealing_file(seal, file, target, now=SystemClock().now(), **asked) as sealed:
        if leave:
            leave.write_down(permit, [hashlib.file_digest(sealed, "sha256").hexdigest()])


def _beside(
    file: Path, target: Path, signer: Signer, timestamper: Timestamper | None, leave: Leave | None
) -> None:
    """Sign a file, which is read in pieces."""
    from signing import detached  # noqa: PLC0415 - most seals lie in their files

    permit = leave.ask(1) if leave else None
    try:
        with file.open("rb") as content:
            made = detached.sign(content, signer, now=SystemClock().now(), timestamper=timestamper)
            content.seek(0)
            digest = hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as exc:
        raise NotFound(f"{file}: {exc.strerror}") from exc
    if leave:
        leave.write_down(permit, [digest])
    write_new_file(target, made)
