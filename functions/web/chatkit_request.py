"""ChatKit requests: read from a body, and refused in words when they are not right."""

import base64
import binascii
from typing import Any

from chatkit.types import (
    AttachmentsCreateReq,
    ChatKitReq,
    InputTranscribeReq,
    ItemsFeedbackReq,
    ItemsListReq,
    ThreadsAddUserMessageReq,
    ThreadsCreateReq,
    ThreadsCustomActionReq,
    ThreadsListReq,
    ThreadsSyncCustomActionReq,
    ThreadsUpdateReq,
    UserMessageInput,
    UserMessageTextContent,
)
from pydantic import TypeAdapter, ValidationError

from ..errors import PublicError, first_problem

PAGE_LIMIT = 100
"""The most threads or items in one page. ChatKit asks for 20."""
TITLE_LIMIT = 200
MESSAGE_LIMIT = 200_000
"""Characters of text in one message: some 50,000 tokens."""
ATTACHMENTS_LIMIT = 10
FEEDBACK_LIMIT = 100

_adapter: TypeAdapter[ChatKitReq] = TypeAdapter(ChatKitReq)


def parse(body: bytes) -> ChatKitReq:
    """The operation in `body`. Raises `PublicError` (400 or 422) for anything else."""
    try:
        request = _adapter.validate_json(body)
    except ValidationError as error:
        raise _refusal(error) from None
    _check(request)
    return request


def _refusal(error: ValidationError) -> PublicError:
    """Where it is wrong and how, without a word of what was sent."""
    first: Any = error.errors(include_url=False, include_input=False, include_context=False)[0]
    match first["type"]:
        case "json_invalid":
            return PublicError(400, "The body is not valid JSON.")
        case "union_tag_invalid" | "union_tag_not_found" | "model_attributes_type" | "dict_type":
            if len(first["loc"]) == 0:
                return PublicError(400, "The body is not a ChatKit operation: see its `type`.")
    return PublicError(422, first_problem([first], skip=1))


def _check(request: ChatKitReq) -> None:
    match request:
        case ThreadsCreateReq() | ThreadsAddUserMessageReq():
            _check_message(request.params.input)
        case ThreadsListReq() | ItemsListReq():
            limit = request.params.limit
            if limit is not None and not 1 <= limit <= PAGE_LIMIT:
                raise PublicError(422, f"params.limit: must be from 1 to {PAGE_LIMIT}")
        case ThreadsUpdateReq():
            if not 1 <= len(request.params.title.strip()) <= TITLE_LIMIT:
                raise PublicError(422, f"A title has from 1 to {TITLE_LIMIT} characters.")
        case ItemsFeedbackReq():
            if not 1 <= len(request.params.item_ids) <= FEEDBACK_LIMIT:
                raise PublicError(422, f"Feedback is on 1 to {FEEDBACK_LIMIT} items.")
        case ThreadsCustomActionReq() | ThreadsSyncCustomActionReq():
            # The SDK's default for a missing type is not a string.
            if not isinstance(request.params.action.type, str):
                raise PublicError(422, "params.action.type: Field required")
        case InputTranscribeReq():
            _check_base64(request.params.audio_base64)
        case AttachmentsCreateReq():
            if not request.params.name.strip():
                raise PublicError(422, "A file needs a name.")


def _check_message(message: UserMessageInput) -> None:
    text = sum(len(part.text) for part in message.content)
    if text > MESSAGE_LIMIT:
        raise PublicError(413, f"The message is longer than {MESSAGE_LIMIT:,} characters.")
    if len(message.attachments) > ATTACHMENTS_LIMIT:
        raise PublicError(422, f"A message carries at most {ATTACHMENTS_LIMIT} files.")
    if len(set(message.attachments)) != len(message.attachments):
        raise PublicError(422, "A file is attached twice.")
    said_something = any(
        not isinstance(part, UserMessageTextContent) or part.text.strip()
        for part in message.content
    )
    if not said_something and not message.attachments:
        raise PublicError(422, "The message is empty.")


def _check_base64(data: str) -> None:
    try:
        base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise PublicError(422, "params.audio_base64: not base64") from None
