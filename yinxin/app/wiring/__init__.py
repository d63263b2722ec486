"""Everything is put together here, once: from a home's folder to services that answer.

Each function takes a home and makes one thing that runs; nothing below `yinxin.app` knows of settings. The
applications stand one to a file.
"""

from yinxin.app.wiring.certificates import AUTHORITIES, certificate_app
from yinxin.app.wiring.issuance import handing, issuance_server, issuer, issuer_app, seal
from yinxin.app.wiring.register import (
    agency,
    catalogue,
    departments,
    documents,
    holder_index,
    log_key,
    reading,
    recorded_holders,
    sequencer,
    status_service,
)
from yinxin.app.wiring.stage import Stage, application
from yinxin.app.wiring.verification import client_id_prefix, staff_access, verifier_app
from yinxin.app.wiring.wallets import wallet_app

__all__ = [
    "AUTHORITIES",
    "Stage",
    "agency",
    "application",
    "catalogue",
    "certificate_app",
    "client_id_prefix",
    "departments",
    "documents",
    "handing",
    "holder_index",
    "issuance_server",
    "issuer",
    "issuer_app",
    "log_key",
    "reading",
    "recorded_holders",
    "seal",
    "sequencer",
    "staff_access",
    "status_service",
    "verifier_app",
    "wallet_app",
]
