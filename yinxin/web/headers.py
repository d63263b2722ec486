"""The headers that every page leaves with: nothing from elsewhere runs, is shown or looks in."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

# `same-origin` and not `no-referrer`: under the latter browsers send `Origin: null` with our own forms
# (Fetch, 3.1), and the guard could not tell them from a stranger's.
_ALWAYS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def page_headers(*, camera: bool = False, form_targets: Collection[str] = ()) -> dict[str, str]:
    """The headers of a page.

    `camera` lets its script ask for the camera. `form_targets` are the origins or schemes that the answer to
    its form may lead to beside ourselves: browsers hold a redirect after a form to the form's policy.
    """
    return {**_ALWAYS, "Content-Security-Policy": _policy(form_targets), "Permissions-Policy": _uses(camera)}


def _policy(form_targets: Collection[str]) -> str:
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data: blob:",
            "connect-src 'self'",
            " ".join(("form-action 'self'", *form_targets)),
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def _uses(camera: bool) -> str:  # noqa: FBT001 - private, read at its call
    allowed = "(self)" if camera else "()"
    return (
        f"camera={allowed}, microphone=(), geolocation=(), payment=(), usb=(), "
        "publickey-credentials-create=(self), publickey-credentials-get=(self)"
    )
