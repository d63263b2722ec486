"""Notices (变更通知): whoever accepted a version of a licence hears what became of it.

`Notices` is what an issuer tells, in the transaction that records a change; `NoticeQueue` is what a
department reads and acknowledges. A notice names fields; their values are read from the register when it is
handed out, and only those that the department's grants cover.
"""

from credentials.office.notices.queue import HandedOut, NoticeQueue
from credentials.office.notices.telling import Acceptances, Notices

__all__ = ["Acceptances", "HandedOut", "NoticeQueue", "Notices"]
