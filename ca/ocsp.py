"""OCSP (RFC 6960): what a certificate's status is, signed by a delegated responder.

A serial number that was never issued is `unknown`, as is one that is only intended; an abandoned one is
`revoked`. The status is read for every answer, so a revocation shows at once; only the signature over an
unchanged answer without nonce is used again for a while (and what was asked by GET may be cached for as long
as `ca.http` says). Requests are read strictly and in bounds, and what they get wrong is told in OCSP's own
words: `respond` never raises.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from functools import lru_cache
from typing import TYPE_CHECKING

from ca.crl import RevocationReason, invalidity_date
from ca.repository import ISSUED
from ca.template import extension, signed_parts
from ca.uses import require_usage
from signing import der
from yinxin.base.errors import MalformedInput, SignerUnavailable, YinxinError

if TYPE_CHECKING:
    from datetime import datetime

    from ca.issuance import Authority
    from ca.repository import StatusRow
    from signing.certificates import Certificate
    from signing.signer import Signer
    from yinxin.base.clock import Clock

MAX_REQUEST_BYTES = 4096
MAX_SINGLE_REQUESTS = 10
MAX_NONCE_BYTES = 128  # RFC 9654, 2.1
BASIC, NONCE = "1.3.6.1.5.5.7.48.1.1", "1.3.6.1.5.5.7.48.1.2"
_HASHES = {"1.3.14.3.2.26": "sha1", "2.16.840.1.101.3.4.2.1": "sha256"}
_KEPT_ANSWERS = 10_000


class ResponseStatus(IntEnum):
    """How an answer begins (RFC 6960, 4.2.1)."""

    SUCCESSFUL = 0
    MALFORMED_REQUEST = 1
    INTERNAL_ERROR = 2
    TRY_LATER = 3
    UNAUTHORIZED = 6


@dataclass(frozen=True, slots=True)
class CertId:
    """Which certificate is asked about; `encoded` is given back as it came."""

    hash_name: str
    issuer_name_hash: bytes
    issuer_key_hash: bytes
    serial: int
    encoded: bytes


@dataclass(frozen=True, slots=True)
class OcspRequest:
    """What is asked: one or a few certificates, and a nonce that the answer repeats."""

    certificates: tuple[CertId, ...]
    nonce: bytes | None


class OcspResponder:
    """Answers for one authority with a delegated key (profile `ocsp`)."""

    def __init__(
        self,
        authority: Authority,
        signer: Signer,
        clock: Clock,
        *,
        valid_for: timedelta = timedelta(hours=12),
    ) -> None:
        """`signer` needs an OCSP certificate of this very authority, else `SignerUnavailable`."""
        require_usage(signer.certificate, "ocsp")
        if not signer.certificate.is_issued_by(authority.certificate):
            raise SignerUnavailable("the responder's certificate is not of this authority")
        self._authority = authority
        self._signer = signer
        self._clock = clock
        self._valid_for = valid_for
        self._hashes = _issuer_hashes(authority.certificate)
        self._kept: OrderedDict[tuple[bytes, StatusRow | None], tuple[datetime, bytes]] = OrderedDict()
        self._lock = threading.Lock()

    def respond(self, request: bytes) -> bytes:
        """The OCSPResponse (DER) to an OCSPRequest (DER), whatever the bytes are."""
        try:
            asked = read_request(request)
            if any(not self._is_ours(certificate) for certificate in asked.certificates):
                return failure(ResponseStatus.UNAUTHORIZED)
            return self._answer(asked)
        except MalformedInput:
            return failure(ResponseStatus.MALFORMED_REQUEST)
        except YinxinError:
            return failure(ResponseStatus.TRY_LATER)

    def _answer(self, asked: OcspRequest) -> bytes:
        now = self._clock.now().replace(microsecond=0)
        if not self._signer.certificate.is_valid_at(now):
            raise SignerUnavailable("the responder's certificate is out of date")
        found = [(each, self._authority.status(each.serial)) for each in asked.certificates]
        if asked.nonce is not None or len(found) != 1:
            return self._sign(found, asked.nonce, now)
        key = (found[0][0].encoded, found[0][1])
        kept = self._kept_answer(key, now)
        if kept is None:
            kept = self._sign(found, None, now)
            self._keep(key, now, kept)
        return kept

    def _sign(
        self, found: list[tuple[CertId, StatusRow | None]], nonce: bytes | None, now: datetime
    ) -> bytes:
        this_update = der.generalized_time(now)
        next_update = der.explicit(0, der.generalized_time(now + self._valid_for))
        singles = [
            der.sequence(each.encoded, _status(status), this_update, next_update, _since(status))
            for each, status in found
        ]
        data = der.sequence(
            _responder(self._signer.public_key.identifier),
            this_update,  # producedAt
            der.sequence(*singles),
            _nonce(nonce) if nonce is not None else b"",
        )
        certificates = der.explicit(0, der.sequence(self._signer.certificate.der))
        basic = der.sequence(*signed_parts(data, self._signer), certificates)
        return _successful(basic)

    def _is_ours(self, certificate: CertId) -> bool:
        named = (certificate.issuer_name_hash, certificate.issuer_key_hash)
        return self._hashes[certificate.hash_name] == named

    def _kept_answer(self, key: tuple[bytes, StatusRow | None], now: datetime) -> bytes | None:
        with self._lock:
            kept = self._kept.get(key)
        # Half of its life is left to whoever caches it next.
        if kept and timedelta(0) <= now - kept[0] < self._valid_for / 2:
            return kept[1]
        return None

    def _keep(self, key: tuple[bytes, StatusRow | None], now: datetime, answer: bytes) -> None:
        with self._lock:
            self._kept[key] = (now, answer)
            self._kept.move_to_end(key)
            while len(self._kept) > _KEPT_ANSWERS:
                self._kept.popitem(last=False)


def read_request(data: bytes) -> OcspRequest:
    """Read an OCSPRequest; `MalformedInput` for anything else. A requestor's signature is not looked at."""
    if len(data) > MAX_REQUEST_BYTES:
        raise MalformedInput("ocsp", f"over {MAX_REQUEST_BYTES} bytes")
    tbs, *signature = _parts(der.read_exactly(data, der.SEQUENCE), most=2)
    if any(item.tag != 0xA0 for item in signature):
        raise MalformedInput("ocsp", "unknown field")
    fields = _parts(tbs, most=4)
    _skip_version(fields)
    if fields and fields[0].tag == 0xA1:  # requestorName
        fields.pop(0)
    if not fields:
        raise MalformedInput("ocsp", "no requests")
    certificates = tuple(_read_cert_id(item) for item in _parts(fields[0], most=MAX_SINGLE_REQUESTS))
    return OcspRequest(certificates, _read_extensions(fields[1:]))


