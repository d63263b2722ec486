"""What a page shows of an answer: pure functions from the answer's content to values for templates.

Nothing here decides anything. Whatever comes from a document, a wallet or a register passes `legible`; what
is ours is a `Text`. `content` is what a department was answered (`verify_api.verification.reduce`) or, with
less in it, `content_for_anybody`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from credentials.licence import CHINA
from credentials.standing import Standing, State
from signing.reasons import Reason
from signing.report import Indication
from signing.report.checks import kind_of
from verify_api.documents import Kind
from verify_api.pages.legible import legible
from verify_api.pages.words import age, check_name
from verify_api.verification import NO_LICENCE_STATE, conclusion, reduce_for_anybody
from yinxin.base.errors import UnknownLicenceType, UsageError
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from credentials.catalogue import Catalogue
    from credentials.licence_type import LicenceType
    from verify_api.departments import Department
    from verify_api.documents import Snapshots
    from verify_api.repository import StoredVerification
    from verify_api.verification import Assessment

MAX_PICTURE_CHARACTERS = 1 << 20
MAX_ITEMS, MAX_DEPTH = 50, 4
ZONE = " UTC+8"
# Pictures that cannot hold a script; what else a data: address may be is text.
_PICTURE = re.compile(r"data:image/(?:jpeg|png);base64,[A-Za-z0-9+/]{16,}={0,2}", re.ASCII)
_ORDER = tuple(map(str, (Indication.PASSED, Indication.INDETERMINATE, Indication.FAILED)))
_SUBJECTS = {
    "pdf": Text("PDF 文件", "PDF file"),
    "sd-jwt-vc": Text("电子凭证", "Credential from a wallet"),
    "mdoc": Text("移动证照（mdoc）", "Credential from a wallet (mdoc)"),
    "licence": Text("证照标识或编号", "Identifier or number"),
    "unknown": Text("文件", "File"),
}


@dataclass(frozen=True, slots=True)
class ReasonView:
    """Why, and what to do next."""

    code: str
    text: Text
    next_step: Text
    clause: str


@dataclass(frozen=True, slots=True)
class CheckView:
    """One thing that was checked, and by which clause; `field` names the signature it is about."""

    name: Text
    indication: str
    field: str = ""
    clause: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """A name and its value."""

    label: Text
    value: Text


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the status was read from, when that was made, and how long ago that is."""

    what: Text
    at: str
    age: Text


@dataclass(frozen=True, slots=True)
class LicenceView:
    """The licence, as far as it may be said."""

    type_name: Text
    agency: Text
    identifier: str
    validity: Text
    holder: str
    facts: tuple[Fact, ...]
    pictures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ResultView:
    """All that a page shows of one verification. `kind` is passed, failed or indeterminate."""

    kind: str
    words: Text
    subject: Text
    state: Text | None
    state_kind: str
    at: str
    digest: str
    reference: str
    reasons: tuple[ReasonView, ...]
    checks: tuple[CheckView, ...]
    evidence: tuple[Evidence, ...]
    signers: tuple[str, ...]
    licence: LicenceView | None
    then: str = ""
    slip: str = ""
    says: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class Recorded:
    """For whom and by whom it was verified."""

    department: Text
    clerk: str
    purpose: str
    matter: str
    licence: str = ""

    @classmethod
    def of(cls, content: Mapping[str, Any], department: Department) -> Recorded:
        """What an answer or a record says of it."""
        clerk = legible(str(content.get("clerk") or ""), most=200)
        named = content.get("licence")  # of a record; an answer has more of it
        licence = legible(named, most=200) if isinstance(named, str) else ""
        purpose, matter = str(content["purpose"]), str(content["matter"])
        return cls(clean(department.name), clerk, purpose, matter, licence)


@dataclass(frozen=True, slots=True)
class RecordRow:
    """A recorded verification in a list."""

    id: str
    at: str
    kind: str
    words: Text
    matter: str
    clerk: str


def content_for_anybody(assessment: Assessment, reference: str) -> dict[str, Any]:
    """What a page tells somebody unknown: verdict and status, and why, without a word of the licence's."""
    said, report = reduce_for_anybody(assessment), assessment.report
    ordered = sorted(report.reasons, key=lambda reason: reason.code)
    return {
        **said,
        "id": reference,
        "subject": report.subject,
        "digest": {"algorithm": "sha-256", "value": report.digest},
        "at": report.at.isoformat(),
        "status": {"now": said["status"]},
        "reasons": [reason.to_dict() for reason in ordered],
        "checks": [{"name": one.name, "indication": str(one.indication)} for one in report.checks],
        "snapshots": dict(report.snapshots),
    }


