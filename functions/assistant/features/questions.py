"""Questions: the assistant asks the visitor with ChatKit's built-in form."""

from datetime import datetime

from chatkit.types import (
    StructuredInputFreeform,
    StructuredInputItem,
    StructuredInputMultipleChoice,
    StructuredInputMultipleChoiceOption,
    ThreadItemDoneEvent,
)

from ...toolkit import Turn, tool

DEPTHS = ("Just the answer", "A short explanation", "Everything")


@tool(ends_turn=True)
async def ask_visitor(turn: Turn, topic: str) -> str:
    """Asks the visitor for what you need to know before you can go on, in a small form.

    Args:
        topic: What it is about, in a few words.
    """
    questions = StructuredInputItem(
        id=turn.generate_id("message"),
        thread_id=turn.thread.id,
        created_at=datetime.now(),  # noqa: DTZ005 - naive, as the SDK's own items are
        inputs=[
            StructuredInputFreeform(id="goal", question=f"What would you like to do: {topic}?"),
            StructuredInputMultipleChoice(
                id="depth",
                question="How much detail do you want?",
                options=[StructuredInputMultipleChoiceOption(value=depth) for depth in DEPTHS],
            ),
        ],
    )
    await turn.stream(ThreadItemDoneEvent(item=questions))
    return "The visitor has been asked. Wait for the answers."
