"""`yinxin trust add | show | diff | explain` over certificates, folders, our own lists and those of ETSI."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from world.credentials import CredentialWorld
from world.etsi import Listed, ListSigner, State, TrustedList, pointer
from world.pki import TestAuthority

from signing.signers.file import FileSigner
from signing.trust import TrustAnchor, TrustStore
from signing.trust_list import ListedIssuer, ListedType, TrustList, TrustRoot, sign_content
from signing.trust_list.contents import LIST_TYPE
from signing.trust_list.roots import ROOT_TYPE
from yinxin.app.cli import run
from yinxin.app.console import ExitCode
from yinxin.base.text import Text

if TYPE_CHECKING:
    from pathlib import Path

DAY = timedelta(days=1)
NOW = datetime.now(UTC).replace(microsecond=0)
START = NOW - 300 * DAY
LI, WANG = FileSigner.generate(), FileSigner.generate()
FIRST, SECOND = TestAuthority("First CA").certificate, TestAuthority("Second CA").certificate


class Desk:
    """A folder, and the command line in it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys = folder, capsys
        root = TrustRoot("city", 1, 2, (LI.public_key, WANG.public_key), NOW + 300 * DAY)
        self.put("root.json", sign_content(root.to_content(), ROOT_TYPE, [LI, WANG]))

    def put(self, name: str, content: bytes) -> str:
        place = self.folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        return str(place)

    def ask(self, *words: str) -> tuple[int, Any]:
        self._capsys.readouterr()
        places = [str(self.folder / word[1:]) if word.startswith("@") else word for word in words]
        status = run(["trust", *places, "--json"])
        said = self._capsys.readouterr()
        return status, json.loads(said.out or said.err)

    def say(self, *words: str) -> str:
        self._capsys.readouterr()
        run(["trust", *(str(self.folder / word[1:]) if word.startswith("@") else word for word in words)])
        return self._capsys.readouterr().out

    @property
    def trust(self) -> TrustStore:
        return TrustStore.load(self.folder / "trust")


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(tmp_path, capsys)


def a_list(*issuers: ListedIssuer, anchor: Any = FIRST, version: int = 1) -> bytes:
    anchors = (TrustAnchor(anchor, frozenset({"credential", "seal", "status"}), Text("根", "root")),)
    listed = TrustList("city", version, 1, NOW - DAY, NOW + DAY, anchors, issuers)
    return sign_content(listed.to_content(), LIST_TYPE, [LI, WANG])


def test_a_folder_of_certificates(desk: Desk) -> None:
    desk.put("given/one.pem", FIRST.to_pem())
    desk.put("given/two.der", SECOND.der)
    desk.put("given/three.cer", b"not a certificate")
    desk.put("given/readme.txt", b"nothing")
    status, said = desk.ask("add", "@trust", "@given", "--use", "seal")
    assert (status, len(said["added"]), len(said["left_aside"])) == (ExitCode.DONE, 2, 1)
    assert set(desk.trust.anchors) == {TrustAnchor(one, frozenset({"seal"})) for one in (FIRST, SECOND)}
    desk.put("empty/readme.txt", b"nothing")
    assert desk.ask("add", "@trust", "@empty")[0] == ExitCode.USAGE


def test_our_own_list_needs_its_root(desk: Desk) -> None:
    desk.put("list.json", a_list())
    assert desk.ask("add", "@trust", "@list.json")[0] == ExitCode.USAGE
    assert (
        desk.ask("add", "@trust", "@list.json", "--root", "@root.json", "--use", "seal")[0] == ExitCode.USAGE
    )
    assert desk.ask("add", "@trust", "@list.json", "--root", "@root.json")[0] == ExitCode.DONE
    (anchor,) = desk.trust.anchors
    assert (anchor.certificate, len(anchor.usages)) == (FIRST, 3)
    desk.put("later.json", a_list(anchor=SECOND, version=2))
    status, said = desk.ask("diff", "@list.json", "@later.json", "--root", "@root.json")
    assert status == ExitCode.FAILED
    assert [row["subject"] for row in said["removed"] + said["added"]] == [FIRST.subject, SECOND.subject]
    assert desk.ask("diff", "@trust", "@list.json", "--root", "@root.json")[0] == ExitCode.DONE
    assert len(desk.ask("show", "@list.json", "--root", "@root.json")[1]["anchors"]) == 1


