"""What the model remembers: the newest items of a thread, within a budget."""

from collections.abc import Sequence

from agents import TResponseInputItem
from chatkit.agents import ThreadItemConverter
from chatkit.types import (
    AssistantMessageItem,
    Attachment,
    HiddenContextItem,
    ThreadItem,
    UserMessageItem,
    UserMessageTagContent,
)
from openai.types.responses import (
    EasyInputMessageParam,
    ResponseInputContentParam,
    ResponseInputTextParam,
)
from pydantic_core import to_json

from functions.context import RequestContext


def within_budget(
    newest_first: Sequence[ThreadItem], *, items: int, characters: int
) -> list[ThreadItem]:
    """The newest of the items, oldest first: at most `items` of them and `characters` of JSON.

    The newest user message and what follows it are always there, whatever their size.
    """
    kept: list[ThreadItem] = []
    spent = 0
    message_seen = False
    for item in newest_first:
        spent += len(item.model_dump_json())
        if message_seen and (len(kept) >= items or spent > characters):
            break
        kept.append(item)
        message_seen = message_seen or isinstance(item, UserMessageItem)
    return kept[::-1]


class Converter(ThreadItemConverter):
    """Thread items as model input, with the contents of attachments and mentioned entities."""

    def __init__(self, context: RequestContext) -> None:
        self._context = context

    async def attachment_to_message_content(
        self, attachment: Attachment
    ) -> ResponseInputContentParam:
        return ResponseInputTextParam(type="input_text", text=f"<File>{attachment.name}</File>")

    async def tag_to_message_content(self, tag: UserMessageTagContent) -> ResponseInputContentParam:
        data = to_json({"id": tag.id, "title": tag.text, **tag.data}, fallback=str).decode()
        return ResponseInputTextParam(type="input_text", text=f"<Mention>{data}</Mention>")

    async def assistant_message_to_input(
        self, item: AssistantMessageItem
    ) -> TResponseInputItem | list[TResponseInputItem] | None:
        # The SDK's own form, a list of `output_text`, is refused by chat completions.
        text = "".join(part.text for part in item.content)
        return EasyInputMessageParam(type="message", role="assistant", content=text)

    async def hidden_context_to_input(
        self, item: HiddenContextItem
    ) -> TResponseInputItem | list[TResponseInputItem] | None:
        if not isinstance(item.content, str):
            text = to_json(item.content, fallback=str).decode()
            item = item.model_copy(update={"content": text})
        return await super().hidden_context_to_input(item)
