"""`run.py`: what it asks of pip, uv and an old Python. `.ci/run` in a fresh clone makes whole set-ups."""

from __future__ import annotations

import ast
import importlib.util
import json
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType

SOURCE = Path(__file__).parents[2] / "run.py"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("run_under_test", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "STAMP", tmp_path / "stamp.json")
    monkeypatch.setattr(module, "PYTHON", Path(sys.executable))
    (tmp_path / "pyproject.toml").write_text("[project]\n", encoding="utf-8")
    return module


def test_an_old_python_can_read_the_file_far_enough_to_be_told() -> None:
    ast.parse(SOURCE.read_text(encoding="utf-8"), feature_version=(3, 7))


def test_uv_takes_packages_from_where_pip_would(run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    configured = {"index-url": "https://mirror.test/simple", "find-links": "/no/such/folder", "timeout": "9"}
    monkeypatch.setattr(run, "pip_configuration", lambda: configured)
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "https://a.test/simple\nhttps://b.test/simple")
    monkeypatch.setenv("PIP_INDEX_URL", "https://nearer.test/simple")
    settings = run.uv_settings()
    assert settings["UV_DEFAULT_INDEX"] == "https://nearer.test/simple"
    assert settings["UV_INDEX"] == "https://a.test/simple https://b.test/simple"
    assert settings["UV_INDEX_STRATEGY"] == "unsafe-best-match"
    assert "UV_FIND_LINKS" not in settings or "/no/such/folder" not in settings["UV_FIND_LINKS"]


def test_nothing_is_installed_twice(run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    run.STAMP.write_text(json.dumps({"of": run.state(), "parts": ["service", ":test"]}), encoding="utf-8")
    monkeypatch.setattr(run, "make_environment", lambda: pytest.fail("set up again"))
    run.prepare(("service",))


def test_a_changed_project_file_or_a_spoilt_stamp_installs_again(run: ModuleType) -> None:
    run.STAMP.write_text(json.dumps({"of": run.state(), "parts": ["service"]}), encoding="utf-8")
    (run.ROOT / "pyproject.toml").write_text("[project]\nname = 'x'\n", encoding="utf-8")
    assert run.read_stamp() == []
    run.STAMP.write_text("{", encoding="utf-8")
    assert run.read_stamp() == []


def test_tools_do_not_inherit_what_leads_a_python_astray(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("PIP_USER", "1")
    environment = run.environment(YINXIN_CAMPAIGN="full")
    assert not {"PYTHONPATH", "PIP_USER"} & set(environment)
    assert environment["YINXIN_CAMPAIGN"] == "full"


def test_every_part_that_a_task_needs_is_in_the_project_file(run: ModuleType) -> None:
    project = tomllib.loads((SOURCE.parent / "pyproject.toml").read_text(encoding="utf-8"))
    known = {
        *project["project"]["optional-dependencies"],
        *(f":{name}" for name in project["dependency-groups"]),
    }
    assert {part.rstrip("?") for task in run.TASKS.values() for part in task.parts} <= known
