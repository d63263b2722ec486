"""Pages for an office's staff: which older registers are followed, and a file checked or taken over."""

from credentials.legacy.pages.routes import router

__all__ = ["router"]
