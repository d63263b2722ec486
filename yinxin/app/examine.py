"""Verify a file that somebody brings to the command line: the same engine as the service, in this process.

PDFs, credentials (SD-JWT VC, mdoc), receipts and signatures beside a file (`.p7s`) are told apart by their
content. With a home, a licence is also looked up in its register. Nothing is fetched, nothing is written, and a
bad file is a report, never an error. A report follows from the exhibit, the snapshots and the register's entry
alone, so that `yinxin.app.decisions` can make it again.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from credentials.mdoc.transcript import is_transcript
from credentials.sd_jwt import SdJwt
from credentials.signed_tokens import chain_of
from signing import cms, detached, pdf
from signing.jose import parse_jws
from signing.policy import Policy
from signing.reasons import Reason
from signing.report import Check, Report
from signing.trust import TrustStore
from verify_api import documents
from verify_api.documents import Kind, Material, Snapshots
from verify_api.mdocs import MdocFile
from verify_api.receipts import RECEIPT_TYP, verify_receipt
from verify_api.register import RepositoryRegister
from verify_api.verification import Assessment, Moments, assess
from verify_api.workers import Outcome, OutcomeState
from yinxin.app.home import Home, revocation_from
from yinxin.app.trust_lists import stands_on
from yinxin.base.errors import MalformedInput, TooLarge, UsageError
from yinxin.base.files import MAX_FILE_BYTES, read_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from signing.certificates import Certificate
    from signing.trust_list import ServingList
    from verify_api.register import LicenceRegister
    from yinxin.app.gathering.library import Gathered
    from yinxin.base.clock import Clock

_ONE_OF_TWO = (
    "an audience and a nonce are for an SD-JWT VC, a transcript is for an mdoc; other files have none"
)
SIGNATURE_SUFFIXES = frozenset({".p7s", ".p7m"})


@dataclass(frozen=True, slots=True)
class Exhibit:
    """What is looked at: a file's name and bytes, and the content that a signature beside it is about.

    Content is bytes, or a file that is read in pieces.
    """

    name: str
    data: bytes
    content: bytes | Path | None = None

    @classmethod
    def of(cls, file: Path) -> Exhibit:
        """A file of this machine; `NotFound` when there is none, `TooLarge`."""
        data = read_file(file, limit=documents.MAX_DOCUMENT_BYTES)
        beside = file.with_suffix("")
        if not _is_beside(file.name, data) or not beside.is_file():
            return cls(file.name, data)
        return cls(file.name, data, beside)

    def held(self) -> Exhibit:
        """The same with its content in memory; `TooLarge`."""
        return replace(self, content=read_file(self.content)) if isinstance(self.content, Path) else self


@dataclass(frozen=True, slots=True)
class Demand:
    """Whom a presentation must have been made for: then whoever made it proves to hold the credential's key.

    An SD-JWT VC names `audience` and `nonce`; an mdoc's device signs the `transcript` of its session, encoded.
    """

    audience: str | None = None
    nonce: str | None = None
    transcript: bytes | None = None

    def __post_init__(self) -> None:
        """`UsageError` for half of one, and for bytes that are no transcript (ISO/IEC 18013-5, 9.1.5.1)."""
        if bool(self.audience) != bool(self.nonce):
            raise UsageError("an audience and a nonce are demanded together")
        if self.transcript is not None and not is_transcript(self.transcript):
            raise UsageError("the file holds no session transcript: encoded CBOR, an array of three")

    def require_for(self, kind: str) -> None:
        """`UsageError` where this is not what such a presentation can answer to."""
        fits = {"sd-jwt-vc": self.nonce, "mdoc": self.transcript}
        if fits.get(kind) is None or None not in {self.nonce, self.transcript}:
            raise UsageError(_ONE_OF_TWO)


class Examiner:
    """Looks at files against one set of snapshots."""

    def __init__(
        self,
        snapshots: Snapshots,
        *,
        clock: Clock,
        home: Home | None = None,
        register: LicenceRegister | None = None,
    ) -> None:
        """Keep what verification stands on; a `register`, or that of a `home`, knows licences."""
        self.trust = snapshots.trust
        self.snapshots = snapshots
        self.clock = clock
        self.register = RepositoryRegister(home.database) if home else register

    @classmethod
    def of(  # noqa: PLR0913 - what a command can be told to stand on
        cls,
        trust: Path | None,
        crls: Sequence[Path],
        *,
        home: Home | None,
        clock: Clock,
        listed: ServingList | None = None,
        policy: Path | None = None,
        gathered: Gathered | None = None,
    ) -> Examiner:
        """From a folder of anchors and some lists, or from a home, or with no trust at all.

        A trust list that is named, or else the home's own where no folder is, brings anchors and says who may
        issue what. `policy` is a file that decides in place of the home's. `gathered` is evidence beside that of
        the home or the lists.
        """
        known = stands_on(home) if home and not trust else None
        store = TrustStore.load(trust) if trust else known.trust if known else TrustStore(())
        serving = listed or (known.trust_list if known else None)
        if listed:
            store = store.merged_with(listed.trust(clock.now()))
        revocation = revocation_from(crls) if crls or not home else home.revocation
        if gathered:
            store = store.with_known(gathered.certificates)
            revocation = revocation.merged_with(gathered.revocation)
        # Makers of other documents rarely say by an extended key usage what their keys are for.
        rules = home.policy if home else Policy.default().with_changes(strict_usage=False)
        if policy:
            rules = Policy.from_toml(read_file(policy))
        return cls(Snapshots(store, revocation, rules, trust_list=serving), clock=clock, home=home)

    @classmethod
    def standing_on(cls, trust: TrustStore, *, listed: ServingList | None, clock: Clock) -> Examiner:
        """With these anchors alone, and a list of who may issue what where there is one."""
        rules = Policy.default().with_changes(strict_usage=False)
        return cls(Snapshots(trust, policy=rules, trust_list=listed), clock=clock)

    def examine(self, file: Path, *, at: datetime | None = None, demand: Demand | None = None) -> Report[Any]:
        """The report on one file; `NotFound` only when there is no such file.

        With a `demand` the file is a presentation that must answer to it; `UsageError` for another file.
        """
        if _is_large_pdf(file):
            if demand:
                demand.require_for("pdf")
            return self._large_pdf(file, at)
        try:
            exhibit = Exhibit.of(file)
        except TooLarge as error:
            now = self.clock.now()
            check = Check("size", Reason.TOO_LARGE, detail=error.detail)
            return Report("file", "", now, now, (check,), self.snapshots.policy.hash)
        return self._shown(exhibit, at, demand) if demand else self.look_at(exhibit, at=at)

    def look_at(self, exhibit: Exhibit, *, at: datetime | None = None) -> Report[Any]:
        """The report on what is at hand; of a presentation it says nothing of who holds it."""
        now, data = self.clock.now(), exhibit.data
        kind = documents.kind_of(data)
        if kind is Kind.PDF:
            return self._pdf(data, now, at)
        if kind is Kind.PRESENTATION:
            return Material(self.snapshots).verifier.verify(
                data.decode("ascii").strip(), now=at or now, require_key_binding=False
            )
        if _is_receipt(data):
            return verify_receipt(
                data.decode("ascii").strip(),
                self.trust,
                now=at or now,
                revocation=self.snapshots.revocation,
                policy=self.snapshots.policy,
            )
        if _is_beside(exhibit.name, data):
            return self._beside(exhibit, now, at)
        if mdoc := MdocFile.of(data):
            return mdoc.verify(Material(self.snapshots).mdoc_verifier, now=at or now)
        examined = documents.examine_unknown(data)
        return Report(
            str(examined.kind), examined.digest, at or now, now, examined.checks, self.snapshots.policy.hash
        )

    def _shown(self, exhibit: Exhibit, at: datetime | None, demand: Demand) -> Report[Any]:
        """The report on a presentation that was made for somebody."""
        now, data = at or self.clock.now(), exhibit.data
        if documents.kind_of(data) is Kind.PRESENTATION:
            demand.require_for("sd-jwt-vc")
            text = data.decode("ascii").strip()
            verifier = Material(self.snapshots).verifier
            return verifier.verify(text, audience=demand.audience, nonce=demand.nonce, now=now)
        mdoc = MdocFile.of(data)
        if mdoc is None:
            raise UsageError(_ONE_OF_TWO)
        demand.require_for("mdoc")
        return mdoc.verify(Material(self.snapshots).mdoc_verifier, now=now, transcript=demand.transcript)

    def chains(self, file: Path) -> list[tuple[Certificate, ...]]:
        """The certificates behind the file's signers, leaf first, up to our anchor where one fits."""
        data = read_file(file, limit=documents.MAX_DOCUMENT_BYTES)
        kind, chains = documents.kind_of(data), []
        with suppress(MalformedInput):  # the report says so
            if kind is Kind.PDF:
                chains = pdf.certificate_chains(data)
            elif kind is Kind.PRESENTATION:
                text = data.decode("ascii").strip()
                credential = SdJwt.from_json(text) if text.startswith("{") else SdJwt.parse(text)
                chains = [chain_of(credential.issuer_jwt)]
            elif _is_beside(file.name, data):
                chains = cms.chains(data)
            elif mdoc := MdocFile.of(data):
                chains = [mdoc.chain]
        return [self._to_anchor(chain) for chain in chains if chain]

    def _to_anchor(self, chain: tuple[Certificate, ...]) -> tuple[Certificate, ...]:
        """A file rarely brings the anchor itself: it is ours to have."""
        above = [anchor.certificate for anchor in self.trust.issuers_of(chain[-1])]
        genuine = [one for one in above if one not in chain and chain[-1].is_issued_by(one)]
        return (*chain, *genuine[:1])

    def _pdf(self, data: bytes, now: datetime, at: datetime | None) -> Report[Any]:
        material = Material(self.snapshots)
        answer = documents.examine_pdf(material.shared.value, data, now)
        examined = documents.read_pdf_outcome(data, Outcome(OutcomeState.DONE, answer), material)
        if self.register is None:
            return _alone(examined, now, at)
        entry = self.register.find(examined.licence) if examined.licence else None
        assessment = assess(examined, entry, moments=Moments(now, as_of=at))
        return replace(assessment.report, findings={**_findings(examined), "standing": _standing(assessment)})

    def _large_pdf(self, file: Path, at: datetime | None) -> Report[Any]:
        """A PDF that stays on the disk: larger than any licence, so it is not asked which one it is."""
        kept, now = self.snapshots, self.clock.now()
        stands: dict[str, Any] = {"revocation": kept.revocation, "policy": kept.policy}
        report = pdf.verify_file(file, kept.trust, now=now, at=at, **stands)
        found = report.require().signatures if report.passed else ()
        codes = [code for one in found for code in documents.organisations(one.certificate)]
        shown = documents.plain_signatures(report)
        return replace(report, findings={"signatures": shown, "signed_by": codes, "licence": None})

    def _beside(self, exhibit: Exhibit, now: datetime, at: datetime | None) -> Report[Any]:
        """A signature in a file of its own: what it signs lies beside it, without the last suffix."""
        kept, content = self.snapshots, exhibit.content
        stands: dict[str, Any] = {"revocation": kept.revocation, "policy": kept.policy, "now": now, "at": at}
        if not isinstance(content, Path):
            return detached.verify(exhibit.data, content, kept.trust, **stands)
        with content.open("rb") as opened:
            return detached.verify(exhibit.data, opened, kept.trust, **stands)


