"""The questions of an evaluation, from TOML files."""

import tomllib
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from functions.errors import first_problem


class QuestionsError(Exception):
    """A file of questions is missing or wrong. The message says which, and why."""


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _with_arguments(value: object) -> object:
    """Names of tools become names with no particular arguments."""
    value = _listed(value)
    return {name: {} for name in value} if isinstance(value, list) else value


Texts = Annotated[list[str], BeforeValidator(_listed)]
"""One text, or several."""


class Question(BaseModel):
    """One conversation, and what is expected of it."""

    model_config = ConfigDict(extra="forbid")

    say: Annotated[Texts, Field(min_length=1)]
    """What the user says, in turn."""
    roles: Texts = []
    """The user's roles."""
    contains: Texts = []
    """What the last answer contains, in capitals or small letters."""
    not_contains: Texts = []
    called: Annotated[dict[str, dict[str, Any]], BeforeValidator(_with_arguments)] = {}
    """Tools that are called: their names, or arguments by name."""
    not_called: Texts = []
    judge: str | None = None
    """What has to be true of the conversation; a model judges it."""
    max_tokens: int | None = Field(None, ge=1)
    """The most tokens that all answers may take, in and out."""

    @property
    def name(self) -> str:
        return " ".join(" / ".join(self.say).split())


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    question: Annotated[list[Question], Field(min_length=1)]


def read_questions(folder: Path) -> list[Question]:
    """The questions of all `*.toml` in a folder. Raises `QuestionsError`."""
    files = sorted(folder.glob("*.toml"))
    if not files:
        raise QuestionsError(f"{folder} has no questions: write some into {folder}/questions.toml")
    found: list[Question] = []
    for file in files:
        try:
            found += _File.model_validate(tomllib.loads(file.read_text("utf-8"))).question
        except tomllib.TOMLDecodeError as error:
            raise QuestionsError(f"{file}: {error}") from None
        except ValidationError as error:
            raise QuestionsError(f"{file}: {first_problem(error.errors())}") from None
    return found
