"""A home: the folder of one installation, with its settings, keys, trust anchors and snapshots.

    yinxin.toml        settings; paths in it are seen from the folder
    keys/NAME.pem      encrypted PKCS#8, one key for one use; NAME.chain.pem is its certificate chain
    keys/retired/      the certificate chains of keys that were renewed; what they signed still verifies
    keys/documents.key the key of the document store, wrapped by the same passphrase
    trust/             trust anchors
    trust-list/        the trust list that was taken last, and the roots that lead to it
    issuers/           certificates of other agencies whose printed codes are verified here
    documents/         the sealed PDFs, encrypted
    revocation/        certificate revocation lists, as the authorities published them last
    gathered/          what `yinxin gather` fetched: lists, answers, certificates of authorities
    yinxin.db          licences, certificates, departments, the audit log (unless PostgreSQL is set)

How a home is made is `yinxin.app.ceremony`; what runs on it is put together in `yinxin.app.wiring`.
"""

from __future__ import annotations

import hmac
import os
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from credentials.permission import EVERY_TYPE
from credentials.printed_code.issuers import IssuerCertificate, IssuerCertificates
from signing.certificates import Certificate, load_pem_chain
from signing.policy import Policy
from signing.revocation import Crl, RevocationSnapshot
from signing.signer import Signer, open_signer
from signing.trust import TrustStore
from yinxin.app.data_key import unwrap_key
from yinxin.app.gathering.library import Library
from yinxin.base.clock import Clock, SystemClock
from yinxin.base.database import Database
from yinxin.base.errors import NotFound, SignerUnavailable, UsageError
from yinxin.base.files import read_file
from yinxin.base.outbound import Outbound
from yinxin.base.settings import Settings
from yinxin.base.vault import Vault, read_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from signing.keys import PublicKey
    from signing.signers.file import FileSigner

SETTINGS, KEYS, REVOCATION, PASSPHRASE = "yinxin.toml", "keys", "revocation", "passphrase"
DOCUMENT_KEY = "documents.key"
RETIRED = "retired"
ISSUERS = "issuers"
GATHERED = "gathered"
_SQLITE = "sqlite:///"


