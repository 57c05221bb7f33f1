"""A form that shows its errors and can be sent once."""

from pathlib import Path

from pydantic import BaseModel

from functions.toolkit import ActionError, Turn, Widget, action, offers, tool

FORM = Widget(Path(__file__).parents[1] / "widgets" / "signup.widget")


def form(name="", email="", error="", sent=False):
    return FORM.build(name=name, email=email, error=error, sent=sent)


@tool
async def show_form(turn: Turn) -> str:
    """Shows the form."""
    await turn.stream_widget(form())
    return "The form is on the page."


class Typed(BaseModel):
    name: str = ""
    email: str = ""


@action("signup.send", payload=Typed, sync=True)
async def send(run, typed):
    if not offers(run.sender.widget, "signup.send"):
        raise ActionError(409, "The form was sent already.")
    right = "." in typed.email.rpartition("@")[2]

    async def redraw(item):
        if not offers(item.widget, "signup.send"):
            raise ActionError(409, "The form was sent already.")
        error = "" if right else "That is no address."
        return form(typed.name, typed.email, error, sent=right)

    return redraw
