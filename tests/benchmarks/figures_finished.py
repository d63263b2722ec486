"""How many finished licences a core makes, beside typesetting alone and beside the naive way.

    python tests/benchmarks/figures_finished.py [licences of each process] [files of a batch]

A finished licence: page with seal face, B-T seal with a time-stamp authority in this process, SD-JWT VC,
document kept, recorded and audited in a SQLite file (WAL, FULL). The naive way sets the page with a new
compiler and its fonts each time and seals it as pyHanko's documentation does; nothing is recorded. Ratios are
of processor time; several processes are told by the clock, so they want a quiet machine.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from benchmarks.finished import main

    asked = [int(one) for one in sys.argv[1:]]
    main(*asked, *(200, 2000)[len(asked) :])
