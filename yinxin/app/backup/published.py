"""What a node had published before it was put back, as far as the operator still has it: lists, verified.

Status lists and revocation lists are signed by the node's own keys, so whoever kept one can bring it. Nothing
is taken for a list that does not verify; a list's age does not matter, for it is evidence of what was said.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ca.crl import RevocationReason, encode_entry
from credentials.status_snapshot import StatusSnapshot
from credentials.vocabulary import VALID
from signing.jose import parse_jws
from signing.names import name_key
from signing.revocation import Crl, RevocationSnapshot
from yinxin.base.errors import MalformedInput, NotFound
from yinxin.base.files import read_file

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ca.repository import AuthorityRepository
    from credentials.status_records import StatusRecords
    from signing.certificates import Certificate
    from yinxin.app.home import Home

MAX_LIST_BYTES = 64 << 20
AUTHORITIES = ("root", "issuing")


@dataclass
class Lists:
    """Verified lists: statuses, and revocation lists by the authority's name."""

    statuses: list[StatusSnapshot] = field(default_factory=list)
    crls: dict[str, list[Crl]] = field(default_factory=dict)

    def crl_number(self, authority: str) -> int:
        """The highest number that was brought of an authority's lists."""
        return max((crl.number or 0 for crl in self.crls.get(authority, ())), default=0)

    def take_back_statuses(self, records: StatusRecords, *, at: datetime) -> int:
        """Have every entry that was published as not valid be so here; returns how many that changed."""
        changed = 0
        for snapshot in sorted(self.statuses, key=lambda one: one.issued_at):
            if records.changes(snapshot.uri) is None:  # a list that was begun after the backup
                size, bits = len(snapshot.statuses), snapshot.statuses.bits
                records.add_list(snapshot.uri, bits=bits, size=size, at=at)
            for index in range(len(snapshot.statuses)):
                value = snapshot.status(index)
                if value != VALID:
                    changed += records.take_back(snapshot.uri, index, value, at=at)
        return changed

    def take_back_certificates(self, repository: AuthorityRepository) -> int:
        """Revoke here what was listed; returns how many that changed. Certificates that are lost too."""
        changed = 0
        for authority, crls in self.crls.items():
            for crl in crls:
                changed += sum(_revoke(repository, authority, crl, serial) for serial in crl.serials)
        return changed


def read(home: Home, files: Iterable[Path]) -> Lists:
    """Read lists of this node's own making; `MalformedInput` names a file that is none."""
    found = Lists()
    authorities = _authorities(home)
    for path in files:
        data = read_file(path, limit=MAX_LIST_BYTES)
        if data[:3] == b"eyJ":
            found.statuses.append(_status_list(home, path, data))
        else:
            name, crl = _crl(authorities, path, data)
            found.crls.setdefault(name, []).append(crl)
    return found


def _status_list(home: Home, path: Path, data: bytes) -> StatusSnapshot:
    try:
        token = data.decode("ascii").strip()
        claims = parse_jws(token).claims()
    except (UnicodeDecodeError, MalformedInput) as exc:
        raise MalformedInput("published list", f"{path} is no status list") from exc
    uri, issued = claims.get("sub"), claims.get("iat")
    if not isinstance(uri, str) or not uri.startswith(home.settings.base_url.rstrip("/") + "/status/"):
        raise MalformedInput("published list", f"{path} is of another issuer")
    if type(issued) is not int:
        raise MalformedInput("published list", f"{path} does not say when it was made")
    snapshot = StatusSnapshot.from_token(
        token,
        home.trust,
        uri=uri,
        at=datetime.fromtimestamp(issued, UTC),
        revocation=RevocationSnapshot(),
        policy=home.policy.with_changes(revocation="if_available"),
    )
    if snapshot.issuer.subject_der != home.chain("status")[0].subject_der:
        raise MalformedInput("published list", f"{path} is of another issuer")
    return snapshot


def _crl(authorities: dict[str, Certificate], path: Path, data: bytes) -> tuple[str, Crl]:
    crl = Crl.from_der(data)
    for name, certificate in authorities.items():
        if name_key(certificate.subject_der) == name_key(crl.issuer_der) and crl.is_signed_by(certificate):
            return name, crl
    raise MalformedInput("published list", f"{path} is of no authority of this node")


def _revoke(repository: AuthorityRepository, authority: str, crl: Crl, serial: int) -> bool:
    entry = crl.lookup(serial)
    if entry is None or repository.is_listed(authority, serial):
        return False
    known = entry.reason in set(RevocationReason)
    reason = RevocationReason(entry.reason) if known else RevocationReason.UNSPECIFIED
    encoded = encode_entry(serial, at=entry.revoked_at, reason=reason)
    repository.add_revocation(authority, serial, reason=reason, at=entry.revoked_at, entry=encoded)
    return True


def _authorities(home: Home) -> dict[str, Certificate]:
    found = {}
    for name in AUTHORITIES:
        try:
            found[name] = home.chain(name)[0]
        except NotFound:
            continue
    return found