def result_view(content: Mapping[str, Any], catalogue: Catalogue, snapshots: Snapshots) -> ResultView:
    """The page of one answer."""
    indication, now = str(content["indication"]), (content.get("status") or {}).get("now")
    at, is_number = datetime.fromisoformat(content["at"]), content["subject"] == Kind.LICENCE
    is_licence = (now or {}).get("state") != NO_LICENCE_STATE and not _is_no_licence(content)
    headline, state = _headline(content, now), _text(now["text"]) if now and is_licence else None
    return ResultView(
        # A genuine seal on what is no licence is no green light for anything.
        kind=indication if indication != Indication.PASSED or is_licence else str(Indication.INDETERMINATE),
        words=headline,
        subject=_SUBJECTS.get(str(content["subject"]), _SUBJECTS["unknown"]),
        state=state if state != headline else None,  # said once
        state_kind=_state_kind(now),
        at=moment(at),
        # A number has no file behind it that was signed at some time, or has a digest.
        digest="" if is_number else str(content["digest"]["value"]),
        reference=str(content.get("id", "")),
        reasons=tuple(_reason(one) for one in content["reasons"]),
        checks=_checks(content["checks"]),
        evidence=tuple(evidence_of(content.get("snapshots") or {}, snapshots, now=at)),
        signers=tuple(
            legible(str(one.get("signer") or ""), most=200) for one in content.get("signatures", ())
        ),
        licence=_licence(content, catalogue),
        then="" if is_number else str(content.get("then", "")),
        slip=str((content.get("slip") or {}).get("number", "")),
        says=tuple(_statements(content.get("signatures", ()))),
    )


def _statements(signatures: Iterable[Mapping[str, Any]]) -> Iterator[Text]:
    """What signers state beyond who and when, each line with whose it is."""
    for one in signatures:
        name = legible(str(one.get("signer") or ""), most=200)
        for line in one.get("says", ()):
            zh, en = (legible(str(line[language]), most=600) for language in ("zh", "en"))
            yield Text(f"{name}：{zh}", f"{name}: {en}")


def record_row(stored: StoredVerification) -> RecordRow:
    """A row of the list of recorded verifications."""
    content = stored.content
    kind = Indication(content["indication"])
    clerk = legible(str(content.get("clerk") or ""), most=200)
    at = moment(stored.at).removesuffix(ZONE)
    return RecordRow(stored.id, at, str(kind), conclusion(kind), str(content["matter"]), clerk)


def record_view(found: Mapping[str, Any], catalogue: Catalogue, snapshots: Snapshots) -> ResultView:
    """The page of a recorded verification: what was found then, without what the licence said."""
    at, state = datetime.fromisoformat(found["at"]), found.get("state")
    words = Standing(State(state), at, at).text.to_dict() if state else None
    status = {"now": {"state": state, "text": words} if state else None}
    content = {**found, "status": status, "checks": (), "snapshots": {}, "licence": None}
    return result_view(content, catalogue, snapshots)


def outcome_view(outcome: Mapping[str, Any]) -> ResultView:
    """The verdict on all that a holder showed together."""
    reasons = [Reason[code.upper()].to_dict() for code in outcome["reasons"]]
    kind = Indication(outcome["indication"])
    return ResultView(
        kind=str(kind),
        words=conclusion(kind),
        subject=_SUBJECTS["sd-jwt-vc"],
        state=None,
        state_kind="",
        at="",
        digest="",
        reference="all",
        reasons=tuple(map(_reason, reasons)),
        checks=(),
        evidence=(),
        signers=(),
        licence=None,
    )


def evidence_of(named: Mapping[str, str], snapshots: Snapshots, *, now: datetime) -> Iterator[Evidence]:
    """How old what it stands on is, as far as the snapshots that it names are still those at hand."""
    if "register" in named:
        yield _evidence(Text("证照库", "Licence register"), now, now)
    issued = [one.issued_at for one in snapshots.statuses.values() if one.digest == named.get("status")]
    if issued:
        yield _evidence(Text("凭证状态列表", "Status list of credentials"), issued[0], now)
    revocation = snapshots.revocation
    if named.get("revocation") == revocation.snapshot_id and revocation.crls:
        oldest = min(crl.this_update for crl in revocation.crls)
        yield _evidence(Text("证书吊销列表", "Certificate revocation lists"), oldest, now)


def moment(at: datetime) -> str:
    """A time as the agency's clocks show it."""
    return f"{at.astimezone(CHINA):%Y-%m-%d %H:%M:%S}{ZONE}"


def _evidence(what: Text, at: datetime, now: datetime) -> Evidence:
    return Evidence(what, moment(at), age(now - at))


def _is_no_licence(content: Mapping[str, Any]) -> bool:
    """A department's answer says it by having no standing at all."""
    return content["indication"] == Indication.PASSED and not (content.get("status") or {}).get("now")


def _headline(content: Mapping[str, Any], now: Mapping[str, Any] | None) -> Text:
    """The verdict in words; of a genuine licence that was superseded, by which version and when."""
    reasons = {str(one["code"]) for one in content["reasons"]}
    if now and now.get("state") == State.SUPERSEDED and reasons == {Reason.LICENCE_SUPERSEDED.code}:
        return _text(now["text"])
    return _text(content["text"])


