"""Licences that others issued (a province, a ministry): by number, with who issued them and where to ask.

They are no licences of ours: nothing here can seal, change or end one, and no licence of ours may take the
number of one.
"""
