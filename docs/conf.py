"""Sphinx: Markdown (MyST) in, HTML out. `python3 run.py docs` generates the reference and builds."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

project = "yinxin 印信"
author = "yinxin contributors"
release = version = PROJECT["version"]

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
root_doc = "index"
exclude_patterns = ["_build", "explanation/decisions/template.md"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
nitpicky = True
# Examples may leave something out with "…", which is no Python.
suppress_warnings = ["misc.highlighting_failure"]

html_theme = "furo"
html_title = f"yinxin 印信 {release}"
html_show_sphinx = False
html_show_copyright = False  # LICENSE says it
templates_path: list[str] = []

sys.dont_write_bytecode = True
