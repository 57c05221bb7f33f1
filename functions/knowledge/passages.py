"""Documents, their passages, and their ids.

Ids follow from content: the same file put again makes the same ids, so only what changed is
embedded, and no passage is in the index twice.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

DOCUMENT_ID: Final = 20
"""Hex digits of a document's id, which are the first of each of its passages' ids."""

PASSAGE_ID: Final = re.compile(r"[0-9a-f]{36}(-[1-9][0-9]{0,5})?")
"""The form of a passage's id, such as `3f…c0` or `3f…c0-1`."""


def document_id(tenant: str | None, path: str) -> str:
    """The id of the document at this path. `tenant` is that of `Document`."""
    return _hash([tenant, path], DOCUMENT_ID)


def document_of(passage_id: str) -> str:
    """The id of the document that a passage belongs to."""
    return passage_id[:DOCUMENT_ID]


@dataclass(frozen=True)
class PassageText:
    """A part of a document, before it has an id.

    `headings` is the path of headings above its beginning, the highest first. `page` counts from 1,
    and is the page of its beginning; `anchor` is the fragment of a link to the nearest heading
    above. Documents that have none of these have `None`.
    """

    text: str
    headings: tuple[str, ...] = ()
    page: int | None = None
    anchor: str | None = None


@dataclass(frozen=True)
class Passage(PassageText):
    """A piece of a document, with its id."""

    id: str = ""

    @property
    def in_context(self) -> str:
        """What is embedded: the path of headings, then the text."""
        return "\n\n".join(filter(None, [" > ".join(self.headings), self.text]))


@dataclass(frozen=True)
class Document:
    """One document as it was read last. `path` is that below `knowledge/`, of a tenant's document
    below `knowledge/@<tenant>/`. `passages` are in their order.

    `tenant` is its name as a key part (`functions.aws.keys.part`), and `None` for a document that
    belongs to no tenant, which everybody may see. Of these people only those may see it who have
    one of `roles`, unless there are none.
    """

    id: str
    path: str
    title: str
    tenant: str | None = None
    roles: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    passages: tuple[Passage, ...] = ()

    def seen_by(self, tenant: str | None, roles: Iterable[str]) -> bool:
        """Whether somebody of this tenant (a key part) with these roles may see the document."""
        theirs = self.tenant is None or self.tenant == tenant
        return theirs and (not self.roles or not set(self.roles).isdisjoint(roles))


def with_ids(document: str, texts: Iterable[PassageText]) -> tuple[Passage, ...]:
    """The passages of a document, each with its id.

    An id is the document's, a hash of headings, page and text, and for a piece that repeats another
    one of the document a number.
    """
    seen: Counter[str] = Counter()
    passages = []
    for piece in texts:
        name = document + _hash([piece.headings, piece.page, piece.text], 16)
        again = f"-{seen[name]}" if seen[name] else ""
        seen[name] += 1
        passages.append(
            Passage(piece.text, piece.headings, piece.page, piece.anchor, id=name + again)
        )
    return tuple(passages)


def _hash(value: object, digits: int) -> str:
    text = json.dumps(value, ensure_ascii=True)  # a lone surrogate is escaped
    return sha256(text.encode()).hexdigest()[:digits]
