"""What an event of a subject does to its licences and their wallet copies.

The agency's own licences only; another agency's are its own business. Licences that have ended are not touched.
Wallet copies follow their licence: its status entry says so in the same transaction, and is looked at again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from credentials.gate import is_of
from credentials.licence import Cause, EndingKind
from credentials.repository import LicenceRepository
from credentials.standing import Standing, State, standing
from credentials.status_records import StatusRecords
from credentials.vocabulary import INVALID, SUSPENDED, VALID
from yinxin.app.subjects.values import (
    CHANGED,
    NOT_FOLLOWED,
    Action,
    Effect,
    EffectKind,
    EventKind,
    Outcome,
    PlannedEffect,
)
from yinxin.base.errors import InvalidClaims, UnknownLicenceType, UsageError
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from credentials.blind_index import BlindIndex
    from credentials.catalogue import Catalogue
    from credentials.issuer import Issuer
    from credentials.licence import Licence
    from yinxin.app.subjects.effects import Occasion, Task
    from yinxin.app.subjects.rules import Rule, Rules
    from yinxin.app.subjects.values import EventFacts
    from yinxin.base.clock import Clock
    from yinxin.base.database import Database, Session

MAX_LICENCES = 10_000  # of one subject at one agency
_LIVE = (State.IN_FORCE, State.NOT_YET_VALID, State.SUSPENDED)
_COPY = Text("证照的机器可读副本", "machine copy of the licence")
_FOLLOWS = Text("副本状态随证照变化，钱包刷新后更新", "its status follows the licence; the wallet refreshes")
_NAMES_LATER = Text("证照暂停中，恢复后再换发", "suspended now: issued anew once it is resumed")
_NOT_YET = Text(
    "尚未生效，不能暂停，到期前由人工处理", "not yet in force: nothing to pause, a person decides"
)
_ALREADY = Text("已处于暂停状态", "suspended already")
_DOES_NOT_FIT = Text(
    "新内容不符合该类型的要求，由人工处理", "the new data do not fit the type: a person decides"
)
_TAKEN_BACK = Text("原事件有误，恢复原状", "the event was mistaken: as it was before")
_HAPPENED_SINCE = Text("其后另有变更，由人工处理", "something else happened since: a person decides")
_SAYS_SO = Text("证面内容已与变更后一致", "it says so already")
_STATUS_AFTER = {
    Action.REISSUE: INVALID,
    Action.CORRECT: INVALID,
    Action.END: INVALID,
    Action.SUSPEND: SUSPENDED,
    Action.RESUME: VALID,
    Action.UNDO: VALID,  # of a suspension: what an ending took from copies is not given back
}
_CAUSES = {
    EventKind.DEATH_REPORTED: Cause.DEATH_REPORTED,
    EventKind.DEATH_CONTESTED: Cause.DEATH_CONTESTED,
    EventKind.DEATH_CONFIRMED: Cause.DEATH_CONFIRMED,
}


@dataclass(frozen=True)
class LicenceEffects:
    """The licences of one agency."""

    issuer: Issuer
    agency: str
    catalogue: Catalogue
    database: Database
    index: BlindIndex
    rules: Rules
    clock: Clock

    def plan(self, occasion: Occasion) -> list[Effect]:
        """Each live licence of the subject, and each copy of it."""
        effects: list[Effect] = []
        with self.database.reading() as session:
            for licence in self._licences(session, occasion.facts.subject.code):
                found, seen = self._seen(session, licence)
                if found.state in _LIVE:
                    effect = self._effect(occasion.facts, licence, found, seen)
                    effects += [effect, *_copies(session, licence, effect)]
        return effects

    def plan_back(self, occasion: Occasion, done: Sequence[PlannedEffect]) -> list[Effect]:
        """What takes back what was done to licences."""
        effects: list[Effect] = []
        with self.database.reading() as session:
            for one in done:
                if one.effect.of is EffectKind.LICENCE:
                    effects += self._back(session, one, occasion.facts.kind)
        return effects

    def apply(self, task: Task) -> Outcome | None:
        """Do it, unless the licence changed since it was seen."""
        if task.effect.of is EffectKind.COPY:
            self._look_at_copy(task)
            return None
        with self.database.reading() as session:
            licence = LicenceRepository(session).by_identifier(task.effect.thing)
            if licence is None or self._seen(session, licence)[1] != task.effect.seen:
                return Outcome.failed(CHANGED)
        self._do(task, licence)
        return None

    def _do(self, task: Task, licence: Licence) -> None:
        issuer, effect, thing = self.issuer, task.effect, licence.identifier
        facts: dict[str, Any] = {
            "ground": task.facts.ground,
            "document_number": task.facts.document_number,
            "actor": task.actor,
            "beside": _settling(task),
        }
        cause = _CAUSES.get(task.facts.kind)
        if effect.action is Action.REISSUE:
            claims = self._claims(task.facts, licence, effect.terms)
            since = task.at if licence.starts_at <= task.at else None
            issuer.change(thing, claims, effective_from=since, approval=task.approval, **facts)
        elif effect.action is Action.CORRECT:
            with self.database.reading() as session:
                before = LicenceRepository(session).by_identifier(effect.terms["as"])
            claims = dict(before.claims if before else licence.claims)
            issuer.correct(thing, claims, approval=task.approval, **facts)
        elif effect.action is Action.SUSPEND:
            issuer.suspend(thing, effective_from=task.at, cause=cause, **facts)
        elif effect.action is Action.RESUME:
            issuer.resume(thing, effective_from=task.at, cause=cause, **facts)
        elif effect.action is Action.UNDO:
            issuer.undo(thing, int(effect.terms["event"]), **facts)
        else:
            ending = EndingKind(effect.terms["ending"])
            cause = cause if ending is EndingKind.DEREGISTERED else None
            issuer.end(thing, ending, effective_from=task.at, cause=cause, **facts)

    def _look_at_copy(self, task: Task) -> None:
        uri, _, index = task.effect.thing.rpartition("#")
        with self.database.transaction() as session:
            value = StatusRecords(session).value(uri, int(index))
            followed = str(value) == task.effect.terms["status"]
            outcome = Outcome.done() if followed else Outcome.failed(NOT_FOLLOWED, status=str(value))
            task.settle(session, outcome)

    def _licences(self, session: Session, code: str) -> list[Licence]:
        found = LicenceRepository(session, index=self.index).of_holder(code, limit=MAX_LICENCES + 1)
        if len(found) > MAX_LICENCES:
            raise UsageError(f"the subject has more than {MAX_LICENCES} licences")
        return sorted((one for one in found if is_of(one, self.agency)), key=lambda one: one.identifier)

    def _seen(self, session: Session, licence: Licence) -> tuple[Standing, dict[str, Any]]:
        events = LicenceRepository(session).events(licence.identifier)
        now = self.clock.now()
        found = standing(licence, events, as_of=now, known_at=now)
        seen = {"state": str(found.state), "events": len(events), "current": licence.replaced_by is None}
        return found, seen

    def _effect(self, facts: EventFacts, licence: Licence, found: Standing, seen: dict[str, Any]) -> Effect:
        rule = self.rules.find(facts.kind, EffectKind.LICENCE, licence.type_code)
        action, why = self._decide(facts, licence, found.state, rule)
        terms = rule.terms if action is rule.action else {}
        return Effect(EffectKind.LICENCE, licence.identifier, licence.type_name, action, why, terms, seen)

    def _decide(self, facts: EventFacts, licence: Licence, state: State, rule: Rule) -> tuple[Action, Text]:
        if rule.action is Action.SUSPEND and state is State.SUSPENDED:
            return Action.LEFT, _ALREADY
        if rule.action in {Action.SUSPEND, Action.END} and state is State.NOT_YET_VALID:
            return Action.BY_HAND, _NOT_YET
        if rule.action is Action.REISSUE and state is State.SUSPENDED:
            return Action.BY_HAND, _NAMES_LATER
        if rule.action is Action.REISSUE:
            return self._reissue(facts, licence, rule)
        return rule.action, rule.why

    def _reissue(self, facts: EventFacts, licence: Licence, rule: Rule) -> tuple[Action, Text]:
        try:
            claims = self._claims(facts, licence, rule.terms)
            fits = self.catalogue[licence.type_code].check(claims)
        except (InvalidClaims, UnknownLicenceType):
            return Action.BY_HAND, _DOES_NOT_FIT
        return (Action.LEFT, _SAYS_SO) if fits == licence.claims else (rule.action, rule.why)

    def _claims(self, facts: EventFacts, licence: Licence, terms: Mapping[str, str]) -> dict[str, Any]:
        """The claims of the next version: what it said, with what the event changed."""
        kind = self.catalogue[licence.type_code]
        changed: dict[str, Any] = {}
        if facts.kind in {EventKind.RENAMED, EventKind.MERGED}:
            changed[kind.holder_name] = facts.name
        if facts.into is not None:
            changed[kind.holder_code] = facts.into.code
        values = {"name": facts.name, "representative": facts.representative}
        values["into"] = facts.into.code if facts.into else None
        changed |= {field: values[fact] for field, fact in terms.items()}
        return {**licence.claims, **changed}

    def _back(self, session: Session, one: PlannedEffect, kind: EventKind) -> list[Effect]:
        thing = one.outcome.facts.get("made", one.effect.thing)
        licence = LicenceRepository(session).by_identifier(thing)
        if licence is None:
            return []
        found, seen = self._seen(session, licence)
        action, terms = _taking_back(one, kind)
        why = _TAKEN_BACK
        if not _stands_as_left(one, licence, found):
            action, terms, why = Action.BY_HAND, {}, _HAPPENED_SINCE
        effect = Effect(EffectKind.LICENCE, thing, licence.type_name, action, why, terms, seen)
        return [effect, *_copies(session, licence, effect)]


def _settling(task: Task) -> Callable[[Session, Licence], None]:
    """Settles the effect in the transaction of the licence's change."""

    def beside(session: Session, licence: Licence) -> None:
        if licence.identifier != task.effect.thing:
            task.settle(session, Outcome.done(made=licence.identifier))
            return
        last = LicenceRepository(session).events(licence.identifier)[-1]
        task.settle(session, Outcome.done(event=str(last.sequence)))

    return beside


