"""Keys in a token: SoftHSM 2 as the token, its driver loaded in this process."""

from __future__ import annotations

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st
from world.desk import Desk, plain_pdf

from signing import open_signer
from signing.signers import pkcs11 as room
from signing.signers.file import FileSigner
from signing.signers.pkcs11_uri import TokenUri
from yinxin.base.errors import SignerUnavailable, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

PIN = "4711-geheim"
KINDS = {"P-256": "01", "P-384": "02", "RSA-2048": "03", "Ed25519": "04"}
MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
)


class Token:
    """A SoftHSM token with one key of each kind, all known outside too, so that a test can certify them."""

    def __init__(self, folder: Path, module: str) -> None:
        self.folder, self.module = folder, module
        self.keys: dict[str, FileSigner] = {}
        for label in ("hsm", "twin", "twin"):
            self.run("--init-token", "--free", "--label", label, "--so-pin", "so-secret", "--pin", PIN)
        for kind, number in KINDS.items():
            self.put(kind, number, FileSigner.generate(kind))  # type: ignore[arg-type]
        for number in ("21", "22"):
            self.put("pair", number, FileSigner.generate())
        self.put("no-public", "31", FileSigner.generate())
        self.put("other-public", "32", FileSigner.generate())
        self.put("no-right", "33", FileSigner.generate())
        self.put("spoilt", "34", FileSigner.generate())
        self._spoil()

    def run(self, *words: str) -> None:
        subprocess.run(["softhsm2-util", *words], check=True, capture_output=True)

    def put(self, label: str, number: str, signer: FileSigner) -> None:
        file = self.folder / f"{number}.pem"
        file.write_bytes(signer._private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        where = ("--token", "hsm", "--pin", PIN)
        self.run("--import", str(file), *where, "--label", label, "--id", number)
        self.keys[label] = signer

    def _spoil(self) -> None:
        """What an import cannot make: no public object, a foreign one, a key that may not sign."""
        import pkcs11  # noqa: PLC0415 - an extra

        of = pkcs11.Attribute
        with (
            pkcs11.lib(os.path.realpath(self.module))
            .get_token(token_label="hsm")
            .open(rw=True, user_pin=PIN) as session
        ):
            public = {
                item[of.ID]: item for item in session.get_objects({of.CLASS: pkcs11.ObjectClass.PUBLIC_KEY})
            }
            private = {
                item[of.ID]: item for item in session.get_objects({of.CLASS: pkcs11.ObjectClass.PRIVATE_KEY})
            }
            public[b"\x31"].destroy()
            public[b"\x32"].destroy()
            public[b"\x34"][of.ID] = b"\x32"
            private[b"\x33"][of.SIGN] = False

    def forget(self) -> None:
        """As a process is that has opened no token yet."""
        for login in room._LOGINS.values():
            login._close()
        room._LOGINS.clear()

    def uri(self, path: str, **query: str) -> str:
        asked = {"module-path": self.module, **query}
        return f"pkcs11:{path}?" + "&".join(f"{name}={value}" for name, value in asked.items())

    def open(self, path: str, pin: str | None = PIN, **query: str) -> Any:
        return open_signer(self.uri(path, **query), secret=pin)


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Token]:
    module = os.environ.get("YINXIN_SOFTHSM") or next((path for path in MODULES if Path(path).exists()), None)
    if module is None or not shutil.which("softhsm2-util"):
        pytest.skip("no SoftHSM: apt-get install softhsm2")
    pytest.importorskip("pkcs11", reason="no python-pkcs11: pip install 'yinxin[pkcs11]'")
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    configuration = folder / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(configuration))
        token = Token(folder, module)
        yield token
        token.forget()


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_key_signs_what_its_public_half_verifies(token: Token, kind: str) -> None:
    signer = token.open(f"token=hsm;object={kind}")
    assert signer.public_key == token.keys[kind].public_key
    for message in (b"", b"licence 001", bytes(100_000)):
        assert signer.public_key.verify(signer.sign(message), message)
    assert not signer.public_key.verify(signer.sign(b"one"), b"another")


def test_a_key_is_found_by_its_id_and_its_token_by_its_serial_number(token: Token) -> None:
    import pkcs11  # noqa: PLC0415 - an extra

    serial = pkcs11.lib(os.path.realpath(token.module)).get_token(token_label="hsm").serial.decode()
    signer = token.open(f"serial={serial};id=%01", pin=PIN)
    assert signer.public_key == token.keys["P-256"].public_key


