"""An older register: its export, its mapping, and the office that takes it over."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from credentials import samples
from credentials.changes import Changes
from credentials.legacy.importing import LegacyImport
from credentials.legacy.mapping_files import read_mapping
from credentials.legacy.registers import Registers, agreement_digest
from credentials.legacy.repository import LegacyRepository
from credentials.office import KeyProofs
from credentials.repository import LicenceRepository
from world.desks import DeskWorld

if TYPE_CHECKING:
    from collections.abc import Iterable

    from credentials.legacy.mapping import LegacyMapping
    from credentials.legacy.results import RowResult, Summary
    from credentials.licence import Licence

MAPPING = """
register = "food-2012"
source = "津城区食品经营许可旧系统（2012—2020）"
type = "food-business-licence"
on_change = "version"

[licence]
number = "许可证编号"
issued_on = "发证日期"
valid_until = "有效期至"
changed_at = "更新时间"

[licence.state]
column = "状态"
values = { "有效" = "in_force", "注销" = "deregistered" }
since = "状态日期"

[fields]
operator_name = "经营者名称"
credit_code = "统一社会信用代码"
responsible_person = "法定代表人"
domicile = "住所"
business_premises = "经营场所"
main_format = { column = "主体业态", values = { "餐饮" = "catering", "销售" = "sales", "食堂" = "canteen" } }
business_items = { column = "经营项目", separator = "、" }
complaint_line = { constant = "12315" }
"""
PROVINCE = """
register = "drug-province"
source = "省药监局药品生产许可数据（共享）"
type = "drug-production-licence"

[licence]
number = "编号"
issued_on = "发证日期"
valid_until = "有效期至"

[foreign]
issuer = { zh = "海河省药品监督管理局", en = "Haihe Province Medical Products Administration" }
issuer_code = "11120000000025153A"
type_name = { zh = "药品生产许可证", en = "Drug Production Licence" }
verify_at = "https://mpa.haihe.example/verify"
holder_code = "统一社会信用代码"
"""


def old_row(index: int, **changes: str) -> dict[str, str]:
    """A row as the old system exports it, in good order."""
    company = samples.company(index)
    issued = date(2019, 1, 7) + timedelta(days=index % 600)
    row = {
        "许可证编号": f"JY1120199{index:07}（旧）",
        "发证日期": issued.isoformat(),
        "有效期至": (issued + timedelta(days=3650)).isoformat(),
        "更新时间": f"2026-10-01 08:{index % 60:02}:00",
        "状态": "有效",
        "状态日期": "",
        "经营者名称": f"{company['name']}第{index}分店",
        "统一社会信用代码": company["credit_code"],
        "法定代表人": company["legal_representative"],
        "住所": company["address"],
        "经营场所": company["address"],
        "主体业态": ("餐饮", "销售", "食堂")[index % 3],
        "经营项目": "热食类食品制售、冷食类食品制售",
        "备注": "",
    }
    return {**row, **changes}


def csv_bytes(rows: Iterable[dict[str, str]], *, encoding: str = "utf-8") -> bytes:
    """An export."""
    out, writer = io.StringIO(), None
    for row in rows:
        if writer is None:
            writer = csv.DictWriter(out, list(row))
            writer.writeheader()
        writer.writerow(row)
    return out.getvalue().encode(encoding)


class LegacyWorld(DeskWorld):
    """The office of `world.desks`, which follows older registers."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.documents = options.get("documents")
        proofs = KeyProofs(self.keys_of)
        own = self.agency.credit_code
        self.registers = Registers(agency=own, database=self.database, proofs=proofs, clock=self.clock)
        self.imports = LegacyImport(
            self.agency,
            self.catalogue,
            self.database,
            self.index,
            self.registers,
            Changes(self.status, self.clock),
            self.clock,
            holders=options.get("holders"),
        )

    def unsealed(self, *, limit: int = 1000) -> list[str]:
        with self.database.reading() as session:
            repository = LegacyRepository(session, agency=self.agency.credit_code)
            return repository.unsealed("food-2012", limit=limit)

    def mapping(self, text: str = MAPPING, **changes: str) -> LegacyMapping:
        for old, new in changes.items():
            text = text.replace(old, new)
        return read_mapping(text.encode(), "m.toml", self.catalogue, agency=self.agency.credit_code)

    def agreed(self, text: str = MAPPING) -> LegacyMapping:
        """A mapping that Li proposed and Zhao agreed to."""
        mapping = self.mapping(text)
        register = self.registers.propose(mapping, actor=self.li)
        if register.consent is None:
            proof = KeyProofs.make(agreement_digest(register), self.zhao, self.keys[self.zhao.identifier])
            self.registers.agree(register.register, proof=proof, actor=self.zhao)
        return mapping

    def check(self, rows: Iterable[dict[str, str]], mapping: LegacyMapping | None = None) -> list[RowResult]:
        results: list[RowResult] = []
        file = io.BytesIO(csv_bytes(rows))
        self.imports.check(file, mapping or self.mapping(), actor=self.li, each=results.append)
        return results

    def take(
        self, rows: Iterable[dict[str, str]], mapping: LegacyMapping | None = None, **options: Any
    ) -> tuple[Summary, list[RowResult]]:
        results: list[RowResult] = []
        file = io.BytesIO(csv_bytes(rows))
        summary = self.imports.run(
            file, mapping or self.agreed(), actor=self.li, each=results.append, **options
        )
        return summary, results

    def by_number(self, number: str) -> Licence | None:
        with self.database.reading() as session:
            return LicenceRepository(session, index=self.index).by_number(number)

    def count(self) -> int:
        with self.database.reading() as session:
            return LicenceRepository(session).count()
