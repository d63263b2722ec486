"""In which languages a browser's story is told: one of the two in every run, both in the campaign.

A story takes half a minute; that no text is missing in either language is tested for every page elsewhere.
"""

from __future__ import annotations

import os

import pytest


def told_in(language: str) -> pytest.MarkDecorator:
    both = os.environ.get("YINXIN_CAMPAIGN") == "full"
    return pytest.mark.parametrize("language", ["zh", "en"] if both else [language])
