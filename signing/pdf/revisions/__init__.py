"""What changed in a PDF after a signature, found by comparing the file with itself as it was.

    history = History(document, ends)             # where each signature's bytes end
    review = history.review(covered, permissions)
    review.level                                  # none, archive, form, annotation or other

`fields` reads forms, `graph` finds which objects differ and what leads to them, `sameness` compares values,
`tiling` accounts for every byte of an update, the modules `*_rules` say what an update may change: everything
that no rule names has to stay as it was. The newest revision is never believed about itself.
"""
