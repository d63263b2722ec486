"""Licences from a file of applications: each row once, whatever happens meanwhile.

A batch is a file. Each row has a key (its case number, or else a digest of what it says) that leads to
one licence of its agency and to no second one; licence and key are recorded in one transaction. So a
batch that was stopped, by a fault or by a killed process, goes on where it was.
"""
