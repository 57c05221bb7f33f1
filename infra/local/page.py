"""Finds the file of the built page for a path, as CloudFront and the bucket do in AWS."""

from pathlib import Path


def file_at(folder: Path, path: str) -> Path | None:
    """The file, or None where there is none.

    A path without a dot in its last part is an address within the page, as in
    `infra.stack.cdn.SPA_FALLBACK`.
    """
    if "." not in path.rpartition("/")[2]:
        path = "/index.html"
    try:
        file = (folder / path.lstrip("/")).resolve()
        return file if file.is_file() and file.is_relative_to(folder.resolve()) else None
    except (OSError, ValueError):  # no file can have such a name
        return None
