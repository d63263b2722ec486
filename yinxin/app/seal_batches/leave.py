"""Leave to use the seal that a command holds, and the log of what was sealed with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from credentials.office.seals import FILE
from credentials.office.seals.uses.repository import UseRepository
from yinxin.app import sealing
from yinxin.app.custody import custody

if TYPE_CHECKING:
    from collections.abc import Sequence

    from credentials.custody import Permit
    from credentials.office.seals import Custody
    from signing.certificates import Certificate
    from yinxin.app.home import Home
    from yinxin.base.actor import Actor


@dataclass(frozen=True)
class Leave:
    """One person's use of one key. Nobody keeps a key that the register does not know: it needs no leave."""

    home: Home
    who: Actor
    kept_by: Custody | None
    elsewhere: bool = False

    @classmethod
    def of(cls, home: Home, chain: Sequence[Certificate], who: Actor, *, elsewhere: bool = False) -> Leave:
        """The leave that this person needs for the key with this chain; `elsewhere`: it is not at hand here."""
        is_kept = bool(chain) and sealing.keeps(home, chain[0])
        return cls(home, who, custody(home, certificate=chain[0]) if is_kept else None, elsewhere)

    def ask(self, count: int) -> Permit | None:
        """Leave for so many files; raises as `Custody.allow` does."""
        return self.kept_by.allow(self.who, {FILE: count}) if self.kept_by else None

    def write_down(self, permit: Permit | None, digests: Sequence[str], *, again: bool = False) -> None:
        """Write the uses down, all or none; `Conflict` when the seal or the grant was stopped meanwhile.

        `digests` are those of the sealed documents. `again`: what is written down already is left alone.
        """
        if self.kept_by is None or permit is None:
            return
        with self.home.database.transaction() as session:
            uses = UseRepository(session)
            known = uses.documents(permit.seal, digests) if again else frozenset()
            for digest in digests:
                if digest not in known:
                    at = self.home.clock.now()
                    self.kept_by.used(
                        session, permit, document=digest, licence=None, at=at, elsewhere=self.elsewhere
                    )
