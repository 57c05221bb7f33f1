"""Contacts: a form on a card, which shows what is wrong and stores what is right."""

from pathlib import Path
from secrets import token_hex
from typing import Annotated

from chatkit.types import WidgetItem
from chatkit.widgets import WidgetRoot
from pydantic import BaseModel, Field, StringConstraints, ValidationError

from ...toolkit import (
    ActionError,
    ActionRun,
    Document,
    Documents,
    Entity,
    Redraw,
    Turn,
    Widget,
    action,
    entity_source,
    offers,
    tool,
)

MAX_CONTACTS = 100

WIDGETS = Path(__file__).parents[1] / "widgets"
FORM = Widget(WIDGETS / "contact_form.widget")
CARD = Widget(WIDGETS / "contact_card.widget")

FIELDS = ("name", "email", "note")


class Contact(BaseModel):
    id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{12}$")] = Field(
        default_factory=lambda: token_hex(6)
    )
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
    email: Annotated[
        str,
        StringConstraints(
            strip_whitespace=True, max_length=254, pattern=r"^\s*[^@\s]+@[^@\s]+\.[^@\s.]+\s*$"
        ),
    ]
    note: Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)] = ""


CONTACTS = Document[list[Contact]]("contacts", list[Contact], empty=list)

CORRECTIONS = {
    "name": "A name has 1 to 80 characters.",
    "email": "Write an address such as ada@example.com.",
    "note": "A note has at most 300 characters.",
}


def form(values: dict[str, str] | None = None, errors: dict[str, str] | None = None) -> WidgetRoot:
    """The form, with the typed values and a message next to each invalid field."""
    given, wrong = values or {}, errors or {}
    return FORM.build(
        values={field: given.get(field, "") for field in FIELDS},
        errors={field: wrong.get(field, "") for field in FIELDS},
    )


def card(contact: Contact) -> WidgetRoot:
    """The card of a saved contact. It replaces the form."""
    return CARD.build(**contact.model_dump())


def is_form(widget: WidgetRoot) -> bool:
    """Whether `widget` is a form that was not sent yet."""
    return offers(widget, "contact.save")


async def save_contact(documents: Documents, contact: Contact) -> None:
    """Store `contact`, in place of one with the same address."""

    def keep(contacts: list[Contact]) -> list[Contact]:
        others = [c for c in contacts if c.email.casefold() != contact.email.casefold()]
        if len(others) >= MAX_CONTACTS:
            raise ActionError(409, f"There is room for {MAX_CONTACTS} contacts.")
        return [*others, contact]

    await documents.change(CONTACTS, keep)


@tool
async def show_contact_form(turn: Turn) -> str:
    """Shows a form in which the visitor writes down a contact: name, email, note."""
    await turn.stream_widget(form())
    return "The form is on the page. What is entered there is kept by itself."


class Typed(BaseModel):
    """The typed values. They may be invalid: the handler shows a message next to such a field."""

    name: Annotated[str, StringConstraints(max_length=1_000)] = ""
    email: Annotated[str, StringConstraints(max_length=1_000)] = ""
    note: Annotated[str, StringConstraints(max_length=5_000)] = ""


@action("contact.save", payload=Typed, sync=True)
async def save_form(run: ActionRun, typed: Typed) -> Redraw:
    if run.sender is not None and not is_form(run.sender.widget):
        raise ActionError(409, "This form was already sent.")
    try:
        contact = Contact(**typed.model_dump())
    except ValidationError as error:
        wrong = {str(e["loc"][0]): CORRECTIONS[str(e["loc"][0])] for e in error.errors()}
        drawn = form(typed.model_dump(), wrong)
    else:
        await save_contact(run.documents, contact)
        drawn = card(contact)

    async def redraw(item: WidgetItem) -> WidgetRoot:
        if not is_form(item.widget):
            raise ActionError(409, "This form was sent twice at once. Each contact is saved.")
        return drawn

    return redraw


@entity_source
async def contacts_to_mention(documents: Documents) -> list[Entity]:
    return [
        Entity(
            id=f"contact_{contact.id}",
            title=contact.name,
            group="Contacts",
            icon="user",
            data={"type": "contact", "email": contact.email, "note": contact.note},
        )
        for contact in await documents.read(CONTACTS)
    ]
