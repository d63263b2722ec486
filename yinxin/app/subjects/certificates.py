"""What an event of a subject does to its certificates: those that name its credit code, and those linked to it.

A certificate names no citizen's number; whose it is was said by staff (`Cascade.link_certificate`). A revocation
cannot be taken back: a new certificate is applied for, with a new key (RFC 5280, 5.3.1; `yinxin ca apply`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ca.crl import RevocationReason
from ca.repository import ISSUED, StatusRow
from yinxin.app.subjects.repository import SubjectRepository
from yinxin.app.subjects.values import CHANGED, Action, Effect, EffectKind, Outcome
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ca.issuance import Authority
    from ca.repository import CertificateRow
    from yinxin.app.subjects.effects import Occasion, Task
    from yinxin.app.subjects.rules import Rules
    from yinxin.app.subjects.values import EventFacts, PlannedEffect
    from yinxin.base.database import Database, Session

_HOLD = RevocationReason.CERTIFICATE_HOLD
_TAKEN_BACK = Text("原事件有误，解除冻结", "the event was mistaken: released")
_FINAL = Text(
    "吊销不可撤回，须以新密钥重新申请", "a revocation is final: a new one is applied for, with a new key"
)
_HAPPENED_SINCE = Text("其后另有变更，由人工处理", "something else happened since: a person decides")
_ON_HOLD = Text("已处于冻结状态", "on hold already")


@dataclass(frozen=True)
class CertificateEffects:
    """The certificates of the authorities of one installation."""

    authorities: Mapping[str, Authority]
    database: Database
    rules: Rules

    def plan(self, occasion: Occasion) -> list[Effect]:
        """Each certificate of the subject that is in date and not revoked for good."""
        effects = []
        for authority, row in self._rows(occasion):
            status = authority.status(row.serial)
            if row.not_after > occasion.now and not _is_revoked(status):
                effects.append(self._effect(occasion.facts, authority, row, status))
        return effects

    def plan_back(self, occasion: Occasion, done: Sequence[PlannedEffect]) -> list[Effect]:
        """A hold is released; a revocation is final."""
        del occasion
        return [self._back(one) for one in done if one.effect.of is EffectKind.CERTIFICATE]

    def apply(self, task: Task) -> Outcome | None:
        """Do it, unless the certificate's status changed since it was seen."""
        effect = task.effect
        authority, serial = self._parse(effect.thing)
        if _seen(authority.status(serial)) != effect.seen:
            return Outcome.failed(CHANGED)
        more = (
            {"apply_anew": "yes"}
            if effect.terms.get("reason") == RevocationReason.AFFILIATION_CHANGED
            else {}
        )

        def beside(session: Session) -> None:
            task.settle(session, Outcome.done(**more))

        if effect.action is Action.RELEASE:
            authority.release(serial, actor=task.actor, beside=beside)
        else:
            reason = str(_HOLD) if effect.action is Action.HOLD else effect.terms["reason"]
            authority.revoke(serial, reason=reason, actor=task.actor, beside=beside)
        return None

    def _rows(self, occasion: Occasion) -> Iterator[tuple[Authority, CertificateRow]]:
        with self.database.reading() as session:
            linked = SubjectRepository(session).linked_certificates(occasion.index)
        for name, authority in sorted(self.authorities.items()):
            own = [] if occasion.facts.subject.is_person else authority.issued_to(occasion.facts.subject.code)
            rows = {row.serial: row for row in own if not self._is_authority(authority, row)}
            for serial in (int(number, 16) for where, number in linked if where == name):
                row = authority.row(serial)
                if row is not None and row.state == ISSUED:
                    rows[serial] = row
            yield from ((authority, rows[serial]) for serial in sorted(rows))

    @staticmethod
    def _is_authority(authority: Authority, row: CertificateRow) -> bool:
        return authority.profiles[row.profile].authority

    def _effect(
        self, facts: EventFacts, authority: Authority, row: CertificateRow, status: StatusRow | None
    ) -> Effect:
        rule = self.rules.find(facts.kind, EffectKind.CERTIFICATE, row.profile)
        action, why, terms = rule.action, rule.why, rule.terms
        if action is Action.HOLD and status is not None and status.reason == _HOLD:
            action, why, terms = Action.LEFT, _ON_HOLD, {}
        thing, name = f"{authority.name}/{row.serial:x}", authority.profiles[row.profile].name
        return Effect(EffectKind.CERTIFICATE, thing, name, action, why, terms, _seen(status))

    def _back(self, one: PlannedEffect) -> Effect:
        authority, serial = self._parse(one.effect.thing)
        seen = _seen(authority.status(serial))
        action, why = Action.RELEASE, _TAKEN_BACK
        if one.effect.action is not Action.HOLD:
            action, why = Action.BY_HAND, _FINAL
        elif seen["status"] != str(_HOLD):
            action, why = Action.BY_HAND, _HAPPENED_SINCE
        return Effect(EffectKind.CERTIFICATE, one.effect.thing, one.effect.name, action, why, {}, seen)

    def _parse(self, thing: str) -> tuple[Authority, int]:
        name, _, serial = thing.partition("/")
        return self.authorities[name], int(serial, 16)


def _is_revoked(status: StatusRow | None) -> bool:
    return status is None or (status.revoked_at is not None and status.reason != _HOLD)


def _seen(status: StatusRow | None) -> dict[str, Any]:
    if status is None:
        return {"status": "unknown"}
    return {"status": (status.reason or "unspecified") if status.revoked_at else "good"}
