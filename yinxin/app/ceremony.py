"""The key ceremony: makes a home with its root, its issuing authority, and one key for each use.

Three people take part, as in any key ceremony: one applies for the agency, one proofs, one approves.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ca.issuance import Application, Authority
from ca.names import SubjectName, checked_dns_names
from ca.proofing import Proofing, ProofingMethod
from ca.registration import Registration
from signing.signers.file import FileSigner, KeyKind
from signing.trust import TrustAnchor, TrustStore
from yinxin.app.data_key import KEY_BYTES, wrap_key
from yinxin.app.home import DOCUMENT_KEY, KEYS, PASSPHRASE, REVOCATION, SETTINGS, Home
from yinxin.base.actor import one_spelling, staff
from yinxin.base.errors import Conflict, UsageError
from yinxin.base.files import PRIVATE, READABLE, replace_file, write_new_file
from yinxin.base.identifiers import CreditCode
from yinxin.base.toml import toml_text, toml_texts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from signing.certificates import Certificate
    from signing.keys import PublicKey
    from yinxin.base.clock import Clock

SEAL, CREDENTIAL, MDOC = "seal", "credential", "mdoc"
# name of the key → (certificate profile, what stands behind the agency's name in the certificate, issuer)
SERVICE_KEYS: dict[str, tuple[str, str, str]] = {
    CREDENTIAL: ("credential", "凭证签发", "issuing"),
    # The same name: it says who issues, and lists of who may issue what go by it. What for, the usage says.
    MDOC: ("mdoc", "凭证签发", "issuing"),
    "status": ("status", "状态列表", "issuing"),
    "receipt": ("receipt", "核验回执", "issuing"),
    "request": ("request", "出示请求", "issuing"),
    "metadata": ("metadata", "签发方元数据", "issuing"),
    "timestamp": ("timestamp", "时间戳", "issuing"),
    "ocsp": ("ocsp", "OCSP", "issuing"),
    "root-ocsp": ("ocsp", "根 OCSP", "root"),
}
# Addresses go into certificates, tokens and the log's name, and paths are put behind them.
_ADDRESS = re.compile(
    r"https?://(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~-]{1,64}){0,8}"
)
BARE_KEYS: dict[str, KeyKind] = {"log": "Ed25519", "token": "P-256"}


@dataclass(frozen=True, slots=True)
class Plan:
    """What a home is made for."""

    agency_name: str
    agency_name_en: str
    agency_code: str
    base_url: str = "http://127.0.0.1:8000"
    ca_url: str = "http://127.0.0.1:8001"
    verify_url: str = "http://127.0.0.1:8002"
    wallet_url: str = "http://localhost:8003"
    office_url: str = "http://localhost:8004"
    database_url: str = "sqlite:///yinxin.db"
    people: tuple[str, str, str] = ("applicant", "prover", "registrar")

    def __post_init__(self) -> None:
        from credentials.face.seal_face import MAX_NAME  # noqa: PLC0415 - the typesetter takes a second

        CreditCode.parse(self.agency_code)
        if len({one_spelling(name) for name in self.people}) != 3:
            raise UsageError("a ceremony needs three different people: who applies, who proofs, who approves")
        for url in (self.base_url, self.ca_url, self.verify_url, self.wallet_url, self.office_url):
            if not _ADDRESS.fullmatch(url):
                raise UsageError(f"{url!r} is no address like https://licences.city.example:8443")
        checked_dns_names(dns_names_of(self.verify_url))  # they go into a certificate
        if len(self.agency_name) > MAX_NAME:
            raise UsageError(f"a seal's face has room for {MAX_NAME} characters of the agency's name")
        # What the longest certificate name of the ceremony is made of must hold before anything is written.
        subject_of(self.agency_name, max((suffix for _, suffix, _ in SERVICE_KEYS.values()), key=len))
        if not 0 < len(self.agency_name_en) <= 200 or not self.agency_name_en.isprintable():
            raise UsageError("the agency's English name is readable text of at most 200 characters")

    @property
    def own_loopback(self) -> tuple[str, ...]:
        """Those of its own services that stand on this machine: they fetch from each other."""
        found = [urlsplit(url) for url in (self.base_url, self.ca_url, self.verify_url)]
        numbers = [url.netloc for url in found if url.hostname in {"127.0.0.1", "::1"}]
        # What may be called is an address, whatever its name: `localhost` is either of these.
        named = [url.netloc.partition(":")[2] for url in found if url.hostname == "localhost"]
        return (*numbers, *(f"{host}:{port or 80}" for port in named for host in ("127.0.0.1", "[::1]")))


def make_home(
    directory: Path,
    plan: Plan,
    *,
    clock: Clock,
    passphrase: str | None = None,
    progress: Callable[[str], None] = lambda _name: None,
) -> Home:
    """Make a home in a folder that holds none; `Conflict` when one stands there.

    Without a passphrase a random one is written into the folder: right for a demo, wrong for an office.
    `progress` hears the name of each key as its certificate is there.
    """
    if (directory / SETTINGS).exists():
        raise Conflict(f"{directory} holds a home already")
    for part in (KEYS, REVOCATION, "trust"):
        (directory / part).mkdir(parents=True, exist_ok=True)
    (directory / KEYS).chmod(0o700)
    if passphrase is None:
        passphrase = secrets.token_urlsafe(18)
        write_new_file(directory / PASSPHRASE, passphrase.encode(), mode=PRIVATE)
    write_new_file(directory / SETTINGS, _settings(plan).encode())
    document_key = wrap_key(secrets.token_bytes(KEY_BYTES), passphrase)
    write_new_file(directory / KEYS / DOCUMENT_KEY, document_key, mode=PRIVATE)
    home = Home.open(directory, passphrase=passphrase, clock=clock)
    home.database.migrate()
    _Ceremony(home, plan, passphrase, progress).run()
    return home


def certify(
    home: Home, name: str, key: PublicKey, *, people: tuple[str, str, str]
) -> tuple[Certificate, ...]:
    """A certificate chain for the key of this name: the seal's by the way that every organisation goes.

    `people` are who applies, who proofs and who approves; a service's key needs the last only.
    `UsageError` for a name that has no certificate of this kind.
    """
    registrar = staff(people[2], roles=("registrar",))
    if name == SEAL:
        authority = open_authority(home, "issuing")
        return (_certify_seal(home, authority, key, people), *authority.chain)
    if name not in SERVICE_KEYS:
        raise UsageError(f"no certificate is issued to {name!r}; known: {', '.join((SEAL, *SERVICE_KEYS))}")
    profile, suffix, issuer = SERVICE_KEYS[name]
    authority = open_authority(home, issuer)
    # Wallets that look for a host's name find it: x509_san_dns (OpenID4VP, 5.9.3).
    hosts = dns_names_of(home.settings.verify_url) if name == "request" else ()
    # Whose licences a key signs stands in its certificate: a printed code names its agency by the credit code.
    code = CreditCode.parse(home.settings.agency_code) if name in {CREDENTIAL, MDOC} else None
    subject = replace(subject_of(home.settings.agency_name, suffix), credit_code=code)
    application = Application(subject, key, dns_names=hosts)
    return (authority.issue(profile, application, actor=registrar), *authority.chain)


def _certify_seal(
    home: Home, authority: Authority, key: PublicKey, people: tuple[str, str, str]
) -> Certificate:
    applicant, prover = (staff(name, roles=("clerk",)) for name in people[:2])
    agency, code = home.settings.agency_name, CreditCode.parse(home.settings.agency_code)
    registration = Registration(home.database, authority, home.clock)
    identifier = registration.apply(
        "organisation-seal", subject_of(agency, "电子印章"), credit_code=code, public_key=key, actor=applicant
    )
    evidence = hashlib.sha256(f"{agency}{code}".encode()).hexdigest()
    proofing = Proofing(ProofingMethod.COUNTER, "key ceremony", evidence)
    registration.record_proofing(identifier, proofing, actor=prover)
    return registration.approve(identifier, staff(people[2], roles=("registrar",)))


class _Ceremony:
    """One run: the authorities first, then every key of the agency."""

    def __init__(self, home: Home, plan: Plan, passphrase: str, progress: Callable[[str], None]) -> None:
        self._home, self._plan, self._passphrase, self._progress = home, plan, passphrase, progress
        self._registrar = staff(plan.people[2], roles=("registrar",))

    def run(self) -> None:
        """Everything, in order."""
        root = self._authority("root", "根", None)
        issuing = self._authority("issuing", "签发机构", root)
        for name in (SEAL, *SERVICE_KEYS):
            signer = self._key(name)
            self._store(name, certify(self._home, name, signer.public_key, people=self._plan.people))
        for name, kind in BARE_KEYS.items():
            self._key(name, kind)
            self._progress(name)
        TrustStore([TrustAnchor(root.certificate)]).save(self._home.settings.trust_directory)
        publish_lists(self._home, (root, issuing))

    def _authority(self, name: str, suffix: str, issuer: Authority | None) -> Authority:
        authority = Authority.create(
            name,
            database=self._home.database,
            signer=self._key(name),
            subject=subject_of(self._plan.agency_name, suffix),
            issuer=issuer,
            clock=self._home.clock,
            actor=self._registrar,
            base_url=self._home.settings.ca_url,
        )
        self._store(name, authority.chain)
        return authority

    def _key(self, name: str, kind: KeyKind = "P-256") -> FileSigner:
        signer = FileSigner.generate(kind)
        signer.save(self._home.key_file(name), passphrase=self._passphrase)
        return signer

    def _store(self, name: str, chain: tuple[Certificate, ...]) -> None:
        pem = b"".join(certificate.to_pem() for certificate in chain)
        write_new_file(self._home.key_file(name).with_suffix(".chain.pem"), pem)
        self._progress(name)


def subject_of(agency: str, suffix: str) -> SubjectName:
    """The name in a certificate of the agency; `InvalidClaims` for text that no certificate may hold."""
    return SubjectName(country="CN", organisation=agency, common_name=f"{agency} {suffix}".strip())


def dns_names_of(url: str) -> tuple[str, ...]:
    """The host of an address, where it has a name and not only a number."""
    host = urlsplit(url).hostname or ""
    is_number = ":" in host or host.rpartition(".")[2].isdecimal()
    return () if is_number else (host,)


def publish_lists(home: Home, authorities: tuple[Authority, ...]) -> None:
    """Write each authority's current revocation list into the home, whole."""
    for authority in authorities:
        replace_file(home.directory / REVOCATION / f"{authority.name}.crl", authority.crl(), mode=READABLE)


