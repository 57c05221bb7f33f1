"""Guardrails: what an answer must not be about, and what it must not say.

    class Shop(Assistant):
        guardrails = (
            Rules(name="cards", on={"output"}, patterns=["[0-9]{16}"], message="…"),
            AskModel(name="topic", on={"input"}, question="Is this about politics?"),
        )

The engine checks what the visitor writes beside the answer, and what the assistant says at its end.
When a check trips, what was shown is removed, the visitor reads `message`, and no model gets the
exchange again. See `docs/guardrails.md`.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from .. import aws
from ..errors import PublicError
from ..marks import as_data
from ..settings import get_settings
from .turn import Turn

if TYPE_CHECKING:
    from agents import Model

Side = Literal["input", "output", "tools"]
"""What the visitor writes, what the assistant says, what tools return."""

BLOCKED: Final = "That is something I cannot help with here."
UNCHECKED: Final = "This could not be checked just now. Please try again in a moment."


class GuardrailTripped(PublicError):  # noqa: N818 - the SDK's word for it
    """An answer that a guardrail has stopped. `failed` when the guardrail itself has failed."""

    def __init__(self, name: str, message: str = BLOCKED, *, failed: bool = False) -> None:
        super().__init__(422, message)
        self.name = name
        self.failed = failed


@dataclass(frozen=True, kw_only=True)
class Guardrail(ABC):
    """One check. A subclass says in `trips` when it trips; an assistant may have its own."""

    name: str
    """The log names the guardrail by it."""

    on: Collection[Side] = ("input", "output")

    message: str = BLOCKED
    """What the visitor reads."""

    blocking: bool = False
    """For input: check before the answer begins. For output: show the answer when it was checked,
    so it is not streamed."""

    fail_open: bool = False
    """Whether an answer goes on when the check fails or takes longer than `timeout`."""

    timeout: float = 5.0
    """Seconds."""

    @abstractmethod
    async def trips(self, turn: Turn, text: str, side: Side) -> bool:
        """Whether `text` must not pass. It has at least one character."""


@dataclass(frozen=True, kw_only=True)
class Rules(Guardrail):
    """Trips by patterns, words and length, in this process.

    A pattern is a regular expression, without regard to case. One that backtracks for long stops
    everything else meanwhile. Words are found as whole words.
    """

    patterns: Sequence[str] = ()
    words: Collection[str] = ()
    max_characters: int | None = None
    _compiled: tuple[re.Pattern[str], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        words = [rf"(?<!\w)(?:{'|'.join(map(re.escape, self.words))})(?!\w)"] if self.words else []
        compiled = tuple(re.compile(each, re.IGNORECASE) for each in [*self.patterns, *words])
        object.__setattr__(self, "_compiled", compiled)

    async def trips(self, turn: Turn, text: str, side: Side) -> bool:  # noqa: ARG002
        if self.max_characters is not None and len(text) > self.max_characters:
            return True
        return any(pattern.search(text) for pattern in self._compiled)


PART: Final = 20_000
"""Characters of a text that a service is asked about at once."""


@dataclass(frozen=True, kw_only=True)
class CheckedInParts(Guardrail):
    """A guardrail that asks a service, about each part of a long text."""

    async def trips(self, turn: Turn, text: str, side: Side) -> bool:
        parts = [text[start : start + PART] for start in range(0, len(text), PART)]
        return any(await aws.together(*(self.part_trips(turn, part, side) for part in parts)))

    @abstractmethod
    async def part_trips(self, turn: Turn, text: str, side: Side) -> bool:
        """Whether this part must not pass."""


@dataclass(frozen=True, kw_only=True)
class AskModel(CheckedInParts):
    """Trips when a model answers a question about the text with yes. Its tokens are counted."""

    question: str
    """It can be answered with yes or no."""

    model: str | None = None
    """The name of a model of the settings' provider; the chosen one when it is None."""

    async def part_trips(self, turn: Turn, text: str, side: Side) -> bool:  # noqa: ARG002
        from agents import Agent, RunConfig, Runner  # noqa: PLC0415 - the import takes a second

        model: Model = turn.model if self.model is None else turn.model_named(self.model)
        agent = Agent(
            name="Guardrail",
            instructions=f"{self.question}\nAnswer with one word, yes or no, and nothing else.",
            model=model,
        )
        asked = as_data("a message", text)
        config = RunConfig(tracing_disabled=True)
        result = await Runner.run(agent, asked, max_turns=1, run_config=config)
        answer = re.sub(r"\W", "", str(result.final_output)).lower()
        if answer not in {"yes", "no"}:
            raise ValueError("the model answered neither yes nor no")
        return answer == "yes"


@dataclass(frozen=True, kw_only=True)
class Moderation(CheckedInParts):
    """Trips by OpenAI's moderation, with the key of the settings' provider, which must be OpenAI.

    `categories` are those of https://platform.openai.com/docs/guides/moderation that trip; all
    when it is empty.
    """

    model: str = "omni-moderation-latest"
    categories: Collection[str] = ()

    async def part_trips(self, turn: Turn, text: str, side: Side) -> bool:  # noqa: ARG002
        client = await turn.openai_client()
        result = (await client.moderations.create(model=self.model, input=text)).results[0]
        if not self.categories:
            return result.flagged
        found = result.categories.model_dump(by_alias=True)
        return any(found.get(category) for category in self.categories)


@dataclass(frozen=True, kw_only=True)
class BedrockGuardrail(CheckedInParts):
    """Trips when a guardrail of Amazon Bedrock intervenes, also when it only masks a part.

    The function's role may use the guardrail that the stack's `bedrockGuardrail` names, which is
    the default here: its id and its version, as `CHATKIT_BEDROCK_GUARDRAIL`.
    https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ApplyGuardrail.html
    """

    guardrail: str | None = None
    """`<id>:<version>`."""

    async def part_trips(self, turn: Turn, text: str, side: Side) -> bool:  # noqa: ARG002
        named = self.guardrail or get_settings().bedrock_guardrail
        if named is None:
            raise ValueError("CHATKIT_BEDROCK_GUARDRAIL names no guardrail")
        identifier, _, version = named.rpartition(":")
        client: Any = aws.client("bedrock-runtime")
        answer: Any = await aws.call(
            client.apply_guardrail,
            guardrailIdentifier=identifier,
            guardrailVersion=version,
            source="OUTPUT" if side == "output" else "INPUT",
            content=[{"text": {"text": text}}],
        )
        return bool(answer["action"] == "GUARDRAIL_INTERVENED")
