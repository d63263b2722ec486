"""Private keys in tokens: smart cards, security modules and SoftHSM, through their PKCS#11 drivers.

The key never leaves the token; what goes in is a digest (elliptic curves, RSA) or the message (Ed25519).
Elliptic curves sign by the raw mechanism, which every driver has. `python-pkcs11` tells drivers nothing of
threads and the process dies when two are in one at once: one lock for the process stands around every call.
A login is of a token and a process, so all signers of one token share one session; a session that is lost is
opened again, once for each signature. Keys are made with the token's own tools.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, TypeVar

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from signing import cms, der
from signing.certificates import Certificate, load_certificates
from signing.keys import EC_PUBLIC_KEY, ED25519, PublicKey
from signing.signer import Signer
from signing.signers.pkcs11_uri import TokenUri
from yinxin.base.errors import MalformedInput, SignerUnavailable, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from signing.algorithms import Algorithm

_T = TypeVar("_T")
_TRIAL = b"yinxin: a trial signature at the opening of a key; it states nothing"
_LOST = (
    *("SessionClosed", "SessionHandleInvalid", "UserNotLoggedIn", "KeyHandleInvalid", "ObjectHandleInvalid"),
    *("DeviceError", "DeviceRemoved", "TokenNotPresent"),
)
_REFUSED_PIN = (
    "the token refuses this PIN; check it before another try, for a token locks after a few wrong ones"
)
_PIN_ERRORS = {
    "PinIncorrect": _REFUSED_PIN,
    "PinInvalid": _REFUSED_PIN,
    "PinLenRange": _REFUSED_PIN,
    "PinLocked": "the token has locked its PIN; its security officer sets a new one",
    "PinExpired": "the PIN has expired; set a new one with the token's own tool",
    "UserPinNotInitialized": "the token has no user PIN yet; set one with the token's own tool",
}
_ADVICE = {
    **_PIN_ERRORS,
    "MechanismInvalid": "the token does not sign with keys of this kind; make a key of a kind that it lists",
    "UserAlreadyLoggedIn": "other code of this process uses the token; open it in a process of its own",
    "DeviceRemoved": "the token is not there; connect it",
    "TokenNotPresent": "the token is not there; connect it",
    "SessionCount": "the token has no session left; end other programs that use it",
}
_POINT_BYTES = (32, 65, 97, 133)  # Ed25519, P-256, P-384, P-521
_LOCK = RLock()
_OWNERS: dict[str, int] = {}
"""The process that loaded each driver: a forked one must not use it."""
_LOGINS: dict[tuple[str, bytes, str], _Login] = {}
"""The login of this process to each token: driver, serial number, label."""


class TokenSigner(Signer):
    """A private key that stays in its token."""

    def __init__(self, key: _TokenKey, public_key: PublicKey, chain: tuple[Certificate, ...] = ()) -> None:
        """Take a key that `open` found."""
        super().__init__(public_key, public_key.default_algorithm, chain)
        self._key = key

    @classmethod
    def open(cls, uri: str, *, pin: str | None) -> TokenSigner:
        """Open the key that a `pkcs11:` URI names (see `TokenUri`), and try it.

        The public half comes from the token, or from the chain where the token keeps none. Raises
        `UsageError` for a URI that is wrong or fits several keys, `SignerUnavailable` for one that cannot be
        reached, or whose trial signature is not of the public half.
        """
        place = TokenUri.parse(uri)
        chain = _read_chain(place.chain)
        if not pin:
            raise SignerUnavailable(f"the {place.token_name} needs its PIN: hand it over as the secret")
        key = _TokenKey(place, _login(place, pin))
        public_key = key.public_key() or (chain[0].public_key if chain else None)
        if public_key is None:
            raise SignerUnavailable(
                f"the {place.token_name} has no public key of {place.key_name}; name a certificate by chain="
            )
        signer = cls(key, public_key, chain)
        if not public_key.verify(signer.sign(_TRIAL), _TRIAL, signer.algorithm):
            raise SignerUnavailable("the certificate or public key is not the one of this private key")
        return signer

    def sign(self, message: bytes) -> bytes:
        """The signature in X.509 form."""
        return self._key.sign(message, self.algorithm)

    def with_chain(self, chain: tuple[Certificate, ...]) -> TokenSigner:
        """The same key with another chain."""
        return TokenSigner(self._key, self.public_key, chain)


class _Login:
    """The one session of this process with a token, and the PIN to open it again."""

    def __init__(self, place: TokenUri, pin: str) -> None:
        self._place, self._pin = place, pin
        self._driver = _real(place.module_path)
        self._session: Any = None
        self._was_open = False
        self._refused = ""

    def is_by(self, pin: str) -> bool:
        """Whether this PIN opened it. The token itself is asked only for the first."""
        return hmac.compare_digest(self._pin.encode(), pin.encode())

    @property
    def is_refused(self) -> bool:
        """Whether the token has refused the PIN since; it is not tried again, for tokens lock."""
        return bool(self._refused)

    def run(self, work: Callable[[Any, str], _T]) -> _T:
        """Do `work(session, pin)` with the process's lock held; with a new session once, if it was lost."""
        _check_owner(self._driver)
        with _LOCK, _explained(self._place.token_name):
            try:
                return work(self._opened(), self._pin)
            except RuntimeError as exc:
                if type(exc).__name__ not in _LOST:
                    raise
            self._close()
            return work(self._opened(), self._pin)

    def _opened(self) -> Any:
        if self._refused:
            raise SignerUnavailable(self._refused)
        if self._session is None:
            self._session = self._open(_token(self._place))
            self._was_open = True
        return self._session

    def _open(self, token: Any) -> Any:
        try:
            return token.open(user_pin=self._pin)
        except RuntimeError as exc:
            name = type(exc).__name__
            if name == "UserAlreadyLoggedIn" and self._was_open:  # the session was lost, our login was not
                return token.open()
            self._refused = _PIN_ERRORS.get(name, "")
            raise

    def _close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            with suppress(RuntimeError):
                session.close()


