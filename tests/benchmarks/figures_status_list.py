"""What a status list of a million entries costs: reading, looking up, and stopping one that is a bomb.

    python tests/benchmarks/figures_status_list.py

One thread. The floor of reading is zlib's own inflate of the same bytes. The bomb's memory is the growth of
the peak of a process of its own (Linux).
"""

from __future__ import annotations

import random
import subprocess
import sys
import zlib
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

from benchmarks.rounds import measure

from credentials.status_list import StatusList
from signing.base64url import decode_base64url, encode_base64url
from yinxin.base.errors import TooLarge

if TYPE_CHECKING:
    from collections.abc import Callable

ENTRIES = 1 << 20
BOMB_BYTES = 256 << 20
CHOSEN = random.Random(1)  # noqa: S311 - figures


def main() -> None:
    """All figures."""
    for bits in (1, 2):
        of_list(bits)
    look_ups()
    command = [sys.executable, __file__, "bomb"]
    print(subprocess.check_output(command, text=True), end="")  # noqa: T201 - figures


def of_list(bits: int) -> None:
    statuses = filled(bits)
    claim, sent = statuses.to_claim(), statuses.to_cbor()
    compressed = decode_base64url(claim["lst"])
    floor = f"zlib alone, {bits} bit"
    rows = {
        floor: lambda: zlib.decompress(compressed),
        f"read from a JWT's claim, {bits} bit": lambda: StatusList.from_claim(claim),
        f"read from a CWT's map, {bits} bit": lambda: StatusList.from_cbor(sent),
        f"written as a claim, {bits} bit": statuses.to_claim,
    }
    measure(rows, beside=floor, calls=5)


def look_ups() -> None:
    statuses = filled(2)
    indexes = CHOSEN.sample(range(ENTRIES), ENTRIES // 2)

    def one_by_one() -> None:
        for index in indexes:
            statuses.get(index)

    for label, work in (("one by one", one_by_one), ("many", lambda: statuses.get_many(indexes))):
        seconds = min(time_of(work) for _ in range(5))
        print(f"look-ups, {label}: {len(indexes) / seconds / 1e6:.1f} M/s")  # noqa: T201 - figures


def bomb() -> None:
    """Read a list of 256 MiB of zeros; only for a process of its own."""
    deflater = zlib.compressobj(9)
    zeros = bytes(1 << 20)
    data = b"".join(deflater.compress(zeros) for _ in range(BOMB_BYTES >> 20)) + deflater.flush()
    claim = {"bits": 1, "lst": encode_base64url(data)}
    stopped, before, start = "read whole", peak_kib(), process_time()
    try:
        StatusList.from_claim(claim)
    except TooLarge as exc:
        stopped = str(exc)
    seconds, grown = process_time() - start, (peak_kib() - before) / 1024
    print(f"bomb of 256 MiB: {stopped}; {seconds * 1e3:.0f} ms, {grown:.0f} MiB")  # noqa: T201 - figures


def peak_kib() -> int:
    """The most that this process ever had in memory; what `getrusage` says is inherited from its parent."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0])


def time_of(work: Callable[[], object]) -> float:
    start = process_time()
    work()
    return process_time() - start


def filled(bits: int) -> StatusList:
    """One entry in a hundred is revoked."""
    statuses = StatusList(ENTRIES, bits=bits)
    for index in CHOSEN.sample(range(ENTRIES), ENTRIES // 100):
        statuses.set(index, 1)
    return statuses


if __name__ == "__main__":
    bomb() if sys.argv[1:] == ["bomb"] else main()
