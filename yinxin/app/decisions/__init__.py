"""Decisions that can be made again: a report with all that it stands on, in one folder or one zip file.

    decision = decide(examiner, exhibit, at=None)     # the report, its question, its inputs by digest
    archive.write(place, decision)                    # decision.json, and inputs/SHA-256
    outcome = replay(archive.read(place))             # the same, or what differs

Verification is a pure function of these inputs, so an archived verdict needs no trust in whoever archived it:
anybody makes it again and compares. `signing/report/decision.schema.json` describes the file.
"""