class _TokenKey:
    """A private key in a token; its handle is kept for as long as the session."""

    def __init__(self, place: TokenUri, login: _Login) -> None:
        self._place, self._login = place, login
        self._held: tuple[Any, Any, bool] | None = None

    def sign(self, message: bytes, algorithm: Algorithm) -> bytes:
        """The signature of a message in X.509 form."""
        from pkcs11 import Mechanism  # noqa: PLC0415 - an extra: only who has a token needs it

        if algorithm.digest is None:
            mechanism, data = Mechanism.EDDSA, message
        else:
            data = hashlib.new(algorithm.digest, message).digest()
            mechanism = Mechanism.ECDSA
        if algorithm.key_kind == "RSA":
            mechanism, data = Mechanism.RSA_PKCS, _digest_info(algorithm.digest or "", data)

        def work(session: Any, pin: str) -> bytes:
            key, asks = self._private(session)
            signature: bytes = key.sign(data, mechanism=mechanism, pin=pin if asks else None)
            return signature

        signature = self._login.run(work)
        return _der_of(signature) if mechanism is Mechanism.ECDSA else signature

    def public_key(self) -> PublicKey | None:
        """The public half that the token keeps beside the private key, or None."""
        attributes = self._login.run(lambda session, _: self._read_public(session))
        try:
            return _public_key_from(attributes) if attributes else None
        except (MalformedInput, ValueError) as exc:
            raise SignerUnavailable(
                f"the key {self._place.key_name} is of a kind that does not sign here; "
                "known: P-256, P-384, P-521, RSA from 2048 bits, Ed25519"
            ) from exc

    def _private(self, session: Any) -> tuple[Any, bool]:
        """The key, and whether the token wants the PIN for each of its signatures."""
        if self._held is None or self._held[0] is not session:
            key = self._find(session)
            self._held = session, key, _asks_each_time(key)
        return self._held[1:]

    def _find(self, session: Any) -> Any:
        from pkcs11 import Attribute, ObjectClass  # noqa: PLC0415 - see above

        wanted: dict[Any, Any] = {Attribute.CLASS: ObjectClass.PRIVATE_KEY}
        if self._place.object is not None:
            wanted[Attribute.LABEL] = self._place.object
        if self._place.id is not None:
            wanted[Attribute.ID] = self._place.id
        found = list(session.get_objects(wanted))
        where = f"the {self._place.token_name}"
        if not found:
            raise SignerUnavailable(
                f"{where} holds no private key {self._place.key_name}; `pkcs11-tool --login --list-objects` "
                "shows what it holds"
            )
        if len(found) > 1:
            raise UsageError(
                f"{where} holds {len(found)} private keys {self._place.key_name}; add id= or object="
            )
        if not hasattr(found[0], "sign"):
            raise SignerUnavailable(f"the key {self._place.key_name} was made without the right to sign")
        return found[0]

    def _read_public(self, session: Any) -> dict[str, Any]:
        from pkcs11 import Attribute, KeyType, ObjectClass  # noqa: PLC0415 - see above

        private, _ = self._private(session)
        by = Attribute.ID if private[Attribute.ID] else Attribute.LABEL
        found = list(session.get_objects({Attribute.CLASS: ObjectClass.PUBLIC_KEY, by: private[by]}))
        kind = private[Attribute.KEY_TYPE]
        if len(found) > 1:
            raise UsageError(
                f"the token holds {len(found)} public keys for {self._place.key_name}; remove the wrong"
            )
        if kind is KeyType.RSA:  # the private object of RSA holds the public numbers too
            source = found[0] if found else private
            return {"n": source[Attribute.MODULUS], "e": source[Attribute.PUBLIC_EXPONENT]}
        if not found:
            return {}
        return {
            "edwards": kind is KeyType.EC_EDWARDS,
            "curve": found[0][Attribute.EC_PARAMS],
            "point": found[0][Attribute.EC_POINT],
        }


