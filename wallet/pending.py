"""What a holder has begun and not ended: an offer looked at, a request not yet answered.

It lies in the account's own store, encrypted, until it is taken or runs out. Taking is atomic: of two answers
to one request, or two tabs that accept one offer, exactly one gets it. Identifiers are random, and one of
another account's is no identifier here.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from yinxin.base.errors import NotFound
from yinxin.base.randomness import Randomness, SystemRandomness, random_text
from yinxin.base.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wallet.store import Store
    from yinxin.base.clock import Clock

LIFE = timedelta(minutes=10)
MAX_PENDING = 20
_KEY = "pending"


class NoLongerThere(NotFound):
    """What was begun is done, or its time is over."""

    code = "no_longer_there"
    title = Text("该事项已处理或已过期", "It was dealt with already, or it is over")
    advice = Text(
        "如未办完，请对方重新发起，或重新打开领取链接。",
        "If it was not finished, let the other side ask again, or open the offer again.",
    )


class Pending:
    """The begun things of one store."""

    def __init__(self, store: Store, clock: Clock, *, randomness: Randomness | None = None) -> None:
        """Nothing is read yet."""
        self._store = store
        self._clock = clock
        self._randomness = randomness or SystemRandomness()

    def put(
        self, kind: str, value: Mapping[str, Any], *, until: datetime | None = None, name: str | None = None
    ) -> str:
        """Keep something until then, at most `LIFE`; its new identifier. Over 20, the oldest goes.

        `name` puts back what was taken under that one.
        """
        now, name = self._clock.now(), name or random_text(self._randomness, 16)
        end = min(until or now + LIFE, now + LIFE)
        row = {"kind": kind, "until": end.isoformat(), "value": dict(value)}

        def keep(contents: dict[str, Any]) -> None:
            rows = _alive(contents, now)
            while len(rows) >= MAX_PENDING:
                rows.pop(min(rows, key=lambda one: rows[one]["until"]))
            contents[_KEY] = {**rows, name: row}

        self._store.update(keep)
        return name

    def read(self, name: str, *, kind: str) -> dict[str, Any]:
        """What was put; `NoLongerThere` when there is none of this kind, or when it was taken or ran out."""
        return _find(self._store.read(), name, kind, self._clock.now())

    def take(self, name: str, *, kind: str) -> dict[str, Any]:
        """The same, and it is gone: nobody else gets it. Errors as for `read`."""
        now = self._clock.now()

        def remove(contents: dict[str, Any]) -> dict[str, Any]:
            found = _find(contents, name, kind, now)
            rows = _alive(contents, now)
            rows.pop(name)
            contents[_KEY] = rows
            return found

        return self._store.update(remove)


def _alive(contents: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    rows: Mapping[str, Any] = contents.get(_KEY, {})
    return {name: row for name, row in rows.items() if datetime.fromisoformat(row["until"]) > now}


def _find(contents: Mapping[str, Any], name: str, kind: str, now: datetime) -> dict[str, Any]:
    row = _alive(contents, now).get(name)
    if row is None or row["kind"] != kind:
        raise NoLongerThere("it was dealt with already, or it has run out")
    return dict(row["value"])
