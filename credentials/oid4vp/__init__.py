"""OpenID for Verifiable Presentations 1.0, without input and output: both sides as pure functions.

    request = AuthorizationRequest(client_id=…, response_uri=…, nonce=…, state=…, query=query, …)
    text = sign_request(request, signer, now=now)                      # verifier: served at the request_uri
    asked = RequestReader(trust, …).read(text, client_id=…, now=now)   # wallet: refuses what is not in order
    form = answer(asked.request, {"licence": [presentation]})          # wallet: posted to the response_uri
    response = read_response(form, request, key=key)                   # verifier: shape, encryption, state
    shown = examine(request, response)                                 # verifier: does it satisfy the query?

Requests are signed and named by a certificate (`x509_hash`, `x509_san_dns`); whoever sends them over HTTP,
and remembers sessions, is the verification service and the wallet.
"""
