"""The verification service over HTTP.

`router(service, authenticate)` is for an application of one's own, `create_app(service, …)` for one that
serves nothing else.
"""

from verify_api.http.app import create_app
from verify_api.http.limits import Limits
from verify_api.http.routes import bearer, router

__all__ = ["Limits", "bearer", "create_app", "router"]
