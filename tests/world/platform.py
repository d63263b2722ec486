"""The identity platform of `world.openid` on a socket, for a browser to sign in at."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

from world.openid import CLIENT, SECRET, Platform
from yinxin.base.clock import SystemClock

if TYPE_CHECKING:
    from pathlib import Path

    from yinxin.base.outbound import Response


class ServedPlatform:
    """A context manager. Who comes to `/authorize` is `subject` there, and is sent back at once."""

    def __init__(self) -> None:
        self.subject = "nobody"
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://localhost:{self._server.server_port}"
        self.platform = Platform(SystemClock(), issuer=self.url)  # type: ignore[arg-type]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def settings(self, place: Path) -> dict[str, Any]:
        """How a home is told of it; the client's secret lies in a file of this folder."""
        file = place / "openid-secret"
        file.write_text(SECRET, "utf-8")
        return {
            "openid_issuer": self.url,
            "openid_client_id": CLIENT,
            "openid_client_secret_file": file,
        }

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _handler(served: ServedPlatform) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/authorize"):
                self.send_response(303)
                self.send_header("Location", served.platform.browse(self.path, subject=served.subject))
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                self._answer(served.platform.get(served.url + self.path))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            url = served.url + self.path
            self._answer(served.platform.post(url, body, headers=dict(self.headers.items())))

        def _answer(self, response: Response) -> None:
            self.send_response(response.status)
            for name, value in response.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(response.body)))
            self.end_headers()
            self.wfile.write(response.body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler
