"""An office whose catalogue changes: Li proposes types, Zhao approves them, each with a key of their own."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from credentials.catalogue import BUILT_IN, Catalogue
from credentials.face.page import Typesetter
from credentials.office import KeyProofs
from credentials.office.types import LiveCatalogue, Previewer, TypeOffice
from credentials.type_files import read_folder
from world.desks import DeskWorld
from world.office import URL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from credentials.office.types import TypeChange
    from world.pki import Pki
    from yinxin.base.actor import Actor
    from yinxin.base.database import Database

FOOD = "food-business-licence"
TODAY = date(2026, 11, 20)
_TYPES = read_folder(BUILT_IN)
_FILES = {one.code: (BUILT_IN / f"{one.code.replace('-', '_')}.toml").read_text("utf-8") for one in _TYPES}
EMAIL = """
[[fields]]
name = "email"
label = { zh = "电子邮箱", en = "E-mail" }
kind = "text"
source = { zh = "申请人", en = "the applicant" }
example = "office@example.com"
"""


def next_version(
    code: str = FOOD,
    *,
    version: int = 2,
    day: date = TODAY,
    more: str = "",
    changes: Mapping[str, str] | None = None,
) -> bytes:
    """A type's built-in file as its next version; `changes` are pieces of text and what replaces them."""
    text = _FILES[code].replace(f'code = "{code}"', f'code = "{code}"\nversion = {version}\nfrom_day = {day}')
    for old, new in (changes or {}).items():
        assert old in text, old
        text = text.replace(old, new, 1)
    return (text + more).encode()


def with_email(*, day: date = TODAY, vct: str = f"urn:yinxin:licence:{FOOD}:2", **options: Any) -> bytes:
    """A version with one more required field, and so another vct."""
    return next_version(day=day, more=EMAIL, changes={f"urn:yinxin:licence:{FOOD}:1": vct}, **options)


class TypesWorld(DeskWorld):
    """The desk of `world.desks` with a catalogue that its people change."""

    def __init__(self, pki: Pki, database: Database) -> None:
        super().__init__(pki, database)
        self.types = self.office(self.live)

    def make_catalogue(self) -> Catalogue:
        self.live = self.worker()
        return self.live

    def worker(self) -> LiveCatalogue:
        """The catalogue as another process has it."""
        return LiveCatalogue(_TYPES, self.database, agency=self.agency.credit_code, clock=self.clock)

    def office(self, catalogue: LiveCatalogue) -> TypeOffice:
        return TypeOffice(
            catalogue,
            Previewer(self.agency, URL, Typesetter()),
            agency=self.agency.credit_code,
            database=self.database,
            proofs=KeyProofs(self.keys_of),
            clock=self.clock,
        )

    def agreement(self, change: TypeChange, actor: Actor) -> dict[str, Any]:
        return KeyProofs.make(change.digest, actor, self.keys[actor.identifier])

    def approve(self, change: TypeChange) -> TypeChange:
        return self.types.approve(change.id, proof=self.agreement(change, self.zhao), actor=self.zhao)

    def activate(self, file: bytes) -> TypeChange:
        return self.approve(self.types.propose(file, actor=self.li))

    def abolish(self, code: str = FOOD, *, last_day: date = TODAY) -> TypeChange:
        facts = {"ground": "《食品安全法》修订", "document_number": "津政发〔2026〕9号"}
        return self.approve(self.types.abolish(code, last_day=last_day, actor=self.li, **facts))

    def pass_days(self, days: int) -> None:
        self.clock.advance(timedelta(days=days))
