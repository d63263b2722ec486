"""Certificate paths: found with a bounded search, validated as RFC 5280, 6 says.

    result = validate_path(
        leaf, intermediates, trust, at=now, usage="seal", revocation=snapshot, policy=policy
    )
    result.indication, result.path, result.checks

Fetching issuers or revocation evidence is the work of others; nothing here reads a file, a socket or
the clock, and no certificate, however hostile, makes it raise.
"""

from signing.path.validate import AUTHORITY, PathResult, validate_path

__all__ = ["AUTHORITY", "PathResult", "validate_path"]
