"""`yinxin seal prepare` and `yinxin seal complete`: seal a PDF with a key that is elsewhere."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from signing.certificates import load_certificates
from yinxin.app.commands.options import actor_option, home_option
from yinxin.app.commands.seal_options import (
    face_option,
    page_option,
    place_option,
    private_option,
    tsa_option,
)
from yinxin.app.commands.seal_tools import authorities, face_in, home_at, leave_of
from yinxin.app.console import ExitCode, console_of
from yinxin.app.phrases import phrase
from yinxin.app.seal_batches.elsewhere import (
    PENDING,
    complete_all,
    prepare_all,
    read_signatures,
    to_sign,
)
from yinxin.base.clock import SystemClock
from yinxin.base.errors import UsageError
from yinxin.base.files import read_file, write_new_file

if TYPE_CHECKING:
    from datetime import datetime

    from signing.certificates import Certificate
    from signing.pdf import Pending
    from signing.timestamp import Timestamper
    from yinxin.app.console import Console
    from yinxin.app.home import Home
    from yinxin.app.seal_batches.elsewhere import Step
    from yinxin.app.seal_batches.leave import Leave

_PREPARE = phrase(
    "为存放在别处的密钥准备一个待签 PDF（新文件 原名.pending），并给出待签的杂凑值；给出目录则准备其中全部 PDF，待签清单在 "
    "to-sign.json。\n\n证书可以晚到：先不带 --certificate 准备，证书到后再对 .pending 文件执行一次并带上 --certificate。",
    "Prepare a PDF for a key that is elsewhere (into a new file, NAME.pending), and say which hash it has to "
    "sign; of a folder every PDF, with a list of all in to-sign.json.\n\nThe certificate may come late: prepare "
    "without --certificate, and once it is there do the same with the .pending file and --certificate.",
)
_COMPLETE = phrase(
    "把别处签好的签名值放入待签文件，写成已盖章的 PDF；给出目录则用 --signatures 逐一完成。待签文件被改动过的，一律拒绝。"
    "\n\n加 --home 时，印章登记中有该证书的，先查授权并记入用印日志（注明密钥在别处）。",
    "Put the signature that was made elsewhere into a prepared file: the sealed PDF; of a folder into each, by "
    "--signatures. A prepared file that was changed is refused.\n\nWith --home a seal that the register knows by "
    "this certificate needs leave, and its use is logged, as one of a key elsewhere.",
)
_path = click.Path(dir_okay=False, path_type=Path)
_output = click.option("-o", "--output", type=_path, help=phrase("新文件", "the new file"))


@click.command("prepare", help=_PREPARE)
@click.argument("file", type=click.Path(path_type=Path))
@_output
@click.option(
    "--certificate",
    type=_path,
    help=phrase(
        "签名密钥的证书链（PEM，先写密钥自己的证书）", "chain of the key (PEM, its own certificate first)"
    ),
)
@click.option(
    "--algorithm", help=phrase("签名算法，如 ES256、RS256、PS256", "algorithm, such as ES256, RS256, PS256")
)
@click.option(
    "--hash",
    "digest",
    type=click.Choice(["sha256", "sha384", "sha512"]),
    default="sha256",
    show_default=True,
    help=phrase("证书晚到时使用的杂凑算法", "hash, where the certificate comes late"),
)
@face_option
@page_option
@place_option
@click.option("--reason", help=phrase("盖章事由", "why it is sealed"))
@click.pass_context
def prepare_seal(
    context: click.Context,
    file: Path,
    output: Path | None,
    certificate: Path | None,
    algorithm: str | None,
    digest: str,
    face: Path | None,
    page: int,
    at: tuple[float, float] | None,
    reason: str | None,
) -> int:
    """Write the prepared file, and say what is to be signed."""
    from signing.pdf import dump_pending, is_pending, prepare  # noqa: PLC0415 - it brings the writers

    console, shown = console_of(context), face_in(face)
    chain = load_certificates(read_file(certificate)) if certificate else ()

    def make(data: bytes) -> Pending:
        return prepare(
            data, now=SystemClock().now(), chain=chain, algorithm=algorithm, digest_algorithm=digest,
            face=shown, page=page, at=at, reason=reason,
        )  # fmt: skip

    if file.is_dir():
        target = output or file.with_name(f"{file.resolve().name}{PENDING}")
        return _tell_all(console, target, prepare_all(file, target, make))
    data = read_file(file)
    if is_pending(data):
        pending, name = _with_chain(data, chain, algorithm), f"{file.stem}.known.pending"
    else:
        pending, name = make(data), f"{file.stem}.pending"
    target = output or file.with_name(name)
    write_new_file(target, dump_pending(pending))
    answer = to_sign(pending)
    console.say(f"已准备：{target}", f"prepared: {target}")
    for name, value in answer.items():
        console.say(f"{name}: {value}", f"{name}: {value}")
    console.result({"pending": str(target), **answer})
    return ExitCode.DONE


@click.command("complete", help=_COMPLETE)
@click.argument("file", type=click.Path(path_type=Path))
@_output
@click.option(
    "--signature",
    type=_path,
    help=phrase(
        "签名值文件（DER，或 r 与 s 相连）", "file of the signature value (DER, or r and s side by side)"
    ),
)
@click.option(
    "--signatures",
    type=_path,
    help=phrase(
        "一个目录的全部签名值（JSON：文件名对应 base64 签名值）",
        "the signatures of a folder (JSON: a name, and its signature in base64)",
    ),
)
@click.option(
    "--cms",
    type=_path,
    help=phrase("对方制作的整个 CMS 签名（DER）", "a whole CMS signature of the other side (DER)"),
)
@tsa_option
@private_option
@actor_option("clerk")
@home_option(required=False)
@click.pass_context
def complete_seal(
    context: click.Context,
    /,
    file: Path,
    output: Path | None,
    **asked: Any,
) -> int:
    """Write the sealed file and say where it is."""
    from signing.pdf import load_pending  # noqa: PLC0415 - it brings the writers

    console, place = console_of(context), home_at(asked["home"]) if asked["home"] else None
    tsas = asked["tsas"]
    timestamper = authorities(place, tsas, asked["allow_private"]) if tsas else None
    if file.is_dir():
        return _complete_folder(console, file, output, place, timestamper, asked)
    pending = load_pending(read_file(file))
    leave = leave_of(place, pending.chain, asked["actor"], elsewhere=True)
    permit = leave.ask(1) if leave else None
    sealed = _completed(pending, asked["signature"], asked["cms"], timestamper, SystemClock().now())
    if leave:
        leave.write_down(permit, [hashlib.sha256(sealed).hexdigest()])
    target = output or file.with_name(f"{file.name.split('.')[0]}.sealed.pdf")
    write_new_file(target, sealed)
    console.say(f"已盖章：{target}", f"sealed: {target}")
    console.result({"sealed": str(target), "bytes": len(sealed)})
    return ExitCode.DONE


def _complete_folder(
    console: Console,
    folder: Path,
    output: Path | None,
    place: Home | None,
    timestamper: Timestamper | None,
    asked: dict[str, Any],
) -> int:
    if not asked["signatures"] or asked["signature"] or asked["cms"]:
        raise UsageError(
            phrase(
                "目录须用 --signatures 给出各文件的签名值", "a folder takes its signatures by --signatures"
            )
        )
    target = output or folder.with_name(f"{folder.resolve().name.removesuffix(PENDING)}.sealed")
    known: dict[tuple[Certificate, ...], Leave | None] = {}

    def leave(chain: tuple[Certificate, ...]) -> Leave | None:
        if chain not in known:
            known[chain] = leave_of(place, chain, asked["actor"], elsewhere=True)
        return known[chain]

    found = complete_all(folder, target, read_signatures(asked["signatures"]), timestamper, leave)
    return _tell_all(console, target, found)


def _tell_all(console: Console, target: Path, found: list[Step]) -> int:
    faults = [one for one in found if one.fault]
    console.say(
        f"{len(found) - len(faults)} 个文件在 {target}", f"{len(found) - len(faults)} files are in {target}"
    )
    if faults:
        columns = [("文件", "file"), ("说明", "says")]
        console.table(columns, [[one.file, one.fault] for one in faults])
    console.result({"folder": str(target), "files": [one.to_dict() for one in found]})
    return ExitCode.FAILED if faults else ExitCode.DONE


def _completed(
    pending: Pending, signature: Path | None, cms: Path | None, timestamper: Timestamper | None, now: datetime
) -> bytes:
    from signing.pdf import complete, complete_with_cms  # noqa: PLC0415 - it brings the writers

    if signature and not cms:
        return complete(pending, read_file(signature), timestamper=timestamper)
    if cms and not signature and timestamper is None:
        return complete_with_cms(pending, read_file(cms), now=now)
    raise UsageError(
        phrase(
            "请给出 --signature 或 --cms 之一；--tsa 只与 --signature 同用",
            "give one of --signature and --cms; --tsa goes with --signature",
        )
    )


def _with_chain(data: bytes, chain: tuple[Certificate, ...], algorithm: str | None) -> Pending:
    from signing.pdf import load_pending  # noqa: PLC0415 - it brings the writers

    if not chain:
        raise UsageError(phrase("请用 --certificate 给出证书链", "give the chain by --certificate"))
    return load_pending(data).with_chain(chain, algorithm=algorithm)


COMMANDS = (prepare_seal, complete_seal)
