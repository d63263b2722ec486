"""`yinxin ca init | apply | proof | approve | reject | applications | certificates | revoke | renew | …`."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ca.crl import RevocationReason
from ca.names import SubjectName
from ca.profiles import Profiles
from ca.proofing import Proofing, ProofingMethod
from ca.registration import Registration
from yinxin.app.ceremony import SEAL, SERVICE_KEYS, Plan, make_home, open_authority, publish_lists
from yinxin.app.commands.options import Moment, actor_option, home_option, passphrase_option, read_passphrase
from yinxin.app.console import ExitCode, console_of
from yinxin.app.home import PASSPHRASE, Home
from yinxin.app.phrases import phrase
from yinxin.app.renewal import renew
from yinxin.app.wiring import AUTHORITIES
from yinxin.base.actor import Actor, staff
from yinxin.base.clock import SystemClock
from yinxin.base.files import read_file, write_new_file

if TYPE_CHECKING:
    from datetime import datetime


@click.group(
    "ca",
    help=phrase(
        "证书机构：建立、申请、核验、审批、吊销。",
        "The certificate authority: set up, apply, proof, approve, revoke.",
    ),
)
def command() -> None:
    """Group."""


def _act(name: str, role: str) -> Actor:
    return staff(name, roles=(role,))


def _open(home: str, passphrase_file: str | None) -> Home:
    passphrase = read_passphrase(passphrase_file, required=False)
    return Home.open(home, passphrase=passphrase)


@command.command(
    "init",
    help=phrase(
        "建立安装目录：根证书、签发机构和各用途密钥。",
        "Make a home: a root, an issuing authority and one key for each use.",
    ),
)
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option("--agency", required=True, help=phrase("机关名称", "the agency's name"))
@click.option("--agency-en", required=True, help=phrase("机关英文名称", "the agency's name in English"))
@click.option("--code", required=True, help=phrase("统一社会信用代码", "its unified social credit code"))
@click.option(
    "--people",
    nargs=3,
    required=True,
    help=phrase("参加密钥仪式的三人：申请、核验、审批", "three people: who applies, proofs, approves"),
)
@click.option(
    "--base-url",
    default="http://127.0.0.1:8000",
    show_default=True,
    help=phrase("签发服务网址", "address of the issuer"),
)
@click.option(
    "--ca-url",
    default="http://127.0.0.1:8001",
    show_default=True,
    help=phrase("证书服务网址", "address of the certificate service"),
)
@click.option(
    "--verify-url",
    default="http://127.0.0.1:8002",
    show_default=True,
    help=phrase("核验服务网址", "address of the verification service"),
)
@click.option(
    "--wallet-url",
    default="http://localhost:8003",
    show_default=True,
    help=phrase("证照夹网址", "address of the wallet"),
)
@click.option(
    "--office-url",
    default="http://localhost:8004",
    show_default=True,
    help=phrase("制证窗口网址", "address of the issuing desk"),
)
@click.option(
    "--database-url", default="sqlite:///yinxin.db", show_default=True, help=phrase("数据库", "the database")
)
@passphrase_option
@click.pass_context
def init(
    context: click.Context,
    directory: Path,
    agency: str,
    agency_en: str,
    code: str,
    people: tuple[str, str, str],
    base_url: str,
    ca_url: str,
    verify_url: str,
    wallet_url: str,
    office_url: str,
    database_url: str,
    passphrase_file: str | None,
) -> int:
    """Hold the key ceremony."""
    console = console_of(context)
    passphrase = read_passphrase(passphrase_file)
    plan = Plan(
        agency,
        agency_en,
        code,
        base_url=base_url,
        ca_url=ca_url,
        verify_url=verify_url,
        wallet_url=wallet_url,
        office_url=office_url,
        database_url=database_url,
        people=people,
    )
    home = make_home(
        directory,
        plan,
        clock=SystemClock(),
        passphrase=passphrase,
        progress=lambda name: console.note(f"密钥 {name}", f"key {name}"),
    )
    console.say(f"已建立：{directory}", f"made: {directory}")
    console.result({"home": str(directory), "keys": home.key_names()})
    return ExitCode.DONE


@command.command(
    "apply",
    help=phrase(
        "为企业或机构申请证书，凭其证书请求（CSR）。",
        "Apply for a certificate with an organisation's request (CSR).",
    ),
)
@click.argument("csr", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--profile",
    default="organisation-seal",
    show_default=True,
    type=click.Choice(sorted(Profiles.load().rows)),
    help=phrase("证书模板", "certificate profile"),
)
@click.option("--organisation", required=True, help=phrase("单位名称", "the organisation"))
@click.option("--common-name", required=True, help=phrase("证书名称", "the certificate's common name"))
@click.option("--code", help=phrase("统一社会信用代码", "unified social credit code"))
@actor_option("clerk")
@home_option()
@passphrase_option
@click.pass_context
def apply(
    context: click.Context,
    csr: Path,
    profile: str,
    organisation: str,
    common_name: str,
    code: str | None,
    actor: str,
    home: str,
    passphrase_file: str | None,
) -> int:
    """Hand in an application and print its number."""
    console = console_of(context)
    place = _open(home, passphrase_file)
    subject = SubjectName(country="CN", organisation=organisation, common_name=common_name)
    registration = _registration(place)
    identifier = registration.apply(
        profile, subject, credit_code=code, csr=read_file(csr, limit=1 << 16), actor=_act(actor, "clerk")
    )
    console.say(
        f"申请编号 {identifier}；请由另一人核验并审批",
        f"application {identifier}; others now proof and approve it",
    )
    console.result({"application": identifier})
    return ExitCode.DONE


@command.command("proof", help=phrase("记录如何核验了申请人。", "Record how the applicant was proofed."))
@click.argument("application")
@click.option(
    "--method",
    required=True,
    type=click.Choice([str(method) for method in ProofingMethod]),
    help=phrase("核验方式", "method"),
)
@click.option(
    "--source", required=True, help=phrase("核验来源（登记机关、窗口）", "register or counter that was asked")
)
@click.option(
    "--evidence",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help=phrase("证据文件（只记录摘要）", "the evidence (only its digest is kept)"),
)
@actor_option("clerk")
@home_option()
@passphrase_option
@click.pass_context
def proof(
    context: click.Context,
    application: str,
    method: str,
    source: str,
    evidence: Path,
    actor: str,
    home: str,
    passphrase_file: str | None,
) -> int:
    """Put the proofing on record."""
    place = _open(home, passphrase_file)
    digest = hashlib.sha256(read_file(evidence)).hexdigest()
    record = Proofing(ProofingMethod(method), source, digest)
    _registration(place).record_proofing(application, record, actor=_act(actor, "clerk"))
    console_of(context).result({"application": application, "evidence": digest})
    return ExitCode.DONE


@command.command(
    "approve",
    help=phrase(
        "审批申请并签发证书（不得由申请人、核验人审批）。",
        "Approve an application and issue its certificate (never by who applied or proofed).",
    ),
)
@click.argument("application")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help=phrase("证书链文件（PEM）", "file for the certificate chain (PEM)"),
)
@actor_option("registrar")
@home_option()
@passphrase_option
@click.pass_context
def approve(
    context: click.Context, application: str, output: Path, actor: str, home: str, passphrase_file: str | None
) -> int:
    """Issue the certificate and write its chain."""
    console = console_of(context)
    place = _open(home, passphrase_file)
    certificate = _registration(place).approve(application, _act(actor, "registrar"))
    chain = (certificate, *place.chain("issuing"))
    write_new_file(output, b"".join(each.to_pem() for each in chain))
    console.say(
        f"已签发 {certificate.common_name}，序列号 {certificate.serial:x}",
        f"issued {certificate.common_name}, serial {certificate.serial:x}",
    )
    console.result({"serial": f"{certificate.serial:x}", "subject": certificate.subject, "file": str(output)})
    return ExitCode.DONE


@command.command(
    "reject",
    help=phrase(
        "驳回申请，理由将告知申请人。", "Reject an application for a reason that the applicant will read."
    ),
)
@click.argument("application")
@click.option("--reason", required=True, help=phrase("驳回理由", "why"))
@actor_option("registrar")
@home_option()
@passphrase_option
@click.pass_context
def reject(
    context: click.Context, application: str, reason: str, actor: str, home: str, passphrase_file: str | None
) -> int:
    """End the application without a certificate."""
    console = console_of(context)
    place = _open(home, passphrase_file)
    _registration(place).reject(application, reason=reason, actor=_act(actor, "registrar"))
    console.say(f"已驳回 {application}", f"rejected {application}")
    console.result({"application": application, "reason": reason})
    return ExitCode.DONE


@command.command("applications", help=phrase("列出申请。", "List applications."))
@home_option()
@passphrase_option
@click.pass_context
def applications(context: click.Context, home: str, passphrase_file: str | None) -> int:
    """A table of applications."""
    console = console_of(context)
    found = _registration(_open(home, passphrase_file)).list()
    rows = [(each.identifier, each.profile, each.subject.common_name, each.state) for each in found]
    console.table([("编号", "number"), ("模板", "profile"), ("名称", "name"), ("状态", "state")], rows)
    names = ("application", "profile", "common_name", "state")
    console.result([dict(zip(names, row, strict=True)) for row in rows])
    return ExitCode.DONE


@command.command("certificates", help=phrase("列出签发过的证书。", "List the certificates that were issued."))
@click.option("--authority", default="issuing", show_default=True, help=phrase("证书机构", "authority"))
@home_option()
@passphrase_option
@click.pass_context
def certificates(context: click.Context, authority: str, home: str, passphrase_file: str | None) -> int:
    """A table of certificates."""
    console = console_of(context)
    found = open_authority(_open(home, passphrase_file), authority).issued()
    rows = [(f"{row.serial:x}", row.profile, row.subject, row.state) for row in found]
    console.table([("序列号", "serial"), ("模板", "profile"), ("主体", "subject"), ("状态", "state")], rows)
    names = ("serial", "profile", "subject", "state")
    console.result([dict(zip(names, row, strict=True)) for row in rows])
    return ExitCode.DONE


@command.command(
    "revoke", help=phrase("吊销证书，并发布新的吊销列表。", "Revoke a certificate and publish a new list.")
)
@click.argument("serial")
@click.option(
    "--reason",
    required=True,
    type=click.Choice([str(reason) for reason in RevocationReason]),
    help=phrase("原因", "reason"),
)
@click.option(
    "--invalid-since",
    type=Moment(),
    help=phrase("密钥失密：自何时起不可信", "of a compromised key: since when it is not to be trusted"),
)
@click.option("--authority", default="issuing", show_default=True, help=phrase("证书机构", "authority"))
@actor_option("registrar")
@home_option()
@passphrase_option
@click.pass_context
def revoke(
    context: click.Context,
    serial: str,
    reason: str,
    invalid_since: datetime | None,
    authority: str,
    actor: str,
    home: str,
    passphrase_file: str | None,
) -> int:
    """Revoke from now on."""
    console = console_of(context)
    place = _open(home, passphrase_file)
    try:
        number = int(serial, 16)
    except ValueError as exc:
        raise click.BadParameter(phrase("序列号应为十六进制", "a serial number is hexadecimal")) from exc
    opened = open_authority(place, authority)
    opened.revoke(number, reason=reason, actor=_act(actor, "registrar"), invalid_since=invalid_since)
    publish_lists(place, (opened,))
    console.say(f"已吊销 {serial}", f"revoked {serial}")
    console.result({"serial": serial, "reason": reason})
    return ExitCode.DONE


@command.command(
    "reconcile",
    help=phrase(
        "断电或崩溃之后整理：放弃未完成的签发，恢复可继续的申请。",
        "Put right what a crash left in the middle: unfinished certificates are given up, applications can go on.",
    ),
)
@actor_option("registrar")
@home_option()
@passphrase_option
@click.pass_context
def reconcile(context: click.Context, actor: str, home: str, passphrase_file: str | None) -> int:
    """When nothing is being issued: first the applications, then what no application waits for."""
    console = console_of(context)
    place, who = _open(home, passphrase_file), _act(actor, "registrar")
    settled = _registration(place).reconcile(actor=who)
    opened = [open_authority(place, name) for name in AUTHORITIES]
    given_up = [f"{serial:x}" for authority in opened for serial in authority.reconcile(actor=who)]
    publish_lists(place, tuple(opened))
    console.say(
        f"申请 {len(settled)} 件，放弃的序列号 {len(given_up)} 个",
        f"{len(settled)} applications, {len(given_up)} serial numbers given up",
    )
    console.result({"applications": list(settled), "serials": given_up})
    return ExitCode.DONE


@command.command(
    "crl", help=phrase("发布当前吊销列表到安装目录。", "Publish the current revocation lists into the home.")
)
@home_option()
@passphrase_option
@click.pass_context
def crl(context: click.Context, home: str, passphrase_file: str | None) -> int:
    """Write both lists."""
    place = _open(home, passphrase_file)
    publish_lists(place, tuple(open_authority(place, name) for name in AUTHORITIES))
    console_of(context).say("已发布", "published")
    console_of(context).result({"published": ["root.crl", "issuing.crl"]})
    return ExitCode.DONE


@command.command(
    "renew",
    help=phrase(
        "为安装目录中的密钥换发新密钥和证书（旧证书保留，服务须重启）；尚无该密钥的，制作首个。",
        "Give a key of this home a successor with a new certificate, or the home its first key of this name; "
        "services then restart.",
    ),
)
@click.argument("name", type=click.Choice([SEAL, *SERVICE_KEYS]))
@click.option(
    "--people",
    nargs=3,
    required=True,
    help=phrase("三人：申请、核验、审批", "three people: who applies, proofs, approves"),
)
@home_option()
@passphrase_option
@click.pass_context
def renew_key(
    context: click.Context,
    name: str,
    people: tuple[str, str, str],
    home: str,
    passphrase_file: str | None,
) -> int:
    """New key, new certificate; the old certificate is kept."""
    console = console_of(context)
    passphrase = read_passphrase(passphrase_file, required=not (Path(home) / PASSPHRASE).is_file())
    place = Home.open(home, passphrase=passphrase)
    certificate = renew(place, name, people=people)
    console.say(
        f"已换发 {name}，有效期至 {certificate.not_after:%Y-%m-%d}；请重启各服务",
        f"renewed {name} until {certificate.not_after:%Y-%m-%d}; restart the services",
    )
    console.result(
        {"key": name, "serial": f"{certificate.serial:x}", "not_after": certificate.not_after.isoformat()}
    )
    return ExitCode.DONE


def _registration(home: Home) -> Registration:
    return Registration(home.database, open_authority(home, "issuing"), home.clock)
