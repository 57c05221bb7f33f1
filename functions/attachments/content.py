"""The parts of a model's input that stand for files: the content of images, PDFs, Office files and
text, and the name of every other file.

The parts have the shape of the Responses API; the Agents SDK converts them for chat completions.
Both APIs take images and PDFs as data URLs, so the bytes are read from S3 here and a provider needs
no access to S3. Chat completions accept no other files than PDFs, so text files are sent as text.
A request may hold 50 MB of files:
https://developers.openai.com/api/docs/guides/file-inputs
"""

import asyncio
import base64
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
from ..files import office, text
from ..marks import as_data
from . import arrival, images
from .s3 import S3AttachmentStore
from .schema import PREVIEWED

MAX_TEXT_OF_A_FILE: Final = 100_000
"""Characters of a text file that are sent to the model: some 25,000 tokens."""
MAX_TEXT: Final = 400_000
"""Characters of all text files in a request."""
MAX_DATA: Final = 45_000_000
"""Characters of all data URLs in a request."""
MAX_PARALLEL: Final = 4
"""Files that are read in parallel. Each may be 20 MB, and the function's memory is limited."""

Part = ResponseInputContentParam
T = TypeVar("T")


async def show(
    newest_first: Sequence[Attachment | GeneratedImageItem], files: S3AttachmentStore, context: Any
) -> dict[str, Part]:
    """The input parts of files and generated images, by the id of the file or of the image's item.

    These are the newest ones, up to the limits of one request; older ones are not read. One
    request to S3 for each.
    """
    shown: dict[str, Part] = {}
    texts = data = 0
    each_once = [*{each.id: each for each in newest_first}.values()]
    for start in range(0, len(each_once), MAX_PARALLEL):
        batch = each_once[start : start + MAX_PARALLEL]
        parts = await aws.together(*(_show(each, files, context) for each in batch))
        for each, part in zip(batch, parts, strict=True):
            if part is None:
                continue
            if part["type"] == "input_text":
                texts += len(part["text"])
            else:
                data += len(part.get("image_url") or part.get("file_data") or "")
            if texts > MAX_TEXT or data > MAX_DATA:
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
    """The part of a user message that stands for an attachment. One request to S3.

    Never raises because of a file's content: a file that cannot be shown is named instead (see
    `named`).
    """
    data = await files.read(attachment, context)
    if data is None:
        return named(attachment, "The file is no longer there.")
    return await _on_reader(partial(_part, attachment, data))


async def generated_image_to_model(
    item: GeneratedImageItem, files: S3AttachmentStore, context: Any
) -> ResponseInputImageParam | None:
    """A generated image as a part of the model's input; `None` when its bytes are missing."""
    data = await files.read_image(item, context)
    kind = arrival.sniff(data[: arrival.SNIFFED_BYTES]) if data else None
    if data is None or kind is None:
        return None
    return await _on_reader(partial(_image, data, kind))


@cache
def _reader() -> ThreadPoolExecutor:
    """One thread only, because several images decoded in parallel would fill the memory."""
    return ThreadPoolExecutor(1, thread_name_prefix="files")


async def _on_reader(function: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(_reader(), function)


def _part(attachment: Attachment, data: bytes) -> ResponseInputContentParam:
    kind = arrival.sniff(data[: arrival.SNIFFED_BYTES])
    # The first bytes of a text may look like an image or a PDF. If the file claims the type that
    # its bytes show, it is not text.
    words = None if kind is not None and kind == attachment.mime_type else text.unicode(data)
    if words is None and kind in PREVIEWED:
        image = _image(data, kind)
        return image or named(attachment, "The image is too large for you to see, or damaged.")
    if words is None and kind == "application/pdf":
        return ResponseInputFileParam(
            type="input_file", filename=attachment.name, file_data=_data_url(data, kind)
        )
    if words is None and data.startswith(office.ZIP):
        words = office.text(data, MAX_TEXT_OF_A_FILE)
        if words is not None:
            return _text(attachment, words)
        if attachment.mime_type in arrival.OFFICE:
            return named(attachment, "You cannot read it: it is damaged or too large.")
    if words is None and text.is_announced(attachment.mime_type):
        words = text.legacy(data)
        if words is None:
            return named(attachment, "You cannot read it: the encoding of its text is not known.")
    if words is None:
        return named(attachment, "You cannot read files of this type.")
    return _text(attachment, _cut(words))


def _cut(words: str) -> str:
    cut = words[:MAX_TEXT_OF_A_FILE]
    if len(cut) == len(words):
        return words
    return f"{cut}\n[cut after {MAX_TEXT_OF_A_FILE} of {len(words)} characters]"


def _text(attachment: Attachment, words: str) -> ResponseInputTextParam:
    body = f"{_header(attachment)}\n{as_data('a file', words)}"
    return ResponseInputTextParam(type="input_text", text=body)


def _image(data: bytes, mime_type: str) -> ResponseInputImageParam | None:
    fitting = images.fit(data, mime_type)
    if fitting is None:
        return None
    url = _data_url(*fitting)
    return ResponseInputImageParam(type="input_image", detail="auto", image_url=url)


def _data_url(data: bytes, mime_type: str) -> str:
    return f"data:{mime_type};base64,{base64.b64encode(data).decode()}"


def _header(attachment: Attachment) -> str:
    """A sentence that names a file. The name is quoted, because it may contain a user's request."""
    name = json.dumps(attachment.name, ensure_ascii=False)
    kind = json.dumps(attachment.mime_type)
    return f"The user attached the file {name} of type {kind}."


def named(attachment: Attachment, why: str) -> ResponseInputTextParam:
    """The part that stands for a file that cannot be shown; `why` is a sentence."""
    words = f"{_header(attachment)} {why} If it matters for the answer, say so politely."
    return ResponseInputTextParam(type="input_text", text=words)
