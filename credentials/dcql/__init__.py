"""DCQL, the query language of OpenID4VP 1.0 (clauses 6 and 7): what a verifier asks for.

    from credentials.dcql import Candidate, Query, match, options_to_return

    query = Query.parse(request["dcql_query"])
    found = {asked.id: match(asked, Candidate.of(sd_jwt)) for asked in query.credentials}
    wanted = options_to_return(query, {name for name, hit in found.items() if hit})

A wallet finds out what to disclose, and a verifier looks at every rule again on what it was given.
"""

from credentials.dcql.match import Candidate, Match, is_satisfied, match, options_to_return, resolve
from credentials.dcql.query import (
    MDOC,
    SD_JWT_VC,
    ClaimQuery,
    CredentialQuery,
    CredentialSet,
    Query,
    TrustedAuthority,
)

__all__ = [
    "MDOC",
    "SD_JWT_VC",
    "Candidate",
    "ClaimQuery",
    "CredentialQuery",
    "CredentialSet",
    "Match",
    "Query",
    "TrustedAuthority",
    "is_satisfied",
    "match",
    "options_to_return",
    "resolve",
]
