"""What every file of ours obeys and import-linter cannot say (docs/explanation/architecture.md)."""

from __future__ import annotations

import ast
import importlib
import json
import pkgutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from yinxin.base.errors import YinxinError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

ROOT = Path(__file__).parents[2]
PACKAGES = ("ca", "credentials", "signing", "verify_api", "wallet", "yinxin")
FILES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
LINES = 500

# What may be named only below the paths listed with it. A call is named by its dotted text. The composition
# draws passphrases and waits for servers; rooms get both by the door.
ONLY_IN: dict[str, tuple[str, ...]] = {
    # Time and randomness come in by the door.
    "datetime.now": ("yinxin/base/clock.py",),
    "datetime.utcnow": (),
    "datetime.today": (),
    "date.today": (),
    "time.time": (),
    "time.sleep": ("yinxin/app/serve.py", "yinxin/base/clock.py"),
    "os.urandom": (),
    "uuid.uuid1": (),
    "uuid.uuid4": (),
    "secrets.token_bytes": ("yinxin/base/randomness.py", "yinxin/app/"),
    "secrets.token_hex": (),
    "secrets.token_urlsafe": ("yinxin/app/",),
    "secrets.randbits": (),
    "secrets.choice": (),
    # The one way out.
    "urllib.request": (),
    "http.client": (),
    "socket.create_connection": (),
    # Code that hostile bytes could reach.
    "pickle": (),
    "marshal": (),
    "eval": (),
    "exec": (),
    "random": (),
    "xml.etree": (),
}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def names_used(path: Path) -> Iterator[str]:
    """Every module imported and every dotted name called in a file."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            yield ast.unparse(node.func)


def modules() -> Iterator[ModuleType]:
    for package in PACKAGES:
        found = importlib.import_module(package)
        yield found
        for module in pkgutil.walk_packages(found.__path__, f"{package}."):
            if ".migrations" not in module.name and not module.name.endswith("__main__"):
                yield importlib.import_module(module.name)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_file_is_a_page_you_can_hold_in_your_head(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    length = len(text.splitlines())
    assert length <= LINES
    assert not text or ast.get_docstring(ast.parse(text)), "a module opens with what it does"


def test_time_randomness_and_connections_come_in_by_the_door() -> None:
    wrong = [
        f"{name_of(path)}: {used}"
        for path in FILES
        for used in names_used(path)
        for banned, allowed in ONLY_IN.items()
        if (used == banned or used.startswith(f"{banned}.")) and not name_of(path).startswith(allowed)
    ]
    assert not wrong, "\n".join(wrong)


def test_only_the_command_line_prints() -> None:
    wrong = [
        name_of(path) for path in FILES if "print" in names_used(path) and "yinxin/app/" not in name_of(path)
    ]
    assert not wrong, "\n".join(wrong)


def test_what_a_module_exports_is_there() -> None:
    """Ruff keeps `__all__` sorted (RUF022); that it is true shows at import only."""
    wrong = {
        module.__name__: absent
        for module in modules()
        if (absent := [name for name in getattr(module, "__all__", ()) if not hasattr(module, name)])
    }
    assert wrong == {}


def test_every_error_has_its_own_code_and_a_title_in_both_languages() -> None:
    assert list(modules())
    errors = _subclasses(YinxinError)
    codes = [error.__dict__.get("code") for error in errors]
    assert None not in codes, [error.__name__ for error in errors if "code" not in error.__dict__]
    assert len(set(codes)) == len(codes)
    assert [error.__name__ for error in errors if "title" not in error.__dict__] == []


def test_importing_the_library_stays_light() -> None:
    """pyHanko, SQLModel, FastAPI and jose cost a second each; whoever needs one imports it."""
    heavy = ["pyhanko", "sqlmodel", "sqlalchemy", "fastapi", "pydantic", "typst", "urllib3", "click", "rich"]
    heavy += ["jinja2", "webauthn"]
    program = f"""
import sys, json
import signing, ca, credentials, wallet, yinxin
print(json.dumps([name for name in {heavy!r} if name in sys.modules]))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert json.loads(done.stdout) == []


def test_ignored_lints_carry_their_reason() -> None:
    bare = [
        f"{name_of(path)}:{number}"
        for path in [*FILES, *(ROOT / "tests").rglob("*.py")]
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if "# noqa" in line and " - " not in line.partition("# noqa")[2]
    ]
    assert not bare, "\n".join(bare)


def _subclasses(error: type[YinxinError]) -> set[type[YinxinError]]:
    below = {child for child in error.__subclasses__() if child.__module__.split(".", 1)[0] in PACKAGES}
    return {*below, *(deeper for child in below for deeper in _subclasses(child))}
