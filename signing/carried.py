"""The certificates that a file brings along: whose evidence has to be gathered before it is verified."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as BinasciiError
from contextlib import suppress
from typing import TYPE_CHECKING

from signing import cms
from signing.certificates import Certificate, load_pem_chain
from signing.jose import parse_jws
from signing.timestamp import parse_token
from yinxin.base.errors import YinxinError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_CARRIED = 128
MAX_TOKEN_CHARACTERS = 256 * 1024
_PDF_HEADER_WITHIN = 1024  # ISO 32000-1, annex H.3.4.1


def carried_in(data: bytes) -> tuple[Certificate, ...]:
    """The certificates in a PDF's signatures, a `.p7s`, a token or a PEM text, with those of time-stamps.

    At most `MAX_CARRIED`. Nothing is verified; what does not parse brings nothing.
    """
    found: dict[Certificate, None] = {}
    with suppress(YinxinError):
        for certificate in _found(data):
            found[certificate] = None
            if len(found) == MAX_CARRIED:
                break
    return tuple(found)


def _found(data: bytes) -> Iterator[Certificate]:
    if b"%PDF-" in data[:_PDF_HEADER_WITHIN]:
        from signing.pdf.carried import carried_signatures  # noqa: PLC0415 - pyHanko takes a second

        for contents in carried_signatures(data):
            yield from _of_cms(contents, padded=True)
    elif data[:1] == b"\x30":
        for one in cms.apart(data):
            yield from _of_cms(one, padded=False)
    elif b"-----BEGIN CERTIFICATE-----" in data:
        yield from load_pem_chain(data, limit=MAX_CARRIED)
    else:
        yield from _of_token(data)


def _of_cms(data: bytes, *, padded: bool) -> Iterator[Certificate]:
    with suppress(YinxinError):
        signed = cms.parse(data, padded=padded)
        yield from _of_signed(signed)
        for token in signed.unsigned.get(cms.TIMESTAMP_TOKEN, ())[:4]:
            with suppress(YinxinError):
                yield from _of_signed(parse_token(token).signed)


def _of_signed(signed: cms.SignedData) -> Iterable[Certificate]:
    return (*((signed.signer,) if signed.signer else ()), *signed.others)


def _of_token(data: bytes) -> Iterator[Certificate]:
    """The chain in a token's header (RFC 7515, 4.1.6); of an SD-JWT that of its first part."""
    text = data[:MAX_TOKEN_CHARACTERS].decode("ascii", errors="replace").strip()
    chain = parse_jws(text.partition("~")[0]).header.get("x5c")
    for item in chain[:MAX_CARRIED] if isinstance(chain, list) else ():
        with suppress(YinxinError, ValueError, TypeError, BinasciiError):
            yield Certificate(b64decode(item, validate=True))
