"""`yinxin backup DIR`."""

from __future__ import annotations

from pathlib import Path

import click

from yinxin.app.commands.options import home_option, passphrase_option, read_passphrase
from yinxin.app.console import ExitCode, console_of
from yinxin.app.home import Home
from yinxin.app.phrases import phrase

WORDS = {
    "database": ("数据库", "database"),
    "files": ("文件", "files"),
    "check": ("校验", "checking"),
}


@click.command(
    help=phrase(
        "备份整个安装（数据库、密钥、设置、信任库、文档），服务无需停止。备份不含密钥口令，但含个人信息：请加密存放。",
        "Back the whole installation up (database, keys, settings, trust, documents) while services run. A backup "
        "holds no passphrase, but personal data: keep it on an encrypted disk.",
    )
)
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@home_option()
@passphrase_option
@click.pass_context
def command(context: click.Context, directory: Path, home: str, passphrase_file: str | None) -> int:
    """Take a backup into a new folder."""
    from yinxin.app.backup.taking import take  # noqa: PLC0415 - it brings every room

    console = console_of(context)
    place = Home.open(home, passphrase=read_passphrase(passphrase_file))
    with console.progress("备份中", "backing up") as bar:
        made = take(place, directory, progress=lambda _what, done, every: bar(done, every))
    console.say(
        f"已备份到 {directory}：{made.count} 个文件，{made.size_bytes} 字节",
        f"backed up to {directory}: {made.count} files, {made.size_bytes} bytes",
    )
    for path in made.left_out:
        console.say(f"未包含：{path}，请另行保存", f"not in it: {path}; keep it otherwise")
    result = {
        "directory": str(directory),
        "files": made.count,
        "bytes": made.size_bytes,
        "taken_at": made.taken_at.isoformat(),
        "log_key": made.log_key,
        "left_out": made.left_out,
    }
    console.result(result)
    return ExitCode.DONE
