"""Forms at the counter: a clerk asks the holder for consent, and sees the form filled in."""

from verify_api.forms.pages.routes import router

__all__ = ["router"]
