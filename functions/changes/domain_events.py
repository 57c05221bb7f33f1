"""The domain events: what is published of a stage, for programs of its owner.

The models are the contract. `docs/events.md` and `docs/events.schema.json` are made from them. A
field may be added within a version, so readers ignore fields that they do not know. Whatever else
changes makes a new version, which is published beside the old one for a time.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from ..run_record import Outcome

SOURCE = "chatkit"
"""EventBridge's `source` of every event. Its `detail-type` is the event's `type`."""


class Event(BaseModel):
    """Something that has happened."""

    model_config = ConfigDict(frozen=True)

    version: Literal[1] = 1
    id: str = Field(description="Different for each event, and the same when one comes again.")
    at: str = Field(
        description="When the table was changed: UTC, such as `2026-11-26T16:20:00Z`. DynamoDB "
        "says so to the second."
    )
    stage: str


class PersonEvent(Event):
    owner: str = Field(
        description="Whose it is: a digest of the person's id, which is also the name of their "
        "folder in the bucket."
    )


class ThreadEvent(PersonEvent):
    thread: str = Field(description="The thread's id.")
    sequence: str | None = Field(
        description="Where the change is among those of its thread: a number with many digits. "
        "Of two events of a thread, the one with the larger number happened later. "
        "null: the event does not say (`thread.expired`)."
    )


class ThreadCreated(ThreadEvent):
    """A conversation has begun."""

    type: Literal["thread.created"] = "thread.created"


class ThreadDeleted(ThreadEvent):
    """A conversation was deleted, by its owner, with its owner, or by the assistant's code."""

    type: Literal["thread.deleted"] = "thread.deleted"


class ThreadExpired(ThreadEvent):
    """A conversation has reached the end of `retentionDays`, and TTL has removed it."""

    type: Literal["thread.expired"] = "thread.expired"


class MessageReceived(ThreadEvent):
    """A person has sent a message."""

    type: Literal["message.received"] = "message.received"
    message: str = Field(description="The message's id.")
    text: str | None = Field(
        None, description="With `eventText`: what it says, up to 10,000 characters."
    )


class RunEvent(ThreadEvent):
    run: str = Field(description="The id of the run, as in the logs.")


class Answer(RunEvent):
    message: str | None = Field(description="The id of the message that is answered.")
    provider: str
    model: str = Field(description="The model's id, as the picker has it.")
    duration_ms: int
    first_token_ms: int | None = Field(description="null: nothing was streamed.")
    input_tokens: int
    output_tokens: int
    cached_tokens: int = Field(description="The part of the input that the provider had kept.")
    microdollars: int = Field(description="What it cost, by the settings' prices.")
    searches: int = Field(description="How often documents were searched.")
    unsupported: bool = Field(description="Whether documents were searched, and none is cited.")
    guardrails: list[str] = Field(description="The names of the guardrails that have tripped.")


class AnswerCompleted(Answer):
    """An answer is complete."""

    type: Literal["answer.completed"] = "answer.completed"
    text: str | None = Field(
        None,
        description="With `eventText`: what it says, up to 10,000 characters. null also when it "
        "was deleted before it was read.",
    )


class AnswerWaiting(Answer):
    """An answer waits for a person's approval, or for a tool that runs on the page. What goes on
    with it is a run of its own.
    """

    type: Literal["answer.waiting"] = "answer.waiting"


class AnswerFailed(Answer):
    """An answer has ended with an error."""

    type: Literal["answer.failed"] = "answer.failed"
    error: str = Field(description="The kind of the error: the name of an exception's class.")


class AnswerStopped(Answer):
    """An answer was stopped before its end. What there was of it is kept."""

    type: Literal["answer.stopped"] = "answer.stopped"
    stop: str = Field(description="What stopped it: `visitor`, `deadline` or `shutdown`.")


class ActionEnded(RunEvent):
    """What the press of a widget has started has ended. An action that the assistant answers makes
    an event of its answer, too. One that changes a widget without a stream makes none.
    """

    type: Literal["action.ended"] = "action.ended"
    action: str = Field(description="The action's name.")
    outcome: Outcome
    error: str | None = Field(description="The kind of the error, if `outcome` is `failed`.")


class ToolCalled(RunEvent):
    """The assistant has called a tool. The event comes when the run has ended."""

    type: Literal["tool.called"] = "tool.called"
    tool: str = Field(description="The tool's name.")
    outcome: Literal["ok", "failed"]
    duration_ms: int


class FeedbackGiven(ThreadEvent):
    """A person has marked an answer, or changed their mark."""

    type: Literal["feedback.given"] = "feedback.given"
    item: str = Field(description="The id of what they marked.")
    kind: Literal["positive", "negative"]


class FeedbackRemoved(ThreadEvent):
    """A person has taken a mark back."""

    type: Literal["feedback.removed"] = "feedback.removed"
    item: str = Field(description="The id of what was marked.")


class FileUploaded(ThreadEvent):
    """A message carries a file that has arrived and was checked. A file that was only announced,
    or uploaded and never sent, makes no event.
    """

    type: Literal["file.uploaded"] = "file.uploaded"
    file: str = Field(description="The file's id.")
    mime_type: str = Field(description="What its first bytes show.")
    bytes: int | None = Field(description="null: it is in another store of attachments.")


class DocumentEvent(Event):
    document: str = Field(description="The document's id.")
    tenant: str | None = Field(description="Whose it is, as a part of a key; null: everybody's.")
    path: str = Field(description="Where it lies, below `knowledge/`.")


class DocumentIngested(DocumentEvent):
    """A document can be searched. It comes again when the document was read again, such as for
    another embedding model.
    """

    type: Literal["document.ingested"] = "document.ingested"
    passages: int


class DocumentFailed(DocumentEvent):
    """A document cannot be read."""

    type: Literal["document.failed"] = "document.failed"
    error: str = Field(description="Why, as a sentence.")


class DocumentRemoved(DocumentEvent):
    """A document can no longer be searched."""

    type: Literal["document.removed"] = "document.removed"


class PersonDeleted(PersonEvent):
    """Everything of a person was deleted. Their threads make events of their own."""

    type: Literal["person.deleted"] = "person.deleted"


DomainEvent = (
    ThreadCreated
    | ThreadDeleted
    | ThreadExpired
    | MessageReceived
    | AnswerCompleted
    | AnswerWaiting
    | AnswerFailed
    | AnswerStopped
    | ActionEnded
    | ToolCalled
    | FeedbackGiven
    | FeedbackRemoved
    | FileUploaded
    | DocumentIngested
    | DocumentFailed
    | DocumentRemoved
    | PersonDeleted
)

DOMAIN_EVENT: TypeAdapter[DomainEvent] = TypeAdapter(
    Annotated[DomainEvent, Field(discriminator="type")]
)
"""Reads an event, and makes the JSON Schema."""
