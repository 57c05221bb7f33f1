"""Questions in a form of ChatKit's own."""

from datetime import datetime

from chatkit.types import (
    StructuredInputFreeform,
    StructuredInputItem,
    StructuredInputMultipleChoice,
    StructuredInputMultipleChoiceOption,
    ThreadItemDoneEvent,
)

from functions.toolkit import Turn, tool


@tool(ends_turn=True)
async def ask_visitor(turn: Turn) -> str:
    """Asks the visitor two questions."""
    options = [StructuredInputMultipleChoiceOption(value=value) for value in ("Much", "Little")]
    item = StructuredInputItem(
        id=turn.generate_id("message"),
        thread_id=turn.thread.id,
        created_at=datetime.now(),  # noqa: DTZ005
        inputs=[
            StructuredInputFreeform(id="goal", question="What would you like to do?"),
            StructuredInputMultipleChoice(id="time", question="How much time?", options=options),
        ],
    )
    await turn.stream(ThreadItemDoneEvent(item=item))
    return "The visitor has been asked."
