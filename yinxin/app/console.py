"""What the command line says, and how: language, colour, tables, progress, JSON, exit codes.

Results go to standard output, progress and errors to standard error, so that `--json` can be piped.
"""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from rich.console import Console as RichConsole
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text as RichText

from signing.report import Indication
from yinxin.base.text import Language, Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import click

    from credentials.office.disputes.slips import Slip
    from signing.report import Report
    from yinxin.base.errors import YinxinError


class ExitCode(IntEnum):
    """What a command's exit status means; the same for every command."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    INDETERMINATE = 3
    ERROR = 4


EXIT_CODES = {
    ExitCode.DONE: Text("完成；核验通过", "done; every verification passed"),
    ExitCode.FAILED: Text(
        "至少一项核验未通过，或检查发现问题", "a verification failed, or a check found a fault"
    ),
    ExitCode.USAGE: Text("命令或参数有误", "the command or its options are not right"),
    ExitCode.INDETERMINATE: Text(
        "无法作出结论（例如找不到信任锚）", "no verdict (no trust anchor, for example)"
    ),
    ExitCode.ERROR: Text("操作未完成，原因见标准错误输出", "not done; standard error says why"),
}
_COLOURS = {Indication.PASSED: "green", Indication.FAILED: "red", Indication.INDETERMINATE: "yellow"}
_VERDICTS = {
    Indication.PASSED: Text("通过", "passed"),
    Indication.FAILED: Text("不通过", "failed"),
    Indication.INDETERMINATE: Text("无法确定", "indeterminate"),
}


class Console:
    """Speaks to the person, or to the program, that ran the command."""

    def __init__(self, *, language: Language, as_json: bool) -> None:
        """Keep the language and whether results are JSON."""
        self.language = language
        self.as_json = as_json
        self._out = RichConsole(file=sys.stdout, highlight=False, soft_wrap=True)
        self._err = RichConsole(file=sys.stderr, highlight=False, soft_wrap=True)

    def text(self, zh: str, en: str) -> str:
        """The message in the chosen language."""
        return zh if self.language == "zh" else en

    def say(self, zh: str, en: str) -> None:
        """One line for a person (silent with `--json`)."""
        if not self.as_json:
            self._out.print(RichText(readable(self.text(zh, en))))

    def note(self, zh: str, en: str) -> None:
        """One line about progress, on standard error."""
        self._err.print(RichText(readable(self.text(zh, en)), style="dim"))

    def table(
        self, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[object]], *, title: str = ""
    ) -> None:
        """A table for a person; columns are (zh, en) pairs. Silent with `--json`."""
        if self.as_json:
            return
        table = Table(
            title=RichText(readable(title)) if title else None,
            title_justify="left",
            header_style="bold",
            show_edge=False,
        )
        for zh, en in columns:
            table.add_column(self.text(zh, en), overflow="fold")
        for row in rows:
            table.add_row(
                *(cell if isinstance(cell, RichText) else RichText(readable(str(cell))) for cell in row)
            )
        self._out.print(table)

    def result(self, value: object) -> None:
        """The result for a program: one JSON document, only with `--json`."""
        if self.as_json:
            sys.stdout.write(_json(value, indent=2) + "\n")

    def verdict(self, indication: Indication) -> RichText:
        """A verdict as a coloured word."""
        return RichText(
            _VERDICTS[indication].in_language(self.language), style=f"bold {_COLOURS[indication]}"
        )

    def report(self, name: str, report: Report[Any]) -> None:
        """One verification for a person: the verdict, then each reason and what to do."""
        if self.as_json:
            return
        self._out.print(RichText.assemble(self.verdict(report.indication), f"  {readable(name)}"))
        if report.then is not report.indication:
            then = RichText(self.text("  签署时：", "  at the time of signing: "))
            self._out.print(RichText.assemble(then, self.verdict(report.then)))
        for signature in _signatures(report.findings):
            signer = signature.get("signer") or "?"
            who = readable(str(signer.get("name") if isinstance(signer, dict) else signer))
            self._out.print(RichText(self.text(f"  签署者：{who}", f"  signed by {who}")))
            for line in signature.get("says", ()):
                self._out.print(RichText(f"    {readable(line[self.language])}"))
            for counter in signature.get("countersignatures", ()):
                self._countersigned(counter)
        for says in report.findings.get("standing", ()):
            self._out.print(RichText(f"  {says[self.language]}"))
        for reason in sorted(report.reasons, key=lambda reason: reason.code):
            says, do = reason.text.in_language(self.language), reason.next_step.in_language(self.language)
            self._out.print(RichText(f"  · {says} [{reason.code}, {reason.clause}]"))
            self._out.print(RichText(f"    → {do}", style="dim"))

    def _countersigned(self, counter: Mapping[str, Any]) -> None:
        who = readable(str((counter.get("signer") or {}).get("name") or "?"))
        said = RichText(self.text(f"    副签：{who} ", f"    countersigned by {who}: "))
        self._out.print(RichText.assemble(said, self.verdict(Indication(counter["indication"]))))

    def error(self, error: YinxinError, *, slip: Slip | None = None) -> None:
        """What went wrong, for a person or as JSON on standard error; with the slip of a refusal."""
        title = error.title.in_language(self.language)
        if self.as_json:
            answer = {"error": {"code": error.code, "title": title, "detail": error.detail}}
            answer |= {"slip": slip.to_dict()} if slip else {}
            sys.stderr.write(_json(answer) + "\n")
            return
        self._err.print(RichText.assemble((f"✗ {title}", "bold red"), f" [{error.code}]"))
        if error.detail:
            self._err.print(RichText(f"  {readable(error.detail)}"))
        if slip:
            ask = self.text(f"咨询：{slip.ask.name.zh}", f"ask {slip.ask.name.en}")
            told = self.text(f"告知单 {slip.number}", f"slip {slip.number}")
            self._err.print(
                RichText(f"  {told} · {slip.phrase.next_step.in_language(self.language)} · {ask}")
            )

    @contextmanager
    def progress(self, zh: str, en: str) -> Iterator[Callable[[int, int], None]]:
        """A bar on standard error while the block runs; call what it gives with what is done, and with all."""
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self._err, transient=True, disable=not self._err.is_terminal) as bar:
            task = bar.add_task(self.text(zh, en), total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)


def _signatures(findings: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The signatures of a document, or the one beside a file."""
    return findings.get("signatures") or ([findings] if findings.get("signer") else [])


def readable(text: str) -> str:
    """The text without what would steer a terminal: names come from files, certificates and applications."""
    return "".join(
        character if character.isprintable() or character in "\n\u3000" else "\N{REPLACEMENT CHARACTER}"
        for character in text
    )


def exit_code(reports: Sequence[Report[Any]]) -> ExitCode:
    """The exit status that several verifications make together: the worst."""
    found = {report.indication for report in reports}
    if Indication.FAILED in found:
        return ExitCode.FAILED
    return ExitCode.INDETERMINATE if Indication.INDETERMINATE in found else ExitCode.DONE


def _json(value: object, *, indent: int | None = None) -> str:
    """JSON in which everything that cannot be printed is escaped: people look at it in a terminal too."""
    text = json.dumps(value, ensure_ascii=False, indent=indent, default=str)
    return "".join(
        character if character.isprintable() or character == "\n" else json.dumps(character)[1:-1]
        for character in text
    )


def console_of(context: click.Context) -> Console:
    """The console of the running command."""
    found = context.find_object(Console)
    assert found is not None, "main() makes the console"  # noqa: S101 - a fault of ours, not of a user
    return found