def test_eight_threads_sign_through_one_session(token: Token) -> None:
    signers = [token.open(f"token=hsm;object={kind}") for kind in ("P-256", "RSA-2048")]

    def work(thread: int) -> bool:
        signer = signers[thread % 2]
        messages = [f"{thread} {number}".encode() for number in range(50)]
        return all(signer.public_key.verify(signer.sign(message), message) for message in messages)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(8)))
    assert len(room._LOGINS) == 1


def test_a_lost_session_is_opened_again(token: Token) -> None:
    first, second = (token.open(f"token=hsm;object={kind}") for kind in ("P-256", "Ed25519"))
    login = first._key._login
    for _ in range(2):
        login._session.close()
        assert first.public_key.verify(first.sign(b"again"), b"again")
        assert second.public_key.verify(second.sign(b"again"), b"again")


def test_a_pin_that_was_changed_meanwhile_is_tried_once_only(token: Token) -> None:
    token.forget()
    signer = token.open("token=hsm;object=P-256")
    login = signer._key._login
    login._pin = "000000"
    login._session.close()
    with pytest.raises(SignerUnavailable, match="refuses this PIN"):
        signer.sign(b"one")
    login._pin = PIN  # were it tried again, it would open
    with pytest.raises(SignerUnavailable, match="refuses this PIN"):
        signer.sign(b"two")
    assert token.open("token=hsm;object=P-256").sign(b"with the new PIN")


@pytest.mark.parametrize("already_open", [False, True])
def test_a_wrong_pin_opens_nothing_and_is_told_to_nobody(token: Token, already_open: bool) -> None:  # noqa: FBT001 - a parameter
    token.forget()
    if already_open:
        token.open("token=hsm;object=P-256")
    with pytest.raises(SignerUnavailable, match="PIN") as caught:
        token.open("token=hsm;object=P-256", pin="wrong-0815")
    assert "0815" not in f"{caught.value} {caught.value.__cause__}"
    assert token.open("token=hsm;object=P-256").sign(b"and the right one still opens")


