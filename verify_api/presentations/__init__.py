"""Presentations on request (OpenID4VP): a department asks, a wallet answers, the service verifies.

    presentations = PresentationService(service, request_signer=signer, catalogue=catalogue, secret=key, …)
    started = await presentations.start(Wish(purpose="market-entry", matter="…", types=(code,)), department)
    started.link                                          # opens a wallet, or becomes a QR code
    outcome = await presentations.outcome(started.id, department)

What was shown gets the same report, record and receipt as one that is handed in at `POST /v1/verifications`.
"""
