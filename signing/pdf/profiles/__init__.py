"""The profiles of the domain: an agency's seal, a citizen's signature, joint signing, witnesses, copies.

    from signing.pdf import Seal, countersign, seal_as_agency, sign_as_citizen

    sealed = seal_as_agency(Seal(agency, face=face), pdf, now=now, straddles=True)
    signed = sign_as_citizen(Seal(citizen), sealed, now=now, roles=("法定代表人",), reason="同意")
    report = verify(countersign(Seal(notary), signed, now=now, of="Seal2", witness=True), trust, …)

`kinds`, `joint` and `copies` are the verbs; `commitment` and `statement` are what a signature says, `judging`
reads it again; `straddle` divides a face over the pages. What others have no standard for is written down in
decision 28.
"""
