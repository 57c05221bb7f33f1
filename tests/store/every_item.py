"""One item of each type of ChatKit 1.6.5, with a value in every field."""

import warnings

from chatkit.types import (
    Annotation,
    AssistantMessageContent,
    AssistantMessageItem,
    ClientToolCallItem,
    CustomSummary,
    CustomTask,
    DurationSummary,
    EndOfTurnItem,
    EntitySource,
    FileAttachment,
    FileSource,
    FileTask,
    GeneratedImage,
    GeneratedImageItem,
    HiddenContextItem,
    ImageAttachment,
    ImageTask,
    InferenceOptions,
    SDKHiddenContextItem,
    SearchTask,
    StructuredInputAnswer,
    StructuredInputFreeform,
    StructuredInputItem,
    StructuredInputMultipleChoice,
    StructuredInputMultipleChoiceOption,
    TaskItem,
    ThoughtTask,
    ThreadItem,
    ToolChoice,
    URLSource,
    UserMessageItem,
    UserMessageTagContent,
    UserMessageTextContent,
    WidgetItem,
    Workflow,
    WorkflowItem,
)
from chatkit.widgets import Button, Card, Col, DynamicWidgetRoot, ListView, ListViewItem, Text

from tests.store.samples import NOON


def every_item() -> list[ThreadItem]:
    def common(item_id: str) -> dict:
        return {"id": item_id, "thread_id": "thr_1", "created_at": NOON}

    url = URLSource(title="t", url="https://e.com/?a=1&b=2#c", attribution="a", timestamp="now")
    tasks = [
        CustomTask(title="t", icon="bolt", content="c", status_indicator="loading"),
        SearchTask(title="s", title_query="q", queries=["a", "b"], sources=[url]),
        ThoughtTask(title="t", content="thinking\n\n**hard**", status_indicator="complete"),
        FileTask(title="f", sources=[FileSource(title="t", filename="ü.pdf", group="g")]),
        ImageTask(title="i"),
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        widgets = [
            Card(children=[Col(children=[Text(id="x", value="é", streaming=True)])], size="lg"),
            ListView(children=[ListViewItem(key="k", children=[Button(label="b")])], limit="auto"),
        ]
    widgets.append(
        DynamicWidgetRoot.model_validate(
            {"type": "Card", "children": [{"type": "Novel", "odd": {"a": [1, "x"]}}], "x-y": 1}
        )
    )
    return [
        UserMessageItem(
            **common("user"),
            content=[
                UserMessageTextContent(text="hi \u2028 \x00 😀"),
                UserMessageTagContent(id="t", text="@t", data={"a": [1]}, group="g"),
            ],
            attachments=[
                FileAttachment(id="f", name="ü .pdf", mime_type="application/pdf", thread_id="t"),
                ImageAttachment(
                    id="i",
                    name="i",
                    mime_type="image/png",
                    preview_url="https://example.com/i.png?x=%20",
                    metadata={"a": 1},
                ),
            ],
            quoted_text="q",
            inference_options=InferenceOptions(tool_choice=ToolChoice(id="t"), model="m"),
        ),
        AssistantMessageItem(
            **common("assistant"),
            content=[
                AssistantMessageContent(
                    text="a",
                    annotations=[
                        Annotation(source=url, index=3),
                        Annotation(source=FileSource(title="f", filename="f")),
                        Annotation(
                            source=EntitySource(title="e", id="e", icon="user", data={"k": 1.5})
                        ),
                    ],
                ),
                AssistantMessageContent(text=""),
            ],
        ),
        ClientToolCallItem(
            **common("call"), call_id="c", name="n", arguments={"a": {"b": [True, None]}}
        ),
        ClientToolCallItem(
            **common("called"),
            call_id="c",
            name="n",
            arguments={},
            status="completed",
            output=[1, {"": "x"}],
        ),
        *[
            WidgetItem(**common(f"widget{n}"), widget=widget, copy_text="c")
            for n, widget in enumerate(widgets)
        ],
        GeneratedImageItem(
            **common("image"), image=GeneratedImage(id="g", url="https://e.com/a b.png")
        ),
        GeneratedImageItem(**common("no image")),
        StructuredInputItem(
            **common("asked"),
            status="answered",
            inputs=[
                StructuredInputFreeform(id="f", question="?", description="d"),
                StructuredInputMultipleChoice(
                    id="m",
                    question="??",
                    options=[StructuredInputMultipleChoiceOption(value="v")],
                    multiple=True,
                    answer=StructuredInputAnswer(values=["v"], skipped=False),
                ),
            ],
        ),
        *[TaskItem(**common(f"task{n}"), task=task) for n, task in enumerate(tasks)],
        WorkflowItem(
            **common("workflow"),
            workflow=Workflow(
                type="custom",
                tasks=tasks,
                summary=CustomSummary(title="t", icon="bolt"),
                expanded=True,
            ),
        ),
        WorkflowItem(
            **common("reasoning"),
            workflow=Workflow(type="reasoning", tasks=[], summary=DurationSummary(duration=3)),
        ),
        HiddenContextItem(**common("hidden"), content={"any": ["thing", 1, None]}),
        HiddenContextItem(**common("hidden text"), content="text"),
        SDKHiddenContextItem(**common("sdk"), content="stop"),
        EndOfTurnItem(**common("end")),
    ]