def _taking_back(one: PlannedEffect, kind: EventKind) -> tuple[Action, dict[str, str]]:
    """What takes an effect back: a contested death resumes; a mistaken event is undone or corrected."""
    if one.effect.action is Action.REISSUE:
        return Action.CORRECT, {"as": one.effect.thing}
    if kind is EventKind.DEATH_CONTESTED and one.effect.action is Action.SUSPEND:
        return Action.RESUME, {}
    return Action.UNDO, {"event": one.outcome.facts["event"]}


def _stands_as_left(one: PlannedEffect, licence: Licence, found: Standing) -> bool:
    """Whether nothing happened to a licence since this effect."""
    if one.effect.action is Action.REISSUE:
        return found.state is State.IN_FORCE and licence.replaced_by is None
    return found.event is not None and str(found.event.sequence) == one.outcome.facts.get("event")


def _copies(session: Session, licence: Licence, effect: Effect) -> list[Effect]:
    """The copies of a licence that still hold, and what their status will be."""
    status = _STATUS_AFTER.get(effect.action)
    if status is None:
        return []
    found = LicenceRepository(session).copies(licence.identifier)
    return [
        Effect(
            EffectKind.COPY,
            f"{one.status_uri}#{one.status_index}",
            _COPY,
            Action.FOLLOW,
            _FOLLOWS,
            {"status": str(status), "licence": licence.identifier},
        )
        for one in sorted(found, key=lambda one: (one.status_uri, one.status_index))
        if one.retired_at is None
    ]
