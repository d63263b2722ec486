"""`yinxin seal certify | sign | joint | confirm | copy`: the profiles of signatures, each into a new file."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from credentials.face.copy_note import draw_copy_note
from signing.pdf import (
    Place,
    countersign,
    order_of_signing,
    prepare_joint,
    seal_as_agency,
    seal_copy,
    sign_as_citizen,
    sign_jointly,
    verify,
)
from signing.pdf.profiles.commitment import COMMITMENTS
from yinxin.app.commands.options import crl_option, policy_option, trust_option
from yinxin.app.commands.seal_options import page_option, place_option
from yinxin.app.commands.seal_tools import Tools, tool_options
from yinxin.app.console import ExitCode, console_of
from yinxin.app.examine import Examiner
from yinxin.app.phrases import phrase
from yinxin.base.clock import SystemClock
from yinxin.base.files import read_file, write_new_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Unpack

    from signing.pdf import VerifiedDocument
    from yinxin.app.commands.seal_tools import ToolWords

_WHERE = re.compile(r"(-?\d{1,5}):(\d{1,5}(?:\.\d{1,3})?):(\d{1,5}(?:\.\d{1,3})?)", re.ASCII)
_FILE = click.argument("file", type=click.Path(path_type=Path))
_OUTPUT = click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help=phrase("新文件（默认 原名.sealed.pdf）", "the new file (NAME.sealed.pdf by default)"),
)
_REASON = click.option("--reason", help=phrase("签署事由", "why it is signed"))
_ROLES = click.option(
    "--role",
    "roles",
    multiple=True,
    help=phrase("签署人自称的身份；可重复", "a role that the signer claims; may be given again"),
)


@click.command(
    "certify",
    help=phrase(
        "以机关名义为 PDF 盖章并认证全文；--straddle 加盖骑缝章，--final 禁止后续任何改动与签署。须为文件的第一个签名。",
        "Seal a PDF as an agency, which certifies it; --straddle puts a straddle seal across all pages, after "
        "--final nothing may follow. It has to be the first signature.",
    ),
)
@_FILE
@_OUTPUT
@click.option("--straddle", is_flag=True, help=phrase("加盖骑缝章", "a straddle seal across all pages"))
@click.option("--final", is_flag=True, help=phrase("盖章后不得再改动或签署", "nothing may follow"))
@page_option
@place_option
@_REASON
@tool_options
@click.pass_context
def certify(
    context: click.Context,
    file: Path,
    output: Path | None,
    *,
    straddle: bool,
    final: bool,
    page: int,
    at: tuple[float, float] | None,
    reason: str | None,
    **words: Unpack[ToolWords],
) -> int:
    """Write the sealed copy and say where it is."""
    data, tools = read_file(file), Tools.open(words)

    def make() -> bytes:
        return seal_as_agency(
            tools.seal, data, now=SystemClock().now(), straddles=straddle, is_final=final,
            page=page, at=at, reason=reason,
        )  # fmt: skip

    return _written(context, tools, output or _named(file), make)


@click.command(
    "sign",
    help=phrase(
        "以个人名义签署 PDF，写明承诺类型、身份与事由；--turn 在联合签署中轮到自己的签名域签署。",
        "Sign a PDF as a person, with a commitment, roles and a reason; --turn signs in one's own field of a joint "
        "signing.",
    ),
)
@_FILE
@_OUTPUT
@click.option(
    "--commitment",
    type=click.Choice([*COMMITMENTS]),
    default="approval",
    show_default=True,
    help=phrase("承诺类型", "what the signer commits to"),
)
@_ROLES
@click.option(
    "--turn", metavar="FIELD", help=phrase("联合签署中本人的签名域", "one's field of a joint signing")
)
@page_option
@place_option
@_REASON
@tool_options
@click.pass_context
def sign(
    context: click.Context,
    file: Path,
    output: Path | None,
    commitment: str,
    roles: tuple[str, ...],
    turn: str | None,
    page: int,
    at: tuple[float, float] | None,
    reason: str | None,
    **words: Unpack[ToolWords],
) -> int:
    """Write the signed copy and say where it is."""
    data, tools, now = read_file(file), Tools.open(words), SystemClock().now()

    def make() -> bytes:
        if turn is not None:
            return sign_jointly(tools.seal, data, field=turn, now=now, page=page, at=at, reason=reason)
        return sign_as_citizen(
            tools.seal, data, now=now, commitment=commitment, roles=roles, page=page, at=at, reason=reason
        )

    return _written(context, tools, output or _named(file), make)


@click.command(
    "joint",
    help=phrase(
        "为联合签署准备文件：按顺序列出各方签名域；各方依次用 yinxin seal sign --turn 签署。不带 --field 则显示进度。",
        "Prepare a document for joint signing: the signers' fields in their order; each then signs with `yinxin seal "
        "sign --turn`. Without --field it says whose turn it is.",
    ),
)
@_FILE
@_OUTPUT
@click.option(
    "--field",
    "fields",
    multiple=True,
    metavar="NAME[@PAGE:X:Y]",
    help=phrase(
        "一方的签名域名称，按签署顺序重复给出；可附页码（从 0 起）与左下角位置（点），否则不显示印模",
        "a signer's field, given again in the order of signing; with its page (from 0) and lower left corner in "
        "points, or else it shows no face",
    ),
)
@click.option(
    "--leave-open",
    multiple=True,
    metavar="FIELD",
    help=phrase("联合签署后仍可签署的签名域（如见证）", "a field that stays open afterwards (for a witness)"),
)
@click.pass_context
def joint(
    context: click.Context,
    file: Path,
    output: Path | None,
    fields: tuple[str, ...],
    leave_open: tuple[str, ...],
) -> int:
    """Write the document with its empty fields, or tell who signed already."""
    console, data = console_of(context), read_file(file)
    if fields:
        target = output or file.with_name(f"{file.stem}.joint.pdf")
        write_new_file(target, prepare_joint(data, [_place(one) for one in fields], left_open=leave_open))
        console.say(f"已备好联合签署文件：{target}", f"prepared for joint signing: {target}")
        console.result({"prepared": str(target), "order": [_place(one).name for one in fields]})
        return ExitCode.DONE
    order = order_of_signing(data)
    for name, is_signed in order:
        console.say(
            f"{'已签署' if is_signed else '待签署'}  {name}",
            f"{'signed ' if is_signed else 'waiting'}  {name}",
        )
    console.result([{"field": name, "signed": is_signed} for name, is_signed in order])
    return ExitCode.DONE


@click.command(
    "confirm",
    help=phrase(
        "对文件中已有的签名副签，或以见证人身份见证（--witness）；所指签名以其签名值的摘要锁定。",
        "Countersign signatures that are in a document, or witness them (--witness); they are named by the digests of "
        "their values.",
    ),
)
@_FILE
@_OUTPUT
@click.option(
    "--of",
    "fields",
    multiple=True,
    required=True,
    metavar="FIELD",
    help=phrase("所副签或见证的签名域；可重复", "the field of a signature to confirm; may be given again"),
)
@click.option("--witness", is_flag=True, help=phrase("以见证人身份", "as a witness"))
@click.option("--field", help=phrase("本签名的签名域", "the field of this signature"))
@_ROLES
@page_option
@place_option
@_REASON
@tool_options
@click.pass_context
def confirm(
    context: click.Context,
    file: Path,
    output: Path | None,
    fields: tuple[str, ...],
    field: str | None,
    roles: tuple[str, ...],
    page: int,
    at: tuple[float, float] | None,
    reason: str | None,
    *,
    witness: bool,
    **words: Unpack[ToolWords],
) -> int:
    """Write the confirmed copy and say where it is."""
    data, tools = read_file(file), Tools.open(words)

    def make() -> bytes:
        return countersign(
            tools.seal, data, of=fields, now=SystemClock().now(), as_witness=witness, roles=roles,
            field=field, page=page, at=at, reason=reason,
        )  # fmt: skip

    return _written(context, tools, output or _named(file), make)


@click.command(
    "copy",
    help=phrase(
        "为核验通过的原件制作加注件：每页加注制作单位、日期与用途，并加盖副本章；原件嵌入其中。",
        "Make an annotated copy of an original that passes: each page says by whom, when and for what, and the copy is "
        "sealed; the original lies inside.",
    ),
)
@_FILE
@_OUTPUT
@click.option("--maker", required=True, help=phrase("制作单位", "who makes the copy"))
@click.option("--purpose", required=True, help=phrase("用途", "what it is for"))
@click.option(
    "--named-only", is_flag=True, help=phrase("不嵌入原件，仅记其摘要", "name the original, do not embed it")
)
@page_option
@place_option
@trust_option
@crl_option
@policy_option
@tool_options
@click.pass_context
def copy(
    context: click.Context,
    file: Path,
    output: Path | None,
    maker: str,
    purpose: str,
    page: int,
    at: tuple[float, float] | None,
    trust: Path | None,
    crls: tuple[Path, ...],
    policy: Path | None,
    *,
    named_only: bool,
    **words: Unpack[ToolWords],
) -> int:
    """Write the sealed copy and say where it is; `VerificationFailed` for an original that does not pass."""
    data, tools, now = read_file(file), Tools.open(words), SystemClock().now()
    stands_on = Examiner.of(trust, crls, home=tools.place, clock=SystemClock(), policy=policy)
    document = _original(data, stands_on)
    note = draw_copy_note(maker, purpose, day=now.astimezone().date(), original=_digest(data))

    def make() -> bytes:
        return seal_copy(
            tools.seal, data, document, maker=maker, purpose=purpose, note=note, now=now,
            embeds=not named_only, page=page, at=at,
        )  # fmt: skip

    return _written(context, tools, output or file.with_name(f"{file.stem}.copy.pdf"), make)


def _place(words: str) -> Place:
    """A field's name, perhaps with a place behind it."""
    name, _, where = words.rpartition("@")
    found = _WHERE.fullmatch(where)
    if not name or found is None:
        return Place(words)
    page, x, y = found.groups()
    return Place(name, int(page), (float(x), float(y)))


def _original(data: bytes, stands_on: Examiner) -> VerifiedDocument:
    known = stands_on.snapshots
    return verify(
        data, known.trust, revocation=known.revocation, policy=known.policy, now=stands_on.clock.now()
    ).require()


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _named(file: Path) -> Path:
    return file.with_name(f"{file.stem}.sealed.pdf")


def _written(context: click.Context, tools: Tools, target: Path, make: Callable[[], bytes]) -> int:
    console = console_of(context)
    size = tools.write(target, make)
    console.say(f"已写入：{target}", f"written: {target}")
    found: dict[str, Any] = {"sealed": str(target), "signer": tools.signer.certificate.common_name}
    console.result({**found, "bytes": size})
    return ExitCode.DONE


COMMANDS = (certify, sign, joint, confirm, copy)
