"""The starter assistant's widgets: plain data in, components that ChatKit knows out."""

import itertools
import json
from pathlib import Path

import pytest
from chatkit.server import diff_widget
from chatkit.types import WidgetStreamingTextValueDelta
from chatkit.widgets import StrictWidgetRoot
from pydantic import TypeAdapter

from functions.assistant import widgets
from functions.assistant.models import (
    Choice,
    Contact,
    Note,
    Option,
    Task,
)

HOSTILE = 'a "quote", a \\ and {{ braces }} </script> & \u2028 🎈'

STRICT = TypeAdapter(StrictWidgetRoot)


def every_widget():
    tasks = [Task(title=HOSTILE), Task(title="b", done=True)]
    choice = Choice(question=HOSTILE, options=[Option(title=HOSTILE, description=HOSTILE)])
    chosen = choice.model_copy(update={"chosen": choice.options[0].id})
    return {
        "checklist": widgets.checklist(tasks),
        "checklist, empty": widgets.checklist([]),
        "contact_form": widgets.contact_form(),
        "contact_form, wrong": widgets.contact_form({"name": HOSTILE}, {"email": HOSTILE}),
        "contact_card": widgets.contact_card(Contact(name=HOSTILE, email="a@b.c", note=HOSTILE)),
        "choices": widgets.choices(choice),
        "choices, chosen": widgets.choices(chosen),
        "appearance": widgets.appearance("dark"),
        "note": widgets.note(Note(title=HOSTILE, text=HOSTILE)),
    }


WIDGETS = every_widget()


def nodes(widget):
    found = []

    def walk(node):
        found.append(node)
        for child in node.get("children") or []:
            walk(child)

    walk(json.loads(widget.model_dump_json()))
    return found


def actions(widget):
    keys = ("onClickAction", "onChangeAction", "onSubmitAction")
    return [node[key] for node in nodes(widget) for key in keys if key in node]


@pytest.mark.parametrize("name", WIDGETS)
def test_every_widget_is_made_of_components_and_properties_that_chatkit_declares(name):
    strict = STRICT.validate_json(WIDGETS[name].model_dump_json())

    def known(component):
        assert not component.model_extra, (component.type, component.model_extra)
        for child in getattr(component, "children", None) or []:
            known(child)

    known(strict)


@pytest.mark.parametrize("name", ["checklist", "contact_form, wrong", "contact_card", "choices"])
def test_text_of_a_person_reaches_the_widget_as_it_is(name):
    texts = [
        value
        for node in nodes(WIDGETS[name])
        for key in ("value", "label", "defaultValue")
        if (value := node.get(key))
    ]
    assert HOSTILE in texts


def test_a_list_that_was_answered_takes_no_more_clicks():
    assert actions(WIDGETS["choices"])
    assert not actions(WIDGETS["choices, chosen"])


def test_ticking_asks_for_a_state_and_not_for_a_change():
    ticks = [action["payload"]["done"] for action in actions(WIDGETS["checklist"])]
    assert ticks == [True, False]


def test_a_ticked_box_is_another_component_so_that_the_page_draws_it_anew():
    task = Task(title="a")
    before, after = (
        {
            node.get("key")
            for node in nodes(widgets.checklist([task.model_copy(update={"done": d})]))
        }
        for d in (False, True)
    )
    assert before != after


def test_a_wrong_form_keeps_what_was_typed_and_says_what_is_wrong():
    form = widgets.contact_form({"name": "Ada", "email": "ada"}, {"email": "No address."})
    assert [n["value"] for n in nodes(form) if n["type"] == "Caption"] == ["No address."]
    assert [n["defaultValue"] for n in nodes(form) if "defaultValue" in n] == ["Ada", "ada", ""]


async def test_a_streamed_note_sends_only_what_was_added():
    async def words():
        for word in ("Dear ", "Ada, ", "hello."):
            yield word

    roots = [root async for root in widgets.streamed_note("Letter", words())]
    deltas = [update for a, b in itertools.pairwise(roots) for update in diff_widget(a, b)]
    assert [d.delta for d in deltas if isinstance(d, WidgetStreamingTextValueDelta)] == [
        "Dear ",
        "Ada, ",
        "hello.",
    ]
    assert (
        roots[-1].model_dump_json()
        == widgets.note(
            Note(id="0" * 12, title="Letter", text="Dear Ada, hello.")
        ).model_dump_json()
    )


@pytest.mark.parametrize("path", sorted(Path(widgets.__file__).parent.glob("*.widget")))
def test_a_template_describes_its_data_and_has_its_files_name(path):
    definition = json.loads(path.read_text())
    assert definition["name"] == path.stem
    assert definition["version"] == "1.0"
    assert definition["jsonSchema"]["required"] == list(definition["jsonSchema"]["properties"])
