"""A credential key is lost: nothing that it signed is believed any more, and wallets get fresh copies.

No trusted time stands in a credential, so the day of the loss does not matter; what is on paper, neither.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.x509 import ReasonFlags
from world.office import URL
from world.printed import Paper
from world.sealing import FACTS, SealOffice

from credentials.copies import CopyMaker
from credentials.office.seals.drills import DrillState, LostCredentialKey
from credentials.repository import LicenceRepository
from credentials.status_snapshot import StatusSnapshot
from credentials.verifier import Verifier
from signing.reasons import Reason
from signing.revocation import Crl, RevocationSnapshot
from yinxin.base.errors import Conflict, NotPermitted
from yinxin.base.randomness import SystemRandomness

if TYPE_CHECKING:
    from world.pki import Pki

    from signing.signers.file import FileSigner
    from yinxin.base.database import Database

FOOD, SIZE = "food-business-licence", 5


class Wallets(SealOffice):
    """An office whose licences are in wallets, signed by a key that is lost."""

    def __init__(self, pki: Pki, database: Database) -> None:
        super().__init__(pki, database)
        self.old, self.new = pki.signer("credential"), pki.signer("credential")
        self.issuer = self.issuer_with(self.key, credential_signer=self.old)
        self.issued = [self.issue(index=index) for index in range(1, SIZE + 1)]
        self.drills = LostCredentialKey(
            self.agency.credit_code, database=database, proofs=self.compromise._proofs, clock=self.clock
        )
        self.clock.advance(timedelta(hours=1))

    def lists(self) -> RevocationSnapshot:
        return RevocationSnapshot(
            Crl.from_der(one.crl(self.now)) for one in (self.pki.root, self.pki.issuing)
        )

    def believed(self, credential: str) -> Any:
        statuses = {
            uri: StatusSnapshot.from_token(
                self.status.token(uri), self.trust, uri=uri, at=self.now, revocation=self.lists()
            )
            for uri in self.status.uris()
        }
        verifier = Verifier(self.trust, statuses=statuses, revocation=self.lists(), clock=self.clock)
        return verifier.verify(credential, require_key_binding=False)

    def begun(self) -> Any:
        return self.drills.begin_credential(self.old.certificate, since=self.now, **FACTS, actor=self.keeper)

    def consented(self, drill: Any) -> Any:
        request = self.drills.request(
            self.drills.plan(drill.id, actor=self.keeper).request or "", actor=self.zhao
        )
        self.drills.agree(request.id, proof=self.proof(request), actor=self.zhao)
        return request

    def copies(self, index: int) -> list[Any]:
        with self.database.reading() as session:
            return LicenceRepository(session).copies(self.issued[index].licence.identifier)

    def fresh(self, index: int, signer: FileSigner) -> str:
        """What a wallet's refresh brings."""
        maker = CopyMaker(
            URL, self.catalogue, self.database, signer, self.status, self.clock, SystemRandomness(),
            self.agency.credit_code,
        )  # fmt: skip
        identifier = self.issued[index].licence.identifier
        _, (copy,) = maker.make(identifier, [self.holder.public_key], actor=self.clerk)
        return copy


@pytest.fixture
def wallets(pki: Pki, database: Database) -> Wallets:
    return Wallets(pki, database)


def test_every_copy_ends_and_a_fresh_one_holds(wallets: Wallets) -> None:
    olds = [one.credential or "" for one in wallets.issued]
    assert all(wallets.believed(one).passed for one in olds)
    drill = wallets.begun()
    with pytest.raises(Conflict, match="waiting"):
        wallets.drills.retire(drill.id, wallets.status, actor=wallets.keeper)
    assert wallets.consented(drill).content["copies"] == SIZE
    assert wallets.drills.retire(drill.id, wallets.status, actor=wallets.keeper) == SIZE
    assert wallets.drills.drill(drill.id, actor=wallets.keeper).state is DrillState.DONE
    for index, old in enumerate(olds):
        assert Reason.CREDENTIAL_REVOKED in wallets.believed(old).reasons
        (copy,) = wallets.copies(index)
        assert copy.retired_by == "key_compromise"
    assert wallets.believed(wallets.fresh(0, wallets.new)).passed
    assert wallets.drills.retire(drill.id, wallets.status, actor=wallets.keeper) == 1  # made since: once more


def test_what_no_list_knows_of_fails_by_the_certificate(wallets: Wallets) -> None:
    """The finder of the key makes a credential of their own, with a status that was never given away."""
    forged = wallets.fresh(0, wallets.old)
    assert wallets.believed(forged).passed
    wallets.revoke(wallets.old)
    report = wallets.believed(forged)
    assert Reason.CERTIFICATE_REVOKED in report.reasons
    assert (report.then, report.indication) == ("failed", "failed")


def test_a_kill_between_leaves_the_rest_for_the_next_time(
    wallets: Wallets, monkeypatch: pytest.MonkeyPatch
) -> None:
    drill = wallets.begun()
    wallets.consented(drill)
    monkeypatch.setattr("credentials.office.seals.drills.copies.CHUNK", 2)

    def killed(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        wallets.drills.retire(drill.id, wallets.status, actor=wallets.keeper, progress=killed)
    ended = [wallets.copies(index)[0].retired_at is not None for index in range(SIZE)]
    assert sum(ended) == 2
    assert wallets.drills.retire(drill.id, wallets.status, actor=wallets.keeper) == SIZE - 2


def test_a_copy_whose_licence_ended_before_stays_ended(wallets: Wallets) -> None:
    why = {"ground": "x", "document_number": "y", "actor": wallets.clerk}
    wallets.issuer.suspend(wallets.issued[0].licence.identifier, **why)
    drill = wallets.begun()
    wallets.consented(drill)
    wallets.drills.retire(drill.id, wallets.status, actor=wallets.keeper)
    wallets.issuer.resume(wallets.issued[0].licence.identifier, **why)  # the licence, not the lost copy
    assert Reason.CREDENTIAL_REVOKED in wallets.believed(wallets.issued[0].credential or "").reasons


def test_only_keepers_tell_it_and_only_another_agrees(wallets: Wallets) -> None:
    with pytest.raises(NotPermitted):
        wallets.drills.begin_credential(
            wallets.old.certificate, since=wallets.now, **FACTS, actor=wallets.clerk
        )
    drill = wallets.begun()
    assert wallets.begun().id == drill.id
    both = wallets.person("keeper-he", "keeper", "approver")
    request = wallets.drills.request(wallets.drills.plan(drill.id, actor=both).request or "", actor=both)
    with pytest.raises(NotPermitted, match="another person"):
        wallets.drills.agree(request.id, proof=wallets.proof(request, both), actor=both)


def test_codes_on_paper_fail_whatever_their_time(pki: Pki) -> None:
    """The sealed page stays; the code in its corner was signed by the lost key."""
    paper = Paper(pki)
    code = paper.code()
    before = paper.verify(code)
    lost = paper.now + timedelta(hours=1)
    paper.pki.issuing.revoke(paper.signer.certificate, lost, ReasonFlags.key_compromise)
    after = paper.verify(code, now=paper.now + timedelta(hours=2))
    assert Reason.CERTIFICATE_REVOKED not in before.reasons
    assert Reason.CERTIFICATE_REVOKED in after.reasons
    assert (after.then, after.indication) == ("failed", "failed")
