"""The OpenSSL command line as a peer."""

from __future__ import annotations

import shutil
import subprocess
from functools import lru_cache
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


def openssl(*arguments: str | Path, cwd: Path | None = None, check: bool = True) -> str:
    """Run `openssl` and return what it wrote; skips where there is none."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("no openssl command: apt-get install openssl")
    run = subprocess.run(
        [program, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, timeout=60, check=False
    )
    if check and run.returncode:
        pytest.fail(f"openssl {arguments[0]}: {run.stdout}{run.stderr}")
    return run.stdout + run.stderr


@lru_cache(maxsize=1)
def has_sm2() -> bool:
    """Whether this OpenSSL was built with SM2."""
    return "SM2" in openssl("ecparam", "-list_curves", check=False)


def need_sm2() -> None:
    """Skip where OpenSSL has no SM2 (Fedora and Alpine build without)."""
    if not has_sm2():
        pytest.skip("this openssl was built without SM2: use Debian's, apt-get install openssl")
