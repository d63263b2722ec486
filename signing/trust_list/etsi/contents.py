"""What a trusted list says (TS 119 612, 5.3 to 5.6): pointers to other lists, services with their history."""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from signing.certificates import Certificate
from signing.trust_list.etsi.signature import TSL, signed_content
from yinxin.base.errors import Conflict, MalformedInput, TooLarge
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_T = TypeVar("_T")
Element = Any  # of the parsed tree
KNOWN_VERSIONS = frozenset({"5", "6"})
LIST_OF_LISTS = "http://uri.etsi.org/TrstSvc/TrustedList/TSLType/EUlistofthelists"
NATIONAL = "http://uri.etsi.org/TrstSvc/TrustedList/TSLType/EUgeneric"
MACHINE_READABLE = "application/vnd.etsi.tsl+xml"
MAX_POINTERS, MAX_SERVICES, MAX_STATES, MAX_CERTIFICATES = 500, 20_000, 200, 50
MAX_TEXT = 1000
_EXTENSIONS = "{http://uri.etsi.org/02231/v2/additionaltypes#}"
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")
# Extensions of a service that we understand or may pass over: they take nothing away from its anchors.
_KNOWN_EXTENSIONS = frozenset(
    {"AdditionalServiceInformation", "Qualifications", "ExpiredCertsRevocationInfo", "TakenOverBy"}
)


@dataclass(frozen=True, slots=True)
class Pointer:
    """Another list: where it lies, whose it is, and who may sign it."""

    location: str
    territory: str
    kind: str
    media_type: str
    signers: tuple[Certificate, ...]


@dataclass(frozen=True, slots=True)
class ServiceState:
    """What a service was from a day on: its kind, its status and what it is for (all URIs of ETSI).

    `is_understood` is False where an extension is critical that is not known here: then it grants nothing.
    """

    kind: str
    status: str
    since: datetime
    purposes: tuple[str, ...] = ()
    is_understood: bool = True


@dataclass(frozen=True, slots=True)
class Service:
    """A service of a provider. `states` are in the order of time; all certificates are of one key.

    `faults` says which of its certificates could not be read.
    """

    provider: Text
    name: Text
    certificates: tuple[Certificate, ...]
    states: tuple[ServiceState, ...]
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EtsiList:
    """A list that one of its pinned signers signed. Make one with `read_list`."""

    kind: str
    territory: str
    operator: Text
    sequence: int
    issued_at: datetime
    next_update: datetime
    signer: Certificate
    pointers: tuple[Pointer, ...]
    services: tuple[Service, ...]
    digest: str

    @property
    def is_list_of_lists(self) -> bool:
        """Whether it points to the lists of the member states."""
        return self.kind == LIST_OF_LISTS

    @property
    def national(self) -> tuple[Pointer, ...]:
        """The machine-readable lists of member states that it points to."""
        return tuple(
            one for one in self.pointers if one.kind == NATIONAL and one.media_type == MACHINE_READABLE
        )


def read_list(
    data: bytes,
    *,
    signers: Collection[Certificate],
    now: datetime,
    after: EtsiList | None = None,
    is_ended_too: bool = False,
) -> EtsiList:
    """The list in this XML, signed by one of `signers`, in time at `now` and no older than `after`.

    `is_ended_too` takes one past its end as well, for comparing a newer one with it and for nothing else.
    `MalformedInput` for what is damaged or not rightly signed, `NotPermitted` when somebody else signed,
    `Conflict` for one past its end, of the future, or older than the one at hand.
    """
    content, signer = signed_content(data, signers)
    try:
        found = _list(fromstring(content, forbid_dtd=True), signer, hashlib.sha256(data).hexdigest())
    except (ParseError, DefusedXmlException, RecursionError) as exc:
        raise _wrong("what was signed is not XML") from exc
    if not signer.is_valid_at(found.issued_at):
        raise Conflict(f"the list was made outside the validity of its signer {signer.common_name}")
    is_over = found.next_update <= now and not is_ended_too
    if is_over or found.next_update <= found.issued_at:
        raise Conflict(f"the list ended {found.next_update.isoformat()}")
    if found.issued_at > now:
        raise Conflict("the list was made in the future")
    if after and (found.territory, found.kind) == (after.territory, after.kind):
        _require_newer(found, after)
    return found


def _require_newer(found: EtsiList, kept: EtsiList) -> None:
    if found.sequence < kept.sequence or found.issued_at < kept.issued_at:
        raise Conflict(f"number {found.sequence} is older than {kept.sequence}, which is at hand")


def _list(root: Element, signer: Certificate, digest: str) -> EtsiList:
    scheme = _one(root, "SchemeInformation")
    if _text(_one(scheme, "TSLVersionIdentifier")) not in KNOWN_VERSIONS:
        raise _wrong("a version of TS 119 612 that is not known here")
    return EtsiList(
        kind=_text(_one(scheme, "TSLType")),
        territory=_text(_one(scheme, "SchemeTerritory")),
        operator=_named(_one(scheme, "SchemeOperatorName")),
        sequence=_number(_text(_one(scheme, "TSLSequenceNumber"))),
        issued_at=_moment(_one(scheme, "ListIssueDateTime")),
        next_update=_moment(_one(_one(scheme, "NextUpdate"), "dateTime")),
        signer=signer,
        pointers=tuple(_pointers(scheme)),
        services=tuple(_services(root)),
        digest=digest,
    )


