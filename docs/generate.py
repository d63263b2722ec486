"""Write the reference pages that follow from the code: `python3 run.py docs`.

Tables of facts (reason codes, errors, settings, command line, HTTP, licence types, profiles, algorithms) are
kept in the repository, readable as they are; a test fails when one is out of date. The pages of the Python
interface are written to `docs/reference/api/`, which is not kept: the docstrings themselves are readable.
`generate.py --check` writes nothing and names the pages that would change.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

# Help texts and tables come in the language of the process: the reference is English with Chinese beside it.
os.environ["YINXIN_LANG"] = "en"
sys.path.insert(0, str(Path(__file__).parent))

import api_pages
import click
import http_page

from ca.profiles import Profiles
from credentials.catalogue import Catalogue
from credentials.type_files import KEYS, Key
from signing.algorithms import ALGORITHMS
from signing.policy.strength import strength_tables
from signing.reasons import Reason
from signing.report.checks import CHECKS
from signing.usages import USAGES
from yinxin.app.cli import COMMANDS, cli
from yinxin.app.console import EXIT_CODES
from yinxin.app.problems import ROWS
from yinxin.base import settings
from yinxin.base.errors import YinxinError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from credentials.catalogue import LicenceType

REFERENCE = Path(__file__).parent / "reference"
ROOT = Path(__file__).parents[1]
NOTE = "<!-- Made by docs/generate.py from the code: change the code, then `python3 run.py docs`. -->\n\n"


def main(arguments: list[str]) -> int:
    """Write the pages, or with `--check` only say which are out of date."""
    pages = {f"{name}.md": make() for name, make in PAGES.items()}
    stale = [name for name, text in pages.items() if _current(name) != NOTE + text]
    stale += [name for name, text in schemas().items() if _current(name) != text]
    if "--check" in arguments:
        print("\n".join(stale))
        return bool(stale)
    for name, text in {**pages, **api_pages.make(ROOT)}.items():
        path = REFERENCE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(NOTE + text, encoding="utf-8", newline="\n")
    for name, text in schemas().items():
        (REFERENCE / name).write_text(text, encoding="utf-8", newline="\n")
    return 0


def schemas() -> dict[str, str]:
    """The published schemas, as they lie in the program."""
    return {
        path.name: path.read_text(encoding="utf-8")
        for path in sorted((ROOT / "signing" / "report").glob("*.schema.json"))
    }


def reason_codes() -> str:
    """Every reason of a verification."""
    rows = (
        (f"`{r.code}`", r.indication, r.text.zh, r.text.en, r.next_step.zh, r.next_step.en, r.clause)
        for r in Reason
    )
    return _page(
        "Reason codes",
        "Why a verification did not pass. A code is stable and never re-used; `failed` means not to be"
        " accepted, `indeterminate` that something is missing to decide. Source: `signing/reasons.py`.",
        _table(["Code", "Verdict", "原因", "Reason", "下一步", "Next step", "Clause"], rows),
    )


def check_names() -> str:
    """Every check of a report."""
    rows = ((f"`{name}`", kind.text.zh, kind.text.en, kind.clause) for name, kind in CHECKS.items())
    return _page(
        "Checks",
        "What each check of a report looks at, and the clause that asks for it. A check of a signature has"
        " the signature's field before its name (`Seal1/coverage`), one of a time-stamp what it covers"
        " (`archive_timestamp_certificate_path`). Source: `signing/report/checks.py`.",
        _table(["Check", "检查内容", "What is looked at", "Clause"], rows),
    )


def error_codes() -> str:
    """Every class of error, with its HTTP status."""
    api_pages.import_all()
    classes = sorted(_subclasses(YinxinError), key=lambda error: error.code)
    rows = (
        (
            f"`{e.code}`",
            e.__name__,
            next(ROWS[kind] for kind in e.__mro__ if kind in ROWS).status.value,
            e.title.zh,
            e.title.en,
        )
        for e in classes
    )
    return _page(
        "Error codes",
        "Every error of ours is a `YinxinError` with a stable `code`. Over HTTP it is a problem of RFC 9457"
        " with the status below; `--json` prints the same code. Source: `yinxin/base/errors.py`,"
        " `yinxin/app/problems.py`.",
        _table(["Code", "Class", "HTTP", "名称", "Title"], rows),
    )


def setting_rows() -> str:
    """Every setting."""
    rows = (
        (
            f"`{d.name}`",
            f"`{d.variable}`",
            d.kind,
            f"`{d.default}`" if d.default else "–",
            d.help.zh,
            d.help.en,
        )
        for d in settings.describe()
    )
    return _page(
        "Settings",
        "`yinxin.toml` in the folder of an installation (`--home`), and environment variables above it."
        " None is required; relative paths are seen from the folder. Passphrases and PINs are no settings.",
        _table(["Key", "Variable", "Kind", "Default", "说明", "Meaning"], rows),
    )


def licence_types() -> str:
    """The built-in catalogue."""
    types = sorted(Catalogue.load(), key=lambda one: one.code)
    return _page(
        "Licence types",
        "The built-in catalogue, one TOML file each in `credentials/types/`. An office edits copies of them:"
        " [add a licence type](../how-to/add-a-licence-type.md).",
        *(_licence_type(one) for one in types),
        "## Keys of a type file\n",
        _table(["Key", "Form", "Required", "含义", "Meaning"], (_type_key(key) for key in KEYS)),
    )


def profiles() -> str:
    """Certificate profiles."""
    rows = (
        (
            f"`{p.code}`",
            f"{p.name.zh} {p.name.en}",
            p.usage.name if p.usage else "authority",
            ", ".join(sorted(p.issued_by)) or "itself",
            p.valid_for.days,
            ", ".join(sorted(p.keys)),
            ", ".join(word for word in ("approved", "proofed") if getattr(p, word)) or "–",
        )
        for p in Profiles.load().rows.values()
    )
    return _page(
        "Certificate profiles",
        "What a certificate of each kind is for, who issues it and what it takes."
        " Source: `ca/profiles.toml`.",
        _table(["Profile", "Name", "Use", "Issued by", "Days at most", "Keys", "Needs"], rows),
    )


def algorithms() -> str:
    """Algorithms and key usages."""
    return _page(
        "Algorithms and key usages",
        "One key has one use; its certificate says which."
        " Source: `signing/algorithms.py`, `signing/usages.py`.",
        "## Algorithms\n",
        _table(
            ["Name", "Key", "Digest", "Object identifier", "In JOSE", "In COSE"],
            (
                (
                    a.name,
                    a.key_kind,
                    a.digest or "–",
                    a.oid,
                    "yes" if a.in_jose else "no",
                    ", ".join(map(str, a.cose)) or "no",
                )
                for a in ALGORITHMS
            ),
        ),
        "## Uses of a key\n",
        _table(
            ["Use", "Key usage bit", "Extended key usage", "Means"],
            ((u.name, u.key_usage, u.extended, u.means) for u in USAGES),
        ),
        "## Strength\n",
        'Until when algorithms count, by published tables; a policy names one: `strength = "…"`. What a table'
        " does not speak of has no end in it. Source: `signing/policy/strength.toml`.\n",
        *_strength(),
    )


def _strength() -> Iterator[str]:
    """The tables of strength, each with its source."""
    for table in strength_tables().values():
        says = f"{table.title.zh} / {table.title.en}. Source: {table.source}. Read {table.read}."
        yield f"### `{table.name}`\n\n{says}\n"
        rows = (
            (
                ", ".join(f"`{name}`" for name in sorted(row.algorithms)),
                row.from_bits or "–",
                row.below_bits or "–",
                row.advised or "–",
                row.until,
            )
            for row in table.rows
        )
        yield _table(["Algorithms", "From bits", "Below bits", "Advised until", "Counts until"], rows)


def command_line() -> str:
    """Every command with its help."""
    codes = ((code.value, says.zh, says.en) for code, says in EXIT_CODES.items())
    context = click.Context(cli, info_name="yinxin")
    sections = [_command("yinxin", cli, context)]
    for name in COMMANDS:
        sections += _commands(name, cli.get_command(context, name), context)
    return _page(
        "Command line",
        "`yinxin COMMAND --help` prints the same, in Chinese with `--lang zh`; `--json` gives every result"
        " as JSON.",
        "## Exit status\n",
        _table(["Status", "含义", "Meaning"], codes),
        *sections,
    )


PAGES = {
    "algorithms": algorithms,
    "certificate-profiles": profiles,
    "checks": check_names,
    "command-line": command_line,
    "error-codes": error_codes,
    "http": http_page.make,
    "licence-types": licence_types,
    "reason-codes": reason_codes,
    "settings": setting_rows,
}


def _type_key(key: Key) -> tuple[str, ...]:
    form = " \\| ".join(key.choices) or key.form
    return f"`{key.path}`", form, "yes" if key.required else "no", key.means.zh, key.means.en


def _licence_type(one: LicenceType) -> str:
    rows = (
        (
            f"`{f.name}`",
            f.label.zh,
            f.label.en,
            f.kind,
            "yes" if f.required else "no",
            f.disclosure,
            f.source.name.en,
        )
        for f in one.fields
    )
    table = _table(["Field", "名称", "Label", "Kind", "Required", "Disclosure", "Source"], rows)
    return (
        f"## {one.name.zh} {one.name.en}\n\n`{one.code}` · number `{one.number}` · vct `{one.vct}`\n\n{table}"
    )


def _commands(name: str, command: click.Command | None, parent: click.Context) -> Iterator[str]:
    if command is None:
        return
    context = click.Context(command, info_name=name, parent=parent)
    yield _command(context.command_path, command, context)
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            yield from _commands(child, command.get_command(context, child), context)


def _command(path: str, command: click.Command, context: click.Context) -> str:
    context.terminal_width = context.max_content_width = 88
    return f"## {path}\n\n```text\n{command.get_help(context).rstrip()}\n```\n"


def _subclasses(error: type[YinxinError]) -> set[type[YinxinError]]:
    return {error, *(deeper for child in error.__subclasses__() for deeper in _subclasses(child))}


def _page(title: str, intro: str, *sections: str) -> str:
    return "\n".join([f"# {title}\n", f"{intro}\n", *sections])


def _table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    lines = [
        list(head),
        *([str(cell).replace("\n", " ") for cell in row] for row in rows),
    ]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _current(name: str) -> str | None:
    path = REFERENCE / name
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
