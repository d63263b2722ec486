"""Name constraints (RFC 5280, 4.2.1.10 and 6.1.4 (g)): which names an authority may certify.

Constraints of the anchor count like those of any authority. Names of directory, mail, host, address and
URI are compared; a constraint on another kind of name refuses every certificate that has such a name.
"""

from __future__ import annotations

import itertools
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.x509.oid import NameOID

from signing.names import name_key
from signing.path.facts import facts_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from signing.certificates import Certificate
    from signing.path.build import Path

MAX_COMPARISONS = 1 << 15
_EMAIL_ADDRESS = NameOID.EMAIL_ADDRESS


def name_faults(path: Path) -> Iterator[tuple[Certificate, str]]:
    """Certificates of a path (leaf first) whose names an authority above them may not certify."""
    if not any(facts_of(certificate).constrains_names for certificate in path[1:]):
        return
    permitted: list[list[x509.GeneralName]] = []
    excluded: list[x509.GeneralName] = []
    budget = MAX_COMPARISONS
    for certificate in reversed(path):
        is_leaf = certificate is path[0]
        if (permitted or excluded) and (is_leaf or not certificate.is_self_issued):
            names = list(_names_of(certificate))
            budget -= len(names) * (len(excluded) + sum(map(len, permitted)))
            if budget < 0:
                yield certificate, "name constraints: too many names to compare"
                return
            yield from ((certificate, why) for why in _broken(names, permitted, excluded))
        extension = None if is_leaf else certificate.extension(x509.NameConstraints)
        if extension:
            permitted.append(list(extension.value.permitted_subtrees or ()))
            excluded += extension.value.excluded_subtrees or ()


def _broken(
    names: list[x509.GeneralName], permitted: list[list[x509.GeneralName]], excluded: list[x509.GeneralName]
) -> Iterator[str]:
    for name in names:
        if _alike(name, itertools.chain(excluded, *permitted)) and not _is_well_formed(name):
            yield f"a name that is none, where names are constrained: {_shown(name)}"
            continue
        if any(_is_within(name, base) or _may_stand_for(name, base) for base in _alike(name, excluded)):
            yield f"name constraints exclude {_shown(name)}"
        for group in permitted:
            bases = _alike(name, group)
            if bases and not any(_is_within(name, base, default=False) for base in bases):
                yield f"name constraints do not permit {_shown(name)}"


def _names_of(certificate: Certificate) -> Iterator[x509.GeneralName]:
    subject = certificate.names[0]
    if len(subject.rdns):
        yield x509.DirectoryName(subject)
    extension = certificate.extension(x509.SubjectAlternativeName)
    alternatives = list(extension.value) if extension else []
    yield from alternatives
    if not any(isinstance(name, x509.RFC822Name) for name in alternatives):
        # RFC 5280, 4.2.1.10: a mail address in the subject counts when no alternative name holds one.
        for attribute in subject.get_attributes_for_oid(_EMAIL_ADDRESS):
            yield x509.RFC822Name._init_without_validation(str(attribute.value))  # noqa: SLF001 - hostile text


def _alike(name: x509.GeneralName, bases: Iterable[x509.GeneralName]) -> list[x509.GeneralName]:
    return [base for base in bases if type(base) is type(name)]


def _is_within(name: x509.GeneralName, base: x509.GeneralName, *, default: bool = True) -> bool:
    """Whether a name lies in the subtree of its own kind; `default` for kinds that are not compared."""
    if isinstance(name, x509.DirectoryName) and isinstance(base, x509.DirectoryName):
        above = name_key(base.value.public_bytes())
        return name_key(name.value.public_bytes())[: len(above)] == above
    if isinstance(name, x509.DNSName) and isinstance(base, x509.DNSName):
        return _is_host_within(name.value, base.value, or_below=True)
    if isinstance(name, x509.RFC822Name) and isinstance(base, x509.RFC822Name):
        return _is_mailbox_within(name.value, base.value)
    if isinstance(name, x509.UniformResourceIdentifier) and isinstance(base, x509.UniformResourceIdentifier):
        host = _host_of(name.value)
        return default if host is None else _is_host_within(host, base.value, or_below=False)
    if isinstance(name, x509.IPAddress) and isinstance(base, x509.IPAddress):
        return not isinstance(name.value, IPv4Network | IPv6Network) and name.value in ip_network(base.value)
    return default


def _is_well_formed(name: x509.GeneralName) -> bool:
    """Whether a host or a mailbox has its parts; others are as their parser takes them."""
    if isinstance(name, x509.DNSName):
        return all(name.value.rstrip(".").split("."))
    if isinstance(name, x509.RFC822Name):
        local, _, host = name.value.partition("@")
        return bool(local) and "@" not in host and all(host.split("."))
    return True


def _may_stand_for(name: x509.GeneralName, base: x509.GeneralName) -> bool:
    """Whether a name with a wildcard also stands for hosts of the subtree."""
    if not isinstance(name, x509.DNSName) or not name.value.startswith("*."):
        return False
    return _is_host_within(str(base.value), name.value[1:], or_below=False)


def _is_host_within(host: str, base: str, *, or_below: bool) -> bool:
    host, base = host.lower().rstrip("."), base.lower()
    if base.startswith("."):
        return host.endswith(base)
    return host == base or (or_below and (not base or host.endswith("." + base)))


def _is_mailbox_within(mailbox: str, base: str) -> bool:
    local, _, host = mailbox.rpartition("@")
    if "@" in base:
        base_local, _, base_host = base.rpartition("@")
        return local == base_local and host.lower() == base_host.lower()
    return _is_host_within(host, base, or_below=False)


def _host_of(uri: str) -> str | None:
    try:
        host = urlsplit(uri).hostname
    except ValueError:
        return None
    # RFC 5280, 4.2.1.10: a URI without a host name (or with an address) cannot be within one.
    return host if host and not host.replace(".", "").isdigit() and ":" not in host else None


def _shown(name: x509.GeneralName) -> str:
    value = name.value.rfc4514_string() if isinstance(name, x509.DirectoryName) else str(name.value)
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in value[:100])
