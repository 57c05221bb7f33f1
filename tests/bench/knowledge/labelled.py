"""The labelled set: questions, and the passage of a document that answers each."""

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path

from functions.ingest.reading import Block, Read
from functions.ingest.reading.program import answer
from functions.ingest.splitting import split
from functions.knowledge.passages import PassageText

FOLDER = Path(__file__).parent
DOCUMENTS = FOLDER / "documents"
KINDS = ("plain", "exact", "near-miss", "paraphrase", "other-language")
LANGUAGES = ("en", "de")


@dataclass(frozen=True)
class Question:
    document: str
    """Its path below documents/."""
    heading: str
    quote: str
    """Words of the passage that answers. They stand once in the document, under that heading."""
    kind: str
    language: str
    question: str

    @property
    def held_out(self) -> bool:
        """Whether no setting may be chosen by looking at it: by its own hash, so for ever."""
        return hashlib.sha256(self.question.encode()).digest()[-1] % 2 == 1


def questions() -> list[Question]:
    with (FOLDER / "questions.csv").open(encoding="utf-8", newline="") as file:
        return [Question(**row) for row in csv.DictReader(file)]


def documents() -> dict[str, str]:
    """The text of each document by its path below documents/."""
    return {
        path.relative_to(DOCUMENTS).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(DOCUMENTS.rglob("*.md"))
    }


def sections(text: str) -> list[tuple[str, str]]:
    """Each heading of a document with the text under it, up to the next heading."""
    found: list[tuple[str, str]] = []
    for line in text.splitlines(keepends=True):
        if line.startswith("#"):
            found.append((line.lstrip("#").strip(), ""))
        else:
            heading, before = found[-1]
            found[-1] = (heading, before + line)
    return found


def passages(path: str, tokens: int) -> list[PassageText]:
    """The passages of a document as the product reads and splits it, but in this process."""
    told = answer((DOCUMENTS / path).read_bytes(), path)
    return split(Read(told["title"], [Block(**block) for block in told["blocks"]]), tokens)


def answers(passage: PassageText, question: Question) -> bool:
    """Whether a passage of the question's document has the label's words."""
    return question.quote in " ".join(passage.text.split())
