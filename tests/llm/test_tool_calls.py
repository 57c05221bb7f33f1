"""Every parallel tool call is made with its own arguments, however a provider numbers them."""

import pytest
from agents import Agent, RunConfig, Runner, function_tool

from functions.llm import build, choose
from functions.llm.demo_script import DemoScript
from functions.settings import Settings
from tests.support.dialects import DialectServer, chunks
from tests.support.openai_server import Say
from tests.support.served import served


def call(name=None, arguments="", **fields):
    function = {"arguments": arguments, **({"name": name} if name else {})}
    return {**fields, "type": "function", "function": function}


ADD, TIMES = '{"a": 1, "b": 2}', '{"a": 3, "b": 4}'
DIALECTS = {
    "numbered": [
        [call("add", "", index=0, id="c1"), call("times", "", index=1, id="c2")],
        [call(None, ADD, index=0), call(None, TIMES, index=1)],
    ],
    "without numbers": [[call("add", ADD, id="c1"), call("times", TIMES, id="c2")]],
    "without numbers, in two chunks": [
        [call("add", ADD, id="c1")],
        [call("times", TIMES, id="c2")],
    ],
    "without numbers, arguments in pieces": [
        [call("add", ADD[:5], id="c1")],
        [call(None, ADD[5:])],
        [call("times", TIMES[:5], id="c2")],
        [call(None, TIMES[5:], id="c2")],
    ],
    "all with the same number": [
        [call("add", ADD, index=0, id="c1")],
        [call("times", TIMES, index=0, id="c2")],
    ],
    "without numbers and ids": [[call("add", ADD), call("times", TIMES)]],
    "without numbers and with empty ids": [[call("add", ADD, id=""), call("times", TIMES, id="")]],
}


@pytest.mark.parametrize("sent", DIALECTS.values(), ids=DIALECTS)
async def test_two_parallel_calls_get_their_own_arguments(sent):
    made = []

    @function_tool
    def add(a: int, b: int) -> int:
        """Adds."""
        made.append(("add", a, b))
        return a + b

    @function_tool
    def times(a: int, b: int) -> int:
        """Multiplies."""
        made.append(("times", a, b))
        return a * b

    server = DialectServer(
        chunks(*({"tool_calls": calls} for calls in sent), finish="tool_calls"), Say("Done")
    )
    with served(server.app) as url:
        values = {"openai_base_url": f"{url}/v1", "model": "test"}
        choice = choose(Settings(_env_file=None, **values))
        model = build(choice, "test", "key", DemoScript())
        agent = Agent(name="A", tools=[add, times], model=model)
        result = Runner.run_streamed(agent, "Hi", run_config=RunConfig(tracing_disabled=True))
        async for _ in result.stream_events():
            pass
    assert result.final_output == "Done"
    assert sorted(made) == [("add", 1, 2), ("times", 3, 4)]
    outputs = [m for m in server.requests[1]["messages"] if m["role"] == "tool"]
    assert sorted(m["content"] for m in outputs) == ["12", "3"]
    assert len({m["tool_call_id"] for m in outputs} - {""}) == 2
