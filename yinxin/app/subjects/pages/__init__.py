"""Pages of subjects' events, for the agency's staff: plan, look, approve, run, watch."""

from yinxin.app.subjects.pages.routes import router

__all__ = ["router"]
