"""The documents of a test, searched in memory by the words that they share with a query."""

import re
from collections.abc import Collection, Mapping

from ...aws.keys import part
from ...knowledge.passages import Document, PassageText, document_id, with_ids
from ...knowledge.search import TOP, Found, Knowledge, PassageView


class GivenDocuments(Knowledge):
    """`documents` has texts by their paths, or `Document`s. Each paragraph is a passage."""

    def __init__(self, documents: Mapping[str, str | Document]) -> None:
        self._documents = [
            _document(path, given) if isinstance(given, str) else given
            for path, given in documents.items()
        ]

    async def search(
        self,
        query: str,
        *,
        tenant: str | None,
        roles: Collection[str],
        tags: Collection[str] = (),
        top: int = TOP,
    ) -> list[Found]:
        asked = _words(query)
        found = [
            Found(passage, document.id, document.title, document.path, score)
            for document in self._seen_by(tenant, roles)
            if not tags or not set(tags).isdisjoint(document.tags)
            for passage in document.passages
            if (score := len(asked & _words(passage.in_context)))
        ]
        return sorted(found, key=lambda each: -each.score)[:top]

    async def passage(
        self, passage_id: str, *, tenant: str | None, roles: Collection[str]
    ) -> PassageView | None:
        for document in self._seen_by(tenant, roles):
            for at, passage in enumerate(document.passages):
                if passage.id == passage_id:
                    texts = ["", *(each.text for each in document.passages), ""]
                    link = f"https://files.example/{document.path}"
                    title, path = document.title, document.path
                    return PassageView(texts[at], passage, texts[at + 2], title, path, link)
        return None

    def _seen_by(self, tenant: str | None, roles: Collection[str]) -> list[Document]:
        theirs = None if tenant is None else part(tenant)
        return [each for each in self._documents if each.seen_by(theirs, roles)]


def _document(path: str, text: str) -> Document:
    document = document_id(None, path)
    texts = [PassageText(each) for each in re.split(r"\n\s*\n", text.strip())]
    return Document(document, path, path, passages=with_ids(document, texts))


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))
