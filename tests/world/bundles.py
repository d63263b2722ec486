"""Files of applications, and the bundles that an office makes of them."""

from __future__ import annotations

import csv
import io
import zipfile
from typing import TYPE_CHECKING, Any

import openpyxl

from credentials import samples
from credentials.office import KeyProofs
from credentials.office.bundles import Bundle, Bundles, OpenedBundle
from signing.jose import dump_json
from world.desks import FOOD, DeskWorld

if TYPE_CHECKING:
    from collections.abc import Sequence

    from world.pki import Pki
    from yinxin.base.actor import Actor
    from yinxin.base.database import Database


class BundleWorld(DeskWorld):
    """The desk of `world.desks` with its bundles."""

    def __init__(self, pki: Pki, database: Database, **more: Any) -> None:
        super().__init__(pki, database, **more)
        self.bundles = Bundles(
            self.issuer,
            agency=self.agency.credit_code,
            catalogue=self.catalogue,
            database=database,
            proofs=KeyProofs(self.keys_of),
            clock=self.clock,
        )

    def opened(self, count: int = 3, *, number: str = "批-1", data: bytes | None = None) -> OpenedBundle:
        file = data if data is not None else as_csv(rows_of(count))
        return self.bundles.open(number, file, actor=self.li, type_code=FOOD)

    def agreement(self, bundle: Bundle, actor: Actor) -> dict[str, Any]:
        return KeyProofs.make(bytes.fromhex(bundle.digest), actor, self.keys[actor.identifier])

    def to_review(self, count: int = 3, **more: Any) -> Bundle:
        return self.bundles.submit(self.opened(count, **more).bundle.id, actor=self.li)

    def to_approval(self, count: int = 3, **more: Any) -> Bundle:
        bundle = self.to_review(count, **more)
        return self.bundles.review(bundle.id, proof=self.agreement(bundle, self.wang), actor=self.wang)

    def agreed(self, count: int = 3, **more: Any) -> Bundle:
        bundle = self.to_approval(count, **more)
        return self.bundles.approve(bundle.id, proof=self.agreement(bundle, self.zhao), actor=self.zhao)


def rows_of(count: int, *, start: int = 1) -> list[dict[str, str]]:
    """Applications for food licences, with a case number each, as somebody types them."""
    found = []
    for index in range(start, start + count):
        claims = samples.application(FOOD, index)
        typed = {name: "；".join(one) if isinstance(one, list) else str(one) for name, one in claims.items()}
        found.append({"case": f"办-{index}", **typed})
    return found


def as_csv(rows: Sequence[dict[str, str]]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(dict.fromkeys(name for row in rows for name in row)), restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def as_workbook(rows: Sequence[dict[str, Any]], *, sheets: int = 1) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    names = list(dict.fromkeys(name for row in rows for name in row))
    for number in range(sheets):
        sheet = book.create_sheet(f"表{number}")
        sheet.append(names)
        for row in rows:
            sheet.append([row.get(name) for name in names])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def as_lines(count: int, **changes: Any) -> bytes:
    lines = [
        dump_json(
            {"case": f"办-{index}", "type": FOOD, "claims": samples.application(FOOD, index), **changes}
        )
        for index in range(1, count + 1)
    ]
    return b"\n".join(lines) + b"\n"


def bomb() -> bytes:
    """A small workbook that unpacks to twenty megabytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b" " * (20 << 20))
    return out.getvalue()
