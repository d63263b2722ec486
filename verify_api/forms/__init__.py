"""Forms that fill themselves, with the holder's consent: a department asks, a wallet agrees, once.

    asked = await forms.ask("food-business-renewal", department)
    asked.link                                      # opens the holder's wallet, or becomes a QR code
    filled = await forms.fill(asked.number, department)

A department's credential alone reads nothing: what fills a form is a presentation in which the holder signed
for this department, this matter and these fields. It is used once, ends after minutes, and can be taken
back by its number until then.
"""
