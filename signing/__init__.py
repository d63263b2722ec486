"""Algorithms, keys, signers, certificates, trust, document formats and reports.

    from signing import FileSigner, TrustStore, open_signer

`import signing` stays light: PDF (pyHanko) is `import signing.pdf`.
"""
