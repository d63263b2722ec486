"""A report as one page for officials: to look at, to print on A4, to put into a file. It needs nothing beside it.

Both languages are made from the same template; nothing here decides anything. Whatever comes from a document
passes `legible`, because a name can hold characters that hide or turn the writing around.
"""

from yinxin.app.report_page.page import report_page

__all__ = ["report_page"]
