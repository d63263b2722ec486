"""Events of subjects in this home: licences, certificates, seals and delegations put together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ca.issuance import Authority
from yinxin.app import sealing, wiring
from yinxin.app.office.delegations import keeper
from yinxin.app.office.entrance import office_proofs
from yinxin.app.subjects.cascade import Cascade
from yinxin.app.subjects.certificates import CertificateEffects
from yinxin.app.subjects.delegations import DelegationEffects
from yinxin.app.subjects.licences import LicenceEffects
from yinxin.app.subjects.rules import Rules
from yinxin.app.subjects.runner import Runner
from yinxin.app.subjects.seals import SealEffects
from yinxin.app.subjects.values import EffectKind
from yinxin.app.subjects.work import CascadeWork

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import APIRouter

    from signing.timestamp import Timestamper
    from yinxin.app.home import Home
    from yinxin.app.office.entrance import Entrance
    from yinxin.app.subjects.effects import Effects


@dataclass(frozen=True, slots=True)
class Subjects:
    """The service, and who does its work."""

    cascade: Cascade
    work: CascadeWork


def make_subjects(home: Home, *, timestamper: Timestamper | None = None) -> Subjects:
    """The cascade of this home, for its pages, its interface and the command line."""
    agency, database, index = home.settings.agency_code, home.database, wiring.holder_index(home)
    rooms = _rooms(home, timestamper)
    cascade = Cascade(
        rooms,
        agency=agency,
        database=database,
        index=index,
        proofs=office_proofs(home),
        clock=home.clock,
    )
    return Subjects(cascade, CascadeWork(cascade, rooms, database=database, clock=home.clock))


def make_runner(home: Home, subjects: Subjects) -> Runner:
    """Who does the work in a process that serves."""
    return Runner(subjects.cascade, subjects.work, agency=home.settings.agency_code, database=home.database)


def routers(
    home: Home, entrance: Entrance, *, stage: wiring.Stage, timestamper: Timestamper | None = None
) -> Sequence[APIRouter]:
    """Events of subjects for an agency's systems, and their pages; what was cut off goes on."""
    from yinxin.app.subjects import http, pages  # noqa: PLC0415 - FastAPI takes a second

    subjects = make_subjects(home, timestamper=timestamper)
    runner = make_runner(home, subjects)
    stage.closing.callback(runner.close)
    runner.resume()
    return [
        http.router(subjects.cascade, runner, enter=entrance.caller, clock=home.clock),
        pages.router(
            subjects.cascade,
            runner,
            entrance.consent,
            enter=entrance.visitor,
            origin=entrance.access.site.origin,
            passkey_script=entrance.passkey_script,
        ),
    ]


def _rooms(home: Home, timestamper: Timestamper | None) -> dict[EffectKind, Effects]:
    """What events of subjects reach, in the order in which it is done."""
    settings, database, rules = home.settings, home.database, Rules.load(home.settings.subject_rules_file)
    licences = LicenceEffects(
        issuer=wiring.issuer(home, timestamper=timestamper),
        agency=settings.agency_code,
        catalogue=wiring.catalogue(home),
        database=database,
        index=wiring.holder_index(home),
        rules=rules,
        clock=home.clock,
    )
    return {
        EffectKind.LICENCE: licences,
        EffectKind.CERTIFICATE: CertificateEffects(_authorities(home), database, rules),
        EffectKind.SEAL: SealEffects(sealing.register(home, office_proofs(home)), rules),
        EffectKind.DELEGATION: DelegationEffects(keeper(home), rules),
    }


def _authorities(home: Home) -> dict[str, Authority]:
    """The authorities without their keys: a revocation needs none, and the next list is signed where they are."""
    return {
        name: Authority.open(
            name, database=home.database, signer=None, clock=home.clock, base_url=home.settings.ca_url
        )
        for name in wiring.AUTHORITIES
    }
