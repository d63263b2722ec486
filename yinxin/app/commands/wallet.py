"""`yinxin wallet create | receive | list | show | present | activity | refresh | remove`."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from credentials.licence import agency_time
from credentials.oid4vp.refusal import RequestRefused
from wallet.receiving import DEFAULT_COPIES, DeliveryRefused, IssuerRefused, OfferRefused
from yinxin.app.console import ExitCode, console_of
from yinxin.app.own_wallet import TRUST, OwnWallet, Place, read_passphrase
from yinxin.app.phrases import phrase
from yinxin.base.errors import Unreachable, UsageError, YinxinError
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from wallet.activity import Activity
    from wallet.answering import Answering
    from wallet.contents import HeldLicence
    from wallet.receiving import ConsideredOffer
    from yinxin.app.console import Console

LOOPBACK_ANSWER = "http://127.0.0.1/done"
_REQUEST_ADVICE = Text(
    "请勿继续。如确需出示，请让对方重新发起；如对方的根证书未受信任，请先通过其他渠道核对指纹，再用 yinxin trust add 添加。",
    "Do not go on. If the request is genuine, ask the other side to begin again; if its root is not trusted, compare "
    "the fingerprint through another channel and add it with `yinxin trust add`.",
)
_NETWORK_ADVICE = Text(
    "请检查网络后重试；什么也没有丢失。本机测试地址须以 --allow-private 指明。",
    "Check the network and try again; nothing is lost. Addresses of a test machine are named by --allow-private.",
)
_KINDS = {
    "received": Text("领取", "received"),
    "refreshed": Text("更新副本", "new copies"),
    "shown": Text("出示", "shown"),
    "refused": Text("拒绝出示", "refused"),
    "removed": Text("移除", "removed"),
}


@click.group(
    "wallet",
    help=phrase(
        "证照钱包：领取、查看、出示电子证照。口令取自提示或 YINXIN_WALLET_PASSPHRASE。",
        "A wallet: receive, look at and show licences. Its passphrase comes from a prompt or "
        "YINXIN_WALLET_PASSPHRASE.",
    ),
)
def command() -> None:
    """Group."""


def _store(function: Any) -> Any:
    says = phrase("钱包目录", "the wallet's folder")
    place = click.Path(file_okay=False, path_type=Path)
    return click.option(
        "--store", type=place, required=True, envvar="YINXIN_WALLET", show_envvar=True, help=says
    )(function)


def _surroundings(function: Any) -> Any:
    """Options of commands that ask others: whom to trust, and which private addresses may be called."""
    folder = click.Path(file_okay=False, path_type=Path)
    trust = phrase(
        f"信任锚目录（默认钱包内的 {TRUST}）", f"folder of anchors (default: {TRUST} in the wallet)"
    )
    home = phrase(
        "安装目录：借用其信任锚与网络设置", "an installation that lends its anchors and network settings"
    )
    private = phrase(
        "允许访问的内网地址，可多次给出", "a private address that may be called; may be given again"
    )
    options: tuple[Callable[[Any], Any], ...] = (
        click.option("--trust", "trust_folder", type=folder, help=trust),
        click.option("--home", "home_folder", type=folder, envvar="YINXIN_HOME", show_envvar=True, help=home),
        click.option("--allow-private", "allowed_private", multiple=True, help=private),
    )
    for option in reversed(options):
        function = option(function)
    return function


_yes = click.option("--yes", is_flag=True, help=phrase("不再询问，视为同意", "agree without being asked"))


@command.command("create", help=phrase("建立新钱包。", "Make a new wallet."))
@_store
@_surroundings
@click.pass_context
def create(context: click.Context, /, store: Path, **surroundings: Any) -> int:
    """Ask for a passphrase twice, and make it."""
    console, place = console_of(context), Place(store, **surroundings)
    if place.exists:
        raise UsageError(f"there is a wallet at {store}")
    place.create(read_passphrase(new=True))
    console.say(f"钱包已建立：{store}", f"the wallet is made: {store}")
    anchors = len(place.trust.anchors) if (store / TRUST).is_dir() else 0
    if not anchors:
        console.say(
            f"它还不信任任何机构。请核对指纹后运行：yinxin trust add {store / TRUST} 根证书.cer",
            f"It trusts nobody yet. Compare fingerprints, then: yinxin trust add {store / TRUST} ROOT.cer",
        )
    console.result({"store": str(store), "anchors": anchors})
    return ExitCode.DONE


@command.command(
    "receive",
    help=phrase(
        "按领取链接（OFFER）领取证照：先说明发证方与证照种类，同意后才领取。",
        "Receive licences by an offer's link: who gives what is told first, and nothing is fetched before a yes.",
    ),
)
@click.argument("offer")
@click.option(
    "--tx-code", help=phrase("发证机关另行告知的验证码", "the code that the authority gave you apart")
)
@click.option(
    "--copies",
    type=click.IntRange(1, 20),
    default=DEFAULT_COPIES,
    show_default=True,
    help=phrase("副本数，每次出示用一份", "copies; each is shown once"),
)
@click.option(
    "--client-id",
    help=phrase(
        "发证机关登记的本钱包名称（网页登录时需要）", "how the authority knows this wallet (for a sign-in)"
    ),
)
@_yes
@_store
@_surroundings
@click.pass_context
def receive(
    context: click.Context,
    /,
    offer: str,
    tx_code: str | None,
    copies: int,
    client_id: str | None,
    yes: bool,
    store: Path,
    **surroundings: Any,
) -> int:
    """Consider, ask, accept."""
    console, place = console_of(context), Place(store, client_id=client_id, **surroundings)
    with _advising(context, console):
        wallet = place.open(read_passphrase())
        considered = wallet.receiving.consider(offer)
        _agreed(console, considered.consent, yes=yes)
        held = (
            _by_sign_in(console, wallet, considered, copies)
            if considered.needs_sign_in
            else wallet.receiving.accept(considered, tx_code=_tx_code(considered, tx_code), copies=copies)
        )
        for one in held:
            console.say(
                f"已领取：{one.name.zh}（{one.id}），{one.copies} 份副本",
                f"received: {one.name.en} ({one.id}), {one.copies} copies",
            )
        missing = {one.vct: one.name for one in considered.types}
        for one in held:
            missing.pop(one.vct, None)
        for name in missing.values():
            console.note(
                f"发证机关未发放：{name.zh}，请向其咨询", f"not given by the authority: {name.en}; ask it why"
            )
        console.result({"received": [_json(one) for one in held]})
    return ExitCode.DONE


@command.command(
    "list", help=phrase("列出证照，可按内容搜索。", "List licences; with a text, those that have it.")
)
@click.argument("search", default="")
@_store
@click.pass_context
def list_(context: click.Context, search: str, store: Path) -> int:
    """A table."""
    console = console_of(context)
    with _advising(context, console):
        held = Place(store).open(read_passphrase()).holder.licences(search)
        if not held:
            console.say(
                "没有符合的证照。领取：yinxin wallet receive 领取链接",
                "No such licence. To receive one: yinxin wallet receive LINK",
            )
        else:
            columns = [
                ("证照", "licence"),
                ("标识", "id"),
                ("发证方", "issuer"),
                ("未用/全部副本", "unused/all copies"),
            ]
            console.table([*columns, ("有效期至", "until")], [_row(console, one) for one in held])
        console.result({"licences": [_json(one) for one in held]})
    return ExitCode.DONE


@command.command(
    "show",
    help=phrase(
        "查看一份证照的内容，并联网核对其当前状态。",
        "Show a licence with all it says, and how it stands today.",
    ),
)
@click.argument("licence")
@click.option("--offline", is_flag=True, help=phrase("不核对状态", "do not ask how it stands"))
@_store
@_surroundings
@click.pass_context
def show(context: click.Context, /, licence: str, offline: bool, store: Path, **surroundings: Any) -> int:
    """Claims by their names; the report where the network is asked."""
    console = console_of(context)
    with _advising(context, console):
        wallet = Place(store, **surroundings).open(read_passphrase())
        held = wallet.find(licence)
        items = wallet.names.items(held.vct, held.claims, wallet.holder.labels(held.id))
        said = [
            (one.label.in_language(console.language), one.value.in_language(console.language))
            for one in items
        ]
        console.table(
            [("项目", "item"), ("内容", "value")], said, title=held.name.in_language(console.language)
        )
        answer = {**_json(held), "claims": dict(held.claims)}
        if not offline:
            report = wallet.holder.report(held.id, wallet.trusted)
            console.report(console.text("当前状态", "today"), report)
            answer["report"] = report.to_dict()
        console.result(answer)
    return ExitCode.DONE


@command.command(
    "present",
    help=phrase(
        "回应核验方的请求（REQUEST 为其链接）：先说明谁、为何、要看什么、不看什么，同意后才出示。",
        "Answer a verifier's request (its link): who asks, why, what is shown and what is not are told first, and "
        "nothing leaves without a yes.",
    ),
)
@click.argument("request")
@click.option(
    "--licence", help=phrase("有多份符合时出示哪一份", "which licence to show where several would do")
)
@_yes
@_store
@_surroundings
@click.pass_context
def present(
    context: click.Context, /, request: str, licence: str | None, yes: bool, store: Path, **surroundings: Any
) -> int:
    """Fetch, judge, ask, answer."""
    console = console_of(context)
    with _advising(context, console):
        wallet = Place(store, **surroundings).open(read_passphrase())
        verified = wallet.read_request(request)
        chosen = wallet.find(licence).id if licence else None
        answering = wallet.consider(verified, licence=chosen)
        if _renew(console, wallet, answering, yes=yes):
            answering = wallet.consider(verified, licence=chosen)
        _warn(console, wallet, answering)
        if not _agrees(console, answering.consent, yes=yes):
            wallet.refuse(verified)
            console.note("已拒绝，没有出示任何内容", "refused; nothing was shown")
            console.result({"shown": False, "redirect_uri": None})
            return ExitCode.ERROR
        onward = wallet.agree(answering)
        console.say("已出示，并记入使用记录", "shown, and entered in the activity log")
        if onward:
            console.say(f"请在浏览器中继续：{onward}", f"go on in your browser: {onward}")
        console.result(
            {"shown": True, "licences": [pick.licence for pick in answering.picks], "redirect_uri": onward}
        )
    return ExitCode.DONE


@command.command(
    "activity",
    help=phrase("使用记录：何时、向谁、为何出示过什么。", "The log: what was shown to whom, when and why."),
)
@_store
@click.pass_context
def activity(context: click.Context, store: Path) -> int:
    """A table, oldest first; with --json the whole log."""
    console = console_of(context)
    with _advising(context, console):
        entries = Place(store).open(read_passphrase()).holder.activity()
        columns = [
            ("时间", "time"),
            ("事项", "what"),
            ("证照", "licence"),
            ("对方", "other side"),
            ("用途", "purpose"),
        ]
        rows = [_activity_row(console, one) for one in entries]
        console.table([*columns, ("内容", "claims")], rows)
        lines = [entry.to_dict() for entry in entries]
        console.result({"format": "yinxin-activity", "version": 1, "entries": lines})
    return ExitCode.DONE


@command.command(
    "refresh",
    help=phrase(
        "向发证方领取新的副本；不写证照则换取已被发证方取代或恢复的全部证照。",
        "Fetch new copies of a licence from its issuer; without a licence, of all whose copies it ended.",
    ),
)
@click.argument("licence", required=False)
@click.option(
    "--copies",
    type=click.IntRange(1, 20),
    default=DEFAULT_COPIES,
    show_default=True,
    help=phrase("副本数", "copies"),
)
@_store
@_surroundings
@click.pass_context
def refresh(
    context: click.Context, /, licence: str | None, copies: int, store: Path, **surroundings: Any
) -> int:
    """By the grants that they came with."""
    console = console_of(context)
    with _advising(context, console):
        wallet = Place(store, **surroundings).open(read_passphrase())
        if licence is None:
            came = wallet.receiving.swap(copies=copies)
            console.result([_json(fresh) for fresh in came])
        else:
            came = [wallet.receiving.refresh(wallet.find(licence).id, copies=copies)]
            console.result(_json(came[0]))
        for fresh in came:
            console.say(
                f"{fresh.name.zh}：现有 {fresh.unused} 份未用副本",
                f"{fresh.name.en}: {fresh.unused} unused copies",
            )
    return ExitCode.DONE


@command.command("remove", help=phrase("从钱包移除一份证照。", "Take a licence out of the wallet."))
@click.argument("licence")
@_yes
@_store
@click.pass_context
def remove(context: click.Context, licence: str, yes: bool, store: Path) -> int:
    """Ask, then remove; the log remembers it."""
    console = console_of(context)
    with _advising(context, console):
        wallet = Place(store).open(read_passphrase())
        held = wallet.find(licence)
        says = Text(
            f"将移除“{held.name.zh}”（{held.id}）及其全部副本，无法恢复；再次使用须重新领取。是否移除？",
            f"“{held.name.en}” ({held.id}) is removed with all its copies, for good; to use it again you receive it "
            "anew. Remove it?",
        )
        _agreed(console, says, yes=yes)
        wallet.holder.remove(held.id)
        console.say("已移除", "removed")
        console.result({"removed": held.id})
    return ExitCode.DONE


def _by_sign_in(
    console: Console, wallet: OwnWallet, considered: ConsideredOffer, copies: int
) -> list[HeldLicence]:
    """The holder signs in with a browser, and brings back the address where it ended."""
    url = wallet.receiving.begin_authorization(considered, redirect_uri=LOOPBACK_ANSWER)
    console.note("请在浏览器中打开并登录：", "Open this in a browser and sign in:")
    click.echo(url, err=True)
    says = phrase("登录后浏览器地址栏中的完整网址", "The whole address that the browser shows afterwards")
    return wallet.receiving.finish_authorization(str(click.prompt(says, err=True)).strip(), copies=copies)


def _tx_code(considered: ConsideredOffer, given: str | None) -> str | None:
    """The code as it was given, or asked for where the offer needs one."""
    if given is not None or considered.tx_code is None:
        return given
    told = f" ({considered.tx_code.description})" if considered.tx_code.description else ""
    return str(click.prompt(phrase("验证码", "Code") + told, err=True))


def _renew(console: Console, wallet: OwnWallet, answering: Answering, *, yes: bool) -> bool:
    """Where only copies are left that were shown before: fetch new ones, if the holder wants and it works."""
    tired = [pick.licence for pick in answering.picks if pick.reused]
    able = [name for name in dict.fromkeys(tired) if wallet.holder.licence(name).can_refresh]
    says = phrase(
        "未使用过的副本已用完。先向发证方领取新副本？",
        "Every copy was shown before. Fetch new ones from the issuer first?",
    )
    if not able or not (yes or click.confirm(says, default=True, err=True)):
        return False
    for name in able:
        try:
            wallet.receiving.refresh(name)
        except YinxinError as error:
            console.note(
                f"未能领取新副本（{error.detail}）", f"new copies could not be fetched ({error.detail})"
            )
    return True


def _warn(console: Console, wallet: OwnWallet, answering: Answering) -> None:
    """Say beforehand what the verifier will find anyway, and which other licences would do."""
    reports = wallet.holder.examine_picks(answering.picks, wallet.trusted.examine)
    for pick, report in zip(answering.picks, reports, strict=True):
        for reason in sorted(report.reasons, key=lambda r: r.code):
            title, says = pick.title, reason.text
            console.note(f"注意：{title.zh}：{says.zh}", f"take care: {title.en}: {says.en}")
        if pick.others:
            others = ", ".join(pick.others)
            console.note(
                f"也可出示（用 --licence 指定）：{others}",
                f"others would do (name one by --licence): {others}",
            )


def _agreed(console: Console, consent: Text, *, yes: bool) -> None:
    """Go on only after a yes."""
    if not _agrees(console, consent, yes=yes):
        raise click.exceptions.Abort


def _agrees(console: Console, consent: Text, *, yes: bool) -> bool:
    """Whether the holder agrees to this text, which is shown whatever the answer and the format are."""
    for line in consent.in_language(console.language).splitlines():
        console.note(line, line)
    return yes or click.confirm(phrase("同意？", "Agree?"), default=False, err=True)


@contextmanager
def _advising(context: click.Context, console: Console) -> Iterator[None]:
    """Say after an error what can be done next."""
    try:
        yield
    except UsageError:
        raise
    except YinxinError as error:
        advice = _advice(error)
        if advice is None or console.as_json or context.find_root().meta.get("debug"):
            raise
        console.error(error)
        console.note(f"→ {advice.zh}", f"→ {advice.en}")
        raise click.exceptions.Exit(ExitCode.ERROR) from error


def _advice(error: YinxinError) -> Text | None:
    if "not an https address" in error.detail:
        return _NETWORK_ADVICE
    if isinstance(error, OfferRefused | IssuerRefused | DeliveryRefused):
        return error.advice
    if isinstance(error, RequestRefused):
        return _REQUEST_ADVICE
    is_outside = isinstance(error, Unreachable) or "not a public address" in error.detail
    return _NETWORK_ADVICE if is_outside else None


def _row(console: Console, held: HeldLicence) -> tuple[str, ...]:
    issuer = held.issuer.in_language(console.language) if held.issuer else "—"
    until = f"{held.expires_at:%Y-%m-%d}" if held.expires_at else "—"
    name = held.name.in_language(console.language)
    return name, held.id, issuer, f"{held.unused}/{held.copies}", until


def _activity_row(console: Console, entry: Activity) -> tuple[str, ...]:
    who = entry.requester.in_language(console.language) if entry.requester else "—"
    why = entry.purpose.in_language(console.language) if entry.purpose else "—"
    what = _KINDS[str(entry.kind)].in_language(console.language)
    claims = ", ".join(entry.claims) or "—"
    return agency_time(entry.at), what, entry.licence or "—", who, why, claims


def _json(held: HeldLicence) -> dict[str, Any]:
    return {
        "id": held.id,
        "vct": held.vct,
        "name": held.name.to_dict(),
        "issuer": held.issuer.to_dict() if held.issuer else None,
        "received_at": held.received_at.isoformat(),
        "expires_at": held.expires_at.isoformat() if held.expires_at else None,
        "copies": held.copies,
        "unused": held.unused,
        "uses": held.uses,
        "can_refresh": held.can_refresh,
        "replaced_by": held.replaced_by,
    }
