"""A register from before personal data was sealed: readable after the migration, sealed when a key comes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from alembic import command
from sqlalchemy import text

from credentials import records
from credentials.office import records as office_records
from credentials.oid4vci import records as oid4vci_records
from yinxin.base import schema
from yinxin.base.database import Database
from yinxin.base.errors import SignerUnavailable
from yinxin.base.sealed import reseal
from yinxin.base.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Iterator

assert records
assert office_records
assert oid4vci_records
CLAIMS = {"name": "李明华", "items": ["热食类", "O'Neil", '"quoted"', "\\back"]}


@pytest.fixture
def old(database_url: str) -> Iterator[Database]:
    found = Database(database_url)
    with found.connection() as connection:
        schema.upgrade(connection, to="0016")
    yield found
    found.close()


def insert_old(database: Database) -> None:
    """A licence, a case and a grant as the version before wrote them."""
    licence = {
        "identifier": "1.2.156.3005.2.A.B.C.001.O",
        "lineage": "A.B.C",
        "version": 1,
        "number": "津〔2026〕1号",
        "type_code": "t",
        "type_name_zh": "证",
        "type_name_en": "t",
        "agency_zh": "局",
        "agency_en": "a",
        "agency_code": "x",
        "holder_name": "李明华",
        "holder_code": "12019919630406003X",
        "claims": json.dumps(CLAIMS, ensure_ascii=False),
        "issued_at": "2026-11-20 04:00:00",
        "recorded_at": "2026-11-20 04:00:00",
        "valid_from": "2026-11-20",
    }
    names = ", ".join(licence)
    values = ", ".join(f":{name}" for name in licence)
    with database.connection() as connection:
        connection.execute(
            text(f"INSERT INTO licence (is_current, {names}) VALUES (true, {values})"),  # noqa: S608 - names of ours
            licence,
        )
        connection.execute(
            text(
                "INSERT INTO oid4vci_login (digest, holder, method, evidence, expires_at) "
                "VALUES (:digest, :holder, 'counter', 'e', '2026-11-20 04:00:00')"
            ),
            {"digest": b"d" * 32, "holder": "12019919630406003X"},
        )


def read(database: Database) -> tuple[str, str, object, str]:
    with database.reading() as session:
        licence = session.get_one(records.LicenceRecord, "1.2.156.3005.2.A.B.C.001.O")
        login = session.get_one(oid4vci_records.LoginRecord, b"d" * 32)
        return licence.holder_name, licence.holder_code, licence.claims, login.holder


def test_rows_from_before_stay_and_are_sealed_when_a_key_comes(old: Database, database_url: str) -> None:
    insert_old(old)
    old.migrate()
    expected = ("李明华", "12019919630406003X", CLAIMS, "12019919630406003X")
    assert read(old) == expected
    with_key = Database(database_url, vault=Vault.of(b"k" * 32))
    assert read(with_key) == expected
    with with_key.transaction() as session:
        assert reseal(session) == 2
    with with_key.transaction() as session:
        assert reseal(session) == 0
    assert read(with_key) == expected
    with_key.close()
    with pytest.raises(SignerUnavailable):
        read(old)


def test_the_way_back_holds_while_nothing_is_sealed(old: Database) -> None:
    insert_old(old)
    old.migrate()
    with old.connection() as connection:
        command.downgrade(schema._config(connection), "0016")
        kept = connection.execute(text("SELECT holder_name, claims FROM licence")).one()
    claims = kept.claims if isinstance(kept.claims, dict) else json.loads(kept.claims)
    assert (kept.holder_name, claims) == ("李明华", CLAIMS)
