"""Pages of slips and disputes: for anybody beside the verification service, for clerks at the office."""

from credentials.office.disputes.pages.clerks import office_router
from credentials.office.disputes.pages.public import public_router

__all__ = ["office_router", "public_router"]
