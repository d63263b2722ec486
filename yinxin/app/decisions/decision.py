"""One decision as a value: what was asked, what it stands on, what came out; made, and made again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, datetime, timedelta
from typing import TYPE_CHECKING, Any

import yinxin
from signing.certificates import Certificate
from signing.jose import load_json_object
from signing.policy import Policy
from signing.revocation import Crl, OcspAnswer, RevocationSnapshot
from signing.trust import Period, TrustAnchor, TrustStore
from signing.trust_list import ServingList, TrustList
from verify_api.documents import Snapshots
from yinxin.app.decisions.register_facts import ArchivedRegister
from yinxin.app.examine import Examiner, Exhibit
from yinxin.base.errors import Conflict, MalformedInput, NotFound, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from signing.report import Report
    from verify_api.register import LicenceRegister, RegisterEntry
    from yinxin.base.clock import Clock

FORMAT = "yinxin-decision/1"
MAX_RECORD_BYTES = 16 << 20
MAX_GRACE_SECONDS = 100 * 366 * 86400
DOCUMENT, CONTENT, CERTIFICATE = "document", "content", "certificate"
CRL, OCSP, POLICY, REGISTER, LIST = "crl", "ocsp", "policy", "register", "trust-list"


@dataclass(frozen=True, slots=True)
class Decision:
    """A record (`signing/report/decision.schema.json`) and its inputs by SHA-256 in hex."""

    record: Mapping[str, Any]
    inputs: Mapping[str, bytes]

    def to_json(self) -> bytes:
        """The record, always the same bytes for the same decision."""
        return _canonical(self.record, indent=1) + b"\n"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What making a decision again showed: the new report, and where it differs, as JSON pointers (RFC 6901)."""

    report: Report[Any]
    differs: tuple[str, ...]

    @property
    def is_same(self) -> bool:
        """Whether the very same report came out."""
        return not self.differs


@dataclass(frozen=True, slots=True)
class FrozenClock:
    """A clock that stands at the time of a decision."""

    at: datetime

    def now(self) -> datetime:
        """That time."""
        return self.at


def decide(
    examiner: Examiner, exhibit: Exhibit, *, at: datetime | None = None
) -> tuple[Report[Any], Decision]:
    """The report on an exhibit, and the decision to archive.

    It is made again from its own inputs before it is handed out: `Conflict` when that does not lead to the same
    report, because then something that it stands on is no part of it.
    """
    now, listener, exhibit = examiner.clock.now(), _Listener(examiner.register), exhibit.held()
    heard = listener if examiner.register else None
    report = Examiner(examiner.snapshots, clock=FrozenClock(now), register=heard).look_at(exhibit, at=at)
    decision = _record(examiner.snapshots, exhibit, report, listener.heard, (now, at))
    outcome = replay(decision)
    if not outcome.is_same:
        raise Conflict(f"the decision stands on what is not archived: {', '.join(outcome.differs[:3])}")
    return report, decision


def replay(decision: Decision) -> Outcome:
    """Make a decision again from its inputs alone.

    `NotFound` for an input that is not there, `MalformedInput` for a record or an input that is none.
    """
    record = _Reader(decision)
    try:
        examiner, exhibit, at = record.examiner(), record.exhibit(), record.at
        kept = decision.record["report"]
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, UsageError) as exc:
        raise MalformedInput("decision", "the record is not one of ours") from exc
    report = examiner.look_at(exhibit, at=at)
    again = json.loads(report.to_json())
    return Outcome(report, tuple(_differences(kept, again)))


def read_record(data: bytes) -> Mapping[str, Any]:
    """A record from JSON; `MalformedInput` for another format."""
    record = load_json_object(data)
    if record.get("format") != FORMAT:
        raise MalformedInput("decision", f"the format is not {FORMAT}")
    return record


def digests_of(record: Mapping[str, Any]) -> tuple[str, ...]:
    """The inputs that a record names."""
    try:
        return tuple(str(one["sha256"]) for one in record["inputs"])
    except (KeyError, TypeError) as exc:
        raise MalformedInput("decision", "the record names no inputs") from exc


class _Listener:
    """A register that notes what was asked and answered."""

    def __init__(self, register: LicenceRegister | None) -> None:
        self._register = register
        self.heard: ArchivedRegister | None = None

    def find(self, text: str, *, type_code: str | None = None, history: bool = True) -> RegisterEntry | None:
        assert self._register is not None  # noqa: S101 - else nobody asks
        entry = self._register.find(text, type_code=type_code, history=history)
        self.heard = ArchivedRegister(text, entry)
        return entry


