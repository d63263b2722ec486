"""Personal data of this home: what every room holds on a person, put together; its keys and its duties."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from credentials.delegations.holding import DelegationHolding
from credentials.persons import PersonalData, Retention
from credentials.persons.kinds import CaseHolding, IssuanceHolding, LicenceHolding
from credentials.persons.traces import CorrectionHolding, DisputeHolding, ForeignHolding
from yinxin.app import wiring
from yinxin.app.proofs import office_proofs
from yinxin.app.subjects.holding import SubjectEventHolding
from yinxin.base.sealed import reseal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from credentials.persons import Holding
    from yinxin.app.home import Home

_ROWS = 500


def personal_data(home: Home) -> PersonalData:
    """What is held on persons here."""
    return PersonalData(
        home.database,
        holdings(home),
        agency=home.settings.agency_code,
        index=wiring.holder_index(home),
        proofs=office_proofs(home),
        documents=wiring.documents(home),
        clock=home.clock,
    )


def holdings(home: Home) -> Sequence[Holding]:
    """The rooms that hold something."""
    index, retention = wiring.holder_index(home), Retention.load(home.settings.retention_file)
    return (
        LicenceHolding(index, retention),
        CaseHolding(index, retention),
        IssuanceHolding(index, keep=timedelta(days=retention.issuance_days)),
        SubjectEventHolding(index, retention, agency=home.settings.agency_code),
        DelegationHolding(index, retention, clock=home.clock),
        DisputeHolding(index, retention),
        CorrectionHolding(index, retention),
        ForeignHolding(index, retention),
    )


def forget(home: Home, *, progress: Callable[[int], None] = lambda _done: None) -> dict[str, int]:
    """Erase everything whose time to be kept has passed; kinds and how many of each."""
    personal, total = personal_data(home), dict[str, int]()
    while found := personal.forget():
        for kind, count in found.items():
            total[kind] = total.get(kind, 0) + count
        progress(sum(total.values()))
    return total


def seal_all(home: Home, *, progress: Callable[[int], None] = lambda _done: None) -> int:
    """Seal what is plain or under an older key, with the current one; returns how many rows that were."""
    done = 0
    while True:
        with home.database.transaction() as session:
            sealed = reseal(session, limit=_ROWS)
        if not sealed:
            return done
        done += sealed
        progress(done)
