"""A cat to look after, as in the first of OpenAI's advanced samples: its state goes with the
conversation, tools change it, and the page shows it.
"""

from datetime import datetime

from chatkit.types import ClientEffectEvent, HiddenContextItem, ThreadItemDoneEvent
from fastapi import APIRouter
from pydantic import BaseModel, Field

from functions.errors import PublicError
from functions.toolkit import ActionError, Assistant, action, tool
from functions.toolkit.routes import CallerDep

router = APIRouter()
MOST = 10


class Cat(BaseModel):
    name: str | None = None
    energy: int = Field(5, ge=0, le=MOST)


@tool
async def feed_cat(turn) -> str:
    """Gives the cat something to eat."""
    cat = await turn.thread_data.change(
        lambda cat: cat.model_copy(update={"energy": min(cat.energy + 2, MOST)})
    )
    await turn.stream(ClientEffectEvent(name="cat", data=cat.model_dump()))
    return f"The cat's energy is {cat.energy}."


class Name(BaseModel):
    name: str


@action("cat.name", payload=Name)
async def name_cat(run, chosen):
    if (await run.thread_data.read()).name is not None:
        raise ActionError(409, "The cat has a name.")
    await run.thread_data.change(lambda cat: cat.model_copy(update={"name": chosen.name}))
    yield ThreadItemDoneEvent(
        item=HiddenContextItem(
            id=run.generate_id("message"),
            thread_id=run.thread.id,
            created_at=datetime.now(),  # noqa: DTZ005 - naive, as the SDK's items are
            content=f"<CAT_NAMED>{chosen.name}</CAT_NAMED>",
        )
    )


@router.get("/cats/{thread_id}", response_model=None)
async def cat_of(thread_id: str, caller: CallerDep) -> dict[str, object]:
    if thread_id == "broken":
        raise PublicError(422, "This is no conversation.")
    return (await caller.documents.of_thread(thread_id).read()).model_dump()


class Cats(Assistant):
    thread_data = Cat
    routes = router
    action_routes = router

    def agent_for(self, turn):
        from agents import Agent

        tools = [tool.function_tool for tool in self.tools]
        return Agent(name="Keeper", instructions="You keep a cat.", tools=tools)

    async def input_items(self, turn):
        cat = await turn.thread_data.read()
        return [{"role": "developer", "content": f"The cat has the energy {cat.energy}."}]


assistant = Cats([__name__])
