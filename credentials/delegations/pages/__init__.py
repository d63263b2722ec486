"""Pages for an agency's staff: guardians, registered by one and agreed to by another."""

from credentials.delegations.pages.routes import router

__all__ = ["router"]