def open_authority(home: Home, name: str) -> Authority:
    """An authority of this home with its key."""
    return Authority.open(
        name,
        database=home.database,
        signer=home.signer(name),
        clock=home.clock,
        base_url=home.settings.ca_url,
    )


def _settings(plan: Plan) -> str:
    rows = {
        "database_url": plan.database_url,
        "trust_directory": "trust",
        "base_url": plan.base_url,
        "ca_url": plan.ca_url,
        "verify_url": plan.verify_url,
        "wallet_url": plan.wallet_url,
        "office_url": plan.office_url,
        "agency_name": plan.agency_name,
        "agency_name_en": plan.agency_name_en,
        "agency_code": plan.agency_code,
        "timestamp_url": f"{plan.ca_url}/tsa",
        "audit_origin": f"{plan.base_url.partition('://')[2]}/audit",
    }
    lines = [f"{name} = {toml_text(value)}" for name, value in rows.items()]
    lists = {
        "crl_urls": (f"{plan.ca_url}/crl/root.crl", f"{plan.ca_url}/crl/issuing.crl"),
        "status_urls": (f"{plan.base_url}/status",),
        "type_urls": (f"{plan.base_url}/types",),
        "outbound_allowed_private": plan.own_loopback,
    }
    lines += [f"{name} = {toml_texts(values)}" for name, values in lists.items()]
    return "\n".join([*lines, ""])
