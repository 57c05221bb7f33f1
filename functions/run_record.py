"""What one run was: who asked, who answered, what it used and how it ended.

A run has one record. The log line of the run has its fields, and the table keeps it beside the
thread's items, from where it reaches the totals and the domain events. It has no text that people
or models wrote.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Outcome = Literal["completed", "waiting", "failed", "stopped"]
"""How a run ended. `waiting`: for an approval, or for a tool of the page."""


class ToolCall(BaseModel):
    """One call of a tool that runs on the server."""

    model_config = ConfigDict(frozen=True)

    name: str
    ms: int
    outcome: Literal["ok", "failed"]


class RunRecord(BaseModel):
    """One run that has ended. Fields of later versions are ignored."""

    model_config = ConfigDict(frozen=True)

    run_id: str
    at: str
    """When it ended: UTC, as `functions.store.keys.stamp` writes it."""
    request: str
    """The kind of ChatKit's request, such as `threads.add_user_message`."""
    owner: str
    """The digest of whoever asked (`functions.aws.keys.digest`), as in the keys of the bucket."""
    thread_id: str
    message_id: str | None = None
    """The id of the message that it answers."""
    action: str | None = None
    """The name of the widget's action that it runs."""
    provider: str = ""
    model: str = ""
    """The id of the model that has answered, as the picker has it. Both are empty for an action
    that no model answers."""
    outcome: Outcome
    stop: str | None = None
    """What stopped it: `visitor`, `deadline` or `shutdown`."""
    error: str | None = None
    """The kind of what failed: the name of an exception's class."""
    cold_start: bool = False
    """Whether it is the first run of its environment."""
    first_token_ms: int | None = None
    duration_ms: int
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    """The part of the input that the provider had kept."""
    microdollars: int = 0
    tools: list[ToolCall] = []
    searches: int = 0
    """How often documents were searched."""
    search_ms: list[int] = []
    """How long each search took."""
    unsupported: bool = False
    """Whether documents were searched and the answer cites none."""
    guardrails: list[str] = []
    """The guardrails that have tripped, by name."""
