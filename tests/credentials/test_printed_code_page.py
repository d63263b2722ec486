"""The page's module (JavaScript) and ours (Python) give the same verdict on the same code."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from world.listed import CASES, DAY, IDS, KIND, Rows, a_list
from world.pki import NOON, Pki
from world.printed import ADDRESS, CATALOGUE, ISSUED, KINDS, Paper, sample_licence
from world.printed_forgery import ADDRESSES, BAD_CLAIMS, NO_ADDRESSES, TRICKS, Forger, printed

from credentials import samples
from credentials.printed_code import Excerpt, IssuerCertificate, read
from credentials.printed_code.code import FIELDS, LICENCE
from credentials.printed_code.issuers import kid_of
from credentials.printed_code.published import published_list
from signing import cbor
from signing.base64url import decode_base64url, encode_base64url
from signing.cose import ALG, CRIT, KID

if TYPE_CHECKING:
    from collections.abc import Iterable

    from credentials.printed_code import PrintedCodeVerifier
    from signing.reasons import Reason

pytestmark = pytest.mark.peer
MODULE = Path(__file__).parents[2] / "verify_api" / "pages" / "static" / "printed.js"
PEER = Path(__file__).with_name("printed_code_peer.mjs")
MUTANTS = int(os.environ.get("YINXIN_CODE_MUTANTS", "600"))
Case = tuple[str, datetime | None]


def asked(verifier: PrintedCodeVerifier, cases: Iterable[Case], *, now: datetime) -> list[list[Any]]:
    """What the page says: indication, then, reasons, identifier, fields."""
    node = shutil.which("node")
    if not node:
        pytest.skip("node is missing: apt-get install nodejs")
    codes = [[text, int(at.timestamp()) if at else None] for text, at in cases]
    made = published_list(verifier, CATALOGUE, now=now)
    question = {"list": made, "now": int(now.timestamp()), "codes": codes}
    done = subprocess.run(
        [node, PEER, MODULE],
        input=json.dumps(question),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    said: list[list[Any]] = json.loads(done.stdout)
    assert len(said) == len(codes)
    return said


def ours(verifier: PrintedCodeVerifier, text: str, now: datetime) -> list[Any]:
    """The same from our own verification, without the register."""
    report = verifier.verify(text, now=now)
    codes = sorted(reason.code for reason in report.reasons)
    said = [str(report.indication), str(report.then), codes, None, None]
    if report.findings:
        fields = read(text).fields
        shown = {name: v.start if isinstance(v, Excerpt) else v for name, v in fields.items()}
        said[3:] = report.findings["licence"], shown
    return said


def same(paper: Paper, texts: Iterable[str], *others: IssuerCertificate) -> list[list[Any]]:
    """Ask both about every text, and return what both said."""
    verifier, cases = paper.verifier(*others), [(text, None) for text in texts]
    said = asked(verifier, cases, now=paper.now)
    for (text, _), theirs in zip(cases, said, strict=True):
        assert theirs == ours(verifier, text, paper.now), text
    return said


@pytest.fixture(scope="module")
def paper() -> Paper:
    return Paper(Pki())


@pytest.fixture(scope="module")
def forger(paper: Paper) -> Forger:
    return Forger(paper)


def test_the_page_module_is_node_too() -> None:
    assert MODULE.is_file()


def test_genuine_codes_of_every_type(paper: Paper) -> None:
    long = sample_licence("construction-permit", project_name="津城区" * 20, project_address="海河东路" * 15)
    said = same(paper, [*(paper.code(code) for code in KINDS), paper.code(long)])
    assert {tuple(one[:2]) for one in said} == {("indeterminate", "passed")}
    assert all(one[2] == ["status_not_asked"] and one[3] for one in said)


def test_mutants(paper: Paper, forger: Forger) -> None:
    """Bytes changed, cut, doubled and moved in codes of every type; letters changed in their text."""
    chance = random.Random(20261123)  # noqa: S311 - the same mutants every time
    codes, texts = [paper.code(code) for code in KINDS], []
    for number in range(MUTANTS):
        code = codes[number % len(codes)]
        if number % 3 == 0:
            texts.append(mutated_text(code, chance))
        else:
            raw = mutated(decode_base64url(code.partition("#")[2]), chance)
            texts.append(f"{ADDRESS}#{encode_base64url(raw)}")
    said = same(paper, texts)
    genuine = sum(one[1] == "passed" for one in said)
    seen = {code for one in said for code in one[2]}
    assert genuine == sum(text in codes for text in texts), "a mutant that passes is no mutant"
    assert {"printed_code_malformed", "sig_crypto_failure", "signing_certificate_missing"} <= seen


def mutated(raw: bytes, chance: random.Random) -> bytes:
    data, place = bytearray(raw), chance.randrange(len(raw))
    kind = chance.randrange(6)
    if kind == 0:
        data[place] ^= 1 << chance.randrange(8)
    elif kind == 1:
        data[place] = chance.randrange(256)
    elif kind == 2:
        del data[place : place + chance.randrange(1, 9)]
    elif kind == 3:
        data[place:place] = chance.randbytes(chance.randrange(1, 9))
    elif kind == 4:
        data[place : place + 8] = data[:8]
    else:
        head = chance.randrange(40)  # where the structure is
        data[head] = chance.choice(
            b"\x00\x1f\x40\x5f\x60\x7f\x80\x9f\xa0\xbf\xc0\xd8\xf4\xf6\xf7\xf9\xfb\xff"
        )
    return bytes(data)


def mutated_text(code: str, chance: random.Random) -> str:
    place = chance.randrange(len(code))
    letter = chance.choice("AaZz09-_=+/%#.?&@: \n\u202e\u3002\U0001f600")
    return code[:place] + letter + code[place + chance.randrange(2) :]


def test_forgeries_by_the_agencys_own_key(paper: Paper, forger: Forger) -> None:
    texts = [forger.forged(change) for change in BAD_CLAIMS.values()]
    for trick in TRICKS:
        fields = {"operator_name": trick}
        texts += [forger.forged(lambda claims, fields=fields: claims[LICENCE].update({FIELDS: fields}))]
    for said in same(paper, texts):
        assert said[:3] == ["failed", "failed", ["printed_code_malformed"]]


def test_headers_and_algorithms(paper: Paper, forger: Forger) -> None:
    kid = kid_of(paper.signer.certificate)
    heads: list[dict[int, Any]] = [
        {ALG: number, KID: kid} for number in (-7, -9, -35, -8, -37, 5, 0, -65535, 2**63, -(2**64))
    ]
    heads += [
        {KID: kid},
        {ALG: "ES256", KID: kid},
        {ALG: None, KID: kid},
        {ALG: -7.5, KID: kid},
        {ALG: [-7], KID: kid},
    ]
    heads += [
        {ALG: -7, KID: kid, CRIT: [KID]},
        {ALG: -7, KID: kid, 99: 1},
        {ALG: -7},
        {ALG: -7, KID: kid[:7]},
    ]
    said = same(paper, map(forger.resigned, heads))
    assert [one[1] for one in said[:2]] == ["passed", "passed"], "both numbers of ES256"
    assert {one[1] for one in said[2:]} == {"failed"}


def test_addresses(paper: Paper, forger: Forger) -> None:
    rest = "#" + forger.code.partition("#")[2]
    texts = [*(address + rest for address in (*ADDRESSES, *NO_ADDRESSES)), "", "#", ADDRESS, ADDRESS + "#"]
    assert {one[1] for one in same(paper, texts)} == {"failed"}


def test_cbor_of_every_kind(paper: Paper) -> None:
    """Structures that are no code: the two readers refuse the same for the same reason."""
    values = [
        0,
        -1,
        2**53,
        2**64 - 1,
        "x",
        b"x",
        [],
        {},
        [1, [2]],
        {1: 2},
        True,
        None,
        1.5,
        cbor.Tag(18, [1]),
    ]
    texts = [printed(cbor.encode(value)) for value in values]
    raw = [
        "", "ff", "9f01ff", "5f4101ff", "1801", "f7", "f97e00", "61ff", "a201000101", "a202000100", "bb",
        "81" * 15 + "00", "81" * 16 + "00", "81" * 17 + "00", "a100" * 17 + "00", "d83d" * 20 + "00",
        "9bffffffffffffffff", "9affffffff", "a1f500", "a14100f5", "d28440a0f640", "d28441a0a0f640",
        "d284a0a0f640", "c000",
    ]  # fmt: skip
    texts += [f"{ADDRESS}#{encode_base64url(bytes.fromhex(one))}" for one in raw]
    texts += [printed(bytes.fromhex(one)) for one in raw]
    assert {tuple(one[2]) for one in same(paper, texts)} == {("printed_code_malformed",)}


def test_others_keys_and_agencies(paper: Paper, forger: Forger) -> None:
    neighbour, stranger = paper.pki.signer("credential"), Pki().signer("credential")
    listed = IssuerCertificate("11120199MB0000001X", neighbour.chain)
    untrusted = IssuerCertificate(samples.AGENCY.credit_code, stranger.chain)
    texts = [
        paper.code(signer=neighbour),
        paper.code(signer=stranger),
        forger.forged(lambda _: None, signer=neighbour),
        paper.code(),
    ]
    said = same(paper, texts, listed, untrusted)
    assert ["issuer_mismatch", "status_not_asked"] in [one[2] for one in said]
    assert same(paper, texts)[1][2] == ["signing_certificate_missing"]


def test_times(paper: Paper) -> None:
    licence = sample_licence("food-business-licence")
    assert licence.ends_at
    texts = [
        paper.code(licence),
        paper.code(replace(licence, valid_from=date(2026, 11, 20), valid_until=date(2026, 11, 20))),
        paper.code(replace(licence, valid_from=date(2027, 1, 1))),
        paper.code(replace(licence, issued_at=paper.now + timedelta(minutes=6))),
        paper.code(replace(licence, issued_at=paper.now + timedelta(minutes=5))),
    ]
    said = same(paper, texts)
    assert [one[2] for one in said][2] == ["not_yet_valid", "status_not_asked"]
    verifier = paper.verifier()
    moments = [
        ISSUED,
        paper.now,
        paper.now + timedelta(hours=23),
        datetime(2026, 11, 20, 15, 59, 59, tzinfo=UTC),
    ]
    moments.append(moments[-1] + timedelta(seconds=1))
    for at in moments:
        cases = [(text, at) for text in texts]
        for (text, _), theirs in zip(cases, asked(verifier, cases, now=paper.now), strict=True):
            assert theirs == ours(verifier, text, at), (text, at)


def test_a_revoked_certificate_and_an_old_list() -> None:
    paper = Paper(Pki())
    text = paper.code()
    (late,) = asked(paper.verifier(), [(text, paper.now + timedelta(days=2))], now=paper.now)
    assert late[:2] == ["indeterminate", "passed"], "the list has run out, and so have its revocation lists"
    assert "revocation_stale" in late[2]
    paper.pki.issuing.revoke(paper.signer.certificate, ISSUED + timedelta(hours=1))
    (said,) = asked(paper.verifier(), [(text, None)], now=paper.now)
    assert said[0] == str(paper.verify(text).indication) == "failed"
    assert "certificate_revoked" in said[2]
    assert said[3] is None, "what it says is not shown"


@pytest.mark.parametrize(("rows", "how", "_reasons"), CASES, ids=IDS)
def test_the_page_hears_what_a_trust_list_says(
    paper: Paper, rows: Rows, how: dict[str, Any], _reasons: set[Reason]
) -> None:
    """The verdict is the one of our own verification; what it has to be is said beside it."""
    text, verifier = paper.code(sample_licence(KIND, issued=NOON - 2 * DAY)), paper.verifier()
    verifier.trust_list = a_list(paper.signer.certificate, CATALOGUE[KIND].vct, rows, **how)
    assert asked(verifier, [(text, None)], now=NOON) == [ours(verifier, text, NOON)]
    assert verifier.trust_list.listed is not None
    nobody = replace(verifier.trust_list, listed=replace(verifier.trust_list.listed, listed=()))
    verifier.trust_list = nobody
    assert asked(verifier, [(text, None)], now=NOON) == [ours(verifier, text, NOON)]