def test_without_a_pin_the_token_is_not_touched(token: Token) -> None:
    with pytest.raises(SignerUnavailable, match="needs its PIN"):
        token.open("token=hsm;object=P-256", pin=None)
    with pytest.raises(SignerUnavailable, match="UTF-8") as caught:
        token.open("token=hsm;object=P-256", pin="\udcff")
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("path", "error", "says"),
    [
        ("token=elsewhere;object=P-256", SignerUnavailable, "no token elsewhere.*'hsm', 'twin', 'twin'"),
        ("token=twin;object=P-256", UsageError, "2 tokens .*add serial="),
        ("token=hsm;object=absent", SignerUnavailable, "no private key object absent"),
        ("token=hsm;object=P-256;id=%02", SignerUnavailable, "no private key object P-256 id 02"),
        ("token=hsm;object=pair", UsageError, "2 private keys object pair; add id="),
        ("token=hsm;object=no-public", SignerUnavailable, "name a certificate by chain="),
        ("token=hsm;object=other-public", SignerUnavailable, "not the one of this private key"),
        ("token=hsm;object=no-right", SignerUnavailable, "without the right to sign"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(
    token: Token, path: str, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        token.open(path)


def test_a_driver_that_does_not_load(token: Token, tmp_path: Path) -> None:
    (tmp_path / "driver.so").write_text("no library", encoding="utf-8")
    for path in (tmp_path / "driver.so", tmp_path / "absent.so"):
        with pytest.raises(SignerUnavailable, match="does not load; install the token's driver"):
            token.open("token=hsm;object=P-256", **{"module-path": str(path)})


def test_the_extra_is_named_when_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pkcs11", None)
    module = Path("driver.so").absolute().as_posix()
    with pytest.raises(UsageError, match=r"pip install 'yinxin\[pkcs11\]'"):
        open_signer(f"pkcs11:token=hsm;object=key?module-path={module}", secret=PIN)


def test_a_forked_process_is_refused(token: Token, monkeypatch: pytest.MonkeyPatch) -> None:
    signer = token.open("token=hsm;object=P-256")
    other = os.getpid() + 1
    monkeypatch.setattr(room.os, "getpid", lambda: other)
    with pytest.raises(SignerUnavailable, match="fork"):
        signer.sign(b"in the child")
    with pytest.raises(SignerUnavailable, match="fork"):
        token.open("token=hsm;object=P-256")


class TestChain:
    @pytest.fixture(scope="class")
    @staticmethod
    def desk() -> Desk:
        return Desk()

    def chain(self, desk: Desk, token: Token, label: str) -> str:
        certified = desk.pki.issuing.issue("津城测试局 Test Bureau", signer=token.keys[label])
        file = token.folder / f"chain {label}.pem"
        file.write_bytes(b"".join(item.to_pem() for item in certified.chain))
        return str(file).replace(" ", "%20")

    @pytest.mark.parametrize("label", [*KINDS, "no-public"])
    def test_a_pdf_sealed_with_the_tokens_key_verifies(self, desk: Desk, token: Token, label: str) -> None:
        signer = token.open(f"token=hsm;object={label}", chain=self.chain(desk, token, label))
        report = desk.verify(desk.seal(plain_pdf(), signer=signer))
        assert report.require().signatures[0].certificate == signer.certificate

    @pytest.mark.parametrize("label", ["P-256", "no-public"])
    def test_a_chain_of_another_key_is_refused(self, desk: Desk, token: Token, label: str) -> None:
        wrong = self.chain(desk, token, "spoilt")
        with pytest.raises(SignerUnavailable, match="not the one of this"):
            token.open(f"token=hsm;object={label}", chain=wrong)

    def test_a_chain_given_later(self, desk: Desk, token: Token) -> None:
        certified = desk.pki.issuing.issue("津城测试局 Test Bureau", signer=token.keys["P-256"])
        bare = token.open("token=hsm;object=P-256")
        assert bare.chain == ()
        signer = bare.with_chain(certified.chain)
        assert desk.verify(desk.seal(plain_pdf(), signer=signer)).passed

    def test_a_chain_that_is_not_there(self, token: Token) -> None:
        with pytest.raises(SignerUnavailable, match="cannot read"):
            token.open("token=hsm;object=P-256", chain="absent.pem")


class TestUri:
    MODULE = Path("driver.so").absolute().as_posix()

    def test_every_attribute(self) -> None:
        path = "token=%E5%8D%B0;serial=0a;object=印章%20key;id=%00%ff"
        read = TokenUri.parse(f"pkcs11:{path}?module-path={self.MODULE}&chain=c.pem")
        assert read == TokenUri(self.MODULE, "印", "0a", "印章 key", b"\0\xff", "c.pem")

    @pytest.mark.parametrize(
        ("path", "says"),
        [
            ("object=k", "names its token"),
            ("token=t", "names its key"),
            ("token=t;object=k;type=private", "type is not known"),
            ("token=t;token=t;object=k", "token twice"),
            ("token=;object=k", "token is empty"),
            ("token=t;object=a b", "%XX"),
            ("token=t;object=%4", "%XX"),
            ("token=t;object=%FF", "not UTF-8"),
            ("token=t;object=%00", "control characters"),
            ("token=t;object=k;", "without a value"),
            ("token=t;object=k#f", "%XX"),
            ("//token=t;object=k", "odd name"),
            ("token=t;object=k;pin-value=4711", "the PIN is handed over as the secret"),
        ],
    )
    def test_what_is_not_understood_is_refused(self, path: str, says: str) -> None:
        with pytest.raises(UsageError, match=says) as caught:
            TokenUri.parse(f"pkcs11:{path}?module-path={self.MODULE}")
        assert "4711" not in str(caught.value)

    @pytest.mark.parametrize(
        ("query", "says"),
        [
            ("", "module-path="),
            ("?module-path=driver.so", "absolute"),
            ("?module-name=softhsm", "module-name is not known"),
            ("?module-path=/d.so&pin-value=4711", "no pin-value"),
            ("?module-path=/d.so&pin-source=file:/4711", "no pin-source"),
            ("?module-path=/d.so&4711", "without a value"),
            ("?module-path=/d.so&module-path=/e.so", "twice"),
        ],
    )
    def test_a_query_that_is_not_understood_is_refused(self, query: str, says: str) -> None:
        with pytest.raises(UsageError, match=says) as caught:
            TokenUri.parse(f"pkcs11:token=t;object=k{query}")
        assert "4711" not in str(caught.value)

    @given(st.text(alphabet="tokenbjcid=;?&%4f/:#印 \0-", max_size=60) | st.text(max_size=60))
    def test_any_text_is_read_or_refused(self, text: str) -> None:
        for uri in (text, f"pkcs11:{text}", f"pkcs11:token=t;object=k?module-path={self.MODULE}&{text}"):
            try:
                TokenUri.parse(uri)
            except UsageError:
                continue
