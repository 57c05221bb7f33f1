"""Sources: an answer cites rows by a mark, `[rows 2, 5]`, and the page shows file and rows."""

import re

from chatkit.types import Annotation, AssistantMessageContent, AssistantMessageItem, FileSource

MARK = re.compile(r"\[(rows? \d[\w ,]*)\]")


def with_sources(message: AssistantMessageItem, file: str) -> AssistantMessageItem:
    """The message with a source for each mark in it."""
    content = [_with_sources(part, file) for part in message.content]
    return message.model_copy(update={"content": content})


def _with_sources(part: AssistantMessageContent, file: str) -> AssistantMessageContent:
    found = [
        Annotation(
            source=FileSource(filename=file, title=f"{file}, {mark[1]}"),
            index=mark.end(),
        )
        for mark in MARK.finditer(part.text)
    ]
    return part.model_copy(update={"annotations": [*part.annotations, *found]})
