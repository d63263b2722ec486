"""What people see of a licence: its page, the seal face pressed on it, and the code printed on it.

    from credentials.face.page import Typesetter

    page = Typesetter().typeset(licence, licence_type, code=printed_code)
    page.pdf, page.seal_centre

Sealing the page is the work of `signing.pdf`. Fonts come from a dependency and system fonts are off, so that
a licence looks alike on every machine.
"""
