"""Choices: a question with options on a card. The assistant continues when one is picked."""

from pathlib import Path
from secrets import token_hex
from typing import Annotated

from chatkit.types import WidgetItem
from chatkit.widgets import WidgetRoot
from pydantic import BaseModel, Field, StringConstraints

from ...toolkit import (
    ActionError,
    ActionRun,
    Document,
    Documents,
    Handover,
    Turn,
    Widget,
    action,
    tool,
)

MAX_CHOICES = 20
"""Older questions are deleted, and the buttons on their cards no longer work."""

CARD = Widget(Path(__file__).parents[1] / "widgets" / "choices.widget")

Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{12}$")]


def new_id() -> str:
    return token_hex(6)


class Option(BaseModel):
    id: Id = Field(default_factory=new_id)
    title: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
    description: Annotated[str, StringConstraints(strip_whitespace=True, max_length=120)] = ""


class Choice(BaseModel):
    """A question with its options. `chosen` is the id of the option that was picked."""

    id: Id = Field(default_factory=new_id)
    question: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    options: Annotated[list[Option], Field(min_length=1, max_length=10)]
    chosen: Id | None = None


CHOICES = Document[list[Choice]]("choices", list[Choice], empty=list)


def card(choice: Choice) -> WidgetRoot:
    """A card with the options, or without buttons and with the chosen one marked."""
    return CARD.build(**choice.model_dump())


def find(choices: list[Choice], choice_id: str) -> Choice:
    for choice in choices:
        if choice.id == choice_id:
            return choice
    raise ActionError(404, "That list is not there any more.")


async def pick(documents: Documents, choice_id: str, option_id: str) -> Choice:
    """Choose this option. Raises `ActionError` when another option was chosen before."""

    def choose(choices: list[Choice]) -> list[Choice]:
        picked = find(choices, choice_id)
        if all(option.id != option_id for option in picked.options):
            raise ActionError(404, "That option is not on the list.")
        if picked.chosen not in {None, option_id}:
            raise ActionError(409, "Another option was already chosen.")
        after = picked.model_copy(update={"chosen": option_id})
        return [after if choice.id == choice_id else choice for choice in choices]

    return find(await documents.change(CHOICES, choose), choice_id)


@tool(ends_turn=True)
async def offer_choices(turn: Turn, question: str, options: list[str]) -> str:
    """Offers the visitor a choice in a list; you go on when one was picked.

    Args:
        question: What is to be chosen, at most 200 characters.
        options: From two to eight short titles.
    """
    choice = Choice(
        question=question[:200], options=[Option(title=title[:80]) for title in options[:8]]
    )
    await turn.documents.change(CHOICES, lambda known: [*known, choice][-MAX_CHOICES:])
    await turn.stream_widget(card(choice))
    return "The choice is on the page. Wait for it."


class Pick(BaseModel):
    choice: Id
    option: Id


@action("choice.pick", payload=Pick, streams_answer=True)
async def pick_option(run: ActionRun, picked: Pick) -> Handover:
    known = find(await run.documents.read(CHOICES), picked.choice)
    if known.chosen is None:
        run.check_offered("choice.pick")
    choice = await pick(run.documents, picked.choice, picked.option)
    option = next(option for option in choice.options if option.id == picked.option)

    async def redraw(_: WidgetItem) -> WidgetRoot:
        return card(find(await run.documents.read(CHOICES), choice.id))

    return Handover(
        context=f"Asked {choice.question!r}, the person chose {option.title!r}. Continue with it.",
        redraw=redraw,
    )
