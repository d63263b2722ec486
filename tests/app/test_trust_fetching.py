"""Lists of ETSI in a folder: only what is rightly signed, in time and no older takes a list's place."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from world.etsi import Listed, ListSigner, State, TrustedList, pointer
from world.pki import NOON, TestAuthority

from signing.trust import TrustStore
from yinxin.app.cli import run
from yinxin.app.console import ExitCode
from yinxin.app.trust_fetching import FetchedList, fetch_lists
from yinxin.base.errors import Conflict, MalformedInput, NotPermitted, TooLarge, Unreachable, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DAY = timedelta(days=1)
LOTL, XX, YY = "https://lists.example/lotl.xml", "https://xx.example/list.xml", "https://yy.example/list.xml"
AUTHORITY = TestAuthority("Listed CA").certificate
UNION, OFFICE, STRANGER = ListSigner("Union"), ListSigner("Office of XX"), ListSigner("Stranger")


def national(territory: str = "XX", **changes: Any) -> TrustedList:
    service = Listed([AUTHORITY], (State(NOON - 30 * DAY),))
    return replace(TrustedList(services=(service,), territory=territory), **changes)


def list_of_lists(*pointers: str, **changes: Any) -> TrustedList:
    rows = pointers or (pointer("XX", XX, [OFFICE.certificate]),)
    return replace(TrustedList(pointers=rows, kind="EUlistofthelists", territory="EU"), **changes)


@dataclass
class Net:
    """What lies behind addresses, and a folder."""

    folder: Path
    pages: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def ask(self, address: str, limit: int) -> bytes:
        self.asked.append(address)
        if address not in self.pages:
            raise Unreachable(address)
        if len(self.pages[address]) > limit:
            raise TooLarge("answer", "over its limit")
        return self.pages[address]

    def fetch(self, now: datetime = NOON) -> list[FetchedList]:
        return fetch_lists(LOTL, self.folder, signers=[UNION.certificate], ask=self.ask, now=now)

    @property
    def files(self) -> dict[str, bytes]:
        return {
            str(one.relative_to(self.folder)): one.read_bytes()
            for one in self.folder.rglob("*")
            if one.is_file()
        }


@pytest.fixture
def net(tmp_path: Path) -> Net:
    return Net(tmp_path, {LOTL: UNION.sign(list_of_lists()), XX: OFFICE.sign(national())})


def test_a_list_of_lists_and_what_it_points_to(net: Net) -> None:
    told = net.fetch()
    assert [(one.territory, one.file, one.is_taken) for one in told] == [
        ("EU", "list.xml", True),
        ("XX", "national/XX.xml", True),
    ]
    assert {one.until for one in told} == {NOON + 100 * DAY}
    assert net.files == {"list.xml": net.pages[LOTL], "national/XX.xml": net.pages[XX]}


def test_a_single_list(net: Net) -> None:
    net.pages[LOTL] = UNION.sign(national())
    assert [one.file for one in net.fetch()] == ["list.xml"]


SPOILT: dict[str, tuple[Callable[[], bytes], type[Exception]]] = {
    "signed by a stranger": (lambda: STRANGER.sign(list_of_lists()), NotPermitted),
    "not signed": (lambda: list_of_lists().xml().encode(), MalformedInput),
    "noise": (lambda: b"<x/>", MalformedInput),
    "past its end": (lambda: UNION.sign(list_of_lists(next_update=NOON)), Conflict),
    "of the future": (lambda: UNION.sign(list_of_lists(issued_at=NOON + DAY)), Conflict),
    "older by its number": (lambda: UNION.sign(list_of_lists(sequence=6)), Conflict),
    "older by its day": (lambda: UNION.sign(list_of_lists(issued_at=NOON - 2 * DAY)), Conflict),
    "of another kind, by the same people": (lambda: UNION.sign(national("EU", sequence=9)), Conflict),
    "of another land, by the same people": (lambda: UNION.sign(list_of_lists(territory="YY")), Conflict),
}


@pytest.mark.parametrize("how", SPOILT)
def test_what_is_there_stays(net: Net, how: str) -> None:
    net.fetch()
    before = net.files
    make, error = SPOILT[how]
    net.pages[LOTL] = make()
    with pytest.raises(error):
        net.fetch()
    assert net.files == before


@pytest.mark.parametrize("how", ["stranger", "noise", "gone", "of another land", "older", "too large"])
def test_a_national_list_that_cannot_be_taken_is_told(net: Net, how: str) -> None:
    net.fetch()
    before = net.files
    net.pages[XX] = {
        "stranger": STRANGER.sign(national()),
        "noise": b"\x00",
        "gone": b"",
        "of another land": OFFICE.sign(national("YY")),
        "older": OFFICE.sign(national(sequence=6)),
        "too large": bytes((32 << 20) + 1),
    }[how]
    if how == "gone":
        del net.pages[XX]
    _, told = net.fetch()
    assert not told.is_taken
    assert told.until == NOON + 100 * DAY  # the one at hand
    assert net.files == before


def test_an_older_edition_does_not_come_back_when_the_kept_one_ended(net: Net) -> None:
    net.pages[XX] = OFFICE.sign(national(sequence=9, next_update=NOON + 5 * DAY))
    net.fetch()
    net.pages[XX] = OFFICE.sign(national(sequence=8))  # still in time by itself
    _, told = net.fetch(NOON + 6 * DAY)
    assert "older" in told.why
    net.pages[XX] = OFFICE.sign(national(sequence=10))
    _, told = net.fetch(NOON + 6 * DAY)
    assert told.is_taken


def test_new_signers_take_over_and_spoilt_files_hold_nobody_up(net: Net) -> None:
    net.fetch()
    new = ListSigner("Office of XX, later")
    net.pages[LOTL] = UNION.sign(list_of_lists(pointer("XX", XX, [new.certificate]), sequence=8))
    net.pages[XX] = new.sign(national(sequence=1))
    assert net.fetch()[1].is_taken
    (net.folder / "list.xml").write_bytes(b"spoilt")
    assert net.fetch()[0].is_taken


@pytest.mark.parametrize("territory", ["../../etc", "xx", "X", "EUX", "X/", "..", "ÄÖ"])
def test_a_territory_is_no_path(net: Net, territory: str) -> None:
    rows = (pointer(territory, XX, [OFFICE.certificate]), pointer("XX", XX, [OFFICE.certificate]))
    net.pages[LOTL] = UNION.sign(list_of_lists(*rows))
    _, bad, good = net.fetch()
    assert (bad.is_taken, good.is_taken) == (False, True)
    assert set(net.files) == {"list.xml", "national/XX.xml"}
    assert net.asked == [LOTL, XX]


def test_two_lists_of_one_territory_are_two_files_and_many_are_refused(net: Net) -> None:
    row = pointer("XX", XX, [OFFICE.certificate])
    net.pages[LOTL] = UNION.sign(list_of_lists(row, row))
    assert [one.file for one in net.fetch()[1:]] == ["national/XX.xml", "national/XX-2.xml"]
    net.pages[LOTL] = UNION.sign(list_of_lists(*[row] * 101, sequence=8))
    with pytest.raises(UsageError):
        net.fetch()


@pytest.fixture
def server() -> Iterator[tuple[str, dict[str, bytes]]]:
    pages: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = pages.get(self.path)
            self.send_response(200 if body is not None else 404)
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as served:
        thread = threading.Thread(target=served.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{served.server_port}", pages
        served.shutdown()
        thread.join()


def test_by_command_over_a_socket_and_then_without_network(
    tmp_path: Path, server: tuple[str, dict[str, bytes]], capsys: pytest.CaptureFixture[str]
) -> None:
    address, pages = server
    now = datetime.now(UTC).replace(microsecond=0)
    recent: dict[str, Any] = {"issued_at": now - DAY, "next_update": now + 30 * DAY}
    row = pointer("XX", f"{address}/xx.xml", [OFFICE.certificate])
    pages["/lotl.xml"] = UNION.sign(
        list_of_lists(row, pointer("YY", f"{address}/yy.xml", [OFFICE.certificate]), **recent)
    )
    pages["/xx.xml"] = OFFICE.sign(national(**recent))
    pem, lists, trust = tmp_path / "union.pem", tmp_path / "lists", tmp_path / "trust"
    pem.write_bytes(UNION.certificate.to_pem())
    words = ["trust", "fetch", f"{address}/lotl.xml", str(lists), "--signer", str(pem)]
    assert run(words) == ExitCode.ERROR  # a private address is not called unless that is said
    capsys.readouterr()
    assert run([*words, "--allow-private", "127.0.0.1"]) == ExitCode.FAILED
    assert "404" in capsys.readouterr().out
    add = [str(lists / "list.xml"), "--signer", str(pem), "--national", str(lists / "national")]
    assert run(["trust", "add", str(trust), *add]) == ExitCode.DONE
    assert [anchor.certificate for anchor in TrustStore.load(trust).anchors] == [AUTHORITY]
