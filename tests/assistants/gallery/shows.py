"""One function for each kind of thing. They yield events, or stream them by the turn."""

import base64
from datetime import datetime

from chatkit.errors import CustomStreamError
from chatkit.types import (
    Annotation,
    AssistantMessageContent,
    AssistantMessageContentPartAdded,
    AssistantMessageContentPartAnnotationAdded,
    AssistantMessageContentPartDone,
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    ClientEffectEvent,
    ClientToolCallItem,
    ClosedStatus,
    CustomSummary,
    CustomTask,
    EndOfTurnItem,
    EntitySource,
    FileSource,
    FileTask,
    GeneratedImage,
    GeneratedImageItem,
    GeneratedImageUpdated,
    HiddenContextItem,
    ImageTask,
    LockedStatus,
    NoticeEvent,
    SearchTask,
    StructuredInputFreeform,
    StructuredInputItem,
    StructuredInputMultipleChoice,
    StructuredInputMultipleChoiceOption,
    TaskItem,
    ThoughtTask,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemReplacedEvent,
    ThreadItemUpdatedEvent,
    URLSource,
    WidgetComponentUpdated,
    WidgetItem,
    Workflow,
)
from chatkit.widgets import DynamicWidgetComponent, DynamicWidgetRoot

from .components import CONTROLS, EVERYTHING, LIST, PLAIN

HARBOUR = EntitySource(
    id="harbour", title="Harbour", icon="map-pin", label="Place", interactive=True,
    group="Places", data={"about": "Old"},
)  # fmt: skip
PAGE = URLSource(title="The harbour", url="https://example.com/harbour", attribution="Example")
FILE = FileSource(title="Tide tables", filename="tides.pdf")
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)
TASKS = [
    CustomTask(title="Counted", icon="analytics", content="**Three** boats"),
    SearchTask(title="Looked up", title_query="tides", queries=["ebb", "flood"], sources=[PAGE]),
    ThoughtTask(title="Thought", content="It may rain."),
    FileTask(title="Read", sources=[FILE]),
    ImageTask(title="Drew"),
]


def common(turn, kind="message"):
    now = datetime.now()  # noqa: DTZ005 - naive, as the SDK's items are
    return {"id": turn.generate_id(kind), "thread_id": turn.thread.id, "created_at": now}


def say(turn, text):
    content = [AssistantMessageContent(text=text)]
    yield ThreadItemDoneEvent(item=AssistantMessageItem(**common(turn), content=content))


async def annotations(turn):
    """A message, word by word, with sources of all kinds."""
    item = AssistantMessageItem(**common(turn), content=[])

    def change(update):
        return ThreadItemUpdatedEvent(item_id=item.id, update=update)

    yield ThreadItemAddedEvent(item=item)
    part = AssistantMessageContent(text="")
    yield change(AssistantMessageContentPartAdded(content_index=0, content=part))
    for word in ("High ", "water ", "at noon."):
        yield change(AssistantMessageContentPartTextDelta(content_index=0, delta=word))
    cited = [Annotation(source=source, index=5) for source in (PAGE, FILE, HARBOUR)]
    for at, annotation in enumerate(cited):
        yield change(
            AssistantMessageContentPartAnnotationAdded(
                content_index=0, annotation_index=at, annotation=annotation
            )
        )
    whole = AssistantMessageContent(text="High water at noon.", annotations=cited)
    yield change(AssistantMessageContentPartDone(content_index=0, content=whole))
    yield ThreadItemDoneEvent(item=item.model_copy(update={"content": [whole]}))


async def reasoning(turn):
    await turn.start_workflow(Workflow(type="reasoning", tasks=[]))
    await turn.add_workflow_task(ThoughtTask(content="First"))
    await turn.update_workflow_task(ThoughtTask(content="First this"), 0)
    await turn.end_workflow()
    for event in say(turn, "So it is."):
        yield event


async def workflow(turn):
    """A workflow with tasks of all kinds. It stays open."""
    for at, task in enumerate(TASKS):
        await turn.add_workflow_task(task.model_copy(update={"status_indicator": "loading"}))
        await turn.update_workflow_task(
            task.model_copy(update={"status_indicator": "complete"}), at
        )
    await turn.end_workflow(CustomSummary(title="All is done", icon="check-circle"), expanded=True)
    return
    yield


async def tasks(turn):
    for task in TASKS:
        yield ThreadItemDoneEvent(item=TaskItem(**common(turn, "task"), task=task))


async def questions(turn):
    options = [StructuredInputMultipleChoiceOption(value=value) for value in ("Ebb", "Flood")]
    yield ThreadItemDoneEvent(
        item=StructuredInputItem(
            **common(turn),
            inputs=[
                StructuredInputFreeform(id="why", question="What for?", description="In a word"),
                StructuredInputMultipleChoice(id="when", question="When?", options=options),
            ],
        )
    )


async def answered(turn):
    """Goes on after a tool of the page, or after the visitor's answers."""
    last = (await turn.history())[-1]
    if isinstance(last, ClientToolCallItem):
        text = f"The page says {last.output}."
    else:
        text = "You say " + ", ".join(
            value for each in last.inputs for value in (each.answer.values or ["nothing"])
        )
    for event in say(turn, text):
        yield event


async def notices(turn):
    for level in ("info", "warning", "danger"):
        yield NoticeEvent(level=level, title=f"Of the level {level}", message="Mind the *tide*.")
    for event in say(turn, "Mind it."):
        yield event


async def progress(turn):
    await turn.progress("Looking out", icon="compass")
    for event in say(turn, "Nothing in sight."):
        yield event


async def image(turn):
    """An image with two drafts."""
    item = GeneratedImageItem(**common(turn))
    yield ThreadItemAddedEvent(item=item)
    for draft in (0, 1, None):
        url = await turn.files.put_image(
            turn.thread.id, item.id, PNG, turn.request_context, draft=draft
        )
        item.image = GeneratedImage(id=item.id, url=url)
        if draft is not None:
            update = GeneratedImageUpdated(image=item.image, progress=(draft + 1) / 3)
            yield ThreadItemUpdatedEvent(item_id=item.id, update=update)
    yield ThreadItemDoneEvent(item=item)


async def hidden(turn):
    item = HiddenContextItem(**common(turn), content="The visitor is a fisher.")
    yield ThreadItemAddedEvent(item=item)
    yield ThreadItemDoneEvent(item=item)
    right = item.model_copy(update={"content": "The visitor is a pilot."})
    yield ThreadItemReplacedEvent(item=right)
    for event in say(turn, "Noted."):
        yield event


async def end_of_turn(turn):
    for event in say(turn, "That is all."):
        yield event
    yield ThreadItemDoneEvent(item=EndOfTurnItem(**common(turn)))


async def changes(turn):
    """An item that is replaced, and one that is removed."""
    right = [AssistantMessageContent(text="Right")]
    for event in say(turn, "Wrong"):
        yield event
        yield ThreadItemReplacedEvent(item=event.item.model_copy(update={"content": right}))
    for event in say(turn, "Never mind"):
        yield event
        yield ThreadItemRemovedEvent(item_id=event.item.id)


async def locked(turn):
    turn.thread.status = LockedStatus(reason="A colleague looks at it.")
    for event in say(turn, "One moment."):
        yield event


async def closed(turn):
    turn.thread.status = ClosedStatus(reason="The case is settled.")
    for event in say(turn, "Farewell."):
        yield event


async def fails(turn):
    for event in say(turn, "So far"):
        yield event
    raise CustomStreamError("The harbour is closed.", allow_retry=True)


async def effect(turn):
    yield ClientEffectEvent(name="note_saved", data={"title": "Tides"})
    for event in say(turn, "The page knows."):
        yield event


async def client_tool(turn):
    yield ThreadItemDoneEvent(
        item=ClientToolCallItem(
            **common(turn, "tool_call"),
            call_id="call_1",
            name="switch_theme",
            arguments={"theme": "dark"},
        )
    )


async def widgets(turn):
    for root in (EVERYTHING, CONTROLS, LIST, PLAIN):
        await turn.stream_widget(DynamicWidgetRoot.model_validate(root), "What the card says")
    return
    yield


def card(*children):
    return {"type": "Card", "children": [*children]}


async def streamed_widget(turn):
    """A card that grows: by words, by one component, and as a whole."""

    async def growing():
        text = {"type": "Markdown", "id": "words", "value": "", "streaming": True}
        for value in ("", "It ", "It grows"):
            yield DynamicWidgetRoot.model_validate(card({**text, "value": value}))
        done = {**text, "value": "It grows", "streaming": False}
        yield DynamicWidgetRoot.model_validate(card(done, {"type": "Badge", "label": "whole"}))

    await turn.stream_widget(growing())
    badge = {"type": "Badge", "id": "state", "label": "open"}
    item = WidgetItem(**common(turn), widget=DynamicWidgetRoot.model_validate(card(badge)))
    yield ThreadItemAddedEvent(item=item)
    shut = {**badge, "label": "shut"}
    component = DynamicWidgetComponent.model_validate(shut)
    update = WidgetComponentUpdated(component_id="state", component=component)
    yield ThreadItemUpdatedEvent(item_id=item.id, update=update)
    whole = DynamicWidgetRoot.model_validate(card(shut))
    yield ThreadItemDoneEvent(item=item.model_copy(update={"widget": whole}))


IN_A_ROW = (
    reasoning, workflow, tasks, widgets, streamed_widget, image, changes, effect, notices, hidden,
    annotations,
)  # fmt: skip


async def everything(turn):
    """All that one answer can show."""
    for show in IN_A_ROW:
        async for event in show(turn):
            yield event
