"""Supervision (电子监察): inspectors look into what an office did, for a stated reason; every look is noted.

What is searched are lines (`lines`), made of the audit log's entries and provable against its checkpoint.
"""
