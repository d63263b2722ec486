"""Pages for an agency's clerks: requests for correction, each with where it goes."""

from credentials.sources.pages.routes import router

__all__ = ["router"]