def _pointers(scheme: Element) -> Iterator[Pointer]:
    found = scheme.findall(f"{TSL}PointersToOtherTSL/{TSL}OtherTSLPointer")
    for row in _bounded(found, MAX_POINTERS):
        identities = row.findall(f"{TSL}ServiceDigitalIdentities/{TSL}ServiceDigitalIdentity")
        signers, _faults = _certificates(identities)
        about = row.findall(f"{TSL}AdditionalInformation/{TSL}OtherInformation")
        yield Pointer(
            location=_text(_one(row, "TSLLocation")),
            territory=_said(about, f"{TSL}SchemeTerritory"),
            kind=_said(about, f"{TSL}TSLType"),
            media_type=_said(about, f"{_EXTENSIONS}MimeType"),
            signers=signers,
        )


def _said(rows: list[Element], tag: str) -> str:
    found = [_text(one) for row in rows for one in row.findall(tag)]
    return found[0] if len(found) == 1 else ""


def _services(root: Element) -> Iterator[Service]:
    count = 0
    for provider in root.findall(f"{TSL}TrustServiceProviderList/{TSL}TrustServiceProvider"):
        name = _named(_one(_one(provider, "TSPInformation"), "TSPName"))
        for row in provider.findall(f"{TSL}TSPServices/{TSL}TSPService"):
            count += 1
            if count > MAX_SERVICES:
                raise TooLarge("trusted list", f"over {MAX_SERVICES} services")
            yield _service(row, name)


def _service(row: Element, provider: Text) -> Service:
    today = _one(row, "ServiceInformation")
    certificates, faults = _certificates(today.findall(f"{TSL}ServiceDigitalIdentity"))
    history = row.findall(f"{TSL}ServiceHistory/{TSL}ServiceHistoryInstance")
    before, now = [_state(one) for one in _bounded(history, MAX_STATES)], _state(today)
    if any(state.since > now.since for state in before):
        before, faults = [], (*faults, "its history goes beyond its present state, and does not count")
    # Newest first in the list; of two states of one moment the later word counts.
    states = sorted([*reversed(before), now], key=lambda state: state.since)
    return Service(provider, _named(_one(today, "ServiceName")), certificates, tuple(states), faults)


def _state(row: Element) -> ServiceState:
    extensions = row.findall(f"{TSL}ServiceInformationExtensions/{TSL}Extension")
    purposes = [
        _text(uri)
        for extension in extensions
        for uri in extension.findall(f"{TSL}AdditionalServiceInformation/{TSL}URI")
    ]
    return ServiceState(
        kind=_text(_one(row, "ServiceTypeIdentifier")),
        status=_text(_one(row, "ServiceStatus")),
        since=_moment(_one(row, "StatusStartingTime")),
        purposes=tuple(sorted(set(purposes))),
        is_understood=all(map(_is_understood, extensions)),
    )


def _is_understood(extension: Element) -> bool:
    names = {child.tag.rsplit("}", 1)[-1] for child in extension}
    return extension.get("Critical") not in {"true", "1"} or (bool(names) and names <= _KNOWN_EXTENSIONS)


def _certificates(identities: list[Element]) -> tuple[tuple[Certificate, ...], tuple[str, ...]]:
    """Those that can be read, each once, and what was wrong with the others."""
    texts = [
        "".join((one.text or "").split())
        for identity in identities
        for one in identity.findall(f"{TSL}DigitalId/{TSL}X509Certificate")
    ]
    found: dict[Certificate, None] = {}
    faults = []
    for text in _bounded(texts, MAX_CERTIFICATES):
        try:
            found[Certificate(b64decode(text, validate=True))] = None
        except (ValueError, MalformedInput) as exc:
            faults.append(f"a certificate cannot be read: {exc}"[:200])
    return tuple(found), tuple(faults)


def _bounded(rows: list[_T], most: int) -> list[_T]:
    if len(rows) > most:
        raise TooLarge("trusted list", f"over {most} of a kind")
    return rows


def _one(node: Element, name: str) -> Element:
    found = node.findall(f"{TSL}{name}")
    if len(found) != 1:
        raise _wrong(f"exactly one {name} is expected")
    return found[0]


def _text(node: Element) -> str:
    value = (node.text or "").strip()
    if len(node) or not 0 < len(value) <= MAX_TEXT or not value.isprintable():
        raise _wrong(f"{node.tag.rsplit('}', 1)[-1]} is no readable text")
    return value


def _named(node: Element) -> Text:
    """A name in the languages of people: Chinese rarely, so that it says the same as English."""
    names = {one.get(_LANGUAGE, "").lower(): _text(one) for one in node.findall(f"{TSL}Name")}
    if not names:
        raise _wrong("something has no name")
    english = names.get("en") or next(iter(names.values()))
    return Text(names.get("zh", english), english)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise _wrong("not a sequence number")
    return int(text)


def _moment(node: Element) -> datetime:
    text = _text(node)
    if not _MOMENT.fullmatch(text):
        raise _wrong(f"{node.tag.rsplit('}', 1)[-1]} is no time in UTC")
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError as exc:
        raise _wrong("a time that the calendar does not have") from exc


def _wrong(what: str) -> MalformedInput:
    return MalformedInput("trusted list", what)
