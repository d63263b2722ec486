"""The command line: `yinxin demo | serve | ca | licence | seal | wallet | verify | trust | audit | doctor`.

A command's module is imported when it is asked for, so that `yinxin --help` answers at once. Whatever
goes wrong leaves as one clear message and an exit status; a traceback needs `--debug`.
"""

from __future__ import annotations

import importlib
import io
import sys
from typing import TYPE_CHECKING

import click

import yinxin
from yinxin.app.console import Console, ExitCode, readable
from yinxin.app.phrases import LANGUAGE_OPTION, chosen_language, phrase, wished_language
from yinxin.base.errors import (
    InvalidClaims,
    IssuanceRefused,
    NotPermitted,
    UsageError,
    VerificationFailed,
    YinxinError,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from credentials.office.disputes.slips import Slip

# command, which is also its module in yinxin.app.commands → help in Chinese and English
COMMANDS: dict[str, tuple[str, str]] = {
    "demo": (
        "走一遍全过程：签发、盖章、持有、核验、吊销",
        "run the whole story: issue, seal, hold, verify, revoke",
    ),
    "serve": ("启动服务（证书服务、核验服务）", "serve the certificate and verification services"),
    "ca": ("证书机构：建立、申请、审批、吊销", "the certificate authority: set up, apply, approve, revoke"),
    "licence": ("电子证照：目录、签发、状态变更", "licences: catalogue, issue, change status"),
    "type": (
        "证照类型：新版本、预览、两人批准、废止",
        "licence types: versions, previews, approval, abolition",
    ),
    "correction": (
        "数据更正：申请转至来源机关",
        "corrections: to the one source of a datum",
    ),
    "form": ("事项表单：自动填写、撤回同意", "forms that fill themselves; consents"),
    "subject": (
        "持证主体变更：方案、批准、联动执行",
        "events of people and companies: plan, approve, run",
    ),
    "case": ("办件：起草、审核、批准、制证", "cases of the office: draft, review, approve, seal"),
    "bundle": ("批量办件：一份申请表，整批办理", "bundles of cases: one file, one agreement"),
    "legacy": ("存量证照：核对、录入、补盖章、每日续录", "older registers: check, take over, seal, follow"),
    "department": (
        "用证部门：登记、审批、停用",
        "departments that verify: propose, approve, suspend",
    ),
    "notice": (
        "变更通知：曾采信的证照后来如何",
        "notices: what became of licences that were accepted",
    ),
    "seal": ("为任意 PDF 加盖电子印章（不改动原文件）", "seal any PDF (the input is never changed)"),
    "wallet": ("证照钱包：领取、出示、使用记录", "a wallet: receive and show licences, with a log"),
    "delegation": (
        "授权委托：任命经办人、接受、收回、使用记录",
        "delegations: appoint agents, accept, recall, uses",
    ),
    "guardian": (
        "监护登记：登记、批准、终止",
        "guardians: register, approve, end",
    ),
    "verify": ("核验 PDF、凭证或回执", "verify PDFs, credentials and receipts"),
    "gather": (
        "收集吊销列表、OCSP 应答和上级证书（核验本身不联网）",
        "fetch lists, OCSP answers and issuers (verification itself fetches nothing)",
    ),
    "policy": ("验证策略：查看、检查、比较", "validation policies: show, check, compare"),
    "trust": ("信任锚：添加、查看、比较、解释", "trust anchors: add, show, compare, explain"),
    "staff": ("工作人员：添加、角色、注册码、停用", "staff: add, roles, enrolment codes, close"),
    "person": (
        "个人信息：查询、删除、保存期限、加密密钥",
        "personal data: what is held, erasure, retention, keys",
    ),
    "inspect": (
        "电子监察：说明事由后查询，记录可离线证明",
        "supervision: look up for a reason, findings, counts",
    ),
    "dispute": ("告知单与证照异议：提出、答复、更正", "slips and disputes: open, answer, correct"),
    "audit": ("审计日志：查看、证明、检查", "the audit log: read, prove, check"),
    "backup": ("备份整个安装，服务无需停止", "back the installation up while it works"),
    "restore": ("从备份恢复并隔离；由另一人解除", "restore a backup, in quarantine; release it"),
    "doctor": ("检查安装、数据库和密钥", "examine the installation, the database and the keys"),
}


class Commands(click.Group):
    """Loads a command when it is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, in the order of a first day's work."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, from its own module."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"yinxin.app.commands.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in the help, without importing any command."""
        del ctx
        with formatter.section(phrase("命令", "Commands")):
            formatter.write_dl([(name, phrase(*says)) for name, says in COMMANDS.items()])


@click.group(
    cls=Commands,
    help=phrase(
        "印信：签发、盖章、持有并核验电子证照。\n\n先运行 yinxin demo 看全过程。",
        "yinxin: issue, seal, hold and verify electronic licences.\n\nStart with `yinxin demo`.",
    ),
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    LANGUAGE_OPTION,
    "language",
    type=click.Choice(["zh", "en"]),
    help=phrase("界面语言", "language of all text"),
)
@click.option("--json", "as_json", is_flag=True, help=phrase("以 JSON 输出结果", "print results as JSON"))
@click.option("--debug", is_flag=True, help=phrase("出错时显示调用栈", "show tracebacks"))
@click.version_option(
    yinxin.__version__,
    "--version",
    message="yinxin %(version)s",
    help=phrase("显示版本", "print the version"),
)
@click.pass_context
def cli(context: click.Context, language: str | None, *, as_json: bool, debug: bool) -> None:
    """Remember how to speak."""
    context.obj = Console(language=chosen_language(language), as_json=as_json)
    context.meta["debug"] = debug


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and leave with its exit status."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:  # noqa: PLR0911 - each way to end has its status
    """Run a command; the exit status as `ExitCode` defines it. Nothing but that comes out."""
    console = Console(language=chosen_language(wished_language(arguments)), as_json="--json" in arguments)
    if any("\0" in argument for argument in arguments):
        console.error(UsageError("an argument holds a NUL character"))
        return ExitCode.USAGE
    # `--json` and `--lang` are understood wherever they stand: people write them last.
    ordered = [*_general(arguments), *_specific(arguments)]
    try:
        status = cli.main(ordered, prog_name="yinxin", standalone_mode=False)
    except click.exceptions.Abort:
        console.note("已取消", "cancelled")
        return ExitCode.ERROR
    except click.ClickException as error:
        if console.as_json:
            console.error(UsageError(error.format_message()))
            return ExitCode.USAGE
        said = io.StringIO()
        error.show(file=said)
        sys.stderr.write(readable(said.getvalue()))  # it quotes what was typed
        return ExitCode.USAGE
    except UsageError as error:
        console.error(error, slip=_slip(error, arguments))
        return ExitCode.USAGE
    except YinxinError as error:
        if "--debug" in arguments:
            raise
        console.error(error, slip=_slip(error, arguments))
        return ExitCode.ERROR
    except Exception as error:
        if "--debug" in arguments:
            raise
        # A fault of ours. What was worked on may be private, so only its kind is told.
        console.error(YinxinError(f"{type(error).__name__}; run it again with --debug and report it"))
        return ExitCode.ERROR
    return status if isinstance(status, int) else ExitCode.DONE


def _slip(error: YinxinError, arguments: Sequence[str]) -> Slip | None:
    """The slip for a refusal by the home that the command was for, where its keys are at hand."""
    if not isinstance(error, InvalidClaims | IssuanceRefused | NotPermitted | VerificationFailed):
        return None
    from yinxin.app import slips  # noqa: PLC0415 - it brings the services

    return slips.slip_of_command(error, arguments)


_GENERAL = {"--json", "--debug"}


def _general(arguments: Sequence[str]) -> list[str]:
    wish = wished_language(arguments)
    flags = [argument for argument in _before_terminator(arguments) if argument in _GENERAL]
    return [*flags, *([LANGUAGE_OPTION, wish] if wish else [])]


def _specific(arguments: Sequence[str]) -> list[str]:
    kept: list[str] = []
    options = _before_terminator(arguments)
    skip = False
    for argument in options:
        if skip:
            skip = False
        elif argument == LANGUAGE_OPTION:
            skip = True
        elif argument not in _GENERAL and not argument.startswith(f"{LANGUAGE_OPTION}="):
            kept.append(argument)
    return [*kept, *arguments[len(options) :]]


def _before_terminator(arguments: Sequence[str]) -> Sequence[str]:
    return arguments[: arguments.index("--")] if "--" in arguments else arguments
