"""Verify the code printed on a licence at the command line: from its text, or from a picture of it.

Nothing is fetched. With a home its register is asked about the agency's own licences; without one the report
says that today's status is not known.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from credentials.catalogue import Catalogue
from credentials.printed_code import (
    IssuerCertificates,
    PrintedCodeVerifier,
    RegisterAnswer,
    code_addresses,
    read,
)
from credentials.printed_code.issuers import MAX_LIST_BYTES, addresses_from_json
from credentials.standing import unknown
from signing.policy import Policy
from signing.reasons import Reason
from signing.report import Check, Report
from signing.trust import TrustStore
from verify_api.register import RepositoryRegister
from yinxin.app.home import Home, revocation_from
from yinxin.app.pictures import read_codes
from yinxin.app.trust_lists import stands_on
from yinxin.base.errors import MalformedInput, UnknownLicenceType, UsageError
from yinxin.base.files import read_file
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from credentials.fields import Field
    from credentials.licence_type import LicenceType
    from signing.trust_list import ServingList
    from yinxin.base.clock import Clock

PICTURES = (".png", ".jpg", ".jpeg")


@dataclass(frozen=True, slots=True)
class Sources:
    """Where an offline verifier finds what it stands on; what is not named comes from the home."""

    trust: Path | None = None
    crls: Sequence[Path] = ()
    issuers: Path | None = None
    addresses: Sequence[str] = ()
    listed: ServingList | None = None


class CodeExaminer:
    """Looks at printed codes against one set of snapshots."""

    def __init__(
        self, verifier: PrintedCodeVerifier, *, clock: Clock, home: Home | None, catalogue: Catalogue
    ) -> None:
        self._verifier, self._clock, self._catalogue = verifier, clock, catalogue
        self._home = home

    @classmethod
    def of(cls, sources: Sources, *, home: Home | None, clock: Clock) -> CodeExaminer:
        """From files, from a home, or from both; `UsageError` when nothing says whose codes are trusted."""
        issuers, addresses = IssuerCertificates(), set(sources.addresses)
        if home:
            settings = home.settings
            issuers = home.issuer_certificates
            addresses |= code_addresses(settings.verify_url, settings.base_url, *settings.trusted_hosts)
        if sources.issuers:
            data = read_file(sources.issuers, limit=MAX_LIST_BYTES)
            issuers = issuers.merged_with(IssuerCertificates.from_json(data))
            addresses |= addresses_from_json(data)
        known = stands_on(home) if home and not sources.trust else None
        store = TrustStore.load(sources.trust) if sources.trust else known.trust if known else TrustStore(())
        serving = sources.listed or (known.trust_list if known else None)
        if serving:
            addresses |= code_addresses(*(f"https://{host}" for host in serving.hosts))
        if sources.listed:
            store = store.merged_with(sources.listed.trust(clock.now()))
        if not issuers.entries or not addresses:
            raise UsageError("a code is verified with --home, or with --trust and --issuers")
        verifier = PrintedCodeVerifier(
            store,
            issuers=issuers,
            addresses=addresses,
            revocation=home.revocation if home and not sources.crls else revocation_from(sources.crls),
            policy=home.policy if home else Policy.default(),
            trust_list=serving,
        )
        folder = home.settings.catalogue_directory if home else None
        return cls(verifier, clock=clock, home=home, catalogue=Catalogue.load(folder))

    def examine(self, given: str, *, at: datetime | None = None) -> Iterator[Report[Any]]:
        """A report for a text, or for each code in a picture; never an error for a bad code."""
        now = at or self._clock.now()
        if not given.lower().endswith(PICTURES) or given.lower().startswith(("http://", "https://")):
            yield self._report(given, now)
            return
        codes = read_codes(Path(given))
        if not codes:
            check = Check(
                "format", Reason.PRINTED_CODE_MALFORMED, detail="no QR code was found in the picture"
            )
            yield Report("printed-code", "", now, now, (check,))
        for code in codes:
            yield self._report(code, now)

    def facts(self, report: Report[Any]) -> list[tuple[Text, Text]]:
        """What a genuine code says, for people: labels and values."""
        found = report.findings
        if not found:
            return []
        kind = self._kind(found["type"])
        rows = [(Text("证照类型", "type"), kind.name if kind else _same(found["type"]))]
        for name, value in found["fields"].items():
            field = _field(kind, name)
            rows.append((field.label if field else _same(name), _shown(field, value)))
        rows.append((Text("签发证书", "issuer"), _same(f"{found['issuer']} ({found['agency']})")))
        return [*rows, (Text("电子证照标识", "identifier"), _same(found["licence"]))]

    def _report(self, text: str, now: datetime) -> Report[Any]:
        return self._verifier.verify(text, now=now, registered=self._registered(text, now))

    def _registered(self, text: str, now: datetime) -> RegisterAnswer | None:
        """The register's answer about the agency's own licences; of another's it knows nothing."""
        try:
            code = read(text)
        except MalformedInput:
            return None
        if self._home is None or code.agency != self._home.settings.agency_code:
            return None
        entry = RepositoryRegister(self._home.database).find(str(code.identifier))
        if entry is None:
            return RegisterAnswer(unknown(as_of=now, known_at=now), None)
        version = entry.version_at(as_of=now, known_at=now)
        return RegisterAnswer(version.standing(as_of=now, known_at=now), version.licence)

    def _kind(self, number: str) -> LicenceType | None:
        try:
            return self._catalogue.by_number(number)
        except UnknownLicenceType:
            return None


def _field(kind: LicenceType | None, name: str) -> Field | None:
    return next((one for one in kind.fields if one.name == name), None) if kind else None


def _shown(field: Field | None, value: Any) -> Text:
    if isinstance(value, dict):
        start = value["start"]
        return Text(
            f"{start}……（内容较长，二维码仅含开头和摘要）", f"{start}… (long: the code holds a digest of it)"
        )
    try:
        return field.shown(value) if field else _same("; ".join(value) if isinstance(value, list) else value)
    except (ValueError, ArithmeticError):  # not of the form that the type says today
        return _same(str(value))


def _same(text: str) -> Text:
    return Text(text, text)
