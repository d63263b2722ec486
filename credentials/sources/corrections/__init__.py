"""A datum is put right where it comes from: requests for correction (数据更正) go to its one source.

    asked = corrections.ask(identifier, "legal_representative", words="应为王小麦", actor=clerk)
    asked.state          # open: a request in this agency's queue; referred: another authority keeps the datum

Where a request goes is `routing` (pure), who works on it `service`.
"""

from credentials.sources.corrections.routing import Request, RequestState, Route, route_of
from credentials.sources.corrections.service import Corrections

__all__ = ["Corrections", "Request", "RequestState", "Route", "route_of"]
