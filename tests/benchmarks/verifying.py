"""The servers that `figures_against_node` measures, each in a process of its own.

    python tests/benchmarks/verifying.py checks|service FOLDER

`checks`: a route that reads, verifies and answers, with the product's own parts and server, and nothing
else: what the node server does. `service`: the product's `/v1/verifications` as it is, with grant,
register, nonce, record, audit and signed receipt, on a SQLite file (WAL, FULL). Writes questions and, for
node, trust and statuses into FOLDER.
"""

from __future__ import annotations

import asyncio
import json
import sys
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from fastapi import FastAPI, Request, Response

sys.path.insert(0, str(Path(__file__).parents[1]))

from world.departments import BUREAU, MATTER, PURPOSE, City

from credentials import key_binding
from signing.jose import dump_json
from signing.signers.file import FileSigner
from verify_api.documents import Material
from verify_api.http.schemas import read_question
from yinxin.app.connections import PatientProtocol
from yinxin.web.bodies import read_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verify_api.departments import Department

HOLDERS, QUESTIONS = 100, 4000
DISCLOSED = ("operator_name", "credit_code", "business_premises")


async def _nonces(city: City, department: Department) -> list[str]:
    made = await asyncio.gather(*(city.service.nonce(department) for _ in range(QUESTIONS)))
    return [one.value for one in made]


def questions(city: City, nonces: Sequence[str], **stated: str) -> list[bytes]:
    """Presentations by many holders, each with a nonce of its own."""
    holders, asked = [FileSigner.generate() for _ in range(HOLDERS)], []
    licence, _ = city.issue()
    credentials = [city.credential(licence, holder_key=holder.public_key) for holder in holders]
    for number, value in enumerate(nonces):
        shown = key_binding.present(
            credentials[number % HOLDERS],
            disclose=DISCLOSED,
            holder=holders[number % HOLDERS],
            audience=BUREAU,
            nonce=value,
            at=city.clock.now(),
        )
        asked.append(dump_json({**stated, "presentation": shown, "nonce": value}))
    return asked


def checks_app(city: City) -> FastAPI:
    """Verification and nothing else."""
    app, material, now = FastAPI(), Material(city.snapshots()), city.clock.now()

    @app.post("/verify")
    async def verify(request: Request) -> Response:
        question = read_question(await read_json(request, limit=1 << 20))
        report = material.verifier.verify(
            question.presentation or "", audience=BUREAU, nonce=question.nonce or "", now=now
        )
        answer = {"indication": str(report.indication), "claims": report.findings.get("claims")}
        return Response(dump_json(answer), media_type="application/json")

    return app


def node_config(city: City) -> dict[str, object]:
    """What the node server stands on."""
    return {
        "now": city.clock.now().timestamp(),
        "audience": BUREAU,
        "anchor": city.pki.root.certificate.to_pem().decode(),
        "statuses": {
            uri: b64encode(snapshot.statuses.to_bytes()).decode()
            for uri, snapshot in city.snapshots().statuses.items()
        },
    }


def main(kind: str, folder: Path) -> None:
    """Write the files, say where, serve until killed."""
    city, token = City(database_url=f"sqlite:///{folder / kind}.db", serve=False), ""
    if kind == "service":
        department = city.service.directory.active(BUREAU)
        assert department is not None
        token = city.service.tokens.issue(department, scope="verify")
        nonces = asyncio.run(_nonces(city, department))
        asked = questions(city, nonces, purpose=PURPOSE, matter=MATTER)
        app = city.make_app()
    else:
        asked = questions(city, [f"nonce-{number:08d}" for number in range(QUESTIONS)])
        app = checks_app(city)
        (folder / "node.json").write_text(json.dumps(node_config(city)))
    (folder / f"{kind}.txt").write_bytes(b"\n".join(asked))
    config = uvicorn.Config(
        app,
        port=0,
        http=PatientProtocol,
        log_level="critical",
        access_log=False,
        ws="none",
        proxy_headers=False,
    )
    server = uvicorn.Server(config)
    listener = config.bind_socket()
    print(json.dumps({"port": listener.getsockname()[1], "token": token}), flush=True)  # noqa: T201 - the parent reads it
    server.run(sockets=[listener])


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
