"""The catalogue's changes: types have versions with dates, and two people bring a new one into force.

    change = types.propose(toml, actor=clerk)
    preview = types.preview(change.id, actor=clerk)
    types.approve(change.id, proof=KeyProofs.make(change.digest, approver, key), actor=approver)

What a change is stands in `versions`, who may make one in `service`, what it means in `differences`, and
how running services see it in `live`.
"""

from credentials.office.types.live import LiveCatalogue
from credentials.office.types.preview import Preview, Previewer
from credentials.office.types.service import TypeOffice
from credentials.office.types.versions import ChangeKind, ChangeState, TypeChange

__all__ = [
    "ChangeKind",
    "ChangeState",
    "LiveCatalogue",
    "Preview",
    "Previewer",
    "TypeChange",
    "TypeOffice",
]
