"""`yinxin licence correct | change | renew | replace | merge | split`: what takes the place of a licence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from yinxin.app import wiring
from yinxin.app.commands.licence_events import FROM, decided, deciding, open_for_change
from yinxin.app.console import ExitCode, console_of
from yinxin.app.phrases import phrase
from yinxin.base.errors import MalformedInput
from yinxin.base.files import PRIVATE, read_file, write_new_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from credentials.issuer import Issuer
    from credentials.production import IssuedLicence

    Verb = Callable[[Issuer, dict[str, Any]], Sequence[IssuedLicence]]

_CLAIMS = click.option(
    "--claims",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help=phrase("新内容（JSON）", "the new data (JSON)"),
)
_OUTPUT = click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help=phrase("新证照文件", "file for the new licence"),
)


@click.command(
    "correct",
    help=phrase(
        "更正：所载有误，更正内容自始有效；编号不变，版本加一。",
        "Correct a mistake: the next version states what was always true.",
    ),
)
@click.argument("identifier")
@_CLAIMS
@_OUTPUT
@deciding
def correct(context: click.Context, identifier: str, claims: Path, output: Path, **facts: Any) -> int:
    """From the beginning of what it corrects."""
    content = _object(claims)
    return _make(context, facts, output, lambda issuer, why: [issuer.correct(identifier, content, **why)])


@click.command(
    "change",
    help=phrase(
        "变更：自某日起内容改变；编号不变，版本加一。", "Change what a licence says, true from a day."
    ),
)
@click.argument("identifier")
@_CLAIMS
@_OUTPUT
@FROM
@deciding
def change(
    context: click.Context, identifier: str, claims: Path, output: Path, effective_from: Any, **facts: Any
) -> int:
    """From its day on."""
    content = _object(claims)

    def act(issuer: Issuer, why: dict[str, Any]) -> Sequence[IssuedLicence]:
        return [issuer.change(identifier, content, effective_from=effective_from, **why)]

    return _make(context, facts, output, act)


@click.command("renew", help=phrase("延续：新的有效期。", "Renew: the next version begins a new term."))
@click.argument("identifier")
@_CLAIMS
@_OUTPUT
@deciding
def renew(context: click.Context, identifier: str, claims: Path, output: Path, **facts: Any) -> int:
    """A new term."""
    content = _object(claims)
    return _make(context, facts, output, lambda issuer, why: [issuer.renew(identifier, content, **why)])


@click.command(
    "replace", help=phrase("换发：编号不变，版本加一。", "Replace: the number stays, the version rises.")
)
@click.argument("identifier")
@_CLAIMS
@_OUTPUT
@deciding
def replace(context: click.Context, identifier: str, claims: Path, output: Path, **facts: Any) -> int:
    """Issue the next version and end the old one."""
    content = _object(claims)
    return _make(context, facts, output, lambda issuer, why: [issuer.replace(identifier, content, **why)])


@click.command(
    "merge",
    help=phrase(
        "多证合一：数件证照合为一件；写 --into 则该件编号不变，否则另编新号。",
        "Merge several licences into one: --into names the one that keeps its number, else it is a new one.",
    ),
)
@click.argument("identifiers", nargs=-1, required=True)
@click.option("--into", help=phrase("存续的一件", "the one that goes on"))
@click.option(
    "--type",
    "type_code",
    help=phrase("新证照的类型（默认同第一件）", "type of the new licence (of the first)"),
)
@_CLAIMS
@_OUTPUT
@deciding
def merge(
    context: click.Context,
    identifiers: tuple[str, ...],
    into: str | None,
    type_code: str | None,
    claims: Path,
    output: Path,
    **facts: Any,
) -> int:
    """All old ones are superseded and linked to it."""
    content = _object(claims)

    def act(issuer: Issuer, why: dict[str, Any]) -> Sequence[IssuedLicence]:
        return [issuer.merge(identifiers, content, type_code=type_code, into=into, **why)]

    return _make(context, facts, output, act)


@click.command(
    "split",
    help=phrase(
        "分立：一件证照分为数件；--goes-on 表示首件存续、编号不变。",
        "Split a licence into several; with --goes-on the first keeps its number.",
    ),
)
@click.argument("identifier")
@click.option(
    "--claims",
    "parts",
    required=True,
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help=phrase("各件内容（JSON，每件一个文件）", "the data of a part (JSON), once for each"),
)
@click.option("--goes-on", is_flag=True, help=phrase("首件存续", "the first part goes on"))
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help=phrase("新证照输出目录", "folder for the new licences"),
)
@deciding
def split(
    context: click.Context,
    identifier: str,
    parts: tuple[Path, ...],
    goes_on: bool,
    output: Path,
    **facts: Any,
) -> int:
    """The old one is superseded by all of them."""
    contents = [_object(part) for part in parts]
    output.mkdir(parents=True, exist_ok=True)
    return _make(
        context,
        facts,
        output,
        lambda issuer, why: issuer.split(identifier, contents, goes_on=goes_on, **why),
    )


def _make(context: click.Context, facts: dict[str, Any], output: Path, act: Verb) -> int:
    """Write one file, or into a folder one for each."""
    console = console_of(context)
    place = open_for_change(facts["home"], facts["passphrase_file"])
    made = act(wiring.issuer(place), decided(place, facts))
    for issued in made:
        file = output / f"{issued.licence.identifier}.pdf" if output.is_dir() else output
        write_new_file(file, issued.pdf, mode=PRIVATE)
        console.say(f"已制发 {issued.licence.identifier}", f"issued {issued.licence.identifier}")
    said = [issued.licence.to_dict() for issued in made]
    console.result(said if len(said) > 1 else said[0])
    return ExitCode.DONE


def _object(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(read_file(file, limit=1 << 20))
    except ValueError as exc:
        raise MalformedInput("claims", "not JSON") from exc
    if not isinstance(content, dict):
        raise MalformedInput("claims", "not a JSON object")
    return content


COMMANDS = (correct, change, renew, replace, merge, split)
