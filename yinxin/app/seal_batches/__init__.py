"""Seal a folder of PDFs: in several processes, with a report for each file, resumed after a kill.

    order = Order(Key(uri="file:seal.pem?chain=seal-chain.pem", secret=passphrase), stamp_within=minutes(10))
    tally = Batch(Folder(source, target), order, leave=leave, clock=clock).run()

`order` says how every file is sealed, `book` keeps what became of each, `work` is done by the processes and
`batch` puts it together; `leave` asks the register of seals, where there is one.
"""

from yinxin.app.seal_batches.batch import Batch, Tally
from yinxin.app.seal_batches.book import Book, Entry, State
from yinxin.app.seal_batches.order import Key, Order

__all__ = ["Batch", "Book", "Entry", "Key", "Order", "State", "Tally"]