def failure(status: ResponseStatus) -> bytes:
    """An answer that is only a status."""
    return der.sequence(der.tlv(der.ENUMERATED, bytes((status,))))


def _successful(basic: bytes) -> bytes:
    answer = der.sequence(der.oid(BASIC), der.octet_string(basic))
    status = der.tlv(der.ENUMERATED, bytes((ResponseStatus.SUCCESSFUL,)))
    return der.sequence(status, der.explicit(0, answer))


def _status(row: StatusRow | None) -> bytes:
    if row is not None and row.revoked_at is not None:
        reason = RevocationReason.of(row.reason or RevocationReason.UNSPECIFIED)
        why = der.explicit(0, der.tlv(der.ENUMERATED, bytes((reason.number,))))
        said = why if reason is not RevocationReason.UNSPECIFIED else b""
        return der.tlv(0xA1, der.generalized_time(row.revoked_at), said)
    # Only what is issued is good; what is intended or was never taken is not known.
    return der.tlv(0x80 if row is not None and row.state == ISSUED else 0x82)


def _since(row: StatusRow | None) -> bytes:
    """Since when the key is not to be trusted: what lists say, answers say too (RFC 6960, 4.4.5)."""
    if row is None or row.invalid_since is None:
        return b""
    return der.explicit(1, der.sequence(invalidity_date(row.invalid_since)))


