"""The whole story in one folder: licence → seal → wallet copy → department → revocation.

Nothing is mocked: keys, certificates, lists, time-stamps, pages, seals, credentials, tokens, receipts and
proofs are the real ones, and parties that would speak HTTP speak HTTP, on loopback. People and companies
are made up. Each chapter below is one part of the story and tells what it saw.
"""

from __future__ import annotations

import hashlib
import json
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import typst
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from ca.names import SubjectName
from ca.proofing import Proofing, ProofingMethod
from ca.registration import Registration
from credentials import samples
from credentials.face.fonts import font_directory
from credentials.face.seal_face import ENTERPRISE_MM, draw_seal_face
from credentials.licence import EndingKind
from signing.pdf import Seal
from signing.signers.file import FileSigner
from signing.timestamp import HttpTimestamper
from verify_api.client import Client
from verify_api.departments import Department, Grant
from wallet.holder import Holder
from wallet.request import PresentationRequest
from yinxin.app import wiring
from yinxin.app.ceremony import Plan, make_home, open_authority, publish_lists
from yinxin.app.examine import Examiner
from yinxin.app.files import write_new_file
from yinxin.app.serve import bind_port, running
from yinxin.base.actor import staff
from yinxin.base.audit import AuditLog, verify_offline
from yinxin.base.clock import Clock, SystemClock
from yinxin.base.errors import Conflict, NotPermitted
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from socket import socket

    from credentials.issuer import IssuedLicence, Issuer
    from signing.keys import PublicKey
    from signing.signer import Signer
    from verify_api.client import ClientAnswer
    from yinxin.app.console import Console
    from yinxin.app.home import Home

HOST = "127.0.0.1"
COUNTER, HOUSING = "urn:jincheng:counter", "urn:jincheng:housing-bureau"
PURPOSE, MATTER = "market-entry", "120199-0031"
GROUND = "《中华人民共和国行政许可法》"


@dataclass(slots=True)
class Told:
    """One line of the closing table: what happened, what was answered, why."""

    what: Text
    answer: str
    why: str = ""


