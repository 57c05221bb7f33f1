"""What a long conversation costs, and what the model still knows of it.

    python -m tests.bench.memory [TURNS]

A conversation of 400 turns through the app, with a scripted model. Each message has a fact, and
each tenth is answered with a tool. The scripted model makes summaries that keep all facts, so this
measures the engine, and not how well a model summarises. All numbers are counts.
"""

import json
import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from functions.chat.app import create_app
from functions.llm.length import BYTES_OF_A_TOKEN, tokens
from functions.services import Services
from functions.settings import Settings
from tests.support.chat import Chat, thread_of
from tests.support.memory_store import MemoryRuns, MemoryTurns
from tests.support.openai_server import Call, OpenAIServer, Say, Step
from tests.support.served import served

TURNS = 400
BUDGET = 8_000
"""`CHATKIT_HISTORY_TOKENS`: a quarter of the default, so that 400 turns fill it many times."""
WORDS = "A sentence that says something of no importance at all. " * 10
ANSWER = "A-long-answer-that-comes-as-one-word." * 28
TOOL_EVERY = 10
MOST_SUMMARIES = 1 / 5
"""For each turn: a summary is made once in a while, and not for each turn."""


def steps(turns: int) -> Iterator[Step]:
    for turn in range(1, turns + 1):
        if turn % TOOL_EVERY == 0:
            yield Call("add", {"a": turn, "b": 1_000_000})
        yield Say(ANSWER)


def keep_facts(text: str) -> str:
    return " ".join(dict.fromkeys(re.findall(r"fact-\d+|\b100\d{4}\b", text)))


class NobodySignedOut:
    async def is_over(self, *_: Any) -> bool:
        return False


@contextmanager
def app(model: OpenAIServer, **changes: Any) -> Iterator[Chat]:
    """The app with a store in memory: what is measured does not depend on the table."""
    with served(model.app) as url:
        settings = Settings(
            _env_file=None,
            assistant="tests.assistants.sample",
            cookie_key="k" * 32,
            openai_base_url=f"{url}/v1",
            openai_api_key="none",
            model="test",
            model_api="chat_completions",
            history_tokens=BUDGET,
            **changes,
        )
        memory: dict[str, Any] = {"store": MemoryTurns(), "runs": MemoryRuns()}
        services = replace(Services.of(settings), sessions=NobodySignedOut(), **memory)
        with served(create_app(services=services)) as address:
            yield Chat(address)


def sent(request: dict[str, Any]) -> int:
    """Tokens of a request without the instructions and the tools, estimated as the engine does."""
    return tokens(request["messages"][1:])


def show(turns: int, *, summaries: bool) -> bool:
    """Have the conversation, print what it cost, and return whether it is within the bars."""
    model = OpenAIServer(*steps(turns))
    model.strict = True
    model.summary = keep_facts
    with app(model, summaries=summaries) as chat:
        thread = thread_of(chat.create(f"fact-1 {WORDS}"))
        for turn in range(2, turns + 1):
            chat.say(thread, f"fact-{turn} {WORDS}")
    known = {*re.findall(r"fact-\d+|\b100\d{4}\b", json.dumps(model.requests[-1]))}
    facts = sum(f"fact-{turn}" in known for turn in range(1, turns + 1))
    found = [turn + 1_000_000 for turn in range(TOOL_EVERY, turns, TOOL_EVERY)]
    results = sum(str(each) in known for each in found)
    lengths = [*map(sent, model.requests)]
    extra = sum(map(len, model.summarised)) // BYTES_OF_A_TOKEN
    print(f"summaries {'on' if summaries else 'off'}")
    print(f"  requests {len(lengths)}, tokens sent: most {max(lengths):,}, all {sum(lengths):,}")
    print(f"  summaries {len(model.summarised)}, tokens sent for them {extra:,}")
    print(f"  known in turn {turns}: {facts} of {turns} facts, {results} of {len(found)} results")
    return (
        max(lengths) <= BUDGET
        and len(model.summarised) <= turns * MOST_SUMMARIES
        and (not summaries or (facts == turns and results == len(found)))
    )


def main() -> None:
    logging.disable()
    turns = int(sys.argv[1]) if len(sys.argv) > 1 else TURNS
    print(f"{turns} turns, a budget of {BUDGET:,} tokens")
    fine = [show(turns, summaries=True), show(turns, summaries=False)]
    if not all(fine):
        print("missed: the budget, the number of summaries, or a fact", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
