"""The authority: creates itself, issues by profile, revokes, lists and reconciles.

Every certificate of every entry point goes through `Authority.issue`. What a certificate may say is in
`ca.profiles`, how it is made without loss in `ca.engine`, lists and status in `ca.revocation`. Who may
ask is the work of `ca.registration`.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from ca.engine import Engine, Order
from ca.lint import Expected
from ca.names import checked_dns_names
from ca.profiles import Profile, Profiles
from ca.repository import AuthorityRepository
from ca.revocation import Beside, Revocation, nothing
from ca.template import Draft, Pointers
from signing.certificates import Certificate, load_pem_chain
from yinxin.base.actor import Actor, ActorKind
from yinxin.base.errors import Conflict, IssuanceRefused, NotPermitted, SignerUnavailable, UsageError
from yinxin.base.randomness import Randomness, SystemRandomness

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlmodel import Session

    from ca.names import SubjectName
    from ca.repository import CertificateRow, StatusRow
    from signing.keys import PublicKey
    from signing.signer import Signer
    from yinxin.base.clock import Clock
    from yinxin.base.database import Database

SERIAL_RANDOM_BYTES = 16  # behind one byte for the instance: 17 octets, 128 of the bits unpredictable
STALE_AFTER = timedelta(minutes=10)
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


@dataclass(frozen=True, slots=True)
class Application:
    """What a certificate is asked for: who it speaks of, and the key. `not_after` may shorten it.

    `dns_names` are hosts of the subject (RFC 5280, 4.2.1.6), lower case, where the profile has them.
    `InvalidClaims` for a name that is none.
    """

    subject: SubjectName
    public_key: PublicKey
    not_after: datetime | None = None
    dns_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        checked_dns_names(self.dns_names)

    def digest(self, profile: str) -> str:
        """SHA-256 (hex) of what an approval covers: profile, name and key."""
        rows = [*sorted(self.subject.to_dict().items()), *(("dns", name) for name in self.dns_names)]
        values = "\n".join(f"{name}={value}" for name, value in rows)
        return hashlib.sha256(f"{profile}\n{values}\n{self.public_key.fingerprint}".encode()).hexdigest()


class Authority:
    """One certificate authority: a name, a key, a certificate, and what it has issued.

    Safe to share between threads. `instance` (1 to 127) stands first in its serial numbers, so that two
    installations with one key never give the same.
    """

    def __init__(  # noqa: PLR0913 - what an authority is made of
        self,
        name: str,
        *,
        database: Database,
        signer: Signer | None,
        chain: tuple[Certificate, ...],
        profile: str,
        issuer_name: str | None,
        clock: Clock,
        base_url: str | None,
        profiles: Profiles,
        randomness: Randomness,
        instance: int = 1,
    ) -> None:
        if not 1 <= instance <= 127:
            raise UsageError("an instance is a number from 1 to 127")
        self.name = name
        self.chain = chain
        self.profile = profile
        self.profiles = profiles
        self._issuer_name = issuer_name
        self._database = database
        self._signer = signer
        self._clock = clock
        self._randomness = randomness
        self._instance = instance
        self._pointers = Pointers.below(base_url, name) if base_url else None
        self._revocation = Revocation(name, database=database, clock=clock)

    @classmethod
    def create(  # noqa: PLR0913 - what an authority is made of
        cls,
        name: str,
        *,
        database: Database,
        signer: Signer,
        subject: SubjectName,
        issuer: Authority | None = None,
        clock: Clock,
        actor: Actor,
        base_url: str | None,
        profiles: Profiles | None = None,
        profile: str | None = None,
        randomness: Randomness | None = None,
    ) -> Authority:
        """Make a root, or an authority below `issuer`, and store it under a new name.

        `base_url` is where `ca.http` will answer; certificates point there. `profile` is `root` or
        `issuing` unless named. A name that is taken is a `Conflict`.
        """
        if issuer and issuer._database is not database:  # noqa: SLF001 - its own class
            raise UsageError("an authority and its issuer stand in one database")
        if not _NAME.fullmatch(name):
            raise UsageError("an authority's name is lower case letters, digits and hyphens, 40 at most")
        with database.reading() as session:
            if AuthorityRepository(session).has_authority(name):
                raise Conflict(f"there is an authority {name!r} already")
        new = cls(
            name,
            database=database,
            signer=signer,
            chain=(),
            profile=profile or ("issuing" if issuer else "root"),
            issuer_name=issuer.name if issuer else None,
            clock=clock,
            base_url=base_url,
            profiles=profiles or Profiles.load(),
            randomness=randomness or SystemRandomness(),
        )
        new._certify(issuer, Application(subject, signer.public_key), actor)
        return new

    @classmethod
    def open(  # noqa: PLR0913 - what an authority is made of
        cls,
        name: str,
        *,
        database: Database,
        signer: Signer | None,
        clock: Clock,
        base_url: str | None,
        profiles: Profiles | None = None,
        randomness: Randomness | None = None,
    ) -> Authority:
        """The stored authority of this name, or `NotFound`.

        Without a signer it answers what is known and publishes its last list; issuing and new lists
        then raise `SignerUnavailable`, as does a signer with another key.
        """
        with database.reading() as session:
            record = AuthorityRepository(session).authority(name)
        chain = load_pem_chain(record.chain)
        if signer and signer.public_key != chain[0].public_key:
            raise SignerUnavailable(f"this is not the key of the authority {name!r}")
        return cls(
            name,
            database=database,
            signer=signer.with_chain(chain) if signer else None,
            chain=chain,
            profile=record.profile,
            issuer_name=record.issuer,
            clock=clock,
            base_url=base_url,
            profiles=profiles or Profiles.load(),
            randomness=randomness or SystemRandomness(),
        )

    @property
    def certificate(self) -> Certificate:
        """This authority's own certificate."""
        return self.chain[0]

    def issue(
        self, profile: str, application: Application, *, actor: Actor, approval: str | None = None
    ) -> Certificate:
        """Issue one certificate.

        `approval` names the application that a second person approved, where the profile asks for that.
        `UnknownProfile`, `IssuanceRefused` with every reason, `NotPermitted` for who is no member of staff,
        and `SignerUnavailable` when the key is not here, out of date or revoked.
        """
        return self._issue(self.profiles[profile], application, actor, approval)

    def find(self, serial: int) -> Certificate:
        """An issued certificate, or `NotFound`."""
        with self._database.reading() as session:
            return Certificate(AuthorityRepository(session).certificate(self.name, serial))

    def row(self, serial: int) -> CertificateRow | None:
        """A serial number as it is listed; None when this authority never took it."""
        with self._database.reading() as session:
            return AuthorityRepository(session).certificate_row(self.name, serial)

    def issued(self, *, after: int = 0, limit: int = 100) -> list[CertificateRow]:
        """A page of all serial numbers that were ever taken, whatever became of them, behind `after`."""
        with self._database.reading() as session:
            return AuthorityRepository(session).certificates(self.name, after=after, limit=limit)

    def issued_to(self, code: str) -> list[CertificateRow]:
        """The certificates that name this credit code, whatever became of them, in the order of serials."""
        with self._database.reading() as session:
            return AuthorityRepository(session).certificates_of(self.name, code)

    def revoke(
        self,
        serial: int,
        *,
        reason: str,
        actor: Actor,
        invalid_since: datetime | None = None,
        beside: Beside = nothing,
    ) -> None:
        """Revoke from now on, for one of `RevocationReason`; `certificate_hold` can be released.

        `invalid_since` says since when a compromised key is not to be trusted. What is on hold may be revoked
        for good, and keeps the time of the hold; since when may still be said of what is revoked. Else
        revoking twice is a `Conflict`, a serial that was never issued `NotFound`. `beside` is done in the
        same transaction.
        """
        self._revocation.revoke(
            serial, reason=reason, actor=_require_staff(actor), invalid_since=invalid_since, beside=beside
        )

    def release(self, serial: int, *, actor: Actor, beside: Beside = nothing) -> None:
        """End a hold; `Conflict` when there is none."""
        self._revocation.release(serial, actor=_require_staff(actor), beside=beside)

    def status(self, serial: int) -> StatusRow | None:
        """What is known of a serial number; None when this authority never took it."""
        return self._revocation.status(serial)

    def crl(self) -> bytes:
        """The current list in DER: the last one, or a new one after a change or half its life.

        Without a signer it is the last one while that holds, else `SignerUnavailable`.
        """
        if self._signer is None:
            return self._revocation.last_crl()
        return self._revocation.crl(self.certificate.subject_der, self._usable_signer)

    def reconcile(self, *, actor: Actor, older_than: timedelta = STALE_AFTER) -> tuple[int, ...]:
        """Give up intents that became no certificate; their serial numbers, which are now on the list.

        A signature may have been made before the crash, so an abandoned serial number is listed as revoked.
        """
        return self._revocation.abandon_intents(
            before=self._clock.now() - older_than, actor=_require_staff(actor)
        )

    def _certify(self, issuer: Authority | None, application: Application, actor: Actor) -> None:
        """Get this authority its own certificate, from itself or from the one above, and store both."""

        def store(session: Session, certificate: Certificate) -> None:
            self.chain = (certificate, *(issuer.chain if issuer else ()))
            AuthorityRepository(session).add_authority(
                name=self.name,
                profile=self.profile,
                issuer=self._issuer_name,
                chain=b"".join(each.to_pem() for each in self.chain),
                created_at=self._clock.now(),
            )

        profile = self.profiles[self.profile]
        if not profile.authority:
            raise UsageError(f"the profile {profile.code} is not one of authorities")
        if issuer is None and profile.issued_by:
            raise UsageError(f"an authority of the profile {profile.code} needs an issuer")
        (issuer or self)._issue(profile, application, actor, None, also=store)  # noqa: SLF001 - its own class
        self._signer = self._signer and self._signer.with_chain(self.chain)

    def _issue(
        self,
        profile: Profile,
        application: Application,
        actor: Actor,
        approval: str | None,
        also: Callable[[Session, Certificate], None] | None = None,
    ) -> Certificate:
        _require_staff(actor)
        now = self._clock.now()
        signer = self._usable_signer(now)
        if self.chain and self.profile not in profile.issued_by:
            raise IssuanceRefused(reasons=(f"an authority of the profile {self.profile} does not issue it",))
        order = Order(
            authority=self.name,
            above=(self._issuer_name, self.certificate.serial) if self.chain and self._issuer_name else None,
            draft=self._draft(profile, application, signer, now),
            expected=self._expected(profile, application, signer),
            actor=actor,
            approval=approval,
            content_digest=application.digest(profile.code),
        )
        return Engine(self._database, signer, self._clock).make(order, also=also)

    def _draft(self, profile: Profile, application: Application, signer: Signer, now: datetime) -> Draft:
        start = now.replace(microsecond=0)
        ends = [start + profile.valid_for]
        if application.not_after:
            ends.append(application.not_after.replace(microsecond=0))
        if self.chain:
            ends.append(self.certificate.not_after)
        subject = application.subject.encode(organisation_identifier=profile.organisation_identifier)
        return Draft(
            profile=profile,
            serial=self._new_serial(),
            algorithm=signer.algorithm,
            issuer=self.certificate.subject_der if self.chain else subject,
            subject=application.subject,
            public_key=application.public_key,
            issuer_key_identifier=signer.public_key.identifier,
            not_before=start,
            not_after=min(ends),
            pointers=self._pointers if self.chain else None,
            dns_names=application.dns_names,
        )

    def _expected(self, profile: Profile, application: Application, signer: Signer) -> Expected:
        return Expected(
            profile=profile,
            subject=application.subject,
            public_key=application.public_key,
            issuer=self.certificate if self.chain else None,
            issuer_key=signer.public_key,
            pointers=self._pointers if self.chain else None,
            dns_names=application.dns_names,
        )

    def _usable_signer(self, now: datetime) -> Signer:
        if self._signer is None:
            raise SignerUnavailable(f"the key of the authority {self.name!r} is not here")
        if self.chain and not self.certificate.is_valid_at(now):
            raise SignerUnavailable(f"the certificate of the authority {self.name!r} is out of date")
        return self._signer

    def _new_serial(self) -> int:
        # RFC 5280, 4.1.2.2: positive, 20 octets at most. A first octet below 0x80 keeps it positive.
        return int.from_bytes(bytes((self._instance,)) + self._randomness.bytes(SERIAL_RANDOM_BYTES), "big")


def _require_staff(actor: Actor) -> Actor:
    if actor.kind not in {ActorKind.STAFF, ActorKind.SYSTEM}:
        raise NotPermitted(f"{actor} is no member of staff")
    return actor
