"""OpenID4VCI 1.0: licences reach the wallets of their holders.

    server = IssuanceServer(copies, agency=agency, secret=secret)
    holder = Holder(code, AuthenticationMethod.COUNTER, "protocol 2026-118")
    offer = server.offers.make(Offer((licence,), holder), actor=clerk)
    offer.by_reference, offer.tx_code

What is judged without a database is pure: `requests`, `proofs`, `dpop`, `metadata`, `offers`. State is behind
`repository`, HTTP in `credentials.http`. Not built, and so not announced: deferred issuance, encrypted
requests and responses, key and wallet attestations.
"""
