"""`yinxin seal register | requests | approve | refuse | make | file | begin | stop | resume | cancel | remake | list`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from credentials.office.seals import RemakeReason, RequestKind, SealKind
from credentials.office.seals.requests import REQUEST_NAMES
from credentials.office.seals.values import KIND_NAMES, REASON_NAMES, STATE_NAMES
from signing.certificates import load_certificates
from yinxin.app import sealing
from yinxin.app.ceremony import SEAL
from yinxin.app.commands.options import actor_option, home_option, passphrase_option, read_passphrase
from yinxin.app.commands.people import member_of, person_of, person_options
from yinxin.app.console import ExitCode, console_of
from yinxin.app.home import Home
from yinxin.app.office.entrance import office_proofs
from yinxin.app.phrases import phrase
from yinxin.app.renewal import renew
from yinxin.base.files import read_file

if TYPE_CHECKING:
    from credentials.office.seals import Request, Seal, Seals
    from signing.certificates import Certificate
    from yinxin.app.commands.people import Person

SEAL_ARGUMENT = click.argument("seal")
REQUEST_ARGUMENT = click.argument("request")
GROUND = click.option("--ground", required=True, help=phrase("依据", "the ground, in words"))
DOCUMENT = click.option("--document", required=True, help=phrase("文书编号", "number of the document"))


def opened(given: dict[str, Any]) -> tuple[Home, Person]:
    """The home and the person that `person_options` and `passphrase_option` name."""
    home = Home.open(given["home"], passphrase=read_passphrase(given["passphrase_file"], required=False))
    person = person_of(
        home, given["actor"], key=given["key"], key_passphrase_file=given["key_passphrase_file"]
    )
    return home, person


def register_of(home: Home) -> Seals:
    """The register of a home."""
    return sealing.register(home, office_proofs(home))


def _tell(context: click.Context, seal: Seal) -> int:
    console = console_of(context)
    state = STATE_NAMES[seal.state]
    console.say(f"{seal.name}（{seal.id}）：{state.zh}", f"{seal.name} ({seal.id}): {state.en}")
    console.result(seal.to_dict())
    return ExitCode.DONE


def tell_request(context: click.Context, request: Request) -> int:
    """What was asked for, and what a second person agrees to."""
    console, name = console_of(context), REQUEST_NAMES[request.kind]
    console.say(
        f"{name.zh}，须由另一人批准：{request.id}", f"{name.en}; another person agrees to it: {request.id}"
    )
    console.result(request.to_dict())
    return ExitCode.DONE


@click.command(
    "register",
    help=phrase(
        "申请制作一枚印章并登记（须由另一人批准）。", "Apply for a seal; another person agrees to it."
    ),
)
@click.argument("name")
@click.option(
    "--owner",
    help=phrase("所有者统一社会信用代码，默认本机关", "its owner's credit code; the agency's by default"),
)
@click.option(
    "--owner-name", help=phrase("所有者名称，默认本机关", "its owner's name; the agency's by default")
)
@click.option(
    "--kind",
    type=click.Choice([str(one) for one in SealKind]),
    default=str(SealKind.NAME),
    show_default=True,
    help=phrase("印章种类", "what it stands for"),
)
@click.option(
    "--with-key",
    default=SEAL,
    show_default=True,
    help=phrase("使用的密钥名称或 URI（不是密钥本身）", "the name or URI of its key, never the key"),
)
@passphrase_option
@person_options("keeper")
def register(
    context: click.Context,
    name: str,
    owner: str | None,
    owner_name: str | None,
    kind: str,
    with_key: str,
    **given: Any,
) -> int:
    """The first step of its life."""
    home, person = opened(given)
    seal = register_of(home).apply(
        name=name,
        owner=owner or home.settings.agency_code,
        owner_name=owner_name or home.settings.agency_name,
        key=with_key,
        kind=SealKind(kind),
        actor=person.actor,
    )
    return _tell(context, seal)


@click.command("requests", help=phrase("列出待另一人批准的事项。", "List what waits for a second person."))
@actor_option("approver")
@home_option()
@click.pass_context
def requests(context: click.Context, actor: str, home: str) -> int:
    """The oldest first."""
    console, place = console_of(context), Home.open(home)
    found = register_of(place).open_requests(actor=member_of(place, actor))
    rows = [
        (one.id, REQUEST_NAMES[one.kind].in_language(console.language), one.seal or "–", one.asked_by)
        for one in found
    ]
    console.table([("事项", "request"), ("内容", "what"), ("印章", "seal"), ("申请人", "asked by")], rows)
    console.result([one.to_dict() for one in found])
    return ExitCode.DONE


@click.command(
    "approve",
    help=phrase(
        "以本人密钥批准一个事项（申请、授权、恢复、注销、失密处置方案）。",
        "Agree to a request with your own key: an application, a grant, a return, a cancellation, a plan.",
    ),
)
@REQUEST_ARGUMENT
@passphrase_option
@person_options("approver")
def approve(context: click.Context, request: str, **given: Any) -> int:
    """What it asks is done at once; a lost key's certificate is revoked."""
    home, person = opened(given)
    seals = register_of(home)
    found = seals.request(request, actor=person.actor)
    proof = person.agree(found.digest)
    if found.kind is RequestKind.COMPROMISE:
        drill = sealing.lost_keys(home, office_proofs(home)).agree(request, proof=proof, actor=person.actor)
        sealing.revoke_lost(home, drill, actor=person.actor)
    else:
        seals.agree(request, proof=proof, actor=person.actor)
    console_of(context).say(f"已批准 {request}", f"agreed to {request}")
    console_of(context).result(seals.request(request, actor=person.actor).to_dict())
    return ExitCode.DONE


