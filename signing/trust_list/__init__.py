"""A trust list: who issues what in a city, said by its trust office and signed by several of its people.

    root = TrustRoot.read(pinned)  # brought once, by hand: who may sign, and how many of them
    root = root.followed_by(published_roots, now=now)  # the office's keys change; each root names the next
    listed = TrustList.read(data, root, now=now)
    serving = ServingList(listed, grace=timedelta(days=3))
    serving.trust(now)  # anchors
    serving.check(Issued(vct, subject=subject, made=made), now=now)  # whether this issuer might issue it

A list has a version and an end; an older one, one past its end, one with too few signatures or half of one is
refused. Fetching it and keeping the last good one is the work of others; nothing here reads a file, a socket
or the clock.
"""

from signing.trust_list.contents import Freshness, ListedIssuer, ListedType, TrustList
from signing.trust_list.envelope import add_signature, sign_content
from signing.trust_list.roots import TrustRoot
from signing.trust_list.serving import Issued, ServingList

__all__ = [
    "Freshness",
    "Issued",
    "ListedIssuer",
    "ListedType",
    "ServingList",
    "TrustList",
    "TrustRoot",
    "add_signature",
    "sign_content",
]
