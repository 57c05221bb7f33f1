"""A tool that fails: the log says which and where, the model that it failed and not how."""

import json
from types import SimpleNamespace

import pytest
from agents import FunctionToolResult, RunContextWrapper
from agents.tool_context import ToolContext

from functions.toolkit import tools
from tests.assistants.sample import Sample
from tests.assistants.sample.features import breakdown


async def called(tool):
    context = ToolContext(
        context=SimpleNamespace(),
        tool_name=tool.name,
        tool_call_id="call_1",
        tool_arguments="{}",
    )
    return await tool.function_tool.on_invoke_tool(context, json.dumps({}))


@pytest.mark.parametrize("tool", [breakdown.break_down, breakdown.return_anything])
async def test_a_tool_that_raises_is_logged_and_the_model_is_not_told_how(tool, caplog):
    assert await called(tool) == "The tool failed."
    (record,) = caplog.records
    assert record.getMessage().startswith(f"the tool {tool.name} failed")
    assert "Error" in caplog.text
    assert "tools.py" in caplog.text


async def test_the_model_is_told_what_an_action_error_says(caplog):
    assert await called(breakdown.refuse) == "The tool failed: The list is full."
    assert not caplog.records


async def test_only_a_tool_that_worked_ends_the_answer():
    decide = Sample([breakdown]).tool_use_behavior()

    def ends(output):
        result = FunctionToolResult(breakdown.break_the_end.function_tool, output, None)
        return decide(RunContextWrapper(None), [result]).is_final_output

    assert ends("It is on the page.")
    assert not ends(await called(breakdown.break_the_end))
    assert tools.FAILED in await called(breakdown.break_the_end)
