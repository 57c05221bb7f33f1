"""Which file of the built page an address gives, as CloudFront and the bucket decide it in AWS."""

from pathlib import Path


def file_at(folder: Path, path: str) -> Path | None:
    """The file, or None where there is none.

    As in `infra.stack.cdn.SPA_FALLBACK`: an address without a dot in its last part is the page's own
    to show.
    """
    if "." not in path.rpartition("/")[2]:
        path = "/index.html"
    try:
        file = (folder / path.lstrip("/")).resolve()
        return file if file.is_file() and file.is_relative_to(folder.resolve()) else None
    except (OSError, ValueError):  # no file can have such a name
        return None
