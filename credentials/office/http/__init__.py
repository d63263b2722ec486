"""The issuing office on HTTP, for an agency's own systems: `router(desk, enter=…)`."""

from credentials.office.http.licences import router

__all__ = ["router"]
