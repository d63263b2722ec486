"""What every face on HTTP stands on: bodies under limits, pages in two languages, guards, one look.

A room that has pages makes one `Pages` of its own name; what the pages say and do is the room's business.
"""

from yinxin.web.guards import require_same_origin
from yinxin.web.language import language_of
from yinxin.web.pages import Pages, see_other

__all__ = ["Pages", "language_of", "require_same_origin", "see_other"]
