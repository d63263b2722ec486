"""Profiles are rows that an office edits; a row that makes no sense is refused when it is read."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

import pytest

from ca.profiles import Profiles
from signing.usages import USAGES
from yinxin.base.errors import MalformedInput, UnknownProfile, YinxinError

if TYPE_CHECKING:
    from pathlib import Path

TEXT = resources.files("ca").joinpath("profiles.toml").read_text(encoding="utf-8")


def test_every_use_of_a_key_has_a_profile() -> None:
    profiles = Profiles.load()
    found = {row.usage.name for row in profiles.rows.values() if row.usage}
    assert found == {usage.name for usage in USAGES}
    assert set(profiles.rows) == {
        "root", "issuing", "organisation-seal", "personal-signature", "credential", "mdoc", "status",
        "receipt", "request", "metadata", "timestamp", "ocsp", "department-client",
    }  # fmt: skip


def test_an_unknown_profile_says_which_there_are() -> None:
    with pytest.raises(UnknownProfile, match="organisation-seal"):
        Profiles.load()["sealing"]


@pytest.mark.parametrize(
    ("change", "into"),
    [
        ('usage = "seal"', 'usage = "sealing"'),
        ('usage = "seal"', ""),
        ("valid_days = 1095", "valid_days = 0"),
        ("valid_days = 1095", "valid_days = true"),
        ('keys = ["P-256", "P-384", "RSA", "SM2"]', 'keys = ["P-521"]'),
        ('keys = ["P-256", "P-384", "RSA", "SM2"]', 'keys = "RSA"'),
        ("proofed = true", "proved = true"),
        ("approved = true\nproofed", "proofed"),
        ("path_length = 1", "path_length = -1"),
        ("identity = true", 'identity = "yes"'),
        ("1.2.156.10260.4.1.4", "1.2.a"),
        ("[profiles.root]", "[profiles.ROOT!]"),
        ("[identity]", "[identities]"),
        ('zh = "根证书", ', ""),
    ],
)
def test_a_wrong_row_is_refused(change: str, into: str) -> None:
    assert change in TEXT
    with pytest.raises(YinxinError):
        Profiles.from_toml(TEXT.replace(change, into, 1).encode())


def test_an_office_brings_its_own_file(tmp_path: Path) -> None:
    place = tmp_path / "profiles.toml"
    place.write_text(TEXT.replace("valid_days = 1095", "valid_days = 365"), encoding="utf-8")
    assert Profiles.load(place)["organisation-seal"].valid_for.days == 365
    with pytest.raises(MalformedInput, match="cannot read"):
        Profiles.load(tmp_path / "absent.toml")
