"""ZIP archives whose bytes depend on their files alone."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterable
from pathlib import Path

from gridmap.outputs.export.job import ZIP_DATE

__all__ = ["zip_bytes", "zip_files"]


def zip_files(path: Path, files: Iterable[Path]) -> None:
    """Put files into an archive, under their own names, in the order given."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            entry = archive.open(_entry(file.name), "w", force_zip64=True)
            with entry as target, file.open("rb") as source:
                shutil.copyfileobj(source, target, 1 << 20)


def zip_bytes(path: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """Put texts, given with their names, into an archive."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(_entry(name), content)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, ZIP_DATE)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    entry.create_system = 3  # whatever the system that writes
    return entry