def _login(place: TokenUri, pin: str) -> _Login:
    """The process's login to the token of a URI, made if there is none."""
    try:
        pin.encode()
    except UnicodeEncodeError:  # its text would show a part of the PIN
        raise SignerUnavailable("a PIN is text that UTF-8 can write") from None
    _check_owner(_real(place.module_path))
    with _LOCK, _explained(place.token_name):
        token = _token(place)
        name = (_real(place.module_path), token.serial, token.label)
        login = _LOGINS.get(name)
        if login is None or login.is_refused:
            login = _Login(place, pin)
            login.run(lambda _session, _pin: None)
            _LOGINS[name] = login
        if not login.is_by(pin):
            raise SignerUnavailable(
                f"this process opened the {place.token_name} with another PIN; check it, "
                "or start anew if it was changed"
            )
        return login


def _token(place: TokenUri) -> Any:
    """The token that a URI names; called with the lock."""
    tokens = list(_driver(place.module_path).get_tokens())
    fitting = [
        token
        for token in tokens
        if place.token in {None, token.label}
        and place.serial in {None, token.serial.decode("utf-8", "replace").strip("\0 ")}
    ]
    if len(fitting) > 1:
        raise UsageError(f"{len(fitting)} tokens are called {place.token_name}; add serial= to the URI")
    if not fitting:
        labels = ", ".join(sorted(repr(token.label) for token in tokens if token.label)) or "none"
        raise SignerUnavailable(
            f"there is no {place.token_name}; connect it or mend the URI. There are: {labels}"
        )
    return fitting[0]


