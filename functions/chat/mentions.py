"""What a message mentions: of what a browser sends of an entity, only its id counts."""

from chatkit.types import (
    StreamingReq,
    ThreadsAddUserMessageReq,
    ThreadsCreateReq,
    UserMessageContent,
    UserMessageTagContent,
    UserMessageTextContent,
)

from ..context import RequestContext
from ..services import Services
from ..toolkit import Entity


async def resolve_mentions(
    request: StreamingReq, context: RequestContext, services: Services
) -> None:
    """Replace the mentions in a message by the entities with their ids, as this user has them now.

    Where there is none, the mention becomes the words that it shows. Reads what the assistant's
    sources read, and nothing when the message mentions nothing.
    """
    if not isinstance(request, ThreadsCreateReq | ThreadsAddUserMessageReq):
        return
    message = request.params.input
    ids = [part.id for part in message.content if isinstance(part, UserMessageTagContent)]
    found = await services.assistant.entities.find(ids, services.documents(context))
    message.content = [_resolved(part, found) for part in message.content]


def _resolved(part: UserMessageContent, found: dict[str, Entity]) -> UserMessageContent:
    if not isinstance(part, UserMessageTagContent):
        return part
    entity = found.get(part.id)
    if entity is None:
        return UserMessageTextContent(text=f"@{part.text}")
    return UserMessageTagContent(
        id=entity.id,
        text=entity.title,
        data=dict(entity.data),
        group=entity.group,
        interactive=entity.interactive,
    )
