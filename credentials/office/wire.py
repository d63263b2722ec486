"""Cases and bundles on the wire and in files: strict JSON in, plain JSON out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from credentials.office.bundles.values import fault_to_dict
from credentials.office.cases import STATE_NAMES, Work, WorkKind
from yinxin.base.errors import InvalidClaims, MalformedInput
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from credentials.office.bundles import Bundle
    from credentials.office.cases import Case

# name in the body → its type; all that a work says
_WORK: Mapping[str, type] = {
    "kind": str,
    "type": str,
    "claims": dict,
    "holder_key": dict,
    "licence": str,
    "more_licences": list,
    "ground": str,
    "document_number": str,
    "details": dict,
}
_TYPES: Mapping[type, Text] = {
    str: Text("须为文本", "must be a text"),
    dict: Text("须为对象", "must be an object"),
    list: Text("须为数组", "must be a list"),
}
_STRANGE = Text("不允许出现此项", "this name is not allowed here")
_MISSING = Text("缺少必填项", "a required value is missing")
MAX_CLAIMS, MAX_LICENCES = 300, 50


def read_case(body: Mapping[str, Any]) -> tuple[str, Work]:
    """The agency's case number, and the work."""
    known = {"case": str, **_WORK}
    read = read_members(body, known, required=("case", "type"))
    return read["case"], _work(read)


def read_work(body: Mapping[str, Any]) -> Work:
    """The work of an edit."""
    return _work(read_members(body, _WORK, required=("type",)))


def read_members(
    body: Mapping[str, Any], known: Mapping[str, type], *, required: Collection[str] = ()
) -> dict[str, Any]:
    """The members of a body; `InvalidClaims` names each that is strange, missing or of another type."""
    faults = [(name[:80], _STRANGE) for name in body if name not in known]
    faults += [(name, _MISSING) for name in required if body.get(name) is None]
    faults += [
        (name, _TYPES[kind])
        for name, kind in known.items()
        if body.get(name) is not None and not isinstance(body[name], kind)
    ]
    if faults:
        raise InvalidClaims(faults=faults)
    return {name: value for name, value in body.items() if value is not None}


def _work(read: Mapping[str, Any]) -> Work:
    kind, more = read.get("kind", WorkKind.ISSUE), read.get("more_licences", [])
    if kind not in set(WorkKind):
        known = ", ".join(WorkKind)
        raise InvalidClaims(faults=[("kind", Text(f"须为：{known}", f"must be one of: {known}"))])
    if len(more) > MAX_LICENCES or not all(isinstance(one, str) for one in more):
        raise MalformedInput("case", f"more_licences is a list of at most {MAX_LICENCES} texts")
    claims = read.get("claims", {})
    if len(claims) > MAX_CLAIMS:
        raise MalformedInput("case", f"over {MAX_CLAIMS} claims")
    return Work(
        WorkKind(kind),
        read["type"],
        claims,
        read.get("holder_key"),
        read.get("licence"),
        read.get("ground", ""),
        read.get("document_number", ""),
        tuple(more),
        read.get("details", {}),
    )


def case_facts(case: Case) -> dict[str, Any]:
    """A case as its agency's systems see it."""
    consents = [{"role": one.role, "by": one.by, "at": one.at.isoformat()} for one in case.consents]
    return {**case_summary(case), "work": case.work.to_dict(), "consents": consents, "note": case.note}


def bundle_facts(bundle: Bundle) -> dict[str, Any]:
    """A bundle with its report."""
    consents = [{"role": one.role, "by": one.by, "at": one.at.isoformat()} for one in bundle.consents]
    faults = [fault_to_dict(one) for one in bundle.faults]
    return {**bundle_summary(bundle), "faults": faults, "consents": consents, "note": bundle.note}


def bundle_summary(bundle: Bundle) -> dict[str, Any]:
    """A bundle in a list."""
    return {
        "id": bundle.id,
        "bundle": bundle.number,
        "state": str(bundle.state),
        "text": STATE_NAMES[bundle.state].to_dict(),
        "digest": bundle.digest,
        "rows": bundle.total,
        "faulty": bundle.faulty,
        "cases": {str(state): number for state, number in sorted(bundle.counts.items())},
        "editors": list(bundle.editors),
        "changed_at": bundle.changed_at.isoformat(),
    }


def case_summary(case: Case) -> dict[str, Any]:
    """A case in a list: nothing of what it says."""
    return {
        "id": case.id,
        "case": case.number,
        "kind": str(case.work.kind),
        "type": case.work.type_code,
        "state": str(case.state),
        "text": STATE_NAMES[case.state].to_dict(),
        "revision": case.revision,
        "digest": case.digest.hex(),
        "editors": list(case.editors),
        "changed_at": case.changed_at.isoformat(),
        "licence": case.sealed_as,
    }
