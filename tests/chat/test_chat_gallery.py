"""Everything that ChatKit can show, over real HTTP: what the page gets, and gets again later."""

import json

import pytest

from functions.chat.app import create_app
from functions.settings import Settings
from tests.assistants.gallery import shows
from tests.support.chat import Chat, message, text_of, thread_of
from tests.support.chatkit_types import names
from tests.support.served import served

SHOWS = [show.__name__ for show in shows.IN_A_ROW] + [
    "client_tool", "closed", "end_of_turn", "fails", "locked", "progress", "questions",
]  # fmt: skip


@pytest.fixture(scope="module")
def visitor(cloud):
    settings = Settings(_env_file=None, assistant="tests.assistants.gallery")
    with served(create_app(settings)) as url:
        yield Chat(url)


@pytest.fixture(scope="module")
def shown(visitor):
    """For each show the events of its conversation."""
    return {name: visitor.create(name) for name in SHOWS}


def done(events):
    return [event["item"] for event in events if event["type"] == "thread.item.done"]


def test_the_gallery_shows_everything_that_the_installed_chatkit_knows(visitor, shown):
    events = [event for each in shown.values() for event in each]
    threads = [visitor.read("threads.get_by_id", thread_id=thread_of(e)) for e in shown.values()]
    found = {name: set() for name in names()}
    found["components"] = {}
    for event in events:
        found["events"].add(event["type"])
        if event["type"] == "notice":
            found["notices"].add(event["level"])
        if update := event.get("update"):
            found["updates"].add(update["type"])
        note(found, event.get("update") or event.get("item") or {})
    found["items"] = {item["type"] for item in done(events)}
    found["statuses"] = {thread["status"]["type"] for thread in threads}
    for kind, known in names().items():
        if kind != "icons":
            assert set(known) == set(found[kind]), kind


def note(found, value):
    """Note the kinds of things that lie inside of each other."""
    if isinstance(value, list):
        for each in value:
            note(found, each)
    if not isinstance(value, dict):
        return
    kind = value.get("type")
    if kind in names()["components"]:
        found["components"][kind] = value
    if "dataKey" in value and kind:
        found["series"].add(kind)
        found["curves"] |= {value["curveType"]} if value.get("curveType") else set()
    if "status_indicator" in value:
        found["tasks"].add(kind)
        found["indicators"].add(value["status_indicator"])
    if "tasks" in value:
        found["workflows"].add(kind)
    if "question" in value:
        found["questions"].add(kind)
    if kind in names()["sources"] and "status_indicator" not in value:
        found["sources"].add(kind)
    for each in value.values():
        note(found, each)


@pytest.mark.parametrize("name", SHOWS)
def test_what_was_shown_is_there_again_when_the_page_loads_the_conversation(visitor, shown, name):
    events = shown[name]
    last = {}
    for event in events:
        if event["type"] in {"thread.item.done", "thread.item.replaced"}:
            last[event["item"]["id"]] = event["item"]
        if event["type"] == "thread.item.removed":
            last.pop(event["item_id"], None)
    again = visitor.items(thread_of(events))
    assert [plain(item) for item in again] == [plain(item) for item in last.values()]


def plain(item):
    """The item without the signature of its link, which is another one each time."""
    if item.get("image"):
        item["image"]["url"] = item["image"]["url"].partition("?")[0]
    return item


def test_hidden_context_is_for_the_model_only(visitor, shown):
    thread = thread_of(shown["hidden"])
    assert "The visitor is" not in json.dumps(shown["hidden"])
    assert "pilot" not in json.dumps(visitor.items(thread))
    told = json.dumps(done(visitor.say(thread, "What is told?")))
    assert "The visitor is a pilot." in told
    assert "fisher" not in told


def test_a_model_can_be_told_of_everything(visitor):
    thread = thread_of(visitor.create("everything"))
    (answer,) = done(visitor.say(thread, "What is told?"))[1:]
    told = answer["content"][0]["text"]
    for words in ("High water at noon.", "Three", "Seen from the pier", "The visitor is a pilot."):
        assert words in told


@pytest.mark.parametrize(
    ("name", "reason"),
    [("locked", "A colleague looks at it."), ("closed", "The case is settled.")],
)
def test_a_conversation_that_the_assistant_ends_takes_no_message(visitor, shown, name, reason):
    statuses = [e["thread"]["status"] for e in shown[name] if e["type"] == "thread.updated"]
    assert statuses[-1] == {"type": name, "reason": reason}
    refused = visitor.post(
        "threads.add_user_message", thread_id=thread_of(shown[name]), input=message("Hello?")
    )
    assert (refused.status_code, refused.json()["message"]) == (409, reason)


def test_the_assistant_goes_on_when_a_tool_of_the_page_has_answered(visitor, shown):
    thread = thread_of(shown["client_tool"])
    events = visitor.stream(
        "threads.add_client_tool_output", thread_id=thread, result={"theme": "dark"}
    )
    assert done(events)[0]["content"][0]["text"] == "The page says {'theme': 'dark'}."


def test_the_assistant_goes_on_when_its_questions_are_answered(visitor, shown):
    asked = done(shown["questions"])[-1]
    answers = {"why": {"values": ["Sailing"]}, "when": {"values": ["Ebb"]}}
    events = visitor.stream(
        "threads.add_structured_input",
        thread_id=asked["thread_id"],
        item_id=asked["id"],
        input={"answers": answers},
    )
    assert done(events)[0]["content"][0]["text"] == "You say Sailing, Ebb"
    (kept,) = [i for i in visitor.items(asked["thread_id"]) if i["type"] == "structured_input"]
    assert kept["status"] == "answered"


def test_drafts_of_an_image_have_links_of_their_own_and_say_how_far_it_is(shown):
    updates = [e["update"] for e in shown["image"] if e["type"] == "thread.item.updated"]
    assert [round(update["progress"], 2) for update in updates] == [0.33, 0.67]
    links = [update["image"]["url"] for update in updates]
    links.append(done(shown["image"])[-1]["image"]["url"])
    assert len(set(links)) == 3


def test_words_that_were_said_before_an_error_stay(visitor, shown):
    assert shown["fails"][-1] == {
        "type": "error", "code": "custom", "message": "The harbour is closed.",
        "allow_retry": True,
    }  # fmt: skip
    assert visitor.items(thread_of(shown["fails"]))[-1]["content"][0]["text"] == "So far"


def test_a_card_grows_by_words_then_as_a_whole(shown):
    updates = [e["update"] for e in shown["streamed_widget"] if e["type"] == "thread.item.updated"]
    assert [update["type"] for update in updates] == [
        "widget.streaming_text.value_delta",
        "widget.streaming_text.value_delta",
        "widget.root.updated",
        "widget.component.updated",
    ]
    assert text_of(shown["streamed_widget"]) == "It grows"
