"""New keys and certificates for a home before the old ones run out.

A renewed key is a new key: its certificate is issued first, then both take the place of the old ones. The
old private key is gone then; its certificate is kept, because what it signed still has to verify. A renewal
that is cut off is run again. A home that was made before there was a key of some use gets its first one in the
same way. Services read their keys when they start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from signing.signers.file import FileSigner
from yinxin.app.ceremony import certify
from yinxin.app.home import KEYS, RETIRED
from yinxin.base.files import READABLE, replace_file, write_new_file

if TYPE_CHECKING:
    from signing.certificates import Certificate
    from yinxin.app.home import Home

NEXT = "next"


def renew(home: Home, name: str, *, people: tuple[str, str, str]) -> Certificate:
    """Give the key of this name a successor, or make the first one, and return its certificate.

    `people` apply, proof and approve, as in the ceremony (`NotPermitted` when they are not three for a
    seal). `UsageError` for a key that has no certificate from `yinxin.app.ceremony.certify`.
    """
    place = home.directory / KEYS
    fresh, drafted = FileSigner.generate(), place / NEXT / f"{name}.pem"
    for folder in (place / NEXT, place / RETIRED):
        folder.mkdir(mode=0o700, exist_ok=True)
    chain = certify(home, name, fresh.public_key, people=people)
    drafted.unlink(missing_ok=True)  # of a renewal that was cut off
    home.save_key(fresh, drafted)
    _retire(home, name)
    pem = b"".join(certificate.to_pem() for certificate in chain)
    replace_file(home.key_file(name).with_suffix(".chain.pem"), pem, mode=READABLE)
    drafted.replace(home.key_file(name))
    return chain[0]


def _retire(home: Home, name: str) -> None:
    if name not in home.key_names():
        return
    chain = home.chain(name)
    kept = home.directory / KEYS / RETIRED / f"{name}-{chain[0].serial:x}.chain.pem"
    if not kept.exists():
        write_new_file(kept, b"".join(certificate.to_pem() for certificate in chain))
