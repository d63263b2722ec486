"""The public face of `signing`: what it names is there, and it stays light."""

from __future__ import annotations

import subprocess
import sys

import signing

HEAVY = {"pyhanko", "sqlmodel", "sqlalchemy", "fastapi", "asn1crypto", "jose", "typst"}


def test_everything_named_is_there_and_sorted() -> None:
    assert signing.__all__ == sorted(signing.__all__, key=lambda name: (name[0].islower(), name))
    assert all(hasattr(signing, name) for name in signing.__all__)
    public = {
        name
        for name, value in vars(signing).items()
        if getattr(value, "__module__", "").startswith("signing")
    }
    assert {name for name in public if not name.startswith("_")} == set(signing.__all__)


def test_import_signing_is_light() -> None:
    program = f"import signing, sys; print(sorted({HEAVY!r} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
