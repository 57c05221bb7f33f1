"""An assistant without the Agents SDK: it answers by a rule, or hands over to the model itself."""

import asyncio
from datetime import datetime

from chatkit.types import (
    Annotation,
    AssistantMessageContent,
    AssistantMessageContentPartAnnotationAdded,
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    FileSource,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemUpdatedEvent,
)

from functions.toolkit import Assistant


class Rules(Assistant):
    async def respond(self, turn):
        question = "".join(part.text for part in turn.message.content)
        if question == "How many?":
            said = [item for item in await turn.history() if item.type == "user_message"]
            async for event in self._say(turn, f"You have said {len(said)} things."):
                yield event
        elif question == "What is sent?":
            sent = await turn.model_input()
            async for event in self._say(turn, " | ".join(item["role"] for item in sent)):
                yield event
        elif question == "Break":
            async for event in self._say(turn, "It was going so", breaks=True):
                yield event
        elif question == "Slowly":
            async for event in self._say(turn, "one two three", waits=True):
                yield event
        elif question == "Nothing":
            return
        else:
            await turn.progress("Looking it up")
            async for event in self._say(turn, "It is in the handbook.", cites=True):
                yield event
        turn.count_tokens(1_000, 100)

    async def _say(self, turn, text, *, breaks=False, waits=False, cites=False):
        item = AssistantMessageItem(
            id="the same for each",
            thread_id=turn.thread.id,
            created_at=datetime.now(),  # noqa: DTZ005 - naive, as the SDK's items are
            content=[AssistantMessageContent(text="")],
        )
        yield ThreadItemAddedEvent(item=item)
        for word in text.split(" "):
            if waits and word == "three":
                await asyncio.sleep(60)
            delta = AssistantMessageContentPartTextDelta(content_index=0, delta=f"{word} ")
            yield ThreadItemUpdatedEvent(item_id=item.id, update=delta)
        if breaks:
            raise ConnectionError("the rules were not reached")
        cited = [Annotation(source=FileSource(filename="handbook.pdf", title="Handbook"), index=3)]
        if cites:
            update = AssistantMessageContentPartAnnotationAdded(
                content_index=0, annotation_index=0, annotation=cited[0]
            )
            yield ThreadItemUpdatedEvent(item_id=item.id, update=update)
        content = AssistantMessageContent(text=text, annotations=cited if cites else [])
        yield ThreadItemDoneEvent(item=item.model_copy(update={"content": [content]}))

    async def title(self, turn):
        return f"About {turn.first_words}"


assistant = Rules()
