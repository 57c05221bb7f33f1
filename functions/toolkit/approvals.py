"""Approvals: a tool that runs only when the visitor has said yes to it on a card."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from chatkit.widgets import WidgetRoot
from pydantic import BaseModel

from .actions import WidgetAction
from .widgets import Widget

Status = Literal["waiting", "approved", "declined", "withdrawn", "expired"]
"""`withdrawn`: the visitor wrote something else instead. `expired`: the run cannot go on any more.
In both cases the tool did not run."""

MAX_ROWS: Final = 12
MAX_VALUE: Final = 200
"""Characters of an argument on the card."""

CARD = Widget(Path(__file__).parent / "approval.widget")

_NOTES: Final[dict[Status, str]] = {
    "waiting": "The assistant asks before it does this.",
    "approved": "You approved this.",
    "declined": "You declined this. It was not done.",
    "withdrawn": "You wrote something else instead. It was not done.",
    "expired": "This has expired. It was not done.",
}


class Decision(BaseModel):
    """The payload of the card's two buttons."""

    approve: bool


@dataclass(frozen=True)
class Approval:
    """A call of a tool that waits for the visitor, or was decided."""

    tool: str
    """The tool's name."""

    arguments: str
    """What the model wrote, as JSON in most cases. Show it as text: it may say anything."""

    status: Status = "waiting"

    @property
    def title(self) -> str:
        """The tool's name as words: `send_money` is `Send money`, and `mcp_shop__order`, of an
        MCP server, is `Shop: order`.
        """
        server, _, tool = self.tool.removeprefix("mcp_").partition("__")
        name = f"{server}: {tool}" if self.tool.startswith("mcp_") and tool else self.tool
        words = name.replace("_", " ").replace("-", " ").strip()
        return words[:1].upper() + words[1:]

    @property
    def note(self) -> str:
        """The status in words. The model reads it on the card in later turns, too."""
        return _NOTES[self.status]

    def rows(self) -> list[tuple[str, str]]:
        """The arguments for people: names and values, of bounded number and length."""
        try:
            given = json.loads(self.arguments or "{}")
        except ValueError:
            given = self.arguments
        if not isinstance(given, dict):
            return [("arguments", _short(given))]
        rows = [(str(name)[:MAX_VALUE], _short(value)) for name, value in given.items()]
        if (more := len(rows) - MAX_ROWS) > 0:
            rows = [*rows[:MAX_ROWS], ("…", f"and {more} more")]
        return rows

    def card(self) -> WidgetRoot:
        """The card that is shown unless the assistant draws its own."""
        return CARD.build(
            title=self.title,
            note=self.note,
            rows=[{"name": name, "value": value} for name, value in self.rows()],
            status=self.status,
        )


async def _decided_by_the_engine(*_: object) -> None:
    raise TypeError("the streaming function decides approvals itself")


DECIDE: Final = WidgetAction("approval.decide", "answer", Decision, _decided_by_the_engine)
"""The action of the card's buttons, with `{"approve": true}` or `{"approve": false}`."""


def waits(widget: WidgetRoot) -> bool:
    """Whether the widget has a button of `DECIDE`. What its texts say does not matter."""

    def found(node: object) -> bool:
        if isinstance(node, list):
            return any(found(each) for each in node)
        if not isinstance(node, dict):
            return False
        if node.get("type") == DECIDE.name and "payload" in node:
            return True
        return any(found(each) for each in node.values())

    return found(widget.model_dump(mode="json"))


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_VALUE else f"{text[: MAX_VALUE - 1]}…"