@dataclass(slots=True)
class Demo:
    """One run in one folder. `play` tells it chapter by chapter; `told` is the closing table."""

    directory: Path
    console: Console
    clock: Clock = field(default_factory=SystemClock)
    told: list[Told] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    home: Home = field(init=False)
    issuer: Issuer = field(init=False)
    issued: dict[str, list[IssuedLicence]] = field(default_factory=dict)
    wallets: dict[str, Holder] = field(default_factory=dict)
    company_seal: Signer = field(init=False)
    client: Client = field(init=False)
    services: wiring.Stage = field(init=False)

    def play(self) -> None:
        """Tell the story."""
        with ExitStack() as stage:
            listeners = {role: bind_port(HOST, 0) for role in ("ca", "issuer", "verifier")}
            for listener in listeners.values():
                stage.callback(listener.close)
            urls = {role: f"http://{HOST}:{listener.getsockname()[1]}" for role, listener in listeners.items()}
            self._chapter("密钥仪式：根、签发机构、每种用途一把密钥", "The key ceremony: a root, an issuer, one key for each use", lambda: self._ceremony(urls))
            self._chapter("启动证书、签发、核验三个服务", "Three services start: certificates, issuer, verification", lambda: self._serve(stage, listeners))
            self._chapter("企业申请印章证书，他人核验并审批", "A company applies for a seal, others proof and approve", self._company)
            self._chapter("吊销列表、OCSP、时间戳经 HTTP 应答", "CRL, OCSP and time-stamps answer over HTTP", self._certificate_services)
            self._chapter("按申请表签发证照：版面、盖章、凭证、登记", "Licences are issued from a file of applications", self._issue)
            self._chapter("用证部门登记，两人审批", "A department is registered by two people", self._department)
            self._chapter("部门核验：文件、出示、编号", "The department verifies: file, presentation, number", self._verify)
            self._chapter("不该通过的都不通过，各有原因", "What must not pass does not, each for its own reason", self._refuse)
            self._chapter("暂停、吊销、撤销、换发，再问一遍", "Suspended, revoked, annulled, replaced: asked again", self._endings)
            self._chapter("为任意 PDF 盖章并核验", "Any PDF is sealed and verified", self._any_pdf)
            self._chapter("审计日志：每一步都有证明", "The audit log proves each step", self._audit)

    def _chapter(self, zh: str, en: str, tell: Callable[[], object]) -> None:
        begun = time.perf_counter()
        tell()
        took = self.seconds[en] = time.perf_counter() - begun
        number = len(self.seconds)
        self.console.say(f"✓ {number:2}  {zh}（{took:.1f} 秒）", f"✓ {number:2}  {en} ({took:.1f} s)")

    def _tell(self, zh: str, en: str, answer: str, why: str = "") -> None:
        self.told.append(Told(Text(zh, en), answer, why))

    def _ceremony(self, urls: Mapping[str, str]) -> None:
        agency = samples.AGENCY
        ports = tuple(url.removeprefix("http://") for url in urls.values())
        plan = Plan(
            agency.name.zh,
            agency.name.en,
            agency.credit_code,
            base_url=urls["issuer"],
            ca_url=urls["ca"],
            verify_url=urls["verifier"],
            allowed_private=ports,
            people=("applicant-li", "prover-wang", "registrar-zhao"),
        )
        self.home = make_home(self.directory, plan, clock=self.clock)
        for part in ("licences", "wallets", "receipts", "others"):
            (self.directory / part).mkdir()

    def _serve(self, stage: ExitStack, listeners: Mapping[str, socket]) -> None:
        self.services = stage.enter_context(running(self.home, tuple(listeners), sockets=listeners))

    def _company(self) -> None:
        company = samples.company(0)
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, company["name"])])
        request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
        registration = Registration(self.home.database, open_authority(self.home, "issuing"), self.clock)
        clerk, prover = staff("clerk-chen"), staff("prover-wang")
        subject = SubjectName(country="CN", organisation=company["name"], common_name=f"{company['name']} 电子印章")
        application = registration.apply(
            "organisation-seal",
            subject,
            credit_code=company["credit_code"],
            csr=request.public_bytes(Encoding.DER),
            actor=clerk,
        )
        evidence = hashlib.sha256(json.dumps(company, ensure_ascii=False).encode()).hexdigest()
        record = Proofing(ProofingMethod.BUSINESS_REGISTER, "企业登记信息库", evidence)
        registration.record_proofing(application, record, actor=prover)
        try:
            registration.approve(application, staff("clerk-chen", roles=("registrar",)))
        except NotPermitted as error:
            self._tell("申请人想自己审批", "the applicant tries to approve it himself", self._word("拒绝", "refused"), error.code)
        certificate = registration.approve(application, staff("registrar-zhao", roles=("registrar",)))
        self.company_seal = FileSigner(key, (certificate, *self.home.chain("issuing")))
        self._tell("企业印章证书", "the company's seal certificate", certificate.common_name, f"{certificate.serial:x}"[:12])

    def _certificate_services(self) -> None:
        home, outbound = self.home, self.home.outbound
        crl = outbound.get(f"{home.settings.ca_url}/crl/issuing.crl").body
        listed = x509.load_der_x509_crl(crl)
        self._tell("吊销列表", "revocation list", self._word("已取得", "fetched"), f"{len(crl)} B, nextUpdate {listed.next_update_utc:%Y-%m-%d}")
        leaf, issuer = (certificate.x509 for certificate in self.company_seal.chain[:2])
        asked = ocsp.OCSPRequestBuilder().add_certificate(leaf, issuer, hashes.SHA256()).build()
        answer = outbound.post(
            f"{home.settings.ca_url}/ocsp/issuing",
            asked.public_bytes(Encoding.DER),
            content_type="application/ocsp-request",
        )
        status = ocsp.load_der_ocsp_response(answer.body).certificate_status
        self._tell("企业证书的 OCSP 状态", "OCSP on the company's certificate", status.name.lower())
        token = HttpTimestamper(f"{home.settings.ca_url}/tsa", outbound).stamp(hashlib.sha256(b"yinxin").digest())
        self._tell("RFC 3161 时间戳", "RFC 3161 time-stamp", self._word("已取得", "fetched"), f"{len(token)} B")

    def _issue(self) -> None:
        self.issuer = wiring.issuer(self.home)
        applications = samples.applications_csv()
        write_new_file(self.directory / "applications.csv", applications)
        for name in ("citizen", "company", "counter"):
            self.wallets[name] = Holder.create(self.directory / "wallets" / name, f"demo-{name}", clock=self.clock)
        owner: dict[str, Holder] = {}

        def holder_key(_kind: object, claims: Mapping[str, object]) -> PublicKey:
            wallet = self._wallet_of(claims)
            key = wallet.new_key()
            owner[key.thumbprint] = wallet
            return key

        with self.console.progress("签发", "issuing") as show:
            result = self.issuer.issue_rows(
                applications, actor=staff("clerk-chen", agency=samples.AGENCY.credit_code), holder_key=holder_key, progress=show
            )
        for made in result.issued:
            self.issued.setdefault(made.licence.type_code, []).append(made)
            write_new_file(self.directory / "licences" / f"{made.licence.identifier}.pdf", made.pdf)
            self._wallet_of(made.licence.claims).receive(made.credential or "")
        self.services.refresh()
        lines = [f"{fault.row},{fault.column},{fault.reason.zh},{fault.reason.en}" for fault in result.faults]
        write_new_file(self.directory / "faults.csv", ("\ufeff" + "\r\n".join(lines)).encode())
        self._tell("申请表", "the file of applications", self._word(f"签发 {len(result.issued)} / {result.total}", f"{len(result.issued)} of {result.total} issued"), self._word(f"{len(result.faults)} 处错误见 faults.csv", f"{len(result.faults)} faults, see faults.csv"))
        for fault in result.faults:
            self._tell(f"第 {fault.row} 行 {fault.column}", f"row {fault.row}, {fault.column}", self._word("未签发", "not issued"), fault.reason.in_language(self.console.language))

    def _department(self) -> None:
        key = FileSigner.generate()
        registry = wiring.departments(self.home)
        fields = {
            "business-licence": frozenset({"enterprise_name", "credit_code", "business_scope"}),
            "food-business-licence": frozenset({"operator_name", "credit_code", "business_items"}),
            "physician-certificate": frozenset({"physician_name", "practice_scope"}),
            "hygiene-licence-on-commitment": frozenset({"unit_name", "licensed_items"}),
            "real-estate-certificate": frozenset({"right_holder", "location"}),
        }
        name = Text("津城区政务服务中心窗口", "Jincheng District service counter")
        department = Department(COUNTER, name, samples.credit_code(901), (key.public_key,), (Grant(PURPOSE, MATTER, fields),))
        proposal = registry.propose(department, actor=staff("registrar-zhao", roles=("registrar",)))
        approved = registry.approve(proposal, actor=staff("reviewer-sun", roles=("reviewer",)))
        self.client = Client(
            self.home.settings.verify_url,
            COUNTER,
            key,
            self.home.outbound,
            trust=self.home.trust,
            revocation=self.home.revocation,
            clock=self.clock,
        )
        self._tell("用证部门", "the department", approved.name.in_language(self.console.language), PURPOSE)

    def _verify(self) -> None:
        food = self.issued["food-business-licence"][0]
        answer = self.client.verify_pdf(food.pdf, purpose=PURPOSE, matter=MATTER)
        self._heard("盖章 PDF", "the sealed PDF", answer)
        write_new_file(self.directory / "receipts" / "pdf.jwt", answer.receipt_token.encode())
        answer = self._present(food, ["operator_name", "business_items"])
        self._heard("钱包出示（只披露两项）", "the wallet's presentation (two claims)", answer)
        answer = self._number(food.licence.number)
        self._heard("纸面编号", "the number on paper", answer)
        anonymous = self._anonymous(food.licence.number)
        self._tell("未认证者询问编号", "anybody asks for the number", anonymous["indication"], self._word("只有结论，没有内容", "verdict only, no claims"))

    def _refuse(self) -> None:
        food = self.issued["food-business-licence"][0]
        # Changed within the signed bytes, where a letter of the embedded data or of the page stands.
        altered = bytearray(food.pdf)
        altered[len(altered) // 3] ^= 1
        self._heard("被改动的 PDF", "an altered PDF", self.client.verify_pdf(bytes(altered), purpose=PURPOSE, matter=MATTER))
        self._heard("陌生机构的印章", "a stranger's seal", self.client.verify_pdf(self._stranger(), purpose=PURPOSE, matter=MATTER))
        self._heard("为别的部门作的出示", "a presentation made for another department", self._present(food, ["operator_name"], audience=HOUSING))
        claims = {**samples.application("business-licence", 5), "business_until": "2025-12-31"}
        late = self.issuer.issue("business-licence", claims, holder=None, actor=staff("clerk-chen"))
        self._heard("已过期的营业执照", "a business licence past its last day", self.client.verify_pdf(late.pdf, purpose=PURPOSE, matter=MATTER))

    def _endings(self) -> None:
        before = self.clock.now()
        facts: dict[str, Any] = {"ground": GROUND, "actor": staff("clerk-chen")}
        suspended, revoked = self.issued["food-business-licence"][1:3]
        annulled, replaced = self.issued["physician-certificate"][0], self.issued["business-licence"][0]
        self.issuer.suspend(suspended.licence.identifier, document_number="津审停〔2026〕3号", **facts)
        self.issuer.end(revoked.licence.identifier, EndingKind.REVOKED, document_number="津审罚〔2026〕8号", **facts)
        self.issuer.end(annulled.licence.identifier, EndingKind.ANNULLED, document_number="津审撤〔2026〕1号", **facts)
        wallet = self._wallet_of(replaced.licence.claims)
        claims = {**dict(replaced.licence.claims), "domicile": "津城市津城区新址大道8号"}
        new = self.issuer.replace(
            replaced.licence.identifier, claims, holder=wallet.new_key(), document_number="津审换〔2026〕21号", **facts
        )
        wallet.receive(new.credential or "")
        write_new_file(self.directory / "licences" / f"{new.licence.identifier}.pdf", new.pdf)
        self.services.refresh()
        for zh, en, one in (
            ("已暂停", "suspended 暂停", suspended),
            ("已吊销", "revoked 吊销", revoked),
            ("已撤销", "annulled 撤销", annulled),
            ("已换发", "replaced 换发", replaced),
        ):
            self._heard(zh, en, self.client.verify_pdf(one.pdf, purpose=PURPOSE, matter=MATTER))
        self._heard("已暂停证照的钱包出示", "the suspended one, presented by its wallet", self._present(suspended, ["operator_name"]))
        earlier = {"as_of": before, "known_at": before}
        self._heard_then("吊销之前的时刻", "the revoked one, before its revocation", self._number(revoked.licence.identifier, as_of=before))
        self._heard_then("撤销：视为自始无效", "the annulled one, asked for the same moment: never valid", self._number(annulled.licence.identifier, as_of=before))
        self._heard_then("但按当时所知", "the annulled one, by what was known then", self._number(annulled.licence.identifier, **earlier))
        self._heard("第 002 版", "version 002", self.client.verify_pdf(new.pdf, purpose=PURPOSE, matter=MATTER))

    def _any_pdf(self) -> None:
        page = '#set text(font: "Noto Serif SC")\n= 委托书\n兹委托王晓梅办理换证事宜。'
        letter = typst.compile(page.encode(), font_paths=[str(font_directory())], ignore_system_fonts=True)
        source = self.directory / "others" / "letter.pdf"
        write_new_file(source, letter)
        company = samples.company(0)
        face = draw_seal_face(company["name"], code=company["credit_code"][8:17], size_mm=ENTERPRISE_MM)
        stamper = HttpTimestamper(f"{self.home.settings.ca_url}/tsa", self.home.outbound)
        sealed = Seal(self.company_seal, face=face, timestamper=stamper).apply(letter, now=self.clock.now(), reason="委托")
        target = source.with_name("letter.sealed.pdf")
        write_new_file(target, sealed)
        publish_lists(self.home, (open_authority(self.home, "root"), open_authority(self.home, "issuing")))
        examiner = Examiner.of(None, (), home=self.home, clock=self.clock)
        for file, zh, en in ((target, "企业盖章的委托书", "a letter with the company's seal"), (source, "未盖章的原件", "the letter without it"), (self.directory / "receipts" / "pdf.jwt", "核验回执本身", "the receipt itself")):
            report = examiner.examine(file)
            self._tell(zh, en, str(report.indication), ", ".join(sorted(reason.code for reason in report.reasons)))

    def _audit(self) -> None:
        while wiring.sequencer(self.home).run_once():
            pass
        log = AuditLog(self.home.database)
        raw, key = wiring.log_key(self.home)
        origin = self.home.settings.audit_origin
        subject = self.issued["food-business-licence"][0].licence.identifier
        (entry, *_) = log.entries(subject=subject)
        proof = log.offline_proof(entry.entry_id)
        write_new_file(self.directory / "others" / "issue.tlog-proof", proof.encode())
        proven = verify_offline(proof, origin=origin, public_key=raw)
        problems = log.problems(origin=origin, public_key=raw)
        if problems:
            raise Conflict("; ".join(problem.en for problem in problems))
        self._tell("审计日志", "the audit log", self._word(f"{log.size()} 条，完整", f"{log.size()} entries, intact"), key.partition("+")[0])
        self._tell("签发记录的离线证明", "offline proof of an issuance", self._word(f"第 {proven.log_index} 条", f"entry {proven.log_index}"), "others/issue.tlog-proof")

    def _present(self, made: IssuedLicence, claims: list[str], *, audience: str | None = None) -> ClientAnswer:
        """The wallet is asked, its holder agrees, the department hands in what it got."""
        asked = self.client.nonce()
        wallet = self._wallet_of(made.licence.claims)
        kind = wiring.catalogue(self.home)[made.licence.type_code]
        request = PresentationRequest(
            requester=Text("津城区政务服务中心窗口", "Jincheng District service counter"),
            purpose=Text("办理食品经营延续", "renewing a food business licence"),
            matter=MATTER,
            audience=audience or asked["audience"],
            nonce=asked["nonce"],
            vct=kind.vct,
            claims=tuple((name,) for name in claims),
        )
        labels = {entry.name: entry.label for entry in kind.fields}
        proposal = wallet.consider(request, made.licence.identifier, labels=labels)
        consent = self.directory / "wallets" / "consent.txt"
        if not consent.exists():
            write_new_file(consent, f"{proposal.consent.zh}\n\n{proposal.consent.en}\n".encode())
        presentation = wallet.answer(proposal)
        return self.client.verify_presentation(presentation, nonce=asked["nonce"], purpose=PURPOSE, matter=MATTER)

    def _number(self, text: str, **moments: Any) -> ClientAnswer:
        return self.client.verify_licence(text, purpose=PURPOSE, matter=MATTER, **moments)

    def _anonymous(self, number: str) -> dict[str, Any]:
        body = json.dumps({"licence": number}).encode()
        answer = self.home.outbound.post(
            f"{self.home.settings.verify_url}/v1/verifications", body, content_type="application/json"
        )
        content: dict[str, Any] = json.loads(answer.body)
        return content

    def _stranger(self) -> bytes:
        """A PDF that is sealed with every art, under a root that nobody here trusts."""
        agency = samples.AGENCY
        place = self.directory / "others" / "stranger"
        other = make_home(place, Plan(agency.name.zh, agency.name.en, agency.credit_code), clock=self.clock)
        seal = Seal(other.signer("seal"), face=draw_seal_face(agency.name.zh))
        other.database.close()
        bare = typst.compile(b"= Licence", font_paths=[str(font_directory())], ignore_system_fonts=True)
        return seal.apply(bare, now=self.clock.now())

    def _wallet_of(self, claims: Mapping[str, object]) -> Holder:
        """The company and one citizen have wallets of their own; others are served at the counter."""
        values = set(map(str, claims.values()))
        if samples.company(1)["credit_code"] in values:
            return self.wallets["company"]
        return self.wallets["citizen" if samples.person(2)["citizen_number"] in values else "counter"]

    def _heard(self, zh: str, en: str, answer: ClientAnswer) -> None:
        self._tell(zh, en, answer.receipt.indication, ", ".join(answer.reasons) or self._claims(answer))

    def _heard_then(self, zh: str, en: str, answer: ClientAnswer) -> None:
        self._tell(zh, en, self._word("当时：", "then: ") + answer.receipt.then, self._word("现在：", "now: ") + answer.receipt.indication)

    def _claims(self, answer: ClientAnswer) -> str:
        said = (value if isinstance(value, list) else [value] for value in answer.claims.values())
        return "；".join("、".join(map(str, values)) for values in said)

    def _word(self, zh: str, en: str) -> str:
        return self.console.text(zh, en)


def total_seconds(demo: Demo) -> timedelta:
    """How long the whole story took."""
    return timedelta(seconds=sum(demo.seconds.values()))
