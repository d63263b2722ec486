"""`yinxin audit log | prove | check`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from yinxin.app.commands.options import home_option, passphrase_option, read_passphrase
from yinxin.app.console import ExitCode, console_of
from yinxin.app.home import Home
from yinxin.app.phrases import phrase
from yinxin.app.wiring import log_key, sequencer
from yinxin.base.audit import AuditLog, verify_offline
from yinxin.base.audit.bundle import Bundle
from yinxin.base.audit.checkpoint import parse_verifier_key
from yinxin.base.errors import MalformedInput, NotFound
from yinxin.base.files import read_file, write_new_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from yinxin.app.console import Console

MAX_PROOF_BYTES = 32 << 20


@click.group(
    "audit",
    help=phrase(
        "审计日志：谁在何时做了什么，可证明、不可篡改。", "The audit log: who did what and when, provably."
    ),
)
def command() -> None:
    """Group."""


@command.command("log", help=phrase("列出日志条目。", "List entries."))
@click.option(
    "--subject",
    help=phrase("只看此对象（证照标识、申请编号等）", "only this subject (a licence, an application …)"),
)
@click.option("--after", type=int, default=-1, help=phrase("从此序号之后", "behind this index"))
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help=phrase("条数", "how many")
)
@home_option()
@click.pass_context
def log(context: click.Context, subject: str | None, after: int, limit: int, home: str) -> int:
    """A table of entries."""
    console = console_of(context)
    entries = AuditLog(Home.open(home).database).entries(after=after, limit=limit, subject=subject)
    rows = []
    for entry in entries:
        content = entry.content() or {}
        rows.append(
            (
                entry.log_index,
                content.get("at", ""),
                _who(content.get("actor")),
                content.get("action", phrase("（已擦除）", "(erased)")),
                content.get("subject", ""),
                entry.entry_id,
            )
        )
    columns = [
        ("序号", "index"),
        ("时间", "at"),
        ("操作人", "actor"),
        ("动作", "action"),
        ("对象", "subject"),
        ("条目", "entry"),
    ]
    console.table(columns, rows)
    console.result([dict(zip((en for _, en in columns), row, strict=True)) for row in rows])
    return ExitCode.DONE


def _who(actor: Mapping[str, Any] | None) -> str:
    """An actor on one line: the agency where there is one, what kind of actor, and who."""
    return "/".join(str(actor[part]) for part in ("agency", "kind", "id") if actor.get(part)) if actor else ""


@command.command(
    "prove",
    help=phrase(
        "导出一条日志的离线证明（C2SP tlog-proof）。",
        "Write an offline proof of one entry (C2SP tlog-proof).",
    ),
)
@click.argument("entry")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help=phrase("写入文件（默认打印）", "write it to a file (printed by default)"),
)
@home_option()
@passphrase_option
@click.pass_context
def prove(
    context: click.Context, entry: str, output: Path | None, home: str, passphrase_file: str | None
) -> int:
    """The proof; entries still in the inbox are sequenced first where the key is at hand."""
    console = console_of(context)
    place = Home.open(home, passphrase=read_passphrase(passphrase_file, required=False))
    if place.has_passphrase:
        sequencer(place).run_once()
    proof = AuditLog(place.database).offline_proof(entry)
    if output:
        write_new_file(output, proof.encode())
        console.say(f"已写入 {output}", f"written: {output}")
    else:
        console.say(proof, proof)
    console.result({"entry": entry, "proof": proof})
    return ExitCode.DONE


@command.command(
    "checkpoint",
    help=phrase(
        "输出日志最新的已签名检查点；请保存在另一台机器上，以便发现日志被改写或回退。",
        "Print the log's newest signed checkpoint; kept on another machine it shows a log that was rewritten.",
    ),
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help=phrase("写入文件（默认打印）", "write it to a file (printed by default)"),
)
@home_option()
@click.pass_context
def checkpoint(context: click.Context, output: Path | None, home: str) -> int:
    """The newest note."""
    console = console_of(context)
    note = AuditLog(Home.open(home).database).checkpoint()
    if note is None:
        raise NotFound("the log is empty")
    if output:
        write_new_file(output, note.encode())
        console.say(f"已写入 {output}", f"written: {output}")
    else:
        console.say(note, note)
    console.result({"checkpoint": note})
    return ExitCode.DONE


@command.command(
    "check", help=phrase("检查整个日志，或离线检查一份证明。", "Check the whole log, or one proof offline.")
)
@click.argument("proof", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--key",
    help=phrase(
        "日志公钥（检查证明时必需，由 check 打印）",
        "the log's verifier key (needed for a proof; `check` prints it)",
    ),
)
@home_option(required=False)
@passphrase_option
@click.pass_context
def check(
    context: click.Context, proof: Path | None, key: str | None, home: str | None, passphrase_file: str | None
) -> int:
    """Exit 1 when anything does not fit."""
    console = console_of(context)
    if proof is not None:
        return _check_proof(context, proof, key)
    if not home:
        raise click.UsageError(
            phrase("请给出 --home，或一份证明和 --key", "give --home, or a proof and --key")
        )
    place = Home.open(home, passphrase=read_passphrase(passphrase_file, required=False))
    origin = place.settings.audit_origin
    public_key, text = log_key(place)
    problems = AuditLog(place.database).problems(origin=origin, public_key=public_key)
    size = AuditLog(place.database).size()
    for problem in problems:
        console.say(f"✗ {problem.zh}", f"✗ {problem.en}")
    if not problems:
        console.say(f"日志完整：{size} 条。公钥 {text}", f"the log is intact: {size} entries. Key {text}")
    console.result({"size": size, "key": text, "problems": [problem.to_dict() for problem in problems]})
    return ExitCode.FAILED if problems else ExitCode.DONE


def _check_proof(context: click.Context, file: Path, key: str | None) -> int:
    console = console_of(context)
    try:
        text = read_file(file, limit=MAX_PROOF_BYTES).decode("utf-8")
        if text.lstrip().startswith("{"):
            return _check_bundle(console, text, key)
        if not key:
            raise click.UsageError(phrase("检查证明需要 --key", "a proof is checked with --key"))
        origin, public_key = parse_verifier_key(key)
        proven = verify_offline(text, origin=origin, public_key=public_key)
    except (MalformedInput, UnicodeDecodeError) as error:
        console.say(f"✗ 证明无效：{error}", f"✗ the proof does not hold: {error}")
        console.result({"valid": False, "why": str(error)})
        return ExitCode.FAILED
    console.say(f"证明有效：第 {proven.log_index} 条", f"the proof holds: entry {proven.log_index}")
    console.result({"valid": True, "index": proven.log_index})
    return ExitCode.DONE


def _check_bundle(console: Console, text: str, key: str | None) -> int:
    """Every entry of a file of proofs, with no database and no network."""
    bundle = Bundle.parse(text)
    proven = bundle.verify(key)
    console.say(f"证明有效：{len(proven)} 条", f"the proofs hold: {len(proven)} entries")
    if not key:
        console.note(
            f"所用公钥出自文件本身，请与日志公布的公钥核对：{bundle.key}",
            f"checked with the key in the file itself: compare it with the one that the log's keeper publishes: {bundle.key}",
        )
    entries = [
        {"index": one.log_index, "entry": name, "content": json.loads(one.body) if one.body else None}
        for (name, _, _), one in zip(bundle.proofs, proven, strict=True)
    ]
    console.result({"valid": True, "key": bundle.key, "key_is_pinned": bool(key), "entries": entries})
    return ExitCode.DONE