@lru_cache(maxsize=16)
def _responder(key_identifier: bytes) -> bytes:
    return der.explicit(2, der.octet_string(key_identifier))


def _nonce(nonce: bytes) -> bytes:
    return der.explicit(1, der.sequence(extension(NONCE, der.octet_string(nonce))))


def _issuer_hashes(certificate: Certificate) -> dict[str, tuple[bytes, bytes]]:
    name = certificate.subject_der
    spki = list(der.children(der.read_exactly(certificate.public_key.spki, der.SEQUENCE)))
    key = der.read_bit_string(spki[1])
    # SHA-1 only names the issuer here: every client's default (RFC 6960, 4.3).
    names = {hash_name: hashlib.new(hash_name, name, usedforsecurity=False) for hash_name in _HASHES.values()}
    return {
        hash_name: (made.digest(), hashlib.new(hash_name, key, usedforsecurity=False).digest())
        for hash_name, made in names.items()
    }


def _parts(element: der.Element, *, most: int) -> list[der.Element]:
    if element.tag != der.SEQUENCE:
        raise MalformedInput("ocsp", "not a sequence")
    parts = []
    for part in der.children(element):
        parts.append(part)
        if len(parts) > most:
            raise MalformedInput("ocsp", f"more than {most} parts")
    if not parts:
        raise MalformedInput("ocsp", "an empty sequence")
    return parts


def _skip_version(fields: list[der.Element]) -> None:
    if fields[0].tag != 0xA0:
        return
    if der.read_integer(der.read_exactly(fields.pop(0).content, der.INTEGER)) != 0:
        raise MalformedInput("ocsp", "not version 1")


def _read_cert_id(item: der.Element) -> CertId:
    request = _parts(item, most=2)
    if len(request) == 2 and request[1].tag != 0xA0:
        raise MalformedInput("ocsp", "unknown field")
    parts = _parts(request[0], most=4)
    if len(parts) != 4 or parts[1].tag != der.OCTET_STRING or parts[2].tag != der.OCTET_STRING:
        raise MalformedInput("ocsp", "not a certificate's name")
    algorithm = _parts(parts[0], most=2)
    hash_name = _HASHES.get(der.read_oid(algorithm[0]))
    if hash_name is None or any(each.encoded != der.null() for each in algorithm[1:]):
        raise MalformedInput("ocsp", "this hash is not known here")
    if parts[3].tag != der.INTEGER or len(parts[3].content) > 64:
        raise MalformedInput("ocsp", "not a serial number")
    serial = der.read_integer(parts[3])
    return CertId(hash_name, parts[1].content, parts[2].content, serial, request[0].encoded)


def _read_extensions(fields: list[der.Element]) -> bytes | None:
    if not fields:
        return None
    if len(fields) > 1 or fields[0].tag != 0xA2:
        raise MalformedInput("ocsp", "unknown field")
    found: dict[str, bytes] = {}
    for item in _parts(der.read_exactly(fields[0].content, der.SEQUENCE), most=10):
        name, critical, value = _read_extension(item)
        if name in found or (critical and name != NONCE):
            raise MalformedInput("ocsp", "an extension is doubled, or critical and unknown")
        found[name] = value
    if NONCE not in found:
        return None
    nonce = der.read_exactly(found[NONCE], der.OCTET_STRING).content
    if not 1 <= len(nonce) <= MAX_NONCE_BYTES:
        raise MalformedInput("ocsp", "a nonce of a wrong length")
    return nonce


def _read_extension(item: der.Element) -> tuple[str, bool, bytes]:
    name, *rest = _parts(item, most=3)
    critical = bool(rest) and rest[0].tag == der.BOOLEAN
    if critical and rest.pop(0).content != b"\xff":
        raise MalformedInput("ocsp", "a default is encoded")
    if len(rest) != 1 or rest[0].tag != der.OCTET_STRING:
        raise MalformedInput("ocsp", "not an extension")
    return der.read_oid(name), critical, rest[0].content
