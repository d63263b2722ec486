"""The text that names a key in a token: a `pkcs11:` URI (RFC 7512), read strictly.

What we cannot honour is refused, never skipped: an attribute that is left out would select another key. The
PIN has no place in a URI, which lands in settings, process lists and logs.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_to_bytes

from yinxin.base.errors import UsageError

_PATH = ("token", "serial", "object", "id")
_QUERY = ("module-path", "chain")
_PIN = ("pin-value", "pin-source")
# RFC 7512, 2.3: pk11-pchar and pk11-qchar without the separator; letters beyond ASCII stand for their UTF-8.
_PATH_VALUE = re.compile(r"(?:[A-Za-z0-9\-._~:\[\]@!$'()*+,=&]|[^\x00-\x7f]|%[0-9A-Fa-f]{2})+")
_QUERY_VALUE = re.compile(r"(?:[A-Za-z0-9\-._~:\[\]@!$'()*+,=/?|]|[^\x00-\x7f]|%[0-9A-Fa-f]{2})+")
MAX_URI_CHARACTERS = 4096


@dataclass(frozen=True, slots=True)
class TokenUri:
    """Which module, which token, which key; None where the URI does not say.

    `module_path` is the driver (absolute); `token` and `serial` select the token, `object` (its label) and
    `id` the key; `chain` is a PEM file with the key's certificates, leaf first.
    """

    module_path: str
    token: str | None = None
    serial: str | None = None
    object: str | None = None
    id: bytes | None = None
    chain: str | None = None

    @classmethod
    def parse(cls, text: str) -> TokenUri:
        """Read a URI; `UsageError` says what is wrong with it and never repeats its values."""
        if len(text) > MAX_URI_CHARACTERS:
            raise UsageError(f"a pkcs11: URI of over {MAX_URI_CHARACTERS} characters")
        scheme, _, rest = text.partition(":")
        if scheme.lower() != "pkcs11":
            raise UsageError("not a pkcs11: URI")
        path, _, query = rest.partition("?")
        named = _attributes(path, ";", _PATH, _PATH_VALUE)
        asked = _attributes(query, "&", _QUERY, _QUERY_VALUE)
        if not {"token", "serial"} & named.keys():
            raise UsageError("a pkcs11: URI names its token: token=LABEL or serial=NUMBER")
        if not {"object", "id"} & named.keys():
            raise UsageError("a pkcs11: URI names its key: object=LABEL or id=%01")
        texts = {name: _text(name, value) for name, value in (named | asked).items() if name != "id"}
        module = texts.pop("module-path", "")
        if not Path(module).is_absolute():
            raise UsageError(
                "a pkcs11: URI names the token's driver: ?module-path=/absolute/path/of/driver.so"
            )
        return cls(module_path=module, id=named.get("id"), **texts)

    @property
    def token_name(self) -> str:
        """The token as people are told of it."""
        return " ".join(_parts(("token", self.token), ("serial", self.serial)))

    @property
    def key_name(self) -> str:
        """The key as people are told of it."""
        return " ".join(_parts(("object", self.object), ("id", self.id.hex() if self.id else None)))


def _attributes(
    text: str, separator: str, known: tuple[str, ...], value_form: re.Pattern[str]
) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for part in text.split(separator) if text else ():
        name, equals, value = part.partition("=")
        if name in _PIN:
            raise UsageError(f"no {name} in a pkcs11: URI: the PIN is handed over as the secret")
        if not equals:  # whatever it is, it is not repeated: it may be a PIN
            raise UsageError("a pkcs11: URI has an attribute without a value")
        if name not in known:
            shown = name if re.fullmatch(r"[a-z0-9_-]{1,32}", name) else "of an odd name"
            raise UsageError(f"the attribute {shown} is not known at this place; known: {', '.join(known)}")
        if name in found:
            raise UsageError(f"a pkcs11: URI has {name} twice")
        if not value_form.fullmatch(value):
            raise UsageError(f"the value of {name} is empty or has characters to be written as %XX")
        found[name] = unquote_to_bytes(value)
    return found


def _text(name: str, value: bytes) -> str:
    try:
        text = value.decode()
    except UnicodeDecodeError as exc:
        raise UsageError(f"the value of {name} is not UTF-8") from exc
    if any(unicodedata.category(character) == "Cc" for character in text):
        raise UsageError(f"the value of {name} has control characters")
    return text


def _parts(*pairs: tuple[str, str | None]) -> list[str]:
    return [f"{name} {value}" for name, value in pairs if value]
