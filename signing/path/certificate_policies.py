"""Certificate policies along a path (RFC 5280, 6.1.3 (d) to 6.1.5 (g), by the graph of RFC 9618).

A certificate policy says under which rules a certificate was issued; a verifier may accept some only. The
tree of RFC 5280 can be made to explode, so RFC 9618 keeps one node for each policy at each depth; of these
only the newest depth is needed, with the policies of the first authority that each node stands for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from signing.path.facts import facts_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from signing.certificates import Certificate
    from signing.path.build import Path
    from signing.path.facts import Facts
    from signing.policy import Policy

ANY = "2.5.29.32.0"
MAX_POLICIES = 256  # of a certificate, mappings included


@dataclass(frozen=True, slots=True)
class _Node:
    """A policy at one depth: what the next certificate may call it, and what the verifier knows it as.

    `known_as` holds the policies at the top of the path that it came from; `ANY` when it came from anyPolicy
    alone.
    """

    expected: frozenset[str]
    known_as: frozenset[str]


_START = {ANY: _Node(frozenset({ANY}), frozenset({ANY}))}


@dataclass(slots=True)
class _State:
    """The variables of RFC 5280, 6.1.2, as far as policies go. An empty `nodes` is the NULL tree."""

    nodes: dict[str, _Node]
    explicit: int
    mapping: int
    any_policy: int


def certificate_policy_faults(path: Path, policy: Policy) -> Iterator[tuple[Certificate, str]]:
    """Where a path (leaf first) loses the certificate policies that are demanded."""
    if not policy.require_certificate_policy and not any(_speaks_of_policies(facts_of(one)) for one in path):
        return
    issued = tuple(reversed(path[:-1]))  # the anchor's own certificate is not one of the path (RFC 5280, 6.1)
    state = _beginning(facts_of(path[-1]), len(issued), policy)
    for number, certificate in enumerate(issued, 1):
        facts, is_last = facts_of(certificate), number == len(issued)
        if _size(facts) > MAX_POLICIES:
            yield certificate, f"over {MAX_POLICIES} certificate policies"
            return
        allows_any = state.any_policy > 0 or (not is_last and certificate.is_self_issued)
        state.nodes = _next_level(state.nodes, facts, allows_any=allows_any)
        if not state.nodes and not state.explicit:
            yield certificate, "no certificate policy is valid for the path, and one is demanded"
            return
        if not is_last and ANY in {name for pair in facts.policy_mappings for name in pair}:
            yield certificate, "maps anyPolicy to or from another (RFC 5280, 6.1.4 (a))"
            return
        _prepare(state, facts, is_self_issued=certificate.is_self_issued, is_last=is_last)
    if issued and not state.explicit and not _accepted(state.nodes, policy.certificate_policies):
        yield path[0], "its certificate policies are not among those that are accepted"


def _speaks_of_policies(facts: Facts) -> bool:
    return facts.policies is not None or bool(facts.policy_mappings) or facts.demands_policy is not None


def _beginning(anchor: Facts, length: int, policy: Policy) -> _State:
    """RFC 5280, 6.1.2, with what the anchor's own certificate demands (RFC 5937)."""
    inhibits = anchor.inhibits_mapping is not None or policy.inhibit_policy_mapping
    return _State(
        nodes=dict(_START),
        explicit=0 if policy.require_certificate_policy or anchor.demands_policy is not None else length + 1,
        mapping=0 if inhibits else length + 1,
        any_policy=0 if policy.inhibit_any_policy or anchor.inhibits_any is not None else length + 1,
    )


def _next_level(nodes: dict[str, _Node], facts: Facts, *, allows_any: bool) -> dict[str, _Node]:
    """RFC 5280, 6.1.3 (d) and (e)."""
    if facts.policies is None or not nodes:
        return {}
    level: dict[str, _Node] = {}
    for name in sorted(facts.policies - {ANY}):
        if known := _known_as(nodes.values(), name):
            level[name] = _Node(frozenset({name}), known)
        elif ANY in nodes:
            level[name] = _Node(frozenset({name}), frozenset({name}))
    if ANY in facts.policies and allows_any:
        expected = frozenset(name for node in nodes.values() for name in node.expected)
        for name in sorted(expected - level.keys()):
            level[name] = _Node(frozenset({name}), _known_as(nodes.values(), name))
    return level


def _known_as(nodes: Iterable[_Node], name: str) -> frozenset[str]:
    return frozenset(top for node in nodes if name in node.expected for top in node.known_as)


def _prepare(state: _State, facts: Facts, *, is_self_issued: bool, is_last: bool) -> None:
    """RFC 5280, 6.1.4 for the next certificate, or 6.1.5 (a) and (b) after the last one."""
    if is_last:
        state.explicit = max(state.explicit - 1, 0)
        if facts.demands_policy == 0:
            state.explicit = 0
        return
    _map(state, facts)
    if not is_self_issued:
        state.explicit = max(state.explicit - 1, 0)
        state.mapping = max(state.mapping - 1, 0)
        state.any_policy = max(state.any_policy - 1, 0)
    state.explicit = _smaller(state.explicit, facts.demands_policy)
    state.mapping = _smaller(state.mapping, facts.inhibits_mapping)
    state.any_policy = _smaller(state.any_policy, facts.inhibits_any)


def _map(state: _State, facts: Facts) -> None:
    """RFC 5280, 6.1.4 (b): what the next certificate may call a policy of this one."""
    mapped: dict[str, set[str]] = {}
    for ours, theirs in facts.policy_mappings:
        mapped.setdefault(ours, set()).add(theirs)
    for ours, theirs_all in mapped.items():
        if not state.mapping:
            state.nodes.pop(ours, None)
        elif ours in state.nodes:
            state.nodes[ours] = _Node(frozenset(theirs_all), state.nodes[ours].known_as)
        elif ANY in state.nodes:
            state.nodes[ours] = _Node(frozenset(theirs_all), frozenset({ours}))


def _smaller(now: int, wish: int | None) -> int:
    return now if wish is None else min(now, wish)


def _accepted(nodes: dict[str, _Node], wanted: frozenset[str]) -> bool:
    """RFC 5280, 6.1.5 (g): whether anything is left of what the verifier accepts."""
    if not wanted:  # any policy
        return bool(nodes)
    return any(node.known_as & wanted or ANY in node.known_as for node in nodes.values())


def _size(facts: Facts) -> int:
    return len(facts.policies or ()) + len(facts.policy_mappings)
