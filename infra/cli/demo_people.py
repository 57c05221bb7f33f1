"""The made-up people of `make seed` and what they have asked, the same for the same number.

A day of a person depends on the number, the person and the date alone. So the days of one run are
found again by the next one, which adds the days that are new.
"""

import random
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

from chatkit.types import (
    Annotation,
    AssistantMessageContent,
    AssistantMessageItem,
    FeedbackKind,
    FileAttachment,
    FileSource,
    InferenceOptions,
    ThreadItem,
    ThreadMetadata,
    UserMessageItem,
    UserMessageTextContent,
    WidgetItem,
)
from chatkit.widgets import DynamicWidgetRoot

from functions.attachments.arrival import OURS
from functions.aws.keys import digest
from functions.run_record import Outcome, RunRecord, ToolCall
from functions.store.keys import stamp

TOPICS: Final = Path(__file__).with_name("demo_topics.toml")

MODELS: Final = (
    # id, provider, weight, microdollars for a token read and for one written, first token in ms
    ("gpt-5", "openai", 6, 1.25, 10.0, 900),
    ("gpt-5-mini", "openai", 3, 0.25, 2.0, 450),
    ("gemini-2.5-flash", "gemini", 2, 0.30, 2.5, 380),
)
ERRORS: Final = ("RateLimitError", "RateLimitError", "APITimeoutError", "APIConnectionError")
ON_A_WORKDAY, ON_A_WEEKEND = 0.42, 0.12
"""How likely it is that somebody asks something on such a day."""


@dataclass(frozen=True)
class File:
    attachment: FileAttachment
    data: bytes


@dataclass(frozen=True)
class Turn:
    """A message and what became of it."""

    items: list[ThreadItem]
    record: RunRecord
    feedback: FeedbackKind | None = None
    """What the person thinks of the answer."""
    file: File | None = None

    @property
    def ended(self) -> datetime:
        return datetime.fromisoformat(self.record.at)

    @property
    def answer_id(self) -> str | None:
        return next((item.id for item in self.items if item.type == "assistant_message"), None)


@dataclass(frozen=True)
class Conversation:
    user: str
    thread: ThreadMetadata
    turns: list[Turn] = field(default_factory=list)


def names(people: int) -> list[str]:
    """The ids of so many made-up people."""
    return [f"demo-{number:03}" for number in range(1, people + 1)]


def conversations(people: int, days: int, seed: int, today: date) -> Iterator[Conversation]:
    """What `people` have asked on the `days` before `today`, person by person, in order."""
    topics = tomllib.loads(TOPICS.read_text())["topic"]
    for user in names(people):
        for back in range(days, 0, -1):
            day = today - timedelta(days=back)
            dice = random.Random(f"{seed}/{user}/{day}")  # noqa: S311 - the same each time
            busy = ON_A_WEEKEND if day.isoweekday() > 5 else ON_A_WORKDAY  # noqa: PLR2004 - Friday
            if dice.random() < busy:
                yield _Writer(user, day, dice).conversation(dice.choice(topics))


