"""Gather what verification stands on, away from verification: lists, answers, certificates of authorities.

    hand = AtHand(trust, certificates)              # whose evidence is wanted
    outcome = Gatherer(library, trust, asker=..., clock=...).run(certificates)
    library.read().revocation                       # the next snapshot: what verification gets

Certificates name where their lists, answers and issuers are (`wants`). Only what leads to a trust anchor is
followed, but for the issuers of what does not yet. The `asker` goes there through `yinxin.base.outbound`,
bounded in number, bytes and time, with conditional requests and with patience for hosts that fail; `taking`
says what is taken; the `library` keeps the last good of everything in a folder that changes as a whole.
"""
