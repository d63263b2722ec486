"""A path's story: a leaf with its authorities, asked about in one line."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from cryptography import x509

from signing import Certificate, Crl, Policy, Reason, RevocationSnapshot, TrustStore, validate_path
from world.pki import NOON, TestAuthority

if TYPE_CHECKING:
    from signing import PathResult

DAY = timedelta(days=1)
LENIENT = Policy(revocation="if_available", strict_usage=False)
UNRECOGNISED = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\0")


@dataclass
class Story:
    """A leaf with its authorities, and how it is asked about."""

    root: TestAuthority
    authorities: list[TestAuthority]
    leaf: Certificate
    extra: list[Certificate] = field(default_factory=list)

    @classmethod
    def plain(cls, **leaf: Any) -> Story:
        root = TestAuthority("Root")
        issuing = TestAuthority("Issuing", issuer=root)
        return cls(root, [issuing], issuing.issue("bureau", **leaf).certificate)

    @property
    def intermediates(self) -> list[Certificate]:
        return [authority.certificate for authority in self.authorities] + self.extra

    def lists(self) -> RevocationSnapshot:
        return RevocationSnapshot([Crl(authority.crl()) for authority in (self.root, *self.authorities)])

    def ask(self, **changes: Any) -> PathResult:
        question: dict[str, Any] = {
            "at": NOON,
            "usage": "seal",
            "revocation": self.lists(),
            "policy": Policy.default(),
            **changes,
        }
        trust = question.pop("trust", TrustStore([self.root.certificate]))
        intermediates = question.pop("intermediates", self.intermediates)
        return validate_path(self.leaf, intermediates, trust, **question)


def reasons(story: Story, **changes: Any) -> set[Reason]:
    return set(story.ask(**changes).reasons)
