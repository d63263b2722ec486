"""The office's pages, for the staff of one agency: draft, review, approve, seal."""

from credentials.office.pages.routes import router

__all__ = ["router"]
