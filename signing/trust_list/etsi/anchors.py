"""From services of a trusted list to trust anchors: for which uses, and from when to when.

Only services that the law calls qualified become anchors: authorities for certificates of signatures and
seals (CA/QC) and time-stamp units (TSA/QTST). What an anchor is trusted for ends when the status ends, and
what was signed before stays good, because paths are judged at the time that counts.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from signing.trust import Period, TrustAnchor
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from signing.trust_list.etsi.contents import EtsiList, Service, ServiceState

_SERVICE, _STATUS = (
    "http://uri.etsi.org/TrstSvc/Svctype/",
    "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/",
)
_PURPOSE = "http://uri.etsi.org/TrstSvc/TrustedList/SvcInfoExt/"
CA_QC, QTST = f"{_SERVICE}CA/QC", f"{_SERVICE}TSA/QTST"
# TS 119 612, 5.5.4; the last three are words of the time before Regulation (EU) 910/2014.
GRANTED = frozenset(
    f"{_STATUS}{word}" for word in ("granted", "undersupervision", "supervisionincessation", "accredited")
)
_USES = {f"{_PURPOSE}ForeSignatures": "signature", f"{_PURPOSE}ForeSeals": "seal"}


def anchors_of(listed: EtsiList) -> tuple[tuple[TrustAnchor, ...], tuple[str, ...]]:
    """The anchors, each certificate once, and notes on what was left aside and why."""
    found: dict[str, TrustAnchor] = {}
    notes: list[str] = []
    for service in listed.services:
        periods = tuple(_periods(service.states))
        notes += [f"{service.name.en}: {fault}" for fault in service.faults]
        if not periods:
            continue
        if not service.certificates:
            notes.append(f"{service.name.en}: no certificate")
        uses = frozenset(period.usage for period in periods)
        for certificate in service.certificates:
            anchor = TrustAnchor(certificate, uses, _label(listed, service), None, periods)
            kept = found.get(certificate.fingerprint)
            found[certificate.fingerprint] = kept.merged_with(anchor) if kept else anchor
    return tuple(found.values()), tuple(notes)


def _periods(states: tuple[ServiceState, ...]) -> Iterator[Period]:
    """From each state to the next; of two of one moment the later word counts."""
    ends = [following.since for _, following in pairwise(states)]
    for state, until in zip(states, (*ends, None), strict=True):
        if until is None or state.since < until:
            yield from (Period(usage, state.since, until) for usage in _uses(state))


def _uses(state: ServiceState) -> list[str]:
    if state.status not in GRANTED or not state.is_understood:
        return []
    if state.kind == QTST:
        return ["timestamp"]
    if state.kind != CA_QC:
        return []
    # TS 119 612, 5.5.9.4: without any word on it, certificates are for signatures.
    return sorted({_USES[uri] for uri in state.purposes if uri in _USES}) if state.purposes else ["signature"]


def _label(listed: EtsiList, service: Service) -> Text:
    return Text(
        f"{listed.territory} {service.provider.zh}：{service.name.zh}"[:200],
        f"{listed.territory} {service.provider.en}: {service.name.en}"[:200],
    )