@click.command("refuse", help=phrase("不予批准。", "Refuse a request."))
@REQUEST_ARGUMENT
@passphrase_option
@person_options("approver")
def refuse(context: click.Context, request: str, **given: Any) -> int:
    """An application's seal is cancelled then."""
    home, person = opened(given)
    register_of(home).refuse(request, actor=person.actor)
    console_of(context).say(f"未予批准 {request}", f"refused {request}")
    console_of(context).result({"request": request, "agreed": False})
    return ExitCode.DONE


@click.command(
    "make",
    help=phrase(
        "登记制成的印章：给出证书；或用 --people 由本机构签发新密钥和证书（服务须重启）。",
        "Enter what was made: its certificate, or with --people a new key and certificate of this home (services restart).",
    ),
)
@SEAL_ARGUMENT
@click.option(
    "--certificate",
    type=click.Path(dir_okay=False, path_type=Path),
    help=phrase("证书文件", "file of its certificate"),
)
@click.option(
    "--people",
    nargs=3,
    help=phrase("新密钥的申请、核验、审批三人", "who applies, proofs and approves the new key"),
)
@passphrase_option
@person_options("keeper")
def make(
    context: click.Context,
    seal: str,
    certificate: Path | None,
    people: tuple[str, str, str] | None,
    **given: Any,
) -> int:
    """Without either, the certificate that the home's seal key has."""
    home, person = opened(given)
    seals = register_of(home)
    seals.seal(seal, actor=person.actor).require("make")  # before a key is made for nothing
    found: Certificate = (
        load_certificates(read_file(certificate))[0]
        if certificate
        else renew(home, SEAL, people=people)
        if people
        else home.chain(SEAL)[0]
    )
    return _tell(context, seals.make(seal, certificate=found, actor=person.actor))


@click.command("file", help=phrase("登记备案编号。", "Enter the number under which it was filed (备案)."))
@SEAL_ARGUMENT
@click.option("--number", required=True, help=phrase("备案编号", "the filing number"))
@passphrase_option
@person_options("keeper")
def file(context: click.Context, seal: str, number: str, **given: Any) -> int:
    """Then it may be taken into use."""
    home, person = opened(given)
    return _tell(context, register_of(home).file(seal, number=number, actor=person.actor))


