"""What a folder holds that can be sealed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def pdfs_in(folder: Path) -> list[str]:
    """The PDFs of a folder and below, by name; what is hidden is left out."""
    names = [path.relative_to(folder) for path in folder.rglob("*")]
    return sorted(
        name.as_posix()
        for name in names
        if name.suffix.lower() == ".pdf"
        and not any(part.startswith(".") for part in name.parts)
        and (folder / name).is_file()
    )
