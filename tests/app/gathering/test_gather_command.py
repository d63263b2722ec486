"""At the command line: a file that comes alone, and an authority next door that serves its lists."""

from __future__ import annotations

import json
import socket
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from world.pki import START
from world.places import Country

from credentials.mdoc import MdocValidity, issue_mdoc
from signing import detached
from signing.signers.file import FileSigner
from yinxin.app.cli import run
from yinxin.app.console import ExitCode
from yinxin.app.doctor import examine
from yinxin.app.home import Home
from yinxin.base.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Town:
    """A folder with somebody else's root, a signed file, and the server of its authority."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], port: int) -> None:
        self.folder, self._capsys = folder, capsys
        self.country = Country(host=f"127.0.0.1:{port}")
        now = datetime.now(UTC)
        self.country.publish(now.replace(microsecond=0))
        (folder / "root.pem").write_bytes(self.country.root.certificate.to_pem())
        leaf = self.country.leaf()
        signer = self.country.issuing.issue("经办 Clerk next door", extra=_places(leaf), not_before=START)
        content = "协查函".encode()
        (folder / "letter.txt").write_bytes(content)
        lonely = signer.with_chain(signer.chain[:1])
        (folder / "letter.txt.p7s").write_bytes(detached.sign(content, lonely, now=now))
        self.run("trust", "add", folder / "trust", folder / "root.pem")

    def run(self, *arguments: object) -> tuple[int, Any]:
        """The exit status and what `--json` prints."""
        self._capsys.readouterr()
        status = run(["--json", *map(str, arguments)])
        out = self._capsys.readouterr().out
        return status, json.loads(out) if out else None

    @property
    def letter(self) -> Path:
        return self.folder / "letter.txt.p7s"


def _places(leaf: Any) -> Any:
    return tuple(
        (extension.value, extension.critical)
        for extension in leaf.x509.extensions
        if extension.oid._name in {"cRLDistributionPoints", "authorityInfoAccess"}
    )


class _Pages(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        town: Town = self.server.town  # type: ignore[attr-defined]
        page = town.country.net.pages.get(f"http://{self.headers['Host']}{self.path}")
        self.send_response(200 if page else 404)
        self.end_headers()
        self.wfile.write(page if isinstance(page, bytes) else b"")

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def town(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Town]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Pages) as server:
        monkeypatch.setenv("YINXIN_OUTBOUND_ALLOWED_PRIVATE", f"127.0.0.1:{server.server_port}")
        found = Town(tmp_path, capsys, server.server_port)
        server.town = found  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield found
        server.shutdown()
        thread.join()


def forbid_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("verification reached for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def reasons(answer: Any) -> set[str]:
    return {item["code"] for item in answer["reports"][0]["reasons"]}


def test_a_lone_file_is_gathered_for_and_then_verified_without_a_network(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust, into = ("--trust", town.folder / "trust"), ("--into", town.folder / "gathered")
    status, answer = town.run("verify", *trust, town.letter)
    assert (status, reasons(answer)) == (ExitCode.INDETERMINATE, {"no_certificate_chain_found"})

    status, plan = town.run("gather", "--plan", *trust, *into, town.letter)
    assert status == ExitCode.DONE
    assert [item["state"] for item in plan["items"]] == ["due"]
    assert plan["requests"] == 0
    assert not (town.folder / "gathered").exists()

    status, outcome = town.run("gather", *trust, *into, town.letter)
    assert (status, outcome["missing"], outcome["without_path"]) == (ExitCode.DONE, [], [])
    assert [item["state"] for item in outcome["items"]] == ["taken"] * 3

    forbid_the_network(monkeypatch)
    status, answer = town.run("verify", *trust, "--gathered", town.folder / "gathered", town.letter)
    assert (status, reasons(answer)) == (ExitCode.DONE, set())


def test_verify_gathers_first_when_it_is_told_to(town: Town) -> None:
    status, answer = town.run("verify", "--trust", town.folder / "trust", "--gather", town.letter)
    assert (status, reasons(answer)) == (ExitCode.DONE, set())
    assert sorted(path.name for path in town.folder.iterdir()) == [
        "letter.txt", "letter.txt.p7s", "root.pem", "trust",
    ]  # fmt: skip


def test_an_mdoc_is_gathered_for_by_the_chain_that_it_brings(town: Town) -> None:
    signer = town.country.issuing.issue(
        "邻市签发 Issuer next door", "mdoc", extra=_places(town.country.leaf()), not_before=START
    )
    now = datetime.now(UTC).replace(microsecond=0)
    valid = MdocValidity(now, now, now + timedelta(days=1))
    lonely, key = signer.with_chain(signer.chain[:1]), FileSigner.generate().public_key
    file = town.folder / "licence.cbor"
    file.write_bytes(
        issue_mdoc("doc", {"doc": {"name": "面包坊"}}, signer=lonely, holder_key=key, valid=valid)
    )
    status, answer = town.run("verify", "--trust", town.folder / "trust", file)
    assert (status, reasons(answer)) == (ExitCode.INDETERMINATE, {"no_certificate_chain_found"})
    status, answer = town.run("verify", "--trust", town.folder / "trust", "--gather", file)
    assert (status, reasons(answer)) == (ExitCode.DONE, set())


def test_a_home_gathers_into_its_folder_and_says_what_it_could_not_have(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    (town.folder / "yinxin.toml").write_text("", "utf-8")
    home = ("--home", town.folder)
    issuing = town.country.net.pages.pop(town.country.at("issuing.crl"))
    status, outcome = town.run("gather", *home, town.letter)
    assert status == ExitCode.FAILED
    assert [one["name"] for one in outcome["missing"]] == ["经办 Clerk next door"]
    says = {found.subject: found.says.zh for found in examine(Home.open(town.folder), clock=SystemClock())}
    assert "经办 Clerk next door" in says["gathered"]

    town.country.net.pages[town.country.at("issuing.crl")] = issuing
    assert town.run("gather", *home)[0] == ExitCode.FAILED, "it is not asked again so soon"
    status, outcome = town.run("gather", *home, "--all")
    assert (status, outcome["missing"]) == (ExitCode.DONE, []), "the file's certificates are remembered"
    found = examine(Home.open(town.folder), clock=SystemClock())
    assert "gathered" not in {one.subject for one in found}
    forbid_the_network(monkeypatch)
    home_now = Home.open(town.folder)
    assert (len(home_now.trust.known), len(home_now.revocation.crls)) == (1, 2)


def test_a_person_reads_what_was_done(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["gather", "--trust", town.folder / "trust", "--into", town.folder / "gathered", town.letter]
    for language, words in (("zh", ("吊销列表", "已更新")), ("en", ("list", "unchanged"))):
        assert run(["--lang", language, *map(str, arguments), "--all"]) == ExitCode.DONE
        out = capsys.readouterr().out
        assert all(word in out for word in words)
        assert "issuing.crl" in out.replace("\n", "")


def test_a_place_has_to_be_named(town: Town) -> None:
    assert town.run("gather")[0] == ExitCode.USAGE
    assert town.run("gather", "--trust", town.folder / "trust")[0] == ExitCode.USAGE
