"""A desk where documents are sealed and verified: a PKI, a time-stamp authority, snapshots, small PDFs."""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from signing.pdf import Seal, SealFace, VerifiedDocument, verify
from signing.revocation import Crl, RevocationSnapshot
from signing.trust import TrustStore
from world.pki import NOON, START, Pki, TestAuthority
from world.tsa import MemoryTsa

if TYPE_CHECKING:
    from datetime import datetime

    from signing.report import Report
    from signing.signers.file import FileSigner


@dataclass
class Desk:
    """Seals with the agency's key and verifies with what an ordinary verifier holds."""

    pki: Pki = field(default_factory=Pki)

    def __post_init__(self) -> None:
        # An authority for time-stamps works longer than the keys whose signatures it stamps.
        end = START + timedelta(days=3600)
        tsa = self.pki.issuing.issue("津城时间戳 Test TSA", "timestamp", not_after=end)
        self.tsa = MemoryTsa(tsa)
        self.agency = self.pki.signer("seal", "津城市场监管局 Market Bureau")
        self.citizen = self.pki.signer("signature", "张三 Zhang San")
        self.trust = TrustStore([self.pki.root.certificate])

    def seal(
        self, pdf: bytes, *, signer: FileSigner | None = None, stamped: bool = True, **asked: Any
    ) -> bytes:
        face, certify = asked.pop("face", None), asked.pop("certify", True)
        timestamper = asked.pop("timestamper", self.tsa if stamped else None)
        maker = Seal(signer or self.agency, face=face, timestamper=timestamper, certify=certify)
        return maker.apply(pdf, now=asked.pop("now", NOON), **asked)

    def verify(self, pdf: bytes, *, now: datetime = NOON, **asked: Any) -> Report[VerifiedDocument]:
        revocation = asked.pop("revocation", None) or self.revocation(now)
        return verify(pdf, asked.pop("trust", self.trust), revocation=revocation, now=now, **asked)

    def revocation(self, at: datetime = NOON, *more: TestAuthority) -> RevocationSnapshot:
        authorities = (self.pki.root, self.pki.issuing, *more)
        return RevocationSnapshot(Crl.from_der(authority.crl(at)) for authority in authorities)


def plain_pdf(text: str = "Licence 001", *, files: dict[str, bytes] | None = None, pages: int = 1) -> bytes:
    """A small PDF with a classic cross-reference table, and embedded files."""
    attached = sorted((files or {}).items())
    kids = " ".join(f"{10 + 2 * page} 0 R" for page in range(pages))
    first_file = 10 + 2 * pages
    names = " ".join(f"({name}) {first_file + 2 * index} 0 R" for index, (name, _) in enumerate(attached))
    tree = f" /Names << /EmbeddedFiles << /Names [{names}] >> >>" if attached else ""
    objects: dict[int, bytes] = {
        1: f"<< /Type /Catalog /Pages 2 0 R{tree} >>".encode(),
        2: f"<< /Type /Pages /Kids [{kids}] /Count {pages} /MediaBox [0 0 595 842] >>".encode(),
        3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    }
    for page in range(pages):
        content = f"BT /F1 24 Tf 72 700 Td ({text}) Tj ET".encode()
        objects[10 + 2 * page] = (
            "<< /Type /Page /Parent 2 0 R /Resources << /Font << /F1 3 0 R >> >> "
            f"/Contents {11 + 2 * page} 0 R >>"
        ).encode()
        objects[11 + 2 * page] = b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content)
    for index, (name, data) in enumerate(attached):
        number = first_file + 2 * index
        objects[number] = (
            f"<< /Type /Filespec /F ({name}) /UF ({name}) /EF << /F {number + 1} 0 R >> >>".encode()
        )
        objects[number + 1] = b"<< /Type /EmbeddedFile /Length %d >>\nstream\n%s\nendstream" % (
            len(data),
            data,
        )
    return append_revision(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", objects, root=1)


def append_revision(pdf: bytes, objects: dict[int, bytes], *, root: int = 1, extra: bytes = b"") -> bytes:
    """The file with one more revision that holds these objects, as any editor could write it."""
    out, places = bytearray(pdf), {}
    for number, body in sorted(objects.items()):
        places[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n"
    previous = pdf.rfind(b"startxref")
    if previous < 0:
        out += b"0 1\n0000000000 65535 f \n"
    for number, place in places.items():
        out += b"%d 1\n%010d 00000 n \n" % (number, place)
    size = max([*objects, 0]) + 1
    before = b""
    if previous >= 0:
        before = b" /Prev %d" % int(pdf[previous + 9 :].split()[0])
        size = max(size, *(int(found) for found in re.findall(rb"/Size (\d+)", pdf)))
    out += b"trailer\n<< /Size %d /Root %d 0 R%s%s >>\n" % (size, root, before, extra)
    return bytes(out + b"startxref\n%d\n%%%%EOF\n" % start)


def png(width: int = 8, height: int = 8, *, kind: int = 6) -> bytes:
    """A red square; `kind` is PNG's colour type (6 = RGBA, half transparent)."""
    pixel = {0: b"\x80", 2: b"\xd0\0\0", 4: b"\x80\x7f", 6: b"\xd0\0\0\x7f"}[kind]
    rows = b"".join(b"\0" + pixel * width for _ in range(height))

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def red_face(width_mm: float = 42, height_mm: float = 42) -> SealFace:
    return SealFace(png(64, 64), width_mm, height_mm)
