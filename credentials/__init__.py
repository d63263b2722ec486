"""Licences: what kinds there are, how one is issued, sealed, kept, ended, and shown as a credential.

    from credentials.catalogue import Catalogue
    from credentials.issuer import Issuer

    issuer = Issuer("https://licences.example.gov", catalogue=Catalogue.load(), seal=seal, …)
    issued = issuer.issue("food-business-licence", claims, holder=holder_key, actor=clerk)
    issued.licence.identifier, issued.pdf, issued.credential

Each room is imported by who needs it: reading the catalogue needs no database, verifying no typesetting.
"""