class Home:
    """One installation. Opening reads nothing but the settings; everything else is opened when asked for."""

    def __init__(
        self,
        directory: Path,
        settings: Settings,
        *,
        passphrase: str | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Keep where things are; `open` reads the settings for you."""
        self.directory = directory
        self.settings = settings
        self.clock = clock or SystemClock()
        self._passphrase = passphrase
        self._signers: dict[str, Signer] = {}
        self._document_key: bytes | None = None

    @classmethod
    def open(
        cls, directory: str | Path, *, passphrase: str | None = None, clock: Clock | None = None
    ) -> Home:
        """The home in this folder; `NotFound` when there is none.

        Without a passphrase, a file named `passphrase` in the folder serves: that is how the demo, and
        nothing that matters, keeps it.
        """
        place = Path(directory)
        if not (place / SETTINGS).is_file():
            raise NotFound(f"{place} holds no {SETTINGS}; `yinxin ca init` makes a home there")
        settings = _seen_from(place, Settings.load(place / SETTINGS, os.environ))
        kept = place / PASSPHRASE
        if passphrase is None and kept.is_file():
            passphrase = read_file(kept, limit=1024).decode("utf-8").strip()
        return cls(place, settings, passphrase=passphrase, clock=clock)

    @property
    def has_passphrase(self) -> bool:
        """Whether keys can be opened."""
        return self._passphrase is not None

    @cached_property
    def database(self) -> Database:
        """The database of this installation."""
        return Database(self.settings.database_url, vault=Vault(self._personal_keys))

    @cached_property
    def outbound(self) -> Outbound:
        """The one way out."""
        return way_out(self.settings)

    @property
    def trust(self) -> TrustStore:
        """The trust anchors, read anew; beside them the certificates of authorities that were gathered."""
        return TrustStore.load(self.settings.trust_directory).with_known(self.library.read().certificates)

    @cached_property
    def library(self) -> Library:
        """What was gathered for this installation."""
        return Library(self.directory / GATHERED)

    @property
    def policy(self) -> Policy:
        """The validation policy."""
        file = self.settings.policy_file
        return Policy.from_toml(read_file(file)) if file else Policy.default()

    @property
    def credential_issuers(self) -> dict[str, tuple[str, ...]] | None:
        """Who may issue credentials of this register's licences: this agency, where it is one."""
        own = [name for name in ("credential", "mdoc") if name in self.key_names()]
        return (
            {EVERY_TYPE: tuple(dict.fromkeys(self.chain(name)[0].subject for name in own))} if own else None
        )

    def credential_keys(self) -> list[PublicKey]:
        """The keys of this agency's credentials, earlier ones too while their certificates last."""
        now, leaves = self.clock.now(), [chain[0] for chain in self.every_chain("credential")]
        return list(dict.fromkeys(leaf.public_key for leaf in leaves if now <= leaf.not_after))

    @property
    def issuer_certificates(self) -> IssuerCertificates:
        """Whose certificates the codes printed on paper are verified with.

        The agency's own, renewed ones too, and those in the folder `issuers`: PEM chains that name their
        agency, and lists (JSON) as verification services publish them.
        """
        folder, own = self.directory / ISSUERS, self.settings.agency_code
        has_own = self.key_file("credential").with_suffix(".chain.pem").is_file()
        chains = self.every_chain("credential") if has_own else []
        found = [IssuerCertificate.of(chain, agency=own) for chain in chains]
        found += [
            IssuerCertificate.of(load_pem_chain(read_file(path))) for path in sorted(folder.glob("*.pem"))
        ]
        lists = [IssuerCertificates.from_json(read_file(path)) for path in sorted(folder.glob("*.json"))]
        return IssuerCertificates([*(entry for one in lists for entry in one.entries), *found])

    @property
    def revocation(self) -> RevocationSnapshot:
        """The revocation lists, read anew, and what was gathered."""
        return self.own_revocation.merged_with(self.library.read().revocation)

    @property
    def own_revocation(self) -> RevocationSnapshot:
        """The revocation lists that people put into the home's folder, read anew."""
        return revocation_from(sorted((self.directory / REVOCATION).glob("*.crl")))

    def key_names(self) -> list[str]:
        """The keys that have a certificate here."""
        found = (self.directory / KEYS).glob("*.chain.pem")
        return sorted(path.name.removesuffix(".chain.pem") for path in found)

    def chain(self, name: str) -> tuple[Certificate, ...]:
        """The certificate chain of a key, leaf first."""
        return load_pem_chain(read_file(self.key_file(name).with_suffix(".chain.pem")))

    def every_chain(self, name: str) -> list[tuple[Certificate, ...]]:
        """The chain of a key and those of the keys it had before, in no order."""
        retired = (self.directory / KEYS / RETIRED).glob(f"{name}-*.chain.pem")
        return [self.chain(name), *(load_pem_chain(read_file(path)) for path in sorted(retired))]

    def signer(self, name: str) -> Signer:
        """The signer of this name, with its chain where it has one; opened once."""
        if name not in self._signers:
            if self._passphrase is None:
                raise SignerUnavailable(f"the key {name} needs the passphrase of this home")
            signer = open_signer(f"file:{self.key_file(name)}", secret=self._passphrase)
            chained = self.key_file(name).with_suffix(".chain.pem").is_file()
            self._signers[name] = self._certified(name, signer) if chained else signer
        return self._signers[name]

    def _certified(self, name: str, signer: Signer) -> Signer:
        chain = self.chain(name)
        if chain[0].public_key != signer.public_key:  # a renewal that was cut off between the two files
            raise SignerUnavailable(f"key and certificate of {name} are no pair: yinxin ca renew {name}")
        return signer.with_chain(chain)

    def save_key(self, signer: FileSigner, path: Path) -> None:
        """Write a new key under the passphrase of this home; `SignerUnavailable` without one."""
        if self._passphrase is None:
            raise SignerUnavailable("a new key needs the passphrase of this home")
        signer.save(path, passphrase=self._passphrase)

    def document_key(self) -> bytes:
        """The key of the document store: kept beside the others, wrapped by the same passphrase; opened once."""
        if self._document_key is None:
            if self._passphrase is None:
                raise SignerUnavailable("the document store needs the passphrase of this home")
            wrapped = read_file(self.directory / KEYS / DOCUMENT_KEY, limit=1024)
            self._document_key = unwrap_key(wrapped, self._passphrase)
        return self._document_key

    def _personal_keys(self) -> list[bytes]:
        """What personal data in the database is sealed with: the settings name them, the current one first."""
        return [self._personal_key(uri) for uri in self.settings.personal_data_keys]

    def _personal_key(self, uri: str) -> bytes:
        kind, _, place = uri.partition(":")
        if kind == "file" and place:
            return read_key(self.directory / place)  # an absolute path stays what it is
        if uri != "home:":
            raise UsageError(f"a key of personal data is home: or file:PATH, not {uri!r}")
        return hmac.digest(self.document_key(), b"yinxin personal data 1", "sha256")

    def key_file(self, name: str) -> Path:
        """Where a key lies."""
        return self.directory / KEYS / f"{name}.pem"


def way_out(settings: Settings, *, at_least_seconds: float = 0.0) -> Outbound:
    """The one way out as the settings allow it; `at_least_seconds` for what is large and nobody waits for."""
    return Outbound(
        allowed_private=settings.outbound_allowed_private,
        timeout_seconds=max(settings.outbound_timeout_seconds, at_least_seconds),
        max_bytes=settings.outbound_max_bytes,
        https_only=settings.outbound_https_only,
    )


def revocation_from(files: Iterable[Path]) -> RevocationSnapshot:
    """A snapshot of CRL files (DER or PEM)."""
    return RevocationSnapshot(Crl.from_der(read_file(path)) for path in files)


def _seen_from(place: Path, settings: Settings) -> Settings:
    """Relative paths in a home's settings are seen from the home, wherever the command runs."""
    url = settings.database_url
    if url.startswith(_SQLITE) and not url.startswith(_SQLITE + "/"):
        url = f"{_SQLITE}{(place / url.removeprefix(_SQLITE)).resolve()}"

    def inside(path: Path | None) -> Path | None:
        return place / path if path else None

    return replace(
        settings,
        database_url=url,
        trust_directory=place / settings.trust_directory,
        trust_list_root=inside(settings.trust_list_root),
        catalogue_directory=inside(settings.catalogue_directory),
        forms_directory=inside(settings.forms_directory),
        policy_file=inside(settings.policy_file),
        retention_file=inside(settings.retention_file),
        subject_rules_file=inside(settings.subject_rules_file),
        openid_client_secret_file=inside(settings.openid_client_secret_file),
        documents_keys_file=inside(settings.documents_keys_file),
        contacts_file=inside(settings.contacts_file),
        supervision_rules=inside(settings.supervision_rules),
    )
