"""Delegations (授权委托): who may act for a holder, in which matters, with which licences, until when.

A company's legal representative appoints licence administrators (证照管理员) and agents (经办人); an
administrator, and an agent whose delegation says so, appoint further agents. Guardians (监护人) and helpers
(帮办) act for people. Nothing works before the agent has accepted with a signature of theirs.

    delegations = Delegations(issuer_url, catalogue=catalogue, database=database, …)
    proposed = delegations.propose(appointment, statement, proof)     # signed by the principal's wallet
    accepted = delegations.accept(statement, proof)                   # by the agent's: now it holds
    delegations.recall(statement, proof)                              # by anybody above, or the agent

`terms` says what may be given, `delegation` what one is, `chain` what a verifier looks at, `statements` what
wallets sign, `principals` who speaks for a holder, `service` what happens.
"""