def _state_kind(now: Mapping[str, Any] | None) -> str:
    state = str((now or {}).get("state", ""))
    if state == "in_force":
        return "passed"
    return "indeterminate" if state in {"", "unknown", NO_LICENCE_STATE} else "failed"


def _reason(one: Mapping[str, Any]) -> ReasonView:
    return ReasonView(str(one["code"]), _text(one["text"]), _text(one["next_step"]), str(one["clause"]))


def _checks(every: Iterable[Mapping[str, Any]]) -> tuple[CheckView, ...]:
    """Each thing once: what is looked at for every certificate of a path counts as the worst of them."""
    found: dict[tuple[str, Text], str] = {}
    clauses: dict[tuple[str, Text], str] = {}
    for one in every:
        field, _, name = str(one["name"]).rpartition("/")
        key = legible(field, most=80), check_name(name)
        clauses.setdefault(key, kind_of(name).clause)
        found[key] = max(found.get(key, _ORDER[0]), str(one["indication"]), key=_ORDER.index)
    return tuple(CheckView(name, kind, field, clauses[field, name]) for (field, name), kind in found.items())


def _signer(one: Mapping[str, Any]) -> str:
    return legible(str(one.get("signer") or ""), most=200)


def _licence(content: Mapping[str, Any], catalogue: Catalogue) -> LicenceView | None:
    licence, claims = content.get("licence"), content.get("claims") or {}
    if not licence:
        return None
    kind = _kind(catalogue, str(licence["type"]), licence.get("type_version"))
    holder = claims.get(kind.holder_name) if kind else None
    pictures = tuple(value for value in claims.values() if is_picture(value))
    apart = {kind.holder_name} if kind and isinstance(holder, str) else set()
    shown = [name for name in _ordered(claims, kind) if name not in apart and not is_picture(claims[name])]
    return LicenceView(
        type_name=_text(licence["type_name"]),
        agency=_text(licence["agency"]["name"]),
        identifier=legible(str(licence["identifier"]), most=200),
        validity=_validity(licence),
        holder=legible(holder, most=200) if isinstance(holder, str) else "",
        facts=(*_provenance(licence), *(_fact(name, claims[name], kind) for name in shown)),
        pictures=pictures,
    )


def _provenance(licence: Mapping[str, Any]) -> tuple[Fact, ...]:
    words = licence.get("provenance")
    return (Fact(Text("资料来源", "Source of the data"), _text(words)),) if words else ()


def is_picture(value: object) -> bool:
    """Whether a claim is a photograph that a page may show."""
    return isinstance(value, str) and len(value) <= MAX_PICTURE_CHARACTERS and bool(_PICTURE.fullmatch(value))


def _kind(catalogue: Catalogue, code: str, version: int | None) -> LicenceType | None:
    """The version of its type that a licence was issued under, or the one in force."""
    if found := [one for one in catalogue.versions(code) if one.version == version]:
        return found[0]
    try:
        return catalogue[code]
    except UnknownLicenceType:
        return None


def _ordered(claims: Mapping[str, Any], kind: LicenceType | None) -> list[str]:
    """The names of claims as the type has them, then those that it does not know."""
    known = [one.name for one in kind.fields if one.name in claims] if kind else []
    return [*known, *sorted(set(claims) - set(known))]


def _fact(name: str, value: object, kind: LicenceType | None) -> Fact:
    try:
        field = kind.field(name) if kind else None
        shown = field.shown(value) if field and isinstance(value, (str, list)) else None
    except (UsageError, ValueError, TypeError, ArithmeticError):  # not of the form that the type says
        field = shown = None
    label = field.label if field else Text(legible(name, most=80) or "?", legible(name, most=80) or "?")
    plain = _plain(value)
    return Fact(label, clean(shown) if shown else Text(plain, plain))


def _plain(value: object, depth: int = 0) -> str:
    """Any JSON value on one line."""
    if depth >= MAX_DEPTH:
        return "…"
    if isinstance(value, dict):
        said = [f"{name}: {_plain(one, depth + 1)}" for name, one in list(value.items())[:MAX_ITEMS]]
    elif isinstance(value, list):
        said = [_plain(one, depth + 1) for one in value[:MAX_ITEMS]]
    else:
        said = ["—" if value is None or value == "" else str(value)]
    return legible("；".join(said)) or "—"


def _validity(licence: Mapping[str, Any]) -> Text:
    first, last = str(licence["valid_from"]), licence.get("valid_until")
    return Text(f"{first} 至 {last or '长期'}", f"{first} to {last or 'no end'}")


def _text(value: Mapping[str, str]) -> Text:
    return clean(Text(value["zh"], value["en"]))


def clean(text: Text) -> Text:
    """A text of somebody else's in both languages, made legible."""
    return Text(legible(text.zh) or "—", legible(text.en) or "—")
