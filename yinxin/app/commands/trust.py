"""`yinxin trust add | fetch | show | diff | explain | list`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from credentials.licence import agency_time
from signing.certificates import load_certificates
from signing.trust import TrustStore
from signing.usages import USAGES
from yinxin.app import trust_words
from yinxin.app.commands.trust_list import trust_list
from yinxin.app.console import ExitCode, console_of
from yinxin.app.examine import Examiner
from yinxin.app.phrases import phrase
from yinxin.app.trust_fetching import asking, fetch_lists
from yinxin.app.trust_sources import Found, Vouching, added_to, read_source
from yinxin.base.clock import SystemClock
from yinxin.base.files import read_file
from yinxin.base.outbound import Outbound

if TYPE_CHECKING:
    from signing.certificates import Certificate
    from signing.trust import Period, TrustAnchor
    from yinxin.base.text import Text

_FOLDER = click.Path(file_okay=False, path_type=Path)
_FILE = click.Path(dir_okay=False, path_type=Path)
_PLACE = click.Path(path_type=Path)
_FETCH_SECONDS = 60.0  # national lists have up to some ten megabytes
_COLUMNS = [("名称", "name"), ("用途", "uses"), ("有效期至", "until"), ("SHA-256", "SHA-256")]


@click.group("trust", help=phrase("管理信任锚。", "Manage trust anchors."))
def command() -> None:
    """Group."""


command.add_command(trust_list)


def vouching_options(function: Any) -> Any:
    """`--root`, `--next-root`, `--signer`, `--national`: who vouches for a list."""
    options = [
        click.option(
            "--root",
            type=_FILE,
            help=phrase("信任列表的根文件（已核对指纹）", "a trust list's root, compared before"),
        ),
        click.option(
            "--next-root",
            "next_roots",
            multiple=True,
            type=_FILE,
            help=phrase("其后各版根文件", "the roots after it"),
        ),
        click.option(
            "--signer",
            "signers",
            multiple=True,
            type=_FILE,
            help=phrase(
                "可签署 ETSI 信任列表（XML）的证书，须先核对",
                "who may sign a trusted list of ETSI (XML), compared before",
            ),
        ),
        click.option(
            "--national",
            type=_FOLDER,
            help=phrase(
                "ETSI 列表之列表所指各国列表所在目录",
                "folder with the lists that ETSI's list of lists points to",
            ),
        ),
    ]
    for option in reversed(options):
        function = option(function)
    return function


@command.command(
    "add",
    help=phrase(
        "把信任锚加入信任目录：根证书、证书目录、信任列表或 ETSI 信任列表。请先通过其他渠道核对指纹。",
        "Add anchors: a root certificate, a folder of them, a trust list or one of ETSI. Compare fingerprints "
        "through another channel first.",
    ),
)
@click.argument("folder", type=_FOLDER)
@click.argument("source", type=_PLACE)
@click.option(
    "--use",
    "uses",
    multiple=True,
    type=click.Choice([row.name for row in USAGES]),
    help=phrase("限定用途，可多次给出", "limit to this use; may be given again"),
)
@vouching_options
@click.pass_context
def add(context: click.Context, /, folder: Path, source: Path, uses: tuple[str, ...], **vouching: Any) -> int:
    """Add each anchor of the source."""
    console = console_of(context)
    store = TrustStore.load(folder) if folder.exists() else TrustStore(())
    found = read_source(source, Vouching(**vouching), now=SystemClock().now(), uses=frozenset(uses))
    added_to(store, found).save(folder)
    for anchor in found.anchors:
        fingerprint = anchor.certificate.fingerprint
        console.say(
            f"已信任 {anchor.certificate.common_name}（SHA-256 {fingerprint}）",
            f"trusted: {anchor.certificate.common_name} (SHA-256 {fingerprint})",
        )
    for note in found.notes:
        console.note(f"未采用：{note}", f"left aside: {note}")
    fingerprints = [anchor.certificate.fingerprint for anchor in found.anchors]
    console.result({"added": fingerprints, "left_aside": list(found.notes)})
    return ExitCode.DONE


@command.command(
    "fetch",
    help=phrase(
        "获取 ETSI 信任列表（及列表之列表所指各国列表）到目录；签名、时限、版本不符的不采用，原有的保留。"
        "随后用 trust add 离线读取。",
        "Fetch a trusted list of ETSI, and the national ones that a list of lists points to, into a folder. What is "
        "not rightly signed, in time and no older is not taken, and what was there stays. `trust add` reads it then.",
    ),
)
@click.argument("address")
@click.argument("folder", type=_FOLDER)
@click.option(
    "--signer",
    "signers",
    multiple=True,
    required=True,
    type=_FILE,
    help=phrase("可签署该列表的证书，须先核对", "who may sign the list, compared before"),
)
@click.option(
    "--allow-private",
    multiple=True,
    help=phrase("允许访问的内网地址", "a private address that may be called"),
)
@click.pass_context
def fetch(
    context: click.Context,
    address: str,
    folder: Path,
    signers: tuple[Path, ...],
    allow_private: tuple[str, ...],
) -> int:
    """Exit 1 when a national list could not be taken."""
    console = console_of(context)
    outbound = Outbound(allowed_private=allow_private, timeout_seconds=_FETCH_SECONDS)
    folder.mkdir(parents=True, exist_ok=True)
    known = [one for file in signers for one in load_certificates(read_file(file))]
    told = fetch_lists(address, folder, signers=known, ask=asking(outbound), now=SystemClock().now())
    columns = [("地区", "of"), ("文件", "file"), ("有效期至", "until"), ("未采用的原因", "why not taken")]
    rows = [(one.territory, one.file, agency_time(one.until) if one.until else "–", one.why) for one in told]
    console.table(columns, rows)
    console.result([{**asdict(one), "until": one.until.isoformat() if one.until else None} for one in told])
    return ExitCode.DONE if all(one.is_taken for one in told) else ExitCode.FAILED


@command.command(
    "show", help=phrase("列出信任目录或信任列表中的信任锚。", "List the anchors of a folder or a list.")
)
@click.argument("place", type=_PLACE)
@vouching_options
@click.pass_context
def show(context: click.Context, /, place: Path, **vouching: Any) -> int:
    """A table of anchors."""
    console = console_of(context)
    found = read_source(place, Vouching(**vouching), now=SystemClock().now())
    store = TrustStore(found.anchors)
    console.table(_COLUMNS, [_row(anchor) for anchor in store.anchors])
    for note in found.notes:
        console.note(f"未采用：{note}", f"left aside: {note}")
    console.result(
        {
            "snapshot": store.snapshot_id,
            "anchors": [_json(anchor) for anchor in store.anchors],
            "left_aside": list(found.notes),
        }
    )
    return ExitCode.DONE


@command.command(
    "diff",
    help=phrase("比较两个信任目录或信任列表。", "Compare two folders of anchors, or lists."),
)
@click.argument("before", type=_PLACE)
@click.argument("after", type=_PLACE)
@vouching_options
@click.pass_context
def diff(context: click.Context, /, before: Path, after: Path, **vouching: Any) -> int:
    """What is gone and what is new; exit 1 when they differ."""
    console, now = console_of(context), SystemClock().now()
    old, new = (set(read_source(place, Vouching(**vouching), now=now).anchors) for place in (before, after))
    gone, come = (sorted(rows, key=_fingerprint) for rows in (old - new, new - old))
    rows = [("-", *_row(anchor)) for anchor in gone] + [("+", *_row(anchor)) for anchor in come]
    console.table([("", ""), *_COLUMNS], rows)
    console.result(
        {"removed": [_json(anchor) for anchor in gone], "added": [_json(anchor) for anchor in come]}
    )
    return ExitCode.FAILED if rows else ExitCode.DONE


@command.command(
    "explain", help=phrase("说明一个文件为何可信或不可信。", "Say why a file is trusted, or why not.")
)
@click.argument("place", type=_PLACE)
@click.argument("file", type=_FILE)
@vouching_options
@click.pass_context
def explain(context: click.Context, /, place: Path, file: Path, **vouching: Any) -> int:
    """The chain of each signer, what a list says of them, each reason, and what to do."""
    console, clock = console_of(context), SystemClock()
    found = read_source(place, Vouching(**vouching), now=clock.now())
    examiner = Examiner.standing_on(TrustStore(found.anchors), listed=found.serving, clock=clock)
    report, chains = examiner.examine(file), examiner.chains(file)
    for chain in chains:
        for depth, certificate in enumerate(chain):
            anchor = certificate in examiner.trust
            mark = console.text("（信任锚）", " (trust anchor)") if anchor else ""
            words = f"{'  ' * depth}{certificate.common_name}{mark}"
            console.say(words, words)
    told, (verdict, *reasons) = _sentences(found, chains, examiner), trust_words.conclusion(report)
    for sentence in (*told, verdict):
        console.say(sentence.zh, sentence.en)
    console.report(str(file), report)  # each reason, and what to do
    said = [sentence.to_dict() for sentence in (*told, verdict, *reasons)]
    console.result({"file": str(file), "explanation": said, **report.to_dict()})
    return ExitCode.DONE


def _sentences(found: Found, chains: list[tuple[Certificate, ...]], examiner: Examiner) -> list[Text]:
    now, told = examiner.clock.now(), []
    if found.serving:
        told.append(trust_words.explain_list(found.serving, now=now))
    for chain in chains:
        told.append(trust_words.explain_chain(chain, examiner.trust))
        if found.serving:
            told += trust_words.explain_issuer(chain[0], found.serving, now=now)
    return told


def _fingerprint(anchor: TrustAnchor) -> str:
    return anchor.certificate.fingerprint


def _row(anchor: TrustAnchor) -> tuple[str, ...]:
    certificate = anchor.certificate
    uses = (
        ", ".join(map(_period, anchor.periods)) or ", ".join(sorted(anchor.usages)) or phrase("全部", "all")
    )
    return certificate.common_name, uses, certificate.not_after.date().isoformat(), certificate.fingerprint


def _period(row: Period) -> str:
    return f"{row.usage} {row.since:%Y-%m-%d}–{f'{row.until:%Y-%m-%d}' if row.until else ''}"


def _json(anchor: TrustAnchor) -> dict[str, object]:
    certificate: Certificate = anchor.certificate
    periods = [{"usage": row.usage, "since": row.since, "until": row.until} for row in anchor.periods]
    return {
        "subject": certificate.subject,
        "usages": sorted(anchor.usages),
        "not_after": certificate.not_after,
        "fingerprint": certificate.fingerprint,
        **({"periods": periods} if periods else {}),
    }
