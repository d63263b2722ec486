"""The keeper's pages: the register, one seal with its grants, today's uses and alarms, what waits for two."""

from credentials.office.seals.pages.routes import router

__all__ = ["router"]