def _alone(examined: documents.Examined, now: datetime, at: datetime | None) -> Report[Any]:
    """What the document says by itself, where no register is at hand."""
    checks = (*examined.checks, *_agency_check(examined))
    return Report(
        str(examined.kind), examined.digest, at or now, now, checks, examined.policy, examined.snapshots,
        _findings(examined),
    )  # fmt: skip


def _findings(examined: documents.Examined) -> dict[str, Any]:
    """Who signed, and which licence it says it is: a genuine seal says little before one knows whose it is."""
    return {
        "signatures": list(examined.signatures),
        "signed_by": list(examined.signed_by),
        "licence": examined.licence,
    }


def _standing(assessment: Assessment) -> list[dict[str, str]]:
    """How the licence stands, and what became of a commitment: in words for people."""
    found = assessment.asked or assessment.now
    texts = (found.text, found.commitment_text) if found else ()
    return [text.to_dict() for text in texts if text]


def _agency_check(examined: documents.Examined) -> tuple[Check, ...]:
    """Whether the agency that a licence names is among those who sealed it."""
    if examined.items is None:
        return ()
    good = examined.items.get("certificate_issuing_authority_code") in examined.signed_by
    return (Check("seal of the agency", None if good else Reason.ISSUER_MISMATCH),)


def _is_large_pdf(file: Path) -> bool:
    """Whether it is a PDF of more than is kept in memory, and of no more than is looked at."""
    try:
        if not documents.MAX_DOCUMENT_BYTES < file.stat().st_size <= MAX_FILE_BYTES:
            return False
        with file.open("rb") as opened:
            return b"%PDF-" in opened.read(1024)
    except (OSError, ValueError):
        return False


def _is_beside(name: str, data: bytes) -> bool:
    """Whether it is a signature in a file of its own."""
    return data[:1] == b"\x30" and PurePath(name).suffix.lower() in SIGNATURE_SUFFIXES


def _is_receipt(data: bytes) -> bool:
    try:
        token = parse_jws(data[: documents.MAX_PRESENTATION_CHARACTERS].decode("ascii").strip())
    except (MalformedInput, UnicodeDecodeError):
        return False
    return token.header.get("typ") == RECEIPT_TYP
