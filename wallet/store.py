"""One encrypted file that holds a wallet.

AES-256-GCM under a key derived from the holder's secret: by scrypt from a passphrase, which a person can
remember and another can guess, or by HKDF from 32 random bytes, which nobody can. The file is replaced in one
step, never changed in place, and a change is read, made and written under a lock, so that two programs do not
lose each other's work. What the contents mean is for `wallet.holder`.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from signing.base64url import decode_base64url, encode_base64url
from signing.jose import dump_json, load_json_object
from yinxin.base.errors import (
    Conflict,
    MalformedInput,
    NotFound,
    NotPermitted,
    TooLarge,
    Unreachable,
    UsageError,
)
from yinxin.base.files import PRIVATE, locked, replace_file
from yinxin.base.randomness import Randomness, SystemRandomness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")
FORMAT, VERSION = "yinxin-wallet", 1
FILE_NAME = "wallet.json"
MAX_FILE_BYTES = 256 << 20
SCRYPT_COST = 1 << 16  # 64 MiB and about 0.2 s for every guess
MAX_SCRYPT_COST = 1 << 20  # a hostile file shall not eat the memory
RANDOM_SECRET_BYTES = 32
_BLOCK, _SALT_BYTES, _NONCE_BYTES = 8, 16, 12
_CHECK = b"yinxin wallet passphrase"


class Store:
    """An opened wallet file. Safe to share between threads."""

    def __init__(self, path: Path, key: bytes, header: dict[str, Any], randomness: Randomness) -> None:
        """Use `create` or `open`."""
        self._path = path
        self._cipher = AESGCM(key)
        self._header = header
        self._randomness = randomness
        self._turn = threading.Lock()

    @classmethod
    def create(
        cls,
        directory: str | Path,
        secret: str | bytes,
        *,
        randomness: Randomness | None = None,
        scrypt_cost: int = SCRYPT_COST,
    ) -> Store:
        """Make a new wallet in a directory, which is made too; `Conflict` when there is one.

        `secret` is a passphrase, or `RANDOM_SECRET_BYTES` random bytes.
        """
        path = Path(directory) / FILE_NAME
        if not secret:
            raise UsageError("a wallet needs a passphrase")
        if path.exists():
            raise Conflict(f"there is a wallet at {path}")
        chance = randomness or SystemRandomness()
        salt = encode_base64url(chance.bytes(_SALT_BYTES))
        kdf = (
            {"name": "hkdf-sha256", "salt": salt} if isinstance(secret, bytes) else _scrypt(salt, scrypt_cost)
        )
        key = _derive(secret, kdf)
        nonce = chance.bytes(_NONCE_BYTES)
        check = nonce + AESGCM(key).encrypt(nonce, _CHECK, None)
        header = {"format": FORMAT, "version": VERSION, "kdf": kdf, "check": encode_base64url(check)}
        store = cls(path, key, header, chance)
        with _reported(path):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with store._locked():
            if path.exists():
                raise Conflict(f"there is a wallet at {path}")
            store._write({})
        return store

    @classmethod
    def open(
        cls, directory: str | Path, secret: str | bytes, *, randomness: Randomness | None = None
    ) -> Store:
        """Open a wallet with the passphrase or the random bytes that it was made with.

        `NotFound` when there is none, `NotPermitted` for a wrong secret, `MalformedInput` for a file
        that is damaged, of another kind or of a newer version.
        """
        path = Path(directory) / FILE_NAME
        header = _header_of(_read_file(path))
        key = _derive(secret, header["kdf"])
        check = decode_base64url(header["check"])
        try:
            AESGCM(key).decrypt(check[:_NONCE_BYTES], check[_NONCE_BYTES:], None)
        except (InvalidTag, ValueError) as exc:
            raise NotPermitted("the passphrase does not open this wallet") from exc
        store = cls(path, key, header, randomness or SystemRandomness())
        store.read()
        return store

    def read(self) -> dict[str, Any]:
        """The contents; `MalformedInput` when the file is damaged."""
        envelope = _read_file(self._path)
        if _header_of(envelope) != self._header:
            raise Conflict("the wallet was made anew, or its passphrase changed: open it again")
        sealed = decode_base64url(envelope.get("contents"))
        try:
            plain = self._cipher.decrypt(
                sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], dump_json(self._header)
            )
        except (InvalidTag, ValueError) as exc:
            raise MalformedInput("wallet", f"{self._path} is damaged") from exc
        return load_json_object(plain)

    def update(self, change: Callable[[dict[str, Any]], T]) -> T:
        """Read, let `change` alter the contents, and write them; nothing is written when it raises."""
        with self._locked():
            contents = self.read()
            answer = change(contents)
            self._write(contents)
        return answer

    def _write(self, contents: dict[str, Any]) -> None:
        try:
            plain = dump_json(contents)
            load_json_object(plain)  # what cannot be read again is not written
        except (TypeError, ValueError, RecursionError, MalformedInput) as exc:
            raise UsageError("the wallet cannot keep this") from exc
        nonce = self._randomness.bytes(_NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, plain, dump_json(self._header))
        data = dump_json({**self._header, "contents": encode_base64url(sealed)})
        if len(data) > MAX_FILE_BYTES:
            raise TooLarge("wallet", f"over {MAX_FILE_BYTES} bytes")
        replace_file(self._path, data, mode=PRIVATE)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self._turn, _reported(self._path), locked(self._path.with_suffix(".lock")):
            yield


def _scrypt(salt: Any, cost: int) -> dict[str, Any]:
    return {"name": "scrypt", "salt": salt, "n": cost, "r": _BLOCK, "p": 1}


def _derive(secret: str | bytes, kdf: dict[str, Any]) -> bytes:
    salt = decode_base64url(kdf["salt"])
    if isinstance(secret, bytes) != (kdf["name"] == "hkdf-sha256"):
        raise NotPermitted("this wallet opens with a secret of another kind")
    if isinstance(secret, bytes):
        if len(secret) != RANDOM_SECRET_BYTES:
            raise UsageError(f"a random secret has {RANDOM_SECRET_BYTES} bytes")
        return HKDF(hashes.SHA256(), length=32, salt=salt, info=FORMAT.encode()).derive(secret)
    try:
        return Scrypt(salt=salt, length=32, n=kdf["n"], r=_BLOCK, p=1).derive(secret.encode("utf-8"))
    except (ValueError, MemoryError) as exc:
        raise UsageError("the passphrase or the scrypt cost cannot be used") from exc


def _read_file(path: Path) -> dict[str, Any]:
    if not path.exists():
        raise NotFound(f"there is no wallet at {path}")
    with _reported(path):
        if path.stat().st_size > MAX_FILE_BYTES:
            raise TooLarge("wallet", f"over {MAX_FILE_BYTES} bytes")
        data = path.read_bytes()
    try:
        return load_json_object(data)
    except MalformedInput as exc:
        raise MalformedInput("wallet", f"{path} is no wallet, or damaged") from exc


def _header_of(envelope: dict[str, Any]) -> dict[str, Any]:
    """The part that says how to open it, checked."""
    header = {name: value for name, value in envelope.items() if name != "contents"}
    if header.get("format") != FORMAT:
        raise MalformedInput("wallet", "the file is no wallet")
    if header.get("version") != VERSION:
        raise MalformedInput(
            "wallet", f"version {header.get('version')}; this program knows version {VERSION}"
        )
    _check_kdf(header.get("kdf"))
    decode_base64url(header.get("check"))
    return header


def _check_kdf(kdf: Any) -> None:
    if not isinstance(kdf, dict):
        raise MalformedInput("wallet", "its key derivation is not known")
    salt, cost = kdf.get("salt"), kdf.get("n")
    if kdf == {"name": "hkdf-sha256", "salt": salt}:
        decode_base64url(salt)
        return
    if type(cost) is not int or kdf != _scrypt(salt, cost):
        raise MalformedInput("wallet", "its key derivation is not known")
    if not 2 <= cost <= MAX_SCRYPT_COST or cost & (cost - 1):
        raise MalformedInput("wallet", "its key derivation is out of range")
    decode_base64url(salt)


@contextmanager
def _reported(path: Path) -> Iterator[None]:
    """Turn the system's refusals into ours."""
    try:
        yield
    except OSError as exc:
        raise Unreachable(f"{path}: {exc.strerror}") from exc