def test_a_list_of_lists_and_the_lists_that_it_points_to(desk: Desk) -> None:
    top, national, stranger = ListSigner("EU"), ListSigner("XX"), ListSigner("YY")
    times = {"issued_at": NOW - DAY, "next_update": NOW + 100 * DAY}
    pointers = (pointer("XX", "https://xx.example/", [national.certificate]),)
    lotl = TrustedList(pointers=pointers, kind="EUlistofthelists", territory="EU", **times)
    desk.put("lotl.xml", top.sign(lotl))
    desk.put("signers.pem", top.certificate.to_pem())
    content = TrustedList((Listed([FIRST], (State(START),)),), **times)
    desk.put("lists/xx.xml", national.sign(content))
    desk.put(
        "lists/other.xml", stranger.sign(replace(content, services=(Listed([SECOND], (State(START),)),)))
    )
    desk.put("lists/yy.xml", national.sign(replace(content, territory="YY")))
    add = ("add", "@trust", "@lotl.xml", "--signer", "@signers.pem")
    assert desk.ask("add", "@trust", "@lotl.xml")[0] == ExitCode.USAGE
    assert desk.ask(*add)[0] == ExitCode.USAGE
    status, said = desk.ask(*add, "--national", "@lists")
    assert (status, said["added"], len(said["left_aside"])) == (ExitCode.DONE, [FIRST.fingerprint], 2)
    # The service is withdrawn: a newer edition takes the place of the older.
    ended = (State(NOW - DAY, "withdrawn"), State(START))
    desk.put("lists/xx.xml", national.sign(replace(content, services=(Listed([FIRST], ended),))))
    assert desk.ask(*add, "--national", "@lists")[0] == ExitCode.DONE
    (anchor,) = desk.trust.anchors
    assert [row.until for row in anchor.periods] == [NOW - DAY]
    status, said = desk.ask(
        "show", "@lists/xx.xml", "--signer", desk.put("xx.pem", national.certificate.to_pem())
    )
    assert said["anchors"][0]["periods"][0]["usage"] == "seal"
    assert desk.ask("show", "@lists/xx.xml", "--signer", "@signers.pem")[0] == ExitCode.ERROR


class TestExplain:
    @pytest.fixture
    def world(self) -> CredentialWorld:
        return CredentialWorld()

    def test_says_in_plain_words_who_may_issue_and_what_to_do(
        self, desk: Desk, world: CredentialWorld
    ) -> None:
        claims = world.licence()
        desk.put("credential.txt", world.issue({**claims, "iat": int((NOW - 2 * DAY).timestamp())}).encode())
        signer, root = world.agency.certificate, world.pki.root.certificate

        def explained(*rows: ListedType) -> tuple[str, str]:
            issuer = ListedIssuer(Text("市监局", "bureau"), "11120101MB1A000000", (signer.subject,), (), rows)
            desk.put("list.json", a_list(issuer, anchor=root))
            status, said = desk.ask("explain", "@list.json", "@credential.txt", "--root", "@root.json")
            assert status == ExitCode.DONE
            texts = said["explanation"]
            return "".join(one["zh"] for one in texts), " ".join(one["en"] for one in texts)

        granted = ListedType(claims["vct"], "granted", START)
        zh, en = explained(granted)
        assert f"自 {START:%Y-%m-%d} 起可签发：{claims['vct']}" in zh
        assert "bureau (11120101MB1A000000) may issue" in en
        assert "lead to the trust anchor" in en
        zh, en = explained(granted, ListedType(claims["vct"], "withdrawn", NOW - DAY))
        assert "已撤销签发权限" in zh
        assert "向该类证照现在的发证机关核实" in zh
        assert "Ask the agency that issues this type now" in en
        zh, en = explained()
        assert "无权签发" in zh
        desk.put("list.json", a_list(anchor=root))
        text = desk.say("explain", "@list.json", "@credential.txt", "--root", "@root.json", "--lang", "zh")
        assert "信任列表中没有" in text
        assert "结论：不可信" in text

    def test_says_what_is_missing_without_an_anchor(self, desk: Desk, world: CredentialWorld) -> None:
        desk.put("credential.txt", world.issue().encode())
        desk.put("other.pem", FIRST.to_pem())
        desk.ask("add", "@trust", "@other.pem")
        said = desk.ask("explain", "@trust", "@credential.txt")[1]["explanation"]
        assert any("不在信任库中" in one["zh"] for one in said)
        assert any("compare its root's fingerprint" in one["en"] for one in said)


def test_verify_goes_by_a_list_that_is_named(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    world = CredentialWorld()
    desk.put("credential.txt", world.issue().encode())
    desk.put("list.json", a_list(anchor=world.pki.root.certificate))
    words = [str(desk.folder / "credential.txt"), "--trust-list", str(desk.folder / "list.json")]
    assert run(["verify", *words]) == ExitCode.USAGE
    capsys.readouterr()
    status = run(["verify", *words, "--trust-list-root", str(desk.folder / "root.json"), "--json"])
    (report,) = json.loads(capsys.readouterr().out)["reports"]
    assert status == ExitCode.FAILED
    assert "issuer_not_permitted" in {one["code"] for one in report["reasons"]}
    assert "trust_list" in report["snapshots"]
