"""Custody of this home's seal: the register, who may use the key in hand, and the seal that was there before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from credentials.office.seals import Seals, SealState
from credentials.office.seals.drills import Examiner, LostCredentialKey
from yinxin.app import wiring
from yinxin.app.ceremony import SEAL, open_authority, publish_lists
from yinxin.app.proofs import office_proofs
from yinxin.app.renewal import renew
from yinxin.base.actor import system
from yinxin.base.errors import NotFound

if TYPE_CHECKING:
    from datetime import datetime

    from credentials.office.proofs import Proofs
    from credentials.office.seals import Seal
    from credentials.office.seals.drills import Drill
    from signing.certificates import Certificate
    from yinxin.app.home import Home
    from yinxin.base.actor import Actor

CREDENTIAL = "credential"


def register(home: Home, proofs: Proofs) -> Seals:
    """The register of seals that this home's agency keeps."""
    return Seals(home.settings.agency_code, database=home.database, proofs=proofs, clock=home.clock)


def keeps(home: Home, certificate: Certificate) -> bool:
    """Whether the seal with this certificate is in the home's custody: its own, or one that the register knows."""
    fingerprint = certificate.fingerprint
    if any(chain[0].fingerprint == fingerprint for chain in home.every_chain(SEAL)):
        return True
    seals = register(home, office_proofs(home))
    return any(one.certificate == fingerprint for one in seals.all(actor=system("command line")))


def lost_keys(home: Home, proofs: Proofs) -> LostCredentialKey:
    """What this home's agency does about keys that are lost."""
    return LostCredentialKey(
        home.settings.agency_code, database=home.database, proofs=proofs, clock=home.clock
    )


def begin_credential_drill(  # noqa: PLR0913 - the facts of a loss
    home: Home,
    lost: LostCredentialKey,
    *,
    since: datetime,
    ground: str,
    document_number: str,
    actor: Actor,
) -> Drill:
    """The drill of this home's credential key, and a new key in its place; the same again goes on.

    The certificate authority of the home issues the new certificate: a service's key takes one registrar.
    """
    chains = {chain[0].fingerprint: chain[0] for chain in home.every_chain(CREDENTIAL)}
    told = [one for one in lost.drills(actor=actor) if one.certificate in chains]
    same = [one for one in told if one.since == since.replace(microsecond=0)]
    leaked = chains[same[0].certificate] if same else home.chain(CREDENTIAL)[0]
    drill = lost.begin_credential(
        leaked, since=since, ground=ground, document_number=document_number, actor=actor
    )
    if home.chain(CREDENTIAL)[0].fingerprint == drill.certificate:
        name = actor.identifier
        renew(home, CREDENTIAL, people=(name, name, name))
    return drill


def examiner(home: Home) -> Examiner:
    """Judges what was sealed as any verifier does, by the lists as they are now."""
    publish_lists(home, tuple(open_authority(home, name) for name in wiring.AUTHORITIES))
    return Examiner(wiring.documents(home), home.trust, home.revocation, home.policy, home.clock)


def revoke_lost(home: Home, drill: Drill, *, actor: Actor) -> None:
    """Have the authority revoke a lost key's certificate, and say since when it is not to be trusted.

    Done again it changes nothing, and publishes the list. `NotFound` when the certificate is not this home's.
    """
    name = SEAL if drill.seal else CREDENTIAL
    found = [chain[0] for chain in home.every_chain(name) if chain[0].fingerprint == drill.certificate]
    if not found:
        raise NotFound("the certificate of the lost key is not here: tell the authority that issued it")
    authority = open_authority(home, "issuing")
    status = authority.status(found[0].serial)
    said = status.invalid_since if status else None
    if said is None or drill.since < said:
        authority.revoke(found[0].serial, reason="key_compromise", actor=actor, invalid_since=drill.since)
    publish_lists(home, (authority,))


def seal_in_use(home: Home, seals: Seals, *, actor: Actor) -> Seal | None:
    """The register's entry of the seal whose key this home holds, when it is in use."""
    certificate = home.chain(SEAL)[0].fingerprint
    in_use = [one for one in seals.all(actor=actor) if one.state is SealState.IN_USE]
    return next((one for one in in_use if one.certificate == certificate), None)
