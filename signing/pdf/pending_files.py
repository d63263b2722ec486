"""What is kept of a prepared document between the two steps: one piece of bytes, for a file or a row.

A line with the format and a code, a line of JSON, and the document. The code is an HMAC under a secret of the
service that keeps it; whoever has none is protected by `complete`, which refuses a changed document all the
same, once it is signed.
"""

from __future__ import annotations

import hmac
import json
import re
from base64 import b64decode, b64encode
from hashlib import sha256
from typing import Any

from signing import cms
from signing.certificates import Certificate
from signing.pdf.two_steps import MAX_CERTIFICATES, Pending
from yinxin.base.errors import MalformedInput, TooLarge

MAX_BYTES, MAX_HEADER_BYTES = 72 << 20, 1 << 20
_NEAR = 512  # octets on either side of a hole, in which its byte range stands
_FORMAT = b"yinxin-pending-signature-1"
_MEMBERS = {"hole", "digest", "attributes", "chain", "algorithm"}


def is_pending(data: bytes) -> bool:
    """Whether these bytes are meant to be what `dump_pending` wrote."""
    return data.startswith(_FORMAT + b" ")


def dump_pending(pending: Pending, *, secret: bytes | None = None) -> bytes:
    """The bytes to keep; with a secret, nobody without it can change them unseen."""
    header = {
        "hole": [pending.start, pending.end],
        "digest": pending.digest_algorithm,
        "attributes": [b64encode(one).decode() for one in pending.attributes],
        "chain": [b64encode(one.der).decode() for one in pending.chain],
        "algorithm": pending.algorithm.name if pending.algorithm else None,
    }
    rest = json.dumps(header).encode() + b"\n" + pending.document
    return b"%b %b\n%b" % (_FORMAT, _code(rest, secret), rest)


def load_pending(data: bytes, *, secret: bytes | None = None) -> Pending:
    """What `dump_pending` wrote. `MalformedInput` for anything else, `TooLarge` beyond `MAX_BYTES`."""
    if len(data) > MAX_BYTES:
        raise TooLarge("pending signature", f"over {MAX_BYTES} bytes")
    first, _, rest = data.partition(b"\n")
    if not is_pending(data):
        raise _malformed("not a prepared document")
    if secret is not None and not hmac.compare_digest(first, b"%b %b" % (_FORMAT, _code(rest, secret))):
        raise _malformed("it was changed after it was prepared")
    header, _, document = rest.partition(b"\n")
    try:
        pending = _pending(_members(header), document)
    except (ValueError, TypeError, KeyError, RecursionError) as exc:
        raise _malformed("its header is not one") from exc
    _check_hole(pending)
    return pending


def _code(rest: bytes, secret: bytes | None) -> bytes:
    return hmac.new(secret, rest, sha256).hexdigest().encode() if secret is not None else b"-"


def _members(header: bytes) -> dict[str, Any]:
    if len(header) > MAX_HEADER_BYTES:
        raise ValueError
    found = json.loads(header)
    if not isinstance(found, dict) or found.keys() != _MEMBERS:
        raise ValueError
    return found


def _pending(found: dict[str, Any], document: bytes) -> Pending:
    start, end = found["hole"]
    if type(start) is not int or type(end) is not int or found["digest"] not in cms.STRONG_DIGESTS:
        raise ValueError
    attributes = tuple(b64decode(one, validate=True) for one in found["attributes"])
    if len(found["chain"]) > MAX_CERTIFICATES:
        raise ValueError
    chain = tuple(Certificate(b64decode(one, validate=True)) for one in found["chain"])
    pending = Pending(document, start, end, found["digest"], attributes)
    return pending.with_chain(chain, algorithm=found["algorithm"]) if chain else pending


def _check_hole(pending: Pending) -> None:
    """The hole is empty, and that of a signature that covers all the rest."""
    document, start, end = pending.document, pending.start, pending.end
    if not 0 < start < end <= len(document) or document[start:end] != b"<%b>" % (b"0" * 2 * pending.room):
        raise _malformed("it has no empty hole where it says")
    stated = re.compile(rb"/ByteRange *\[ ?0 %d %d %d *\]" % (start, end, len(document) - end))
    if not any(map(stated.search, (document[max(start - _NEAR, 0) : start], document[end : end + _NEAR]))):
        raise _malformed("its hole is not that of a signature over the whole document")


def _malformed(detail: str) -> MalformedInput:
    return MalformedInput("pending signature", detail)
