"""`yinxin seal` knows its verbs by name, and brings only what the one asked for needs."""

from __future__ import annotations

import importlib
import subprocess
import sys

import click
import pytest

from yinxin.app.commands import seal
from yinxin.app.seal_batches import faces


@pytest.mark.parametrize("module", sorted(set(seal._VERBS.values())))
def test_every_verb_of_a_module_is_known(module: str) -> None:
    commands = importlib.import_module(f"yinxin.app.commands.{module}").COMMANDS
    assert {one.name for one in commands} == {verb for verb, place in seal._VERBS.items() if place == module}
    context = click.Context(seal.command)
    for one in commands:
        assert seal.command.get_command(context, one.name) is one


def test_a_first_word_that_is_no_verb_is_a_file() -> None:
    context = click.Context(seal.command)
    assert "pdf" in seal.command.list_commands(context)
    for words, first in ((["letter.pdf"], "pdf"), (["stamp", "letter.pdf"], "stamp")):
        with click.Context(seal.command) as made:
            seal.command.parse_args(made, list(words))
            assert made._protected_args[0] == first


def test_the_command_brings_neither_the_register_nor_the_library() -> None:
    said = (
        "import sys, yinxin.app.commands.seal; print({'pyhanko', 'sqlalchemy', 'typst'} & set(sys.modules))"
    )
    run = [sys.executable, "-c", said]
    assert subprocess.run(run, check=True, capture_output=True, text=True).stdout.strip() == "set()"


def test_a_face_is_drawn_by_another_process() -> None:
    assert faces.draw_apart("津城市场监督管理局", "MB1A00001") == faces.draw(
        "津城市场监督管理局", "MB1A00001"
    )
