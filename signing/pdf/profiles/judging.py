"""What signatures state, read again: whom they name, in which order they came, and what a copy is of.

A statement is part of what its signer signed, and nobody else's word: that a witness names a signature says
that this witness saw that one, not that it is good. It is judged here only where it can be: a signature
that is named has to be there, earlier; an order that is stated has to be kept; an original that is said
to lie inside has to be the one that does.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from signing.pdf.profiles.commitment import (
    COMMITMENT_TYPE,
    SIGNER_ATTRIBUTES,
    SIGNER_ATTRIBUTES_V2,
    read_commitments,
    read_roles,
)
from signing.pdf.profiles.statement import STATEMENT, Statement, name_of, read_statement
from signing.reasons import Reason
from signing.report import Check
from yinxin.base.errors import MalformedInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from signing.cms import SignedData
    from signing.pdf.judge import Judgement

ORIGINAL = "original.pdf"
_OURS = (COMMITMENT_TYPE, SIGNER_ATTRIBUTES_V2, SIGNER_ATTRIBUTES, STATEMENT)


@dataclass(frozen=True, slots=True)
class Said:
    """What one signature states.

    `named` are the fields of the signatures that it names, `waiting` those of joint signers that are missing.
    """

    commitments: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    statement: Statement = field(default_factory=Statement)
    named: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()

    def finding(self) -> dict[str, Any]:
        """What there is of it, for display; nothing for a signature that states nothing."""
        said, copy = self.statement, self.statement.copy
        shown = {
            "commitments": list(self.commitments),
            "roles": list(self.roles),
            "names": list(self.named),
            "order": list(said.order),
            "waiting": list(self.waiting),
            "straddles": said.straddles,
            "copy": copy
            and {
                "original": copy.original,
                "embedded": copy.embedded,
                "maker": copy.maker,
                "made": copy.made.isoformat(),
                "purpose": copy.purpose,
            },
        }
        return {key: value for key, value in shown.items() if value}


NOTHING_SAID = Said()


def judge_statements(judgements: Iterable[Judgement]) -> None:
    """Read what each signature states into its `said`, and check what can be checked of it."""
    signatures = [item for item in judgements if not item.is_timestamp and item.signed is not None]
    for item in signatures:
        try:
            item.said = _read(item)
        except MalformedInput as exc:
            item.checks.append(Check("statement", Reason.FORMAT_FAILURE, detail=str(exc)[:200]))
    if any(item.said.statement.names for item in signatures):
        values = {name_of(item.signed.signature): item for item in signatures if item.signed}
        for item in signatures:
            _judge_names(item, values)
    if any(item.said.statement.order for item in signatures):
        _judge_orders(signatures)


def judge_copies(judgements: Iterable[Judgement], files: Mapping[str, str]) -> list[Check]:
    """Whether an original that is said to lie inside does; `files` maps embedded files to their SHA-256."""
    checks = []
    for item in judgements:
        copy = item.said.statement.copy
        if copy is not None and copy.embedded:
            good = files.get(ORIGINAL) == copy.original
            reason = None if good else Reason.COPY_OF_ANOTHER
            checks.append(Check(f"{item.found.field}/copy", reason))
    return checks


def _read(item: Judgement) -> Said:
    assert item.signed is not None  # noqa: S101 - asked by the caller
    if not any(name in item.signed.attributes for name in _OURS):
        return NOTHING_SAID
    return Said(
        _if_readable(read_commitments, item.signed),
        _if_readable(read_roles, item.signed),
        read_statement(item.signed),
    )


def _if_readable(read: Callable[[SignedData], tuple[str, ...]], signed: SignedData) -> tuple[str, ...]:
    """What makers write in their own ways is told where it can be read, and is no fault where it cannot."""
    try:
        return read(signed)
    except MalformedInput:
        return ()


def _judge_names(item: Judgement, values: Mapping[str, Judgement]) -> None:
    wanted = item.said.statement.names
    if not wanted:
        return
    found = [values.get(name) for name in wanted]
    earlier = [one for one in found if one is not None and one.gap.covered <= item.gap.start]
    item.said = replace(item.said, named=tuple(one.found.field for one in earlier))
    is_there = len(earlier) == len(wanted)
    item.checks.append(Check("named_signatures", None if is_there else Reason.NAMED_SIGNATURE_MISSING))


def _judge_orders(signatures: list[Judgement]) -> None:
    """Every order that somebody states has to be kept by all who sign in one of its fields."""
    by_field = {item.found.field: item for item in signatures}
    names = [item.found.field for item in signatures]
    for order in dict.fromkeys(item.said.statement.order for item in signatures if item.said.statement.order):
        for number, name in enumerate(order):
            item = by_field.get(name)
            if item is not None:
                before = [by_field.get(earlier) for earlier in order[:number]]
                item.checks.append(Check("signing_order", _order_fault(item, order, before)))
    for item in signatures:
        order = item.said.statement.order
        if any(names.count(name) > 1 for name in order) or (order and item.found.field not in order):
            item.checks.append(Check("signing_order", Reason.SIGNED_OUT_OF_ORDER))
        item.said = replace(item.said, waiting=tuple(name for name in order if name not in by_field))


def _order_fault(item: Judgement, order: tuple[str, ...], before: list[Judgement | None]) -> Reason | None:
    """Whoever signs in an order states the same one, after all who stand before them."""
    says_another = item.said.statement.order not in {order, ()}
    is_late = all(one is not None and one.gap.covered <= item.gap.start for one in before)
    return None if is_late and not says_another else Reason.SIGNED_OUT_OF_ORDER
