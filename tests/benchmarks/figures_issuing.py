"""Print how fast licences are made, in one thread, and where the time goes.

Run `python tests/benchmarks/figures_issuing.py`. Every licence is another one, as in an office; the
naive way makes a new compiler for each page.
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.rounds import measure
from world.office import URL, Office
from world.pki import Pki

from credentials import printed_code, samples
from credentials.face.page import Typesetter
from yinxin.base.database import Database

KINDS = [code for code, _ in samples.applications(8)]


def main() -> None:
    """All figures."""
    database = Database("sqlite://")
    database.create_schema()
    pki = Pki()
    office, signer = Office(pki, database), pki.signer("credential")
    numbers = itertools.count(100)
    made = [office.issue(KINDS[index % len(KINDS)], index).licence for index in range(24)]
    turn = itertools.cycle(made)
    typesetter = Typesetter()

    def page(setter: Typesetter) -> object:
        licence = next(turn)
        kind = office.catalogue[licence.type_code]
        code = printed_code.make(licence, kind, address=f"{URL}/q", signer=signer)
        return setter.typeset(licence, kind, code=code)

    def whole() -> object:
        number = next(numbers)
        return office.issue(KINDS[number % len(KINDS)], number)

    measure(
        {
            "page alone, one compiler kept": lambda: page(typesetter),
            "page alone, a new compiler each": lambda: page(Typesetter()),
            "whole licence: page, seal, credential, record, audit": whole,
        },
        beside="page alone, one compiler kept",
        rounds=5,
        calls=24,
    )


if __name__ == "__main__":
    main()
