"""Work that is done again and again beside a service, in a thread that ends with its stage."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from yinxin.base.errors import YinxinError

if TYPE_CHECKING:
    from collections.abc import Callable

    from yinxin.app.wiring import Stage

_log = logging.getLogger("yinxin.duties")


def repeat(
    stage: Stage,
    name: str,
    work: Callable[[], object],
    *,
    every_seconds: float,
    first_seconds: float | None = None,
) -> None:
    """Do it in a thread, again and again until the stage closes; a failure is logged and tried again."""
    stopping = threading.Event()

    def run() -> None:
        pause = every_seconds if first_seconds is None else first_seconds
        while not stopping.wait(pause):
            pause = every_seconds
            try:
                work()
            except YinxinError as error:
                _log.warning("%s failed: %s", name, error.code)
            except Exception as error:  # noqa: BLE001 - a thread that ends would leave its duty undone
                _log.error("%s failed: %s", name, type(error).__name__)

    thread = threading.Thread(target=run, name=f"yinxin-{name}", daemon=True)
    thread.start()

    def stop() -> None:
        stopping.set()
        thread.join()

    stage.closing.callback(stop)
