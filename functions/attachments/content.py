"""What the model gets to see of a file: images, PDFs and text by content, the rest by name.

The parts have the Responses API's shape; the Agents SDK turns them into chat
completions where that is the model's API. Both take images and PDFs as data
URLs, so the bytes are read from S3 here, and no provider needs to reach S3.
Chat completions take no files but PDFs, so text goes as text to either. A request
may hold 50 MB of files, and a model reads only so many words:
https://developers.openai.com/api/docs/guides/file-inputs
"""

import asyncio
import base64
import codecs
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Any, Final, TypeVar

from chatkit.types import Attachment, GeneratedImageItem
from openai.types.responses import (
    ResponseInputContentParam,
    ResponseInputFileParam,
    ResponseInputImageParam,
    ResponseInputTextParam,
)

from .. import aws
from . import arrival, images
from .s3 import S3AttachmentStore
from .schema import PREVIEWED

MAX_TEXT_OF_A_FILE: Final = 100_000
"""Characters of a text file that the model gets: some 25,000 tokens."""
MAX_TEXT: Final = 400_000
"""Characters of all text files of a request."""
MAX_DATA: Final = 45_000_000
"""Characters of all data URLs of a request."""
AT_ONCE: Final = 4
"""Files that are read side by side: each may be 20 MB, and the function has its memory to mind."""

Part = ResponseInputContentParam
T = TypeVar("T")


async def show(
    newest_first: Sequence[Attachment | GeneratedImageItem], files: S3AttachmentStore, context: Any
) -> dict[str, Part]:
    """What the model gets to see, by the id of a file or of a generated image's item.

    The newest, as many as one request may hold: what is missing is older than what fills it,
    and is not even read. One read from S3 each.
    """
    shown: dict[str, Part] = {}
    text = data = 0
    each_once = [*{each.id: each for each in newest_first}.values()]
    for start in range(0, len(each_once), AT_ONCE):
        several = each_once[start : start + AT_ONCE]
        parts = await aws.together(*(_show(each, files, context) for each in several))
        for each, part in zip(several, parts, strict=True):
            if part is None:
                continue
            if part["type"] == "input_text":
                text += len(part["text"])
            else:
                data += len(part.get("image_url") or part.get("file_data") or "")
            if text > MAX_TEXT or data > MAX_DATA:
                return shown
            shown[each.id] = part
    return shown


async def _show(
    each: Attachment | GeneratedImageItem, files: S3AttachmentStore, context: Any
) -> Part | None:
    if isinstance(each, GeneratedImageItem):
        return await generated_image_to_model(each, files, context)
    return await to_model(each, files, context)


async def to_model(
    attachment: Attachment, files: S3AttachmentStore, context: Any
) -> ResponseInputContentParam:
    """The part of a user message that stands for an attachment. One read from S3.

    Never raises for what a file holds: what cannot be shown is named, with a request to
    say so politely.
    """
    data = await files.read(attachment, context)
    if data is None:
        return named(attachment, "The file is no longer there.")
    return await _look_into(partial(_part, attachment, data))


async def generated_image_to_model(
    item: GeneratedImageItem, files: S3AttachmentStore, context: Any
) -> ResponseInputImageParam | None:
    """A generated image as the model's input; `None` when its bytes are gone."""
    data = await files.read_image(item, context)
    kind = arrival.sniff(data[: arrival.SNIFFED_BYTES]) if data else None
    if data is None or kind is None:
        return None
    return await _look_into(partial(_image, data, kind))


@cache
def _reader() -> ThreadPoolExecutor:
    """A thread of its own, and one: images that are decoded side by side fill the memory."""
    return ThreadPoolExecutor(1, thread_name_prefix="files")


async def _look_into(look: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(_reader(), look)


def _part(attachment: Attachment, data: bytes) -> ResponseInputContentParam:
    kind = arrival.sniff(data[: arrival.SNIFFED_BYTES])
    # Text may begin like an image, or speak of PDFs; a real one is no text.
    text = None if kind is not None and kind == attachment.mime_type else _text(data)
    if text is None and kind in PREVIEWED:
        image = _image(data, kind)
        return image or named(attachment, "The image is too large for you to see, or damaged.")
    if text is None and kind == "application/pdf":
        return ResponseInputFileParam(
            type="input_file", filename=attachment.name, file_data=_data_url(data, kind)
        )
    if text is None and attachment.mime_type.startswith("text/") and b"\x00" not in data:
        text = data.decode("cp1252", "replace")  # what Windows' programs write
    if text is None:
        return named(attachment, "You cannot read files of this type.")
    cut = text[:MAX_TEXT_OF_A_FILE]
    note = (
        ""
        if len(cut) == len(text)
        else f"\n[cut after {MAX_TEXT_OF_A_FILE} of {len(text)} characters]"
    )
    body = f"{_header(attachment)}\n<content>\n{cut}{note}\n</content>"
    return ResponseInputTextParam(type="input_text", text=body)


def _image(data: bytes, mime_type: str) -> ResponseInputImageParam | None:
    fitting = images.fit(data, mime_type)
    if fitting is None:
        return None
    url = _data_url(*fitting)
    return ResponseInputImageParam(type="input_image", detail="auto", image_url=url)


def _data_url(data: bytes, mime_type: str) -> str:
    return f"data:{mime_type};base64,{base64.b64encode(data).decode()}"


def _text(data: bytes) -> str | None:
    """A file's text, by its content and not by its name; `None` when it is none."""
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        encoding = "utf-32"
    elif data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    elif b"\x00" in data:
        return None
    else:
        encoding = "utf-8"
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError:
        return None


def _header(attachment: Attachment) -> str:
    """A name is the user's text: quoted, so that it reads as a name and not as a request."""
    name = json.dumps(attachment.name, ensure_ascii=False)
    kind = json.dumps(attachment.mime_type)
    return f"The user attached the file {name} of type {kind}."


def named(attachment: Attachment, why: str) -> ResponseInputTextParam:
    """What stands for a file that cannot be shown."""
    text = f"{_header(attachment)} {why} If it matters for the answer, say so politely."
    return ResponseInputTextParam(type="input_text", text=text)
