"""What the checks of a report are called on a page, and how old its evidence is, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signing.report.checks import kind_of
from verify_api.presentations.sessions import State
from yinxin.base.text import Text

if TYPE_CHECKING:
    from datetime import timedelta

_PROGRESS = {
    State.OPEN: Text("等待钱包打开请求", "Waiting for a wallet to open the request"),
    State.FETCHED: Text(
        "钱包已打开请求，等待持有人同意", "The wallet has the request; waiting for the holder to agree"
    ),
    State.RECEIVED: Text("已收到，正在核验", "Received, being verified"),
    State.ANSWERED: Text(
        "已核验，等待持有人的浏览器返回", "Verified; waiting for the holder's browser to come back"
    ),
    State.RETURNED: Text("已完成", "Done"),
    State.DECLINED: Text(
        "持有人未同意出示，未收到任何内容", "The holder did not agree; nothing was received"
    ),
    State.CLOSED: Text("请求已作废，请重新发起", "The request was closed; begin again"),
    State.EXPIRED: Text("请求已过期，请重新发起", "The request has run out; begin again"),
}
_UNITS = (
    (86400, "天", "day"),
    (3600, "小时", "hour"),
    (60, "分钟", "minute"),
)


def check_name(name: str) -> Text:
    """What a check is called; the name of a signature's field stands before it in the report, not here."""
    return kind_of(name).text


def progress(state: str) -> Text:
    """How a presentation stands."""
    return _PROGRESS[State(state)]


def age(passed: timedelta) -> Text:
    """How long ago, in the largest unit that fits."""
    seconds = max(0, int(passed.total_seconds()))
    for size, zh, en in _UNITS:
        count = seconds // size
        if count:
            return Text(f"{count} {zh}前", f"{count} {en}{'s' if count > 1 else ''} ago")
    return Text("刚刚", "just now")
