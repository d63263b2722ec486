"""The whole story in one folder: licence → seal → wallet copy → department → revocation.

Nothing is mocked: keys, certificates, lists, time-stamps, pages, seals, credentials, tokens, receipts and
proofs are the real ones, and parties that would speak HTTP speak HTTP, on loopback. People and companies
are made up.
"""

from yinxin.app.demo.story import Chapter, play

__all__ = ["Chapter", "play"]
