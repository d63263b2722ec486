"""What a verifier demands: `Policy` (`policy`), in files (`files`), asked of signatures (`demands`).

`levels` are those of PAdES and CAdES, `strength` says until when algorithms are strong enough. Certificate
policies (RFC 5280, 4.2.1.4) are another thing: `signing.path.certificate_policies`.
"""

from signing.policy.policy import Policy

__all__ = ["Policy"]
