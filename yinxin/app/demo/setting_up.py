"""The first half of the story: an authority, its services, a company, a department."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from ca.names import SubjectName
from ca.proofing import Proofing, ProofingMethod
from ca.registration import Registration
from credentials import samples
from signing.signers.file import FileSigner
from signing.timestamp import HttpTimestamper
from verify_api.client import Client
from verify_api.departments import Department, Grant
from yinxin.app import wiring
from yinxin.app.ceremony import Plan, make_home, open_authority
from yinxin.app.demo.cast import COUNTER, MATTER, PURPOSE, Cast
from yinxin.app.serve import running
from yinxin.base.actor import staff
from yinxin.base.errors import NotPermitted
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import ExitStack
    from socket import socket


def ceremony(cast: Cast, urls: Mapping[str, str]) -> None:
    """A root, an issuing authority, and one key for each use."""
    agency = samples.AGENCY
    plan = Plan(
        agency.name.zh,
        agency.name.en,
        agency.credit_code,
        base_url=urls["issuer"],
        ca_url=urls["ca"],
        verify_url=urls["verifier"],
        people=("applicant-li", "prover-wang", "registrar-zhao"),
    )
    cast.home = make_home(cast.directory, plan, clock=cast.clock)
    for part in ("licences", "wallets", "receipts", "others"):
        (cast.directory / part).mkdir()


def serve(cast: Cast, stage: ExitStack, listeners: Mapping[str, socket]) -> None:
    """The three services start."""
    cast.services = stage.enter_context(running(cast.home, tuple(listeners), sockets=listeners))


def company(cast: Cast) -> None:
    """A company applies for a seal certificate with its request; others proof and approve."""
    applicant = samples.company(0)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, applicant["name"])])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    registration = Registration(cast.home.database, open_authority(cast.home, "issuing"), cast.clock)
    clerk, prover = staff("clerk-chen"), staff("prover-wang")
    subject = SubjectName(
        country="CN", organisation=applicant["name"], common_name=f"{applicant['name']} 电子印章"
    )
    application = registration.apply(
        "organisation-seal",
        subject,
        credit_code=applicant["credit_code"],
        csr=request.public_bytes(Encoding.DER),
        actor=clerk,
    )
    evidence = hashlib.sha256(json.dumps(applicant, ensure_ascii=False).encode()).hexdigest()
    record = Proofing(ProofingMethod.BUSINESS_REGISTER, "企业登记信息库", evidence)
    registration.record_proofing(application, record, actor=prover)
    try:
        registration.approve(application, staff("clerk-chen", roles=("registrar",)))
    except NotPermitted as error:
        cast.tell(
            "申请人想自己审批",
            "the applicant tries to approve it himself",
            cast.word("拒绝", "refused"),
            error.code,
        )
    certificate = registration.approve(application, staff("registrar-zhao", roles=("registrar",)))
    cast.company_seal = FileSigner(key, (certificate, *cast.home.chain("issuing")))
    cast.tell(
        "企业印章证书",
        "the company's seal certificate",
        certificate.common_name,
        f"{certificate.serial:x}"[:12],
    )


def certificate_services(cast: Cast) -> None:
    """CRL, OCSP and a time-stamp, as any relying party would ask for them."""
    home, outbound = cast.home, cast.home.outbound
    crl = outbound.get(f"{home.settings.ca_url}/crl/issuing.crl").body
    listed = x509.load_der_x509_crl(crl)
    cast.tell(
        "吊销列表",
        "revocation list",
        cast.word("已取得", "fetched"),
        f"{len(crl)} B, nextUpdate {listed.next_update_utc:%Y-%m-%d}",
    )
    leaf, issuer = (certificate.x509 for certificate in cast.company_seal.chain[:2])
    asked = ocsp.OCSPRequestBuilder().add_certificate(leaf, issuer, hashes.SHA256()).build()
    answer = outbound.post(
        f"{home.settings.ca_url}/ocsp/issuing",
        asked.public_bytes(Encoding.DER),
        content_type="application/ocsp-request",
    )
    status = ocsp.load_der_ocsp_response(answer.body).certificate_status
    cast.tell("企业证书的 OCSP 状态", "OCSP on the company's certificate", status.name.lower())
    token = HttpTimestamper(f"{home.settings.ca_url}/tsa", outbound).stamp(hashlib.sha256(b"yinxin").digest())
    cast.tell("RFC 3161 时间戳", "RFC 3161 time-stamp", cast.word("已取得", "fetched"), f"{len(token)} B")


def department(cast: Cast) -> None:
    """A department with its key and its grant: one registers, another approves."""
    key = FileSigner.generate()
    registry = wiring.departments(cast.home)
    fields = {
        "business-licence": frozenset({"enterprise_name", "credit_code", "business_scope"}),
        "food-business-licence": frozenset({"operator_name", "credit_code", "business_items"}),
        "physician-certificate": frozenset({"physician_name", "practice_scope"}),
        "hygiene-licence-on-commitment": frozenset({"unit_name", "licensed_items"}),
        "real-estate-certificate": frozenset({"right_holder", "location"}),
    }
    name = Text("津城区政务服务中心窗口", "Jincheng District service counter")
    registered = Department(
        COUNTER, name, samples.credit_code(901), (key.public_key,), (Grant(PURPOSE, MATTER, fields),)
    )
    proposal = registry.propose(registered, actor=staff("registrar-zhao", roles=("registrar",)))
    approved = registry.approve(proposal, actor=staff("reviewer-sun", roles=("reviewer",)))
    cast.client = Client(
        cast.home.settings.verify_url,
        COUNTER,
        key,
        cast.home.outbound,
        trust=cast.home.trust,
        revocation=cast.home.revocation,
        clock=cast.clock,
    )
    cast.tell("用证部门", "the department", approved.name.in_language(cast.console.language), PURPOSE)
