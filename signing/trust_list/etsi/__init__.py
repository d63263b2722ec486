"""Trusted lists of the European Union (ETSI TS 119 612): read strictly, turned into anchors with their times.

    lotl = read_list(data, signers=pinned, now=now)  # the list of the lists, by certificates brought by hand
    for pointer in lotl.national:
        found = read_list(fetched[pointer.location], signers=pointer.signers, now=now)
        anchors, notes = anchors_of(found)

Needs the extra `etsi` (signxml, lxml). Nothing here fetches; a list without a good signature is never read.
"""

from signing.trust_list.etsi.anchors import anchors_of
from signing.trust_list.etsi.contents import EtsiList, Pointer, Service, ServiceState, read_list

__all__ = ["EtsiList", "Pointer", "Service", "ServiceState", "anchors_of", "read_list"]
