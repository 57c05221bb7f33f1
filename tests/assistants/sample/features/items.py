"""A list on a card, ticked off in place; its entries can be mentioned."""

from pathlib import Path
from secrets import token_hex
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from functions.toolkit import (
    ActionError,
    Document,
    Entity,
    Turn,
    Widget,
    action,
    entity_source,
    tool,
)

CARD = Widget(Path(__file__).parents[1] / "widgets" / "items.widget")

ItemId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{12}$")]


class Item(BaseModel):
    id: ItemId = Field(default_factory=lambda: token_hex(6))
    title: str
    done: bool = False


ITEMS = Document[list[Item]]("items", list[Item], empty=list)


def card(items):
    return CARD.build(items=items, left=sum(not item.done for item in items))


async def add_items(documents, titles):
    return await documents.change(
        ITEMS, lambda items: [*items, *(Item(title=title) for title in titles)]
    )


async def set_done(documents, item_id, done):
    def tick(items):
        if all(item.id != item_id for item in items):
            raise ActionError(404, "There is no such item.")
        return [
            item.model_copy(update={"done": done}) if item.id == item_id else item for item in items
        ]

    return await documents.change(ITEMS, tick)


@tool
async def show_items(turn: Turn, add: list[str]) -> str:
    """Shows the list, with new items in it.

    Args:
        add: Titles of new items.
    """
    items = await add_items(turn.documents, add or ["milk", "bread", "tea"])
    await turn.stream_widget(card(items))
    return f"{len(items)} items are on the page."


class Toggle(BaseModel):
    id: ItemId
    done: bool


@action("item.toggle", payload=Toggle, sync=True)
async def toggle(run, payload):
    run.check_offered("item.toggle")
    await set_done(run.documents, payload.id, payload.done)

    async def redraw(_):
        return card(await run.documents.read(ITEMS))

    return redraw


@entity_source
async def items_to_mention(documents):
    return [
        Entity(
            id=f"item_{item.id}",
            title=item.title,
            group="Items",
            icon="check",
            data={"type": "item"},
        )
        for item in await documents.read(ITEMS)
    ]
