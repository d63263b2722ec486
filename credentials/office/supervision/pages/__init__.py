"""The inspectors' pages, and the page on which somebody explains a finding."""

from credentials.office.supervision.pages.routes import router

__all__ = ["router"]
