"""The second half of the story: licences are issued, shown, verified, ended, and all of it is on record."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import typst

from credentials import samples
from credentials.face.fonts import font_directory
from credentials.face.seal_face import ENTERPRISE_MM, draw_seal_face
from credentials.licence import EndingKind
from signing.pdf import Seal
from signing.report import Indication
from signing.timestamp import HttpTimestamper
from wallet.holder import Holder
from yinxin.app import wiring
from yinxin.app.ceremony import Plan, make_home, open_authority, publish_lists
from yinxin.app.demo.cast import HOUSING, MATTER, PURPOSE, Cast
from yinxin.app.examine import Examiner
from yinxin.base.actor import staff
from yinxin.base.audit import AuditLog, verify_offline
from yinxin.base.errors import Conflict
from yinxin.base.files import PRIVATE, write_new_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from signing.keys import PublicKey

GROUND = "《中华人民共和国行政许可法》"
CLERK = staff("clerk-chen", agency=samples.AGENCY.credit_code)


def issue(cast: Cast) -> None:
    """A CSV of applications: every fault is told, the rest becomes sealed PDFs and wallet copies."""
    cast.issuer = wiring.issuer(cast.home)
    applications = samples.applications_csv()
    write_new_file(cast.directory / "applications.csv", applications)
    for name in ("citizen", "company", "counter"):
        cast.wallets[name] = Holder.create(
            cast.directory / "wallets" / name, f"demo-{name}", clock=cast.clock
        )
    owner: dict[str, Holder] = {}

    def holder_key(_kind: object, claims: Mapping[str, object]) -> PublicKey:
        wallet = cast.wallet_of(claims)
        key = wallet.new_key()
        owner[key.thumbprint] = wallet
        return key

    with cast.console.progress("签发", "issuing") as show:
        result = cast.issuer.issue_rows(
            applications,
            actor=CLERK,
            holder_key=holder_key,
            progress=show,
        )
    for made in result.issued:
        cast.issued.setdefault(made.licence.type_code, []).append(made)
        write_new_file(cast.directory / "licences" / f"{made.licence.identifier}.pdf", made.pdf, mode=PRIVATE)
        cast.wallet_of(made.licence.claims).receive(made.credential or "")
    cast.services.refresh()
    lines = [f"{fault.row},{fault.column},{fault.reason.zh},{fault.reason.en}" for fault in result.faults]
    write_new_file(cast.directory / "faults.csv", ("\ufeff" + "\r\n".join(lines)).encode())
    cast.tell(
        "申请表",
        "the file of applications",
        cast.word(
            f"签发 {len(result.issued)} / {result.total}",
            f"{len(result.issued)} of {result.total} issued",
        ),
        cast.word(
            f"{len(result.faults)} 处错误见 faults.csv", f"{len(result.faults)} faults, see faults.csv"
        ),
    )
    for fault in result.faults:
        cast.tell(
            f"第 {fault.row} 行 {fault.column}",
            f"row {fault.row}, {fault.column}",
            cast.word("未签发", "not issued"),
            fault.reason.in_language(cast.console.language),
        )


def verify(cast: Cast) -> None:
    """The department asks in its three ways, and somebody without a name asks too."""
    food = cast.issued["food-business-licence"][0]
    answer = cast.client.verify_pdf(food.pdf, purpose=PURPOSE, matter=MATTER)
    cast.heard("盖章 PDF", "the sealed PDF", answer)
    write_new_file(cast.directory / "receipts" / "pdf.jwt", answer.receipt_token.encode())
    answer = cast.present(food, ["operator_name", "business_items"])
    cast.heard("钱包出示（只披露两项）", "the wallet's presentation (two claims)", answer)
    answer = cast.number(food.licence.number)
    cast.heard("纸面编号", "the number on paper", answer)
    anonymous = _anonymous(cast, food.licence.number)
    cast.tell(
        "未认证者询问编号",
        "anybody asks for the number",
        Indication(anonymous["indication"]),
        cast.word("只有结论，没有内容", "verdict only, no claims"),
    )


def refuse(cast: Cast) -> None:
    """What must not pass: altered, unknown, for somebody else, out of date."""
    food = cast.issued["food-business-licence"][0]
    # Changed within the signed bytes, where a letter of the embedded data or of the page stands.
    altered = bytearray(food.pdf)
    altered[len(altered) // 3] ^= 1
    cast.heard(
        "被改动的 PDF",
        "an altered PDF",
        cast.client.verify_pdf(bytes(altered), purpose=PURPOSE, matter=MATTER),
    )
    cast.heard(
        "陌生机构的印章",
        "a stranger's seal",
        cast.client.verify_pdf(_stranger(cast), purpose=PURPOSE, matter=MATTER),
    )
    cast.heard(
        "为别的部门作的出示",
        "a presentation made for another department",
        cast.present(food, ["operator_name"], audience=HOUSING),
    )
    claims = {**samples.application("business-licence", 5), "business_until": "2025-12-31"}
    late = cast.issuer.issue("business-licence", claims, holder=None, actor=CLERK)
    cast.heard(
        "已过期的营业执照",
        "a business licence past its last day",
        cast.client.verify_pdf(late.pdf, purpose=PURPOSE, matter=MATTER),
    )


def endings(cast: Cast) -> None:
    """Suspended, revoked, annulled, replaced: asked for now, for before, and by what was known."""
    before = cast.clock.now()
    facts: dict[str, Any] = {"ground": GROUND, "actor": CLERK}
    suspended, revoked = cast.issued["food-business-licence"][1:3]
    annulled, replaced = cast.issued["physician-certificate"][0], cast.issued["business-licence"][0]
    cast.issuer.suspend(suspended.licence.identifier, document_number="津审停〔2026〕3号", **facts)
    cast.issuer.end(
        revoked.licence.identifier, EndingKind.REVOKED, document_number="津审罚〔2026〕8号", **facts
    )
    cast.issuer.end(
        annulled.licence.identifier, EndingKind.ANNULLED, document_number="津审撤〔2026〕1号", **facts
    )
    wallet = cast.wallet_of(replaced.licence.claims)
    claims = {**dict(replaced.licence.claims), "domicile": "津城市津城区新址大道8号"}
    new = cast.issuer.replace(
        replaced.licence.identifier,
        claims,
        holder=wallet.new_key(),
        document_number="津审换〔2026〕21号",
        **facts,
    )
    wallet.receive(new.credential or "")
    write_new_file(cast.directory / "licences" / f"{new.licence.identifier}.pdf", new.pdf, mode=PRIVATE)
    cast.services.refresh()
    for zh, en, one in (
        ("已暂停", "suspended 暂停", suspended),
        ("已吊销", "revoked 吊销", revoked),
        ("已撤销", "annulled 撤销", annulled),
        ("已换发", "replaced 换发", replaced),
    ):
        cast.heard(zh, en, cast.client.verify_pdf(one.pdf, purpose=PURPOSE, matter=MATTER))
    cast.heard(
        "已暂停证照的钱包出示",
        "the suspended one, presented by its wallet",
        cast.present(suspended, ["operator_name"]),
    )
    earlier = {"as_of": before, "known_at": before}
    cast.heard_then(
        "吊销之前的时刻",
        "the revoked one, before its revocation",
        cast.number(revoked.licence.identifier, as_of=before),
    )
    cast.heard_then(
        "撤销：视为自始无效",
        "the annulled one, asked for the same moment: never valid",
        cast.number(annulled.licence.identifier, as_of=before),
    )
    cast.heard_then(
        "但按当时所知",
        "the annulled one, by what was known then",
        cast.number(annulled.licence.identifier, **earlier),
    )
    cast.heard("第 002 版", "version 002", cast.client.verify_pdf(new.pdf, purpose=PURPOSE, matter=MATTER))


def any_pdf(cast: Cast) -> None:
    """A letter of the company's own, sealed with its own seal; then files are verified like a user would."""
    page = '#set text(font: "Noto Serif SC")\n= 委托书\n兹委托王晓梅办理换证事宜。'
    letter = _typeset(page)
    source = cast.directory / "others" / "letter.pdf"
    write_new_file(source, letter)
    company = samples.company(0)
    face = draw_seal_face(company["name"], code=company["credit_code"][8:17], size_mm=ENTERPRISE_MM)
    stamper = HttpTimestamper(f"{cast.home.settings.ca_url}/tsa", cast.home.outbound)
    sealed = Seal(cast.company_seal, face=face, timestamper=stamper).apply(
        letter, now=cast.clock.now(), reason="委托"
    )
    target = source.with_name("letter.sealed.pdf")
    write_new_file(target, sealed)
    publish_lists(cast.home, (open_authority(cast.home, "root"), open_authority(cast.home, "issuing")))
    examiner = Examiner.of(None, (), home=cast.home, clock=cast.clock)
    for file, zh, en in (
        (target, "企业盖章的委托书", "a letter with the company's seal"),
        (source, "未盖章的原件", "the letter without it"),
        (cast.directory / "receipts" / "pdf.jwt", "核验回执本身", "the receipt itself"),
    ):
        report = examiner.examine(file)
        cast.tell(zh, en, str(report.indication), ", ".join(sorted(reason.code for reason in report.reasons)))


