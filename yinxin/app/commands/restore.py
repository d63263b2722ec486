"""`yinxin restore DIR --into HOME`, `yinxin restore --in-place` and `yinxin restore --release`."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from yinxin.app.commands.options import passphrase_option, read_passphrase
from yinxin.app.console import Console, ExitCode, console_of
from yinxin.app.home import Home
from yinxin.app.phrases import phrase
from yinxin.base.actor import staff
from yinxin.base.clock import SystemClock
from yinxin.base.errors import MalformedInput
from yinxin.base.files import read_file

if TYPE_CHECKING:
    from yinxin.app.backup.quarantine import Quarantine

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(
    help=phrase(
        "从备份恢复到空目录，并进入隔离：未用的授权码与会话作废，状态位与编号跳号，吊销列表编号抬高，日志声明分叉。"
        "须由另一人执行 --release 后服务才能启动。",
        "Put a backup back into an empty home, in quarantine: open codes and sessions end, status indexes and "
        "numbers jump ahead, CRL numbers rise, the log says that it forks. Services start only after another "
        "person's --release.",
    )
)
@click.argument("directory", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--into",
    "home",
    required=True,
    envvar="YINXIN_HOME",
    type=click.Path(file_okay=False, path_type=Path),
    help=phrase("目标安装目录（不存在或为空）", "the home to restore into: absent or empty"),
)
@click.option(
    "--database-url",
    help=phrase(
        "恢复到此空数据库，替换设置中的地址", "an empty database in place of the one in the settings"
    ),
)
@click.option(
    "--checkpoint",
    type=_FILE,
    help=phrase("最后一次公布的日志检查点", "the log's checkpoint that was published last"),
)
@click.option(
    "--published",
    multiple=True,
    type=_FILE,
    help=phrase(
        "备份之后公布过的状态列表或吊销列表，可多次给出",
        "a status list or revocation list that was published after the backup; may be given again",
    ),
)
@click.option(
    "--skip-numbers",
    type=click.IntRange(0, 10_000_000),
    help=phrase("每个证照编号序列跳过的个数", "how many numbers of each series of licences to skip"),
)
@click.option(
    "--log-key",
    help=phrase("备份必须由此日志公钥签名", "the log's verifier key, which must have signed the backup"),
)
@click.option(
    "--in-place",
    is_flag=True,
    help=phrase(
        "目录与数据库已用其他方法恢复，只做隔离", "home and database are back by other means: only quarantine"
    ),
)
@click.option(
    "--release",
    "releases",
    is_flag=True,
    help=phrase("由另一人解除隔离", "end the quarantine, by another person"),
)
@click.option(
    "--actor",
    default=getpass.getuser,
    help=phrase("操作人，默认为系统用户", "who acts; the system's user by default"),
)
@passphrase_option
@click.pass_context
def command(
    context: click.Context,
    directory: Path | None,
    home: Path,
    database_url: str | None,
    checkpoint: Path | None,
    published: tuple[Path, ...],
    skip_numbers: int | None,
    log_key: str | None,
    in_place: bool,
    releases: bool,
    actor: str,
    passphrase_file: str | None,
) -> int:
    """Restore, quarantine, or release."""
    from yinxin.app.backup import restoring  # noqa: PLC0415 - it brings every room

    console, person = console_of(context), staff(actor, roles=("registrar",))
    if sum((directory is not None, in_place, releases)) != 1:
        raise click.UsageError(
            phrase(
                "请给出备份目录、--in-place 或 --release 之一",
                "give a backup's folder, or --in-place, or --release",
            )
        )
    if releases:
        restoring.release(
            Home.open(home, passphrase=read_passphrase(passphrase_file, required=False)), actor=person
        )
        console.say("已解除隔离，服务可以启动", "released: services may start")
        console.result({"released": True})
        return ExitCode.DONE
    passphrase = read_passphrase(passphrase_file)
    evidence = restoring.Evidence(_text(checkpoint) if checkpoint else None, published, skip_numbers)
    if directory is None:
        place = Home.open(home, passphrase=passphrase)
        return _tell(console, restoring.quarantine_home(place, actor=person, evidence=evidence), home)
    with console.progress("恢复中", "restoring") as bar:
        made = restoring.restore(
            directory,
            home,
            passphrase=passphrase or "",
            actor=person,
            clock=SystemClock(),
            evidence=evidence,
            database_url=database_url,
            log_key=log_key,
            progress=lambda _what, done, every: bar(done, every),
        )
    return _tell(console, made, home)


def _text(path: Path) -> str:
    try:
        return read_file(path, limit=1 << 20).decode("utf-8")
    except UnicodeDecodeError as exc:
        raise MalformedInput("checkpoint", "not text") from exc


def _tell(console: Console, made: Quarantine, home: Path) -> int:
    console.say(
        f"已恢复到 {home}，处于隔离状态（{made.id}）", f"restored into {home}, in quarantine ({made.id})"
    )
    console.say(
        f"作废授权码与会话 {made.burnt}，关闭状态列表 {made.closed_lists}，每个编号序列跳过 {made.serials_skipped}",
        f"codes and sessions ended: {made.burnt}; status lists closed: {made.closed_lists}; numbers skipped in each "
        f"series: {made.serials_skipped}",
    )
    taken = made.statuses_taken_back + made.revocations_taken_back
    console.say(f"从已公布的列表找回吊销 {taken} 项", f"revocations taken back from published lists: {taken}")
    console.say(
        f"待批准人确认后恢复使用：印章 {made.seals_held} 枚，用印授权 {made.grants_held} 项",
        f"held until an approver agrees: {made.seals_held} seals, {made.grants_held} grants of use",
    )
    if made.notice:
        console.say(
            "日志在此分叉，请公布以下已签名的声明：", "The log forks here. Publish this signed notice:"
        )
        console.say(made.notice, made.notice)
    else:
        console.say("日志与给出的检查点一致", "the log agrees with the checkpoint")
    console.say(
        "请核对后由另一人执行 yinxin restore --release",
        "Look at it; then another person runs yinxin restore --release",
    )
    console.result(
        {
            "quarantine": made.id,
            "burnt": made.burnt,
            "closed_lists": made.closed_lists,
            "crl_numbers": made.crl_numbers,
            "serials_skipped": made.serials_skipped,
            "statuses_taken_back": made.statuses_taken_back,
            "revocations_taken_back": made.revocations_taken_back,
            "lost_entries": made.lost_entries,
            "seals_held": made.seals_held,
            "grants_held": made.grants_held,
            "notice": made.notice,
        }
    )
    return ExitCode.DONE
