"""What takes the place of a licence: the verbs of an issuer that make a next version, or others, of one.

A lineage keeps its number in every version: what is corrected, changed, renewed or replaced, and the one
licence that goes on (存续) in a merger or split. What a merger or split makes anew (新设) has a number of its
own. Old and new name each other, and whatever is superseded was genuine and stays so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from credentials.changes import require_possible
from credentials.decisions import Decision, nothing_beside
from credentials.licence import EventKind, Licence, VersionKind, still_counting
from credentials.production import Draft, IssuedLicence, Superseding
from credentials.repository import LicenceRepository
from yinxin.base.errors import Conflict, InvalidClaims, NotFound, UsageError
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from credentials.catalogue import Catalogue
    from credentials.decisions import Beside
    from credentials.gate import Gate
    from credentials.licence import Event
    from credentials.production import Made, Production
    from signing.keys import PublicKey
    from yinxin.base.actor import Actor

MAX_TOGETHER = 20  # licences that one decision merges, or parts that it splits one into
_PAUSES = frozenset({EventKind.SUSPENDED, EventKind.RESUMED})
_TERM = ("valid_from", "valid_until", "commitment_due")


@dataclass(frozen=True, slots=True)
class _Old:
    """A version that is to be superseded, with what happened to it."""

    licence: Licence
    events: tuple[Event, ...]


class NextVersions:
    """The verbs. Each takes the legal `ground`, the `document_number` of the decision and who records it.

    `holder` is the key that the new credential is bound to, None makes none: a wallet's next refresh brings
    it copies anyway. `beside` is done in the transaction that records it. `Conflict` unless the old version
    is in force (or will be) and stays as it was found; then nothing is made.
    """

    def __init__(self, production: Production, gate: Gate, catalogue: Catalogue) -> None:
        self._production, self._gate, self._catalogue = production, gate, catalogue

    def correct(  # noqa: PLR0913 - the facts of a correction
        self,
        identifier: str,
        claims: Mapping[str, object],
        *,
        ground: str,
        document_number: str,
        actor: Actor,
        holder: PublicKey | None = None,
        approval: str | None = None,
        beside: Beside = nothing_beside,
    ) -> IssuedLicence:
        """Correct (更正) a mistake: the next version states what was always true.

        It holds from the beginning of the version that it corrects; what paused that one goes on counting.
        What was known before the correction stays as it was. `UsageError` when nothing differs.
        """
        decision = Decision(ground, document_number, actor, approval=approval)
        return self._follow(VersionKind.CORRECTED, identifier, claims, holder, decision, beside)

    def change(  # noqa: PLR0913 - the facts of a change
        self,
        identifier: str,
        claims: Mapping[str, object],
        *,
        ground: str,
        document_number: str,
        actor: Actor,
        effective_from: datetime | None = None,
        holder: PublicKey | None = None,
        approval: str | None = None,
        beside: Beside = nothing_beside,
    ) -> IssuedLicence:
        """Change (变更) what it says: true from `effective_from` on (its sealing; never in the future).

        `UsageError` when nothing differs.
        """
        decision = Decision(ground, document_number, actor, effective_from, approval)
        return self._follow(VersionKind.CHANGED, identifier, claims, holder, decision, beside)

    def renew(  # noqa: PLR0913 - the facts of a renewal
        self,
        identifier: str,
        claims: Mapping[str, object],
        *,
        ground: str,
        document_number: str,
        actor: Actor,
        holder: PublicKey | None = None,
        approval: str | None = None,
        beside: Beside = nothing_beside,
    ) -> IssuedLicence:
        """Renew (延续): the next version begins a new term."""
        decision = Decision(ground, document_number, actor, approval=approval)
        return self._follow(VersionKind.RENEWED, identifier, claims, holder, decision, beside)

    def replace(  # noqa: PLR0913 - the facts of a replacement
        self,
        identifier: str,
        claims: Mapping[str, object],
        *,
        ground: str,
        document_number: str,
        actor: Actor,
        holder: PublicKey | None = None,
        approval: str | None = None,
        beside: Beside = nothing_beside,
    ) -> IssuedLicence:
        """Issue the next version (换发), whatever it says: it holds from its sealing, and keeps its term."""
        decision = Decision(ground, document_number, actor, approval=approval)
        return self._follow(VersionKind.REPLACED, identifier, claims, holder, decision, beside)

    def merge(  # noqa: PLR0913 - the facts of a merger
        self,
        identifiers: Sequence[str],
        claims: Mapping[str, object],
        *,
        ground: str,
        document_number: str,
        actor: Actor,
        type_code: str | None = None,
        into: str | None = None,
        holder: PublicKey | None = None,
        approval: str | None = None,
        beside: Beside = nothing_beside,
    ) -> IssuedLicence:
        """Merge (多证合一) several licences of one holder, of one or several types, into one.

        With `into`, one of them, that one goes on: its number stays, its version rises. Else the result is a
        new licence of `type_code` with a number of its own. All old ones are superseded and linked to it.
        """
        names = _several(identifiers, "licences are merged")
        if into is not None and into not in names:
            raise UsageError("what the others are merged into is one of them")
        decision = Decision(ground, document_number, actor, approval=approval)
        olds = self._find(names, decision, "merge")
        first = next((one for one in olds if one.licence.identifier == into), None)
        code = type_code or (first or olds[0]).licence.type_code
        if first is not None and code != first.licence.type_code:
            raise UsageError("a licence that goes on keeps its type")
        draft = self._draft(code, claims, holder, VersionKind.MERGED, first)
        draft = replace(draft, origins=tuple(name for name in names if name != into))
        self._require_one_holder(olds, draft)
        (issued,) = self._make([draft], olds, decision, beside)
        return issued

    def split(  # noqa: PLR0913 - the facts of a split
        self,
        identifier: str,
        parts: Sequence[Mapping[str, object]],
        *,
        ground: str,
        document_number: str,
        actor: Actor,
        goes_on: bool = False,
        holders: Sequence[PublicKey | None] | None = None,
        approval: str | None = None,
        beside: Beside = nothing_beside,
    ) -> list[IssuedLicence]:
        """Split (分立) a licence into several of its type, in the order of `parts`.

        With `goes_on` the first part goes on with its number as the next version, the others are new; without
        it all are. `holders` are the keys of the parts; `beside` is done once, with the first.
        """
        if not 2 <= len(parts) <= MAX_TOGETHER:
            raise UsageError(f"a licence is split into 2 to {MAX_TOGETHER}")
        keys = list(holders) if holders is not None else [None] * len(parts)
        if len(keys) != len(parts):
            raise UsageError("name a key, or none, for each part")
        decision = Decision(ground, document_number, actor, approval=approval)
        (old,) = self._find([identifier], decision, "split")
        drafts = []
        for place, (claims, key) in enumerate(zip(parts, keys, strict=True)):
            first = old if goes_on and place == 0 else None
            draft = self._draft(old.licence.type_code, claims, key, VersionKind.SPLIT, first)
            drafts.append(draft if first else replace(draft, origins=(identifier,)))
        return self._make(drafts, [old], decision, beside)

    def _follow(  # noqa: PLR0913, PLR0917 - what the verbs above say
        self,
        kind: VersionKind,
        identifier: str,
        claims: Mapping[str, object],
        holder: PublicKey | None,
        decision: Decision,
        beside: Beside,
    ) -> IssuedLicence:
        (old,) = self._find([identifier], decision, str(kind))
        draft = self._draft(old.licence.type_code, claims, holder, kind, old)
        if kind in {VersionKind.CORRECTED, VersionKind.CHANGED} and draft.claims == dict(old.licence.claims):
            raise UsageError("nothing differs from what the licence says already")
        draft = replace(draft, effective_from=decision.effective_from)
        (issued,) = self._make([draft], [old], decision, beside)
        return issued

    def _draft(
        self,
        type_code: str,
        claims: Mapping[str, object],
        holder: PublicKey | None,
        version_kind: VersionKind,
        previous: _Old | None,
    ) -> Draft:
        kind = self._catalogue[type_code]
        checked = kind.check(claims)
        draft = Draft(kind, checked, holder, version_kind=version_kind)
        if previous is None:
            return draft
        field = kind.numbering.field
        if field and str(checked[field]) != previous.licence.number:
            why = Text("编号不变：编号有误须另行制发", "the number stays: another number is another licence")
            raise InvalidClaims(faults=[(field, why)])
        return replace(draft, previous=previous.licence, carried=_carried(previous, draft))

    def _find(self, identifiers: Sequence[str], decision: Decision, verb: str) -> list[_Old]:
        """The versions that a decision is about, each of which can be superseded now."""
        now = self._production.clock.now()
        decision.check(now=now)
        self._gate.admit(decision.actor, verb, *identifiers)
        found = []
        with self._production.database.reading() as session:
            repository = LicenceRepository(session)
            for identifier in identifiers:
                licence = repository.by_identifier(identifier)
                if licence is None:
                    raise NotFound(f"no licence {identifier}")
                found.append(_Old(licence, tuple(repository.events(identifier))))
        for one in found:
            since = decision.effective_from
            if since is not None and since < one.licence.starts_at:
                raise UsageError("a change cannot take effect before the licence does")
            require_possible(one.licence, one.events, decision.superseding(now=now, replaced_by="the next"))
        return found

    @staticmethod
    def _require_one_holder(olds: Sequence[_Old], draft: Draft) -> None:
        _, code = draft.kind.holder(draft.claims)
        if {one.licence.holder_code for one in olds} != {code}:
            raise Conflict("licences are merged that one holder has, and the result is that holder's")

    def _make(
        self, drafts: Sequence[Draft], olds: Sequence[_Old], decision: Decision, beside: Beside
    ) -> list[IssuedLicence]:
        production, actor = self._production, decision.actor
        reserved = production.reserve(drafts, actor)
        made = [production.make(draft, place) for draft, place in zip(drafts, reserved, strict=True)]
        endings = [_superseding(one, made, decision) for one in olds]
        for one in made:
            production.keep(one.issued)
        first = made[0].issued.licence
        return production.record(
            made, actor, decision.approval, endings, beside=lambda session: beside(session, first)
        )


def changed_fields(old: Licence, *new: Licence) -> tuple[str, ...]:
    """The names of what any of the new ones says otherwise than the old one; never a value."""
    names = {
        name
        for one in new
        for name in (*old.claims, *one.claims)
        if old.claims.get(name) != one.claims.get(name)
    }
    days = [name for name in _TERM if any(getattr(one, name) != getattr(old, name) for one in new)]
    return (*sorted(names), *(name for name in days if name not in names))


def _several(identifiers: Sequence[str], what: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(identifiers))
    if not 2 <= len(names) <= MAX_TOGETHER or len(names) != len(identifiers):
        raise UsageError(f"2 to {MAX_TOGETHER} different {what}")
    return names


def _carried(old: _Old, draft: Draft) -> tuple[Event, ...]:
    """What goes on counting: a commitment that was met; for a correction the pauses of what it corrects."""
    kinds = {EventKind.COMMITMENT_MET}
    if draft.version_kind is VersionKind.CORRECTED:
        kinds |= _PAUSES
    if draft.kind.commitment_day(draft.claims) != old.licence.commitment_due:
        kinds -= {EventKind.COMMITMENT_MET}
    return tuple(event for event in still_counting(old.events) if event.kind in kinds)


def _superseding(old: _Old, made: Sequence[Made], decision: Decision) -> Superseding:
    identifier, licences = old.licence.identifier, [one.issued.licence for one in made]
    after = next((one for one in licences if one.replaces == identifier), None)
    successors = tuple(one.identifier for one in licences if identifier in one.origins)
    event = decision.superseding(
        now=licences[0].issued_at, replaced_by=after.identifier if after else None, successors=successors
    )
    kind = licences[0].kind
    event = replace(event, version_kind=kind)
    if kind is VersionKind.CORRECTED:
        event = replace(event, effective_from=old.licence.starts_at)
    return Superseding(old.licence, event, changed_fields(old.licence, *licences), len(old.events))
