"""The catalogue's pages, for an agency's staff: versions, proposals with their preview, approval."""

from credentials.office.types.pages.routes import router

__all__ = ["router"]
