"""Pictures from a camera: read under limits, and decoded in another process.

A frame is 8-bit luminance, row by row, and nothing else: there is no picture format to parse. It is decoded
and forgotten.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from verify_api.workers import OutcomeState, WorkerPool
from yinxin.base.errors import MalformedInput, TooManyRequests

MIN_SIDE, MAX_SIDE, MAX_FRAME_BYTES = 64, 1600, 1 << 20
MAX_CODES = 4
DECODE_LIMIT = timedelta(seconds=2)
PATIENCE = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture: `luminance` has `width` × `height` bytes."""

    width: int
    height: int
    luminance: bytes

    def __post_init__(self) -> None:
        if len(self.luminance) != size_of(self.width, self.height):
            raise MalformedInput("frame", "not width times height bytes")


def size_of(width: int, height: int) -> int:
    """How many bytes a frame of these sides has; `MalformedInput` for sides that no frame has."""
    sides = MIN_SIDE <= width <= MAX_SIDE and MIN_SIDE <= height <= MAX_SIDE
    if not sides or width * height > MAX_FRAME_BYTES:
        raise MalformedInput("frame", f"sides of {MIN_SIDE} to {MAX_SIDE} pixels, {MAX_FRAME_BYTES} at most")
    return width * height


class Scanner:
    """Decodes frames in worker processes of its own, so that no document waits for a camera."""

    def __init__(self, workers: WorkerPool | None = None) -> None:
        self.workers = workers or WorkerPool(
            processes=1,
            time_limit=DECODE_LIMIT,
            max_waiting=16,
            memory_bytes=1 << 30,
            preload=("zxingcpp",),
        )

    async def read(self, frame: Frame) -> list[str]:
        """The texts of the QR codes in a picture; none for one that could not be decoded in time."""
        future = self.workers.submit(decode, frame.luminance, frame.width, frame.height)
        try:
            outcome = await asyncio.wait_for(asyncio.wrap_future(future), PATIENCE.total_seconds())
        except TimeoutError as exc:
            raise TooManyRequests("too many pictures wait", retry_after=PATIENCE) from exc
        return list(outcome.value) if outcome.state is OutcomeState.DONE else []

    def close(self) -> None:
        """End the processes."""
        self.workers.close()


def decode(luminance: bytes, width: int, height: int) -> list[str]:
    """The texts of the QR codes in a picture; the work of a worker process."""
    import zxingcpp  # noqa: PLC0415 - it belongs to the worker process

    picture = memoryview(luminance).cast("B", (height, width))
    found = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode))
    return [code.text for code in found[:MAX_CODES]]
