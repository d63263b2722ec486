"""A folder is sealed as an agency does, signed as a person does, with a face for each file."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from pyhanko.pdf_utils.reader import PdfFileReader
from world.desk import Desk, plain_pdf, png, red_face

from yinxin.app.cli import run
from yinxin.app.console import ExitCode
from yinxin.app.seal_batches import Batch, Book, Key, Order, State
from yinxin.app.seal_batches.profile import CERTIFY, SIGN, Profile
from yinxin.base.clock import SystemClock
from yinxin.base.errors import Conflict, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from signing.pdf import VerifiedSignature

FILES = ("a.pdf", "b/c.pdf")


@pytest.fixture(scope="module")
def desk() -> Desk:
    return Desk()


@pytest.fixture
def folder(desk: Desk, tmp_path: Path) -> Path:
    source = tmp_path / "letters"
    for name in FILES:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(plain_pdf(name, pages=3))
        face = (tmp_path / "faces" / name).with_suffix(".png")
        face.parent.mkdir(parents=True, exist_ok=True)
        face.write_bytes(png(8 + len(name), 8))
    desk.agency.save(tmp_path / "seal.pem", passphrase="secret")
    (tmp_path / "chain.pem").write_bytes(b"".join(one.to_pem() for one in desk.agency.chain))
    (tmp_path / "secret").write_text("secret")
    return source


def key_of(folder: Path) -> Key:
    uri = f"file:{folder.parent / 'seal.pem'}?chain={folder.parent / 'chain.pem'}"
    return Key(uri=uri, secret="secret")


def a_batch(folder: Path, order: Order) -> Batch:
    return Batch(folder, Book(folder.with_name("sealed")), order, order.key.open(), SystemClock())


def signed(desk: Desk, folder: Path, name: str) -> VerifiedSignature:
    now = SystemClock().now()
    report = desk.verify(folder.with_name("sealed").joinpath(name).read_bytes(), now=now)
    (signature,) = report.require().signatures
    return signature


def widths(folder: Path, name: str) -> set[int]:
    """Of the pictures that seals show on the pages."""
    reader = PdfFileReader(io.BytesIO(folder.with_name("sealed").joinpath(name).read_bytes()))
    notes = [
        note.get_object() for page in reader.root["/Pages"]["/Kids"] for note in page.get_object()["/Annots"]
    ]
    looks = [note["/AP"]["/N"]["/Resources"]["/XObject"]["/Face"] for note in notes if "/AP" in note]
    return {int(look["/Width"]) for look in looks}


def test_every_file_is_certified_with_a_straddle_seal(desk: Desk, folder: Path) -> None:
    profile = Profile(CERTIFY, straddles=True, is_final=True)
    assert a_batch(folder, Order(key_of(folder), face=red_face(), profile=profile)).run().is_done
    for name in FILES:
        assert signed(desk, folder, name).certifies
        report = desk.verify(
            folder.with_name("sealed").joinpath(name).read_bytes(), now=SystemClock().now()
        ).findings["signatures"][0]
        assert (report["permission"], report["straddles"]) == (1, 3)


def test_every_file_is_signed_by_a_person(desk: Desk, folder: Path) -> None:
    profile = Profile(SIGN, commitment="receipt", roles=("经办人",))
    assert a_batch(folder, Order(key_of(folder), reason="收到", profile=profile)).run().is_done
    for name in FILES:
        found = signed(desk, folder, name)
        assert (found.commitments, found.roles, found.reason) == (("receipt",), ("经办人",), "收到")


def test_each_file_shows_its_own_face(desk: Desk, folder: Path) -> None:
    (folder / "none.pdf").write_bytes(plain_pdf())
    order = Order(key_of(folder), faces=folder.parent / "faces", profile=Profile(CERTIFY, straddles=True))
    tally = a_batch(folder, order).run()
    assert (tally.states[State.SEALED], tally.states[State.REFUSED]) == (len(FILES), 1)
    for name in FILES:
        assert signed(desk, folder, name).certifies
        assert widths(folder, name) == {8 + len(name)}
    (entry,) = [one for one in Book(folder.with_name("sealed")).entries() if one.file == "none.pdf"]
    assert entry.error == "not_found"


def test_another_kind_is_another_batch(folder: Path) -> None:
    key = key_of(folder)
    assert a_batch(folder, Order(key)).run().is_done
    assert a_batch(folder, Order(key, profile=Profile())).run().is_done
    for order in (Order(key, profile=Profile(SIGN)), Order(key, faces=folder.parent / "faces")):
        with pytest.raises(Conflict, match="another batch"):
            a_batch(folder, order).run()


@pytest.mark.parametrize(
    "said",
    [
        {"straddles": True},
        {"is_final": True},
        {"roles": ("x",)},
        {"kind": CERTIFY, "commitment": "approval"},
        {"kind": SIGN, "straddles": True},
        {"kind": SIGN, "commitment": "love"},
        {"kind": SIGN, "roles": ("",)},
    ],
)
def test_what_does_not_go_together_is_refused_at_once(said: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        Profile(**said)  # type: ignore[arg-type]


def test_faces_that_do_not_go_together(folder: Path) -> None:
    key = key_of(folder)
    for asked in (
        {"face": red_face(), "faces": folder},
        {"profile": Profile(CERTIFY, straddles=True)},
    ):
        with pytest.raises(UsageError):
            Order(key, **asked)  # type: ignore[arg-type]


def test_the_command(desk: Desk, folder: Path) -> None:
    key = key_of(folder)
    more = ["--key", key.uri, "--passphrase-file", str(folder.parent / "secret"), "--processes", "1"]
    out = ["-o", str(folder.with_name("sealed"))]
    kind = ["--profile", "certify", "--straddle", "--faces", str(folder.parent / "faces")]
    assert run(["seal", "--batch", str(folder), *more, *out, *kind]) == 0
    assert all(signed(desk, folder, name).certifies for name in FILES)
    assert run(["seal", "--batch", str(folder), *more, "--straddle"]) == ExitCode.USAGE
