"""What happens to a person or an organisation, and all that follows: planned, agreed to by a second person, done.

    planned = cascade.plan(facts, actor=clerk)                 # every thing touched, and what would happen to it
    cascade.approve(planned.event.id, proof=…, actor=approver) # a signature over the digest of that plan
    report = cascade.run(planned.event.id, actor=clerk)        # effect by effect; run again after a kill

`values` are what is spoken of, `rules` say which event does what to which type (data), `effects` is how a room
plugs in, and `licences`, `certificates`, `seals`, `delegations` are the rooms. It stands in the composition because it
joins what may not know each other: certificates and licences are siblings.
"""
