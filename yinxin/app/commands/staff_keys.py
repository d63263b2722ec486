"""`yinxin staff system | key | keys | unkey | new-key`: what people and systems come in by without a browser."""

from __future__ import annotations

from pathlib import Path

import click

from signing.certificates import load_public_key
from signing.signers.file import FileSigner
from yinxin.app import sign_in
from yinxin.app.commands.options import key_passphrase_option, read_key_passphrase
from yinxin.app.commands.registrars import account_facts, acting, registrar_of, state_word
from yinxin.app.console import ExitCode, console_of
from yinxin.app.home import Home
from yinxin.app.phrases import phrase
from yinxin.app.proofs import staff_keys
from yinxin.base.files import read_file, write_new_file

MAX_KEY_BYTES = 64 * 1024
_IDENTIFIER = click.argument("identifier")
# One thumbprint in 64 begins with a dash (base64url): it is read as a thumbprint, not refused as an option.
_THUMBPRINT_MAY_BEGIN_WITH_A_DASH = {"ignore_unknown_options": True, "help_option_names": ["--help"]}


@click.command(
    "system",
    help=phrase(
        "登记本单位的业务系统：凭密钥接入，只能经办，不能审核、批准。",
        "Enter a system of the organisation: it comes in by key, as a clerk, and never reviews or approves.",
    ),
)
@_IDENTIFIER
@click.option("--name", required=True, help=phrase("系统名称", "the system's name"))
@acting
def system(context: click.Context, identifier: str, name: str, actor: str, home: str) -> int:
    """Its identifier is `system/` and the name given."""
    console, place = console_of(context), Home.open(home)
    registrar = registrar_of(place, actor)
    account = sign_in.staff_directory(place).add_system(
        identifier, title=name, organisation=registrar.agency or "", actor=registrar
    )
    console.say(
        f"已登记 {account.identifier}；请用 yinxin staff key 登记其公钥",
        f"entered {account.identifier}; register its public key with `yinxin staff key`",
    )
    console.result(account_facts(account))
    return ExitCode.DONE


@click.command(
    "key",
    help=phrase(
        "登记公钥（PEM），其持有人可凭私钥接入并签名同意。",
        "Register a public key (PEM): who has the private one comes in by it, and agrees with it.",
    ),
)
@_IDENTIFIER
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@acting
def key(context: click.Context, identifier: str, file: Path, actor: str, home: str) -> int:
    """From now on."""
    console, place = console_of(context), Home.open(home)
    public = load_public_key(read_file(file, limit=MAX_KEY_BYTES), file.name)
    account = staff_keys(place).add(identifier, public, actor=registrar_of(place, actor))
    console.say(
        f"已为 {account.identifier} 登记公钥 {public.thumbprint}",
        f"registered the key {public.thumbprint} for {account.identifier}",
    )
    console.result({"identifier": account.identifier, "key": public.thumbprint})
    return ExitCode.DONE


@click.command("keys", help=phrase("列出某人的公钥，含已停用的。", "List somebody's keys, removed ones too."))
@_IDENTIFIER
@acting
def keys(context: click.Context, identifier: str, actor: str, home: str) -> int:
    """By thumbprint, oldest first."""
    console, place = console_of(context), Home.open(home)
    found = staff_keys(place).listed(identifier, actor=registrar_of(place, actor))
    facts = [(one.public_key, one.made_at, one.removed_at is None) for one in found]
    columns = [("公钥", "key"), ("算法", "kind"), ("登记日", "since"), ("状态", "state")]
    console.table(
        columns,
        [
            (public.thumbprint, public.kind, str(at.date()), state_word(console, is_active=active))
            for public, at, active in facts
        ],
    )
    console.result(
        [{"key": public.thumbprint, "kind": public.kind, "active": active} for public, _, active in facts]
    )
    return ExitCode.DONE


@click.command(
    "unkey",
    help=phrase("停用一个公钥。", "Let a key sign no more."),
    context_settings=_THUMBPRINT_MAY_BEGIN_WITH_A_DASH,
)
@_IDENTIFIER
@click.argument("thumbprint")
@acting
def unkey(context: click.Context, identifier: str, thumbprint: str, actor: str, home: str) -> int:
    """At once."""
    console, place = console_of(context), Home.open(home)
    account = staff_keys(place).remove(identifier, thumbprint, actor=registrar_of(place, actor))
    console.say(f"已停用 {account.identifier} 的公钥", f"the key of {account.identifier} signs no more")
    console.result({"identifier": account.identifier, "key": thumbprint, "active": False})
    return ExitCode.DONE


@click.command(
    "new-key",
    help=phrase(
        "在本机生成密钥对：私钥以口令加密，公钥（.pub.pem）交注册人员登记。",
        "Make a pair of keys on this machine: the private one under a passphrase, the public one (.pub.pem) for the registrar.",
    ),
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@key_passphrase_option
@click.pass_context
def new_key(context: click.Context, file: Path, key_passphrase_file: str | None) -> int:
    """Nothing is overwritten."""
    console, public = console_of(context), file.with_suffix(".pub.pem")
    signer = FileSigner.generate("P-256")
    signer.save(file, passphrase=read_key_passphrase(key_passphrase_file))
    write_new_file(public, signer.public_key.to_pem())
    console.say(f"已生成 {file} 与 {public}", f"wrote {file} and {public}")
    console.result({"file": str(file), "public": str(public), "key": signer.public_key.thumbprint})
    return ExitCode.DONE


KEY_COMMANDS = (system, key, keys, unkey, new_key)
