"""LibreOffice without a window: a letter exported as a signed PDF, with a key of this world.

It keeps keys in a profile of NSS, which `certutil` and `pk12util` make. The script below runs in the system's
own Python, because that is the one that can talk to LibreOffice.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

if TYPE_CHECKING:
    from signing.signers.file import FileSigner

PYTHON = Path("/usr/bin/python3")
SCRIPT = """
import json, os, subprocess, sys, time, uno
from com.sun.star.beans import PropertyValue

def named(**values):
    made = []
    for name, value in values.items():
        one = PropertyValue()
        one.Name, one.Value = name, value
        made.append(one)
    return tuple(made)

folder, exports = sys.argv[1], json.loads(sys.argv[2])
pipe = "yinxin%d" % os.getpid()
office = subprocess.Popen(["soffice", "--headless", "--norestore", "--nologo",
    "-env:UserInstallation=file://%s/profile" % folder, "--accept=pipe,name=%s;urp;" % pipe])
local = uno.getComponentContext()
resolver = local.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", local)
for _ in range(200):
    try:
        context = resolver.resolve("uno:pipe,name=%s;urp;StarOffice.ComponentContext" % pipe)
        break
    except Exception:
        time.sleep(0.2)
make = context.ServiceManager.createInstanceWithContext
desktop = make("com.sun.star.frame.Desktop", context)
try:
    security = make("com.sun.star.xml.crypto.SEInitializer", context).createSecurityContext("")
    (certificate,) = security.getSecurityEnvironment().getPersonalCertificates()
    letter = desktop.loadComponentFromURL("private:factory/swriter", "_blank", 0, named(Hidden=True))
    letter.Text.String = "Licence 001"
    for name, options in exports.items():
        data = named(SignPDF=True, SignatureCertificate=certificate, SignatureReason="Approved", **options)
        data = uno.Any("[]com.sun.star.beans.PropertyValue", data)
        letter.storeToURL("file://%s/%s.pdf" % (folder, name),
            named(FilterName="writer_pdf_Export", FilterData=data))
    letter.close(True)
finally:
    desktop.terminate()
    office.wait(20)
"""


def signed_letters(
    folder: Path, signer: FileSigner, exports: dict[str, dict[str, object]]
) -> dict[str, bytes]:
    """A letter, exported once with each set of options; a skip says what is missing."""
    for program in ("soffice", "certutil", "pk12util"):
        if which(program) is None:
            pytest.skip(f"no {program}: apt-get install libreoffice-writer-nogui libnss3-tools")
    if subprocess.run([PYTHON, "-c", "import uno"], capture_output=True, check=False).returncode:
        pytest.skip("Python cannot talk to LibreOffice: apt-get install python3-uno")
    own = f"sql:{_nss(folder, signer)}"
    environment = {**os.environ, "MOZILLA_CERTIFICATE_FOLDER": own, "HOME": str(folder)}
    _run(PYTHON, "-c", SCRIPT, folder, json.dumps(exports), env=environment)
    return {name: (folder / f"{name}.pdf").read_bytes() for name in exports}


def _nss(folder: Path, signer: FileSigner) -> Path:
    """A profile with the key, and its root as one that is trusted."""
    own, packed, root = folder / "nss", folder / "key.p12", folder / "root.der"
    own.mkdir()
    above = [one.x509 for one in signer.chain[1:]]
    packed.write_bytes(
        pkcs12.serialize_key_and_certificates(
            b"key", signer._private_key, signer.certificate.x509, above, BestAvailableEncryption(b"x")
        )
    )
    root.write_bytes(signer.chain[-1].der)
    _run("certutil", "-N", "-d", f"sql:{own}", "--empty-password")
    _run("pk12util", "-i", packed, "-d", f"sql:{own}", "-W", "x", "-K", "")
    _run("certutil", "-A", "-d", f"sql:{own}", "-n", "root", "-t", "C,C,C", "-i", root)
    return own


def _run(*command: str | Path, env: dict[str, str] | None = None) -> None:
    ran = subprocess.run(
        [str(part) for part in command], env=env, capture_output=True, timeout=120, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