@click.command(
    "begin", help=phrase("启用；被替换的旧章同时注销。", "Take it into use; what it replaces is cancelled.")
)
@SEAL_ARGUMENT
@passphrase_option
@person_options("keeper")
def begin(context: click.Context, seal: str, **given: Any) -> int:
    """Grants are a step of their own."""
    home, person = opened(given)
    return _tell(context, register_of(home).begin(seal, actor=person.actor))


@click.command("stop", help=phrase("立即停用。", "Stop it at once."))
@SEAL_ARGUMENT
@GROUND
@DOCUMENT
@passphrase_option
@person_options("keeper")
def stop(context: click.Context, seal: str, ground: str, document: str, **given: Any) -> int:
    """One person is enough; the way back takes two."""
    home, person = opened(given)
    stopped = register_of(home).stop(seal, ground=ground, document_number=document, actor=person.actor)
    return _tell(context, stopped)


@click.command("resume", help=phrase("申请恢复使用（须另一人批准）。", "Ask for its return into use."))
@SEAL_ARGUMENT
@GROUND
@DOCUMENT
@passphrase_option
@person_options("keeper")
def resume(context: click.Context, seal: str, ground: str, document: str, **given: Any) -> int:
    """Another person agrees."""
    home, person = opened(given)
    asked = register_of(home).ask_to_resume(seal, ground=ground, document_number=document, actor=person.actor)
    return tell_request(context, asked)


@click.command(
    "cancel", help=phrase("申请注销（须另一人批准，不可恢复）。", "Ask for its cancellation, for good.")
)
@SEAL_ARGUMENT
@GROUND
@DOCUMENT
@passphrase_option
@person_options("keeper")
def cancel(context: click.Context, seal: str, ground: str, document: str, **given: Any) -> int:
    """Another person agrees."""
    home, person = opened(given)
    asked = register_of(home).ask_to_cancel(seal, ground=ground, document_number=document, actor=person.actor)
    return tell_request(context, asked)


@click.command(
    "remake", help=phrase("申请重新制作：到期、损坏、丢失、泄露。", "Apply for a seal in its place.")
)
@SEAL_ARGUMENT
@click.option(
    "--reason",
    required=True,
    type=click.Choice([str(one) for one in RemakeReason]),
    help=phrase("原因", "why"),
)
@click.option(
    "--with-key",
    default=SEAL,
    show_default=True,
    help=phrase("新章使用的密钥名称或 URI", "the name or URI of the new key"),
)
@passphrase_option
@person_options("keeper")
def remake(context: click.Context, seal: str, reason: str, with_key: str, **given: Any) -> int:
    """Old and new name each other."""
    home, person = opened(given)
    why = RemakeReason(reason)
    return _tell(context, register_of(home).remake(seal, reason=why, key=with_key, actor=person.actor))


@click.command("list", help=phrase("列出登记的印章。", "List the register."))
@actor_option("keeper")
@home_option()
@click.pass_context
def list_seals(context: click.Context, actor: str, home: str) -> int:
    """The last changed first."""
    console, place = console_of(context), Home.open(home)
    found = register_of(place).all(actor=member_of(place, actor))
    rows = [
        (
            one.id,
            one.name,
            KIND_NAMES[one.kind].in_language(console.language),
            STATE_NAMES[one.state].in_language(console.language),
            f"{one.not_after:%Y-%m-%d}" if one.not_after else "–",
            REASON_NAMES[one.remade_for].in_language(console.language) if one.remade_for else "–",
        )
        for one in found
    ]
    columns = [
        ("编号", "id"), ("名称", "name"), ("种类", "kind"), ("状态", "state"), ("证书到期", "until"), ("重制原因", "remade for"),
    ]  # fmt: skip
    console.table(columns, rows)
    console.result([one.to_dict() for one in found])
    return ExitCode.DONE


COMMANDS = (
    register, requests, approve, refuse, make, file, begin, stop, resume, cancel, remake, list_seals,
)  # fmt: skip
