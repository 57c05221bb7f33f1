"""Parses and validates ChatKit requests."""

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
from pydantic import BaseModel, TypeAdapter, ValidationError

from ..characters import whole_json
from ..errors import PublicError, first_problem

MAX_PAGE_SIZE = 100
"""Threads or items in one page. ChatKit's element is reported to ask for 9999 threads: it gets this
many, and `has_more`."""
MAX_TITLE = 200
"""Characters. What a visitor types beyond them is cut off."""
MAX_WORDS = 200_000
"""Characters of everything that a request says, because a model may read it: some 50,000 tokens. A
recording has limits of its own."""
MAX_ATTACHMENTS = 10
MAX_FEEDBACK_ITEMS = 100

_adapter: TypeAdapter[ChatKitReq] = TypeAdapter(ChatKitReq)


def parse(body: bytes) -> ChatKitReq:
    """The operation in `body`, within our limits. Raises `PublicError` (400, 413 or 422).

    Browsers may send half a character, which is replaced. A page's size and a title are cut down to
    their limits: a page that asks for more than it gets still works.
    """
    try:
        request = _adapter.validate_json(whole_json(body))
    except ValidationError as error:
        raise _validation_error(error) from None
    words = _length(request)
    if isinstance(request, InputTranscribeReq):
        words -= len(request.params.audio_base64)
    if words > MAX_WORDS:
        raise PublicError(413, f"The request is longer than {MAX_WORDS:,} characters of text.")
    _check(request)
    return request


def _length(value: Any) -> int:
    """The characters of all values and names in a request, wherever they are.

    It walks through the whole request, so a new field of ChatKit's is counted, too.
    """
    match value:
        case str():
            return len(value)
        case BaseModel():
            # The names of declared fields are ChatKit's own.
            declared = sum(_length(getattr(value, name)) for name in type(value).model_fields)
            return declared + _length(value.model_extra or {})
        case dict():
            return sum(_length(name) + _length(each) for name, each in value.items())
        case list() | tuple() | set():
            return len(value) + sum(_length(each) for each in value)
    return len(str(value))


def _validation_error(error: ValidationError) -> PublicError:
    """The place and the kind of the first error, without any of the input."""
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
            if (limit := request.params.limit) is not None:
                request.params.limit = _page_size(limit)
        case ThreadsUpdateReq():
            title = request.params.title.strip()
            if not title:
                raise PublicError(422, "A title needs at least one character.")
            request.params.title = title[:MAX_TITLE].rstrip()
        case ItemsFeedbackReq():
            if not 1 <= len(request.params.item_ids) <= MAX_FEEDBACK_ITEMS:
                raise PublicError(422, f"Feedback is on 1 to {MAX_FEEDBACK_ITEMS} items.")
        case ThreadsCustomActionReq() | ThreadsSyncCustomActionReq():
            # When the type is missing, the SDK sets a default that is not a string.
            if not isinstance(request.params.action.type, str):
                raise PublicError(422, "params.action.type: Field required")
        case InputTranscribeReq():
            _check_base64(request.params.audio_base64)
        case AttachmentsCreateReq():
            if not request.params.name.strip():
                raise PublicError(422, "A file needs a name.")


def _page_size(limit: int) -> int:
    if limit < 1:
        raise PublicError(422, "params.limit: must be at least 1")
    return min(limit, MAX_PAGE_SIZE)


def _check_message(message: UserMessageInput) -> None:
    if len(message.attachments) > MAX_ATTACHMENTS:
        raise PublicError(422, f"A message carries at most {MAX_ATTACHMENTS} files.")
    if len(set(message.attachments)) != len(message.attachments):
        raise PublicError(422, "A file is attached twice.")
    has_content = any(
        not isinstance(part, UserMessageTextContent) or part.text.strip()
        for part in message.content
    )
    if not has_content and not message.attachments:
        raise PublicError(422, "The message is empty.")


def _check_base64(data: str) -> None:
    try:
        base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise PublicError(422, "params.audio_base64: not base64") from None
