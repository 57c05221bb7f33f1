"""What the starter assistant's widgets do when they are pressed. Yours to edit."""

from typing import Annotated

from chatkit.types import WidgetItem
from chatkit.widgets import WidgetRoot
from pydantic import BaseModel, StringConstraints, ValidationError

from ..errors import ActionError
from ..toolkit.actions import ActionRun, Handover, Redraw, action
from . import widgets
from .models import Contact, Id, Scheme


class Tick(BaseModel):
    """`done` is how the task should be, not "the other way round": pressing twice
    at once means the same as once.
    """

    id: Id
    done: bool


@action("task.toggle", payload=Tick, sync=True)
async def toggle_task(run: ActionRun, tick: Tick) -> Redraw:
    _pressed_on(run, "task.toggle")
    await run.data.set_done(tick.id, done=tick.done)

    async def redraw(_: WidgetItem) -> WidgetRoot:
        return widgets.checklist(await run.data.tasks())

    return redraw


class ContactForm(BaseModel):
    """What was typed, right or wrong: the handler says what is wrong next to the field."""

    name: Annotated[str, StringConstraints(max_length=1_000)] = ""
    email: Annotated[str, StringConstraints(max_length=1_000)] = ""
    note: Annotated[str, StringConstraints(max_length=5_000)] = ""


@action("contact.save", payload=ContactForm, sync=True)
async def save_contact(run: ActionRun, form: ContactForm) -> Redraw:
    if run.sender is not None and not widgets.is_contact_form(run.sender.widget):
        raise ActionError(409, "This form was already sent.")
    try:
        contact = Contact(name=form.name, email=form.email, note=form.note)
    except ValidationError as error:
        wrong = {str(e["loc"][0]): _CORRECTIONS[str(e["loc"][0])] for e in error.errors()}
        drawn = widgets.contact_form(form.model_dump(), wrong)
    else:
        await run.data.save_contact(contact)
        drawn = widgets.contact_card(contact)

    async def redraw(item: WidgetItem) -> WidgetRoot:
        if not widgets.is_contact_form(item.widget):
            raise ActionError(409, "This form was sent twice at once. Each contact is saved.")
        return drawn

    return redraw


_CORRECTIONS = {
    "name": "A name has 1 to 80 characters.",
    "email": "Write an address such as ada@example.com.",
    "note": "A note has at most 300 characters.",
}


class Pick(BaseModel):
    choice: Id
    option: Id


@action("choice.pick", payload=Pick, streams_answer=True)
async def pick_option(run: ActionRun, pick: Pick) -> Handover:
    if (await run.data.choice(pick.choice)).chosen is None:
        _pressed_on(run, "choice.pick")
    choice = await run.data.pick(pick.choice, pick.option)
    option = next(option for option in choice.options if option.id == pick.option)

    async def redraw(_: WidgetItem) -> WidgetRoot:
        return widgets.choices(await run.data.choice(choice.id))

    return Handover(
        context=f"Asked {choice.question!r}, the person chose {option.title!r}. Continue with it.",
        redraw=redraw,
    )


class Applied(BaseModel):
    scheme: Scheme


@action("theme.applied", payload=Applied, sync=True)
async def remember_scheme(run: ActionRun, applied: Applied) -> Redraw:
    """The page changed its theme (`theme.set`, which it handles itself) and says so."""
    _pressed_on(run, "theme.set")
    await run.data.set_scheme(applied.scheme)

    async def redraw(_: WidgetItem) -> WidgetRoot:
        return widgets.appearance((await run.data.preferences()).scheme)

    return redraw


def _pressed_on(run: ActionRun, offered: str) -> None:
    """Only a card that offers an action can be pressed for it: it is drawn anew afterwards."""
    if run.sender is not None and not widgets.offers(run.sender.widget, offered):
        raise ActionError(409, "This card has no such button any more.")
