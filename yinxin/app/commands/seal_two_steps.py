"""`yinxin seal prepare` and `yinxin seal complete`: seal a PDF with a key that is elsewhere."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING

import click

from signing.certificates import load_certificates
from signing.timestamp import HttpTimestamper
from signing.timestamp_pool import any_of
from yinxin.app.commands.seal_options import (
    face_option,
    page_option,
    place_option,
    private_option,
    tsa_option,
)
from yinxin.app.console import ExitCode, console_of
from yinxin.app.phrases import phrase
from yinxin.base.clock import SystemClock
from yinxin.base.errors import UsageError
from yinxin.base.files import read_file, write_new_file
from yinxin.base.outbound import Outbound

if TYPE_CHECKING:
    from datetime import datetime

    from signing.certificates import Certificate
    from signing.pdf import Pending
    from signing.timestamp import Timestamper

_PREPARE = phrase(
    "为存放在别处的密钥准备一个待签 PDF（新文件 原名.pending），并给出待签的杂凑值。\n\n证书可以晚到：先不带 --certificate 准备，"
    "证书到后再对 .pending 文件执行一次并带上 --certificate。",
    "Prepare a PDF for a key that is elsewhere (into a new file, NAME.pending), and say which hash it has to "
    "sign.\n\nThe certificate may come late: prepare without --certificate, and once it is there do the same "
    "with the .pending file and --certificate.",
)
_COMPLETE = phrase(
    "把别处签好的签名值放入待签文件，写成已盖章的 PDF。待签文件被改动过的，一律拒绝。",
    "Put the signature that was made elsewhere into a prepared file: the sealed PDF. A prepared file that was "
    "changed is refused.",
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
    from signing.pdf import SealFace, dump_pending, is_pending, prepare  # noqa: PLC0415 - it brings pyHanko

    console, data = console_of(context), read_file(file)
    chain = load_certificates(read_file(certificate)) if certificate else ()
    if is_pending(data):
        pending, name = _with_chain(data, chain, algorithm), f"{file.stem}.known.pending"
    else:
        shown, name = SealFace(read_file(face), 42, 42) if face else None, f"{file.stem}.pending"
        pending = prepare(
            data, now=SystemClock().now(), chain=chain, algorithm=algorithm, digest_algorithm=digest,
            face=shown, page=page, at=at, reason=reason,
        )  # fmt: skip
    target = output or file.with_name(name)
    write_new_file(target, dump_pending(pending))
    answer = _to_sign(pending)
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
    "--cms",
    type=_path,
    help=phrase("对方制作的整个 CMS 签名（DER）", "a whole CMS signature of the other side (DER)"),
)
@tsa_option
@private_option
@click.pass_context
def complete_seal(
    context: click.Context,
    file: Path,
    output: Path | None,
    signature: Path | None,
    cms: Path | None,
    tsas: tuple[str, ...],
    allow_private: tuple[str, ...],
) -> int:
    """Write the sealed file and say where it is."""
    from signing.pdf import load_pending  # noqa: PLC0415 - it brings pyHanko

    console, pending = console_of(context), load_pending(read_file(file))
    outbound = Outbound(allowed_private=allow_private)
    asked_in_order = {tsa: HttpTimestamper(tsa, outbound) for tsa in tsas}
    timestamper = any_of(asked_in_order, clock=SystemClock()) if tsas else None
    sealed = _completed(pending, signature, cms, timestamper, SystemClock().now())
    target = output or file.with_name(f"{file.name.split('.')[0]}.sealed.pdf")
    write_new_file(target, sealed)
    console.say(f"已盖章：{target}", f"sealed: {target}")
    console.result({"sealed": str(target), "bytes": len(sealed)})
    return ExitCode.DONE


def _completed(
    pending: Pending, signature: Path | None, cms: Path | None, timestamper: Timestamper | None, now: datetime
) -> bytes:
    from signing.pdf import complete, complete_with_cms  # noqa: PLC0415 - it brings pyHanko

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
    from signing.pdf import load_pending  # noqa: PLC0415 - it brings pyHanko

    if not chain:
        raise UsageError(phrase("请用 --certificate 给出证书链", "give the chain by --certificate"))
    return load_pending(data).with_chain(chain, algorithm=algorithm)


def _to_sign(pending: Pending) -> dict[str, str]:
    """What the other side needs, by name: hashes in hex, longer things in base64."""
    about = {"digest_algorithm": pending.digest_algorithm, "document_hash": pending.digest.hex()}
    if pending.algorithm is None:
        return about
    about |= {"algorithm": pending.algorithm.name, "to_sign": b64encode(pending.to_sign).decode()}
    return about | ({"hash": pending.hash_to_sign.hex()} if pending.algorithm.digest else {})


COMMANDS = (prepare_seal, complete_seal)
