"""Passages: the parts of documents that are indexed, found and cited."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PassageText:
    """A part of a document, before it has an id.

    `headings` is the path of headings above its beginning, the highest first. `page` counts from 1,
    and is the page of its beginning; `anchor` is the fragment of a link to the nearest heading
    above. Documents that have none of these have `None`.
    """

    text: str
    headings: tuple[str, ...]
    page: int | None
    anchor: str | None
