"""Personal data: what is held on a person, how long it must be kept, how it is given out and erased.

    personal = PersonalData(database, holdings, …)
    copy = personal.export(person, ground=…, document_number=…, actor=registrar)
    erasure = personal.propose_erasure(person, ground=…, document_number=…, actor=registrar)
    personal.agree(erasure.id, proof=…, actor=another)
    personal.erase(erasure.id, actor=registrar)

Each room says what it holds on a person by a `Holding`. What the law has kept stays until its day; the log
holds digests only, so that it verifies after an erasure as before. How data lies sealed is
`yinxin.base.sealed`.
"""

from credentials.persons.holdings import Held, Holding
from credentials.persons.retention import Retention
from credentials.persons.service import Erasure, PersonalData

__all__ = ["Erasure", "Held", "Holding", "PersonalData", "Retention"]
