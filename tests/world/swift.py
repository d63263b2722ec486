"""A real object store of other makers: OpenStack Swift with its S3 interface, one disk, on this machine.

`pip install swift` brings its programs, best into a virtual environment of its own, whose folder of programs
`YINXIN_SWIFT` names; they are also looked for beside this Python and on PATH.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.request import urlopen

import pytest

if TYPE_CHECKING:
    from credentials.documents.s3 import S3Store

PARTS = ("account", "container", "object")
PROXY = """
[pipeline:main]
pipeline = catch_errors healthcheck cache listing_formats bulk s3api tempauth slo proxy-server
[app:proxy-server]
use = egg:swift#proxy
allow_account_management = true
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:cache]
use = egg:swift#memcache
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:bulk]
use = egg:swift#bulk
[filter:s3api]
use = egg:swift#s3api
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[filter:slo]
use = egg:swift#slo
"""


class Swift:
    """Four processes and a ring each."""

    access_key, secret_key = "test:tester", "testing"

    def __init__(self, folder: Path) -> None:
        found = shutil.which("swift-proxy-server", path=os.pathsep.join(_places()))
        if found is None or not hasattr(os, "setxattr"):
            pytest.skip("no OpenStack Swift: pip install swift, and name its folder in YINXIN_SWIFT")
        self._programs, self._folder = Path(found).parent, folder
        self._running: list[subprocess.Popen[bytes]] = []
        self.endpoint = ""

    def __enter__(self) -> Self:
        (self._folder / "disks" / "d1").mkdir(parents=True)
        self._write("swift.conf", "[swift-hash]\nswift_hash_path_suffix = a\nswift_hash_path_prefix = b\n")
        for part in PARTS:
            port = _free_port()
            self._ring(part, port)
            use = f"[pipeline:main]\npipeline = {part}-server\n[app:{part}-server]\nuse = egg:swift#{part}\n"
            self._start(part, port, use)
        port = _free_port()
        self._start("proxy", port, PROXY)
        self.endpoint = f"http://127.0.0.1:{port}"
        self._wait()
        return self

    def __exit__(self, *_trouble: object) -> None:
        for process in self._running:
            process.kill()
            process.wait()

    def make_bucket(self, place: S3Store, name: str) -> None:
        """Make a bucket; what we ship never does that."""
        from credentials.documents.s3 import _signed  # noqa: PLC0415 - the signer under test

        url = f"{self.endpoint}/{name}"
        headers = _signed("PUT", url, b"", place._keys, "us-east-1")
        assert place._outbound.send("PUT", url, body=b"", headers=headers).status == 200

    def _ring(self, part: str, port: int) -> None:
        builder = [str(self._programs / "swift-ring-builder"), str(self._folder / f"{part}.builder")]
        for step in (["create", "4", "1", "1"], ["add", f"r1z1-127.0.0.1:{port}/d1", "1"], ["rebalance"]):
            subprocess.run([*builder, *step], check=False, capture_output=True, cwd=self._folder)

    def _start(self, part: str, port: int, pipeline: str) -> None:
        user = os.environ.get("USER") or "root"
        head = f"[DEFAULT]\ndevices = {self._folder / 'disks'}\nmount_check = false\nbind_ip = 127.0.0.1\n"
        head += f"bind_port = {port}\nworkers = 0\nswift_dir = {self._folder}\nuser = {user}\n"
        file = self._write(f"{part}-server.conf", head + pipeline)
        with (self._folder / f"{part}.log").open("wb") as log:
            command = [str(self._programs / f"swift-{part}-server"), str(file)]
            self._running.append(subprocess.Popen(command, stdout=log, stderr=log, cwd=self._folder))

    def _wait(self) -> None:
        for _ in range(200):
            try:
                with urlopen(f"{self.endpoint}/healthcheck", timeout=1) as answer:  # noqa: S310 - our own server
                    if answer.status == 200:
                        return
            except OSError:
                time.sleep(0.1)
        raise AssertionError((self._folder / "proxy.log").read_text())

    def _write(self, name: str, text: str) -> Path:
        path = self._folder / name
        path.write_text(text)
        return path


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _places() -> list[Any]:
    named = os.environ.get("YINXIN_SWIFT")
    return [*([named] if named else []), str(Path(sys.executable).parent), os.environ.get("PATH", "")]
