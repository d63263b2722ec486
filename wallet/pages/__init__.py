"""The wallet's pages: one plain page for each thing that a holder does. They work without a script.

Looking never changes anything: every change, every message to an issuer or a verifier, and every code that is
spent follows a button that the signed-in holder pressed on one of these pages.
"""

from wallet.pages.routes import router

__all__ = ["router"]
