"""Fill a licence register with any number of licences: versions, events, copies and status entries.

Rows are written by the databases' own bulk ways (COPY, executemany), as the repository would write them
one by one. Four in a hundred licences have a second version, five a suspension, three an ending; a holder
has three licences, a few companies have hundreds.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from credentials import samples
from credentials.blind_index import BlindIndex
from credentials.licence import EndingKind, EventKind
from yinxin.base.identifiers import LicenceIdentifier
from yinxin.base.vault import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from yinxin.base.database import Database

INDEX = BlindIndex(b"figures of the licence register!")
TYPE, TYPE_NUMBER = "food-business-licence", "11100000900001017N002"
LIST_SIZE, LIST_USED = 1 << 17, 1 << 16
FIRST = datetime(2020, 1, 1, tzinfo=UTC)
Row = tuple[Any, ...]

COLUMNS = {
    "licence": "identifier lineage version is_current number type_code type_name_zh type_name_en agency_zh"
    " agency_en agency_code holder_name holder_code holder_index claims issued_at recorded_at valid_from"
    " valid_until replaces replaced_by pdf_sha256",
    "licence_event": "id licence sequence kind is_ending effective_from recorded_at ground document_number"
    " actor replaced_by",
    "status_list": "uri bits size used changes created_at",
    "status_entry": "uri position value changed_at",
    "licence_copy": "status_uri status_index licence holder_key digest made_at",
}


def fill(database: Database, count: int) -> None:
    """Write `count` licences into empty tables."""
    lists = -(-count // LIST_USED)
    tables: dict[str, Iterator[Row]] = {
        "licence": _versions(count),
        "licence_event": _events(count),
        "status_list": ((uri(n), 2, LIST_SIZE, LIST_USED, 0, FIRST) for n in range(lists)),
        "status_entry": ((*place(n), 0, at(n)) for n in range(count)),
        "licence_copy": (
            (*place(n), current(n), digest("key", n), digest("copy", n), at(n)) for n in range(count)
        ),
    }
    write = _write_sqlite if database.is_sqlite else _write_postgresql
    write(database, tables)


def number(n: int) -> str:
    """The number on paper of the licence `n`."""
    return f"JY2{n:012d}"


def holder(n: int) -> str:
    """The code of its holder; a hundredth of the licences belongs to five thousand chains."""
    return f"91120199CHAIN{n // 100 % 5000:05d}" if n % 100 == 0 else f"120101{n // 3:012d}"


def serial(n: int) -> str:
    """Random-looking, as issuing makes them."""
    return sha256(f"serial {n}".encode()).hexdigest()[:20].upper()


@cache
def identifier(n: int, version: int = 1) -> str:
    """The 36904 identifier of a version."""
    made = LicenceIdentifier.make(TYPE_NUMBER, samples.AGENCY.credit_code, serial(n), f"{version:03}")
    return str(made)


def has_second(n: int) -> bool:
    """Whether the licence was replaced once."""
    return n % 25 == 7


def current(n: int) -> str:
    """The identifier of its current version."""
    return identifier(n, 2 if has_second(n) else 1)


def at(n: int) -> datetime:
    """When it was issued."""
    return FIRST + timedelta(seconds=n * 97 % 200_000_000)


def digest(what: str, n: int) -> str:
    """A SHA-256 of something."""
    return sha256(f"{what} {n}".encode()).hexdigest()


def uri(n: int) -> str:
    """The address of a status list."""
    return f"https://licences.jincheng.example/status/list-{n:04d}"


def place(n: int) -> tuple[str, int]:
    """The status entry of its copy: scattered over its list."""
    return uri(n // LIST_USED), n % LIST_USED * 40_503 % LIST_SIZE


def _versions(count: int) -> Iterator[Row]:
    # All first versions before the second ones, which name them.
    yield from (_version(n, 1, 2 if has_second(n) else 1) for n in range(count))
    yield from (_version(n, 2, 2) for n in range(count) if has_second(n))


def _version(n: int, version: int, latest: int) -> Row:
    agency, code, who = samples.AGENCY, holder(n), f"津城第{n // 3}号食品店"
    moment = at(n) + timedelta(days=version - 1)
    first = moment.date()
    return (
        identifier(n, version),
        f"{TYPE_NUMBER}.{agency.credit_code}.{serial(n)}",
        version,
        version == latest,
        number(n),
        TYPE,
        "食品经营许可证",
        "Food Business Licence",
        agency.name.zh,
        agency.name.en,
        agency.credit_code,
        plain(who.encode()),
        plain(code.encode()),
        INDEX.of("holder", code),
        _claims(n, who, code),
        moment,
        moment,
        first,
        first.replace(year=first.year + 5, day=min(first.day, 28)),
        identifier(n, version - 1) if version > 1 else None,
        identifier(n, version + 1) if version < latest else None,
        digest(f"pdf {version}", n),
    )


def _claims(n: int, who: str, code: str) -> bytes:
    claims = {
        "operator_name": who,
        "credit_code": code,
        "responsible_person": f"王{n % 977}",
        "domicile": f"津城市和平路 {n % 1999} 号",
        "business_premises": f"津城市和平路 {n % 1999} 号一层",
        "main_format": "catering",
        "business_items": ["糕点类食品制售", "自制饮品制售"],
    }
    return plain(json.dumps(claims).encode())


def _events(count: int) -> Iterator[Row]:
    made = 0
    for n in range(count):
        day = at(n) + timedelta(days=2)
        happened: list[tuple[str, str, str | None]] = []
        if has_second(n):
            happened.append((identifier(n), str(EndingKind.SUPERSEDED), current(n)))
        elif n % 20 == 3:
            happened.append((identifier(n), str(EventKind.SUSPENDED), None))
        elif n % 33 == 5:
            happened.append((identifier(n), str(EndingKind.REVOKED), None))
        for name, kind, successor in happened:
            made += 1
            ending = kind != EventKind.SUSPENDED
            yield (
                made,
                name,
                1,
                kind,
                ending,
                day,
                day,
                "法律依据",
                f"津审〔2026〕{n}号",
                "staff:clerk-17",
                successor,
            )


def _write_sqlite(database: Database, tables: Mapping[str, Iterator[Row]]) -> None:
    with database.engine.connect() as opened:
        connection: Any = opened.connection.dbapi_connection
        for setting in (
            "query_only = OFF",
            "synchronous = OFF",
            "foreign_keys = OFF",
            "cache_size = -400000",
        ):
            connection.execute(f"PRAGMA {setting}")
        connection.execute("BEGIN")
        for table, rows in tables.items():
            columns = COLUMNS[table].split()
            marks = ", ".join("?" * len(columns))
            statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - our names
            connection.executemany(statement, (tuple(map(_plain, row)) for row in rows))
        connection.execute("COMMIT")
        connection.execute("ANALYZE")
        opened.invalidate()


def _plain(value: Any) -> Any:
    """As SQLAlchemy writes it into SQLite."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(" ", "microseconds")
    return value.isoformat() if isinstance(value, date) else value


def _write_postgresql(database: Database, tables: Mapping[str, Iterator[Row]]) -> None:
    with database.engine.connect() as opened:
        connection: Any = opened.connection.dbapi_connection
        for table, rows in tables.items():
            names = ", ".join(COLUMNS[table].split())
            with connection.cursor().copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE")
        opened.invalidate()
