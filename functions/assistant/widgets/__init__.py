"""The starter assistant's widgets: plain data in, a widget root out.

One `.widget` file each, in the format that the Widget Studio exports: a Jinja
template that renders to the widget's JSON, and a JSON schema of its data.
Nothing here reads or writes anything, except `streamed_note`, which waits for
the text that it is given.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from chatkit.widgets import DynamicWidgetRoot, WidgetRoot, WidgetTemplate

from ..models import (
    Choice,
    Contact,
    Note,
    Scheme,
    Task,
)

_HERE = Path(__file__).parent


@cache
def _template(name: str) -> WidgetTemplate:
    return WidgetTemplate.from_file(str(_HERE / f"{name}.widget"))


def checklist(tasks: Sequence[Task]) -> DynamicWidgetRoot:
    """Tasks that are ticked off in place (`task.toggle`, sync)."""
    left = sum(not task.done for task in tasks)
    return _template("checklist").build(
        {"tasks": [task.model_dump() for task in tasks], "left": left}
    )


def contact_form(
    values: Mapping[str, str] | None = None, errors: Mapping[str, str] | None = None
) -> DynamicWidgetRoot:
    """A form for a contact (`contact.save`, sync).

    `values` are what the person typed, by field (`name`, `email`, `note`);
    `errors` are sentences, by field, shown next to it.
    """
    given, wrong = values or {}, errors or {}
    fields = ("name", "email", "note")
    return _template("contact_form").build(
        {
            "values": {field: given.get(field, "") for field in fields},
            "errors": {field: wrong.get(field, "") for field in fields},
        }
    )


def offers(widget: WidgetRoot, action: str) -> bool:
    """Whether something on `widget` can be pressed for `action`."""
    return f'"{action}"' in widget.model_dump_json()


def is_contact_form(widget: WidgetRoot) -> bool:
    """Whether `widget` still is a form that was not sent."""
    return offers(widget, "contact.save")


def contact_card(contact: Contact) -> DynamicWidgetRoot:
    """A saved contact: what the form becomes."""
    return _template("contact_card").build(contact)


def choices(choice: Choice) -> DynamicWidgetRoot:
    """A list of options; picking one (`choice.pick`) makes the assistant go on.

    Once an option is chosen the list shows which, and takes no more clicks.
    """
    return _template("choices").build(choice)


def appearance(scheme: Scheme) -> DynamicWidgetRoot:
    """Light, dark or as the system: `theme.set` is the page's to handle.

    The page changes its theme, then tells the server with `theme.applied`.
    """
    return _template("appearance").build({"scheme": scheme})


def note(written: Note, *, streaming: bool = False) -> DynamicWidgetRoot:
    """A note's text on a card; `streaming` while more of it is coming."""
    return _template("note").build({**written.model_dump(), "streaming": streaming})


async def streamed_note(
    title: str, words: AsyncIterator[str]
) -> AsyncGenerator[DynamicWidgetRoot, None]:
    """A note that grows with `words`, for `AgentContext.stream_widget`.

    The last root that it yields is complete and no longer marked as streaming.
    """
    growing = Note(title=title)
    yield note(growing, streaming=True)
    async for word in words:
        growing = growing.model_copy(update={"text": growing.text + word})
        yield note(growing, streaming=True)
    yield note(growing)