class _Inputs:
    """Collects inputs with their roles; the same bytes in one role count once."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.data: dict[str, bytes] = {}

    def add(self, role: str, *items: bytes) -> None:
        for data in items:
            digest = hashlib.sha256(data).hexdigest()
            row = {"role": role, "sha256": digest, "size": len(data)}
            if row not in self.rows:
                self.rows.append(row)
            self.data[digest] = data


def _record(
    kept: Snapshots,
    exhibit: Exhibit,
    report: Report[Any],
    register: ArchivedRegister | None,
    asked: tuple[datetime, datetime | None],
) -> Decision:
    inputs, trust = _Inputs(), kept.trust
    inputs.add(DOCUMENT, exhibit.data)
    inputs.add(CONTENT, *([exhibit.content] if isinstance(exhibit.content, bytes) else []))
    inputs.add(CERTIFICATE, *(anchor.certificate.der for anchor in trust.anchors))
    inputs.add(CERTIFICATE, *(certificate.der for certificate in trust.known))
    inputs.add(CRL, *(crl.der for crl in kept.revocation.crls))
    inputs.add(OCSP, *(answer.der for answer in kept.revocation.ocsp))
    inputs.add(POLICY, kept.policy.to_toml().encode())
    inputs.add(REGISTER, *([register.to_json()] if register else []))
    serving = kept.trust_list
    inputs.add(LIST, *([serving.listed.envelope] if serving and serving.listed else []))
    now, at = asked
    record = {
        "format": FORMAT,
        "made_with": f"yinxin {yinxin.__version__}",
        "question": {"name": exhibit.name, "now": now.isoformat(), "at": at.isoformat() if at else None},
        "inputs": inputs.rows,
        "trust": {
            "anchors": [_anchor(anchor) for anchor in trust.anchors],
            "known": [certificate.fingerprint for certificate in trust.known],
            "list_grace_seconds": int(serving.grace.total_seconds()) if serving else None,
        },
        "policy": kept.policy.to_dict(),
        "report": json.loads(report.to_json()),
    }
    return Decision(json.loads(_canonical(record)), inputs.data)


def _anchor(anchor: TrustAnchor) -> dict[str, Any]:
    periods = [
        {
            "usage": one.usage,
            "since": one.since.isoformat(),
            "until": one.until.isoformat() if one.until else None,
        }
        for one in anchor.periods
    ]
    return {"sha256": anchor.certificate.fingerprint, "usages": sorted(anchor.usages), "periods": periods}


class _Reader:
    """Reads a decision back into what an examination stands on."""

    def __init__(self, decision: Decision) -> None:
        self._record, self._inputs = decision.record, decision.inputs

    @property
    def at(self) -> datetime | None:
        asked = self._record["question"]["at"]
        return _countable(asked) if asked else None

    def exhibit(self) -> Exhibit:
        (document,), content = self._of(DOCUMENT), self._of(CONTENT)
        return Exhibit(str(self._record["question"]["name"]), document, content[0] if content else None)

    def examiner(self) -> Examiner:
        clock: Clock = FrozenClock(_countable(self._record["question"]["now"]))
        (policy,), register = self._of(POLICY), self._of(REGISTER)
        revocation = RevocationSnapshot(
            map(Crl.from_der, self._of(CRL)), map(OcspAnswer.from_der, self._of(OCSP))
        )
        stands = Snapshots(self._trust(), revocation, Policy.from_toml(policy), trust_list=self._list())
        known = ArchivedRegister.from_json(register[0]) if register else None
        return Examiner(stands, clock=clock, register=known)

    def _trust(self) -> TrustStore:
        trust = self._record["trust"]
        return TrustStore(
            (self._anchor(one) for one in trust["anchors"]),
            [Certificate(self._input(digest)) for digest in trust["known"]],
        )

    def _list(self) -> ServingList | None:
        """The trust list that served; its signatures were counted when it was taken."""
        grace, envelope = self._record["trust"]["list_grace_seconds"], self._of(LIST)
        listed = TrustList.kept(envelope[0]) if envelope else None
        if grace is None:
            return None
        if not 0 <= grace <= MAX_GRACE_SECONDS:
            raise ValueError("a grace beyond a lifetime")
        return ServingList(listed, timedelta(seconds=grace))

    def _anchor(self, row: Mapping[str, Any]) -> TrustAnchor:
        periods = tuple(
            Period(one["usage"], _moment(one["since"]), _moment(one["until"]) if one["until"] else None)
            for one in row["periods"]
        )
        return TrustAnchor(Certificate(self._input(row["sha256"])), frozenset(row["usages"]), periods=periods)

    def _of(self, role: str) -> list[bytes]:
        return [self._input(one["sha256"]) for one in self._record["inputs"] if one["role"] == role]

    def _input(self, digest: str) -> bytes:
        data = self._inputs.get(digest)
        if data is None:
            raise NotFound(f"the input {digest} is not in the archive")
        if hashlib.sha256(data).hexdigest() != digest:
            raise MalformedInput("decision", f"the input {digest} is another one")
        return data


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("a time without its offset")
    return found


def _countable(text: str) -> datetime:
    """A time that durations can be added to and taken from."""
    found = _moment(text)
    if not MINYEAR < found.year < MAXYEAR:
        raise ValueError("a time at the end of the calendar")
    return found


def _differences(kept: Any, again: Any, place: str = "") -> Iterator[str]:
    """Where two JSON values differ; both are named by the place in the archived one."""
    if isinstance(kept, dict) and isinstance(again, dict):
        for name in sorted(kept.keys() | again.keys()):
            yield from _differences(kept.get(name), again.get(name), f"{place}/{_escaped(name)}")
    elif isinstance(kept, list) and isinstance(again, list) and len(kept) == len(again):
        for number, (one, other) in enumerate(zip(kept, again, strict=True)):
            yield from _differences(one, other, f"{place}/{number}")
    elif kept != again or type(kept) is not type(again):
        yield place or "/"


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _canonical(value: Any, *, indent: int | None = None) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, indent=indent).encode()