def audit_log(cast: Cast) -> None:
    """Everything that happened is in the log, and the log is intact."""
    while wiring.sequencer(cast.home).run_once():
        pass
    log = AuditLog(cast.home.database)
    raw, key = wiring.log_key(cast.home)
    origin = cast.home.settings.audit_origin
    subject = cast.issued["food-business-licence"][0].licence.identifier
    (entry, *_) = log.entries(subject=subject)
    proof = log.offline_proof(entry.entry_id)
    write_new_file(cast.directory / "others" / "issue.tlog-proof", proof.encode())
    proven = verify_offline(proof, origin=origin, public_key=raw)
    problems = log.problems(origin=origin, public_key=raw)
    if problems:
        raise Conflict("; ".join(problem.en for problem in problems))
    cast.tell(
        "审计日志",
        "the audit log",
        cast.word(f"{log.size()} 条，完整", f"{log.size()} entries, intact"),
        key.partition("+")[0],
    )
    cast.tell(
        "签发记录的离线证明",
        "offline proof of an issuance",
        cast.word(f"第 {proven.log_index} 条", f"entry {proven.log_index}"),
        "others/issue.tlog-proof",
    )


def _anonymous(cast: Cast, number: str) -> dict[str, Any]:
    body = json.dumps({"licence": number}).encode()
    answer = cast.home.outbound.post(
        f"{cast.home.settings.verify_url}/v1/verifications", body, content_type="application/json"
    )
    content: dict[str, Any] = json.loads(answer.body)
    return content


def _stranger(cast: Cast) -> bytes:
    """A PDF that is sealed with every art, under a root that nobody here trusts."""
    agency = samples.AGENCY
    place = cast.directory / "others" / "stranger"
    other = make_home(place, Plan(agency.name.zh, agency.name.en, agency.credit_code), clock=cast.clock)
    seal = Seal(other.signer("seal"), face=draw_seal_face(agency.name.zh))
    other.database.close()
    bare = _typeset("= Licence")
    return seal.apply(bare, now=cast.clock.now())


def _typeset(markup: str) -> bytes:
    """A plain PDF, as anybody's own might be."""
    compiler = typst.Compiler(font_paths=[str(font_directory())], ignore_system_fonts=True)
    pages = compiler.compile(markup.encode(), format="pdf")
    return pages if isinstance(pages, bytes) else b"".join(pages or ())
