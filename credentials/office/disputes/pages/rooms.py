"""The two rooms' common look: one set of templates and words; in public no language is remembered."""

from yinxin.web.pages import Pages

PUBLIC = Pages("credentials.office.disputes.pages", remember=False)
PAGES = Pages("credentials.office.disputes.pages")
