"""A passage as the metadata of its vector, and back."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from .passages import Document, Passage
from .vectors import EVERYBODY, FILTERABLE_BYTES, seen_by

_OF_THE_DOCUMENT: Final = 100
"""Bytes for the document's id, which is filterable, too."""


def filterable(tenant: str | None, roles: Iterable[str], tags: Iterable[str]) -> bool:
    """Whether S3 Vectors takes such names: it has room for 2 KB of them."""
    said = json.dumps(seen_by(tenant, roles, tags), ensure_ascii=False).encode()
    return len(said) <= FILTERABLE_BYTES - _OF_THE_DOCUMENT


def metadata_of(document: Document, passage: Passage) -> dict[str, Any]:
    """What a vector says of its passage. What there is not is left out."""
    said = {
        "document": document.id,
        "title": document.title,
        "path": document.path,
        "text": passage.text,
        "headings": list(passage.headings),
        "page": passage.page,
        "anchor": passage.anchor,
    }
    there = {name: value for name, value in said.items() if value not in (None, "", [])}
    return seen_by(document.tenant, document.roles, document.tags) | there


def passage_of(key: str, metadata: Mapping[str, Any]) -> Passage:
    page = metadata.get("page")
    return Passage(
        metadata.get("text", ""),
        tuple(metadata.get("headings", ())),
        None if page is None else int(page),
        metadata.get("anchor"),
        id=key,
    )


def may_see(metadata: Mapping[str, Any], tenant: str | None, roles: Iterable[str]) -> bool:
    """Whether somebody of this tenant (a key part) with these roles may see a stored passage: what
    `who_may_see` asks for, of one that was not found by a filter.
    """
    person = seen_by(tenant, roles)
    tenants, theirs = {EVERYBODY, person["tenant"]}, {EVERYBODY, *person["roles"]}
    return metadata.get("tenant") in tenants and not theirs.isdisjoint(metadata.get("roles", ()))
