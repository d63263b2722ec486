"""A thousand random queries, answered by the npm package dcql and by us: the same answers.

Queries ask for SD-JWT VC, for mdocs and for sets of both; wallets hold both.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from credentials.dcql import MDOC, SD_JWT_VC, Candidate, Query, match, options_to_return

pytestmark = pytest.mark.peer
SCRIPT = Path(__file__).parent / "dcql_peer.mjs"
MODULES = Path(os.environ.get("YINXIN_NODE", Path.home() / ".cache" / "yinxin-npm"))
ROUNDS = 1000
TYPES = ("urn:a", "urn:b", "urn:c")
NAMESPACES = ("org.n", "org.m")


@pytest.fixture(scope="module")
def node() -> list[str]:
    """The command that answers queries."""
    program = shutil.which("node")
    if not program:
        pytest.skip("node is missing: apt-get install nodejs")
    if not (MODULES / "node_modules" / "dcql").is_dir():
        pytest.skip(f"the npm package dcql is missing: npm install --prefix {MODULES} dcql@3.0.0")
    return [program, str(SCRIPT), str(MODULES)]


def value(chance: random.Random) -> Any:
    return chance.choice(["a", "b", "1", 1, 0, True, False])


def claims(chance: random.Random) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name in ("name", "code", "age"):
        if chance.random() < 0.7:
            made[name] = value(chance)
    if chance.random() < 0.7:
        made["address"] = {name: value(chance) for name in ("city", "street") if chance.random() < 0.7}
    if chance.random() < 0.7:
        made["scopes"] = [value(chance) for _ in range(chance.randrange(1, 4))]
    if chance.random() < 0.5:
        made["items"] = [{"k": value(chance)} for _ in range(chance.randrange(1, 3))]
    return made


def elements(chance: random.Random) -> dict[str, dict[str, Any]]:
    """What an mdoc holds, by namespace; the same identifier may stand in both."""
    return {
        namespace: {name: value(chance) for name in ("name", "code", "age") if chance.random() < 0.7}
        | ({"scopes": [value(chance)]} if chance.random() < 0.5 else {})
        for namespace in NAMESPACES
        if chance.random() < 0.8
    }


def element_query(chance: random.Random, number: int) -> dict[str, Any]:
    name = chance.choice(["name", "code", "age", "scopes"])
    asked: dict[str, Any] = {"id": f"c{number}", "path": [chance.choice(NAMESPACES), name]}
    if chance.random() < 0.4 and name != "scopes":
        asked["values"] = [value(chance) for _ in range(chance.randrange(1, 4))]
    if chance.random() < 0.3:  # B.2.4: what the verifier means to do with it decides no match
        asked["intent_to_retain"] = chance.random() < 0.5
    return asked


def claim_query(chance: random.Random, number: int) -> dict[str, Any]:
    paths: list[list[Any]] = [["name"], ["code"], ["age"], ["address"], ["address", "city"]]
    paths += [["address", "street"], ["scopes", 0], ["scopes", 2], ["scopes", None], ["items", None, "k"]]
    asked: dict[str, Any] = {"id": f"c{number}", "path": chance.choice(paths)}
    # What a value among several elements means is left open by the text; theirs wants all of them.
    if chance.random() < 0.4 and None not in asked["path"] and asked["path"] != ["address"]:
        asked["values"] = [value(chance) for _ in range(chance.randrange(1, 4))]
    return asked


def credential_query(chance: random.Random, name: str) -> dict[str, Any]:
    kind = chance.choice([SD_JWT_VC, MDOC])
    asked: dict[str, Any] = {"id": name, "format": kind}
    if kind == MDOC:
        asked["meta"], one = {"doctype_value": chance.choice(TYPES)}, element_query
    else:
        asked["meta"], one = {"vct_values": chance.sample(TYPES, chance.randrange(1, 3))}, claim_query
    if chance.random() < 0.9:
        asked["claims"] = [one(chance, number) for number in range(chance.randrange(1, 4))]
        ids = [one["id"] for one in asked["claims"]]
        if chance.random() < 0.5:
            sets = [chance.sample(ids, chance.randrange(1, len(ids) + 1)) for _ in range(3)]
            asked["claim_sets"] = sets[: chance.randrange(1, 4)]
    if chance.random() < 0.2:
        asked["trusted_authorities"] = [{"type": "aki", "values": chance.sample(["AA", "BB"], 1)}]
    if chance.random() < 0.2:
        asked["require_cryptographic_holder_binding"] = False
    return asked


def question(chance: random.Random) -> dict[str, Any]:
    names = ["one", "two", "three"][: chance.randrange(1, 4)]
    query: dict[str, Any] = {"credentials": [credential_query(chance, name) for name in names]}
    if chance.random() < 0.5:
        query["credential_sets"] = [
            {
                "options": [
                    chance.sample(names, chance.randrange(1, len(names) + 1))
                    for _ in range(chance.randrange(1, 3))
                ],
                "required": chance.random() < 0.8,
            }
            for _ in range(chance.randrange(1, 3))
        ]
    return {"query": query, "credentials": [credential(chance) for _ in range(chance.randrange(1, 6))]}


def credential(chance: random.Random) -> dict[str, Any]:
    kind = chance.choice([SD_JWT_VC, MDOC])
    held = {
        "credential_format": kind,
        "cryptographic_holder_binding": chance.random() < 0.8,
        "authority": {"type": "aki", "values": [chance.choice(["AA", "BB"])]},
    }
    if kind == MDOC:
        return {**held, "doctype": chance.choice(TYPES), "namespaces": elements(chance)}
    return {**held, "vct": chance.choice(TYPES), "claims": claims(chance)}


def ours(asked: dict[str, Any]) -> dict[str, Any]:
    query = Query.parse(asked["query"])
    held = [
        Candidate(
            one["credential_format"],
            one["vct"] if one["credential_format"] == SD_JWT_VC else one["doctype"],
            one["claims"] if one["credential_format"] == SD_JWT_VC else one["namespaces"],
            one["cryptographic_holder_binding"],
            frozenset(one["authority"]["values"]),
        )
        for one in asked["credentials"]
    ]
    matches = {
        one.id: [
            [number, found.alternative]
            for number, candidate in enumerate(held)
            if (found := match(one, candidate))
        ]
        for one in query.credentials
    }
    available = {name for name, found in matches.items() if found}
    return {"satisfied": options_to_return(query, available) is not None, "matches": matches}


def test_both_answer_alike(node: list[str]) -> None:
    chance = random.Random("dcql")  # noqa: S311 - a test's dice
    asked = [question(chance) for _ in range(ROUNDS)]
    text = "".join(json.dumps(one) + "\n" for one in asked)
    done = subprocess.run(node, input=text, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    theirs = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(theirs) == ROUNDS
    wrong = [(one, ours(one), other) for one, other in zip(asked, theirs, strict=True) if ours(one) != other]
    assert not wrong, json.dumps(wrong[0], indent=1)
    satisfied = sum(one["satisfied"] for one in theirs)
    assert ROUNDS / 20 < satisfied < ROUNDS * 19 / 20
    shown = [
        one["credentials"][number]["credential_format"]
        for one, other in zip(asked, theirs, strict=True)
        for found in other["matches"].values()
        for number, _ in found
    ]
    assert min(shown.count(SD_JWT_VC), shown.count(MDOC)) > ROUNDS / 20
