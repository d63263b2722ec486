"""One file, variables above it, and a clear word for every mistake."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yinxin.base.errors import UsageError
from yinxin.base.settings import Settings, describe


def file(folder: Path, text: str) -> Path:
    path = folder / "yinxin.toml"
    path.write_text(text, "utf-8")
    return path


def test_nothing_is_required() -> None:
    assert Settings.load() == Settings()
    assert (
        Settings.load(None, {"PATH": "/bin", "YINXIN_PASSPHRASE": "x", "YINXIN_VECTORS": "y"}) == Settings()
    )


def test_a_variable_stands_above_the_file(tmp_path: Path) -> None:
    path = file(
        tmp_path, 'outbound_max_bytes = 9000\nhost = "::1"\noutbound_allowed_private = ["10.0.0.0/8"]\n'
    )
    assert Settings.load(path).outbound_max_bytes == 9000
    assert Settings.load(path).outbound_allowed_private == ("10.0.0.0/8",)
    found = Settings.load(
        path, {"YINXIN_OUTBOUND_MAX_BYTES": "9001", "YINXIN_OUTBOUND_ALLOWED_PRIVATE": "a, b"}
    )
    assert (found.outbound_max_bytes, found.host, found.outbound_allowed_private) == (9001, "::1", ("a", "b"))


def test_variables_become_what_the_setting_is() -> None:
    found = Settings.load(
        None,
        {
            "YINXIN_OUTBOUND_HTTPS_ONLY": "Yes",
            "YINXIN_AUDIT_INTERVAL_SECONDS": "0.5",
            "YINXIN_POLICY_FILE": "a/b.toml",
            "YINXIN_TIMESTAMP_URL": "http://tsa.example/",
        },
    )
    assert (found.outbound_https_only, found.audit_interval_seconds) == (True, 0.5)
    assert (found.policy_file, found.timestamp_url) == (Path("a/b.toml"), "http://tsa.example/")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hots = 1", "the nearest is host"),
        ("database-url = 'x'", "the nearest is database_url"),
        ("outbound_max_bytes = '80'", "must be an integer"),
        ("outbound_max_bytes = true", "must be an integer"),
        ("outbound_max_bytes = -1", "at least 1024"),
        ("anonymous_requests_per_minute = 0", "at least 1"),
        ("audit_interval_seconds = nan", "must be a number"),
        ("outbound_https_only = 1", "must be true or false"),
        ("outbound_allowed_private = 'x'", "a list of texts"),
        ("outbound_allowed_private = [1]", "a list of texts"),
        ("trust_directory = ''", "must be a path"),
        ("host = 1", "must be a text"),
        ("[outbound]\ntimeout = 1", "no such setting"),
        ("not toml", "is not TOML"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        Settings.load(file(tmp_path, text))
    assert "yinxin.toml" in str(caught.value)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("YINXIN_HOTS", "1"),
        ("YINXIN_OUTBOUND_MAX_BYTES", "eighty"),
        ("YINXIN_OUTBOUND_MAX_BYTES", ""),
        ("YINXIN_OUTBOUND_TIMEOUT_SECONDS", "inf"),
        ("YINXIN_OUTBOUND_HTTPS_ONLY", "perhaps"),
    ],
)
def test_a_mistake_in_a_variable_is_named(variable: str, value: str) -> None:
    with pytest.raises(UsageError, match=variable):
        Settings.load(None, {variable: value})


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.toml"):
        Settings.load(tmp_path / "none.toml")


@given(st.text("abcdefghijklmnopqrstuvwxyz_0123456789", min_size=1), st.text())
def test_any_variable_is_a_setting_or_a_clear_error(name: str, value: str) -> None:
    for candidate in (
        name,
        "refresh_seconds",
        "policy_file",
        "outbound_allowed_private",
        "outbound_max_bytes",
    ):
        try:
            Settings.load(None, {"YINXIN_" + candidate.upper(): value})
        except UsageError:
            continue


def test_every_setting_is_described_in_both_languages() -> None:
    rows = describe()
    assert [row.name for row in rows] == list(Settings.__dataclass_fields__)
    assert all(row.help.zh and row.help.en for row in rows)
    assert rows[0].variable == "YINXIN_DATABASE_URL"
    assert {row.name: row.default for row in rows}["outbound_https_only"] == "false"


def test_an_address_that_may_hold_a_password_is_not_shown() -> None:
    assert "hunter2" not in repr(Settings(database_url="postgresql://user:hunter2@host/name"))
