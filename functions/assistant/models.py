"""What the starter assistant remembers of a person: plain data, and its limits.

The limits keep each kind's document under DynamoDB's 400 KB, even when every
character takes four bytes.
"""

from secrets import token_hex
from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

Scheme = Literal["light", "dark", "system"]


def _text(limit: int) -> object:
    return StringConstraints(strip_whitespace=True, min_length=1, max_length=limit)


Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{12}$")]


def new_id() -> str:
    return token_hex(6)


class Task(BaseModel):
    id: Id = Field(default_factory=new_id)
    title: Annotated[str, _text(200)]
    done: bool = False


class Contact(BaseModel):
    id: Id = Field(default_factory=new_id)
    name: Annotated[str, _text(80)]
    email: Annotated[
        str,
        StringConstraints(
            strip_whitespace=True, max_length=254, pattern=r"^\s*[^@\s]+@[^@\s]+\.[^@\s.]+\s*$"
        ),
    ]
    note: Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)] = ""


class Option(BaseModel):
    id: Id = Field(default_factory=new_id)
    title: Annotated[str, _text(80)]
    description: Annotated[str, StringConstraints(strip_whitespace=True, max_length=120)] = ""


class Choice(BaseModel):
    """A question with its options; `chosen` is the id of the one that was picked."""

    id: Id = Field(default_factory=new_id)
    question: Annotated[str, _text(200)]
    options: Annotated[list[Option], Field(min_length=1, max_length=10)]
    chosen: Id | None = None


class Note(BaseModel):
    id: Id = Field(default_factory=new_id)
    title: Annotated[str, _text(120)]
    text: Annotated[str, StringConstraints(max_length=4_000)] = ""


class Preferences(BaseModel):
    scheme: Scheme = "system"


MAX_TASKS = 200
MAX_CONTACTS = 100
MAX_CHOICES = 20
MAX_NOTES = 20
