"""The graph: plan, look up at the same time all that the plan asks for, answer.

It knows nothing of ChatKit. Its nodes ask the model of the turn, which is the provider's of the
settings, or the offline demo, and whose tokens are counted.
"""

import json
import operator
from collections.abc import Sequence
from typing import Annotated, Any, TypedDict

from agents import ModelSettings, ModelTracing, Tool, function_tool
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from langgraph.types import Send

from functions.toolkit import Turn, as_data

from .handbook import CHAPTERS, chapter_about

PLAN = f"""\
You work at a bicycle hire, whose handbook has these chapters: {", ".join(CHAPTERS)}.
Call search_handbook once, with all that the question needs, and say nothing.
Answer at once what needs no handbook, such as a greeting."""

ANSWER = """\
You work at a bicycle hire. Answer in a few sentences, from what was found in its handbook.
Say so when it does not have the answer."""

MAX_SEARCHES = 4


class State(TypedDict):
    items: Annotated[list[Any], operator.add]
    """The conversation, as the Agents SDK's models get it."""
    calls: list[Any]
    """The model's calls of `search_handbook`."""
    found: Annotated[dict[str, str], operator.or_]


class Search(TypedDict):
    words: str


@function_tool
async def search_handbook(searches: list[str]) -> None:
    """Looks up several things in the handbook at the same time, a few words for each."""
    # Only described to the model: the node `look_up` does it.


async def plan(state: State, runtime: Runtime[Turn]) -> dict[str, Any]:
    output = await _ask(runtime, PLAN, state["items"], [search_handbook])
    return {"items": output, "calls": [each for each in output if each["type"] == "function_call"]}


def next_steps(state: State) -> list[Send] | str:
    """A `look_up` for each search; the end when the model has answered at once."""
    searches = [words for call in state["calls"] for words in _searches_in(call["arguments"])]
    return [Send("look_up", Search(words=words)) for words in searches[:MAX_SEARCHES]] or END


async def look_up(search: Search) -> dict[str, Any]:
    return {"found": await chapter_about(search["words"])}


async def answer(state: State, runtime: Runtime[Turn]) -> dict[str, Any]:
    found = state["found"]
    text = json.dumps(found, ensure_ascii=False) if found else "The handbook has nothing about it."
    outputs = [
        {
            "type": "function_call_output",
            "call_id": call["call_id"],
            "output": as_data("a tool", text),
        }
        for call in state["calls"]
    ]
    said = await _ask(runtime, ANSWER, [*state["items"], *outputs])
    return {"items": [*outputs, *said]}


async def _ask(
    runtime: Runtime[Turn], instructions: str, items: list[Any], tools: Sequence[Tool] = ()
) -> list[Any]:
    """Ask the model of the turn. Streams its words, and returns its output."""
    output = []
    async for event in runtime.context.model.stream_response(
        instructions,
        items,
        ModelSettings(),
        [*tools],
        None,
        [],
        ModelTracing.DISABLED,
        previous_response_id=None,
        conversation_id=None,
        prompt=None,
    ):
        if event.type == "response.output_text.delta":
            runtime.stream_writer(event.delta)
        elif event.type in {"response.completed", "response.incomplete"}:
            output = event.response.output
    return [each.model_dump(exclude_unset=True) for each in output]


def _searches_in(arguments: str) -> list[str]:
    """The searches of a call; its text when the model did not keep to the form."""
    try:
        return [str(words) for words in json.loads(arguments)["searches"]]
    except (ValueError, TypeError, KeyError):
        return [arguments]


_builder = StateGraph(State, context_schema=Turn)
_builder.add_node("plan", plan)
_builder.add_node("look_up", look_up)
_builder.add_node("answer", answer)
_builder.add_edge(START, "plan")
_builder.add_conditional_edges("plan", next_steps, ["look_up", END])
_builder.add_edge("look_up", "answer")
_builder.add_edge("answer", END)
GRAPH = _builder.compile()
