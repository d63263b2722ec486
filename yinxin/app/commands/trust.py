"""`yinxin trust add | show | diff | explain | list`."""

from __future__ import annotations

from pathlib import Path

import click

from signing.certificates import Certificate, load_certificates
from signing.trust import TrustAnchor, TrustStore
from signing.usages import USAGES
from yinxin.app.commands.trust_list import trust_list
from yinxin.app.console import ExitCode, console_of
from yinxin.app.examine import Examiner
from yinxin.app.phrases import phrase
from yinxin.base.clock import SystemClock
from yinxin.base.files import read_file

_PLACE = click.Path(file_okay=False, path_type=Path)
_COLUMNS = [("名称", "name"), ("用途", "uses"), ("有效期至", "until"), ("SHA-256", "SHA-256")]


@click.group("trust", help=phrase("管理信任锚。", "Manage trust anchors."))
def command() -> None:
    """Group."""


command.add_command(trust_list)


@command.command(
    "add",
    help=phrase(
        "把根证书加入信任目录。请先通过其他渠道核对指纹。",
        "Add a root certificate. Compare its fingerprint through another channel first.",
    ),
)
@click.argument("folder", type=_PLACE)
@click.argument("certificate", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--use",
    "uses",
    multiple=True,
    type=click.Choice([row.name for row in USAGES]),
    help=phrase("限定用途，可多次给出", "limit to this use; may be given again"),
)
@click.pass_context
def add(context: click.Context, folder: Path, certificate: Path, uses: tuple[str, ...]) -> int:
    """Add each certificate of the file."""
    console = console_of(context)
    store = TrustStore.load(folder) if folder.exists() else TrustStore(())
    added = [TrustAnchor(found, frozenset(uses)) for found in load_certificates(read_file(certificate))]
    known = {anchor.certificate for anchor in store.anchors}
    TrustStore([*store.anchors, *(anchor for anchor in added if anchor.certificate not in known)]).save(
        folder
    )
    for anchor in added:
        fingerprint = anchor.certificate.fingerprint
        console.say(
            f"已信任 {anchor.certificate.common_name}（SHA-256 {fingerprint}）",
            f"trusted: {anchor.certificate.common_name} (SHA-256 {fingerprint})",
        )
    console.result({"added": [anchor.certificate.fingerprint for anchor in added]})
    return ExitCode.DONE


@command.command("show", help=phrase("列出信任目录中的信任锚。", "List the anchors of a folder."))
@click.argument("folder", type=_PLACE)
@click.pass_context
def show(context: click.Context, folder: Path) -> int:
    """A table of anchors."""
    console = console_of(context)
    store = TrustStore.load(folder)
    console.table(_COLUMNS, [_row(anchor) for anchor in store.anchors])
    console.result({"snapshot": store.snapshot_id, "anchors": [_json(anchor) for anchor in store.anchors]})
    return ExitCode.DONE


@command.command("diff", help=phrase("比较两个信任目录。", "Compare two folders of anchors."))
@click.argument("before", type=_PLACE)
@click.argument("after", type=_PLACE)
@click.pass_context
def diff(context: click.Context, before: Path, after: Path) -> int:
    """What is gone and what is new; exit 1 when they differ."""
    console = console_of(context)
    old, new = (set(TrustStore.load(place).anchors) for place in (before, after))
    rows = [("-", *_row(anchor)) for anchor in old - new] + [("+", *_row(anchor)) for anchor in new - old]
    console.table([("", ""), *_COLUMNS], rows)
    console.result(
        {"removed": [_json(anchor) for anchor in old - new], "added": [_json(anchor) for anchor in new - old]}
    )
    return ExitCode.FAILED if rows else ExitCode.DONE


@command.command(
    "explain", help=phrase("说明一个文件为何可信或不可信。", "Say why a file is trusted, or why not.")
)
@click.argument("folder", type=_PLACE)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.pass_context
def explain(context: click.Context, folder: Path, file: Path) -> int:
    """The chain of each signer, each check, and what to do."""
    console = console_of(context)
    examiner = Examiner.of(folder, (), home=None, clock=SystemClock())
    report = examiner.examine(file)
    for chain in examiner.chains(file):
        for depth, certificate in enumerate(chain):
            anchor = certificate in {trusted.certificate for trusted in examiner.trust.anchors}
            mark = console.text("（信任锚）", " (trust anchor)") if anchor else ""
            console.say(
                f"{'  ' * depth}{certificate.common_name}{mark}",
                f"{'  ' * depth}{certificate.common_name}{mark}",
            )
    console.report(str(file), report)
    console.result({"file": str(file), **report.to_dict()})
    return ExitCode.DONE


def _row(anchor: TrustAnchor) -> tuple[str, ...]:
    certificate = anchor.certificate
    uses = ", ".join(sorted(anchor.usages)) or phrase("全部", "all")
    return certificate.common_name, uses, certificate.not_after.date().isoformat(), certificate.fingerprint


def _json(anchor: TrustAnchor) -> dict[str, object]:
    certificate: Certificate = anchor.certificate
    return {
        "subject": certificate.subject,
        "usages": sorted(anchor.usages),
        "not_after": certificate.not_after,
        "fingerprint": certificate.fingerprint,
    }
