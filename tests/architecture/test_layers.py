"""The arrows of docs/explanation/architecture.md hold, and a breach of each would be noticed."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFIGURATION = ROOT / "pyproject.toml"
CONTRACTS = tomllib.loads(CONFIGURATION.read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
HEIGHT = {"signing": 1, "ca": 2, "credentials": 2, "verify_api": 3, "wallet": 3}
HEIGHT_OF_OURS = {"base": 0, "web": 1.3, "access": 1.6, "app": 9}  # the rooms of the package yinxin
# One breach of each contract, in a tree that has nothing but these files.
BREACHES = {
    "Arrows point down, siblings never import each other": {"ca/issuance.py": "import credentials.catalogue"},
    "No circles between neighbours, at any depth": {
        "wallet/request.py": "import wallet.present",
        "wallet/present.py": "import wallet.request",
    },
    "FastAPI and its server only where HTTP is spoken": {"wallet/store.py": "from fastapi import Depends"},
    "HTTP stands on top of its room: only the composition imports it": {
        "ca/http.py": "",
        "ca/tsa.py": "import ca.http",
    },
    "SQLModel only in records, repositories and the base's own tables": {
        "credentials/issuer.py": "from sqlmodel import select"
    },
    "pyHanko only in signing.pdf": {"signing/timestamp.py": "from pyhanko.sign import signers"},
    "A JOSE library only in signing.jose": {"credentials/receipts.py": "from jose import jws"},
    "Encrypted tokens only in signing.jwe": {"credentials/responses.py": "from joserfc import jwe"},
    "Drivers of tokens only in signing.signers.pkcs11": {"ca/keys.py": "import pkcs11"},
    "XML signatures only in signing.trust_list.etsi": {"credentials/office/desk.py": "import signxml"},
    "Workbooks only in credentials.spreadsheets": {"credentials/office/desk.py": "import openpyxl"},
    "Zip files only where their bounds are kept": {"verify_api/documents.py": "import zipfile"},
    "Templates only in yinxin.web": {"wallet/show.py": "import jinja2"},
    "Passkeys only in yinxin.access": {"wallet/sign_in.py": "from webauthn import helpers"},
    "Outbound connections only in yinxin.base.outbound": {"verify_api/client.py": "import urllib3"},
    "A signer of object stores only in credentials.documents.s3": {"ca/shelf.py": "import botocore.auth"},
    "Verification is pure: signing reaches no database, no network, no web framework": {
        "signing/path.py": "import yinxin.base.outbound"
    },
    "The pure core of a room stands below its storage": {
        "credentials/sd_jwt.py": "import credentials.records",
        "credentials/records.py": "import sqlmodel",
    },
    "The command line parses words; rooms never do": {"ca/names.py": "import click"},
    "No second way out, and nothing that only tests install": {"wallet/keys.py": "import jwt"},
}


def lint(folder: Path, configuration: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("lint-imports")
    if not program.with_suffix(".exe").exists() and not program.exists():
        pytest.skip("lint-imports is missing: install the dependency group lint")
    command = [program, "--config", configuration, "--no-cache", "--no-logo"]
    return subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )


def test_every_arrow_of_the_architecture_holds() -> None:
    done = lint(ROOT, CONFIGURATION)
    assert done.returncode == 0, done.stdout


def test_every_contract_has_a_breach_that_shows_it() -> None:
    assert [contract["name"] for contract in CONTRACTS] == list(BREACHES)


def test_a_breach_of_each_contract_is_noticed(tmp_path: Path) -> None:
    for key in ("source_modules", "allowed_importers"):
        for module in {
            module for contract in CONTRACTS for module in contract.get(key, []) if "*" not in module
        }:
            _write(tmp_path, module.replace(".", "/") + "/__init__.py", "")
    protected = [module for contract in CONTRACTS for module in contract.get("protected_modules", [])]
    _write(
        tmp_path, "yinxin/app/cli.py", "\n".join(f"import {name}" for name in protected if "*" not in name)
    )
    for files in BREACHES.values():
        for name, line in files.items():
            _write(tmp_path, name.replace(".py", "/__init__.py"), line)
    done = lint(tmp_path, CONFIGURATION)
    verdicts = dict(
        line.rsplit(" ", 1) for line in done.stdout.splitlines() if line.endswith(("KEPT", "BROKEN"))
    )
    assert verdicts == dict.fromkeys(BREACHES, "BROKEN"), done.stdout + done.stderr


def test_names_that_only_annotate_obey_the_layers_too() -> None:
    """import-linter is told to skip `if TYPE_CHECKING:`, so that two modules may name each other's types."""
    wrong = []
    for path in _our_files():
        importer = path.relative_to(ROOT).parts
        for node in ast.walk(ast.parse(path.read_bytes())):
            wrong += [
                f"{path.relative_to(ROOT)}: {name}"
                for name in _imported(node)
                if _is_ours(name) and not _may_import(importer, name)
            ]
    assert wrong == []


def _may_import(importer: tuple[str, ...], imported: str) -> bool:
    package = imported.split(".", maxsplit=1)[0]
    found = tuple(imported.split("."))
    if importer[0] == package and _room(importer) == _room(found):
        return True
    return _height(importer) > _height(found)


def _height(parts: tuple[str, ...]) -> float:
    return HEIGHT_OF_OURS.get(_room(parts), 0) if parts[0] == "yinxin" else HEIGHT[parts[0]]


def _room(parts: tuple[str, ...]) -> str:
    """The second name where the package is made of rooms."""
    return parts[1].removesuffix(".py") if parts[0] == "yinxin" and len(parts) > 1 else ""


def _is_ours(name: str) -> bool:
    return name.split(".", maxsplit=1)[0] in {*HEIGHT, "yinxin"}


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [node.module]
    return []


def _our_files() -> list[Path]:
    return [path for package in (*HEIGHT, "yinxin") for path in sorted((ROOT / package).rglob("*.py"))]


def _write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n", encoding="utf-8")
    for parent in path.relative_to(folder).parents:
        if parent != Path():
            (folder / parent / "__init__.py").touch()
