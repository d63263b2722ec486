"""Sign-in on HTTP: the pages, what their script asks, and who a request is from.

`router(access)` serves `/sign-in`, `/register`, `/sign-out` and `/account`; a room's own routes ask
`visitor` or `require_visitor`. Whoever is not signed in is led to `/sign-in` and back to where they were.
"""

from yinxin.access.pages.cookie import require_visitor, visitor
from yinxin.access.pages.routes import router, script_address

__all__ = ["require_visitor", "router", "script_address", "visitor"]
