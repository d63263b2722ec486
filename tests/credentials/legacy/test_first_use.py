"""A licence from an older register gets one document, when it is first asked for, with the truth on it."""

from __future__ import annotations

import io
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pikepdf
import pypdfium2
import pytest
from sqlalchemy import update
from world.legacy import LegacyWorld, old_row

from credentials.copies import CopyMaker
from credentials.documents import DocumentStore
from credentials.licence import EndingKind
from credentials.reading import OfficeReading
from credentials.records import LicenceRecord
from signing.base64url import decode_base64url
from signing.signers.file import FileSigner
from yinxin.base.errors import Conflict, NotFound
from yinxin.base.randomness import SystemRandomness

if TYPE_CHECKING:
    from pathlib import Path

    from credentials.licence import Licence


def taken(office: LegacyWorld, index: int = 1, **changes: str) -> Licence:
    office.take([old_row(index, **changes)])
    licence = office.by_number(old_row(index)["许可证编号"])
    assert licence is not None
    return licence


def kept(tmp_path: Path) -> int:
    return sum(path.is_file() for path in (tmp_path / "documents").rglob("*"))


def test_the_first_request_seals_and_the_page_tells_the_truth(office: LegacyWorld) -> None:
    licence = taken(office)
    pdf = office.issuer.document(licence.identifier)
    assert office.issuer.document(licence.identifier) == pdf
    document = pypdfium2.PdfDocument(pdf)
    text = document[0].get_textpage().get_text_bounded()
    plain = text.replace("\r", "").replace("\n", "").replace(" ", "")
    assert "依据纸质档案录入，未经复核" in plain
    assert "2019年1月8日" in plain  # the paper's own day
    assert "2026年" not in plain
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        inside = json.loads(opened.attachments["licence.json"].get_file().read_bytes())
    assert inside["certificate_issuing_authority_date"] == "2019-01-08"
    assert inside["provenance"]["examined"] is False
    now = office.by_number(licence.number)
    assert now is not None
    assert now.issued_at == office.now
    assert now.pdf_sha256 is not None
    assert (now.recorded_at, now.starts_at) == (licence.recorded_at, licence.starts_at)


def test_two_first_uses_make_one_document(everywhere: LegacyWorld, tmp_path: Path) -> None:
    office = everywhere
    licence = taken(office)
    other = LegacyWorld(
        office.pki, office.database, documents=DocumentStore(tmp_path / "documents", b"k" * 32)
    )
    both = threading.Barrier(2)
    sealed: list[str | None] = []

    def first_use(place: LegacyWorld) -> None:
        press = place.issuer._production.press

        def together(*arguments: object) -> object:
            made = press(*arguments)  # type: ignore[arg-type]
            both.wait(10)  # both have sealed, neither has recorded
            return made

        object.__setattr__(place.issuer._production, "press", together)
        sealed.append(place.issuer.first_use.seal(licence.identifier, actor=place.li).pdf_sha256)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(first_use, [office, other]))
    now = office.by_number(licence.number)
    assert now is not None
    assert sealed == [now.pdf_sha256] * 2
    assert kept(tmp_path) == 1


def test_a_wallet_that_asks_first_waits_for_the_office(everywhere: LegacyWorld) -> None:
    office = everywhere
    licence = taken(office)
    maker = CopyMaker(
        "https://licences.jincheng.example",
        office.catalogue,
        office.database,
        office.pki.signer("credential"),
        office.status,
        office.clock,
        SystemRandomness(),
        office.agency.credit_code,
        office.index,
    )
    key = FileSigner.generate().public_key
    with pytest.raises(Conflict, match="being made"):
        maker.make(licence.identifier, [key], actor=office.li)
    assert office.issuer.first_use.seal_wanted() == 1
    assert office.issuer.first_use.seal_wanted() == 0
    made, (copy,) = maker.make(licence.identifier, [key], actor=office.li)
    assert made.pdf_sha256
    claims = json.loads(decode_base64url(copy.split(".")[1]))
    assert claims["licence_provenance"] == "依据纸质档案录入，未经复核"
    assert claims["issued_on"] == "2019-01-08"


def test_who_reads_without_the_seal_asks_for_it(office: LegacyWorld) -> None:
    licence = taken(office)
    reading = OfficeReading(office.agency.credit_code, office.database, office.documents, office.clock)
    assert reading.licence(licence.number, actor=office.li) == licence
    assert office.issuer.first_use.seal_wanted() == 0
    with pytest.raises(NotFound, match="being made"):
        reading.document(licence.identifier, actor=office.li)
    assert office.issuer.first_use.seal_wanted() == 1
    assert reading.document(licence.identifier, actor=office.li).startswith(b"%PDF")


def test_what_holds_no_longer_is_not_sealed(office: LegacyWorld) -> None:
    ended = taken(office, 1, 状态="注销", 状态日期="2021-05-06")
    expired = taken(office, 2, 发证日期="2012-01-01", 有效期至="2017-01-01")
    erased, changed = taken(office, 3), taken(office, 4)
    with office.database.transaction() as session:
        mine = LicenceRecord.__table__.c.identifier == erased.identifier  # type: ignore[attr-defined]
        session.execute(update(LicenceRecord).where(mine).values(erased_at=office.now))
    office.take([old_row(4, 住所="别处")])
    for licence in (ended, expired, erased, changed):
        with pytest.raises(Conflict):
            office.issuer.document(licence.identifier)
    with pytest.raises(NotFound):
        office.issuer.document(ended.identifier[:-1])


def test_sealing_all_of_a_register_tells_which_cannot_be(office: LegacyWorld, tmp_path: Path) -> None:
    office.take([old_row(1), old_row(2), old_row(3, 状态="注销", 状态日期="2021-05-06")])
    done, refused = office.issuer.first_use.seal_all(office.unsealed(), actor=office.li, workers=2)
    assert (done, len(refused), kept(tmp_path)) == (2, 1, 2)
    assert len(office.unsealed()) == 1


def test_an_ending_between_asking_and_sealing_stands(office: LegacyWorld) -> None:
    licence = taken(office)
    office.issuer.end(
        licence.identifier, EndingKind.REVOKED, ground="g", document_number="1", actor=office.li
    )
    with pytest.raises(Conflict):
        office.issuer.document(licence.identifier)