def _driver(path: str) -> Any:
    """The loaded driver; called with the lock."""
    try:
        import pkcs11  # noqa: PLC0415 - see above
    except ImportError as exc:
        raise UsageError("keys in tokens need an extra: pip install 'yinxin[pkcs11]'") from exc
    try:
        return pkcs11.lib(_real(path))
    except RuntimeError as exc:
        raise SignerUnavailable(
            f"the driver {path} does not load; install the token's driver and name it by module-path= ({exc})"
        ) from exc


def _check_owner(path: str) -> None:
    """Refuse a driver that this process got by a fork: PKCS#11 gives it no meaning there."""
    if _OWNERS.setdefault(path, os.getpid()) != os.getpid():
        raise SignerUnavailable("a token does not survive a fork; open it in a process that is started anew")


def _real(path: str) -> str:
    """One name for a driver that several links lead to: it may be initialised once only."""
    return os.path.realpath(path)


@contextmanager
def _explained(token_name: str) -> Iterator[None]:
    """Turn what `python-pkcs11` raises into `SignerUnavailable` with what to do next."""
    try:
        yield
    except (RuntimeError, ValueError, TypeError, LookupError) as exc:
        name = type(exc).__name__
        advice = _ADVICE.get(
            name, f"{name}; the driver's log may say more, connecting the token again may help"
        )
        raise SignerUnavailable(f"{token_name}: {advice}") from exc


def _asks_each_time(key: Any) -> bool:
    """CKA_ALWAYS_AUTHENTICATE: signature keys of cards want the PIN for each signature."""
    from pkcs11 import Attribute, PKCS11Error  # noqa: PLC0415 - see above

    try:
        return bool(key[Attribute.ALWAYS_AUTHENTICATE])
    except PKCS11Error:  # a token that does not know the attribute
        return False


def _public_key_from(attributes: dict[str, Any]) -> PublicKey:
    if "n" in attributes:
        n, e = (int.from_bytes(attributes[name], "big") for name in ("n", "e"))
        native = rsa.RSAPublicNumbers(e, n).public_key()
        return PublicKey(native.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    point = _point(attributes["point"])
    if attributes["edwards"]:
        return PublicKey(der.sequence(der.sequence(der.oid(ED25519)), der.bit_string(point)))
    key = PublicKey(
        der.sequence(der.sequence(der.oid(EC_PUBLIC_KEY), attributes["curve"]), der.bit_string(point))
    )
    if key.kind == "SM2":
        raise MalformedInput("key", "SM2 keys in tokens do not sign through this")
    return key


def _point(value: bytes) -> bytes:
    """CKA_EC_POINT: an OCTET STRING by the standard, bare in some tokens. Lengths tell them apart."""
    try:
        inner = der.read_exactly(value, der.OCTET_STRING).content
    except MalformedInput:
        return value
    return inner if len(inner) in _POINT_BYTES else value


def _digest_info(name: str, digest: bytes) -> bytes:
    """DigestInfo (RFC 8017, 9.2): what RSA_PKCS pads and signs."""
    identifier = der.children(der.read_exactly(cms.digest_identifier(name), der.SEQUENCE))
    return der.sequence(
        der.sequence(*(item.encoded for item in identifier), der.null()), der.octet_string(digest)
    )


def _der_of(signature: bytes) -> bytes:
    """PKCS#11 joins r and s, each as long as the curve's order; X.509 has a SEQUENCE of both."""
    half = len(signature) // 2
    if not signature or len(signature) % 2:
        raise SignerUnavailable("the token answered with something that is no signature")
    parts = (signature[:half], signature[half:])
    return der.sequence(*(der.integer(int.from_bytes(part, "big")) for part in parts))


def _read_chain(path: str | None) -> tuple[Certificate, ...]:
    try:
        return load_certificates(Path(path).read_bytes()) if path else ()
    except OSError as exc:
        raise SignerUnavailable(f"cannot read {exc.filename}: {exc.strerror}") from exc
