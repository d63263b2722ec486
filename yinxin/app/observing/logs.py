"""Logs of the services: one line for each event, as JSON or for people, and nothing personal in them.

What our own modules say is kept as they say it, by the rule that they name codes and identifiers of ours
only. What libraries say is not: their messages repeat what they worked on, so of theirs remain the logger,
the level and where it happened. Of an exception remain its kind and its places in the code, never its text.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from types import TracebackType
    from typing import TextIO

LogFormat = Literal["text", "json"]
OURS = ("yinxin", "ca", "credentials", "signing", "verify_api", "wallet")
FACTS = "facts"  # of a record: names and values of ours that stand beside its message
MAX_MESSAGE = 1000
MAX_PLACES = 12
_log = logging.getLogger("yinxin.process")

# The request that this thread or task works for.
REQUEST: ContextVar[str | None] = ContextVar("request", default=None)


def set_up(kind: str, *, process: Mapping[str, str], stream: TextIO | None = None) -> logging.Handler:
    """Send everything that is logged in this process to `stream` (standard error), in this form.

    `process` says which process it is on each line: its role and its number. What nobody catches, in
    threads too, is logged the same way instead of being printed with its text.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(LineFormatter("json" if kind == "json" else "text", process))
    root = logging.getLogger()
    for other in list(root.handlers):
        root.removeHandler(other)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    for name in OURS:
        logging.getLogger(name).setLevel(logging.INFO)
    logging.captureWarnings(capture=True)
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread
    sys.unraisablehook = _unraisable
    return handler


class LineFormatter(logging.Formatter):
    """One record, one line; whatever it holds, it ends where the line ends."""

    def __init__(self, kind: LogFormat, process: Mapping[str, str]) -> None:
        super().__init__()
        self._kind = kind
        self._process = dict(process)

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        facts = dict(self._facts(record))
        # ASCII: neither line ends nor what steers a terminal passes.
        if self._kind == "json":
            return json.dumps(facts, ensure_ascii=True, default=_kind_of)
        at, level, logger, says = (facts.pop(name) for name in ("at", "level", "logger", "says"))
        rest = " ".join(f"{name}={json.dumps(value, default=_kind_of)}" for name, value in facts.items())
        return f"{at} {level:7} {logger}: {json.dumps(says)[1:-1]} {rest}".rstrip()

    def _facts(self, record: logging.LogRecord) -> Iterator[tuple[str, Any]]:
        at = datetime.fromtimestamp(record.created, UTC)
        yield "at", at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        yield "level", record.levelname.lower()
        yield "logger", record.name[:100]
        yield "says", _message(record)
        yield from self._process.items()
        if (request := REQUEST.get()) is not None:
            yield "request", request
        if _is_ours(record.name):
            yield from getattr(record, FACTS, {}).items()
        else:
            yield "where", f"{record.module}:{record.lineno}"
        if record.exc_info and record.exc_info[1] is not None:
            yield "error", list(_causes(record.exc_info[1]))
            yield "places", list(_places(record.exc_info[2]))


def _message(record: logging.LogRecord) -> str:
    if not _is_ours(record.name):
        return "a library's message"
    try:
        return record.getMessage()[:MAX_MESSAGE]
    except (TypeError, ValueError):  # the arguments do not fit
        return str(record.msg)[:MAX_MESSAGE]


def _is_ours(name: str) -> bool:
    return name.split(".", 1)[0] in OURS


def _causes(error: BaseException) -> Iterator[str]:
    """The kinds of an exception and of what it came from."""
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen and len(seen) < MAX_PLACES:
        seen.add(id(found))
        code = getattr(found, "code", None)
        yield type(found).__name__ + (f" ({code})" if isinstance(code, str) and code.isidentifier() else "")
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)


def _places(trace: TracebackType | None) -> Iterable[str]:
    """Where in the code, innermost last; no values, no source text."""
    frames = traceback.extract_tb(trace)[-MAX_PLACES:]
    return (
        f"{frame.filename.rpartition('site-packages/')[2]}:{frame.lineno} {frame.name}" for frame in frames
    )


def _kind_of(value: object) -> str:
    return type(value).__name__


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if not issubclass(kind, KeyboardInterrupt):
        _log.critical("not caught", exc_info=(kind, error, trace))


def _uncaught_in_thread(found: threading.ExceptHookArgs) -> None:
    if found.exc_value is not None and not issubclass(found.exc_type, SystemExit):
        _log.error("not caught in a thread", exc_info=(found.exc_type, found.exc_value, found.exc_traceback))


def _unraisable(found: sys.UnraisableHookArgs) -> None:
    if found.exc_value is not None:
        _log.error("not raised", exc_info=(found.exc_type, found.exc_value, found.exc_traceback))