class _Writer:
    """Writes one conversation. Its clock goes on with each item."""

    def __init__(self, user: str, day: date, dice: random.Random) -> None:
        self._user = user
        self._dice = dice
        start = timedelta(hours=7, minutes=dice.randrange(11 * 60), seconds=dice.randrange(60))
        self._now = datetime.combine(day, time(), UTC) + start

    def conversation(self, topic: dict[str, Any]) -> Conversation:
        thread = ThreadMetadata(id=self._id("thr"), created_at=self._now, title=topic["title"])
        turns = topic["turn"][: self._dice.randint(1, len(topic["turn"]))]
        made = Conversation(self._user, thread)
        model = self._dice.choices(MODELS, [each[2] for each in MODELS])[0]
        for turn in turns:
            made.turns.append(self._turn(thread.id, turn, model))
            self._wait(20, 180)
        return made

    def _turn(self, thread: str, turn: dict[str, Any], model: Any) -> Turn:
        name, provider, _, for_input, for_output, first_token = model
        outcome, stop, error = self._end()
        answered = outcome != "failed"
        file = self._file(thread, turn["file"]) if "file" in turn else None
        message = UserMessageItem(
            id=self._id("msg"),
            thread_id=thread,
            created_at=self._now,
            content=[UserMessageTextContent(text=turn["question"])],
            attachments=[file.attachment] if file else [],
            inference_options=InferenceOptions(model=name),
        )
        items: list[ThreadItem] = [message]
        self._wait(1, 3)
        cites = bool(turn.get("sources")) and self._dice.random() < 0.9  # noqa: PLR2004
        if answered:
            items.append(self._answer(thread, turn, cites=cites))
            if "widget" in turn and outcome == "completed":
                items.append(self._widget(thread, turn["widget"]))
        searches = turn.get("tools", []).count("search_knowledge")
        given, taken = self._dice.randint(900, 4200), self._dice.randint(40, 420) * answered
        record = RunRecord(
            run_id=self._id("run"),
            at=stamp(self._now),
            request="threads.add_user_message",
            owner=digest(self._user),
            thread_id=thread,
            message_id=message.id,
            provider=provider,
            model=name,
            outcome=outcome,
            stop=stop,
            error=error,
            cold_start=self._dice.random() < 0.05,  # noqa: PLR2004
            first_token_ms=self._around(first_token) if answered else None,
            duration_ms=self._around(first_token * 4),
            input_tokens=given,
            output_tokens=taken,
            cached_tokens=given // self._dice.randint(2, 9),
            microdollars=round(given * for_input + taken * for_output),
            tools=[self._tool(each) for each in turn.get("tools", [])],
            searches=searches,
            unsupported=answered and searches > 0 and not cites,
        )
        return Turn(items, record, self._opinion() if answered else None, file)

    def _end(self) -> tuple[Outcome, str | None, str | None]:
        """The outcome, what has stopped it, and the kind of what failed."""
        outcome = self._dice.choices(("completed", "failed", "stopped", "waiting"), (92, 3, 3, 2))
        match outcome[0]:
            case "failed":
                return "failed", None, self._dice.choice(ERRORS)
            case "stopped":
                return "stopped", self._dice.choice(("visitor", "visitor", "deadline")), None
            case "waiting":
                return "waiting", None, None
        return "completed", None, None

    def _answer(self, thread: str, turn: dict[str, Any], *, cites: bool) -> AssistantMessageItem:
        text = turn["answer"]
        sources = turn.get("sources", []) if cites else []
        cited = [
            Annotation(source=FileSource(title=each, filename=each), index=len(text))
            for each in sources
        ]
        return AssistantMessageItem(
            id=self._id("msg"),
            thread_id=thread,
            created_at=self._now,
            content=[AssistantMessageContent(text=text, annotations=cited)],
        )

    def _widget(self, thread: str, title: str) -> WidgetItem:
        rows = [{"type": "Text", "value": f"{title}, line {number}"} for number in (1, 2, 3)]
        card = {"type": "Card", "children": [{"type": "Title", "value": title}, *rows]}
        return WidgetItem(
            id=self._id("msg"),
            thread_id=thread,
            created_at=self._now,
            widget=DynamicWidgetRoot.model_validate(card),
            copy_text=title,
        )

    def _file(self, thread: str, name: str) -> File:
        lines = [f"2026-{month:02},{self._dice.randint(200, 600)}.50" for month in range(1, 13)]
        data = "\n".join(["month,costs", *lines]).encode()
        attachment = FileAttachment(
            id=self._id("atc"),
            name=name,
            mime_type="text/csv",
            thread_id=thread,
            metadata={OURS: len(data)},
        )
        return File(attachment, data)

    def _tool(self, name: str) -> ToolCall:
        failed = self._dice.random() < 0.04  # noqa: PLR2004
        return ToolCall(name=name, ms=self._around(180), outcome="failed" if failed else "ok")

    def _opinion(self) -> FeedbackKind | None:
        kinds: tuple[FeedbackKind | None, ...] = ("positive", "negative", None)
        return self._dice.choices(kinds, (20, 6, 74))[0]

    def _around(self, ms: int) -> int:
        """A time that is mostly near `ms`, and sometimes several times as long."""
        return round(ms * self._dice.lognormvariate(0, 0.45))

    def _wait(self, at_least: int, at_most: int) -> None:
        self._now += timedelta(seconds=self._dice.randint(at_least, at_most))

    def _id(self, prefix: str) -> str:
        """An id in the form of `functions.aws.ids.new_id`, of the clock's time."""
        ms = round(self._now.timestamp() * 1000)
        value = ms << 80 | 7 << 76 | self._dice.getrandbits(12) << 64
        value |= 2 << 62 | self._dice.getrandbits(62)
        return f"{prefix}_{value:032x}"
