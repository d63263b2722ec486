"""A small certificate authority: registration, issuance, revocation, CRL, OCSP and time-stamps.

    from ca.issuance import Application, Authority
    from ca.names import SubjectName
    from ca.registration import Registration

    root = Authority.create("root", database=database, signer=key, subject=name, clock=clock, actor=officer)
    issuing = Authority.create("issuing", …, issuer=root)
    certificate = issuing.issue("status", Application(subject, public_key), actor=registrar)

Each room is imported by who needs it: a time-stamp authority runs without a database.
"""
